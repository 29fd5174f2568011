package policy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

const pauseAndNo = `scenario: s
title: The agent pauses
class: own
flags: vonage plan=all ctl=all

0 in C
0 join A
20 pause A
30 resume A
40 resume C
60 end

record A 0-20 30-60
record C 0-20 30-60
withhold A 20-30 manual
withhold C 20-30 manual
refused 40 resume C
keep forever
`

// origin is when the made-up call begins.
func origin() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

// after is so many milliseconds after the begin.
func after(ms int) time.Time { return origin().Add(time.Duration(ms) * time.Millisecond) }

// made is a call that went as its scenario says, and what was written of it: five
// instants 500 ms apart, each answered after 10 ms, of which the signal took effect
// after 5 ms.
func made(t *testing.T) (*Played, *Recording) {
	t.Helper()
	list, err := scenario.Parse(pauseAndNo)
	if err != nil {
		t.Fatal(err)
	}
	p := &Played{Scenario: list[0], CallID: "c"}
	for i, m := range moments(list[0]) {
		events := []string{"in join", "pause A", "resume A", "resume C", "end"}
		ways := []string{"INVITE", "pause", "resume", "resume", "BYE"}
		statuses := []int{200, 200, 200, 409, 200}
		p.Moments = append(p.Moments, Moment{At: m.at, Sent: after(500 * i), Done: after(500*i + 10), Signals: []Signal{{
			Event: events[i], Way: ways[i], Sent: after(500 * i), Done: after(500*i + 10), Status: statuses[i],
		}}})
	}
	r := &Recording{ID: "r", CallID: "c", Files: 2, Manifest: &Manifest{}, Found: make(map[Voice]map[int]bool)}
	fact := func(ms int, f Fact) { r.Journal = append(r.Journal, Line{At: after(ms), Event: "fact", Fact: &f}) }
	decided := func(ms int, event string, causes ...Cause) {
		for i := range 2 {
			r.Journal = append(r.Journal, Line{At: after(ms), Event: event, Stream: fmt.Sprintf("%d.0", i), Causes: causes})
		}
	}
	fact(5, Fact{Kind: "party-joined", Party: "idC"})
	fact(5, Fact{Kind: "party-joined", Party: "idA"})
	decided(5, "allowed")
	fact(505, Fact{Kind: "pause", Party: "idA"})
	decided(505, "stopped", Cause{Cause: "manual"})
	fact(1005, Fact{Kind: "resume", Party: "idA"})
	decided(1005, "allowed")
	fact(1505, Fact{Kind: "resume", Party: "idC"})
	decided(2005, "stopped", Cause{Cause: "not-live"})
	for i, name := range []string{"C", "A"} {
		h := Heard{Name: name, Voice: Voice{Call: 1, Party: i}, Line: i, IDs: []string{"id" + name}}
		found := make(map[int]bool)
		for n := range 99 {
			at := after(12 + 20*n)
			h.Packets = append(h.Packets, src.Sent{Index: n, Timestamp: uint32(160 * n), Began: at, At: at.Add(time.Millisecond)})
			ms := 12 + 20*n
			if ms < 500 || ms > 1010 {
				found[n] = true
			}
		}
		p.Parties = append(p.Parties, h)
		r.Found[h.Voice] = found
	}
	return p, r
}

func TestJudgePasses(t *testing.T) {
	p, r := made(t)
	j := Judge(p, []*Recording{r})
	if !j.Passed() || j.Sent != 198 || j.Kept == 0 || len(j.Edges) != 8 {
		t.Errorf("%d of %d kept, %d edges, %q", j.Kept, j.Sent, len(j.Edges), j.Problems)
	}
}

