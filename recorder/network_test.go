package recorder

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// A datagram is 20 ms of a sender, and what becomes of it on its way. Instants are
// since the INVITE.
type datagram struct {
	sent    time.Duration // by the true clock
	arrival time.Duration // of the first copy
	again   time.Duration // of the second; 0 for none
	lost    bool
	ssrc    uint32
	seq     uint16
	ts      uint32
	payload []byte
}

// A network is what happens to what is sent.
type network struct {
	name    string
	length  time.Duration // 0 means 12 s
	starts  time.Duration // of the first packet
	end     time.Duration // of the recording session; 0: a second after the last packet
	drift   float64       // of the sender's clock
	epochs  int           // 0 means 1
	happens func(r *rand.Rand, d []datagram, ticks uint32)
}

// carried sends the packets of a codec over a network. Each holds samples of its own.
func (n network) carried(c siprec.Codec) []datagram {
	ticks := uint32(c.ClockRate / 50)
	d := make([]datagram, cmp.Or(n.length, 12*time.Second)/(20*ms))
	for i := range d {
		at := n.starts + time.Duration(float64(i)*float64(20*ms)*(1+n.drift))
		d[i] = datagram{
			sent: at, arrival: at, ssrc: 77, seq: 1000 + uint16(i), ts: 5000 + uint32(i)*ticks,
			payload: unlike(i, c),
		}
	}
	if n.happens != nil {
		n.happens(rand.New(rand.NewPCG(3, 4)), d, ticks)
	}
	return d
}

// unlike gives the payload of a packet that no other of its stream is like, without
// silence.
func unlike(i int, c siprec.Codec) []byte {
	r := rand.New(rand.NewPCG(uint64(i), 1))
	if c.Name != "L16" {
		b := make([]byte, c.ClockRate/50*max(c.Channels, 1))
		for j := range b {
			b[j] = byte(r.IntN(100))
		}
		return b
	}
	b := make([]byte, c.ClockRate/50*2*max(c.Channels, 1))
	for j := 0; j < len(b); j += 2 {
		binary.BigEndian.PutUint16(b[j:], uint16(1+r.IntN(20000)))
	}
	return b
}

// deliver gives what arrives to the sink of the first m-line, in the order of arrival.
func deliver(d []datagram, payloadType uint8) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		type copied struct {
			of *datagram
			at time.Duration
		}
		var all []copied
		for i := range d {
			if d[i].lost {
				continue
			}
			all = append(all, copied{&d[i], d[i].arrival})
			if d[i].again > 0 {
				all = append(all, copied{&d[i], d[i].again})
			}
		}
		slices.SortStableFunc(all, func(a, b copied) int { return cmp.Compare(a.at, b.at) })
		for _, p := range all {
			f.sinks[0].WriteRTP(&media.Packet{
				Header:  &rtp.Header{Version: 2, PayloadType: payloadType, SequenceNumber: p.of.seq, Timestamp: p.of.ts, SSRC: p.of.ssrc},
				Payload: p.of.payload, Arrival: t0.Add(p.at),
			})
		}
		return nil
	}
}

