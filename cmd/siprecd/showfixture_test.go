package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// A shownCall is the folder of a call that the tests of the picture draw, as a recorder
// leaves it: what was decided comes from the rules, under a policy file that is published.
type shownCall struct {
	dir, id, folder string
	lines           []account.Line
	manifest        store.Manifest
}

const shownPolicy = `preset: vonage
accounts:
  - name: sales
    hold: pause-until-retrieve
    external-consult: pause
    control: all
    plans:
      - {name: support, record: [{percent: 30}]}
    trunks:
      - {name: east}
mapping:
  - {address: 192.0.2.0/24, account: sales, trunk: east}
  - {dialled: "+1555010*", account: sales, plan: support}
`

// shownMetadata names the two who are on the call from its beginning (RFC 7865 §9).
const shownMetadata = `<?xml version="1.0"?>
<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>
<participant participant_id="p1"><nameID aor="sip:alice@example.com"><name>Alice</name></nameID></participant>
<participant participant_id="p2"><nameID aor="sip:+15550100@example.net"><name>Bob</name></nameID></participant>
</recording>`

// shownBegun is when the call began.
var shownBegun = time.Date(2026, 11, 21, 14, 30, 5, 0, time.UTC)

func shownAt(seconds float64) time.Time {
	return shownBegun.Add(time.Duration(seconds * float64(time.Second)))
}

func ms(seconds float64) int64 { return int64(seconds * 1000) }

func lasting(from, to float64) store.Interval {
	return store.Interval{FromMS: ms(from), ToMS: ms(to)}
}

// script is what happens: at so many seconds these events of the rules.
func script() []struct {
	at     float64
	events []rules.Event
} {
	agent := rules.Identity{Role: rules.RoleAgent, IdentifiedBy: rules.ByDirectory, FirstPair: true, Evidence: "agents[0] of the directory lists sip:alice@example.com"}
	customer := rules.Identity{Role: rules.RoleCustomer, FirstPair: true, Evidence: "the other of the first pair is one of the own people"}
	outsider := rules.Identity{Role: rules.RoleExternal, IdentifiedBy: rules.ByNumber, Evidence: "came later, and nothing places it inside"}
	return []struct {
		at     float64
		events []rules.Event
	}{
		{0, []rules.Event{
			{Kind: rules.InteractionStarted}, {Kind: rules.StreamAdded, Stream: "0.0"}, {Kind: rules.StreamAdded, Stream: "1.0"},
			{Kind: rules.PartyJoined, Party: "p1", Identity: agent}, {Kind: rules.PartyJoined, Party: "p2", Identity: customer},
			{Kind: rules.DirectionTold, Direction: rules.DirectionInbound, Evidence: "the customer is named first"},
			{Kind: rules.StreamSends, Stream: "0.0", Party: "p1"}, {Kind: rules.StreamSends, Stream: "1.0", Party: "p2"},
			{Kind: rules.PlanRan, Draw: 0.1},
		}},
		{12, []rules.Event{{Kind: rules.Held, Party: "p1"}}},
		{20, []rules.Event{{Kind: rules.Retrieved, Party: "p1"}}},
		{25, []rules.Event{{Kind: rules.PausePressed, Party: "p2"}}},
		{30, []rules.Event{{Kind: rules.PausePressed, Party: "p1"}}},
		{34, []rules.Event{{Kind: rules.SecureStarted, Owner: "payment desk"}}},
		{40, []rules.Event{{Kind: rules.SecureEnded, Owner: "payment desk"}}},
		{47, []rules.Event{{Kind: rules.ResumePressed, Party: "p1"}}},
		{60, []rules.Event{{Kind: rules.Consulted, Party: "p1", Other: "p3", Identity: outsider}}},
		{61, []rules.Event{{Kind: rules.StreamAdded, Stream: "2.0"}, {Kind: rules.StreamSends, Stream: "2.0", Party: "p3"}}},
		{70, []rules.Event{{Kind: rules.ConsultEnded, Party: "p1", Other: "p3"}, {Kind: rules.StreamRemoved, Stream: "2.0"}}},
		{82, []rules.Event{{Kind: rules.InteractionEnded}}},
	}
}

// newShownCall plays the script. The folder has a journal and no manifest.
func newShownCall(t *testing.T) *shownCall {
	t.Helper()
	c := &shownCall{dir: t.TempDir(), id: "20261121T143005Z-k7q2m5xw4b"}
	book, err := recorder.OpenRulebook(c.dir, rules.Directory{})
	if err != nil {
		t.Fatal(err)
	}
	v, _, err := book.Publish([]byte(shownPolicy), shownAt(-3600), policy.Actor{Name: "anna", Owner: true})
	if err != nil {
		t.Fatal(err)
	}
	place := policy.Belonging{Account: "sales", Trunk: "east", Plan: "support", Lines: []int{12, 13}}
	decided := rules.Open(v.File.Policy(place, v.Published), rules.RecordingID(c.id))
	flags := v.File.Flags(place, v.Published)
	belongs := &store.Belonging{Account: place.Account, Trunk: place.Trunk, Plan: place.Plan, Lines: place.Lines}
	policyName := v.File.Policy(place, v.Published).Version()
	c.lines = []account.Line{
		{At: shownBegun, Event: "started", CallID: "call-1", Policy: policyName, PolicyFile: v.Name(), Belonging: belongs, Method: "INVITE", CSeq: 1},
		{At: shownBegun, Event: "metadata", File: "metadata-0001.xml"},
	}
	for _, step := range script() {
		for i := range step.events {
			step.events[i].At = shownAt(step.at)
			c.lines = append(c.lines, shownFact(step.events[i]))
		}
		for _, d := range decided.Apply(step.events...) {
			c.decide(d, flags)
		}
		if step.at == 47 {
			down := shownAt(52)
			c.lines = append(c.lines, account.Line{At: shownAt(54), Event: "resumed", Down: &down})
		}
	}
	c.lines = append(c.lines, account.Line{At: shownAt(82), Event: "ended", Reason: "bye", Method: "BYE", CSeq: 4})
	if c.folder, err = store.Create(c.dir, c.id); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.folder, "metadata-0001.xml"), []byte(shownMetadata), 0o600); err != nil {
		t.Fatal(err)
	}
	c.describe(v.Name(), policyName, belongs)
	c.write(t, c.lines)
	return c
}

