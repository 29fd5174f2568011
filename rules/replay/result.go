package replay

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/scenario"
)

// result says what came of it.
func (p *player) result() Result {
	r := Result{Decisions: map[string][]rules.Decision{}, Refused: p.refused}
	o := &r.Outcome
	o.Refused = refusals(p.refused)
	for _, name := range p.parties {
		line := p.c.Timeline(rules.StreamID(name))
		r.Decisions[name] = line
		if s := recorded(line); len(s) > 0 {
			o.Recorded = append(o.Recorded, scenario.Track{Party: name, Spans: s})
		}
		o.Withheld = append(o.Withheld, withheld(name, line)...)
	}
	o.User = p.userTracks()
	p.afterwards(o)
	return r
}

// refusals are the commands that were refused, by the names of the events.
func refusals(refused []rules.Decision) []scenario.Refusal {
	names := map[rules.Kind]string{
		rules.PausePressed: "pause", rules.ResumePressed: "resume", rules.RecordOrdered: "record",
		rules.UserRecordingStarted: "user-recording", rules.UserRecordingStopped: "user-recording", rules.PlanNamed: "plan",
	}
	var out []scenario.Refusal
	for _, d := range refused {
		out = append(out, scenario.Refusal{At: d.From.Sub(start()), What: names[d.Command], By: cmp.Or(string(d.By), "nobody")})
	}
	return out
}

func between(d rules.Decision) scenario.Span {
	return scenario.Span{From: d.From.Sub(start()), To: d.Until.Sub(start())}
}

// recorded are the times in which audio was permitted. No two of them touch: of
// the parties in a scenario it is known from the beginning who they are.
func recorded(line []rules.Decision) []scenario.Span {
	var out []scenario.Span
	for _, d := range line {
		if d.Verdict == rules.Record {
			out = append(out, between(d))
		}
	}
	return out
}

// withheld are the times in which a party was there and not recorded.
func withheld(name string, line []rules.Decision) []scenario.Gap {
	var out []scenario.Gap
	for _, d := range line {
		var causes []string
		for _, c := range d.Causes {
			if !slices.Contains(causes, c.Cause.String()) {
				causes = append(causes, c.Cause.String())
			}
		}
		if d.Verdict == rules.Record || slices.Contains(causes, rules.NotLive.String()) {
			continue
		}
		slices.Sort(causes)
		s := between(d)
		if n := len(out); n > 0 && out[n-1].Span.To == s.From && slices.Equal(out[n-1].Causes, causes) {
			out[n-1].Span.To = s.To
		} else {
			out = append(out, scenario.Gap{Party: name, Span: s, Causes: causes})
		}
	}
	return out
}

// userTracks are the user recordings, those of one maker together.
func (p *player) userTracks() []scenario.Track {
	var out []scenario.Track
	for _, line := range p.c.UserTimelines() {
		s := recorded(line)
		if len(s) == 0 {
			continue
		}
		maker, party := string(line[0].Maker), string(line[0].Stream)
		i := slices.IndexFunc(out, func(t scenario.Track) bool { return t.Maker == maker && t.Party == party })
		if i < 0 {
			out = append(out, scenario.Track{Maker: maker, Party: party, Spans: s})
		} else {
			out[i].Spans = append(out[i].Spans, s...)
		}
	}
	return out
}

// afterwards says what is kept, and who may listen.
func (p *player) afterwards(o *scenario.Outcome) {
	x := rules.Finished{Start: start(), End: p.now, Direction: p.c.Direction(), Kept: len(o.Recorded) > 0}
	fate := p.flags.Fate(x)
	o.Keep = p.keep(fate)
	if x.Kept = len(o.User) > 0; x.Kept {
		o.KeepUser = p.keep(p.flags.UserFate(x))
	}
	if fate.Kept {
		o.Listen = append(o.Listen, "permission")
	}
	if fate.Evaluate {
		o.Listen = append(o.Listen, "evaluator")
	}
	if len(o.User) > 0 {
		o.Listen = append(o.Listen, "maker")
	}
}

// keep is what becomes of a recording in the words of scenarios.
func (p *player) keep(fate rules.Fate) string {
	switch {
	case !fate.Kept:
		return "nothing"
	case fate.Held:
		return "hold"
	case fate.Delete:
		return strconv.Itoa(int(fate.DeleteAt.Sub(p.now).Hours() / 24))
	default:
		return "forever"
	}
}

// Access answers an access scenario. The rights are inbound and outbound, and
// group:NAME for each group to which they are limited.
func Access(a scenario.Access) rules.Access {
	r := rules.Recorded{Direction: rules.DirectionInbound}
	for _, f := range a.Given {
		switch f.Name {
		case "maker":
			r.Maker = f.Value
		case "direction":
			r.Direction = rules.Direction(slices.Index([]string{"unknown", "inbound", "outbound", "internal"}, f.Value))
		case "group":
			r.Group = f.Value
		case "evaluator":
			r.Evaluator = f.Value
		case "reviewing":
			r.Reviewing = f.Value
		case "state":
			r.Void, r.Deleted, r.Paused = f.Value == "void", f.Value == "deleted", f.Value == "paused"
		}
	}
	u := rules.Listener{ID: a.Asks, Inbound: slices.Contains(a.Rights, "inbound"), Outbound: slices.Contains(a.Rights, "outbound")}
	for _, right := range a.Rights {
		if group, limited := strings.CutPrefix(right, "group:"); limited {
			u.Groups = append(u.Groups, group)
		}
	}
	return rules.MayListen(u, r)
}