// Each thing that goes wrong is found.
func TestJudgeFinds(t *testing.T) {
	voice := Voice{Call: 1}
	for _, tt := range []struct {
		name  string
		spoil func(p *Played, r *Recording)
		want  string
	}{
		{"a packet of the pause", func(_ *Played, r *Recording) { r.Found[voice][40] = false }, "packet 40 of C"},
		{"the first packet of the pause", func(_ *Played, r *Recording) { r.Found[voice][26] = true }, "although the journal withholds it"},
		{"a packet that is missing", func(_ *Played, r *Recording) { delete(r.Found[voice], 10) }, "packet 10 of C, sent after 213ms, is in no file"},
		{"the first packet after the pause", func(_ *Played, r *Recording) { delete(r.Found[voice], 51) }, "although the journal permits it"},
		{"a packet after the answer of a slow server", func(p *Played, r *Recording) {
			p.Moments[2].Done, p.Moments[2].Signals[0].Done = after(1055), after(1055)
			delete(r.Found[voice], 54)
		}, "packet 54 of C"},
		{"a voice of another call", func(_ *Played, r *Recording) { r.Found[Voice{Call: 2}] = map[int]bool{1: true} }, "holds party 0 of call 2"},
		{"a damaged packet", func(_ *Played, r *Recording) { r.Found[voice][10] = false }, "is not as it was sent"},
		{"an edge at no signal", func(_ *Played, r *Recording) { r.Journal[5].At = after(540) }, "at no signal"},
		{"an edge later than the command says", func(p *Played, _ *Recording) { p.Moments[1].Signals[0].At = after(499) }, "at no signal"},
		{"another cause", func(_ *Played, r *Recording) { r.Journal[5].Causes = []Cause{{Cause: "hold"}} }, `withheld for ["hold"]`},
		{"an event that was not told", func(_ *Played, r *Recording) { r.Journal[4].Fact = nil }, `the journal tells [], want ["pause A"]`},
		{"an event of somebody else", func(_ *Played, r *Recording) { r.Journal[4].Fact.Party = "idC" }, `tells ["pause C"]`},
		{"a command that was carried out", func(p *Played, _ *Recording) { p.Moments[3].Signals[0].Status = 200 }, "was to be refused"},
		{"a command that was refused", func(p *Played, _ *Recording) { p.Moments[1].Signals[0].Status = 409 }, "pause A was refused"},
		{"a command that failed", func(p *Played, _ *Recording) { p.Moments[1].Signals[0].Status = 500 }, "was answered 500"},
		{"a command that was never said", func(p *Played, _ *Recording) { p.Moments[3].Signals = nil }, "was to be refused"},
		{"kept for a time only", func(_ *Played, r *Recording) {
			r.Manifest.Retention = &Retention{DeleteAt: r.Manifest.Times.End.AddDate(0, 0, 30)}
		}, "30 is kept, want forever"},
		{"not finished", func(_ *Played, r *Recording) { r.Manifest = nil }, "is not finished"},
		{"erased", func(_ *Played, r *Recording) { r.Manifest.Void, r.Erased = true, true }, "nothing is kept, want forever"},
	} {
		p, r := made(t)
		tt.spoil(p, r)
		j := Judge(p, []*Recording{r})
		if !slices.ContainsFunc(j.Problems, func(s string) bool { return strings.Contains(s, tt.want) }) {
			t.Errorf("%s: %q, want %q", tt.name, j.Problems, tt.want)
		}
	}
	p, r := made(t)
	if j := Judge(p, nil); j.Passed() {
		t.Error("nothing was written, and it passes")
	}
	if j := Judge(p, []*Recording{r, r}); j.Passed() {
		t.Error("two recordings of one call pass")
	}
}

// What a scenario wants to be discarded must have left a tombstone and no file.
func TestJudgeDiscarded(t *testing.T) {
	p, r := made(t)
	p.Scenario.Want = scenario.Outcome{Keep: "nothing", Refused: p.Scenario.Want.Refused}
	r.Found, r.Files, r.Erased, r.Manifest.Void = nil, 0, true, true
	if j := Judge(p, []*Recording{r}); !j.Passed() {
		t.Errorf("problems %q", j.Problems)
	}
	r.Erased = false
	if j := Judge(p, []*Recording{r}); j.Passed() {
		t.Error("passes without a tombstone")
	}
	r.Erased, r.Files = true, 1
	if j := Judge(p, []*Recording{r}); j.Passed() {
		t.Error("passes with a file")
	}
	if got := p.Forbidden(); len(got) != 2 {
		t.Errorf("forbidden %v, want both voices", got)
	}
}

// A user recording is one of its maker, and has nothing of others.
func TestJudgeUserRecordings(t *testing.T) {
	p, r := made(t)
	u := &Recording{ID: "u", Of: "r", Maker: "idA", Journal: r.Journal, Files: 2, Manifest: &Manifest{}, Found: r.Found}
	if j := Judge(p, []*Recording{r, u}); j.Passed() {
		t.Error("a user recording that nobody made passes")
	}
	p.Scenario.Want.User = []scenario.Track{{Maker: "A", Party: "A", Spans: p.Scenario.Want.Recorded[0].Spans}, {Maker: "A", Party: "C", Spans: p.Scenario.Want.Recorded[0].Spans}}
	if j := Judge(p, []*Recording{r, u}); !j.Passed() {
		t.Errorf("problems %q", j.Problems)
	}
	if j := Judge(p, []*Recording{r}); j.Passed() {
		t.Error("passes without the user recording")
	}
}
