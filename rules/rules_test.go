package rules_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
)

var t0 = time.Date(2026, 3, 4, 10, 0, 0, 0, time.UTC)

func at(s int) time.Time { return t0.Add(time.Duration(s) * time.Second) }

func ev(s int, k rules.Kind, stream rules.StreamID, owner string) rules.Event {
	return rules.Event{At: at(s), Kind: k, Stream: stream, Owner: owner}
}

// line is a decision in short: verdict stream@second cause/owner...
func line(d rules.Decision) string {
	s := fmt.Sprintf("%v %s@%d", d.Verdict, d.Stream, int(d.From.Sub(t0)/time.Second))
	for _, c := range d.Causes {
		s += fmt.Sprintf(" %v/%s@%d", c.Cause, c.Owner, int(c.Since.Sub(t0)/time.Second))
	}
	return s
}

func TestCase(t *testing.T) {
	start := ev(0, rules.InteractionStarted, "", "")
	addA := ev(0, rules.StreamAdded, "a", "")
	tests := []struct {
		name   string
		policy rules.Policy
		events []rules.Event
		want   []string
	}{
		{"a stream is recorded from its beginning", rules.RecordAll(),
			[]rules.Event{start, addA},
			[]string{"record a@0"}},
		{"nothing before the decision", rules.RecordAll(),
			[]rules.Event{addA, ev(2, rules.InteractionStarted, "", "")},
			[]string{"withhold a@0 no-decision/policy@0", "record a@2"}},
		{"the zero policy never decides", rules.Policy{},
			[]rules.Event{start, addA},
			[]string{"withhold a@0 no-decision/policy@0 internal-only/parties@0"}},
		{"hold and resume by SDP", rules.RecordAll(),
			[]rules.Event{start, addA, ev(5, rules.StreamInactive, "a", "sdp"), ev(9, rules.StreamActive, "a", "sdp")},
			[]string{"record a@0", "withhold a@5 sdp/sdp@5", "record a@9"}},
		{"two owners are two pairs", rules.RecordAll(),
			[]rules.Event{start, addA, ev(1, rules.StreamInactive, "a", "x"), ev(2, rules.StreamInactive, "a", "y"),
				ev(3, rules.StreamActive, "a", "x"), ev(4, rules.StreamActive, "a", "x"), ev(5, rules.StreamActive, "a", "y")},
			[]string{"record a@0", "withhold a@1 sdp/x@1", "withhold a@2 sdp/x@1 sdp/y@2", "withhold a@3 sdp/y@2", "record a@5"}},
		{"a stream can be born inactive", rules.RecordAll(),
			[]rules.Event{start, ev(1, rules.StreamInactive, "a", "sdp"), ev(1, rules.StreamAdded, "a", ""), ev(2, rules.StreamActive, "a", "sdp")},
			[]string{"withhold a@1 not-live/stream@1 sdp/sdp@1", "withhold a@1 sdp/sdp@1", "record a@2"}},
		{"one stream does not touch the other", rules.RecordAll(),
			[]rules.Event{start, addA, ev(0, rules.StreamAdded, "b", ""), ev(3, rules.StreamInactive, "b", "sdp")},
			[]string{"record a@0", "record b@0", "withhold b@3 sdp/sdp@3"}},
		{"a removed stream may come back", rules.RecordAll(),
			[]rules.Event{start, addA, ev(3, rules.StreamRemoved, "a", ""), ev(6, rules.StreamAdded, "a", "")},
			[]string{"record a@0", "withhold a@3 not-live/stream@3", "record a@6"}},
		{"active does not bring a removed stream back", rules.RecordAll(),
			[]rules.Event{start, addA, ev(3, rules.StreamRemoved, "a", ""), ev(6, rules.StreamActive, "a", "sdp")},
			[]string{"record a@0", "withhold a@3 not-live/stream@3"}},
		{"duplicates say nothing new", rules.RecordAll(),
			[]rules.Event{start, start, addA, addA, ev(3, rules.StreamInactive, "a", "sdp"), ev(4, rules.StreamInactive, "a", "sdp")},
			[]string{"record a@0", "withhold a@3 sdp/sdp@3"}},
		{"unknown streams and kinds are refused", rules.RecordAll(),
			[]rules.Event{start, ev(1, rules.StreamActive, "z", "sdp"), ev(1, rules.StreamRemoved, "z", ""), ev(1, rules.StreamSendsNot, "z", ""), ev(1, rules.Kind(99), "z", "")},
			nil},
		{"the end is final", rules.RecordAll(),
			[]rules.Event{start, addA, ev(7, rules.InteractionEnded, "", ""), ev(8, rules.StreamAdded, "a", ""), ev(8, rules.InteractionStarted, "", ""), ev(8, rules.StreamAdded, "b", "")},
			[]string{"record a@0", "withhold a@7 not-live/interaction@7"}},
		{"a late resume does not reach back", rules.RecordAll(),
			[]rules.Event{start, addA, ev(10, rules.StreamInactive, "a", "sdp"), ev(5, rules.StreamActive, "a", "sdp")},
			[]string{"record a@0", "withhold a@10 sdp/sdp@10", "record a@10"}},
		{"a late pause does reach back", rules.RecordAll(),
			[]rules.Event{start, addA, ev(10, rules.StreamAdded, "b", ""), ev(5, rules.StreamInactive, "a", "sdp")},
			[]string{"record a@0", "record b@10", "withhold a@5 sdp/sdp@5"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			c := rules.Open(tt.policy, "r")
			var got []string
			for _, e := range tt.events {
				for _, d := range c.Apply(e) {
					got = append(got, line(d))
					checkPermit(t, d)
				}
			}
			if !reflect.DeepEqual(got, tt.want) {
				t.Errorf("decisions\n got %q\nwant %q", got, tt.want)
			}
		})
	}
}

