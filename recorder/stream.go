package recorder

import (
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// ownerSDP is who says that a stream is inactive when the SDP does. It is its
// own pair, and only the SDP takes it back.
const ownerSDP = "sdp"

// A stream is one m-line while it carries one stream: an index and a generation.
type stream struct {
	id     rules.StreamID
	leg    *leg // the recording session that it is of
	number int  // in the capture, from 0
	info   siprec.Stream
	track  *Track // nil while it is not recordable
	live   bool
	last   bool          // ended with its recording session
	shift  time.Duration // by which its track counts later than the recording

	// attached says that the track stands in front of the port it has now, at
	// is that port, panics how often it had been thrown out then.
	attached bool
	at       netip.AddrPort
	panics   uint64

	added, removed time.Duration // since the start; removed counts once live is false
	directions     []store.Direction
	formats        []render.Format
	stats          *media.Stats // nil before they were asked for; see counted
	mixed          []media.Contributor
	sources        []media.Source
	told           int // of sources, in the journal
}

// streams is the m-lines of all recording sessions of an interaction.
type streams struct {
	recording rules.RecordingID
	zero      time.Time
	out       keeper
	list      []*stream
}

// streamID is what a stream is called: by index and generation, and in a recording
// session that is not the first of the interaction by the number of that too.
func streamID(l *leg, s siprec.Stream) rules.StreamID {
	id := fmt.Sprintf("%d.%d", s.Index, s.Generation)
	if l.number > 1 {
		id = fmt.Sprintf("%d/%s", l.number, id)
	}
	return rules.StreamID(id)
}

// of are the streams of one recording session.
func (ss *streams) of(l *leg) []*stream {
	if !slices.ContainsFunc(ss.list, func(s *stream) bool { return s.leg != l }) {
		return ss.list // mostly there is no other
	}
	var out []*stream
	for _, s := range ss.list {
		if s.leg == l {
			out = append(out, s)
		}
	}
	return out
}

// update takes the m-lines of an offer and returns what it means for the rules:
// first what begins to withhold, then what makes streams live, then what lifts.
func (ss *streams) update(l *leg, offered []siprec.Stream, at time.Time) []rules.Event {
	var suppress, begin, lift []rules.Event
	event := func(kind rules.Kind, s *stream) rules.Event {
		return rules.Event{At: at, Kind: kind, Stream: s.id, Owner: ownerSDP}
	}
	seen := make(map[rules.StreamID]bool)
	for _, o := range offered {
		s := ss.get(l, o, at)
		seen[s.id] = true
		s.renew(o, at.Sub(ss.zero))
		switch {
		case s.track == nil:
		case o.Closed: // RFC 3264 §8.2
			suppress = append(suppress, event(rules.StreamRemoved, s))
		case !o.Receiving: // RFC 7866 §7.1.1.1: inactive; RFC 3264 §8.4: c=0.0.0.0
			suppress = append(suppress, event(rules.StreamInactive, s))
			begin = append(begin, event(rules.StreamAdded, s))
		default:
			begin = append(begin, event(rules.StreamAdded, s))
			lift = append(lift, event(rules.StreamActive, s))
		}
	}
	for _, s := range ss.of(l) {
		// The slot carries another stream now (RFC 3264 §8.1).
		if s.live && !seen[s.id] {
			s.end(at.Sub(ss.zero))
			suppress = append(suppress, event(rules.StreamRemoved, s))
		}
	}
	return slices.Concat(suppress, begin, lift)
}

// get finds the stream of an m-line or makes it, with the gate in front of it.
func (ss *streams) get(l *leg, o siprec.Stream, at time.Time) *stream {
	id := streamID(l, o)
	i := slices.IndexFunc(ss.list, func(s *stream) bool { return s.id == id })
	if i < 0 {
		i = len(ss.list)
		ss.list = append(ss.list, &stream{id: id, leg: l, number: i, added: at.Sub(ss.zero)})
	}
	s := ss.list[i]
	if s.track == nil && o.Recordable && !o.Closed {
		s.track = newTrack(ss.recording, id, s.number, ss.zero, ss.out)
	}
	return s
}

func (ss *streams) track(id rules.StreamID) *Track {
	for _, s := range ss.list {
		if s.id == id {
			return s.track
		}
	}
	return nil
}

// over takes the end of a recording session that is not the last, and returns what it
// means for the rules.
func (ss *streams) over(l *leg, at time.Time) (out []rules.Event) {
	for _, s := range ss.of(l) {
		if s.live {
			s.last = true
			s.end(at.Sub(ss.zero))
			out = append(out, rules.Event{At: at, Kind: rules.StreamRemoved, Stream: s.id, Owner: ownerSDP})
		}
	}
	return out
}

// end ends all streams of a recording session.
func (ss *streams) end(l *leg, at time.Time) {
	for _, s := range ss.of(l) {
		s.end(at.Sub(ss.zero))
		s.last = false
	}
}

// attach puts the gates in front of the ports. The port of a stream may be new
// with each offer. One that has its gate is left alone: packets that wait there
// for their source to be adopted would be wiped.
func (ss *streams) attach(l *leg) {
	for _, s := range ss.of(l) {
		if !s.live || s.track == nil {
			continue
		}
		if s.attached && s.at == s.info.Local && s.panics == s.counted().Panics {
			continue
		}
		l.rs.Attach(s.info.Index, s.track)
		s.attached, s.at, s.panics = true, s.info.Local, s.counted().Panics
	}
}

// count takes what the ports counted. The ports of a stream may be gone sooner
// than the stream: then what they said last stays.
func (ss *streams) count(l *leg) {
	for _, s := range ss.of(l) {
		if !s.live && !s.last {
			continue
		}
		before := s.counted()
		if now := l.rs.Stats(s.info.Index); now.Packets+now.Strangers >= before.Packets+before.Strangers {
			s.stats = &now
			if mixed := l.rs.Contributors(s.info.Index); len(mixed) >= len(s.mixed) {
				s.mixed = mixed
			}
			if sources := l.rs.Sources(s.info.Index); len(sources) >= len(s.sources) {
				s.sources = sources
			}
		}
	}
}

// counted is what the ports of the stream counted last.
func (s *stream) counted() media.Stats {
	if s.stats == nil {
		return media.Stats{}
	}
	return *s.stats
}

// renew notes what an offer says of a stream.
func (s *stream) renew(o siprec.Stream, at time.Duration) {
	if o.Closed && o.Label == "" {
		o.Label = s.info.Label // a closed m-line need not repeat it
	}
	s.info = o
	if o.Closed {
		s.end(at)
	} else {
		s.live = true
	}
	dir := store.Direction{FromMS: at.Milliseconds(), Direction: string(o.Direction), Receiving: o.Receiving, Closed: o.Closed}
	if n := len(s.directions); n == 0 || !sameDirection(s.directions[n-1], dir) {
		s.directions = append(s.directions, dir)
	}
	if s.track != nil {
		s.track.announce(o.Codecs)
	}
	for _, c := range o.Codecs {
		s.learn(render.Format{From: at, PayloadType: c.PayloadType, Name: c.Name, ClockRate: c.ClockRate, Channels: c.Channels, Params: c.Params})
	}
}

func (s *stream) end(at time.Duration) {
	if s.live {
		s.live, s.removed, s.attached = false, at, false
	}
}

// learn notes a format if it is not what the payload type meant before.
func (s *stream) learn(f render.Format) {
	for _, old := range slices.Backward(s.formats) {
		if old.PayloadType != f.PayloadType {
			continue
		}
		old.From = f.From
		if old == f {
			return
		}
		break
	}
	s.formats = append(s.formats, f)
}

func sameDirection(a, b store.Direction) bool {
	a.FromMS = b.FromMS
	return a == b
}

// life is the time in which the stream was there.
func (s *stream) life() span { return span{s.added, s.removed} }

// ends are where its permits ended because it was over.
func (s *stream) ends(r rules.RecordingID) []time.Duration {
	if s.track == nil {
		return nil
	}
	return shifted(s.track.ends(r), s.shift)
}

// spans are the times in which its audio was permitted.
func (s *stream) spans(r rules.RecordingID) []span {
	if s.track == nil {
		return nil
	}
	out := s.track.spans(r)
	for i := range out {
		out[i].from += s.shift
		if out[i].to != open {
			out[i].to += s.shift
		}
	}
	return out
}

func shifted(at []time.Duration, by time.Duration) []time.Duration {
	for i := range at {
		at[i] += by
	}
	return at
}
