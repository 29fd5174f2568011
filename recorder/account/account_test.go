package account_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/store"
)

var begun = time.Date(2026, 11, 21, 14, 30, 5, 0, time.UTC)

func at(ms int64) time.Time { return begun.Add(time.Duration(ms) * time.Millisecond) }

func allowed(ms int64, stream string) account.Line {
	return account.Line{At: at(ms), Event: "allowed", Stream: stream, Because: "everything is recorded"}
}

func stopped(ms int64, stream string, causes ...string) account.Line {
	l := account.Line{At: at(ms), Event: "stopped", Stream: stream}
	for _, c := range causes {
		l.Causes = append(l.Causes, store.Cause{Cause: c, Owner: "call", Since: at(ms), Flag: "always"})
	}
	return l
}

func started() account.Line {
	return account.Line{At: begun, Event: "started", CallID: "c1", Policy: "p", Method: "INVITE"}
}

func ended(ms int64) account.Line { return account.Line{At: at(ms), Event: "ended", Reason: "bye"} }

func fact(ms int64, kind, party, stream string) account.Line {
	return account.Line{At: at(ms), Event: "fact", Fact: &account.Fact{Kind: kind, Party: party, Stream: stream}}
}

func span(from, to int64) store.Interval { return store.Interval{FromMS: from, ToMS: to} }

// drawn is a lane in a few words: state from-to, with causes or what is lacking.
func drawn(l account.Lane) string {
	var all []string
	for _, s := range l.Spans {
		words := fmt.Sprintf("%s %d-%d", s.State, s.FromMS, s.ToMS)
		for _, c := range s.Causes {
			words += " " + c.Cause
		}
		if s.Lack != "" {
			words += " " + s.Lack
		}
		all = append(all, words)
	}
	return l.Title + "|" + l.File + ": " + strings.Join(all, ", ")
}

func lanes(t *testing.T, e account.Evidence) string {
	t.Helper()
	a, err := account.Of(e)
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, l := range a.Lanes {
		all = append(all, drawn(l))
	}
	return strings.Join(all, "\n")
}

// finished is a manifest of 10 s with two people on a stream each.
func finished() store.Manifest {
	return store.Manifest{
		Recording: "r", EndReason: "bye", Times: store.Times{Invite: begun, End: at(10_000)},
		Participants: []store.Participant{
			{ID: "p1", Names: []string{"Alice"}, Sent: []store.Part{{Stream: "0.0", Interval: span(0, 10_000)}}},
			{ID: "p2", Names: []string{"Bob"}, Sent: []store.Part{{Stream: "1.0", Interval: span(0, 10_000)}}},
		},
		Streams: []store.Stream{{ID: "0.0", Recordable: true, Permitted: []store.Interval{span(0, 10_000)}}, {ID: "1.0", Recordable: true, Permitted: []store.Interval{span(0, 10_000)}}},
		Files: []store.File{
			{Name: "01-alice.wav", Attribution: store.ByMetadata, Participants: []string{"p1"}, Streams: []string{"0.0"}},
			{Name: "02-bob.wav", Attribution: store.ByMetadata, Participants: []string{"p2"}, Streams: []string{"1.0"}},
		},
	}
}

