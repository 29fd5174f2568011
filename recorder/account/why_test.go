package account_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/store"
)

// FuzzWhy holds what is said of each instant against the journal, read by the simplest
// rule there is: of the decisions about a stream that are for an instant not after this
// one, the one written last holds.
func FuzzWhy(f *testing.F) {
	f.Add([]byte{0, 1, 10, 2, 20, 1, 5, 3, 40, 0})
	f.Add([]byte{0, 1, 0, 2, 30, 6, 30, 1, 29, 9})
	f.Add([]byte{200, 7})
	f.Fuzz(func(t *testing.T, script []byte) {
		const length = 100
		lines := []account.Line{started()}
		for i := 0; i+1 < len(script) && i < 60; i += 2 {
			lines = append(lines, scripted(script[i], script[i+1]))
		}
		lines = append(lines, ended(length))
		m := finished()
		m.Times.End = at(length)
		for i := range m.Participants {
			m.Participants[i].Sent[0].ToMS = length
		}
		for i := range m.Streams {
			m.Streams[i].Permitted = permittedBy(lines, m.Streams[i].ID, length)
		}
		for _, e := range []account.Evidence{
			{Manifest: m, Finished: true, Journal: lines},
			{Manifest: store.Manifest{Recording: "r"}, Journal: lines}, // not finished: lanes of streams
		} {
			a, err := account.Of(e)
			if err != nil {
				t.Fatal(err)
			}
			for ms := range int64(length) {
				compare(t, &a, lines, ms)
			}
			for _, l := range a.Lanes {
				covers(t, l, length)
			}
		}
	})
}

// scripted makes two octets a decision: when, and what about which stream.
func scripted(when, what byte) account.Line {
	stream, ms := fmt.Sprintf("%d.0", what%2), int64(when)%100
	causes := []string{"manual", "hold", "secure", "not-live"}
	var in []string
	for i, c := range causes {
		if what>>(i+1)&1 == 1 {
			in = append(in, c)
		}
	}
	if len(in) == 0 {
		return allowed(ms, stream)
	}
	return stopped(ms, stream, in...)
}

// oracle is the decision that holds; nil for none.
func oracle(lines []account.Line, stream string, ms int64) *account.Line {
	var last *account.Line
	for i, l := range lines {
		if l.Stream == stream && !l.At.After(at(ms)) {
			last = &lines[i]
		}
	}
	return last
}

// permittedBy is what the oracle has recorded.
func permittedBy(lines []account.Line, stream string, length int64) (out []store.Interval) {
	for ms := range length {
		if l := oracle(lines, stream, ms); l == nil || l.Event != "allowed" {
			continue
		}
		if n := len(out); n > 0 && out[n-1].ToMS == ms {
			out[n-1].ToMS++
			continue
		}
		out = append(out, span(ms, ms+1))
	}
	return out
}

// compare holds an answer against the oracle.
func compare(t *testing.T, a *account.Account, lines []account.Line, ms int64) {
	t.Helper()
	for _, stream := range []string{"0.0", "1.0"} {
		var want account.State
		var causes []string
		switch l := oracle(lines, stream, ms); {
		case l == nil:
			want = account.Away
		case l.Event == "allowed":
			want = account.Kept
		default:
			want = account.Withheld
			for _, c := range l.Causes {
				causes = append(causes, c.Cause)
			}
			if slices.Contains(causes, "not-live") {
				want, causes = account.Away, nil
			}
		}
		if want == account.Kept && a.Progress != account.Finished {
			want = account.Allowed
		}
		said := slices.DeleteFunc(a.Why(ms, ""), func(one account.Answer) bool {
			return one.Stream != stream && !(one.Stream == "" && (one.Party == "p1") == (stream == "0.0") && one.Party != "")
		})
		if len(said) == 0 && want == account.Away {
			continue // nothing is ever there
		}
		if len(said) != 1 || said[0].State != want || ms < said[0].FromMS || ms >= said[0].ToMS {
			t.Fatalf("at %d stream %s: said %+v, want %s", ms, stream, said, want)
		}
		text := strings.Join(said[0].Sentences, "\n")
		for _, c := range causes {
			if !strings.Contains(text, "("+c) {
				t.Fatalf("at %d stream %s: %s is not named in %q", ms, stream, c, text)
			}
		}
		if recorded := strings.HasPrefix(text, "Recorded"); recorded != (want == account.Kept || want == account.Allowed) {
			t.Fatalf("at %d stream %s: %q, want %s", ms, stream, text, want)
		}
		if (want == account.Withheld) != strings.HasPrefix(text, "Withheld") {
			t.Fatalf("at %d stream %s: %q, want %s", ms, stream, text, want)
		}
	}
}

