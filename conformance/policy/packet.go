package policy

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// A span is a time; to is zero while it lasts.
type span struct{ from, to time.Time }

// A packet is one that was sent, with what is known of its two instants at the
// server: when it arrived, and when by its RTP time it was sent.
type packet struct {
	number               int
	arrivalFrom, arrival time.Time
	mediaFrom, media     time.Time
}

// String tells the instants for a person.
func (p packet) String() string {
	const clock = "15:04:05.0000"
	return fmt.Sprintf("written %s-%s, media time %s-%s", p.arrivalFrom.Format(clock), p.arrival.Format(clock), p.mediaFrom.Format(clock), p.media.Format(clock))
}

// String tells the span for a person.
func (s span) String() string {
	const clock = "15:04:05.0000"
	return s.from.UTC().Format(clock) + "-" + s.to.UTC().Format(clock)
}

// packets tells the instants of what was sent. The media time of a packet is its RTP
// time and the smallest transit so far, which is known to within the time that a write
// took.
func packets(sent []src.Sent) []packet {
	var out []packet
	sent = slices.DeleteFunc(slices.Clone(sent), func(s src.Sent) bool { return s.At.IsZero() }) // lost on the way
	if len(sent) == 0 {
		return nil
	}
	rtp := func(s src.Sent) time.Duration {
		return time.Duration(int32(s.Timestamp-sent[0].Timestamp)) * time.Second / 8000
	}
	zero := sent[0].Began
	least := time.Duration(math.MaxInt64)
	for _, s := range sent {
		least = min(least, s.Began.Sub(zero)-rtp(s))
	}
	so := time.Duration(math.MaxInt64)
	for _, s := range sent {
		so = min(so, s.At.Sub(zero)-rtp(s))
		p := packet{number: s.Index, arrivalFrom: s.Began, arrival: s.At, mediaFrom: zero.Add(rtp(s) + least), media: zero.Add(rtp(s) + so)}
		if p.media.After(p.arrival) {
			p.media = p.arrival
		}
		out = append(out, p)
	}
	return out
}

// within reports whether both instants of a packet lie in a time for sure, outside
// whether one of them lies in none of the times for sure.
func (p packet) within(spans []span) bool {
	return slices.ContainsFunc(spans, func(s span) bool {
		return !p.mediaFrom.Add(-unsure).Before(s.from) && (s.to.IsZero() || p.arrival.Add(unsure).Before(s.to))
	})
}

// outside lets what was sent before the end of a recording be up to 500 ms late: it is
// its tail.
func (p packet) outside(spans []span, ends func(at time.Time) bool) bool {
	in := func(from, to time.Time, late time.Duration) bool {
		return slices.ContainsFunc(spans, func(s span) bool {
			over := s.to
			if ends(over) {
				over = over.Add(late)
			}
			return to.Add(unsure).After(s.from) && (s.to.IsZero() || from.Add(-unsure).Before(over))
		})
	}
	return !in(p.arrivalFrom, p.arrival, tail) || !in(p.mediaFrom, p.media, 0)
}
