package rules

import (
	"slices"
	"time"
)

// Owners of the causes that the case itself sets.
const (
	ownerPolicy      = "policy"
	ownerStream      = "stream"
	ownerInteraction = "interaction"
)

// A Case is the state of one recording: the causes in force. It is for one
// goroutine.
type Case struct {
	policy    Policy
	recording RecordingID
	decided   bool // a decision to record is in force; never taken back
	ended     bool
	opened    time.Time // first event, since when there is no decision
	latest    time.Time // latest instant of any event
	streams   []*stream // in the order in which they became known
}

// stream is what is known of one stream.
type stream struct {
	id     StreamID
	causes []ActiveCause // own pairs, in the order in which they began
	last   Decision      // last one given out; zero when none was
}

// Open begins a recording under a policy. Until [InteractionStarted] nothing is
// recorded.
func Open(policy Policy, recording RecordingID) *Case {
	return &Case{policy: policy, recording: recording}
}

// Apply takes the next event and returns the decisions it changes, in verdict
// or in causes, in the order in which the streams became known. Events that say
// nothing new, that are about an unknown stream, or that come after
// InteractionEnded change nothing.
//
// Of events with one instant apply first those that begin to withhold, and carry
// out first the decisions that withhold: no sample slips through between the end
// of one cause and the beginning of another.
func (c *Case) Apply(ev Event) []Decision {
	if c.ended {
		return nil
	}
	if c.opened.IsZero() {
		c.opened = ev.At
	}
	c.change(ev)
	if ev.At.After(c.latest) {
		c.latest = ev.At
	}
	var out []Decision
	for _, s := range c.streams {
		if d := c.decide(s, ev.At); !same(d, s.last) {
			s.last = d
			out = append(out, d)
		}
	}
	return out
}

// Decision is what holds for a stream now. A stream that was never heard of is
// withheld.
func (c *Case) Decision(id StreamID) Decision {
	if s := c.find(id); s != nil {
		return s.last
	}
	unknown := &stream{id: id, causes: []ActiveCause{{Cause: NotLive, Owner: ownerStream, Since: c.latest, Flag: NotLive.flag()}}}
	return c.decide(unknown, c.latest)
}

// change adds or removes the one pair that the event is about.
func (c *Case) change(ev Event) {
	switch ev.Kind {
	case InteractionStarted:
		c.decided = c.policy.recordAll
	case StreamAdded:
		c.known(ev).remove(NotLive, ownerStream)
	case StreamInactive:
		c.known(ev).add(SDP, ev.Owner, ev.At)
	case StreamActive:
		if s := c.find(ev.Stream); s != nil {
			s.remove(SDP, ev.Owner)
		}
	case StreamRemoved:
		if s := c.find(ev.Stream); s != nil {
			s.add(NotLive, ownerStream, ev.At)
		}
	case InteractionEnded:
		c.ended = true
		for _, s := range c.streams {
			s.add(NotLive, ownerInteraction, ev.At)
		}
	}
}

func (c *Case) find(id StreamID) *stream {
	for _, s := range c.streams {
		if s.id == id {
			return s
		}
	}
	return nil
}

// known returns the stream of an event. One that was not known before begins
// with NotLive: it is recorded only once it was added.
func (c *Case) known(ev Event) *stream {
	s := c.find(ev.Stream)
	if s == nil {
		s = &stream{id: ev.Stream}
		s.add(NotLive, ownerStream, ev.At)
		c.streams = append(c.streams, s)
	}
	return s
}

// decide judges a stream: it is recorded while a decision to record is in force
// and the set of its causes is empty.
func (c *Case) decide(s *stream, at time.Time) Decision {
	d := Decision{Stream: s.id, Recording: c.recording, From: at, Policy: c.policy.Version()}
	if !c.decided {
		d.Causes = append(d.Causes, ActiveCause{Cause: NoDecision, Owner: ownerPolicy, Since: c.opened, Flag: NoDecision.flag()})
	}
	d.Causes = append(d.Causes, s.causes...)
	if len(d.Causes) > 0 {
		d.Verdict = Withhold
		return d
	}
	d.Verdict = Record
	if d.From.Before(c.latest) {
		// An event that lifts a cause late must not let in what was withheld
		// in the meantime.
		d.From = c.latest
	}
	d.Permit = Permit{recording: c.recording, stream: s.id, from: d.From, policy: d.Policy, valid: true}
	return d
}

func (s *stream) add(cause Cause, owner string, at time.Time) {
	for _, a := range s.causes {
		if a.Cause == cause && a.Owner == owner {
			return
		}
	}
	s.causes = append(s.causes, ActiveCause{Cause: cause, Owner: owner, Since: at, Flag: cause.flag()})
}

func (s *stream) remove(cause Cause, owner string) {
	s.causes = slices.DeleteFunc(s.causes, func(a ActiveCause) bool {
		return a.Cause == cause && a.Owner == owner
	})
}

// same reports whether two decisions differ in nothing but their instant.
func same(a, b Decision) bool {
	return a.Verdict == b.Verdict && slices.Equal(a.Causes, b.Causes)
}