// checkPermit holds a decision to the promise that only a record verdict
// carries a permit, and that it reaches no further than the decision.
func checkPermit(t *testing.T, d rules.Decision) {
	t.Helper()
	if d.Verdict != rules.Record {
		if d.Permit != (rules.Permit{}) {
			t.Errorf("%v carries a permit", d)
		}
		return
	}
	p := d.Permit
	if p.Stream() != d.Stream || p.Recording() != d.Recording || !p.From().Equal(d.From) || p.Policy() != d.Policy {
		t.Errorf("permit of %v is for %s/%s from %v under %s", d, p.Recording(), p.Stream(), p.From(), p.Policy())
	}
	for _, tt := range []struct {
		name string
		r    rules.RecordingID
		s    rules.StreamID
		at   time.Time
		want bool
	}{
		{"itself", d.Recording, d.Stream, d.From, true},
		{"later", d.Recording, d.Stream, d.From.Add(time.Hour), true},
		{"before", d.Recording, d.Stream, d.From.Add(-1), false},
		{"another recording", d.Recording + "x", d.Stream, d.From, false},
		{"another stream", d.Recording, d.Stream + "x", d.From, false},
	} {
		if got := p.Covers(tt.r, tt.s, tt.at); got != tt.want {
			t.Errorf("%s: permit covers = %v, want %v", tt.name, got, tt.want)
		}
	}
}

func TestZeroPermitCoversNothing(t *testing.T) {
	var p rules.Permit
	if p.Covers("", "", time.Time{}) || p.Covers("r", "s", at(1)) {
		t.Error("the zero permit covers something")
	}
}

func TestPermitIsUnforgeable(t *testing.T) {
	typ := reflect.TypeFor[rules.Permit]()
	for i := range typ.NumField() {
		if f := typ.Field(i); f.IsExported() {
			t.Errorf("field %s of Permit is exported", f.Name)
		}
	}
	ptr := reflect.PointerTo(typ)
	allowed := map[string]bool{"Recording": true, "Stream": true, "From": true, "Until": true, "Policy": true, "Covers": true}
	for i := range ptr.NumMethod() {
		if name := ptr.Method(i).Name; !allowed[name] {
			t.Errorf("Permit has the method %s", name)
		}
	}
}

func TestDecision(t *testing.T) {
	c := rules.Open(rules.RecordAll(), "r")
	if got := c.Decision("a"); got.Verdict != rules.Withhold || got.Permit != (rules.Permit{}) || len(got.Causes) != 2 {
		t.Errorf("unknown stream: %v", got)
	}
	c.Apply(ev(0, rules.InteractionStarted, "", ""))
	c.Apply(ev(1, rules.StreamAdded, "a", ""))
	if got, want := line(c.Decision("a")), "record a@1"; got != want {
		t.Errorf("known stream: %s, want %s", got, want)
	}
	if got, want := line(c.Decision("b")), "withhold b@1 not-live/stream@1"; got != want {
		t.Errorf("other stream: %s, want %s", got, want)
	}
}

// Events may be given one by one or all at once: the decisions are the same.
func TestAllAtOnce(t *testing.T) {
	events := []rules.Event{ev(0, rules.InteractionStarted, "", ""), ev(0, rules.StreamAdded, "a", ""), ev(5, rules.StreamInactive, "a", "sdp"),
		ev(7, rules.InteractionEnded, "", ""), ev(8, rules.StreamAdded, "b", "")}
	got := rules.Open(rules.RecordAll(), "r").Apply(events...)
	want := []string{"record a@0", "withhold a@5 sdp/sdp@5", "withhold a@7 sdp/sdp@5 not-live/interaction@7"}
	if len(got) != len(want) {
		t.Fatalf("%v", got)
	}
	for i, d := range got {
		if line(d) != want[i] {
			t.Errorf("got %s, want %s", line(d), want[i])
		}
	}
}

