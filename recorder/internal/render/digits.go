package render

import (
	"cmp"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

const (
	// maxDigits bounds how many digits of one stream are told.
	maxDigits = 10_000
	// lastDigit is the highest code of a digit (RFC 4733 §3.2).
	lastDigit = 15
)

// A pressed digit is one with what it is known by.
type pressed struct {
	ssrc, timestamp uint32
	Digit
}

// takeDigit takes a digit of the capture that is permitted.
func (v *survey) takeDigit(p *capture.Packet) {
	d, ok := p.Digit()
	if !ok || d.Event > lastDigit || d.Before < 0 || d.Duration < 0 || len(v.digits) == maxDigits {
		return
	}
	from := max(p.Arrival-d.Before, 0)
	if !v.stream.covers(from, p.Arrival) {
		return
	}
	same := func(k pressed) bool { return k.ssrc == p.SSRC && k.timestamp == p.Timestamp }
	if i := slices.IndexFunc(v.digits, same); i >= 0 { // told of twice
		v.digits[i].From, v.digits[i].Duration = min(v.digits[i].From, from), max(v.digits[i].Duration, d.Duration)
		return
	}
	v.digits = append(v.digits, pressed{p.SSRC, p.Timestamp, Digit{d.Event, from, d.Duration}})
}

// covers reports whether one interval in which the stream may be heard has both instants,
// or the first of them and ended, just before the last, with the stream.
func (s *Stream) covers(from, arrival time.Duration) bool {
	return slices.ContainsFunc(s.Permitted, func(p Interval) bool {
		return p.From <= from && from < p.To && (arrival < p.To || arrival-p.To <= lateEnd && slices.Contains(s.Ends, p.To))
	})
}

// pressedDigits are the digits of the stream in order.
func (v *survey) pressedDigits() (out []Digit) {
	for _, d := range v.digits {
		out = append(out, d.Digit)
	}
	slices.SortStableFunc(out, func(a, b Digit) int { return cmp.Compare(a.From, b.From) })
	return out
}