func shownFact(e rules.Event) account.Line {
	f := &account.Fact{
		Kind: e.Kind.String(), Stream: string(e.Stream), Owner: e.Owner, Party: string(e.Party), Other: string(e.Other), Name: e.Name, Evidence: e.Evidence,
	}
	if e.Identity != (rules.Identity{}) {
		f.Who = &store.Role{Role: e.Identity.Role.String(), IdentifiedBy: e.Identity.IdentifiedBy.String(), Evidence: e.Identity.Evidence}
	}
	if e.Kind == rules.PlanRan {
		f.Draw = &e.Draw
	}
	if e.Direction != rules.DirectionUnknown {
		f.Direction = e.Direction.String()
	}
	return account.Line{At: e.At, Event: "fact", Fact: f}
}

// decide writes down a decision, and what it permits.
func (c *shownCall) decide(d rules.Decision, flags rules.Flags) {
	l := account.Line{At: d.From, Event: "stopped", Stream: string(d.Stream), Policy: d.Policy, Because: d.Because, Words: d.String()}
	if d.Verdict == rules.Record {
		l.Event = "allowed"
	}
	for _, a := range d.Causes {
		l.Causes = append(l.Causes, store.Cause{Cause: a.Cause.String(), Owner: a.Owner, Since: a.Since, Flag: a.Flag, Basis: policy.BasisOf(a, flags).String()})
	}
	c.lines = append(c.lines, l)
}

// describe makes the manifest.
func (c *shownCall) describe(file, policyName string, belongs *store.Belonging) {
	part := func(stream string, from, to float64) []store.Part {
		return []store.Part{{Stream: stream, Interval: lasting(from, to)}}
	}
	c.manifest = store.Manifest{
		Version: store.Version, Recording: c.id, CallID: "call-1", Times: store.Times{Invite: shownBegun, End: shownAt(82)}, EndReason: "bye",
		Timeline: store.Timeline{DurationMS: ms(82)}, Policy: policyName, PolicyFile: file, Belonging: belongs,
		Direction: "inbound", DirectionEvidence: "the customer is named first", Verdict: store.Partial,
		Reasons: []string{"the server was down for a part of it, or at its end"}, Flags: []string{"server-was-down"},
		Participants: []store.Participant{
			{ID: "p1", Names: []string{"Alice"}, AORs: []string{"sip:alice@example.com"}, Role: &store.Role{Role: "agent"}, Sent: part("0.0", 0, 82)},
			{ID: "p2", Names: []string{"Bob"}, AORs: []string{"sip:+15550100@example.net"}, Role: &store.Role{Role: "customer"}, Sent: part("1.0", 0, 82)},
			{ID: "p3", AORs: []string{"sip:+15550177@example.org"}, Role: &store.Role{Role: "external"}, Sent: part("2.0", 61, 70)},
		},
		Files: []store.File{
			{Name: "01-alice.wav", Attribution: store.ByMetadata, Participants: []string{"p1"}, Streams: []string{"0.0"}},
			{Name: "02-15550100.wav", Attribution: store.ByMetadata, Participants: []string{"p2"}, Streams: []string{"1.0"}},
		},
		Interruptions: []store.Interruption{{Interval: lasting(52, 54), Cause: "server-down"}},
	}
	for _, id := range []string{"0.0", "1.0"} {
		s := store.Stream{ID: id, Recordable: true}
		for _, p := range [][2]float64{{0, 12}, {20, 30}, {47, 60}, {70, 82}} {
			s.Permitted = append(s.Permitted, lasting(p[0], p[1]))
		}
		c.manifest.Streams = append(c.manifest.Streams, s)
	}
	c.manifest.Streams[1].Gaps = []store.Gap{{Interval: lasting(5, 5.06), Cause: "lost"}, {Interval: lasting(22, 26), Cause: "no-packets"}}
	c.manifest.Streams = append(c.manifest.Streams, store.Stream{ID: "2.0", Recordable: true})
}

// write writes the journal.
func (c *shownCall) write(t *testing.T, lines []account.Line) {
	t.Helper()
	var b bytes.Buffer
	for _, l := range lines {
		line, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(append(line, '\n'))
	}
	if err := os.WriteFile(filepath.Join(c.folder, "journal.jsonl"), b.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
}

// finish writes the manifest.
func (c *shownCall) finish(t *testing.T) {
	t.Helper()
	if err := store.Write(c.folder, c.manifest); err != nil {
		t.Fatal(err)
	}
}
