package recorder

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// An interaction is what people call a call: one or several recording sessions, and
// one recording for all of them. It is owned by a goroutine of its own, which events
// and commands are handed to; see run.
type interaction struct {
	*recording // the policy recording
	recorder   *Recorder
	actor

	zero    time.Time // arrival of the first INVITE
	legs    []*leg    // its recording sessions, in the order in which they began
	known   []person  // as soon as one has to be told from another
	renamed bool      // an id of the first recording session means somebody who was told of before
	streams *streams
	users   []*recording
	keys    []linkKey           // by which further recording sessions find it; owned by links
	heard   []linkKey           // all that it was looked for by
	apart   bool                // it has the ids of another one, and nobody in common with it
	heir    *legacy             // of the interaction that it continues; nil for none
	steps   []step              // what the rules were told, while it may be inherited
	parts   []rules.RecordingID // recordings that are part of it, too
	into    rules.RecordingID   // which it is part of itself; empty for none

	rulebook    *Rulebook
	policy      pinned
	random      io.Reader
	verdicts    *rules.Case  // nil before the first event
	interpreter *interpreter // nil when whoever is on the call changes nothing
	decision    uint64       // ordinal of the event whose decisions are carried out
	oddities    []string
	tags        map[string]string    // never changed: a new one each time
	answered    map[string]commanded // by idempotency key
	accept      func(*siprec.Event)

	down      []span    // in which the server was down
	lastKnown time.Time // of what another process left; zero when there was none
	teller    teller
	cut       string    // why it was not gone on with; empty when it was
	broken    bool      // a failure of ours ended it
	concluded bool      // its case is closed
	ended     time.Time // of the last of its recording sessions so far
	reason    siprec.EndReason
}

// found is an interaction before its files are made.
func (r *Recorder) found(at time.Time, p pinned) (*interaction, error) {
	id, err := store.NewID(at, r.cfg.Random)
	if err != nil {
		return nil, err
	}
	recording := rules.RecordingID(id)
	in := r.blank(recording, at, p)
	in.log = r.cfg.Log.With(zap.String("recording", id))
	return in, nil
}

// blank is an interaction of which nothing is known yet.
func (r *Recorder) blank(id rules.RecordingID, zero time.Time, p pinned) *interaction {
	in := &interaction{
		recording: &recording{id: id, subject: id}, recorder: r, actor: newActor(), zero: zero,
		rulebook: r.cfg.Rulebook, policy: p, random: r.cfg.Random, accept: r.accept,
		streams: &streams{recording: id, zero: zero},
	}
	in.recording.in = in
	return in
}

// open makes the files of an interaction and takes its first recording session in. What
// was made before an error is removed again.
func (in *interaction) open(l *leg, at time.Time) (err error) {
	if in.folder, err = store.Create(in.recorder.cfg.Dir, string(in.id)); err != nil {
		return err
	}
	if err = in.prepare(); err == nil {
		err = in.makeFiles()
	}
	if err != nil {
		if in.capture != nil {
			err = errors.Join(err, in.capture.Close())
		}
		return errors.Join(fmt.Errorf("open recording %s: %w", in.id, err), in.forget())
	}
	in.streams.out = in.capture
	in.takeIn(l, at)
	in.log = l.log
	if in.heir != nil {
		in.remember(entry{Heir: &in.heir.heritage})
	}
	return nil
}

// takeIn makes a recording session one of the interaction.
func (in *interaction) takeIn(l *leg, at time.Time) {
	l.begins(in, at)
	in.remember(entry{Leg: l.number, Begin: l.beginning(in.sealing != nil)})
	l.rs.Keep(l.keepDialog)
}

// handle takes one event, top to bottom: what it means, what is decided, what
// that does to the gates, the account of it, and only then the answer.
func (l *leg) handle(ev *siprec.Event) {
	in := l.of.Load()
	docs := l.documents(ev)
	l.people.name(docs)
	in.acquaint(l)
	if in.verdicts == nil {
		in.begin()
	}
	events := in.events(l, ev)
	decisions := in.decide(events)
	absent := in.carryOut(decisions)
	if ev.Kind != siprec.Ended {
		in.streams.attach(l)
		in.enforce(l)
	}
	l.tellHeld(in, ev.At)
	asked := l.askForSnapshot(ev, docs)
	in.rememberEvent(l, ev, events, decisions, asked)
	in.note(l, ev, docs, events, decisions, absent)
	in.tell(ev.At, events, decisions)
	in.linkLate(l, ev)
	for _, d := range docs {
		switch { // RFC 7865 §5.1
		case !d.Readable:
			ev.Warn("metadata cannot be read: " + d.Error)
		case d.repaired:
			ev.Warn("metadata is not well-formed XML, and was read as far as it can be")
		}
	}
	in.accept(ev)
}

// begin opens the case, under the policy that was in force when the first INVITE came.
func (in *interaction) begin() {
	if in.rulebook != nil {
		in.interpreter = newInterpreter(in.policy)
		if alarm := in.policy.belonging.Alarm; alarm != "" {
			in.log.Warn("account of an interaction is not known", zap.String("why", alarm))
			in.flag(flagAccount)
		}
	}
	in.verdicts = rules.Open(in.policy.Policy, in.subject)
	in.inherit(in.zero)
}

