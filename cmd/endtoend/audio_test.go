package endtoend

import (
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

const frame = 160 // samples in 20 ms at 8 kHz

// conversation makes the metadata of two parties.
func conversation(c *src.SRC) *src.Conversation {
	return src.NewConversation(c.IDs(), time.Now(), alice, bob)
}

// TestTones sends 440 Hz and 880 Hz with a click at each second over a bad
// network for a minute. The files must hold the right tone, of the right length
// to within a frame, and stay in step to within a frame.
func TestTones(t *testing.T) {
	t.Parallel()
	length := 60 * time.Second
	if testing.Short() {
		length = 6 * time.Second
	}
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
	play(t, d, src.PlayOptions{Duration: length, Faults: src.Faults{Seed: 7, Loss: 0.02, Reorder: 0.02, Duplicate: 0.02, Jitter: 15 * time.Millisecond}},
		src.Tone(440, true), src.Tone(880, true))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	a, b := l.audio(m, "alice"), l.audio(m, "Bob")
	if len(a) != len(b) {
		t.Errorf("files have %d and %d samples; they must share one timeline", len(a), len(b))
	}
	checkTone(t, "alice", a, 440, 880, length)
	checkTone(t, "bob", b, 880, 440, length)
	checkClicks(t, a, b, length)
	var lost, duplicate uint64
	for i, st := range m.Streams {
		var wantLost uint64
		for _, p := range d.Stream(i).Sent() {
			if p.Fault == src.FaultLost {
				wantLost++
			}
		}
		lost += st.Packets.Lost
		duplicate += st.Packets.Duplicate
		// A loss at the very end cannot be seen from sequence numbers.
		if st.Packets.Lost > wantLost || st.Packets.Lost+3 < wantLost {
			t.Errorf("stream %s: %d lost by the manifest, %d lost indeed", st.ID, st.Packets.Lost, wantLost)
		}
	}
	if lost == 0 || duplicate == 0 {
		t.Errorf("lost %d, duplicate %d: the faults were not injected", lost, duplicate)
	}
}

func checkTone(t *testing.T, who string, s []int16, own, other float64, length time.Duration) {
	t.Helper()
	from, to := loud(s)
	want := int(length.Seconds() * 8000)
	// Up to two frames at the ends may be among the lost.
	if got := to - from; got > want+frame || got < want-3*frame {
		t.Errorf("%s: tone is %d samples long, want %d to within a frame", who, got, want)
	}
	for sec := 0; sec+1 < want/8000; sec++ {
		part := s[from+sec*8000+400 : from+sec*8000+7600] // without the click
		if p := power(part, own, 8000); p < 0.5 {
			t.Errorf("%s: second %d holds only %.2f of its own tone", who, sec, p)
		}
		if p := power(part, other, 8000); p > 0.01 {
			t.Errorf("%s: second %d holds %.3f of the other's tone", who, sec, p)
		}
	}
}

// clicks finds the begin of each sound near full scale.
func clicks(s []int16) []int {
	var out []int
	for i, v := range s {
		if math.Abs(float64(v)) > 24000 && (len(out) == 0 || i-out[len(out)-1] > 4000) {
			out = append(out, i)
		}
	}
	return out
}

func checkClicks(t *testing.T, a, b []int16, length time.Duration) {
	t.Helper()
	ca, cb := clicks(a), clicks(b)
	// A click in a lost packet is gone.
	if least := int(length.Seconds() * 0.85); len(ca) < least || len(cb) < least {
		t.Fatalf("%d and %d clicks found, want at least %d", len(ca), len(cb), least)
	}
	worst := 0
	for _, x := range ca {
		for _, y := range cb {
			if d := x - y; d > -4000 && d < 4000 {
				worst = max(worst, max(d, -d))
			}
		}
		if off := (x - ca[0] + 4000) % 8000; off < 4000-frame || off > 4000+frame {
			t.Errorf("click at sample %d is not a whole number of seconds after the first at %d", x, ca[0])
		}
	}
	if worst > frame {
		t.Errorf("clicks are %d samples apart, want at most %d", worst, frame)
	}
	t.Logf("%d and %d clicks, at most %d samples apart", len(ca), len(cb), worst)
}

// TestSampleExact sends code words that count, without loss, and wants each of
// them back, at once after another: over both IP versions, plain and under each
// crypto-suite of SRTP.
// Shows 7866-8.2-01, 7866-8.2.3-01, 7866-12.2-01.
func TestSampleExact(t *testing.T) {
	t.Parallel()
	type exact struct {
		name, host, network string
		codec               src.Codec
		suite               string
	}
	tests := []exact{
		{"PCMU over UDP", "127.0.0.1", "udp", src.PCMU(), ""},
		{"PCMA over TCP", "127.0.0.1", "tcp", src.PCMA(), ""},
		{"PCMU over UDP and IPv6", "[::1]", "udp", src.PCMU(), ""},
		{"PCMA over TCP and IPv6", "[::1]", "tcp", src.PCMA(), ""},
	}
	for _, suite := range src.SRTPSuites() {
		tests = append(tests,
			exact{suite, "127.0.0.1", "udp", src.PCMU(), suite},
			exact{suite + " and IPv6", "[::1]", "tcp", src.PCMA(), suite})
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			const packets = 200
			l := newLab(t, tt.host, nil)
			c := l.client(tt.network)
			offers := src.TwoParties(tt.codec)
			if tt.suite != "" {
				offerSRTP(t, c, offers, tt.suite)
			}
			d := invite(t, c, src.Request{Streams: offers, Metadata: conversation(c).Complete()})
			play(t, d, src.PlayOptions{Codec: tt.codec, Count: packets, RTCP: time.Second}, src.Counter(tt.codec), src.Counter(tt.codec))
			do(t, d, "BYE", src.Request{})
			m := l.manifest()
			for _, s := range m.Streams {
				if s.Reports == nil || s.Reports.Count < 3 { // one a second came
					t.Errorf("stream %s: sender reports %+v", s.ID, s.Reports)
				}
			}
			want := counterSamples(t, tt.codec, packets*frame)
			for _, who := range []string{"alice", "Bob"} {
				got := l.audio(m, who)
				if at := find(got, want); at < 0 {
					t.Errorf("%s: the samples sent are not in the file as one piece: %s; %s", who, streamsOf(m), longest(got, want))
				}
			}
		})
	}
}

