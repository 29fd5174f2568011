package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/rules/scenario"
)

// refusals wants each command refused that the scenario says, and no other. What is
// said of somebody who is not there may be refused as well as ignored.
func (j *Judgement) refusals() {
	want := slices.Clone(j.Played.Scenario.Want.Refused)
	for _, m := range j.Played.Moments {
		for _, s := range m.Signals {
			if s.Way == "INVITE" || s.Way == "UPDATE" || s.Way == "BYE" {
				continue
			}
			words := strings.Fields(s.Event)
			i := slices.IndexFunc(want, func(r scenario.Refusal) bool {
				return r.At == m.At && refusedEvent(r.What, words[0]) && (r.By == "" || r.By == "nobody" || len(words) > 1 && r.By == words[1])
			})
			absent := j.absent(words, m.At)
			refused := s.Status == 409 || s.Status/100 == 4 && absent
			switch {
			case refused && i >= 0:
				want = slices.Delete(want, i, i+1)
			case refused && !absent:
				j.wrong("%v into the scenario %s was refused: %s", m.At, s.Event, s.Why)
			case !refused && s.Status/100 != 2:
				j.wrong("%v into the scenario %s was answered %d: %s", m.At, s.Event, s.Status, s.Why)
			}
		}
	}
	for _, r := range want {
		j.wrong("%v into the scenario %s of %s was to be refused, and was not", r.At, r.What, r.By)
	}
}

// refusedEvent reports whether a refusal is about an event.
func refusedEvent(what, event string) bool {
	return what == event || what == "plan" && event == "plan-is" || what == "user-recording" && strings.HasPrefix(event, "urec")
}

// absent reports whether the party of an event was not on the call, or never began
// what it ends, so that the event says nothing.
func (j *Judgement) absent(words []string, at time.Duration) bool {
	if words[0] == "secure-" || words[0] == "urec+" || words[0] == "urec-" {
		return true
	}
	if len(words) < 2 || partyArgs(words[0]) == 0 {
		return false
	}
	there := false
	for _, e := range j.Played.Scenario.Events {
		if e.At > at {
			break
		}
		for i, arg := range e.Args {
			if arg == words[1] && i < partyArgs(e.Name) && e.Name != words[0] {
				there = e.Name != "leave" && e.Name != "cend" && !(i == 0 && slices.Contains([]string{"xfer", "bxfer", "qxfer"}, e.Name))
			}
		}
	}
	return !there
}