// covers checks that the spans of a lane follow each other over its whole length.
func covers(t *testing.T, l account.Lane, length int64) {
	t.Helper()
	end := int64(0)
	for _, s := range l.Spans {
		if s.FromMS != end || s.ToMS <= s.FromMS {
			t.Fatalf("lane %s: %+v", l.Title, l.Spans)
		}
		end = s.ToMS
	}
	if end != length {
		t.Fatalf("lane %s ends at %d", l.Title, end)
	}
}

// What is said of an edge is of the part that begins there, and of what was before.
func TestEdge(t *testing.T) {
	m := finished()
	m.Streams[0].Permitted = []store.Interval{span(0, 4000), span(6000, 10_000)}
	lines := []account.Line{started(), allowed(0, "0.0"), stopped(4000, "0.0", "manual", "secure"), allowed(6000, "0.0"), stopped(10_000, "0.0", "not-live")}
	a, err := account.Of(account.Evidence{Manifest: m, Finished: true, Journal: lines})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		at   int64
		want []string
		not  string
	}{
		{3999, []string{"Recorded, in 01-alice.wav at 0:03.999.", "From 0:04.000 on it is withheld (manual, secure)."}, "first instant"},
		{4000, []string{"Withheld, for 2 causes", "first instant: until then it was recorded", "From 0:06.000 on it is recorded."}, ""},
		{4001, []string{"Withheld", "since 0:04.000 (2026-11-21 14:30:09.000 UTC)", "It ends when: somebody who may resumes."}, "first instant"},
		{6000, []string{"Recorded", "first instant: until then it was withheld", "So it stays to the end, at 0:10.000."}, ""},
	} {
		text := strings.Join(a.Why(tt.at, "Alice")[0].Sentences, "\n")
		for _, w := range tt.want {
			if !strings.Contains(text, w) {
				t.Errorf("at %d: %q lacks %q", tt.at, text, w)
			}
		}
		if tt.not != "" && strings.Contains(text, tt.not) {
			t.Errorf("at %d: %q has %q", tt.at, text, tt.not)
		}
	}
}

// Of hold and IVR, which may begin in two ways each, what ends them is that of the setting
// they rest on.
func TestWhatEndsIt(t *testing.T) {
	for _, tt := range []struct {
		cause store.Cause
		want  string
	}{
		{store.Cause{Cause: "hold", Owner: "p1", Basis: "setting hold: pause-until-retrieve, as in Vonage V-40"}, "he retrieves"},
		{store.Cause{Cause: "hold", Owner: "leg of p1", Basis: "setting hold: pause-customer-leg, as in Genesys G-21"}, "a retrieve, the end of the consult"},
		{store.Cause{Cause: "ivr", Owner: "payment", Basis: "setting suppress: yes"}, "it leaves that flow"},
		{store.Cause{Cause: "ivr", Owner: "unfed", Basis: "setting suppress: yes, wait: withhold"}, "the first of the own people joins"},
		{store.Cause{Cause: "do-not-record", Owner: "call"}, "It ends when: that third party leaves"},
		{store.Cause{Cause: "do-not-record", Owner: "command"}, "A command forbids to record the call (do-not-record). Nothing ends it."},
		{store.Cause{Cause: "void"}, "Nothing ends it."},
		{store.Cause{Cause: "of a later version"}, "What ends it is not known."},
	} {
		l := stopped(0, "0.0")
		l.Causes = []store.Cause{tt.cause}
		m := finished()
		m.Streams[0].Permitted = nil
		a, err := account.Of(account.Evidence{Manifest: m, Finished: true, Journal: []account.Line{started(), l}})
		if err != nil {
			t.Fatal(err)
		}
		if text := strings.Join(a.Why(1, "Alice")[0].Sentences, "\n"); !strings.Contains(text, tt.want) {
			t.Errorf("%+v: %q lacks %q", tt.cause, text, tt.want)
		}
	}
}
