package recorder

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/rules"
)

// ErrNotDurable says that a command was taken and may be lost when the machine fails
// now: the disk does not take its line. What it withholds is withheld.
var ErrNotDurable = errors.New("the command could not be written down yet")

// mostKeys bounds the idempotency keys that are remembered of one interaction.
const mostKeys = 4096

// Command says something to the one live interaction that fits. It returns when the line
// of the journal is durable that says so, with what holds then. Errors are those of the
// package that begin with Err, and of ctx; after [ErrRefused] and [ErrNotDurable] the
// answer holds, too.
func (r *Recorder) Command(ctx context.Context, q Query, c Command) (Answer, error) {
	if err := ctx.Err(); err != nil {
		return Answer{}, err
	}
	err := q.Check()
	if err == nil {
		err = c.check(r.cfg.Now())
	}
	if err != nil {
		return Answer{}, err
	}
	in, err := r.meant(q)
	if err != nil {
		return Answer{}, err
	}
	var answer Answer
	err = ErrNotLive // unless it is answered
	if !in.do(func() { answer, err = in.command(c) }) {
		return Answer{}, ErrNotLive
	}
	return answer, err
}

// meant is the one live interaction that fits.
func (r *Recorder) meant(q Query) (*interaction, error) {
	found := fitting(r, q, func(in *interaction) **interaction {
		if in.concluded {
			return nil
		}
		return &in
	})
	switch len(found) {
	case 0:
		return nil, ErrNotLive
	case 1:
		return found[0], nil
	}
	several := new(Ambiguity)
	for _, in := range found {
		several.Recordings = append(several.Recordings, string(in.id))
	}
	return nil, several
}

// A commanded is a command with what came of it, as it is kept.
type commanded struct {
	Command Command
	By      string
	Said    time.Time // when it came
	At      time.Time // from when it holds
	Absent  time.Time `json:",omitzero"`
	Refused string    `json:",omitempty"`
}

// command takes a command, top to bottom as handle does with an event.
func (in *interaction) command(c Command) (Answer, error) {
	if in.concluded || in.broken {
		return Answer{}, ErrNotLive
	}
	if before, known := in.answered[c.Key]; known && c.Key != "" {
		if !before.Command.says(c) {
			return Answer{}, malformed("key", "came with another command")
		}
		return in.repeated(before)
	}
	now := in.recorder.cfg.Now()
	done := commanded{Command: c, By: c.By, Said: now, At: now}
	if !c.At.IsZero() {
		done.At = now.Add(c.At.Sub(now)) // by the clock of this process
	}
	if done.At.Before(in.zero) {
		return Answer{}, malformed("at", "lies before the interaction")
	}
	facts, err := in.meaning(c, done.At)
	if refusal := (*Refusal)(nil); errors.As(err, &refusal) {
		done.Refused = refusal.Reason
	} else if err != nil {
		return Answer{}, err
	}
	decisions := in.decide(facts)
	absent := in.carryOut(decisions)
	in.enforce(nil)
	for _, d := range decisions {
		switch d.Verdict {
		case rules.Refused:
			done.Refused = d.Reason
		case rules.Withhold:
			if newly(d, done.At) {
				done.Absent = laterOf(done.Absent, laterOf(d.From, absent[d.Stream]))
			}
		}
	}
	in.noted(done)
	err = in.writeCommand(done, facts, decisions, absent)
	in.say(done.notice())
	in.tell(done.At, facts, decisions)
	if err != nil {
		answer, _ := in.answer(done, false)
		return answer, fmt.Errorf("%w: %w", ErrNotDurable, err)
	}
	return in.answer(done, false)
}

// newly reports whether a decision withholds for a cause that began at an instant, and
// not only for those that were there before.
func newly(d rules.Decision, at time.Time) bool {
	return slices.ContainsFunc(d.Causes, func(a rules.ActiveCause) bool { return !a.Since.Before(at) })
}

// noted remembers what a command leaves beside its facts: tags, and its key.
func (in *interaction) noted(done commanded) {
	for name, value := range done.Command.Tags {
		in.tag(name, value)
	}
	if key := done.Command.Key; key != "" && len(in.answered) < mostKeys {
		if in.answered == nil {
			in.answered = make(map[string]commanded)
		}
		in.answered[key] = done
	}
}

