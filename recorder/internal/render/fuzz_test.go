package render

import (
	"context"
	"encoding/binary"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// packetsOf reads any octets as packets: small steps from a regular source, or
// anything at all.
func packetsOf(b []byte) []capture.Packet {
	var out []capture.Packet
	p := capture.Packet{SSRC: 1, Payload: counting(0, 160)}
	for ; len(b) >= 4 && len(out) < 4000; b = b[4:] {
		p.Sequence++
		p.Timestamp += 160
		p.Arrival += 20 * ms
		switch v := binary.LittleEndian.Uint16(b[1:]); b[0] % 12 {
		case 0:
			p.Sequence += v
		case 1:
			p.Timestamp += uint32(v) * uint32(v)
		case 2:
			p.Arrival += time.Duration(int16(v)) * ms
		case 3:
			p.Arrival = time.Duration(int64(v)<<48 | int64(v))
		case 4:
			p.SSRC = uint32(v) % 6
		case 5:
			p.PayloadType = uint8(v)
		case 6:
			p.Payload = counting(int(v), int(v)%3000)
		case 7:
			p.Sequence, p.Timestamp = p.Sequence-1, p.Timestamp-160
		case 8:
			p.Sequence -= v % 600
		case 9:
			p.PayloadType = []uint8{0, 8, 9, 11, 13, 18, 96, 97, 101, 200, 202}[v%11]
		}
		p.Stream = int(b[3] % 3)
		for n := range b[3] / 16 { // a few regular ones
			q := p
			q.Sequence += uint16(n)
			q.Timestamp += uint32(n) * 160
			q.Arrival += time.Duration(n) * 20 * ms
			out = append(out, q)
		}
		out = append(out, p)
	}
	return out
}

func FuzzRun(f *testing.F) {
	f.Add([]byte("plain\x00\x00\x00 and then some more of it"), int64(0), int64(2000))
	f.Add([]byte{11, 0, 0, 0xf0, 4, 3, 0, 0xf0, 2, 0, 0x10, 0xf1, 5, 9, 0, 0xf0}, int64(100), int64(1500))
	f.Add([]byte{3, 255, 255, 255, 0, 0, 128, 240, 1, 255, 255, 240, 8, 50, 0, 0, 6, 184, 11, 0x90}, int64(-5), int64(90))
	f.Add([]byte{9, 2, 0, 0xf1, 9, 6, 0, 0xf1, 9, 7, 0, 0xf1, 9, 3, 0, 0xf1, 9, 8, 0, 0xf1}, int64(7), int64(1111))
	f.Add([]byte{9, 0, 0, 0xf0, 9, 10, 0, 0x30, 0, 2, 0, 0x30, 9, 0, 0, 0xf0, 9, 10, 0, 0xf0, 4, 3, 0, 0xf0}, int64(0), int64(2000))
	f.Fuzz(func(t *testing.T, b []byte, from, to int64) {
		from, to = from%2000, to%2000
		packets := packetsOf(b)
		all := Interval{0, 2 * time.Second}
		job := jobFor(t, packets, all.To, 0, 1)
		job.Streams[0].Permitted = []Interval{{time.Duration(from) * ms, time.Duration(to) * ms}}
		for i := range job.Streams {
			job.Streams[i].Formats = []Format{
				{PayloadType: 96, Name: "L16", ClockRate: 16000, Channels: 2},
				{PayloadType: 97, Name: "OPUS", ClockRate: 48000},
				{PayloadType: 101, Name: "telephone-event", ClockRate: -8000},
			}
		}
		job.Tracks[1].Sources = append(job.Tracks[1].Sources, job.Tracks[0].Sources[0])
		res := run(t, job) // checks lengths
		for _, r := range res.Streams {
			if r.Received+r.Duplicate > uint64(len(packets)) || r.Late > r.Received {
				t.Errorf("%+v of %d packets", r, len(packets))
			}
			for _, g := range r.Gaps {
				if g.From < all.From || g.From >= g.To || g.To > all.To {
					t.Errorf("gap %+v", g)
				}
			}
			if !slices.IsSortedFunc(r.Gaps, func(a, b Gap) int { return int(a.From - b.From) }) {
				t.Errorf("gaps %v", r.Gaps)
			}
		}
		if !res.Tracks[0].Heard {
			return
		}
		raw, err := os.ReadFile(filepath.Join(job.Dir, res.Tracks[0].File))
		if err != nil {
			t.Fatal(err)
		}
		moves := res.Streams[0].Reports.Moves
		for _, m := range moves {
			if m.By >= 0 || m.By < -agreed || m.From > m.To {
				t.Errorf("moved %+v", m)
			}
		}
		for i := 0; wavHeader+2*i < len(raw); i++ {
			at := res.Timeline.From + span(int64(i), res.Tracks[0].Rate)
			if (raw[wavHeader+2*i] != 0 || raw[wavHeader+2*i+1] != 0) && !mayBeHeard(at, job.Streams[0].Permitted[0], moves, res.Tracks[0].Rate) {
				t.Fatalf("heard at %v, permitted from %d to %d ms, moves %v", at, from, to, moves)
			}
		}
	})
}

// mayBeHeard reports whether what is heard at an instant is permitted where its
// arrivals put it: there, or where a move took it from.
func mayBeHeard(at time.Duration, permitted Interval, moves []Move, rate int) bool {
	if at >= permitted.From-1 && at < permitted.To+maxOverhang {
		return true
	}
	sample := time.Second / time.Duration(rate) // places are rounded
	return slices.ContainsFunc(moves, func(m Move) bool {
		was := at - m.By
		return at >= m.From-tolerated && at < m.To+maxOverhang &&
			was >= permitted.From-sample && was < permitted.To+maxOverhang+sample
	})
}

func FuzzMixInput(f *testing.F) {
	header := appendWAVHeader(nil, 8000, 1, 4, maxRIFF)
	long := appendWAVHeader(nil, 8000, 1, 4, 0)
	f.Add(append(slices.Clone(header), 1, 2, 3, 4))
	f.Add(append(slices.Clone(long), 1, 2, 3, 4))
	f.Add(header[:20])
	f.Add(long[:30])
	f.Add(append(slices.Clone(header[:12]), "LIST\x03\x00\x00\x00abc\x00fmt "...))
	f.Fuzz(func(t *testing.T, b []byte) {
		dir := t.TempDir()
		in, out := filepath.Join(dir, "in"), filepath.Join(dir, "out")
		if err := os.WriteFile(in, b, 0o600); err != nil {
			t.Fatal(err)
		}
		err := Mix(context.Background(), out, nil, plain(in), nil)
		if _, e := os.Stat(out); (e == nil) != (err == nil) {
			t.Errorf("mix: %v, file: %v", err, e)
		}
	})
}