func TestLanes(t *testing.T) {
	plain := []account.Line{started(), allowed(0, "0.0"), allowed(0, "1.0"), stopped(10_000, "0.0", "not-live"), stopped(10_000, "1.0", "not-live"), ended(10_000)}
	for _, tt := range []struct {
		name   string
		change func(e *account.Evidence)
		want   string
	}{
		{"all of it", nil, "Alice|01-alice.wav: kept 0-10000\nBob|02-bob.wav: kept 0-10000"},
		{"by the manifest alone", func(e *account.Evidence) {
			e.Journal = nil
			e.Manifest.Decisions = []store.Decision{{FromMS: 0, Stream: "0.0", Verdict: "record"}, {FromMS: 4000, Stream: "0.0", Verdict: "withhold", Causes: []store.Cause{{Cause: "manual"}}}}
			e.Manifest.Streams[0].Permitted = []store.Interval{span(0, 4000)}
		}, "Alice|01-alice.wav: kept 0-4000, withheld 4000-10000 manual\nBob|: away 0-10000"},
		{"a pause that reaches back, over what was decided since", func(e *account.Evidence) {
			e.Journal = []account.Line{started(), allowed(0, "0.0"), stopped(3000, "0.0", "hold"), allowed(5000, "0.0"), stopped(2000, "0.0", "manual"), ended(10_000)}
			e.Manifest.Streams[0].Permitted = []store.Interval{span(0, 2000)}
		}, "Alice|01-alice.wav: kept 0-2000, withheld 2000-10000 manual\nBob|: away 0-10000"},
		{"gaps", func(e *account.Evidence) {
			e.Manifest.Streams[0].Gaps = []store.Gap{{Interval: span(1000, 1060), Cause: "lost"}, {Interval: span(2000, 3000), Cause: "server-down"}, {Interval: span(2000, 3000), Cause: "withheld"}}
			e.Manifest.Interruptions = []store.Interruption{{Interval: span(2100, 2900), Cause: "server-down"}}
		}, "Alice|01-alice.wav: kept 0-1000, missing 1000-1060 lost, kept 1060-2000, server-down 2000-3000, kept 3000-10000\n" +
			"Bob|02-bob.wav: kept 0-2100, server-down 2100-2900, kept 2900-10000"},
		{"what could not be taken back", func(e *account.Evidence) {
			e.Journal = []account.Line{started(), allowed(0, "0.0"), stopped(4000, "0.0", "manual"), ended(10_000)}
			e.Manifest.Streams[0].Permitted = []store.Interval{span(0, 4500)}
		}, "Alice|01-alice.wav: kept 0-4000, not-taken-back 4000-4500 manual, withheld 4500-10000 manual\nBob|: away 0-10000"},
		{"a gate that stayed shut", func(e *account.Evidence) { e.Manifest.Streams[0].Permitted = []store.Interval{span(1000, 10_000)} },
			"Alice|01-alice.wav: missing 0-1000 no-permit, kept 1000-10000\nBob|02-bob.wav: kept 0-10000"},
		{"another sends on the same stream", func(e *account.Evidence) {
			e.Manifest.Participants[0].Sent[0].ToMS = 6000
			e.Manifest.Participants = append(e.Manifest.Participants, store.Participant{ID: "p3", AORs: []string{"sip:carol@x"}, Sent: []store.Part{{Stream: "0.0", Interval: span(6000, 10_000)}}})
			e.Manifest.Files = append(e.Manifest.Files, store.File{Name: "03-carol.wav", Attribution: store.ByMetadata, Participants: []string{"p3"}, Streams: []string{"0.0"}})
		}, "Alice|01-alice.wav: kept 0-6000, away 6000-10000\nBob|02-bob.wav: kept 0-10000\nsip:carol@x|03-carol.wav: away 0-6000, kept 6000-10000"},
		{"two on one stream", func(e *account.Evidence) {
			e.Manifest.Participants[1].Sent = []store.Part{{Stream: "0.0", Interval: span(5000, 10_000)}}
			e.Manifest.Files[1] = store.File{Name: "02-mixed.wav", Attribution: store.Mixed, Participants: []string{"p1", "p2"}, Streams: []string{"0.0"}}
			e.Journal = []account.Line{started(), allowed(0, "0.0"), ended(10_000)}
		}, "Alice|01-alice.wav: kept 0-5000, away 5000-10000\nAlice|02-mixed.wav: away 0-5000, kept 5000-10000\nBob|02-mixed.wav: away 0-5000, kept 5000-10000"},
		{"two streams of one at a time", func(e *account.Evidence) {
			e.Manifest.Participants = e.Manifest.Participants[:1]
			e.Manifest.Participants[0].Sent = append(e.Manifest.Participants[0].Sent, store.Part{Stream: "1.0", Interval: span(0, 10_000)})
			e.Manifest.Files[1].Participants = []string{"p1"}
		}, "Alice|01-alice.wav: kept 0-10000\nAlice|02-bob.wav: kept 0-10000"},
		{"one stream after the other, of which nothing may be kept", func(e *account.Evidence) {
			e.Manifest.Participants[0].Sent = []store.Part{{Stream: "0.0", Interval: span(0, 4000)}, {Stream: "0.1", Interval: span(4000, 10_000)}}
			e.Journal = []account.Line{started(), allowed(0, "0.0"), stopped(4000, "0.0", "not-live"), stopped(4000, "0.1", "role"), ended(10_000)}
		}, "Alice|01-alice.wav: kept 0-4000, withheld 4000-10000 role\nBob|: away 0-10000"},
		{"nobody is known to send", func(e *account.Evidence) {
			e.Manifest.Participants, e.Manifest.Streams[0].Label = nil, "7"
			e.Manifest.Files = []store.File{{Name: "01-stream.wav", Attribution: store.Unattributed, Streams: []string{"0.0"}}}
		}, "stream 0.0, label 7|01-stream.wav: kept 0-10000\nstream 1.0|: kept 0-10000"},
		{"erased", func(e *account.Evidence) {
			e.Manifest = store.WithoutPeople(e.Manifest)
			e.Erased = &store.Tombstone{Recording: "r", At: at(20_000), By: "Ann", Reason: "asked"}
		}, "stream 0.0|: erased 0-10000\nstream 1.0|: erased 0-10000"},
		{"void", func(e *account.Evidence) {
			e.Manifest = store.WithoutPeople(e.Manifest)
			e.Manifest.Void, e.Manifest.Streams[0].Permitted = true, nil
			e.Journal = []account.Line{started(), stopped(0, "0.0", "consent"), allowed(2000, "0.0"), stopped(4000, "0.0", "void"), ended(10_000)}
			e.Erased = &store.Tombstone{Recording: "r", At: at(10_000), By: "policy p", Reason: "consent"}
		}, "stream 0.0|: withheld 0-2000 consent, erased 2000-4000, withheld 4000-10000 void"},
		{"it goes on", func(e *account.Evidence) {
			e.Manifest, e.Finished = store.Manifest{Recording: "r"}, false
			e.People = []account.Person{{Key: "p1", ID: "P1", Title: "Alice"}}
			joined := fact(0, "party-joined", "p1", "")
			joined.Fact.Who = &store.Role{Role: "agent"}
			e.Journal = []account.Line{
				started(), joined, fact(0, "stream-sends", "p1", "0.0"), allowed(0, "0.0"),
				{At: at(5000), Event: "resumed", Down: ptr(at(3000))},
				fact(6000, "stream-sends-not", "p1", "0.0"), fact(6000, "stream-sends", "stream 0.0", "0.0"),
			}
			e.Seen, e.Now = at(7000), at(8000)
		}, "Alice|: allowed 0-3000, server-down 3000-5000, allowed 5000-6000, away 6000-8000\n" +
			"stream 0.0|: away 0-6000, allowed 6000-7000, fresh 7000-8000"},
		{"it ended and is not finished", func(e *account.Evidence) { e.Manifest, e.Finished = store.Manifest{Recording: "r"}, false },
			"stream 0.0|: allowed 0-10000\nstream 1.0|: allowed 0-10000"},
		{"a user recording that goes on, beside the call", func(e *account.Evidence) {
			e.Manifest, e.Finished = store.Manifest{Recording: "u"}, false
			e.People = []account.Person{{Key: "p1", ID: "p1", Title: "Alice"}}
			joined := fact(0, "party-joined", "p1", "")
			joined.Fact.Who = &store.Role{Role: "agent"}
			e.Beside = []account.Line{started(), joined, fact(0, "stream-sends", "p1", "0.0")}
			e.Journal = []account.Line{{At: at(4000), Event: "started", Of: "r", Maker: "p1"}, allowed(4000, "0.0"), ended(6000)}
		}, "Alice|: away 0-4000, allowed 4000-6000"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			e := account.Evidence{Manifest: finished(), Finished: true, Journal: slices.Clone(plain)}
			if tt.change != nil {
				tt.change(&e)
			}
			if got := lanes(t, e); got != tt.want {
				t.Errorf("got\n%s\nwant\n%s", got, tt.want)
			}
		})
	}
	if _, err := account.Of(account.Evidence{}); !errors.Is(err, account.ErrNothing) {
		t.Errorf("of nothing: %v", err)
	}
}