var networks = []network{
	{name: "nothing"},
	{name: "loss of 2 %", happens: losing(0.02)},
	{name: "loss of 20 %", happens: losing(0.2)},
	{name: "loss in bursts", happens: func(r *rand.Rand, d []datagram, _ uint32) {
		for _, at := range []int{40, 130, 131, 400} {
			for i := range 1 + r.IntN(40) {
				d[at+i].lost = true
			}
		}
	}},
	{name: "reordering", happens: func(r *rand.Rand, d []datagram, _ uint32) {
		for i := range d {
			if r.IntN(10) == 0 {
				d[i].arrival += time.Duration(r.IntN(100)) * ms
			}
		}
	}},
	{name: "duplication", happens: func(r *rand.Rand, d []datagram, _ uint32) {
		for i := range d {
			if r.IntN(3) == 0 {
				d[i].again = d[i].arrival + time.Duration(r.IntN(200))*ms
			}
		}
	}},
	{name: "jitter of 60 ms", happens: jittering(60)},
	{name: "jitter of 500 ms", happens: jittering(500)},
	{name: "drift of 200 ppm", length: 4 * time.Minute, drift: 200e-6},
	{name: "drift of -200 ppm with jitter", length: 4 * time.Minute, drift: -200e-6, happens: jittering(20)},
	{name: "another SSRC", epochs: 2, happens: func(_ *rand.Rand, d []datagram, _ uint32) {
		for i := range d[300:] {
			d[300+i].ssrc, d[300+i].seq, d[300+i].ts = 78, d[i].seq+60000, d[300+i].ts+1<<31
		}
	}},
	{name: "another SSRC between losses", epochs: 2, happens: func(r *rand.Rand, d []datagram, ticks uint32) {
		losing(0.05)(r, d, ticks)
		for i := range d[300:] {
			d[300+i].ssrc = 78
		}
		d[299].lost, d[300].lost = false, false
	}},
	{name: "the timestamp jumps", epochs: 2, happens: func(_ *rand.Rand, d []datagram, _ uint32) {
		for i := range d[300:] {
			d[300+i].ts += 77 << 20
		}
	}},
	{name: "the timestamp jumps back", epochs: 2, happens: func(_ *rand.Rand, d []datagram, _ uint32) {
		for i := range d[300:] {
			d[300+i].ts -= 99 << 20
		}
	}},
	{name: "the timestamp wraps", happens: func(_ *rand.Rand, d []datagram, ticks uint32) {
		for i := range d {
			d[i].ts = uint32(i-200) * ticks
		}
	}},
	{name: "the sequence wraps", happens: func(_ *rand.Rand, d []datagram, _ uint32) {
		for i := range d {
			d[i].seq = uint16(i - 200)
		}
	}},
	{name: "both wrap among losses and jitter", happens: func(r *rand.Rand, d []datagram, ticks uint32) {
		for i := range d {
			d[i].seq, d[i].ts = uint16(i-200), uint32(i-200)*ticks
		}
		losing(0.1)(r, d, ticks)
		jittering(80)(r, d, ticks)
	}},
	{name: "a late start", starts: 5 * time.Second},
	{name: "early media", starts: ms}, // before the 200 leaves
	{name: "a bad network", happens: func(r *rand.Rand, d []datagram, ticks uint32) {
		losing(0.1)(r, d, ticks)
		jittering(100)(r, d, ticks)
		for i := range d {
			if r.IntN(10) == 0 {
				d[i].again = d[i].arrival + time.Duration(r.IntN(50))*ms
			}
		}
	}},
	{name: "sent on after the end", end: 9990 * ms, happens: func(_ *rand.Rand, d []datagram, _ uint32) {
		for i := range d {
			d[i].arrival = d[i].sent + 60*ms
		}
		d[100].arrival = d[100].sent // how quick the network can be
	}},
}

func losing(share float64) func(*rand.Rand, []datagram, uint32) {
	return func(r *rand.Rand, d []datagram, _ uint32) {
		for i := 5; i < len(d)-5; i++ {
			d[i].lost = r.Float64() < share
		}
	}
}

func jittering(most int) func(*rand.Rand, []datagram, uint32) {
	return func(r *rand.Rand, d []datagram, _ uint32) {
		for i := range d {
			d[i].arrival += time.Duration(r.IntN(most*1000)) * time.Microsecond
		}
	}
}

// codecsExact are those that give back what was sent.
var codecsExact = []siprec.Codec{
	{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1},
	{PayloadType: 8, Name: "PCMA", ClockRate: 8000, Channels: 1},
	{PayloadType: 96, Name: "L16", ClockRate: 8000, Channels: 1},
	{PayloadType: 96, Name: "L16", ClockRate: 16000, Channels: 1},
	{PayloadType: 96, Name: "L16", ClockRate: 48000, Channels: 1},
	{PayloadType: 10, Name: "L16", ClockRate: 44100, Channels: 2},
	{PayloadType: 96, Name: "L16", ClockRate: 48000, Channels: 2},
}

// TestNetworks sends through the gate, the capture and the finaliser over networks of
// all kinds. Each packet that arrives has to be in the file, sample for sample, within
// 20 ms of when it was sent; where none arrived there is silence, and a gap that says
// so.
func TestNetworks(t *testing.T) {
	for _, c := range codecsExact {
		for _, n := range networks {
			if n.length > 0 && (c.Name == "L16" || testing.Short()) {
				continue // minutes of it wait for a disk that is slower than the test, or for the race detector
			}
			t.Run(fmt.Sprintf("%s/%d/%d %s", c.Name, c.ClockRate, c.Channels, n.name), func(t *testing.T) {
				d := n.carried(c)
				end := cmp.Or(n.end, d[len(d)-1].arrival+time.Second)
				line := mline(0, "1", siprec.SendOnly)
				line.Codecs = []siprec.Codec{c}
				m, folder, _ := run(t, offered([]siprec.Stream{line}), deliver(d, uint8(c.PayloadType)), ended(end.Seconds()))
				if len(m.Files) != 1 || m.Files[0].Rate != c.ClockRate {
					t.Fatalf("files %+v, flags %v", m.Files, m.Flags)
				}
				b, err := os.ReadFile(filepath.Join(folder, m.Files[0].Name))
				if err != nil {
					t.Fatal(err)
				}
				h := heardNetwork{T: t, c: c, m: &m, pcm: pcmOf(t, b)}
				h.check(d, end, cmp.Or(n.epochs, 1))
			})
		}
	}
}

