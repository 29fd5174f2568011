package media

import "time"

const (
	maxDropout  = 3000 // packets that may be missing in a row, RFC 3550 A.1
	maxMisorder = 100  // packets that one may come late, RFC 3550 A.1
)

// reception counts what came of one SSRC, for reception reports. It is RFC 3550
// A.1, A.3 and A.8 but for probation: which source counts was decided before.
type reception struct {
	ssrc    uint32
	started bool
	base    uint16 // first sequence number
	highest uint16
	cycles  uint32 // of the sequence numbers, times 65536
	bad     int    // the sequence number after a jump; -1 for none
	got     uint64 // packets, late and duplicate ones included

	gotBefore, expectedBefore uint64 // at the report before

	clock  uint32    // Hz of jitter; 0 before the first packet
	last   time.Time // arrival of the last packet
	stamp  uint32    // its RTP time
	jitter uint64    // times 16
}

// note counts a packet. clock is 0 when its RTP time tells no jitter.
func (r *reception) note(ssrc uint32, seq uint16, stamp, clock uint32, at time.Time) {
	if !r.started || ssrc != r.ssrc {
		*r = reception{ssrc: ssrc}
		r.begin(seq)
	} else if !r.order(seq) {
		return
	}
	r.got++
	if clock != 0 {
		r.timed(stamp, clock, at)
	}
}

// begin starts counting at a sequence number.
func (r *reception) begin(seq uint16) {
	r.started, r.base, r.highest, r.cycles, r.bad = true, seq, seq, 0, -1
	r.got, r.gotBefore, r.expectedBefore = 0, 0, 0
}

// order takes a sequence number. Two in a row behind a jump say that the sender
// began anew; one alone does not count.
func (r *reception) order(seq uint16) bool {
	ahead := seq - r.highest
	switch {
	case ahead < maxDropout:
		if seq < r.highest {
			r.cycles += 1 << 16
		}
		r.highest, r.bad = seq, -1
	case int(ahead) <= 1<<16-maxMisorder:
		if int(seq) != r.bad {
			r.bad = int(seq + 1)
			return false
		}
		r.begin(seq)
	}
	return true
}

// timed brings the jitter up to date (RFC 3550 A.8). Differences of RTP time are
// taken modulo 2^32, so that a wrap does not show.
func (r *reception) timed(stamp, clock uint32, at time.Time) {
	if clock != r.clock {
		r.clock, r.last, r.stamp = clock, at, stamp
		return
	}
	d := int64(at.Sub(r.last).Seconds()*float64(clock)) - int64(int32(stamp-r.stamp))
	r.last, r.stamp = at, stamp
	if d < 0 {
		d = -d
	}
	r.jitter += uint64(d) - (r.jitter+8)>>4
}

// report makes the block of what came since the report before; nil when nothing
// did (RFC 3550 §6.4). sr is the last sender report.
func (r *reception) report(sr SenderReport, now time.Time) *block {
	if !r.started || r.got == r.gotBefore {
		return nil
	}
	highest := r.cycles + uint32(r.highest)
	expected := uint64(highest) - uint64(r.base) + 1
	b := &block{ssrc: r.ssrc, highest: highest, jitter: uint32(r.jitter >> 4)}
	b.lost = int32(min(max(int64(expected)-int64(r.got), -1<<23), 1<<23-1))
	asked, came := expected-r.expectedBefore, r.got-r.gotBefore
	r.expectedBefore, r.gotBefore = expected, r.got
	if asked > came {
		b.fraction = uint8(min((asked-came)<<8/asked, 255))
	}
	if sr.SSRC == r.ssrc && !sr.At.IsZero() {
		b.lastSR = uint32(sr.NTP >> 16)
		b.delay = uint32(max(now.Sub(sr.At), 0).Seconds() * 65536)
	}
	return b
}
