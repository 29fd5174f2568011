package policy

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
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

// A span is a time; to is zero while it lasts.
type span struct{ from, to time.Time }

// streamID is how the server calls the stream of a party.
func (h Heard) streamID() string {
	if h.Leg > 1 {
		return fmt.Sprintf("%d/%d.0", h.Leg, h.Line)
	}
	return fmt.Sprintf("%d.0", h.Line)
}

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

// A packet is one that was sent, with what is known of its two instants at the
// server: when it arrived, and when by its RTP time it was sent.
type packet struct {
	number               int
	arrivalFrom, arrival time.Time
	mediaFrom, media     time.Time
}

// String tells the instants for a person.
func (p packet) String() string {
	const clock = "15:04:05.0000"
	return fmt.Sprintf("written %s-%s, media time %s-%s", p.arrivalFrom.Format(clock), p.arrival.Format(clock), p.mediaFrom.Format(clock), p.media.Format(clock))
}

// String tells the span for a person.
func (s span) String() string {
	const clock = "15:04:05.0000"
	return s.from.UTC().Format(clock) + "-" + s.to.UTC().Format(clock)
}

// packets tells the instants of what was sent. The media time of a packet is its RTP
// time and the smallest transit so far, which is known to within the time that a write
// took.
func packets(sent []src.Sent) []packet {
	var out []packet
	sent = slices.DeleteFunc(slices.Clone(sent), func(s src.Sent) bool { return s.At.IsZero() }) // lost on the way
	if len(sent) == 0 {
		return nil
	}
	rtp := func(s src.Sent) time.Duration {
		return time.Duration(int32(s.Timestamp-sent[0].Timestamp)) * time.Second / 8000
	}
	zero := sent[0].Began
	least := time.Duration(math.MaxInt64)
	for _, s := range sent {
		least = min(least, s.Began.Sub(zero)-rtp(s))
	}
	so := time.Duration(math.MaxInt64)
	for _, s := range sent {
		so = min(so, s.At.Sub(zero)-rtp(s))
		p := packet{number: s.Index, arrivalFrom: s.Began, arrival: s.At, mediaFrom: zero.Add(rtp(s) + least), media: zero.Add(rtp(s) + so)}
		if p.media.After(p.arrival) {
			p.media = p.arrival
		}
		out = append(out, p)
	}
	return out
}

// within reports whether both instants of a packet lie in a time for sure, outside
// whether one of them lies in none of the times for sure.
func (p packet) within(spans []span) bool {
	return slices.ContainsFunc(spans, func(s span) bool {
		return !p.mediaFrom.Add(-unsure).Before(s.from) && (s.to.IsZero() || p.arrival.Add(unsure).Before(s.to))
	})
}

// outside lets what was sent before the end of a recording be up to 500 ms late: it is
// its tail.
func (p packet) outside(spans []span, ends func(at time.Time) bool) bool {
	in := func(from, to time.Time, late time.Duration) bool {
		return slices.ContainsFunc(spans, func(s span) bool {
			over := s.to
			if ends(over) {
				over = over.Add(late)
			}
			return to.Add(unsure).After(s.from) && (s.to.IsZero() || from.Add(-unsure).Before(over))
		})
	}
	return !in(p.arrivalFrom, p.arrival, tail) || !in(p.mediaFrom, p.media, 0)
}

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
