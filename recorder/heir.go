package recorder

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// A step is what the rules were told at once: facts, or that another interaction is this
// one.
type step struct {
	Facts []rules.Event `json:",omitempty"`
	Took  *took         `json:",omitempty"`
}

// A took is another interaction that is this one, by all that its rules were told.
type took struct {
	Recording string
	At        time.Time
	Policy    string           // version of the policy file
	Belonging policy.Belonging // by that
	Names     rules.Names      // of its streams and parties here
	Steps     []step
}

// remembersSteps reports whether an interaction may be inherited from.
func (in *interaction) remembersSteps() bool {
	return in.interpreter != nil && in.recorder.cfg.Linger > 0
}

// stepped keeps what the rules were told.
func (in *interaction) stepped(s step) {
	if in.remembersSteps() && (s.Took != nil || len(s.Facts) > 0) {
		in.steps = append(in.steps, s)
	}
}

// asTook is all that the rules were told of an interaction.
func (in *interaction) asTook(at time.Time, names rules.Names) took {
	return took{
		Recording: string(in.id), At: at, Policy: in.policy.file, Belonging: in.policy.belonging, Names: names, Steps: slices.Clone(in.steps),
	}
}

// caseOf goes through what the rules were told of another interaction again.
func (b *Rulebook) caseOf(t *took) (*rules.Case, error) {
	p, err := b.pinTold(t.Policy, t.Belonging)
	if err != nil {
		return nil, err
	}
	c := rules.Open(p.Policy, rules.RecordingID(t.Recording))
	for _, s := range t.Steps {
		if s.Took == nil {
			c.Apply(s.Facts...)
			continue
		}
		other, err := b.caseOf(s.Took)
		if err != nil {
			return nil, err
		}
		c.Merge(other.Renamed(s.Took.Names), s.Took.At)
	}
	return c, nil
}

// A legacy is what is left of an interaction that is over: what withholds, and what was
// decided, for a recording session of the same call that comes later.
type legacy struct {
	verdicts *rules.Case
	policy   pinned
	keys     []linkKey
	until    time.Time // when it is forgotten
	heritage
}

// A heritage is a legacy as it is kept.
type heritage struct {
	Took  took
	Known []person
	Told  carriedOn
	Parts []rules.RecordingID // recordings of the interaction so far
}

// leaves is the legacy of an interaction; nil when there is none.
func (in *interaction) leaves() *legacy {
	if !in.remembersSteps() || in.verdicts == nil || in.into != "" || in.broken {
		return nil
	}
	g := in.gives()
	known := in.known
	if len(known) == 0 { // nobody had to be told from another
		for _, l := range in.legs {
			for _, d := range l.people.model.Participants() {
				known = append(known, person{Key: l.key(d.ID), AORs: in.comparable(d.AORs())})
			}
		}
	}
	return &legacy{
		verdicts: in.verdicts, policy: in.policy, until: in.recorder.cfg.Now().Add(in.recorder.cfg.Linger),
		heritage: heritage{
			Took: in.asTook(in.ended, rules.Names{}), Known: known, Parts: g.parts, Told: in.interpreter.carriesOn(),
		},
	}
}

// fits reports whether nothing speaks against a recording session being of the call.
func (h *legacy) fits(l *leg) bool {
	var ours, theirs []string
	for _, p := range h.Known {
		ours = append(ours, p.AORs...)
	}
	for _, d := range l.people.model.Participants() {
		theirs = append(theirs, comparableBy(h.policy.numbering, d.AORs())...)
	}
	return len(ours) == 0 || len(theirs) == 0 || shares(ours, theirs)
}

// inherit takes over what withholds in an interaction that this one continues, and what
// was decided there.
func (in *interaction) inherit(at time.Time) {
	h := in.heir
	if h == nil {
		return
	}
	in.known = slices.Clone(h.Known)
	in.interpreter.carryOn(h.Told, rules.Names{})
	in.acquaint(in.legs[0])
	in.verdicts.Merge(h.verdicts, at)
	t := h.Took
	t.At = at
	in.stepped(step{Took: &t})
	in.parts = append(in.parts, h.Parts...)
	in.log.Info("interaction continues one that is over", zap.String("other", t.Recording))
}

// continues is the recording of the interaction that this one continues; empty for none.
func (in *interaction) continues() string {
	if in.heir == nil {
		return ""
	}
	return in.heir.Took.Recording
}

// heirAgain is what an interaction inherited in another process.
func (in *interaction) heirAgain(h *heritage) error {
	if in.rulebook == nil {
		return errResumeLog
	}
	c, err := in.rulebook.caseOf(&h.Took)
	if err != nil {
		return err
	}
	p, err := in.rulebook.pinTold(h.Took.Policy, h.Took.Belonging)
	if err != nil {
		return err
	}
	in.heir = &legacy{verdicts: c, policy: p, heritage: *h}
	return nil
}
