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
	ownerParties     = "parties"
	ownerCall        = "call"
	ownerUnfed       = "unfed"
	ownerCommand     = "command"
)

// A Case is the state of one interaction: its parties, the causes in force, its
// policy recording and the user recordings beside it. It is for one goroutine.
type Case struct {
	policy     Policy
	flags      Flags
	pinned     string   // version of the policy that it was opened with
	planName   string   // of the plan that became known later; empty for none
	also       []Policy // of merged cases: they withhold too, and decide nothing
	recording  RecordingID
	direction  Direction
	inboundToo bool     // of a merged case another direction was told: inbound
	numbers    []string // of the outside party
	options    []string // chosen in menus
	ordered    bool     // by a command, to record
	forbidden  bool     // by a command, for good
	decided    bool     // a decision to record is in force; never taken back
	planned    string   // what of the plan, or which command, would record the call if it is inbound
	because    string   // what decided
	drawn      bool
	share      float64 // that was drawn
	barred     bool    // a number is never to be recorded
	started    bool
	ended      bool
	opened     time.Time // first event, since when there is no decision
	latest     time.Time // latest instant of any event

	members     []*member // in the order in which they were invited
	sawInternal bool
	sawOutsider bool
	legHeld     bool
	legBy       PartyID // who holds the leg; empty once that party has left
	flows       []string
	queues      []string
	secure      []string // owners
	manual      bool
	manualSince time.Time
	foreign     foreign
	stopped     bool
	asked       bool // for consent
	answered    bool // something was said of consent, after the question or without one
	consent     consent
	withdrawn   bool
	void        bool
	refused     bool      // and not only because consent was taken back
	voidFlag    string    // what made it so
	voidSince   time.Time // zero until it was decided by

	pairs   []ActiveCause // those of the whole interaction
	alarmed []ActiveCause // of those, what [Case.Alarm] has told
	streams []*stream     // in the order in which they became known
	users   []*userRecording
	scratch []pair
	places  []place
	causes  []ActiveCause
	shared  []ActiveCause // of the last decision: those of one instant are mostly alike
}

// consent is the answer of the caller; no is final.
type consent int

const (
	consentNone consent = iota
	consentYes
	consentNo
)

// pair is a cause with its owner.
type pair struct {
	cause Cause
	owner string
}

// stream is what is known of one stream.
type stream struct {
	id      StreamID
	added   bool
	mixed   bool // it came with a case that says so of its streams
	senders []PartyID
	former  []PartyID     // who sent last, while nobody is known to send
	sdp     []string      // owners who say that it is inactive
	causes  []ActiveCause // own pairs, in the order in which they began
	ledger
}

// ledger is what was decided for a stream in one recording.
type ledger struct {
	last Decision // last one given out; zero when none was
	past []entry
}

// subject is what a decision is about.
type subject struct {
	stream    StreamID
	recording RecordingID
	maker     PartyID
	at        time.Time
	unknown   bool // roles
}

// entry is what changes from decision to decision.
type entry struct {
	from    time.Time
	causes  []ActiveCause
	unknown bool   // roles
	policy  string // version
}

// Open begins an interaction under a policy. Until [InteractionStarted] nothing
// is recorded.
func Open(policy Policy, recording RecordingID) *Case {
	return &Case{policy: policy, flags: policy.Flags(), pinned: policy.Version(), recording: recording}
}

// Apply takes the next events and returns the decisions they change, in verdict
// or in causes, in the order in which the streams became known, first those of
// the policy recording; or that a command is refused. Events that say nothing
// new, that are about what is unknown, or that come after InteractionEnded
// change nothing.
//
// Neighbours with one instant are one step: all of them change the state before
// anything is decided, so that each stream gets at most one decision for it, and
// what begins to withhold is taken before what lets go, in whatever order they
// come. Of opposite statements by one owner the last counts. Who may pause is
// judged by who is on the call once all have joined and nobody has left, who may
// resume or begin a recording of his own by who is on it at the end of the step;
// a pause is not undone by the resume of another at the same instant.
//
// Instants are taken in the order in which they are given: an event that comes
// late is not moved before those that were applied earlier. Carry out first the
// decisions that withhold.
func (c *Case) Apply(events ...Event) []Decision {
	var out []Decision
	for len(events) > 0 {
		n := 1
		for n < len(events) && events[n].At.Equal(events[0].At) {
			n++
		}
		out = c.step(out, events[:n])
		events = events[n:]
	}
	return out
}