// checkTags bounds the tags of an interaction.
func (in *interaction) checkTags(news map[string]string) error {
	all := maps.Clone(in.tags)
	if all == nil {
		all = make(map[string]string)
	}
	maps.Copy(all, news)
	maps.DeleteFunc(all, func(_, value string) bool { return value == "" })
	if len(all) > MaxTags {
		return malformed("tags", "the recording would have more than %d", MaxTags)
	}
	return nil
}

func (in *interaction) tag(name, value string) {
	tags := maps.Clone(in.tags) // states were given out
	if tags == nil {
		tags = make(map[string]string)
	}
	tags[name] = value
	if value == "" {
		delete(tags, name)
	}
	in.tags = tags
}

// answer is what a command is answered.
func (in *interaction) answer(done commanded, repeated bool) (Answer, error) {
	a := Answer{State: in.state(), AbsentFrom: done.Absent.UTC(), Repeated: repeated}
	if done.Absent.IsZero() {
		a.AbsentFrom = time.Time{}
	}
	if done.Refused != "" {
		return a, &Refusal{Reason: done.Refused}
	}
	return a, nil
}

// repeated answers a command that came before, once that is durable.
func (in *interaction) repeated(before commanded) (Answer, error) {
	answer, refused := in.answer(before, true)
	if err := errors.Join(in.resume.settle(), in.journal.write(in.decision)); err != nil {
		return answer, fmt.Errorf("%w: %w", ErrNotDurable, err)
	}
	return answer, refused
}

// writeCommand writes a command down, for the next process and for people.
func (in *interaction) writeCommand(done commanded, facts []rules.Event, decisions []rules.Decision, absent map[rules.StreamID]time.Time) error {
	err := in.resume.write(entry{Command: &done, Facts: facts, Decisions: verdictLines(decisions)})
	c := done.Command
	said := done.Said.UTC()
	lines := []journalLine{{
		At: done.At.UTC(), Event: lineCommand, Said: &said, Command: &commandLine{
			Action: string(c.Action), By: done.By, Party: c.Party, Other: c.Other, Name: c.Name, Chosen: c.Chosen,
			Reason: c.Reason, Evidence: c.Evidence, Tags: c.Tags, Refused: done.Refused,
		},
	}}
	lines = append(lines, in.factLines(facts)...)
	lines = append(lines, in.decisionLines(decisions, in.subject, absent)...)
	err = errors.Join(err, in.journal.write(in.decision, lines...))
	in.noteUsers(nil, decisions, absent)
	if err != nil {
		in.failed("command", err)
	}
	in.log.Info("command", zap.String("action", string(c.Action)), zap.String("refused", done.Refused))
	return err
}

// kindsOf are the events that are one command each.
func kindsOf() map[Action]rules.Kind {
	return map[Action]rules.Kind{
		ActRecord: rules.RecordOrdered, ActPause: rules.PausePressed, ActResume: rules.ResumePressed,
		ActSecureStart: rules.SecureStarted, ActSecureStop: rules.SecureEnded,
		ActConsentAsked: rules.ConsentAsked, ActConsentGiven: rules.ConsentGiven, ActConsentRefused: rules.ConsentRefused,
		ActConsentUnanswered: rules.ConsentUnanswered, ActConsentWithdrawn: rules.ConsentWithdrawn, ActPartyAgreed: rules.PartyAgreed,
		ActUserRecordingStart: rules.UserRecordingStarted, ActUserRecordingStop: rules.UserRecordingStopped,
		ActFlowEntered: rules.FlowEntered, ActFlowLeft: rules.FlowLeft, ActQueueEntered: rules.QueueEntered, ActQueueLeft: rules.QueueLeft,
		ActHold: rules.Held, ActRetrieve: rules.Retrieved, ActConsult: rules.Consulted, ActConsultDialled: rules.ConsultDialled,
		ActAnswered: rules.PartyAnswered, ActConsultEnded: rules.ConsultEnded, ActAlternateBack: rules.AlternatedBack,
		ActAlternateAway: rules.AlternatedAway, ActConference: rules.Conferenced, ActTransfer: rules.Transferred,
		ActTransferBlind: rules.TransferredBlind, ActTransferToQueue: rules.TransferredToQueue,
		ActPartyDialled: rules.PartyDialled, ActPartyJoined: rules.PartyJoined, ActPartyLeft: rules.PartyLeft, ActMenu: rules.MenuChosen,
		ActDoNotRecord: rules.DoNotRecordOrdered,
	}
}

