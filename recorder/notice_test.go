package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// A board keeps what it is told.
type board struct {
	mu   sync.Mutex
	list []Notice
}

func (b *board) notify(n Notice) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.list = append(b.list, n)
}

func (b *board) all() []Notice {
	b.mu.Lock()
	defer b.mu.Unlock()
	return slices.Clone(b.list)
}

// short is a notice without what all of a recording have.
func (n Notice) short() string {
	out := n.Type
	for _, s := range []string{n.Alarm, n.Cause, n.Owner, n.Stream, n.Party, n.Role, n.Verdict, n.Action, n.Reason} {
		if s != "" {
			out += " " + s
		}
	}
	return out
}

func shortly(list []Notice) []string {
	var out []string
	for _, n := range list {
		out = append(out, n.short())
	}
	return out
}

// announced records scripts, one after the other, and returns what was told.
func announced(t *testing.T, file string, change func(*Config), scripts ...[]func(*fake) *siprec.Event) (list []Notice, logs *observer.ObservedLogs, dir string) {
	t.Helper()
	dir = t.TempDir()
	book := openBook(t, dir, ourPeople)
	publish(t, book, file, sec(-10))
	var b board
	core, logs := observer.New(zap.WarnLevel)
	cfg := Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }, Notify: b.notify, Log: zap.New(core)}
	if change != nil {
		change(&cfg)
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range scripts {
		r.serve(t.Context(), newFake(t, s...))
	}
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	return b.all(), logs, dir
}

type script = []func(*fake) *siprec.Event

// phased is both talking for a second.
func phased(from float64) func(*fake) *siprec.Event {
	return func(f *fake) *siprec.Event {
		talk(0, 1, from, from+1)(f)
		return talk(1, 2, from, from+1)(f)
	}
}

func mutely(p party) party { p.sends = nil; return p }

var (
	aliceSends = sends("p1", "sip:alice@example.com", "s1")
	bobSends   = sends("p2", "sip:bob@example.net", "s2")
)

// What happens to a recording is told, in order, with where it belongs.
func TestNotices(t *testing.T) {
	call := document("complete", twoStreams, aliceSends, bobSends)
	partial := func(ps ...party) string { return document("partial", nil, ps...) }
	for _, tt := range []struct {
		name, file string
		script     script
		want       []string
	}{
		{"a hold", trunkFile("", ""),
			script{offered(both, call), phased(0), changed(1, nil, partial(aliceSends, mutely(bobSends))), phased(1),
				changed(2, nil, partial(aliceSends, bobSends)), phased(2), ended(3)},
			[]string{"started", "cause-added hold p1", "cause-removed hold p1", "stopped bye", "verdict ok"}},
		{"a hold of the leg is about a stream", trunkFile("    hold: pause-customer-leg\n", ""),
			script{offered(both, call), phased(0), changed(1, nil, partial(aliceSends, mutely(bobSends))), phased(1), ended(2)},
			[]string{"started", "cause-added hold leg of p1 0.0", "cause-added hold leg of p2 1.0", "stopped bye", "verdict ok"}},
		{"an inactive stream", trunkFile("", ""),
			script{offered(both, call), phased(0), changed(1, []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.SendOnly)}), ended(2)},
			[]string{"started", "cause-added sdp sdp 0.0", "stopped bye", "verdict ok"}},
		{"agent only, and the customer leaves", trunkFile("    owner: {agent-only: on}\n", ""),
			script{offered(both, call), phased(0), ended(1)},
			[]string{"started", "cause-added role p2 1.0", "stopped bye", "verdict ok"}},
		{"consent that was not given makes it void", trunkFile("    consent: ask\n", ""),
			script{offered(both, document("complete", twoStreams, bobSends, aliceSends)), phased(0), ended(1)},
			[]string{"started", "cause-added consent call", "stopped bye", "verdict void", "erased void"}},
		{"one voice is missing", trunkFile("", ""),
			script{offered(both, call), talk(0, 1, 0, 3), ended(3)},
			[]string{"started", "stopped bye", "alarm silent-stream 1.0", "alarm one-sided", "verdict partial"}},
		{"nobody knows whose it is", "accounts: [{name: sales}]\nmapping: [{listener: other, account: sales}]\n",
			script{offered(both, call), phased(0), ended(1)},
			[]string{"started", "cause-added no-decision policy", "alarm account-unknown", "stopped bye", "verdict ok"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told, _, dir := announced(t, tt.file, nil, tt.script)
			if got := shortly(told); !slices.Equal(got, tt.want) {
				t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(tt.want, "\n"))
			}
			list, err := store.List(dir)
			if err != nil {
				t.Fatal(err)
			}
			m, err := store.Load(dir, list[0].ID)
			if err != nil && !errors.Is(err, store.ErrErased) {
				t.Fatal(err)
			}
			for _, n := range told {
				if n.Recording != list[0].ID || n.CallID != "c1@example.com" || n.Account != m.Belonging.Account || n.Trunk != m.Belonging.Trunk || n.At.Location() != time.UTC {
					t.Errorf("%+v", n)
				}
			}
			var alarms, lines []string
			for _, a := range m.Alarms {
				alarms = append(alarms, strings.TrimSpace(a.Alarm+" "+a.Stream))
			}
			for _, l := range readJournal(t, list[0].Folder) {
				if l.Event == lineAlarm {
					lines = append(lines, strings.TrimSpace(l.Alarm+" "+l.Stream))
				}
			}
			var want []string
			for _, w := range tt.want {
				if a, ok := strings.CutPrefix(w, "alarm "); ok {
					want = append(want, a)
				}
			}
			if !slices.Equal(alarms, want) || !slices.Equal(lines, want) {
				t.Errorf("the manifest has the alarms %v, the journal %v, want %v", alarms, lines, want)
			}
		})
	}
}

