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

// A Track is the gate in front of one stream of one recording. It forgets every
// packet that no [rules.Permit] covers before any buffer sees it, and hands the
// others to the capture. It is a [media.Sink].
//
// A permit is an interval: it begins with Allow and ends with Stop, and closed
// ones stay known, so that a packet that is read late is judged by its own
// instants. Its methods may be called from any goroutine.
type Track struct {
	recording rules.RecordingID
	stream    rules.StreamID
	number    int
	zero      time.Time
	out       keeper

	mu      sync.Mutex
	gate    gate
	allowed uint64 // ordinal of the latest decision to record
	clock   mediaClock
	doubted doubted
	formats [128]format
	rate    int // Hz, for payload types that were never announced
	counts  trackCounts
	source  netip.AddrPort // of the last packet
	closed  bool
	scratch capture.Packet // reused: Append copies
}

// A format is what a payload type of the stream means.
type format struct {
	known bool
	event bool // telephone-event: digits, never stored
	once  bool // was telephone-event before an offer gave it another meaning
	red   bool // redundant audio, within which events may travel
	rate  int  // Hz
}

// trackCounts is what became of the packets of a track.
type trackCounts struct {
	Received uint64 // given to the track
	Withheld uint64 // forgotten for want of a permit
	Events   uint64 // telephone-event packets, forgotten always
}

// newTrack makes the gate of one stream. number is its number in the capture,
// zero the instant from which the capture counts.
func newTrack(r rules.RecordingID, s rules.StreamID, number int, zero time.Time, out keeper) *Track {
	return &Track{recording: r, stream: s, number: number, zero: zero, out: out, rate: 8000}
}

// Allow lets packets through from the permit's first instant on. It refuses the
// zero permit and one for another stream or recording. decision is the ordinal of
// the decision within the recording: what it permits waits in memory until the
// line of the journal is durable that says so.
func (t *Track) Allow(p rules.Permit, decision uint64) error {
	if !p.Covers(t.recording, t.stream, p.From()) {
		return fmt.Errorf("allow stream %s of %s: %w", t.stream, t.recording, ErrForeignPermit)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed {
		return fmt.Errorf("allow stream %s of %s: %w", t.stream, t.recording, ErrTrackClosed)
	}
	t.gate.allow(p.From().Sub(t.zero))
	t.allowed = max(t.allowed, decision)
	return nil
}

// Stop ends the permit at an instant, which may be past. When it returns, nothing
// that arrives at or after it will pass, and what passed is gone: removed from
// memory, and overwritten on disk if it had got there. It does not wait for the
// disk otherwise. absent is the instant from which no audio of the stream is left;
// it is later than at only when there is an error. When the recording is finished
// the error wraps [ErrTrackClosed] and nothing is changed.
func (t *Track) Stop(at time.Time) (absent time.Time, err error) {
	from := at.Sub(t.zero)
	return t.withhold(at, from, func() { t.gate.stop(from) })
}

// End is Stop for a stream that is over: what was sent before that instant and
// is still under way is kept, for half a second.
func (t *Track) End(at time.Time) (absent time.Time, err error) {
	from := at.Sub(t.zero)
	return t.withhold(at, from+lateLag, func() { t.gate.end(from) })
}

// withhold moves the gate, and takes back what passed since an instant.
func (t *Track) withhold(at time.Time, from time.Duration, move func()) (absent time.Time, err error) {
	t.mu.Lock()
	if t.closed {
		t.mu.Unlock()
		return time.Time{}, fmt.Errorf("withhold stream %s of %s: %w", t.stream, t.recording, ErrTrackClosed)
	}
	move()
	t.counts.Withheld += uint64(t.doubted.wipe())
	t.mu.Unlock()
	// Not under the lock: the disk may be slow, and packets go on coming.
	cut, err := t.out.Cut(t.number, from)
	if err != nil {
		return t.zero.Add(cut), fmt.Errorf("withhold stream %s of %s: %w", t.stream, t.recording, err)
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
	f := t.formats[h.PayloadType&0x7f]
	if t.isDigits(h.PayloadType&0x7f, p.Payload) {
		// Its timestamp is that of the key press, not of the packet
		// (RFC 4733 §2.2.1): there is nothing to learn from it.
		t.counts.Events++
		return
	}
	rate := f.rate
	if rate == 0 {
		rate = t.rate
	}
	// The clock learns from headers while audio is withheld, too.
	arrival := p.Arrival.Sub(t.zero)
	sent := t.clock.observe(h.SSRC, h.SequenceNumber, h.Timestamp, rate, arrival)
	t.resolve(h.SSRC, rate, sent)
	t.scratch = capture.Packet{
		Stream: t.number, Arrival: arrival,
		SSRC: h.SSRC, Timestamp: h.Timestamp, Sequence: h.SequenceNumber,
		PayloadType: h.PayloadType, Marker: h.Marker, Payload: p.Payload,
		Decision: t.allowed,
	}
	if t.gate.keep(sent) {
		t.out.Append(&t.scratch)
	} else {
		t.doubt(&t.scratch, rate, sent)
	}
	t.scratch.Payload = nil
}

// announce tells the track what the payload types of an offer mean. Earlier ones
// that the offer does not name keep their meaning: packets of them may still be
// under way.
func (t *Track) announce(codecs []siprec.Codec) {
	t.mu.Lock()
	defer t.mu.Unlock()
	first := true
	for _, c := range codecs {
		old := t.formats[c.PayloadType&0x7f]
		f := format{
			known: true, event: isEvent(c.Name), once: old.event || old.once,
			red: strings.EqualFold(c.Name, "red"), rate: c.ClockRate,
		}
		t.formats[c.PayloadType&0x7f] = f
		if first && !f.event && f.rate > 0 {
			t.rate, first = f.rate, false
		}
	}
}

// close makes the track forget everything that still comes.
func (t *Track) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed = true
	t.counts.Withheld += uint64(t.doubted.wipe())
}

// ends returns where permitted intervals ended because the stream was over.
func (t *Track) ends() []time.Duration {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]time.Duration(nil), t.gate.ends...)
}

// spans returns the permitted intervals, and counts what became of its packets.
func (t *Track) spans() []span {
	t.mu.Lock()
	defer t.mu.Unlock()
	return append([]span(nil), t.gate.spans...)
}

// from is where its last packet came from; invalid when none came.
func (t *Track) from() netip.AddrPort {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.source
}

func (t *Track) count() trackCounts {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.counts
}

// isEvent reports whether an encoding carries digits or tones (RFC 4733 §2.1,
// §3.1).
func isEvent(name string) bool {
	return strings.EqualFold(name, "telephone-event") || strings.EqualFold(name, "tone")
}

// isDigits reports whether a packet carries digits or tones, which are never
// stored: because its payload type says so, because it looks so and was never
// announced as anything, or within redundant audio (RFC 2198), as RFC 4733
// §2.6 allows.
func (t *Track) isDigits(payloadType uint8, payload []byte) bool {
	f := t.formats[payloadType]
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
		f := t.formats[b.payloadType]
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
