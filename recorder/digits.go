package recorder

import (
	"cmp"
	"encoding/binary"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec/media"
)

const (
	// lastDigit is the highest code of an event that is a digit: 0-9, *, # and A-D
	// (RFC 4733 §3.2).
	lastDigit = 15
	// longestEvent is the longest duration that a packet can tell, in ticks of its clock
	// (RFC 4733 §2.3.5); what is pressed for longer goes on under a later RTP time.
	longestEvent = 0xffff
	// digitQuiet is for how long nothing of an event may have come after its end before
	// it counts as whole: the end is sent three times (RFC 4733 §2.5.1.4).
	digitQuiet = 200 * time.Millisecond
	// digitLate is how much longer than an event can last is waited for an end that
	// does not come.
	digitLate = time.Second
	// mostEvents is how many events one packet may tell of (RFC 4733 §2.5.1.5).
	mostEvents = 10
)

// A press is a telephone event while it goes on, or the last one. It waits in memory
// until it is whole, as one packet of it that is withheld withholds all of it.
type press struct {
	ssrc, timestamp uint32 // RTP time of its present segment
	event           uint8  // its code
	rate            int    // Hz
	from            time.Duration
	last            time.Duration // arrival of the latest packet
	ticks, before   uint32        // duration of the present segment, and of those before
	ended           bool
	over            bool // it was kept, or is forgotten
}

// A told event is one as a packet tells of it.
type toldEvent struct {
	ssrc, timestamp uint32
	event           uint8
	end             bool
	ticks           uint32
	rate            int
	from, arrival   time.Duration // when the key was pressed at the earliest, and of the packet
}

// keepDigits says whether digits may be kept in a recording from now on. Of one that is
// being pressed when they may no more nothing is kept.
func (t *Track) keepDigits(r rules.RecordingID, keep bool) {
	t.mu.Lock()
	defer t.mu.Unlock()
	w := t.way(r)
	if w == nil {
		return
	}
	w.digits = keep
	if !keep && w.press != nil {
		w.press.forget()
	}
}

// pressed judges a packet of telephone events for each recording. Only what was
// announced as such is a digit: what only looks like one is forgotten.
func (t *Track) pressed(p *media.Packet, f format) {
	if !f.digits {
		return
	}
	rate := f.rate
	if rate <= 0 {
		rate = t.rate
	}
	e := toldEvent{ssrc: p.Header.SSRC, timestamp: p.Header.Timestamp, rate: rate, arrival: p.Arrival.Sub(t.zero)}
	for b, n := p.Payload, 0; len(b) >= 4 && n < mostEvents; b, n = b[4:], n+1 {
		e.event, e.end, e.ticks = b[0], b[1]&0x80 != 0, uint32(binary.BigEndian.Uint16(b[2:]))
		// The RTP time is that of the key press (RFC 4733 §2.2.1), and the packet says
		// for how long it has lasted: the earlier of the two counts.
		sent := t.clock.again(e.ssrc, e.timestamp, rate, e.arrival).Media
		e.from = max(0, min(sent, e.arrival-ticksToDuration(int64(e.ticks), int64(rate))))
		for _, w := range t.ways {
			w.take(t.number, e)
		}
		e.timestamp += e.ticks
	}
}

// take judges an event as far as a packet tells of it.
func (w *way) take(stream int, e toldEvent) {
	p := w.press
	switch {
	case p == nil:
		p = newPress(e)
	case p.is(e):
	case p.continues(e):
		p.before, p.timestamp, p.ticks = p.before+p.ticks, e.timestamp, 0
	case p.ssrc == e.ssrc && int32(e.timestamp-p.timestamp) < 0:
		return // late, of one before
	default:
		w.keepPress(stream)
		p = newPress(e)
	}
	w.press = p
	p.from, p.last, p.ticks, p.ended = min(p.from, e.from), max(p.last, e.arrival), max(p.ticks, e.ticks), p.ended || e.end
	if !w.digits || !w.gate.keep(instant{Arrival: e.arrival, Media: p.from}) {
		p.forget()
	}
}