// step takes the events of one instant.
func (c *Case) step(out []Decision, events []Event) []Decision {
	if c.ended {
		return out
	}
	at := events[0].At
	if c.opened.IsZero() {
		c.opened = at
	}
	for _, p := range c.arrange(events) {
		out = c.take(out, &events[p.event])
	}
	return c.conclude(out, at)
}

// conclude decides anew once all of an instant is known.
func (c *Case) conclude(out []Decision, at time.Time) []Decision {
	c.derive(at)
	if at.After(c.latest) {
		c.latest = at
	}
	unknown := c.rolesUnknown()
	for _, s := range c.streams {
		c.gather(s)
		out = c.enter(out, &s.ledger, subject{stream: s.id, recording: c.recording, at: at, unknown: unknown})
	}
	// What began and was over within the step never was.
	c.users = slices.DeleteFunc(c.users, func(u *userRecording) bool { return u.over && len(u.ledgers) == 0 })
	for _, u := range c.users {
		out = c.applyUser(out, u, at)
	}
	return out
}

// take changes the state, or says that a command is refused.
func (c *Case) take(out []Decision, ev *Event) []Decision {
	if reason := c.change(ev); reason != "" {
		out = append(out, Decision{Verdict: Refused, Recording: c.recording, From: ev.At, Policy: c.policy.Version(),
			Command: ev.Kind, By: ev.Party, Reason: reason})
	}
	return out
}

// enter gives out what follows from the causes in the scratch, if it differs from
// the last decision in more than its instant. Another version of the policy is a
// difference: what is recorded names the one that allows it.
func (c *Case) enter(out []Decision, l *ledger, about subject) []Decision {
	c.voided()
	if l.last.RolesUnknown == about.unknown && l.last.Policy == c.policy.Version() && slices.Equal(l.last.Causes, c.causes) {
		return out
	}
	if out == nil {
		out = make([]Decision, 0, len(c.streams))
	}
	c.judge(&l.last, about)
	l.past = append(l.past, entry{l.last.From, l.last.Causes, l.last.RolesUnknown, l.last.Policy})
	return append(out, l.last)
}

// Decision is what holds for a stream now in the policy recording. A stream that
// was never heard of is withheld.
func (c *Case) Decision(id StreamID) Decision {
	if s := c.find(id); s != nil {
		return s.last
	}
	unknown := &stream{id: id, causes: []ActiveCause{{Cause: NotLive, Owner: ownerStream, Since: c.latest, Flag: NotLive.flag()}}}
	c.gather(unknown)
	var d Decision
	c.judge(&d, subject{stream: id, recording: c.recording, at: c.latest, unknown: c.rolesUnknown()})
	return d
}

// Void reports whether everything of the interaction is to be discarded, user
// recordings too.
func (c *Case) Void() bool { return c.void }

// KeepsDigits reports whether digits that are pressed may be kept beside the audio of
// who presses them: every policy of the case has to say so.
func (c *Case) KeepsDigits() bool {
	return c.flags.Digits && !slices.ContainsFunc(c.also, func(p Policy) bool { return !p.flags.Digits })
}

// OnlyWithdrawn reports whether everything is to be discarded for nothing but that consent
// was taken back. A legal hold outweighs that, and none of the other reasons.
func (c *Case) OnlyWithdrawn() bool { return c.void && !c.refused }

// Direction is the direction of the call as the case knows it.
func (c *Case) Direction() Direction { return c.direction }

