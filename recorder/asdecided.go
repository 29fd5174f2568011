package recorder

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// Errors of [Recorder.FinaliseAsDecided].
var (
	// ErrFinished: the recording has its files.
	ErrFinished = errors.New("recording is finished")
	// ErrVoid: by the rules nothing of the recording may be kept.
	ErrVoid = errors.New("nothing of the recording may be kept: erase it")
	// ErrAccount: journal and resume log do not tell enough of the recording.
	ErrAccount = errors.New("what is written down of the recording does not tell what is in its capture")
)

// asDecided is what a journal says that was decided about a recording. Its audio is
// permitted where it says so, whatever the rules say now.
type asDecided struct {
	policy    string // version that decided
	decisions []store.Decision
	gates     map[rules.StreamID]*gate
	spans     map[rules.StreamID][]span // once the gates are closed
}

// close closes the gates at an instant.
func (d *asDecided) close(at time.Duration) {
	d.spans = make(map[rules.StreamID][]span)
	for id, g := range d.gates {
		if g.stop(at); len(g.spans) > 0 {
			d.spans[id] = g.spans
		}
	}
}

// kept reports whether there is something that is permitted.
func (d *asDecided) kept() bool { return len(d.spans) > 0 }

// FinaliseAsDecided makes the files of a recording that was left unfinished, since the
// rules decide otherwise now than its journal says that they did: from what the journal
// permits, and from nothing else. The manifest says so by the flag "as-decided". It is for
// a recorder that records nothing, and takes the time that it takes.
//
// The error is [ErrInUse] while another process has the folder, [ErrFinished],
// [store.ErrErased], [ErrVoid] when the rules say that nothing may be kept, [ErrAccount],
// one of the key, or of the files. Then all is as it was.
func (r *Recorder) FinaliseAsDecided(ctx context.Context, id string) (store.Manifest, error) {
	if !r.alone {
		return store.Manifest{}, ErrInUse
	}
	switch _, err := store.Load(r.cfg.Dir, id); {
	case err == nil:
		return store.Manifest{}, fmt.Errorf("%s: %w", id, ErrFinished)
	case !errors.Is(err, store.ErrUnfinished):
		return store.Manifest{}, err
	}
	left, err := r.recallAsDecided(id)
	if err == nil {
		err = left.reopen(r)
	}
	if err != nil {
		return store.Manifest{}, fmt.Errorf("finalise %s: %w", id, err)
	}
	if err := left.endAsDecided(ctx); err != nil {
		return store.Manifest{}, errors.Join(fmt.Errorf("finalise %s: %w", id, err), left.capture.Close(), left.journal.close())
	}
	m, err := left.finaliseSafely(ctx, r.finishing)
	if err != nil {
		return m, errors.Join(fmt.Errorf("finalise %s: %w", id, err), left.journal.close())
	}
	r.listed(m)
	return m, left.journal.close()
}

// endAsDecided ends what had not ended, where it was last heard of, and closes all gates.
func (left *remains) endAsDecided(ctx context.Context) error {
	left.flag(flagAsDecided)
	end := left.ended.Sub(left.zero)
	if left.goesOn() {
		// The last packet came at this instant at the latest, and is in it.
		end = left.lastKnown.Sub(left.zero) + time.Nanosecond
	}
	left.decided.close(end)
	for _, l := range left.legs {
		if l.ended.IsZero() {
			left.flag(flagDown)
			left.endLeg(l, &siprec.Event{Kind: siprec.Ended, At: left.lastKnown, Reason: endDown})
			line := journalLine{At: left.lastKnown.UTC(), Event: lineEnded, Leg: l.numbered(), Reason: string(endDown)}
			if err := left.journal.write(left.decision, line); err != nil {
				return err
			}
		}
		left.left(l)
	}
	left.concluded = true
	return left.settle(ctx)
}

// recallAsDecided goes again through what happened to a recording, to know who sent what,
// and takes what was decided from its journal.
func (r *Recorder) recallAsDecided(id string) (left *remains, err error) {
	err = guarded(func() error {
		left, err = r.recallUnder(id, new(asDecided))
		return err
	})
	if err != nil {
		return nil, err
	}
	lines, err := journalLines(left.folder, left.sealing)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrAccount, err)
	}
	if err := left.readDecisions(lines); err != nil {
		return nil, err
	}
	// An end that never came is one all the same: a question that nobody answered was
	// answered no.
	left.verdicts.Apply(rules.Event{At: left.lastKnown, Kind: rules.InteractionEnded})
	if left.verdicts.Void() {
		return nil, ErrVoid
	}
	return left, nil
}

// readDecisions takes the decisions of a journal, as the gates took them.
func (left *remains) readDecisions(lines []journalLine) error {
	d := left.decided
	d.gates = make(map[rules.StreamID]*gate)
	events := 0
	for _, l := range lines {
		left.lastKnown = laterOf(left.lastKnown, l.At)
		switch l.Event {
		case lineStarted:
			events++
			d.policy = l.Policy
		case lineJoined, lineChanged, lineResumed, lineEnded:
			events++
		case lineAllowed, lineStopped:
			if voided(l) {
				return ErrVoid
			}
			d.decisions = append(d.decisions, left.decisionOf(l))
			if l.Stream != "" {
				d.gate(rules.StreamID(l.Stream)).decide(l, l.At.Sub(left.zero))
			}
		}
	}
	if events == 0 || events > left.events {
		return fmt.Errorf("%w: %d events stand in its journal, and %d in its resume log", ErrAccount, events, left.events)
	}
	for id, g := range d.gates {
		if len(g.spans) > 0 && left.streams.track(id) == nil {
			return fmt.Errorf("%w: stream %s", ErrAccount, id)
		}
	}
	return nil
}

func (d *asDecided) gate(id rules.StreamID) *gate {
	if d.gates[id] == nil {
		d.gates[id] = new(gate)
	}
	return d.gates[id]
}

// decide moves the gate as a line of the journal says.
func (g *gate) decide(l journalLine, at time.Duration) {
	if l.Event == lineAllowed {
		g.allow(at)
	} else {
		g.stop(at)
	}
}

// voided reports whether a line says that everything is discarded.
func voided(l journalLine) bool {
	for _, c := range l.Causes {
		if c.Cause == rules.Void.String() {
			return true
		}
	}
	return false
}

// decisionOf is the decision that a line tells of.
func (left *remains) decisionOf(l journalLine) store.Decision {
	verdict := rules.Withhold
	switch {
	case l.Event == lineAllowed:
		verdict = rules.Record
	case l.Stream == "":
		verdict = rules.Refused
	}
	return store.Decision{
		FromMS: l.At.Sub(left.zero).Milliseconds(), From: l.At, Stream: l.Stream, Verdict: verdict.String(),
		Policy: l.Policy, Because: l.Because, Causes: l.Causes, Words: l.Words,
	}
}