func ptr[T any](v T) *T { return &v }

// A journal and a manifest that do not tell of the same decisions are remarked on.
func TestDecisionsDiffer(t *testing.T) {
	m := finished()
	m.Decisions = []store.Decision{{Stream: "0.0"}, {Verdict: "refused"}}
	a, err := account.Of(account.Evidence{Manifest: m, Finished: true, Journal: []account.Line{started(), allowed(0, "0.0")}})
	if err != nil || slices.ContainsFunc(a.Remarks, func(r string) bool { return strings.Contains(r, "the manifest tells") }) {
		t.Errorf("with a refusal: %v, remarks %q", err, a.Remarks)
	}
	m.Decisions = []store.Decision{{Stream: "0.0"}, {Stream: "1.0"}}
	a, err = account.Of(account.Evidence{Manifest: m, Finished: true, Journal: []account.Line{started(), allowed(0, "0.0")}})
	if err != nil || !slices.ContainsFunc(a.Remarks, func(r string) bool { return strings.Contains(r, "2 decisions and the journal of 1") }) {
		t.Errorf("%v, remarks %q", err, a.Remarks)
	}
}

// Of a recording that goes on and is void already it is said that nothing will be left.
func TestVoidBeforeTheEnd(t *testing.T) {
	for cause, want := range map[string]bool{"void": true, "consent": false} {
		a, err := account.Of(account.Evidence{Manifest: store.Manifest{Recording: "r"}, Now: at(5000), Seen: at(5000), Journal: []account.Line{started(), allowed(0, "0.0"), stopped(1000, "0.0", cause)}})
		if said := slices.ContainsFunc(a.Remarks, func(r string) bool { return strings.HasPrefix(r, "it is void") }); err != nil || said != want {
			t.Errorf("%s: %v, remarks %q", cause, err, a.Remarks)
		}
	}
}