// offerSRTP gives each m-line keys of its own for the suites.
func offerSRTP(t *testing.T, c *src.SRC, offers []src.StreamOffer, suites ...string) {
	t.Helper()
	for i := range offers {
		offers[i].Keys = nil
		for _, suite := range suites {
			key, err := c.IDs().SRTPKey(suite)
			if err != nil {
				t.Fatal(err)
			}
			offers[i].Keys = append(offers[i].Keys, key)
		}
	}
}

// counterSamples decodes the first code words of a counter.
func counterSamples(t *testing.T, c src.Codec, n int) []int16 {
	t.Helper()
	words := make([]byte, n)
	for i := range words {
		words[i] = src.CounterWord(int64(i))
	}
	samples, err := src.Decode(c, words)
	if err != nil {
		t.Fatal(err)
	}
	return samples
}

// find is the place of a piece within samples, or -1.
func find(samples, piece []int16) int {
	for i := 0; i+len(piece) <= len(samples); i++ {
		same := true
		for j := range piece {
			if samples[i+j] != piece[j] {
				same = false
				break
			}
		}
		if same {
			return i
		}
	}
	return -1
}

// TestNothingBetweenAnswerAndAckIsLost sends audio the moment the 200 is there
// and no ACK yet.
func TestNothingBetweenAnswerAndAckIsLost(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete(), WithholdACK: true})
	const packets = 20
	play(t, d, src.PlayOptions{Codec: src.PCMU(), Count: packets}, src.Counter(src.PCMU()), src.Counter(src.PCMU()))
	if err := d.Ack(); err != nil {
		t.Fatal(err)
	}
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if find(l.audio(m, "alice"), counterSamples(t, src.PCMU(), packets*frame)) < 0 {
		t.Error("audio sent before the ACK is not in the file")
	}
}