func newPress(e toldEvent) *press {
	return &press{ssrc: e.ssrc, timestamp: e.timestamp, event: e.event, rate: e.rate, from: e.from, last: e.arrival}
}

func (p *press) is(e toldEvent) bool { return p.ssrc == e.ssrc && p.timestamp == e.timestamp }

// continues reports whether an event that lasts longer than a packet can tell goes on
// with e (RFC 4733 §2.5.1.3).
func (p *press) continues(e toldEvent) bool {
	return p.ssrc == e.ssrc && !p.ended && p.ticks == longestEvent && e.timestamp == p.timestamp+longestEvent
}

// forget leaves nothing of it but by what further packets of it are known.
func (p *press) forget() { p.over, p.event = true, 0 }

// whole reports whether at an instant no more is to come of it.
func (p *press) whole(at time.Duration) bool {
	if p.ended {
		return at >= p.last+digitQuiet
	}
	return at >= p.last+ticksToDuration(longestEvent, int64(p.rate))+digitLate
}

// lasted is how long it was pressed.
func (p *press) lasted() time.Duration {
	return ticksToDuration(int64(p.before)+int64(p.ticks), int64(p.rate))
}

// keepPress keeps the event that was pressed last, if it may be kept and is a digit.
func (w *way) keepPress(stream int) {
	p := w.press
	if p == nil || p.over {
		return
	}
	if p.event <= lastDigit {
		d := capture.NewDigit(stream, p.last, p.ssrc, p.timestamp-p.before, capture.Digit{Event: p.event, Before: p.last - p.from, Duration: p.lasted()})
		d.Decision = w.allowed
		w.append(&d)
		clear(d.Payload)
	}
	p.forget()
}

// settlePress keeps the event that was pressed last once it is whole.
func (w *way) settlePress(stream int, now time.Duration) {
	if w.press != nil && !w.press.over && w.press.whole(now) {
		w.keepPress(stream)
	}
}

// withholdPress judges it when nothing that arrives from an instant on may be kept: what
// of it may come yet would be withheld. When the stream is over, which withholds nothing,
// no more is to come, whether its end was told or lost: what was told is all of it, unless
// there are packets that say that it went on.
func (w *way) withholdPress(stream int, from time.Duration, over bool) {
	p := w.press
	switch {
	case p == nil:
	case p.last < from && (p.whole(from) || over && p.ended):
		w.keepPress(stream)
	case over && p.last < from-lateLag:
		// It waits for such packets, until the track is closed.
	default:
		p.forget()
	}
}

// manifestDigits are the digits that were kept, with who pressed them.
func (rec *recording) manifestDigits(p plan, res render.Result) (out []store.Digit) {
	for _, s := range res.Streams {
		for _, d := range s.Digits {
			out = append(out, store.Digit{
				Digit: digitName(d.Event), FromMS: d.From.Milliseconds(), DurationMS: d.Duration.Milliseconds(),
				Stream: string(rec.in.streams.list[s.ID].id), Participants: p.sending(s.ID, d.From),
			})
		}
	}
	slices.SortStableFunc(out, func(a, b store.Digit) int { return cmp.Compare(a.FromMS, b.FromMS) })
	return out
}

// digitName is the name of a digit by the code of its event (RFC 4733 §3.2).
func digitName(event uint8) string { return "0123456789*#ABCD"[event : event+1] }

// sending are the ids of the participants who sent a stream at an instant.
func (p *plan) sending(stream int, at time.Duration) []string {
	ids := []string{}
	for _, v := range p.voices {
		if v.stream != stream || !v.span.has(at) {
			continue
		}
		for _, key := range v.senders {
			ids = append(ids, p.byKey[key].ID)
		}
	}
	return ids
}