// pcmOf are the samples of a WAV file.
func pcmOf(t *testing.T, b []byte) []int16 {
	t.Helper()
	at := slices.Index(b, 'd')
	for ; at >= 0 && at+8 <= len(b) && string(b[at:at+4]) != "data"; at++ {
	}
	pcm := make([]int16, (len(b)-at-8)/2)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[at+8+2*i:]))
	}
	return pcm
}

// A heardNetwork compares what was sent with what is heard.
type heardNetwork struct {
	*testing.T
	c   siprec.Codec
	m   *store.Manifest
	pcm []int16
}

func (h *heardNetwork) check(d []datagram, end time.Duration, epochs int) {
	h.Helper()
	decoder, err := codec.New(h.c.Name, h.c.ClockRate, h.c.Channels, "")
	if err != nil {
		h.Fatal(err)
	}
	s := h.m.Streams[0]
	var kept, lost, again uint64
	missed, worst := 0, time.Duration(0)
	known := make([]bool, len(h.pcm))
	for i := range d {
		p := &d[i]
		over := p.sent >= end
		switch {
		case over:
		case p.lost:
			lost++
			h.gap(p.sent+10*ms, true)
			continue
		default:
			kept++
			if p.again > 0 {
				again++
			}
			h.gap(p.sent+15*ms, false)
		}
		want := decoder.Decode(nil, p.payload)
		at := h.find(want, p.sent)
		switch {
		case over && at >= 0:
			h.Fatalf("packet %d, sent at %v, is heard at %v, after the end", i, p.sent, h.instant(at))
		case over:
		case at < 0:
			if missed++; missed > 2*len(s.Corrections) {
				h.Fatalf("packet %d, sent at %v, is not heard within 20 ms of that; %d corrections, gaps %v", i, p.sent, len(s.Corrections), s.Gaps)
			}
		default:
			for j := range want {
				known[at+j] = true
			}
			worst = max(worst, (h.instant(at) - p.sent).Abs())
		}
	}
	for i, v := range h.pcm {
		if v != 0 && !known[i] && len(s.Corrections) == 0 {
			h.Fatalf("sample %d at %v is nothing that was sent", i, h.instant(i))
		}
	}
	if s.Packets.Lost != lost || s.Packets.Duplicate != again || s.Epochs != epochs || s.Packets.Kept < kept {
		h.Errorf("%+v in %d epochs; sent and kept %d, lost %d, twice %d", s.Packets, s.Epochs, kept, lost, again)
	}
	h.Logf("%d packets, %d lost, at most %v away, %d corrections", kept, lost, worst, len(s.Corrections))
}

// instant is that of a sample.
func (h *heardNetwork) instant(i int) time.Duration {
	return time.Duration(h.m.Timeline.OffsetMS)*ms + time.Duration(i)*time.Second/time.Duration(h.c.ClockRate)
}

// find is where samples are heard within 20 ms of an instant, or -1.
func (h *heardNetwork) find(want []int16, sent time.Duration) int {
	due := int((sent - h.instant(0)) * time.Duration(h.c.ClockRate) / time.Second)
	for off := range h.c.ClockRate / 50 {
		for _, at := range []int{due + off, due - off} {
			if at >= 0 && at+len(want) <= len(h.pcm) && slices.Equal(h.pcm[at:at+len(want)], want) {
				return at
			}
		}
	}
	return -1
}

// gap wants an instant to be in a gap of lost packets, or in none.
func (h *heardNetwork) gap(at time.Duration, want bool) {
	h.Helper()
	in := slices.ContainsFunc(h.m.Streams[0].Gaps, func(g store.Gap) bool {
		return g.Cause == "lost" && time.Duration(g.FromMS)*ms <= at && at < time.Duration(g.ToMS)*ms
	})
	if in != want {
		h.Errorf("at %v: in a gap %v, want %v; gaps %v", at, in, want, h.m.Streams[0].Gaps)
	}
}