// events says what an event of a recording session means for the rules.
func (in *interaction) events(l *leg, ev *siprec.Event) []rules.Event {
	in.streams.count(l)
	in.dated(l, ev)
	if ev.Kind == siprec.Resumed {
		in.wasDown(in.lastKnown, ev.At)
	}
	for _, o := range ev.Oddities {
		in.oddities = appendNew(in.oddities, o)
	}
	if ev.Kind == siprec.Ended {
		return in.endEvents(l, ev)
	}
	var out []rules.Event
	first := ev.Kind == siprec.Offered && l.number == 1
	if first {
		out = append(out, rules.Event{At: ev.At, Kind: rules.InteractionStarted})
	}
	if ev.Kind == siprec.Offered || ev.HasOffer {
		out = append(out, in.streams.update(l, ev.Streams, ev.At)...)
	}
	if in.interpreter != nil {
		in.interpreter.hearing(l.callID, l.source)
		out = append(out, in.interpreter.news(ev, in.told(), in.streams.list)...)
		if first {
			out = append(out, rules.Event{At: ev.At, Kind: rules.PlanRan, Draw: in.draw()})
		}
	}
	return out
}

// endEvents says what the end of a recording session means: that of the interaction,
// or only that its streams, and whoever is on no other, are gone.
func (in *interaction) endEvents(l *leg, ev *siprec.Event) []rules.Event {
	in.endLeg(l, ev)
	if !in.goesOn() && !in.awaits() {
		in.concluded = true
		return []rules.Event{{At: ev.At, Kind: rules.InteractionEnded}}
	}
	out := in.streams.over(l, ev.At)
	if in.interpreter != nil {
		in.interpreter.hearing(l.callID, l.source)
		out = append(out, in.interpreter.news(ev, in.told(), in.streams.list)...)
	}
	return out
}

// goesOn reports whether a recording session of it has not ended.
func (in *interaction) goesOn() bool {
	return slices.ContainsFunc(in.legs, func(l *leg) bool { return l.ended.IsZero() })
}

// conclude closes the case of an interaction to which no recording session came any
// more after the last one had ended.
func (in *interaction) conclude() {
	if in.concluded || in.verdicts == nil {
		return
	}
	in.concluded = true
	events := []rules.Event{{At: in.ended, Kind: rules.InteractionEnded}}
	decisions := in.decide(events)
	in.carryOut(decisions)
	in.noteConclusion(events, decisions)
	in.tell(in.ended, events, decisions)
}

// draw is the share of calls below which this one lies, in [0,1).
func (in *interaction) draw() float64 {
	var b [8]byte
	if _, err := io.ReadFull(in.random, b[:]); err != nil {
		in.log.Error("no random number for the plan", zap.Error(err))
		return math.Nextafter(1, 0) // picks only what is always recorded
	}
	return float64(binary.BigEndian.Uint64(b[:])>>11) / (1 << 53)
}

// decide asks the rules, and puts the decisions that withhold first: no sample
// slips through between the end of one cause and the beginning of another.
func (in *interaction) decide(events []rules.Event) []rules.Decision {
	in.stepped(step{Facts: events})
	return in.sorted(in.verdicts.Apply(events...))
}

// sorted are the decisions in the order in which they are carried out. They are kept.
func (in *interaction) sorted(last []rules.Decision) []rules.Decision {
	in.adoptPlan()
	slices.SortStableFunc(last, func(a, b rules.Decision) int { return int(a.Verdict) - int(b.Verdict) })
	for _, d := range last {
		if d.Recording == in.subject {
			in.decisions = append(in.decisions, d)
		}
	}
	return last
}

// carryOut moves the gates, in memory: it takes effect whatever the disk does. It
// returns from when audio is absent, where that is later than decided.
func (in *interaction) carryOut(decisions []rules.Decision) (absent map[rules.StreamID]time.Time) {
	in.decision++
	for _, s := range in.streams.list {
		if s.track != nil {
			s.track.keepDigits(in.subject, in.verdicts.KeepsDigits())
		}
	}
	for _, d := range decisions {
		if d.Verdict == rules.Refused {
			continue // about no stream
		}
		t := in.streams.track(d.Stream)
		if d.Verdict == rules.Record {
			if err := in.allow(t, d); err != nil {
				in.log.Error("permit refused", zap.Error(err))
			}
			continue
		}
		withhold := t.Stop
		if d.Over() {
			withhold = t.End
		}
		if from := in.withhold(withhold(d.Recording, d.From)); from.After(d.From) {
			if absent == nil {
				absent = make(map[rules.StreamID]time.Time)
			}
			absent[d.Stream] = from.UTC()
		}
	}
	for _, u := range in.users {
		for _, d := range decisions {
			if d.Recording == u.subject {
				u.decisions = append(u.decisions, d)
			}
		}
	}
	return absent
}

// allow opens the gate for a decision to record.
func (in *interaction) allow(t *Track, d rules.Decision) error {
	if d.Recording != in.subject {
		u, err := in.user(d)
		if err != nil {
			return err
		}
		t.join(u.subject, u.keeper())
	}
	return t.Allow(d.Permit, in.decision)
}

// withhold takes note when audio could not be taken back.
func (in *interaction) withhold(absent time.Time, err error) time.Time {
	if err != nil && !errors.Is(err, ErrTrackClosed) {
		in.failed("take back what is withheld", err)
	}
	return absent
}

// finish ends all that is left of an interaction: nothing comes any more.
func (in *interaction) finish() {
	for _, l := range in.legs {
		if !l.gone {
			l.rs.Drain()
			in.left(l)
		}
	}
	in.conclude()
}

// told is what the metadata of its recording sessions says.
func (in *interaction) told() told {
	if len(in.legs) == 1 && !in.renamed {
		return in.legs[0].people
	}
	return together{in}
}
