package recorder

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// Errors of [Track.Allow] and [Track.Stop].
var (
	ErrForeignPermit = errors.New("permit is not for this stream of this recording")
	ErrTrackClosed   = errors.New("track is closed")
)

// A keeper takes what is kept, and gives it up again.
type keeper interface {
	// Append copies and does not block.
	Append(*capture.Packet)
	// Cut takes back what a stream brought from an instant on; see
	// [capture.Writer.Cut].
	Cut(stream int, from time.Duration) (absent time.Duration, err error)
}

// A Track is the gate in front of one stream of a recording session. It forgets
// every packet that no [rules.Permit] covers before any buffer sees it, and hands the
// others to the capture of each recording whose permit covers it: the policy
// recording, and what users record for themselves. It is a [media.ReportSink].
//
// A permit is an interval: it begins with Allow and ends with Stop, and closed
// ones stay known, so that a packet that is read late is judged by its own
// instants. Its methods may be called from any goroutine.
type Track struct {
	stream rules.StreamID
	number int
	shift  time.Duration // by which recordings count later
	zero   time.Time

	mu      sync.Mutex
	ways    []*way // the first is of the policy recording
	clock   mediaClock
	meaning [128]uint8 // of a payload type: its place in formats, from 1; 0 for none
	formats []format
	rate    int // Hz, for payload types that were never announced
	counts  trackCounts
	source  netip.AddrPort // of the last packet
	closed  bool
	scratch capture.Packet // reused: Append copies
	// reported is the arrival of the last sender report that was judged; 0 before.
	reported time.Duration
}

// A way is that of one stream into one recording.
type way struct {
	recording rules.RecordingID
	stream    rules.StreamID // what the stream is called there
	number    int            // and its number
	shift     time.Duration  // by which the recording counts later than the track
	out       keeper
	gate      gate
	allowed   uint64 // ordinal of the latest decision to record
	doubted   doubted
	withheld  uint64 // packets
	digits    bool   // they may be kept
	press     *press // the latest; nil before the first
}

// A format is what a payload type of the stream means.
type format struct {
	known  bool
	event  bool // digits or tones, no audio
	digits bool // telephone-event
	once   bool // was telephone-event before an offer gave it another meaning
	red    bool // redundant audio, within which events may travel
	rate   int  // Hz
}

// trackCounts is what became of the packets of a track.
type trackCounts struct {
	Received uint64 // given to the track
	Withheld uint64 // forgotten for want of a permit
	Events   uint64 // telephone-event packets: no audio, whatever becomes of the digits
}

// newTrack makes the gate of one stream. number is its number in the capture,
// zero the instant from which the capture counts.
func newTrack(r rules.RecordingID, s rules.StreamID, number int, zero time.Time, out keeper) *Track {
	return &Track{stream: s, number: number, zero: zero, ways: []*way{{recording: r, stream: s, number: number, out: out}}, rate: 8000}
}

// join gives the stream a way into one more recording, closed until a permit for
// that opens it. One that it has already stays.
func (t *Track) join(r rules.RecordingID, out keeper) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.way(r) == nil {
		// What came before was withheld from it.
		t.ways = append(t.ways, &way{recording: r, stream: t.stream, number: t.number, shift: t.shift, out: out, withheld: t.counts.Received - t.counts.Events})
	}
}

// enter gives the stream a way into a recording of another interaction, which counts
// time from an instant that is earlier by shift, and in which it has another name. What
// is recorded for users from now on goes there by that name, too.
func (t *Track) enter(r rules.RecordingID, s rules.StreamID, number int, shift time.Duration, out keeper) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.ways = append(t.ways, &way{
		recording: r, stream: s, number: number, shift: t.shift + shift, out: out, withheld: t.counts.Received - t.counts.Events,
	})
	t.stream, t.number, t.shift = s, number, t.shift+shift
}

// append gives a packet to the recording, in its words.
func (w *way) append(p *capture.Packet) {
	arrival, stream := p.Arrival, p.Stream
	p.Arrival, p.Stream = arrival+w.shift, w.number
	w.out.Append(p)
	p.Arrival, p.Stream = arrival, stream
}

// way finds that into a recording; nil for none.
func (t *Track) way(r rules.RecordingID) *way {
	for _, l := range t.ways {
		if l.recording == r {
			return l
		}
	}
	return nil
}

// Allow lets packets through from the permit's first instant on. It refuses the
// zero permit and one for another stream or recording. decision is the ordinal of
// the decision within the recording: what it permits waits in memory until the
// line of the journal is durable that says so.
func (t *Track) Allow(p rules.Permit, decision uint64) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	l := t.way(p.Recording())
	if l == nil || !p.Covers(l.recording, l.stream, p.From()) {
		return fmt.Errorf("allow stream %s of %s: %w", t.stream, p.Recording(), ErrForeignPermit)
	}
	if t.closed {
		return fmt.Errorf("allow stream %s of %s: %w", t.stream, l.recording, ErrTrackClosed)
	}
	l.gate.allow(p.From().Sub(t.zero))
	l.allowed = max(l.allowed, decision)
	return nil
}

