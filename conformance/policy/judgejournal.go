package policy

import (
	"slices"
	"time"
)

// permitted are the times in which the journal says that a stream was recorded.
func permitted(lines []Line, stream string) (out []span) {
	for _, l := range lines {
		n := len(out)
		open := n > 0 && out[n-1].to.IsZero()
		switch {
		case l.Stream != stream:
		case l.Event == "allowed" && !open:
			out = append(out, span{from: l.At})
		case l.Event == "stopped" && open:
			out[n-1].to = l.At
		}
	}
	return out
}

// edges wants each edge of the journal to lie between when a signal left and when its
// answer had come; one from which on audio is withheld at the instant that the signal
// says.
func (j *Judgement) edges(spans []span) {
	check := func(at time.Time, withholds bool) {
		if at.IsZero() {
			return
		}
		for _, m := range j.Played.Moments {
			for _, s := range m.Signals {
				from, to := s.Sent, s.Done
				if withholds && !s.At.IsZero() {
					from, to = s.At, s.At
				}
				if !at.Before(from.Add(-unsure)) && !at.After(to.Add(unsure)) {
					j.Edges = append(j.Edges, max(0, at.Sub(s.Sent)))
					return
				}
			}
		}
		j.wrong("the journal has an edge after %v, at no signal", at.Sub(j.Played.Moments[0].Sent).Round(time.Millisecond))
	}
	for _, s := range spans {
		check(s.from, false)
		check(s.to, true)
	}
}

// causes wants each cause of the scenario, and no other, in the journal between the
// moments. That everything is discarded shows later only.
func (j *Judgement) causes(r *Recording) {
	m := j.Played.Moments
	for i := range m[:len(m)-1] {
		for _, g := range j.Played.Scenario.Want.Withheld {
			if m[i].At < g.Span.From || m[i].At >= g.Span.To || slices.Contains(g.Causes, "void") {
				continue
			}
			h := slices.IndexFunc(j.Played.Parties, func(h Heard) bool { return h.Name == g.Party })
			if h < 0 {
				j.wrong("%s is withheld, and was never there", g.Party)
				continue
			}
			got := causesAt(r.Journal, j.Played.Parties[h].streamID(), m[i+1].Sent)
			want := slices.Clone(g.Causes)
			slices.Sort(want)
			if !slices.Equal(got, want) {
				j.wrong("%v into the scenario %s is withheld for %q, want %q", m[i].At, g.Party, got, want)
			}
		}
	}
}

// causesAt are the causes for which a stream is withheld at an instant.
func causesAt(lines []Line, stream string, at time.Time) (out []string) {
	for _, l := range lines {
		if l.Stream != stream || l.Event != "allowed" && l.Event != "stopped" || !l.At.Before(at) {
			continue
		}
		out = nil
		for _, c := range l.Causes {
			if !slices.Contains(out, c.Cause) {
				out = append(out, c.Cause)
			}
		}
	}
	slices.Sort(out)
	return out
}
