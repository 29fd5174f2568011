package main

import (
	"bytes"
	"cmp"
	"context"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

const (
	// atRisk is what may be lost before a kill by default: a sweep, a page and the
	// hold-back, with the time of writing.
	atRisk = 1500 * time.Millisecond
	// lateToRise is how long after "ready" a stream may still be missing: until its
	// source is adopted, and its packets are swept.
	lateToRise = 500 * time.Millisecond

	crashSessions = 20
	killsInARun   = 10
	frame         = 160 // samples of 20 ms
)

// TestKilledServerGoesOn kills the server with 20 recording sessions under RTP at
// random moments, and starts it again on the same address. The same recording sessions
// go on to their BYE: what is lost lies within the bound around each kill, and what was
// sent while it was withheld is in no file. Some of them send SRTP. SIPRECD_TEST_KILLS is how many moments are
// tried, 3 without it, or 1 with -short; SIPRECD_TEST_SEED draws them.
func TestKilledServerGoesOn(t *testing.T) {
	few := 3
	if testing.Short() {
		few = 1
	}
	kills := fromEnvironment(t, "SIPRECD_TEST_KILLS", few)
	seed := fromEnvironment(t, "SIPRECD_TEST_SEED", int(time.Now().UnixNano()%1e9))
	for run := 0; kills > 0; run++ {
		n := min(kills, killsInARun)
		kills -= n
		t.Run(fmt.Sprintf("%d kills, seed %d", n, seed+run), func(t *testing.T) {
			crashing(t, n, rand.New(rand.NewPCG(uint64(seed+run), 7)))
		})
	}
}

func fromEnvironment(t *testing.T, name string, otherwise int) int {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.Atoi(text)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// An outage is a time in which the server was not there.
type outage struct{ killed, ready time.Time }

// unsharedPort is an address that nobody is given who asks for any port (those of Linux
// begin at 32768), and that no media of a server uses (16384 and up, or below 15600 here): between a kill and the next start
// it stays free.
func unsharedPort(t *testing.T, rng *rand.Rand) string {
	t.Helper()
	for range 100 {
		address := fmt.Sprintf("127.0.0.1:%d", 15600+rng.IntN(784))
		if l, err := net.ListenPacket("udp", address); err == nil {
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
			return address
		}
	}
	t.Fatal("no port is free")
	return ""
}

func crashing(t *testing.T, kills int, rng *rand.Rand) {
	ctx, stop := context.WithTimeout(t.Context(), time.Duration(kills)*10*time.Second+2*time.Minute)
	defer stop()
	dir := t.TempDir()
	first := 10000 + 400*rng.IntN(14)
	args := []string{"--rtp-ports", fmt.Sprintf("%d-%d", first, first+399), "--listen", "udp:" + unsharedPort(t, rng)}
	p, err := startProcess(dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { p.kill() }()
	c := client(t, p)

	talking, hush := context.WithCancel(ctx)
	defer hush()
	calls := make([]*crashCall, crashSessions)
	var speaking sync.WaitGroup
	for i := range calls {
		calls[i] = &crashCall{t: t, holds: i%3 == 1, silenced: i%3 == 2, secure: i%4 == 3, rng: rand.New(rand.NewPCG(rng.Uint64(), 1))}
		speaking.Go(func() { calls[i].run(ctx, talking, c) })
	}
	var outages []outage
	for range kills {
		pause(ctx, 300*time.Millisecond+time.Duration(rng.IntN(2500))*time.Millisecond)
		o := outage{killed: time.Now()}
		p.kill()
		next, err := startProcess(dir, args...)
		if err != nil {
			t.Fatal(err)
		}
		p = next
		o.ready = time.Now()
		outages = append(outages, o)
	}
	pause(ctx, 2*time.Second)
	hush()
	speaking.Wait()
	for _, call := range calls {
		call.bye(ctx)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); err != nil || code != 0 {
		t.Errorf("exit code %d, %v\n%s", code, err, p.log.String())
	}
	found := recordingsOf(t, filepath.Join(dir, "data"))
	var worst lost
	for _, call := range calls {
		call.check(found, outages, &worst)
	}
	t.Logf("at most %v lost before a kill, %v after the server was ready", worst.before, worst.after)
	if t.Failed() {
		t.Logf("the last process wrote\n%s", p.log.String())
	}
}

// lost is what was lost around outages.
type lost struct{ before, after time.Duration }

// A crashCall is a recording session of two streams. What the first sends may be kept
// all the time. The second is inactive all the time (silenced), or is put on hold again
// and again (holds), and then sends what must never be found.
type crashCall struct {
	t               *testing.T
	holds, silenced bool
	secure          bool          // sends SRTP
	keys            []src.SRTPKey // of its streams
	rng             *rand.Rand
	dialog          *src.Dialog
	began           time.Time // when its INVITE was answered
}

// marker is as loud as it can be, which a counter is in single samples only.
type marker struct{}

func (marker) Samples(from int64, dst []int16) int {
	for i := range dst {
		dst[i] = [2]int16{32767, -32768}[(from+int64(i))/4%2]
	}
	return len(dst)
}

const (
	loud       = 31000 // above that a sample is part of a marker,
	loudInARow = 8     // if so many stand together
)

func (c *crashCall) streams(second string) []src.StreamOffer {
	offer := []src.StreamOffer{{Label: "1", Direction: src.SendOnly, Codecs: []src.Codec{src.PCMU()}}, {Label: "2", Direction: src.SendOnly, Codecs: []src.Codec{src.PCMU()}}}
	offer[1].Direction = second
	for i, k := range c.keys {
		offer[i].Keys = []src.SRTPKey{k}
	}
	return offer
}

// run invites, and speaks until talking is done.
func (c *crashCall) run(ctx, talking context.Context, client *src.SRC) {
	pause(ctx, time.Duration(c.rng.IntN(800))*time.Millisecond)
	second := src.SendOnly
	if c.silenced {
		second = src.Inactive
	}
	conversation := src.NewConversation(client.IDs(), time.Now(), src.Party{AOR: "sip:one@example.com", Label: "1"}, src.Party{AOR: "sip:two@example.com", Label: "2"})
	for range 2 {
		k, err := client.IDs().SRTPKey("AES_CM_128_HMAC_SHA1_80")
		if err != nil {
			c.t.Error(err)
		}
		if c.secure {
			c.keys = append(c.keys, k)
		}
	}
	var err error
	c.dialog, err = client.Invite(ctx, src.Request{Streams: c.streams(second), Metadata: conversation.Complete()})
	if err != nil || c.dialog.Final().Status != 200 {
		c.t.Errorf("INVITE: %v", err)
		c.dialog = nil
		return
	}
	c.began = time.Now()
	var both sync.WaitGroup
	both.Go(func() { c.speak(talking, 0, src.Counter(src.PCMU()), 0) })
	both.Go(func() {
		for talking.Err() == nil {
			c.second(ctx, talking)
		}
	})
	both.Wait()
}

// second is a while of the second stream.
func (c *crashCall) second(ctx, talking context.Context) {
	while := func() time.Duration { return time.Duration(200+c.rng.IntN(600)) * time.Millisecond }
	switch {
	case c.silenced:
		c.speak(talking, 1, marker{}, while())
	case c.holds:
		c.speak(talking, 1, src.Counter(src.PCMU()), while())
		c.reinvite(ctx, src.Inactive)
		c.speak(talking, 1, marker{}, while())
		c.reinvite(ctx, src.SendOnly)
	default:
		c.speak(talking, 1, src.Counter(src.PCMU()), while())
	}
}

// speak sends a source for a time, 0 for until talking is done.
func (c *crashCall) speak(talking context.Context, stream int, s src.Source, for_ time.Duration) {
	opt := src.PlayOptions{Codec: src.PCMU(), Count: int(for_ / (20 * time.Millisecond))}
	if err := c.dialog.Stream(stream).Play(talking, s, opt); err != nil && talking.Err() == nil {
		c.t.Errorf("stream %d: %v", stream, err)
	}
}

// reinvite asks for a direction of the second stream, over as many outages as come.
func (c *crashCall) reinvite(ctx context.Context, second string) {
	m, err := c.dialog.Reinvite(ctx, src.Request{Streams: c.streams(second)})
	if err != nil || m.Status != 200 {
		c.t.Errorf("re-INVITE to %s: %v, %v", second, m, err)
	}
}

func (c *crashCall) bye(ctx context.Context) {
	if c.dialog == nil {
		return
	}
	if m, err := c.dialog.Bye(ctx, src.Request{}); err != nil || m.Status != 200 {
		c.t.Errorf("BYE: %v, %v", m, err)
	}
}

// A keptRecording is a recording as it was found.
type keptRecording struct {
	folder string
	store.Manifest
}

// recordingsOf reads all recordings, which have to be finished, by their Call-ID.
func recordingsOf(t *testing.T, data string) map[string][]keptRecording {
	t.Helper()
	list, err := store.List(data)
	if err != nil {
		t.Fatal(err)
	}
	out := make(map[string][]keptRecording)
	for _, s := range list {
		m, err := store.Load(data, s.ID)
		if err != nil {
			t.Errorf("%s: %v", s.ID, err)
			continue
		}
		out[m.CallID] = append(out[m.CallID], keptRecording{s.Folder, m})
	}
	return out
}

// check looks at what was kept of a recording session.
func (c *crashCall) check(found map[string][]keptRecording, outages []outage, worst *lost) {
	t := c.t
	if c.dialog == nil {
		return
	}
	var ours *keptRecording
	for _, r := range found[c.dialog.CallID()] {
		c.searchMarker(r)
		switch {
		case r.EndReason == "bye" && ours == nil:
			ours = &r
		case r.EndReason == "server-down" && len(r.Files) == 0:
			// Killed before the INVITE was answered: its repetition began another.
		default:
			t.Errorf("recording %s of %s ended by %s with %d files", r.Recording, r.CallID, r.EndReason, len(r.Files))
		}
	}
	if ours == nil {
		t.Errorf("recording session %s did not go on to its BYE", c.dialog.CallID())
		return
	}
	since := slices.DeleteFunc(slices.Clone(outages), func(o outage) bool { return o.killed.Before(c.began) })
	if n := len(ours.Interruptions); n < len(since) || n > len(since)+1 { // one may have met the answer
		t.Errorf("%s: %d interruptions, and %d kills since it began: %+v", ours.Recording, n, len(since), ours.Interruptions)
	}
	first, second := streamsOf(ours)
	if c.silenced && second.Packets.Kept > 0 {
		t.Errorf("%s: %d packets of an inactive stream were kept", ours.Recording, second.Packets.Kept)
	}
	if c.secure != (first.SRTP != "") || first.Packets.Unauthentic > 0 {
		t.Errorf("%s: SRTP %q, %d packets not authentic", ours.Recording, first.SRTP, first.Packets.Unauthentic)
	}
	c.checkAudio(ours, first, outages, worst)
}

// streamsOf are the two streams that were spoken on. A recording whose INVITE was
// repeated, since the server was killed before it answered, has those of both, the
// first without a packet.
func streamsOf(r *keptRecording) (first, second store.Stream) {
	for _, s := range r.Streams {
		if s.Index == 0 {
			first = s
		} else {
			second = s
		}
	}
	return first, second
}

// searchMarker looks for what was withheld in every file.
func (c *crashCall) searchMarker(r keptRecording) {
	for _, f := range r.Files {
		if i := markerIn(samplesOf(c.t, filepath.Join(r.folder, f.Name))); i >= 0 {
			c.t.Errorf("%s of %s has what was withheld, at %v", f.Name, r.Recording, time.Duration(i)*time.Second/8000)
		}
	}
}

// markerIn is where a marker begins among samples; -1 for nowhere.
func markerIn(samples []int16) int {
	row := 0
	for i, v := range samples {
		if row++; v < loud && v > -loud {
			row = 0
		}
		if row >= loudInARow {
			return i + 1 - row
		}
	}
	return -1
}

// TestMarkerIsFound is the control of [TestKilledServerGoesOn]: a marker that was kept
// would be found, and a counter is none.
func TestMarkerIsFound(t *testing.T) {
	samples := make([]int16, 70000)
	src.Counter(src.PCMU()).Samples(0, samples)
	if i := markerIn(samples); i >= 0 {
		t.Errorf("a counter is taken for a marker at sample %d", i)
	}
	kept := make([]int16, frame)
	marker{}.Samples(5*frame, kept)
	payload, err := src.Encode(src.PCMU(), kept)
	if err != nil {
		t.Fatal(err)
	}
	if kept, err = src.Decode(src.PCMU(), payload); err != nil {
		t.Fatal(err)
	}
	copy(samples[10000:], kept)
	if i := markerIn(samples); i != 10000 {
		t.Errorf("a marker at sample 10000 is found at %d", i)
	}
}

// samplesOf reads a WAV file of one channel and 16 bits.
func samplesOf(t *testing.T, path string) []int16 {
	t.Helper()
	b, err := os.ReadFile(path)
	i := bytes.Index(b, []byte("data"))
	if err != nil || i < 0 || !bytes.HasPrefix(b, []byte("RIFF")) || int(binary.LittleEndian.Uint32(b[i+4:])) != len(b)-i-8 {
		t.Errorf("%s is no whole WAV file: %v", path, err)
		return nil
	}
	out := make([]int16, (len(b)-i-8)/2)
	for n := range out {
		out[n] = int16(binary.LittleEndian.Uint16(b[i+8+2*n:]))
	}
	return out
}

// checkAudio looks for each frame of the first stream in its file: it is there, at its
// place, or was sent around an outage.
func (c *crashCall) checkAudio(r *keptRecording, first store.Stream, outages []outage, worst *lost) {
	t := c.t
	i := slices.IndexFunc(r.Files, func(f store.File) bool { return slices.Equal(f.Streams, []string{first.ID}) })
	if i < 0 {
		t.Errorf("%s: no file of the first stream among %+v", r.Recording, r.Files)
		return
	}
	got := samplesOf(t, filepath.Join(r.folder, r.Files[i].Name))
	sent := c.dialog.Stream(0).Sent()
	start := c.align(got, sent)
	missing := 0
	for n, s := range sent {
		if holds(got, start+n*frame, counterFrame(n)) {
			continue
		}
		missing++
		if !excused(s.At, outages, worst) {
			t.Errorf("%s: frame %d, sent %v after the answer, is missing; outages %v", r.Recording, n, s.At.Sub(c.began), since(c.began, outages))
			return
		}
	}
	if missing == 0 && c.began.Before(outages[0].killed) {
		t.Errorf("%s: nothing is missing, though the server was killed", r.Recording)
	}
}

// counterFrame is the audio of a frame of the counter.
func counterFrame(n int) []int16 {
	out := make([]int16, frame)
	src.Counter(src.PCMU()).Samples(int64(n*frame), out)
	return out
}

func holds(got []int16, at int, want []int16) bool {
	return at >= 0 && at+frame <= len(got) && slices.Equal(got[at:at+frame], want)
}

// align finds at which sample of a file the first frame stands, or would. The frames of
// a counter are much alike, so it is where most of them fit.
func (c *crashCall) align(got []int16, sent []src.Sent) (start int) {
	most := 0
	last := len(sent) - 1
	for back := 5; back <= 30 && back <= last; back += 5 {
		want := counterFrame(last - back)
		for i := 0; i+frame <= len(got); i++ {
			if got[i] != want[0] || !holds(got, i, want) {
				continue
			}
			fits, at := 0, i-(last-back)*frame
			for n := range sent {
				if holds(got, at+n*frame, counterFrame(n)) {
					fits++
				}
			}
			if fits > most {
				most, start = fits, at
			}
		}
	}
	return start
}

// excused reports whether what was sent at an instant may be lost, and keeps how far
// from an outage that was.
func excused(at time.Time, outages []outage, worst *lost) bool {
	late := false
	for _, o := range outages {
		switch {
		case at.Before(o.killed.Add(-atRisk)) || at.After(o.ready.Add(lateToRise)):
		case at.Before(o.killed):
			worst.before = max(worst.before, o.killed.Sub(at))
			return true
		case !at.After(o.ready):
			return true
		default:
			late = true // unless the next kill excuses it
		}
	}
	if !late {
		return false
	}
	for _, o := range outages {
		if d := at.Sub(o.ready); d > 0 && d <= lateToRise {
			worst.after = max(worst.after, d)
		}
	}
	return true
}

func since(begin time.Time, outages []outage) string {
	var out []string
	for _, o := range outages {
		out = append(out, fmt.Sprintf("%v to %v", o.killed.Sub(begin), o.ready.Sub(begin)))
	}
	return cmp.Or(strings.Join(out, ", "), "none")
}
