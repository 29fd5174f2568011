package render

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// maxHoles bounds the lost and undecodable parts of a stream that are kept.
const maxHoles = 100_000

// An epoch is what the survey learned of it. Ticks count from its first packet.
type epoch struct {
	ssrc      uint32
	timestamp uint32 // of its first packet
	clock     int    // Hz
	before    int    // as in instant
	offset    int64  // as in instant
	// delay is D: the smallest arrival less RTP time.
	delay time.Duration
	// began is the arrival less RTP time of its first packet.
	began time.Duration
	// first and end are the extent of its packets in ticks.
	first, end int64
	// opened and closed are its earliest and latest arrival.
	opened, closed time.Duration
	uses           []use

	jitter jitter
	trend  trend
	// drift is by how many seconds a second of its clock is too short, if that is
	// corrected.
	drift float64
	// told are the sender reports about it and those joined to it, moved by how much
	// it is laid from where its arrivals put it, to be in step with another stream.
	told  []told
	moved time.Duration

	// The packet before, in sequence.
	at     int64
	length int64   // ticks; a guess when kind is unknown
	coding *coding // nil before the first

	// passed is where the last packet without a time of its own belongs, by its arrival.
	passed int64
}

// A jitter is the interarrival jitter of RFC 3550 §6.4.1 over one epoch.
type jitter struct {
	known bool
	last  time.Duration // arrival less RTP time of the packet before
	now   time.Duration
	peak  time.Duration
	sum   time.Duration
	steps int64
}

// take takes the transit of a packet: its arrival less its RTP time.
func (j *jitter) take(transit time.Duration) {
	if j.known {
		d := transit - j.last
		j.now += (max(d, -d) - j.now) / 16
		j.peak = max(j.peak, j.now)
		j.sum += j.now
		j.steps++
	}
	j.known, j.last = true, transit
}

// tail is where the packet before ends.
func (e *epoch) tail() int64 {
	if e.coding.kind == quiet {
		return e.at
	}
	return e.at + e.length
}

// heard is until where something came, be it without a time of its own.
func (e *epoch) heard() int64 { return max(e.tail(), e.passed) }

// A use is the extent of the packets of one format in an epoch.
type use struct {
	coding     *coding
	first, end int64
}

// A hole is a part of an epoch, in its ticks, that cannot be heard.
type hole struct {
	epoch    int
	from, to int64
	cause    string
	missing  int64 // packets
	length   int64 // of one packet, in ticks
	// joined: valid only if the epoch turns out to continue the one before.
	joined bool
}

// A survey learns a stream in the first reading.
type survey struct {
	stream  Stream
	codings *codings
	tapes   *tapes // nil unless ffmpeg decodes some of it
	lineup  lineup
	timing  timing

	reports reports
	digits  []pressed

	epochs      []epoch
	holes       []hole
	more        uint64 // holes that were not kept
	beyond      uint64 // packets of epochs that are too many
	lost        uint64 // missing numbers that belong to no hole
	codecs      []string
	undecoded   []string
	sounds      bool // in a file
	corrections []Correction
	any         bool
	reader      *capture.Reader // of the first reading
	first, last time.Duration
}

func newSurvey(s Stream, m maker) *survey {
	v := &survey{stream: s, codings: newCodings(s.Formats, m)}
	v.lineup.give = v.take
	return v
}

// read takes a packet of the stream as it stands in the capture.
func (v *survey) read(a *arrival) {
	if a.coding = v.codings.of(&a.Packet); a.coding == nil {
		v.reports.take(&a.Packet)
		v.takeDigit(&a.Packet)
		return
	}
	c, came := a.coding, a.Arrival
	before := v.lineup.received
	v.lineup.take(a)
	if v.lineup.received == before {
		return
	}
	if !v.any {
		v.any, v.first, v.last = true, came, came
	}
	v.first, v.last = min(v.first, came), max(v.last, came)
	v.codecs = addName(v.codecs, c.Name)
	if c.kind == unknown {
		v.undecoded = addName(v.undecoded, c.Name)
	}
}

func addName(names []string, name string) []string {
	if slices.Contains(names, name) {
		return names
	}
	return append(names, name)
}

// end is called when the capture is read.
func (v *survey) end() {
	v.lineup.flush()
	v.lineup.close()
	for i := range v.epochs {
		v.undecodable(i)
	}
	v.join()
	v.hear()
	v.drifts()
}