// An id that is an address or a number is told to nobody.
func TestNoticesNameNobody(t *testing.T) {
	a, b := sends("sip:alice@example.com", "sip:alice@example.com", "s1"), sends("+49 30 123456", "tel:+4930123456", "s2")
	call := document("complete", twoStreams, a, b)
	told, _, _ := announced(t, trunkFile("    owner: {agent-only: on}\n", ""), nil, script{offered(both, call), phased(0),
		changed(1, nil, document("partial", nil, a, mutely(b))), phased(1), ended(2)})
	want := []string{"started", "cause-added role participant-2 1.0", "cause-added hold participant-1", "cause-added role stream 1.0", "stopped bye", "verdict ok"}
	if got := shortly(told); !slices.Equal(got, want) {
		t.Errorf("told\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	text, err := json.Marshal(told)
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"alice", "123456", "example.com\"", "Alice"} {
		if s := strings.ReplaceAll(string(text), "c1@example.com", ""); strings.Contains(s, secret) {
			t.Errorf("%q is told: %s", secret, text)
		}
	}
}

func TestNames(t *testing.T) {
	for id, want := range map[string]bool{
		"p1": false, "0f1e2d3c4b5a69788796a5b4c3d2e1f0": false, "stream 0.0": false, "call": false, "12": false, "": false,
		"recording-7": false, "leg": false, "api:pay": false,
		"sip:alice@example.com": true, "SIPS:a": true, "tel:+1": true, "alice@example.com": true, "1234": true, "+49 (30) 123-45": true,
	} {
		if got := names(id); got != want {
			t.Errorf("%q names somebody: %v", id, got)
		}
	}
}

// A role that is known better later is told, evidence that is not.
func TestRoleChanged(t *testing.T) {
	var x teller
	agent := rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, Evidence: "sip:alice@example.com is listed"}
	better := agent
	better.Evidence = "extension data"
	facts := func(kind rules.Kind, who rules.Identity) []string {
		return shortly(x.step(sec(1), []rules.Event{{At: sec(1), Kind: kind, Party: "p1", Identity: who}}, nil, "r"))
	}
	if got := facts(rules.PartyJoined, rules.Identity{}); got != nil {
		t.Errorf("who joins is told as %v", got)
	}
	if got := facts(rules.PartyIdentified, agent); !slices.Equal(got, []string{"role-changed p1 agent"}) {
		t.Errorf("told %v", got)
	}
	if got := facts(rules.PartyIdentified, better); got != nil {
		t.Errorf("told %v", got)
	}
	typed := agent
	typed.IdentifiedBy = rules.ByNumber
	if got := facts(rules.PartyIdentified, typed); !slices.Equal(got, []string{"role-changed p1 agent"}) {
		t.Errorf("told %v of somebody who is none of the own people any more", got)
	}
}