// Stop ends the permit of a recording at an instant, which may be past. When it returns, nothing
// that arrives at or after it will pass, and what passed is gone: removed from
// memory, and overwritten on disk if it had got there. It does not wait for the
// disk otherwise. absent is the instant from which no audio of the stream is left;
// it is later than at only when there is an error. When the recording is finished
// the error wraps [ErrTrackClosed] and nothing is changed. A stream that never had a
// permit of the recording has nothing to stop.
func (t *Track) Stop(r rules.RecordingID, at time.Time) (absent time.Time, err error) {
	from := at.Sub(t.zero) + gateLate
	return t.withhold(r, at, from, false, func(g *gate) { g.stop(from) })
}

// End is Stop for a stream that is over: what was sent before that instant and
// is still under way is kept, for half a second.
func (t *Track) End(r rules.RecordingID, at time.Time) (absent time.Time, err error) {
	from := at.Sub(t.zero)
	return t.withhold(r, at, from+lateLag, true, func(g *gate) { g.end(from) })
}

// withhold moves the gate of a recording, and takes back what passed since an
// instant. over says that the stream is.
func (t *Track) withhold(r rules.RecordingID, at time.Time, from time.Duration, over bool, move func(*gate)) (absent time.Time, err error) {
	t.mu.Lock()
	l := t.way(r)
	switch {
	case l == nil:
		t.mu.Unlock()
		return at, nil
	case t.closed:
		t.mu.Unlock()
		return time.Time{}, fmt.Errorf("withhold stream %s of %s: %w", t.stream, r, ErrTrackClosed)
	}
	move(&l.gate)
	l.withheld += uint64(l.doubted.wipe())
	l.withholdPress(t.number, from, over)
	t.mu.Unlock()
	// Not under the lock: the disk may be slow, and packets go on coming.
	cut, err := l.out.Cut(l.number, from+l.shift)
	if err != nil {
		return t.zero.Add(cut - l.shift), fmt.Errorf("withhold stream %s of %s: %w", t.stream, r, err)
	}
	return at, nil
}

// WriteRTP judges one packet and keeps it or forgets it.
func (t *Track) WriteRTP(p *media.Packet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return
	}
	t.counts.Received++
	t.source = p.Source
	h := p.Header
	f := t.format(h.PayloadType)
	if t.isDigits(h.PayloadType&0x7f, p.Payload) {
		// Its timestamp is that of the key press, not of the packet
		// (RFC 4733 §2.2.1): there is nothing to learn from it.
		t.counts.Events++
		t.pressed(p, f)
		t.pass(p)
		return
	}
	rate := f.rate
	if rate == 0 {
		rate = t.rate
	}
	// The clock learns from headers while audio is withheld, too.
	arrival := p.Arrival.Sub(t.zero)
	sent := t.clock.observe(h.SSRC, h.SequenceNumber, h.Timestamp, rate, arrival)
	t.scratch = capture.Packet{
		Stream: t.number, Arrival: arrival,
		SSRC: h.SSRC, Timestamp: h.Timestamp, Sequence: h.SequenceNumber,
		PayloadType: h.PayloadType, Marker: h.Marker, Payload: p.Payload,
	}
	for _, l := range t.ways {
		l.resolve(&t.clock, h.SSRC, rate, sent)
		l.settlePress(t.number, arrival)
		if l.gate.keep(sent) {
			t.scratch.Decision = l.allowed
			l.append(&t.scratch)
		} else {
			l.doubt(&t.scratch, rate, sent)
		}
	}
	t.scratch.Payload = nil
}

// pass keeps of a packet that came, and is not stored whatever a permit covers, that it
// came: its number, for its stream not to miss it (RFC 4733 §2.1: events share the
// sequence numbers of their stream).
func (t *Track) pass(p *media.Packet) {
	arrival := p.Arrival.Sub(t.zero)
	passed := capture.NewPassed(t.number, arrival, p.Header.SSRC, p.Header.SequenceNumber)
	for _, w := range t.ways {
		if w.gate.keep(instant{Arrival: arrival, Media: arrival}) {
			passed.Decision = w.allowed
			w.append(&passed)
		}
	}
}

// WriteSenderReport keeps a sender report in the captures whose permit covers its
// arrival. It holds no audio: what it tells is how the clock of the sender runs.
func (t *Track) WriteSenderReport(r *media.SenderReport, cname string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	arrival := r.At.Sub(t.zero)
	if t.closed || t.reported > 0 && arrival < t.reported+reportRest {
		return
	}
	t.reported = arrival
	t.scratch = capture.NewReport(t.number, arrival, r.SSRC, r.RTP, capture.Report{NTP: r.NTP, CNAME: cname})
	for _, l := range t.ways {
		if l.gate.keep(instant{Arrival: arrival, Media: arrival}) {
			t.scratch.Decision = l.allowed
			l.append(&t.scratch)
		}
	}
	t.scratch.Payload = nil
}

// reportRest is the least time between two sender reports that are kept. Senders
// let some seconds pass (RFC 3550 §6.2).
const reportRest = 500 * time.Millisecond