// meaning is what a command means for the rules. A tag means nothing.
func (in *interaction) meaning(c Command, at time.Time) ([]rules.Event, error) {
	switch c.Action {
	case ActTag:
		return nil, in.checkTags(c.Tags)
	case ActPlan:
		return in.tellPlan(c.Name, at)
	}
	e := rules.Event{At: at, Kind: kindsOf()[c.Action], Name: c.Name}
	switch c.Action {
	case ActSecureStart, ActSecureStop:
		e.Owner, e.Name = cmp.Or(c.Name, c.By), ""
	case ActDirection:
		in.tellDirection(&e, c)
		return []rules.Event{e}, nil
	}
	var err error
	if c.Party != "" {
		if e.Party, err = in.meantParty("party", c.Party, comes(c.Action)); err != nil {
			return nil, err
		}
	}
	if c.Other != "" {
		if e.Other, err = in.meantParty("other", c.Other, c.Action != ActConsultEnded); err != nil {
			return nil, err
		}
	}
	who, new := e.Other, c.Other
	if comes(c.Action) {
		who, new = e.Party, c.Party
	}
	if who != "" && in.interpreter != nil {
		e.Identity = in.identify(who, new, c.Chosen, c.By, at)
	}
	return []rules.Event{e}, nil
}

// comes: the action brings Party to the call.
func comes(a Action) bool { return a == ActPartyDialled || a == ActPartyJoined }

func (in *interaction) tellDirection(e *rules.Event, c Command) {
	e.Kind, e.Name, e.Evidence = rules.DirectionTold, "", "told by "+c.By
	_ = e.Direction.UnmarshalText([]byte(c.Name)) // it was checked
	if i := in.interpreter; i != nil && i.direction == rules.DirectionUnknown {
		i.direction, i.evidence = e.Direction, e.Evidence
	}
}

// meantParty is whom a command means. Somebody who is not known yet may come to the
// call; then he is called as the command does.
func (in *interaction) meantParty(field, ref string, mayCome bool) (rules.PartyID, error) {
	if found := in.partyOf(ref); found != "" {
		return found, nil
	}
	if !mayCome {
		return "", malformed(field, "is nobody of the interaction")
	}
	in.remembered(ref, in.comparable([]string{ref}))
	return rules.PartyID(ref), nil
}

// identify says who somebody is to the rules whom a command tells of: as he was known
// before, or by the directory and what the command says.
func (in *interaction) identify(who rules.PartyID, ref, chosen, by string, at time.Time) rules.Identity {
	i := in.interpreter
	if known, ok := i.identity[who]; ok {
		return known
	}
	told := rules.Statement{Address: ref, Source: by}
	switch chosen {
	case ChosenFromList:
		told.IdentifiedBy = rules.ByDirectory
	case ChosenTyped:
		told.IdentifiedBy = rules.ByNumber
	}
	if chosen != "" {
		i.roster.Tell(at, told)
	}
	// Beside two others, who were there before: he is none of the first pair.
	side := rules.NewRoster(in.policy.book, in.policy.profile)
	view := metadata.View{Participants: []metadata.Presence{{}, {}, {}}}
	for n := range view.Participants {
		view.Participants[n].ID = metadata.ID(fmt.Sprint(n))
	}
	view.Participants[2].NameIDs = []metadata.NameID{{AOR: ref}}
	side.Update(at, view, nil)
	if chosen != "" {
		side.Tell(at, told)
	}
	ruling, _ := side.Ruling("2")
	i.identity[who] = ruling.Identity
	return ruling.Identity
}

// commandAgain goes through a command again.
func (in *interaction) commandAgain(e entry) error {
	c := e.Command.Command
	c.By = e.Command.By
	for _, f := range e.Facts {
		in.knowAgain(f, c)
	}
	in.teller.recent = append(in.teller.recent, e.Command.notice())
	err := in.decideAgain(e.Command.At, e)
	e.Command.Command = c
	in.noted(*e.Command)
	in.lastKnown = laterOf(in.lastKnown, e.Command.Said)
	return err
}

// knowAgain takes from a fact what the command told beside it.
func (in *interaction) knowAgain(f rules.Event, c Command) {
	i := in.interpreter
	who, ref := f.Other, c.Other
	if comes(c.Action) {
		who, ref = f.Party, c.Party
	}
	if string(who) == ref && ref != "" {
		in.remembered(ref, in.comparable([]string{ref}))
	}
	if i == nil {
		return
	}
	if who != "" && f.Identity != (rules.Identity{}) {
		i.identity[who] = f.Identity
	}
	if f.Kind == rules.DirectionTold {
		i.direction, i.evidence = f.Direction, f.Evidence
	}
}