// change takes the event into the state. It returns why a command is refused.
func (c *Case) change(ev *Event) (refused string) {
	switch ev.Kind {
	case InteractionStarted:
		c.start(ev)
	case DirectionTold:
		if c.started && c.direction == DirectionUnknown {
			c.direction = ev.Direction
		}
	case NumberTold:
		c.tellNumber(ev)
	case InteractionEnded:
		c.ended = true
		if c.asking() {
			c.discard(Consent.flag()) // unanswered at the end
		}
	case StreamAdded, StreamInactive, StreamActive, StreamRemoved, StreamSends, StreamSendsNot:
		c.changeStream(ev)
	case PausePressed, ResumePressed:
		return c.control(ev)
	case RecordOrdered:
		return c.order()
	case DoNotRecordOrdered:
		c.forbidden = true
	case PlanNamed:
		return c.namePlan(ev)
	case UserRecordingStarted, UserRecordingStopped:
		return c.userCommand(ev)
	default:
		c.parties(ev)
		c.bridges(ev)
		c.choose(ev)
		c.progress(ev)
	}
	return ""
}

func (c *Case) start(ev *Event) {
	if c.started {
		return
	}
	c.started = true
	if c.direction == DirectionUnknown {
		c.direction = ev.Direction
	}
	c.number(ev.Number)
	c.planAll()
}

// changeStream adds or removes the one thing that the event is about.
func (c *Case) changeStream(ev *Event) {
	s := c.find(ev.Stream)
	if s == nil {
		if ev.Kind == StreamActive || ev.Kind == StreamRemoved || ev.Kind == StreamSendsNot {
			return
		}
		s = &stream{id: ev.Stream}
		c.streams = append(c.streams, s)
	}
	switch ev.Kind {
	case StreamAdded:
		s.added = true
	case StreamRemoved:
		s.added = false
	case StreamInactive:
		s.sdp = with(s.sdp, ev.Owner)
	case StreamActive:
		s.sdp = without(s.sdp, ev.Owner)
	case StreamSends:
		if !slices.Contains(s.senders, ev.Party) {
			s.senders, s.former = append(s.senders, ev.Party), nil
		}
	default:
		if i := slices.Index(s.senders, ev.Party); i >= 0 {
			s.senders, s.former = slices.Delete(s.senders, i, i+1), append(s.former, ev.Party)
		}
	}
}

// voices are whom the stream is known to carry: who sends, or, while a hold or the
// like silences all of them, who did last.
func (s *stream) voices() []PartyID {
	if len(s.senders) > 0 {
		return s.senders
	}
	return s.former
}

func (c *Case) find(id StreamID) *stream {
	for _, s := range c.streams {
		if s.id == id {
			return s
		}
	}
	return nil
}

// gather takes the causes of a stream in the policy recording into the scratch.
func (c *Case) gather(s *stream) {
	c.causes = c.causes[:0]
	if !c.decided {
		c.causes = append(c.causes, c.undecided())
	}
	c.causes = append(append(c.causes, c.pairs...), s.causes...)
}

// reason is what decided to make a recording.
func (c *Case) reason(maker PartyID) string {
	if maker != "" {
		return "user-recordings: " + string(maker) + " records"
	}
	return c.because
}

// voided says that everything is discarded where nothing else withholds.
func (c *Case) voided() {
	if len(c.causes) == 0 && c.void {
		c.causes = append(c.causes, c.discarded())
	}
}

// judge writes the decision that follows from the causes in the scratch: a stream is
// recorded while a decision to record is in force and the set of its causes is
// empty.
func (c *Case) judge(d *Decision, about subject) {
	if !slices.Equal(c.causes, c.shared) {
		c.shared = slices.Clone(c.causes)
	}
	*d = Decision{Verdict: Withhold, Stream: about.stream, Recording: about.recording, Maker: about.maker, From: about.at,
		Causes: c.shared, RolesUnknown: about.unknown, Policy: c.policy.Version()}
	if len(c.causes) == 0 {
		// An event that lifts a cause late must not let in what was withheld in
		// the meantime.
		d.Verdict, d.From, d.Because = Record, c.latest, c.reason(about.maker)
		d.Permit = Permit{recording: d.Recording, stream: d.Stream, from: d.From, policy: d.Policy, valid: true}
	}
}