// take takes a packet in sequence.
func (v *survey) take(a *arrival) {
	if a.coding.kind == events {
		v.pass(a)
		return
	}
	in := v.timing.place(a)
	switch {
	case in.epoch < 0:
		v.lost += uint64(a.missing)
		v.beyond++
		return
	case in.begins:
		v.begin(a, in)
	default:
		v.next(a, in)
	}
	e := &v.epochs[in.epoch]
	e.at, e.coding = in.at, a.coding
	switch a.coding.kind {
	case audio:
		e.length = a.coding.length(a.Payload)
	case quiet:
		// The length of the packets before it stays the guess for lost ones.
	case unknown:
		v.undecodableSoFar(e)
	}
	e.extend(a)
}

// pass takes a packet that has no time of its own. What is missing before it was sent
// between the packet before and its arrival.
func (v *survey) pass(a *arrival) {
	epoch, at, ok := v.timing.guess(a)
	if !ok {
		v.lost += uint64(a.missing)
		return
	}
	e := &v.epochs[epoch]
	if a.missing > 0 {
		v.dig(hole{
			epoch: epoch, from: max(e.heard(), at-a.missing*e.length), to: at, cause: CauseLost,
			missing: a.missing, length: e.length,
		})
	}
	e.passed = max(e.passed, at)
}

// undecodableSoFar keeps the guess in bounds when the encoding hides its length.
func (v *survey) undecodableSoFar(e *epoch) {
	if e.length == 0 {
		e.length = int64(e.clock) / 50 // RFC 3551 §4.2: 20 ms is the default
	}
}

// extend takes the packet at e.at into the extents and into D.
func (e *epoch) extend(a *arrival) {
	end := e.tail()
	e.first, e.end = min(e.first, e.at), max(e.end, end)
	transit := a.Arrival - span(e.at, e.clock)
	e.delay = min(e.delay, transit)
	e.jitter.take(transit)
	e.trend.take(span(e.at, e.clock), transit)
	e.opened, e.closed = min(e.opened, a.Arrival), max(e.closed, a.Arrival)
	if i := slices.IndexFunc(e.uses, func(u use) bool { return u.coding == a.coding }); i >= 0 {
		u := &e.uses[i]
		u.first, u.end = min(u.first, e.at), max(u.end, end)
		return
	}
	e.uses = append(e.uses, use{a.coding, e.at, end})
}

// begin opens an epoch.
func (v *survey) begin(a *arrival, in instant) {
	rate := a.coding.ClockRate
	v.epochs = append(v.epochs, epoch{
		ssrc: a.SSRC, timestamp: a.Timestamp, clock: rate, before: in.before, offset: in.offset,
		delay: a.Arrival, began: a.Arrival, opened: a.Arrival, closed: a.Arrival,
		length: int64(rate) / 50,
	})
	if a.missing == 0 {
		return
	}
	if in.before < 0 {
		v.lost += uint64(a.missing)
		return
	}
	b := &v.epochs[in.before]
	v.dig(hole{
		epoch: in.epoch, from: b.heard() - in.offset, to: 0, cause: CauseLost,
		missing: a.missing, length: b.length, joined: true,
	})
}

// next goes on in an epoch.
func (v *survey) next(a *arrival, in instant) {
	e := &v.epochs[in.epoch]
	if e.coding.kind == unknown {
		step := in.at - e.at
		if a.missing == 0 && step > 0 && step <= int64(e.clock)/5 {
			e.length = step
		}
		v.undecodable(in.epoch)
	}
	if a.missing == 0 {
		return // time without numbers: silence suppression
	}
	h := hole{
		epoch: in.epoch, from: e.heard(), to: in.at, cause: CauseLost,
		missing: a.missing, length: e.length,
	}
	if e.coding.kind == quiet || e.passed > e.tail() {
		// Most of the time after comfort noise is silence, and that of events is theirs.
		h.from = max(h.from, h.to-h.missing*h.length)
	}
	v.dig(h)
}

// undecodable makes a hole of the packet before when it cannot be decoded.
func (v *survey) undecodable(i int) {
	e := &v.epochs[i]
	if e.coding.kind != unknown {
		return
	}
	e.end = max(e.end, e.tail())
	if n := len(v.holes); n > 0 {
		last := &v.holes[n-1]
		if last.epoch == i && last.cause == CauseUndecodable && last.to == e.at {
			last.to = e.tail()
			return
		}
	}
	v.dig(hole{epoch: i, from: e.at, to: e.tail(), cause: CauseUndecodable})
}

// dig keeps a hole.
func (v *survey) dig(h hole) {
	if h.from >= h.to { // numbers without time, as of packets that say nothing about it
		v.lost += uint64(h.missing)
		return
	}
	if len(v.holes) == maxHoles {
		v.more++
		v.lost += uint64(h.missing)
		return
	}
	v.holes = append(v.holes, h)
}
