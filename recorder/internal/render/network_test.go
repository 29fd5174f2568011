package render

import (
	"encoding/binary"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// A network is what happens to a minute of packets on their way.
type network struct {
	name          string
	loss          float64 // share of packets
	burst         int     // lost at a time; 1 when 0
	jitter        time.Duration
	twice         float64
	late          time.Duration // before the first packet
	restart       int           // packet with which SSRC, numbers and timestamps begin anew
	jump          int           // packet from which timestamps are others
	ppm           float64       // by which the sender's seconds are too long
	firstSequence uint16
	firstStamp    uint32
}

// Whatever a network does, each packet that came is heard whole within 20 ms of the
// instant at which it was sent, once; one that did not come is silence, and listed.
func TestNetworks(t *testing.T) {
	for _, n := range []network{
		{name: "nothing"},
		{name: "loss of 1 %", loss: 0.01}, {name: "loss of 20 %", loss: 0.2, jitter: 40 * ms},
		{name: "bursts", loss: 0.1, burst: 25, jitter: 10 * ms},
		{name: "jitter of 500 ms", jitter: 500 * ms}, {name: "all of it", loss: 0.1, burst: 5, jitter: 300 * ms, twice: 0.1},
		{name: "twice", twice: 0.5, jitter: 60 * ms},
		{name: "wraps", firstSequence: 64000, firstStamp: 1<<32 - 100_000, jitter: 30 * ms, loss: 0.05},
		{name: "late start", late: 4 * time.Second, jitter: 20 * ms},
		{name: "another source", restart: 1500, jitter: 50 * ms, loss: 0.05},
		{name: "timestamps jump", jump: 1500, jitter: 20 * ms},
		{name: "drift of 200 ppm", ppm: 200, jitter: 20 * ms, loss: 0.02}, {name: "drift of -200 ppm", ppm: -200, jitter: 20 * ms, late: time.Second},
	} {
		t.Run(n.name, func(t *testing.T) { n.try(t) })
	}
}

const networkPackets = 3000

func (n network) try(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	var ps []capture.Packet
	sent := make([]time.Duration, networkPackets)
	came := make([]bool, networkPackets)
	lost := 0
	for i := range sent {
		sent[i] = n.late + time.Duration(float64(i)*float64(20*ms)*(1+n.ppm*1e-6))
		burst := max(n.burst, 1)
		edge := i < 20 || i > networkPackets-20 || n.restart > 0 && i > n.restart-20 && i < n.restart+20
		if i%burst == 0 {
			lost = 0
			if random.Float64() < n.loss {
				lost = burst
			}
		}
		came[i] = lost == 0 || edge
		p := capture.Packet{
			PayloadType: 96, SSRC: 7, Sequence: n.firstSequence + uint16(i), Timestamp: n.firstStamp + uint32(i)*160,
			Arrival: sent[i], Payload: make([]byte, 320),
		}
		if n.restart > 0 && i >= n.restart {
			p.SSRC, p.Sequence, p.Timestamp = 8, uint16(i+999), uint32(i)*160+123456
		}
		if n.jump > 0 && i >= n.jump {
			p.Timestamp += 1 << 30
		}
		for j := 0; j < 320; j += 2 {
			binary.BigEndian.PutUint16(p.Payload[j:], uint16(i+1))
		}
		if !came[i] {
			continue
		}
		if n.jitter > 0 {
			p.Arrival += time.Duration(random.Int64N(int64(n.jitter)))
		}
		ps = append(ps, p)
		if random.Float64() < n.twice {
			p.Arrival += 15 * ms
			ps = append(ps, p)
		}
	}
	sortByArrival(ps)
	length := sent[networkPackets-1] + time.Second
	job := jobFor(t, ps, length, 0)
	job.Streams[0].Formats = []Format{{PayloadType: 96, Name: "L16", ClockRate: 8000, Channels: 1}}
	res := run(t, job)
	pcm := quickly(t, filepath.Join(job.Dir, "a.wav"))
	first, count := make([]int, networkPackets), make([]int, networkPackets)
	for at, s := range pcm {
		if s <= 0 {
			continue
		}
		if count[s-1] == 0 {
			first[s-1] = at
		}
		count[s-1]++
	}
	missing := uint64(0)
	for i := range sent {
		switch off := span(int64(first[i]), 8000) - sent[i]; {
		case !came[i]:
			missing++
			if count[i] > 0 {
				t.Fatalf("packet %d did not come and is heard", i)
			}
		case count[i] < 160 && !(n.restart > 0 && i > n.restart-30 && i < n.restart+2):
			t.Fatalf("of packet %d %d samples are heard", i, count[i])
		case count[i] > 160 || off > 20*ms || off < -20*ms:
			t.Fatalf("packet %d, %d samples, is %v away", i, count[i], off)
		}
	}
	r := res.Streams[0]
	if r.Lost != missing || int(r.Received) != networkPackets-int(missing) || len(ps) != int(r.Received+r.Duplicate) {
		t.Errorf("%d received, %d lost, %d twice, want %d, %d, %d", r.Received, r.Lost, r.Duplicate, networkPackets-int(missing), missing, len(ps)-networkPackets+int(missing))
	}
	silent := time.Duration(0)
	for _, g := range r.Gaps {
		if g.Cause == CauseLost {
			silent += g.To - g.From
		}
	}
	if off := silent - time.Duration(missing)*20*ms; off > 20*ms || off < -20*ms {
		t.Errorf("gaps of %v for %d packets", silent, missing)
	}
	if n.late > 0 && (len(r.Gaps) == 0 || r.Gaps[0].Cause != CauseLateStart || r.Gaps[0].To < n.late-20*ms) {
		t.Errorf("gaps %v", r.Gaps)
	}
}