// announce tells the track what the payload types of an offer mean. Earlier ones
// that the offer does not name keep their meaning: packets of them may still be
// under way.
func (t *Track) announce(codecs []siprec.Codec) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := true
	for _, c := range codecs {
		old := t.format(uint8(c.PayloadType))
		f := format{
			known: true, event: isEvent(c.Name), digits: strings.EqualFold(c.Name, telephoneEvent), once: old.event || old.once,
			red: strings.EqualFold(c.Name, "red"), rate: c.ClockRate,
		}
		t.define(uint8(c.PayloadType), f)
		if first && !f.event && f.rate > 0 {
			t.rate, first = f.rate, false
		}
	}
}

// format is what a payload type means; the zero format when that was never said.
func (t *Track) format(payloadType uint8) format {
	if i := t.meaning[payloadType&0x7f]; i > 0 {
		return t.formats[i-1]
	}
	return format{}
}

// define says what a payload type means from now on.
func (t *Track) define(payloadType uint8, f format) {
	i := &t.meaning[payloadType&0x7f]
	if *i == 0 {
		t.formats = append(t.formats, f)
		*i = uint8(len(t.formats))
	}
	t.formats[*i-1] = f
}

// close makes the track forget everything that still comes.
func (t *Track) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	for _, l := range t.ways {
		l.withheld += uint64(l.doubted.wipe())
		l.keepPress(t.number)
	}
}

// ends returns where permitted intervals of a recording ended because the stream
// was over.
func (t *Track) ends(r rules.RecordingID) []time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.way(r); l != nil {
		return append([]time.Duration(nil), l.gate.ends...)
	}
	return nil
}

// spans returns the permitted intervals of a recording.
func (t *Track) spans(r rules.RecordingID) []span {
	t.mu.Lock()
	defer t.mu.Unlock()
	if l := t.way(r); l != nil {
		return append([]span(nil), l.gate.spans...)
	}
	return nil
}

// from is where its last packet came from; invalid when none came.
func (t *Track) from() netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.source
}

// count tells what became of its packets, as to one recording.
func (t *Track) count(r rules.RecordingID) trackCounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := t.counts
	if l := t.way(r); l != nil {
		out.Withheld = l.withheld
	}
	return out
}

// isEvent reports whether an encoding carries digits or tones (RFC 4733 §2.1,
// §3.1).
func isEvent(name string) bool {
	return strings.EqualFold(name, telephoneEvent) || strings.EqualFold(name, "tone")
}

const telephoneEvent = "telephone-event"

// isDigits reports whether a packet carries digits or tones, which are no audio and never
// stored as they came: because its payload type says so, because it looks so and was never
// announced as anything, or within redundant audio (RFC 2198), as RFC 4733
// §2.6 allows.
func (t *Track) isDigits(payloadType uint8, payload []byte) bool {
	f := t.format(payloadType)
	switch {
	case f.event:
		return true
	case f.red:
		return t.redDigits(payload)
	case !f.known && payloadType >= firstUnassigned:
		return looksLikeEvent(payload) || t.redDigits(payload)
	}
	return f.once && looksLikeEvent(payload) // sent before the offer that changed it
}

// redDigits reports whether a block of a redundant packet carries digits. Each
// block has a header of four octets, F=1 | type 7 bits | offset 14 | length 10,
// and the last one of a single octet, F=0 | type (RFC 2198 §3). What is not of
// this form has no blocks.
func (t *Track) redDigits(payload []byte) bool {
	type block struct {
		payloadType uint8
		length      int
	}
	var blocks [8]block
	n, data := 0, payload
	for {
		if len(data) == 0 || n == len(blocks) {
			return false
		}
		b := block{payloadType: data[0] & 0x7f, length: -1}
		if data[0]&0x80 == 0 {
			blocks[n], data = b, data[1:]
			n++
			break
		}
		if len(data) < 4 {
			return false
		}
		b.length = int(data[2]&3)<<8 | int(data[3])
		blocks[n], data = b, data[4:]
		n++
	}
	digits := false
	for _, b := range blocks[:n] {
		length := b.length
		if length < 0 {
			length = len(data)
		}
		if length > len(data) {
			return false
		}
		f := t.format(b.payloadType)
		digits = digits || f.event || !f.known && b.payloadType >= firstUnassigned && looksLikeEvent(data[:length])
		data = data[length:]
	}
	return digits
}

// firstUnassigned is the first payload type that names no audio encoding by
// itself (RFC 3551 §6).
const firstUnassigned = 19

// looksLikeEvent reports whether a payload has the form of a telephone event, of
// four octets, or of up to ten of them, each event | E R volume | duration with
// R = 0 (RFC 4733 §2.3, §2.5.1.5). A digit that comes without leave is still a
// digit.
func looksLikeEvent(payload []byte) bool {
	if len(payload) == 0 || len(payload)%4 != 0 || len(payload) > 40 {
		return false
	}
	several := len(payload) > 4
	for ; len(payload) > 0; payload = payload[4:] {
		if several && payload[1]&0x40 != 0 {
			return false
		}
	}
	return true
}
