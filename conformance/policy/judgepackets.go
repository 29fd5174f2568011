package policy

import (
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/rules/scenario"
)

// audio looks for each packet of each party in a recording. tracks are what the
// scenario wants of it.
func (j *Judgement) audio(r *Recording, tracks []scenario.Track) {
	for v := range r.Found {
		if !slices.ContainsFunc(j.Played.Parties, func(h Heard) bool { return h.Voice == v }) {
			j.wrong("%s: holds party %d of call %d", r.ID, v.Party, v.Call)
		}
	}
	for _, h := range j.Played.Parties {
		var want []scenario.Span
		for _, t := range tracks {
			if t.Party == h.Name {
				want = append(want, t.Spans...)
			}
		}
		j.party(r, h, want)
	}
}

// party looks for each packet of a party. Both the scenario and the journal have to
// agree with the files.
func (j *Judgement) party(r *Recording, h Heard, want []scenario.Span) {
	spans := permitted(r.Journal, h.streamID())
	last := j.Played.Moments[len(j.Played.Moments)-1].Sent.Add(-unsure)
	ends := func(at time.Time) bool {
		return !at.Before(last) || slices.ContainsFunc(r.Over, at.Equal)
	}
	sure := j.answered(spans)
	gone := r.Erased || r.Manifest != nil && r.Manifest.Void
	for _, p := range packets(h.Packets) {
		whole, kept := r.Found[h.Voice][p.number]
		j.Sent++
		if kept {
			j.Kept++
		}
		at := p.arrival.Sub(j.Played.Moments[0].Sent).Round(time.Millisecond)
		switch divided := j.divided(p); {
		case kept && p.outside(spans, ends):
			j.wrong("%s: packet %d of %s, sent after %v (%v), is in a file although the journal withholds it (it permits %v)", r.ID, p.number, h.Name, at, p, spans)
		case kept && !whole && !divided:
			j.wrong("%s: packet %d of %s, sent after %v, is not as it was sent", r.ID, p.number, h.Name, at)
		case !kept && p.within(sure) && !gone && !divided:
			j.wrong("%s: packet %d of %s, sent after %v, is in no file although the journal permits it (%v)", r.ID, p.number, h.Name, at, spans)
		}
		if moment := j.between(p); moment >= 0 {
			begin := j.Played.Moments[moment].At
			should := slices.ContainsFunc(want, func(s scenario.Span) bool { return s.From <= begin && begin < s.To })
			if kept != should {
				j.wrong("%s: packet %d of %s, sent after %v and %v into the scenario: in a file %t, want %t", r.ID, p.number, h.Name, at, begin, kept, should)
			}
		}
	}
	j.edges(spans)
}

// answered are the times in which something is recorded from when the signal was
// answered that let it begin: by then the gate is open, and what came while the signal
// was handled was withheld as long as it was not.
func (j *Judgement) answered(spans []span) []span {
	out := slices.Clone(spans)
	for i, s := range out {
		for _, m := range j.Played.Moments {
			if !s.from.Before(m.Sent.Add(-unsure)) && s.from.Before(m.Done) {
				out[i].from = m.Done
			}
		}
	}
	return out
}

// divided reports whether somebody was held or retrieved, as the metadata shows it,
// consulted, or brought from a consult into the call, while a packet was spoken: then it
// is not known any more, or again, who sends, and the packet may be divided between two
// files. Nor is it known after the end of a recording session beside which others go on.
func (j *Judgement) divided(p packet) bool {
	for _, m := range j.Played.Moments {
		for _, s := range m.Signals {
			moved := slices.ContainsFunc([]string{"hold", "retrieve", "consult", "conf", "xfer"}, func(e string) bool { return strings.Contains(s.Event, e) })
			shown := moved && (s.Way == "UPDATE" || s.Way == "INVITE") || s.Way == "BYE" && j.Played.Dialect == Legs
			if shown && !s.Done.Add(unsure).Before(p.mediaFrom) && !s.Sent.Add(-unsure).After(p.arrival.Add(margin)) {
				return true
			}
		}
	}
	return false
}

// between is the moment after which a packet was sent for sure, and before the next;
// -1 when it is near to one.
func (j *Judgement) between(p packet) int {
	m := j.Played.Moments
	for i := range m[:len(m)-1] {
		if p.mediaFrom.After(m[i].Done.Add(margin)) && p.arrival.Before(m[i+1].Sent.Add(-margin)) {
			return i
		}
	}
	return -1
}