// User recordings are told as recordings of their own.
func TestUserRecordingsAreTold(t *testing.T) {
	in, _ := bare(rules.Flags{Trunk: true, UserRecordings: rules.Selection{All: true}})
	in.users = []*recording{{id: "u1", subject: "r/user/A1/0", maker: "A1"}}
	got := in.happen(1, append(callOf("A1", "C"), rules.Event{Kind: rules.UserRecordingStarted, Party: "A1"})...)
	want := []string{"started", "started A1"}
	if !slices.Equal(shortly(got), want) || got[1].Recording != "u1" {
		t.Errorf("told %+v", got)
	}
	got = in.happen(2, rules.Event{Kind: rules.UserRecordingStopped, Party: "A1"})
	if !slices.Equal(shortly(got), []string{"stopped A1 user-recording-over"}) || got[0].Recording != "u1" {
		t.Errorf("told %+v", got)
	}
	if got = in.happen(3, rules.Event{Kind: rules.PartyLeft, Party: "A1"}); slices.Contains(shortly(got), "stopped A1 user-recording-over") {
		t.Errorf("told twice: %+v", got)
	}
}

// After a crash what may not have come to the outbox is told again, word for word, and
// what goes on is told once.
func TestToldAgain(t *testing.T) {
	dir := t.TempDir()
	book := openBook(t, dir, ourPeople)
	publish(t, book, trunkFile("", ""), sec(-10))
	var first, second board
	cfg := Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }, Notify: first.notify}
	call := document("complete", twoStreams, aliceSends, bobSends)
	before := 0
	left := killed(t, cfg, 100, offered(both, call), phased(0), changed(1, nil, document("partial", nil, aliceSends, mutely(bobSends))),
		func(*fake) *siprec.Event { before = len(first.all()); return nil })
	cfg.Dir, cfg.Notify = left, second.notify
	cfg.Rulebook = openBook(t, left, ourPeople)
	recovered(t, cfg, resumed(2, both), changed(3, nil, document("partial", nil, aliceSends, bobSends)), ended(4))
	want := []string{"started", "cause-added hold p1"}
	if got := shortly(first.all()[:before]); !slices.Equal(got, want) {
		t.Fatalf("told at first %v", got)
	}
	got := second.all()
	if !reflect.DeepEqual(got[:before], first.all()[:before]) {
		t.Errorf("told again\n%+v\nwas\n%+v", got[:before], first.all()[:before])
	}
	if rest := shortly(got[before:]); rest[0] != "cause-removed hold p1" || rest[1] != "stopped bye" || !strings.HasPrefix(rest[len(rest)-1], "verdict") {
		t.Errorf("told then %v", rest)
	}
}

