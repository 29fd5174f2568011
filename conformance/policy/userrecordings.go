package policy

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/rules/scenario"
)

// users compares the recordings of each maker with what the scenario wants of them.
func (j *Judgement) users(written []*Recording) {
	byMaker := make(map[string][]*Recording)
	for _, u := range written {
		name := j.Played.name(u.Maker, u)
		byMaker[name] = append(byMaker[name], u)
	}
	want := make(map[string][]scenario.Track)
	for _, t := range j.Played.Scenario.Want.User {
		want[t.Maker] = append(want[t.Maker], t)
		if len(byMaker[t.Maker]) == 0 {
			j.wrong("there is no recording of user %s", t.Maker)
		}
	}
	for maker, list := range byMaker {
		j.audio(joined(list), want[maker])
	}
}

// lastStop is when the last permit of a recording ended; zero if it had none.
func (r *Recording) lastStop() (at time.Time) {
	for _, l := range r.Journal {
		if l.Event == "stopped" && len(l.Causes) > 0 && slices.ContainsFunc(permitted(r.Journal, l.Stream), func(s span) bool { return s.to.Equal(l.At) }) {
			at = l.At
		}
	}
	return at
}

// joined is all that was written for one maker, as one.
func joined(list []*Recording) *Recording {
	out := &Recording{ID: list[0].ID, Found: make(map[Voice]map[int]bool), Erased: true, Manifest: list[0].Manifest}
	for _, r := range list {
		out.Journal = append(out.Journal, r.Journal...)
		out.Over = append(out.Over, r.lastStop())
		out.Erased = out.Erased && r.Erased
		for v, found := range r.Found {
			if out.Found[v] == nil {
				out.Found[v] = make(map[int]bool)
			}
			for n, whole := range found {
				out.Found[v][n] = whole || out.Found[v][n]
			}
		}
	}
	slices.SortStableFunc(out.Journal, func(a, b Line) int { return a.At.Compare(b.At) })
	return out
}
