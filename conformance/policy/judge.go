package policy

import (
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/siprecd/siprecd/rules/scenario"
)

const (
	// margin is how much nearer to the edge of a moment than a whole packet nothing is
	// asserted: one frame.
	margin = 20 * time.Millisecond
	// unsure is by how much the arrival of a packet at the server may differ from when
	// it was written here, beside the time that the write took.
	unsure = 5 * time.Millisecond
	// tail is how late what was sent before the end may come, so that it is kept.
	tail = 500 * time.Millisecond
)

// A Judgement is what was found wrong with a scenario that was played. It passes when
// nothing was.
type Judgement struct {
	Played   *Played
	Problems []string
	// Packets that were sent, and how many of them are in a file.
	Sent, Kept int
	// Edges are from when a signal left until it took effect.
	Edges []time.Duration
}

// Passed reports whether nothing is wrong.
func (j *Judgement) Passed() bool { return len(j.Problems) == 0 }

// most bounds the problems that are told of one scenario: what is wrong with one
// packet often is with many.
const most = 12

func (j *Judgement) wrong(format string, args ...any) {
	if len(j.Problems) < most {
		j.Problems = append(j.Problems, fmt.Sprintf(format, args...))
	}
}

// Judge compares what a server wrote of a scenario with the scenario, with what was
// sent, and with its own journal.
func Judge(p *Played, written []*Recording) *Judgement {
	j := &Judgement{Played: p}
	var main *Recording
	var users []*Recording
	for _, r := range written {
		if r.Of != "" {
			users = append(users, r)
		} else if main != nil {
			j.wrong("one call has two recordings: %s and %s", main.ID, r.ID)
		} else {
			main = r
		}
	}
	if main == nil {
		j.wrong("nothing was written of Call-ID %s", p.CallID)
		return j
	}
	j.refusals()
	j.facts(main)
	j.audio(main, p.Scenario.Want.Recorded)
	j.causes(main)
	j.users(users)
	j.keep("the policy recording", main, p.Scenario.Want.Keep)
	for _, u := range users {
		want := p.Scenario.Want.KeepUser
		switch {
		case len(p.Scenario.Want.User) == 0:
			want = "nothing"
		case want == "":
			want = "forever"
		}
		j.keep("user recording "+u.ID, u, want)
	}
	return j
}

// streamID is how the server calls the stream of a party.
func (h Heard) streamID() string {
	if h.Leg > 1 {
		return fmt.Sprintf("%d/%d.0", h.Leg, h.Line)
	}
	return fmt.Sprintf("%d.0", h.Line)
}

// Forbidden are the voices of which the scenario wants nothing in any file.
func (p *Played) Forbidden() (out []Voice) {
	for _, h := range p.Parties {
		is := func(t scenario.Track) bool { return t.Party == h.Name }
		if !slices.ContainsFunc(p.Scenario.Want.Recorded, is) && !slices.ContainsFunc(p.Scenario.Want.User, is) {
			out = append(out, h.Voice)
		}
	}
	return out
}

// keep wants what becomes of a recording.
func (j *Judgement) keep(what string, r *Recording, want string) {
	got := "forever"
	switch {
	case r.Manifest == nil && !r.Erased:
		j.wrong("%s is not finished", what)
		return
	case r.Manifest == nil || r.Manifest.Void || len(r.Found) == 0 && r.Files == 0:
		got = "nothing"
	case r.Manifest.Retention == nil:
	case r.Manifest.Retention.Held:
		got = "hold"
	case !r.Manifest.Retention.DeleteAt.IsZero():
		days := r.Manifest.Retention.DeleteAt.Sub(r.Manifest.Times.End).Hours() / 24
		got = fmt.Sprint(int(math.Round(days)))
	}
	if got != want {
		j.wrong("of %s %s is kept, want %s", what, got, want)
	}
	if got != "nothing" {
		return
	}
	if r.Files > 0 {
		j.wrong("of %s nothing is kept, and it has %d files", what, r.Files)
	}
	if r.Manifest != nil && r.Manifest.Void && !r.Erased {
		j.wrong("%s was discarded without a tombstone", what)
	}
}