// A verdict that the process may not have told before it was killed is told again by the
// next: the resume log of the recording is still there.
func TestVerdictToldAgain(t *testing.T) {
	call := document("complete", twoStreams, aliceSends, bobSends)
	noted := 0
	told, _, dir := announced(t, trunkFile("", ""), func(c *Config) { c.Noted = func() { noted++ } }, script{offered(both, call), phased(0), ended(1)})
	want := told[len(told)-1]
	list, err := store.List(dir)
	if err != nil || noted != 1 || want.Type != NoticeVerdict {
		t.Fatalf("%v, noted %d times, %+v", err, noted, want)
	}
	log := filepath.Join(list[0].Folder, resumeName)
	if _, err := os.Stat(log); err == nil {
		t.Fatal("the resume log is still there")
	}
	for i, left := range []bool{true, false} {
		if left {
			if err := os.WriteFile(log, nil, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		var b board
		r, err := New(Config{Dir: dir, Notify: b.notify})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.recover(nil); err != nil {
			t.Fatal(err)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := b.all(); left && !reflect.DeepEqual(got, []Notice{want}) || !left && len(got) > 0 {
			t.Errorf("start %d tells %+v, want %+v", i+1, got, want)
		}
	}
}

// The disk for recordings is told of, of no recording.
func TestDiskIsTold(t *testing.T) {
	var b board
	r, err := New(Config{Dir: t.TempDir(), Notify: b.notify, Now: func() time.Time { return sec(5) }})
	if err != nil {
		t.Fatal(err)
	}
	r.onDisk(errors.New("full"))
	r.onDisk(nil)
	if err := r.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := b.all(); !slices.Equal(shortly(got), []string{"alarm disk", "alarm-cleared disk"}) || got[0].Recording != "" || !got[0].At.Equal(sec(5)) {
		t.Errorf("told %+v", got)
	}
}

// Many interactions in succession that go wrong alike raise one alarm, in the last of
// them, until one goes well.
func TestAlarmsOfMany(t *testing.T) {
	call := document("complete", twoStreams, aliceSends, bobSends)
	nobody := script{offered(both), phased(0), ended(1)}
	known := script{offered(both, call), phased(0), ended(1)}
	inbound := script{offered(both, document("complete", twoStreams, bobSends, aliceSends)), phased(0), ended(1)}
	for _, tt := range []struct {
		name, file string
		scripts    []script
		want       []string
	}{
		{"roles", trunkFile("", ""), []script{nobody, nobody, known, nobody, nobody, nobody, nobody, known},
			[]string{"", "", "", "", "", "alarm roles-unknown", "", "alarm-cleared roles-unknown"}},
		{"consent", trunkFile("    consent: ask\n", ""), []script{inbound, inbound, known, inbound, inbound},
			[]string{"", "", "", "alarm consent-unanswered", ""}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			told, logs, _ := announced(t, tt.file, func(c *Config) { c.AlarmAfter = 3 }, tt.scripts...)
			var order []string
			alarms := make(map[string]string)
			for _, n := range told {
				if n.Type == NoticeStarted {
					order = append(order, n.Recording)
				}
				if n.Alarm != "" {
					alarms[n.Recording] += n.short()
				}
			}
			var got []string
			for _, id := range order {
				got = append(got, alarms[id])
			}
			if !slices.Equal(got, tt.want) {
				t.Errorf("alarms %q\nwant   %q", got, tt.want)
			}
			warned := logs.FilterMessage(NoticeAlarm).FilterLevelExact(zapcore.WarnLevel).All()
			if len(warned) != 1 || warned[0].ContextMap()["account"] != "sales" || warned[0].ContextMap()["trunk"] != "east" {
				t.Errorf("log %v", warned)
			}
		})
	}
}

func TestTally(t *testing.T) {
	x := tally{after: 2}
	a, b := streak{"x", "a", ""}, streak{"x", "a", "t"}
	for i, tt := range []struct {
		of   streak
		bad  bool
		want outcome
	}{
		{a, true, unchanged}, {b, true, unchanged}, {a, true, raisedNow}, {a, true, unchanged}, {b, false, unchanged},
		{a, false, clearedNow}, {a, false, unchanged}, {b, true, unchanged}, {b, true, raisedNow},
	} {
		if got := x.count(tt.of, tt.bad); got != tt.want {
			t.Errorf("%d: %v, want %v", i, got, tt.want)
		}
	}
	if len(x.streaks) != 1 {
		t.Errorf("%v is kept", x.streaks)
	}
}

// bare is an interaction of which only the rules are there.
func bare(f rules.Flags) (in *interaction, p rules.Policy) {
	p = rules.NewPolicy(f)
	return &interaction{recording: &recording{id: "r", subject: "r"}, verdicts: rules.Open(p, "r"), policy: pinned{Policy: p}}, p
}

// happen lets events happen at a second, and returns what would be told.
func (in *interaction) happen(second float64, events ...rules.Event) []Notice {
	for i := range events {
		events[i].At = sec(second)
	}
	decisions := in.verdicts.Apply(events...)
	out := in.news(sec(second), events, decisions)
	for _, c := range append(in.alarmsOf(sec(second), events, decisions), in.overdue(sec(second))...) {
		if in.raised(c) {
			out = append(out, in.teller.alarmNotice(c))
		}
	}
	return out
}

// callOf is the beginning of a call of agents (A...) and a customer.
func callOf(people ...rules.PartyID) []rules.Event {
	out := []rules.Event{{Kind: rules.InteractionStarted, Direction: rules.DirectionInbound}}
	for i, p := range people {
		stream := rules.StreamID(p)
		out = append(out, rules.Event{Kind: rules.StreamAdded, Stream: stream}, joins(p, i < 2),
			rules.Event{Kind: rules.StreamSends, Stream: stream, Party: p})
	}
	return out
}

func joins(p rules.PartyID, first bool) rules.Event {
	who := rules.Identity{Role: rules.RoleCustomer, FirstPair: first}
	if p[0] == 'A' {
		who = rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, FirstPair: first}
	}
	return rules.Event{Kind: rules.PartyJoined, Party: p, Identity: who}
}

// Alarms about pauses: each once, and its end.
func TestAlarmsOfPauses(t *testing.T) {
	type step struct {
		at     float64
		events []rules.Event
		want   string
	}
	do := func(kind rules.Kind, party rules.PartyID) []rules.Event {
		return []rules.Event{{Kind: kind, Party: party}}
	}
	pay := func(kind rules.Kind) []rules.Event { return []rules.Event{{Kind: kind, Owner: "pay"}} }
	everybody, first := rules.Selection{All: true}, rules.Selection{Names: []string{"A1"}}
	for _, tt := range []struct {
		name    string
		control rules.Selection
		steps   []step
	}{
		{"too long", everybody, []step{
			{10, do(rules.PausePressed, "A1"), ""}, {70, nil, ""}, {70.001, nil, "alarm paused-too-long manual call"}, {80, nil, ""},
			{90, pay(rules.SecureStarted), ""}, {160, nil, "alarm paused-too-long secure pay"},
			{170, do(rules.ResumePressed, "A1"), "alarm-cleared paused-too-long manual call"},
			{180, do(rules.PausePressed, "A1"), ""}, {250, nil, "alarm paused-too-long manual call"},
			{260, pay(rules.SecureEnded), "alarm-cleared paused-too-long secure pay"},
			{270, do(rules.InteractionEnded, ""), "alarm ended-while-paused manual call"}}},
		{"ended in a payment", everybody, []step{
			{10, pay(rules.SecureStarted), ""}, {20, do(rules.InteractionEnded, ""), "alarm ended-while-paused secure pay"}}},
		{"ended after all was resumed", everybody, []step{
			{10, do(rules.PausePressed, "A1"), ""}, {20, do(rules.ResumePressed, "A1"), ""}, {30, do(rules.InteractionEnded, ""), ""}}},
		{"left to somebody who may resume", everybody, []step{
			{10, do(rules.PausePressed, "A1"), ""}, {20, []rules.Event{joins("A2", false)}, ""},
			{30, do(rules.PartyLeft, "A1"), "alarm not-resumed-after-transfer"}, {40, nil, ""},
			{50, do(rules.ResumePressed, "A2"), "alarm-cleared not-resumed-after-transfer"}}},
		{"left to somebody who may not", first, []step{
			{10, do(rules.PausePressed, "A1"), ""}, {20, []rules.Event{joins("A2", false)}, ""},
			{30, do(rules.Transferred, "A1"), "alarm not-resumed-after-transfer|alarm pause-inherited"},
			{40, []rules.Event{joins("A1", false)}, "alarm-cleared not-resumed-after-transfer|alarm-cleared pause-inherited"}}},
		{"left to nobody of us", everybody, []step{
			{10, do(rules.PausePressed, "A1"), ""}, {30, do(rules.PartyLeft, "A1"), ""}}},
		{"a pause that was refused", first, []step{
			{5, []rules.Event{joins("A2", false)}, ""},
			{10, do(rules.PausePressed, "A1"), ""}, {20, do(rules.PausePressed, "A2"), ""}, {30, do(rules.PartyLeft, "A2"), ""}}},
		{"consulted, and transferred", first, []step{
			{10, do(rules.PausePressed, "A1"), ""},
			{20, []rules.Event{{Kind: rules.ConsultDialled, Party: "A1", Other: "A2", Identity: joins("A2", false).Identity}}, ""},
			{25, do(rules.PartyAnswered, "A2"), ""},
			{30, do(rules.Transferred, "A1"), "alarm not-resumed-after-transfer|alarm pause-inherited"}}},
		{"consulted, and let go", first, []step{
			{10, do(rules.PausePressed, "A1"), ""},
			{20, []rules.Event{{Kind: rules.Consulted, Party: "A1", Other: "A2", Identity: joins("A2", false).Identity}}, ""},
			{25, []rules.Event{{Kind: rules.ConsultEnded, Party: "A1", Other: "A2"}}, ""},
			{30, do(rules.PartyLeft, "A1"), ""}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, _ := bare(rules.Flags{Trunk: true, Control: tt.control, PauseAlarm: time.Minute, ContinueWithoutAgent: true})
			in.happen(1, callOf("A1", "C")...)
			for _, s := range tt.steps {
				var got []string
				for _, n := range in.happen(s.at, s.events...) {
					if n.Alarm != "" {
						got = append(got, n.short())
					}
				}
				if strings.Join(got, "|") != s.want {
					t.Errorf("at %v: %q, want %q", s.at, strings.Join(got, "|"), s.want)
				}
			}
		})
	}
}

// A pause that lasts too long raises its alarm when it does, whether or not anything
// happens then.
func TestPauseAlarmRings(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := time.Now()
		now := func() time.Time { return sec(1).Add(time.Since(begin)) }
		dir := t.TempDir()
		book := openBook(t, dir, ourPeople)
		publish(t, book, trunkFile("    control: all\n    pause-alarm: 90s\n", ""), sec(-10))
		var b board
		r, err := New(Config{Dir: dir, Rulebook: book, Now: now, Notify: b.notify})
		if err != nil {
			t.Fatal(err)
		}
		say := func(a Action) func(*fake) *siprec.Event {
			return func(*fake) *siprec.Event {
				if _, err := r.Command(t.Context(), Query{}, Command{Action: a, Party: "p1", By: "crm for Jane Doe"}); err != nil {
					t.Error(err)
				}
				return nil
			}
		}
		wait := func(d time.Duration, want ...string) func(*fake) *siprec.Event {
			return func(*fake) *siprec.Event {
				time.Sleep(d)
				synctest.Wait()
				var got []string
				for _, n := range b.all() {
					if n.Alarm != "" {
						got = append(got, n.short())
					}
				}
				if !slices.Equal(got, want) {
					t.Errorf("after %v: %v, want %v", time.Since(begin), got, want)
				}
				return nil
			}
		}
		const raised, cleared = "alarm paused-too-long manual call", "alarm-cleared paused-too-long manual call"
		r.serve(t.Context(), newFake(t, offered(both, document("complete", twoStreams, aliceSends, bobSends)),
			say(ActPause), wait(90*time.Second), wait(time.Second, raised), wait(time.Hour, raised), say(ActResume), wait(0, raised, cleared),
			func(*fake) *siprec.Event { return ended(time.Since(begin).Seconds() + 1)(nil) }))
		if err := r.Close(t.Context()); err != nil {
			t.Fatal(err)
		}
		all := shortly(b.all())
		want := []string{"started", "command crm pause", "cause-added manual call", raised, "command crm resume", "cause-removed manual call", cleared, "stopped bye"}
		if !slices.Equal(all[:len(want)], want) {
			t.Errorf("told\n%s\nwant\n%s", strings.Join(all, "\n"), strings.Join(want, "\n"))
		}
	})
}

