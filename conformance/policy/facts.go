package policy

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/rules/scenario"
)

// facts wants the facts of the journal to be the events of the scenario: at each of its
// moments the same, about the same. In what order those of one moment were told is left
// to the way of telling them; and who joins is told twice where a command says it first.
// A journal that was erased says nothing of people any more: of it the kinds count.
func (j *Judgement) facts(r *Recording) {
	name := func(id string) string { return j.Played.name(id, r) }
	if r.Erased {
		name = func(string) string { return "" }
	}
	told := newTelling(r.Erased)
	at := 0
	got := make([][]string, len(j.Played.Moments))
	for _, l := range r.Journal {
		if l.Fact == nil {
			continue
		}
		for at+1 < len(got) && !l.At.Before(j.Played.Moments[at+1].Sent.Add(-unsure)) {
			at++
		}
		f := *l.Fact
		f.Party, f.Other = name(f.Party), name(f.Other)
		if words := told.fact(f); words != "" && !(f.Kind == "party-left" && at == len(got)-1) {
			got[at] = append(got[at], words) // who is there at the end leaves with it
		}
	}
	told = newTelling(r.Erased)
	want := make([][]string, len(got))
	for _, e := range j.Played.Scenario.Events {
		i := slices.IndexFunc(j.Played.Moments, func(m Moment) bool { return m.At == e.At })
		for _, f := range factsOf(j.Played.Scenario, e) {
			if words := told.fact(f); words != "" {
				want[i] = append(want[i], words)
			}
		}
	}
	for i := range got {
		refused := j.refused(j.Played.Moments[i], r.Erased)
		left := func(f string) bool { return slices.Contains(refused, f) }
		got[i], want[i] = slices.DeleteFunc(got[i], left), slices.DeleteFunc(want[i], left)
		slices.Sort(got[i])
		slices.Sort(want[i])
		if !slices.Equal(got[i], want[i]) {
			j.wrong("%v into the scenario the journal tells %q, want %q", j.Played.Moments[i].At, got[i], want[i])
		}
	}
}

// refused are the facts of commands that were refused: whether the journal tells of them
// as well is left to it.
func (j *Judgement) refused(m Moment, unnamed bool) (out []string) {
	for _, s := range m.Signals {
		words := strings.Fields(s.Event)
		if s.Status < 300 || len(words) == 0 {
			continue
		}
		for _, f := range factsOf(j.Played.Scenario, scenario.Event{At: m.At, Name: words[0], Args: words[1:]}) {
			out = append(out, newTelling(unnamed).fact(f))
		}
	}
	return out
}

// A telling leaves out what was known: that somebody joined who is there, or left who is
// not. Without names it leaves out who comes and goes, and tells kinds alone.
type telling struct {
	unnamed bool
	there   map[string]bool
}

func newTelling(unnamed bool) *telling {
	return &telling{unnamed: unnamed, there: make(map[string]bool)}
}

// fact is a fact in words; empty where it is no news, or not of a scenario.
func (t *telling) fact(f Fact) string {
	words := t.words(f)
	switch {
	case !t.unnamed || words == "":
		return words
	case f.Kind == "party-joined" || f.Kind == "party-answered" || f.Kind == "party-left":
		return ""
	}
	return f.Kind
}

func (t *telling) words(f Fact) string {
	switch f.Kind {
	case "party-joined", "party-answered":
		if t.there[f.Party] {
			return ""
		}
		t.there[f.Party] = true
		return "party-joined " + f.Party
	case "party-left":
		if !t.there[f.Party] {
			return ""
		}
		delete(t.there, f.Party)
	case "consulted":
		t.there[f.Other] = true
	case "consult-ended":
		delete(t.there, f.Other)
		return f.Kind + " " + f.Other
	case "transferred": // whom it consulted is known
		delete(t.there, f.Party)
		return f.Kind + " " + f.Party
	case "transferred-blind", "transferred-to-queue":
		delete(t.there, f.Party)
	case "secure-started", "secure-ended":
		return f.Kind + " " + f.Owner
	case "menu-chosen", "flow-entered", "flow-left", "queue-entered", "queue-left":
		return f.Kind + " " + f.Name
	case "held", "retrieved", "consult-dialled", "alternated-back", "alternated-away", "party-agreed", "pause", "resume",
		"user-recording", "user-recording-stopped":
	case "consent-asked", "consent-given", "consent-refused", "consent-unanswered", "consent-withdrawn", "conferenced", "record-ordered",
		"do-not-record-ordered", "plan-named":
		return f.Kind
	default:
		return "" // of streams, senders, identities, numbers and the policy itself
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s %s%s", f.Kind, f.Party, f.Other, f.Name))
}

// factsOf are the facts that an event of a scenario is.
func factsOf(s scenario.Scenario, e scenario.Event) []Fact {
	arg := append(slices.Clone(e.Args), "", "")
	switch e.Name {
	case "in", "unknown", "out", "join", "ans":
		return []Fact{{Kind: "party-joined", Party: arg[0]}}
	case "int":
		return []Fact{{Kind: "party-joined", Party: arg[0]}, {Kind: "party-joined", Party: arg[1]}}
	case "consult", "dial":
		return []Fact{{Kind: map[string]string{"consult": "consulted", "dial": "consult-dialled"}[e.Name], Party: arg[0], Other: arg[1]}}
	case "bxfer":
		return []Fact{{Kind: "transferred-blind", Party: arg[0], Other: arg[1]}}
	case "qxfer":
		return []Fact{{Kind: "transferred-to-queue", Party: arg[0], Name: arg[1]}}
	case "cend":
		return []Fact{{Kind: "consult-ended", Other: arg[0]}}
	case "secure+", "secure-":
		return []Fact{{Kind: map[string]string{"secure+": "secure-started", "secure-": "secure-ended"}[e.Name], Owner: arg[0]}}
	case "alt":
		word := (&call{scenario: s}).alternate(e)
		return []Fact{{Kind: strings.Replace(word, "alternate", "alternated", 1), Party: arg[0]}}
	case "conf":
		return []Fact{{Kind: "conferenced"}}
	}
	if kind := kinds()[e.Name]; kind != "" {
		if partyArgs(e.Name) == 0 {
			return []Fact{{Kind: kind, Name: arg[0]}}
		}
		return []Fact{{Kind: kind, Party: arg[0]}}
	}
	return nil
}

// kinds are the facts of events that are one fact about one thing.
func kinds() map[string]string {
	return map[string]string{
		"leave": "party-left", "hold": "held", "retrieve": "retrieved", "pause": "pause", "resume": "resume", "xfer": "transferred",
		"pyes": "party-agreed", "urec+": "user-recording", "urec-": "user-recording-stopped", "ask": "consent-asked",
		"yes": "consent-given", "no": "consent-refused", "noans": "consent-unanswered", "withdraw": "consent-withdrawn",
		"record": "record-ordered", "dnr": "do-not-record-ordered", "plan-is": "plan-named", "menu": "menu-chosen", "ivr+": "flow-entered", "ivr-": "flow-left", "q+": "queue-entered", "q-": "queue-left",
	}
}