func TestWhom(t *testing.T) {
	m := finished()
	m.Participants[1].AORs = []string{"sip:bob@example.com"}
	a, err := account.Of(account.Evidence{Manifest: m, Finished: true, Journal: []account.Line{started(), allowed(0, "0.0"), allowed(0, "1.0")}})
	if err != nil {
		t.Fatal(err)
	}
	for of, want := range map[string]int{
		"": 2, "Bob": 1, "bob": 1, "p2": 1, "sip:bob@example.com": 1, "BOB@example.com": 1, "02-bob.wav": 1, "02-bob": 1, "1.0": 1, "bo": 0, "carol": 0,
	} {
		got := a.Why(1000, of)
		if len(got) != want || want == 1 && got[0].Title != "Bob" {
			t.Errorf("%q: %d answers", of, len(got))
		}
	}
}

// The place in a file is that behind the beginning of the timeline, or where the gaps that
// are left out put it.
func TestPlaceInFile(t *testing.T) {
	m := finished()
	m.Timeline.OffsetMS = 1000
	m.Streams[0].Permitted = []store.Interval{span(1000, 10_000)}
	m.Files[1].Map = []store.Mapped{{FileMS: 0, Interval: span(1000, 3000)}, {FileMS: 2000, Interval: span(7000, 10_000)}}
	a, err := account.Of(account.Evidence{Manifest: m, Finished: true, Journal: []account.Line{started(), allowed(0, "0.0"), allowed(0, "1.0")}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		of   string
		at   int64
		want int64 // below 0 for nowhere
	}{{"Alice", 500, -1}, {"Alice", 1000, 0}, {"Alice", 7500, 6500}, {"Bob", 1500, 500}, {"Bob", 3000, -1}, {"Bob", 7500, 2500}} {
		got := int64(-1)
		if p := a.Why(tt.at, tt.of)[0].FileMS; p != nil {
			got = *p
		}
		if got != tt.want {
			t.Errorf("%s at %d: place %d, want %d", tt.of, tt.at, got, tt.want)
		}
	}
}

func TestOutside(t *testing.T) {
	live := account.Evidence{Manifest: store.Manifest{Recording: "r"}, Journal: []account.Line{started(), allowed(0, "0.0")}, Seen: at(5000), Now: at(5000)}
	over := account.Evidence{Manifest: finished(), Finished: true, Journal: []account.Line{started(), allowed(0, "0.0")}}
	for _, tt := range []struct {
		e    account.Evidence
		at   int64
		want string
	}{
		{over, -1, "began at 2026-11-21 14:30:05.000 UTC"}, {over, 10_000, "ended at 0:10.000 (bye)"}, {over, 9_999, "So it stays to the end"},
		{live, 5000, "goes on, and is told up to 0:05.000"}, {live, 4999, "up to now"},
	} {
		a, err := account.Of(tt.e)
		if err != nil {
			t.Fatal(err)
		}
		if got := a.Why(tt.at, ""); len(got) == 0 || !strings.Contains(strings.Join(got[0].Sentences, " "), tt.want) {
			t.Errorf("at %d: %+v, want %q", tt.at, got, tt.want)
		}
	}
}

// An account is for machines too: what is there once is there after JSON.
func TestJSON(t *testing.T) {
	a, err := account.Of(account.Evidence{Manifest: finished(), Finished: true, Journal: []account.Line{started(), allowed(0, "0.0"), stopped(4000, "1.0", "manual")}})
	if err != nil {
		t.Fatal(err)
	}
	b, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	var got account.Account
	if err := json.Unmarshal(b, &got); err != nil {
		t.Fatal(err)
	}
	if drawn(got.Lanes[1]) != drawn(a.Lanes[1]) || len(got.Events) != len(a.Events) || got.Progress != account.Finished {
		t.Errorf("%s", b)
	}
}

func TestClock(t *testing.T) {
	for ms, want := range map[int64]string{0: "0:00.000", 41_250: "0:41.250", 59_999: "0:59.999", 60_000: "1:00.000", 3_599_999: "59:59.999", 3_600_000: "1:00:00.000", -1500: "-0:01.500"} {
		if got := account.Clock(ms); got != want {
			t.Errorf("%d: %s, want %s", ms, got, want)
		}
	}
}

// An interaction of several recording sessions is one account: it is over with the last of
// them, and its streams have lanes whichever brought them. Commands are told with who gave
// them, also when they reach back or are refused.
func TestRecordingSessionsAndCommands(t *testing.T) {
	joined := account.Line{At: at(4000), Event: "joined", Leg: 2, Method: "INVITE", Words: "it has the same group"}
	pause := account.Line{At: at(5000), Event: "command", Said: ptr(at(5500)), Command: &account.Command{
		Action: "pause", By: "desk/anna", Party: "p1", Reason: "card", Tags: map[string]string{"b": "2", "a": "1"},
		Proof: &account.Proof{Who: "Bob", When: at(5000), Wording: "may we?", Digit: "1"},
	}}
	refused := account.Line{At: at(6000), Event: "command", Said: ptr(at(6000)), Command: &account.Command{Action: "resume", By: "desk", Refused: "is not on the call"}}
	manual := stopped(5000, "2/0.0", "manual")
	lines := []account.Line{started(), allowed(0, "0.0"), joined, allowed(4000, "2/0.0"), ended(4500), stopped(4500, "0.0", "not-live"), pause, manual, refused}
	e := account.Evidence{Manifest: store.Manifest{Recording: "r"}, Journal: lines, Seen: at(7000), Now: at(7000), People: []account.Person{{Key: "p1", ID: "p1", Title: "Alice"}}}
	if got, want := lanes(t, e), "stream 0.0|: allowed 0-4500, away 4500-7000 not-live\nstream 2/0.0|: away 0-4000, allowed 4000-5000, withheld 5000-7000 manual"; got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	a, err := account.Of(e)
	if err != nil {
		t.Fatal(err)
	}
	var words []string
	for _, event := range a.Events {
		words = append(words, event.Words...)
	}
	for _, w := range []string{
		"recording session 2 joins (INVITE): it has the same group",
		`command pause of Alice by desk/anna for the reason: card, a=1, b=2; evidence: Bob, at 2026-11-21 14:30:10.000 UTC, "may we?", digit 1; it came at 0:05.500 and holds from here on`,
		"command resume by desk; refused: is not on the call",
	} {
		if !slices.Contains(words, w) {
			t.Errorf("%q is not told:\n%s", w, strings.Join(words, "\n"))
		}
	}
	if said := strings.Join(a.Why(5000, "2/0.0")[0].Sentences, " "); !strings.Contains(said, "(manual, by command of desk/anna)") {
		t.Errorf("why: %s", said)
	}
	last := ended(9000)
	last.Leg = 2
	e.Journal = append(e.Journal, last, account.Line{At: at(9000), Event: "over"})
	if a, err = account.Of(e); err != nil || a.Progress != account.Ended || a.LengthMS != 9000 {
		t.Errorf("%s after %d ms, %v", a.Progress, a.LengthMS, err)
	}
}
