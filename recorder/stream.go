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
	number int // in the capture, from 0
	info   siprec.Stream
	track  *Track // nil while it is not recordable
	live   bool

	// attached says that the track stands in front of the port it has now, at
	// is that port, panics how often it had been thrown out then.
	attached bool
	at       netip.AddrPort
	panics   uint64

	added, removed time.Duration // since the start; removed counts once live is false
	directions     []store.Direction
	formats        []render.Format
	stats          media.Stats
	mixed          []media.Contributor
	sources        []media.Source
	told           int // of sources, in the journal
}

// streams is the m-lines of a recording session. It is owned by its loop.
type streams struct {
	recording rules.RecordingID
	zero      time.Time
	out       keeper
	list      []*stream
}

func streamID(s siprec.Stream) rules.StreamID {
	return rules.StreamID(fmt.Sprintf("%d.%d", s.Index, s.Generation))
}

// update takes the m-lines of an offer and returns what it means for the rules:
// first what begins to withhold, then what makes streams live, then what lifts.
func (ss *streams) update(offered []siprec.Stream, at time.Time) []rules.Event {
	var suppress, begin, lift []rules.Event
	event := func(kind rules.Kind, s *stream) rules.Event {
		return rules.Event{At: at, Kind: kind, Stream: s.id, Owner: ownerSDP}
	}
	seen := make(map[rules.StreamID]bool)
	for _, o := range offered {
		s := ss.get(o, at)
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
	for _, s := range ss.list {
		// The slot carries another stream now (RFC 3264 §8.1).
		if s.live && !seen[s.id] {
			s.end(at.Sub(ss.zero))
			suppress = append(suppress, event(rules.StreamRemoved, s))
		}
	}
	return slices.Concat(suppress, begin, lift)
}

// get finds the stream of an m-line or makes it, with the gate in front of it.
func (ss *streams) get(o siprec.Stream, at time.Time) *stream {
	id := streamID(o)
	i := slices.IndexFunc(ss.list, func(s *stream) bool { return s.id == id })
	if i < 0 {
		i = len(ss.list)
		ss.list = append(ss.list, &stream{id: id, number: i, added: at.Sub(ss.zero)})
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

// end ends all streams.
func (ss *streams) end(at time.Time) {
	for _, s := range ss.list {
		s.end(at.Sub(ss.zero))
	}
}

// attach puts the gates in front of the ports. The port of a stream may be new
// with each offer. One that has its gate is left alone: packets that wait there
// for their source to be adopted would be wiped.
func (ss *streams) attach(rs recordingSession) {
	for _, s := range ss.list {
		if !s.live || s.track == nil {
			continue
		}
		if s.attached && s.at == s.info.Local && s.panics == s.stats.Panics {
			continue
		}
		rs.Attach(s.info.Index, s.track)
		s.attached, s.at, s.panics = true, s.info.Local, s.stats.Panics
	}
}

// count takes what the ports counted. The ports of a stream may be gone sooner
// than the stream: then what they said last stays.
func (ss *streams) count(rs recordingSession) {
	for _, s := range ss.list {
		if !s.live {
			continue
		}
		if now := rs.Stats(s.info.Index); now.Packets+now.Strangers >= s.stats.Packets+s.stats.Strangers {
			s.stats = now
			if mixed := rs.Contributors(s.info.Index); len(mixed) >= len(s.mixed) {
				s.mixed = mixed
			}
			if sources := rs.Sources(s.info.Index); len(sources) >= len(s.sources) {
				s.sources = sources
			}
		}
	}
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
	return s.track.ends(r)
}

// spans are the times in which its audio was permitted.
func (s *stream) spans(r rules.RecordingID) []span {
	if s.track == nil {
		return nil
	}
	return s.track.spans(r)
}