// TestTail sends BYE right behind the last packet.
func TestTail(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	for range 20 {
		d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
		play(t, d, src.PlayOptions{Codec: src.PCMU(), Count: 3}, src.Counter(src.PCMU()), src.Counter(src.PCMU()))
		do(t, d, "BYE", src.Request{})
	}
	want := counterSamples(t, src.PCMU(), 2*frame)
	for _, m := range l.manifests() {
		for _, st := range m.Streams {
			if st.Packets.Kept != 3 {
				t.Errorf("%s stream %s kept %d of 3 packets", m.Recording, st.ID, st.Packets.Kept)
			}
		}
		if find(l.audio(m, "alice"), want) < 0 {
			t.Errorf("%s: the tail is cut by more than a frame", m.Recording)
		}
	}
}

// TestHoldBySDP proves from the audio that nothing sent while the streams were
// inactive is kept, and everything before and after is.
// Shows 7866-7.1.1.1-03, 7866-7.1.1.1-05.
func TestHoldBySDP(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		hold func([]src.StreamOffer)
	}{
		{"a=inactive", func(s []src.StreamOffer) {
			for i := range s {
				s[i].Direction = src.Inactive
			}
		}},
		{"c=0.0.0.0", func(s []src.StreamOffer) {
			for i := range s {
				s[i].Address = "0.0.0.0"
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "127.0.0.1", nil)
			c := l.client("udp")
			d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
			second := src.PlayOptions{Duration: time.Second}
			play(t, d, second, src.Tone(440, false), src.Tone(440, false))
			held, active := d.Offers(), d.Offers()
			tt.hold(held)
			answer, err := do(t, d, "INVITE", src.Request{Streams: held}).SDP()
			if err != nil {
				t.Fatal(err)
			}
			for i := range answer.Media {
				if dir := answer.DirectionOf(i); dir != src.Inactive {
					t.Errorf("m-line %d answered %s while held", i, dir)
				}
			}
			play(t, d, second, src.Tone(3000, false), src.Tone(3000, false))
			do(t, d, "INVITE", src.Request{Streams: active})
			play(t, d, second, src.Tone(880, false), src.Tone(880, false))
			do(t, d, "BYE", src.Request{})
			m := l.manifest()
			s := l.audio(m, "alice")
			if p := strongest(s, 3000); p > edgeShare {
				t.Errorf("audio sent while held is in the file (%.3f)", p)
			}
			for _, hz := range []float64{440, 880} {
				if got := seconds(s, hz); got < 0.94 || got > 1.04 {
					t.Errorf("%.0f Hz is heard for %.2f s, want 1 s", hz, got)
				}
			}
			if from, to := loud(s); to-from < 23000 || to-from > 25000 {
				t.Errorf("from first to last sound %d samples, want 3 s: the hold must stay as silence", to-from)
			}
			if m.Streams[0].Packets.Withheld == 0 {
				t.Error("no packet was counted as withheld")
			}
		})
	}
}

// edgeShare is what a frame that holds only two samples of 880 Hz, at an edge, may
// show of 3000 Hz; a packet of it shows 1.
const edgeShare = 0.03

// strongest is the greatest share of a tone in any 20 ms.
func strongest(s []int16, hz float64) float64 {
	var most float64
	for i := 0; i+frame <= len(s); i += frame {
		most = max(most, power(s[i:i+frame], hz, 8000))
	}
	return most
}

// seconds is for how long a tone is heard.
func seconds(s []int16, hz float64) float64 {
	n := 0
	for i := 0; i+frame <= len(s); i += frame {
		if power(s[i:i+frame], hz, 8000) > 0.5 {
			n++
		}
	}
	return float64(n) * 0.02
}