// A decision that reaches back takes the place of all that was decided since.
func TestTimelineReachesBack(t *testing.T) {
	c := rules.Open(rules.RecordAll(), "r")
	for _, e := range []rules.Event{ev(0, rules.InteractionStarted, "", ""), ev(5, rules.StreamAdded, "a", ""), ev(2, rules.StreamInactive, "a", "sdp")} {
		c.Apply(e)
	}
	if got := c.Timeline("a"); len(got) != 1 || line(got[0]) != "withhold a@2 sdp/sdp@2" {
		t.Errorf("%v", got)
	}
}

func TestSameEventsSameDecisions(t *testing.T) {
	run := func() string {
		c := rules.Open(rules.RecordAll(), "r")
		var b strings.Builder
		for i, k := range []rules.Kind{1, 2, 3, 2, 4, 5, 2, 3, 6} {
			for _, d := range c.Apply(ev(i, k, rules.StreamID(rune('a'+i%3)), "sdp")) {
				fmt.Fprintln(&b, d)
			}
		}
		return b.String()
	}
	first := run()
	if first == "" {
		t.Fatal("no decisions")
	}
	for range 20 {
		if again := run(); again != first {
			t.Fatalf("differs:\n%s\n%s", first, again)
		}
	}
}

func TestWords(t *testing.T) {
	c := rules.Open(rules.RecordAll(), "r")
	c.Apply(ev(0, rules.InteractionStarted, "", ""))
	c.Apply(ev(0, rules.StreamAdded, "a", ""))
	d := c.Apply(ev(20, rules.StreamInactive, "a", "sdp"))
	want := "withhold stream a of r from 2026-03-04T10:00:20Z under policy " + rules.RecordAll().Version() +
		": the recording client made the stream inactive (sdp of sdp, since 2026-03-04T10:00:20Z, flag always)"
	if len(d) != 1 || d[0].String() != want {
		t.Errorf("got %v\nwant %s", d, want)
	}
	end := c.Apply(ev(30, rules.InteractionEnded, "", ""))
	if len(end) != 1 || !strings.Contains(end[0].String(), "inactive") || !strings.Contains(end[0].String(), "; the stream is not live") {
		t.Errorf("not all causes in words: %v", end)
	}
}

func TestNames(t *testing.T) {
	for _, tt := range []struct {
		got  fmt.Stringer
		want string
	}{
		{rules.NoDecision, "no-decision"}, {rules.SDP, "sdp"}, {rules.NotLive, "not-live"}, {rules.Cause(99), "cause-99"},
		{rules.Withhold, "withhold"}, {rules.Record, "record"}, {rules.Verdict(0), "verdict-0"},
		{rules.DoNotRecord + 1, "cause-21"}, {rules.Cause(-1), "cause--1"}, {rules.Kind(rules.Kinds()), fmt.Sprintf("kind-%d", rules.Kinds())},
		{rules.ScopeAll, "all streams"}, {rules.ScopeMain, "the streams in the main call"}, {rules.ScopeStream, "that stream"},
		{rules.InteractionStarted, "interaction-started"}, {rules.StreamAdded, "stream-added"},
		{rules.StreamInactive, "stream-inactive"}, {rules.StreamActive, "stream-active"},
		{rules.StreamRemoved, "stream-removed"}, {rules.InteractionEnded, "interaction-ended"}, {rules.Kind(0), "kind-0"},
	} {
		if tt.got.String() != tt.want {
			t.Errorf("got %s, want %s", tt.got, tt.want)
		}
	}
	role := rules.RoleAgent
	if err := role.UnmarshalText([]byte("boss")); err == nil || role != rules.RoleUnknown {
		t.Errorf("boss is %v (%v)", role, err)
	}
	kind := rules.StreamAdded
	if b, err := kind.MarshalText(); err != nil || string(b) != "stream-added" {
		t.Errorf("stream-added is written %s (%v)", b, err)
	}
	if err := kind.UnmarshalText([]byte("stream-removed")); err != nil || kind != rules.StreamRemoved {
		t.Errorf("stream-removed is %v (%v)", kind, err)
	}
	if err := kind.UnmarshalText([]byte("never")); err == nil {
		t.Error("a kind that is none can be read")
	}
	said := map[string]rules.Cause{}
	for c := rules.NoDecision; c <= rules.DoNotRecord; c++ {
		if other, twice := said[c.Words()]; twice || c.Words() == "unknown cause" {
			t.Errorf("%v is called %q, as %v", c, c.Words(), other)
		}
		said[c.Words()] = c
	}
	for _, c := range []rules.Cause{-1, 0, rules.DoNotRecord + 1} {
		if c.Words() != "unknown cause" {
			t.Errorf("%d is called %q", int(c), c.Words())
		}
	}
}

func TestPolicyVersion(t *testing.T) {
	if v := rules.RecordAll().Version(); v != rules.RecordAll().Version() || !strings.HasPrefix(v, "record-all@") || len(v) != len("record-all@")+12 {
		t.Errorf("version %q", v)
	}
	if v := (rules.Policy{}).Version(); v != "none" {
		t.Errorf("zero policy: version %q", v)
	}
	if !strings.Contains(rules.RecordAll().Text(), "record all") {
		t.Error("the text does not say what is recorded")
	}
}