// Every alarm has words, and every alarm is in the manual.
func TestAlarmsAreDescribed(t *testing.T) {
	manual := manualOfNotices(t)
	for _, name := range []string{AlarmDisk, AlarmAccount, AlarmUnanswered, AlarmRoles, AlarmOverdue, AlarmEndedPaused, AlarmNotResumed, AlarmInherited, AlarmSilent, AlarmOneSided, AlarmUnfinished} {
		if name != AlarmDisk && alarmWords(name) == "" {
			t.Errorf("%s has no words", name)
		}
		if !strings.Contains(manual, "| `"+name+"` |") {
			t.Errorf("docs/notices.md does not tell of the alarm %s", name)
		}
	}
	for _, name := range []string{NoticeStarted, NoticeStopped, NoticeCauseAdded, NoticeCauseRemoved, NoticeRoleChanged, NoticeCommand, NoticeVerdict, NoticeAlarm, NoticeAlarmCleared, NoticeHeld, NoticeReleased, NoticeErased} {
		if !strings.Contains(manual, "| `"+name+"` |") {
			t.Errorf("docs/notices.md does not tell of the type %s", name)
		}
	}
	for f := range reflect.TypeFor[Notice]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); !strings.Contains(manual, "| `"+name+"` |") {
			t.Errorf("docs/notices.md does not tell of the field %s", name)
		}
	}
}

func manualOfNotices(t *testing.T) string {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "docs", "notices.md"))
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}