// TestMixedStream is one file that names all its senders.
// Shows 7866-5.1-03, 7866-7.1.1-05, 7866-8.2-01, 7866-8.2.2-01, 7866-8.3.2-04, 7866-8.4-03.
func TestMixedStream(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("udp")
	conv := src.NewConversation(c.IDs(), time.Now(), alice, bob)
	doc := conv.Document()
	doc.Streams = doc.Streams[:1]
	for i := range doc.Associations {
		doc.Associations[i].Send = []string{doc.Streams[0].ID}
		doc.Associations[i].Recv = []string{doc.Streams[0].ID}
	}
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU())[:1], Metadata: doc.XML()})
	play(t, d, src.PlayOptions{Duration: 500 * time.Millisecond}, src.Tone(440, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if len(m.Files) != 1 || len(m.Files[0].Participants) != 2 {
		t.Fatalf("files = %+v, want one that names two participants", m.Files)
	}
	if p := power(l.audio(m, "Bob"), 440, 8000); p < 0.5 {
		t.Errorf("mixed file holds %.2f of the tone", p)
	}
}

// TestUnreadableMetadata goes on by m-line order.
// Shows 7866-9.2-03, 7865-5.1-03.
func TestUnreadableMetadata(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("tcp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: []byte("this is not XML at all")})
	if got := d.Final().Get("Warning"); !strings.HasPrefix(got, `399 siprecd "metadata cannot be read: `) {
		t.Errorf("Warning %q in the 200", got)
	}
	if got := do(t, d, "UPDATE", src.Request{Metadata: []byte("nor is this")}).Get("Warning"); !strings.Contains(got, "metadata cannot be read") {
		t.Errorf("Warning %q in the 200 to an UPDATE", got)
	}
	if m := do(t, d, "UPDATE", src.Request{Metadata: conversation(c).Complete()}); m.Has("Warning") {
		t.Errorf("Warning %q of metadata that can be read", m.Get("Warning"))
	}
	complete := conversation(c).Complete()
	if got := do(t, d, "UPDATE", src.Request{Metadata: complete[:len(complete)-5]}).Get("Warning"); !strings.Contains(got, "metadata is not well-formed XML") {
		t.Errorf("Warning %q of metadata that lacks its end", got)
	}
	play(t, d, src.PlayOptions{Duration: 500 * time.Millisecond}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if len(m.Files) != 2 || len(m.Flags) == 0 || len(m.Metadata) != 4 || m.Metadata[0].Readable || !m.Metadata[2].Readable {
		t.Fatalf("files %d, flags %v, metadata %+v", len(m.Files), m.Flags, m.Metadata)
	}
	for i, hz := range []float64{440, 880} {
		if p := strongest(l.samples(m, m.Files[i]), hz); p < 0.9 {
			t.Errorf("file %d does not hold its tone (%.2f)", i, p)
		}
	}
}

// streamsOf is what a manifest says of packets and gaps.
func streamsOf(m store.Manifest) string {
	var out []string
	for _, s := range m.Streams {
		out = append(out, fmt.Sprintf("%s %+v, %d sources, gaps %+v", s.ID, s.Packets, s.Epochs, s.Gaps))
	}
	return strings.Join(out, "; ")
}

// longest says which part of what was sent is heard as one piece at most.
func longest(got, want []int16) string {
	from, to, at := 0, 0, 0
	for i := 0; i+frame <= len(want); i += frame {
		if p := find(got, want[i:i+frame]); p >= 0 {
			n := frame
			for i+n < len(want) && p+n < len(got) && got[p+n] == want[i+n] {
				n++
			}
			if n > to-from {
				from, to, at = i, i+n, p
			}
		}
	}
	return fmt.Sprintf("of %d samples %d to %d are at %d of %d", len(want), from, to, at, len(got))
}
