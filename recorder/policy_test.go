package recorder

import (
	"errors"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// ourPeople places alice and carol inside.
var ourPeople = rules.Directory{
	Numbering: rules.Numbering{CountryCode: "49", Trunk: "0"},
	Agents:    []rules.Entry{{AORs: []string{"sip:alice@example.com", "sip:carol@example.com"}}},
}

// trunkFile records every call with an outsider, under further settings.
func trunkFile(account, trunk string) string {
	return "accounts:\n  - name: sales\n" + account + "    trunks:\n      - name: east\n        record: on\n" + trunk +
		"mapping:\n  - {address: 192.0.2.0/24, account: sales, trunk: east}\n"
}

// runUnder records a script under a policy file.
func runUnder(t *testing.T, file string, script ...func(*fake) *siprec.Event) (store.Manifest, string, *fake) {
	t.Helper()
	dir := t.TempDir()
	book := openBook(t, dir, ourPeople)
	publish(t, book, file, sec(-10))
	return runWith(t, dir, book, nil, script...)
}

func runWith(t *testing.T, dir string, book *Rulebook, random *strings.Reader, script ...func(*fake) *siprec.Event) (store.Manifest, string, *fake) {
	t.Helper()
	cfg := Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }}
	if random != nil {
		cfg.Random = random
	}
	r, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := newFake(t, script...)
	r.serve(t.Context(), f)
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(dir)
	if err != nil {
		t.Fatal(err)
	}
	last := list[0]
	for _, e := range list {
		if _, err := store.Load(dir, e.ID); err != nil && !errors.Is(err, store.ErrErased) {
			t.Fatalf("%v; journal %v", err, readJournal(t, e.Folder))
		}
	}
	m, err := store.Load(dir, last.ID)
	if err != nil && !errors.Is(err, store.ErrErased) {
		t.Fatal(err)
	}
	if m.Void != errors.Is(err, store.ErrErased) {
		t.Errorf("void %v, %v", m.Void, err)
	}
	return m, last.Folder, f
}

// soundOf is what is heard of a participant, over the whole timeline of the
// recording; "none" when it has no file.
func soundOf(t *testing.T, m store.Manifest, folder, id string) string {
	t.Helper()
	for _, f := range m.Files {
		if slices.Contains(f.Participants, id) {
			return heard(t, filepath.Join(folder, f.Name))
		}
	}
	return "none"
}

// TestPolicyDecides proves from the audio that what a file says is what is kept.
// Alice and carol are agents, bob is the customer.
func TestPolicyDecides(t *testing.T) {
	full := func(ps ...party) string { return document("complete", twoStreams, ps...) }
	partial := func(ps ...party) string { return document("partial", nil, ps...) }
	alice, bob := sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2")
	carol, dave := sends("p3", "sip:carol@example.com", "s1"), sends("p3", "sip:dave@example.org", "s1")
	mute := func(p party) party { p.sends = nil; return p }
	phase := func(from float64) func(*fake) *siprec.Event {
		return func(f *fake) *siprec.Event {
			talk(0, 1, from, from+1)(f)
			return talk(1, 2, from, from+1)(f)
		}
	}
	call := full(alice, bob)
	on, off := rep("#", 10), rep(".", 10)

	for _, tt := range []struct {
		name       string
		file       string
		script     []func(*fake) *siprec.Event
		one, three string // participants of the first m-line: p1 and p3
		two        string
		causes     string // over all decisions
	}{
		{"a trunk that records", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), ended(1)},
			on, "none", on, ""},
		{"no account fits: nothing", "accounts: [{name: sales}]\nmapping: [{listener: other, account: sales}]\n",
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), ended(1)},
			"none", "none", "none", "no-decision"},
		{"agent only", trunkFile("    owner: {agent-only: on}\n", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), ended(1)},
			on, "none", "none", "role"},
		{"agent only, and nobody says who sends", trunkFile("    owner: {agent-only: on}\n", ""),
			[]func(*fake) *siprec.Event{offered(both), phase(0), ended(1)},
			"none", "none", "none", "role"},
		{"a call among our own people", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both, full(alice, sends("p2", "sip:carol@example.com", "s2"))), phase(0), ended(1)},
			"none", "none", "none", "no-decision internal-only"},
		{"a hold that only metadata shows", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, partial(alice, mute(bob))), phase(1),
				changed(2, nil, partial(alice, bob)), phase(2), ended(3)},
			on + off + on, "none", on + off + on, "hold"},
		{"a customer who holds pauses nothing", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, partial(mute(alice), bob)), phase(1), ended(2)},
			on + off, "none", on + on, ""},
		{"hold goes on being recorded", trunkFile("    hold: record\n", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, partial(alice, mute(bob))), phase(1), ended(2)},
			on + on, "none", on + off, ""},
		{"transferred to an outsider: stops", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, full(dave, bob)), phase(1), ended(2)},
			on, "none", on, "no-agent"},
		{"transferred to an outsider: goes on", trunkFile("    owner: {continue-after-transfer: on}\n", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, full(dave, bob)), phase(1), ended(2)},
			on + off, off + on, on + on, ""},
		{"transferred to an agent: goes on", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, full(carol, bob)), phase(1), ended(2)},
			on + off, off + on, on + on, ""},
		{"held, and the holder is transferred away to an agent while it stays held", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, partial(alice, mute(bob))), phase(1),
				changed(2, nil, full(carol, mute(bob))), phase(2), changed(3, nil, partial(carol, bob)), phase(3), ended(4)},
			on + off + off + off, off + off + off + on, on + off + off + on, "hold"},
		{"consent that is never given", trunkFile("    consent: ask\n", ""),
			[]func(*fake) *siprec.Event{offered(both, full(bob, alice)), phase(0), ended(1)},
			"none", "none", "none", "consent"},
		{"a number that is never recorded", trunkFile("    do-not-record: [+15550199]\n", ""),
			[]func(*fake) *siprec.Event{offered(both, full(alice, sends("p2", "tel:+1-555-0199", "s2"))), phase(0), ended(1)},
			"none", "none", "none", "no-decision do-not-record"},
		{"a number that is never recorded, as it is dialled where the SBC stands", trunkFile("    do-not-record: [+4930123456]\n", ""),
			[]func(*fake) *siprec.Event{offered(both, full(alice, sends("p2", "sip:030123456@192.0.2.7", "s2"))), phase(0), ended(1)},
			"none", "none", "none", "no-decision do-not-record"},
		{"a number that is never recorded and comes too late", trunkFile("    do-not-record: [+15550199]\n", ""),
			[]func(*fake) *siprec.Event{offered(both), phase(0), changed(1, nil, full(alice, sends("p2", "tel:+15550199", "s2"))), phase(1), ended(2)},
			"none", "none", "none", "do-not-record"},
		{"a number that is never recorded joins", trunkFile("    owner: {continue-after-transfer: on}\n    do-not-record: [+15550199]\n", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, full(sends("p3", "sip:+15550199@example.org", "s1"), bob)), phase(1), ended(2)},
			on, "none", on, "do-not-record"},
		{"who has left is not recorded", trunkFile("    owner: {continue-after-transfer: on}\n", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, full(bob)), phase(1), ended(2)},
			on + off, "none", on + on, ""},
		{"who has left while the other was held is not recorded", trunkFile("    owner: {continue-after-transfer: on}\n    hold: record\n", ""),
			[]func(*fake) *siprec.Event{offered(both, call), phase(0), changed(1, nil, partial(alice, mute(bob))), phase(1),
				changed(2, nil, full(mute(bob))), phase(2), changed(3, nil, full(bob)), phase(3), ended(4)},
			on + on + off + off, "none", on + off + off + on, ""},
		{"a flow that is not recorded, and a system that would tell of it but has no way in",
			strings.Replace(trunkFile("    flows: [{name: pay, suppress: yes}]\n", "        profile: acd\n"), "mapping:", "profiles: [{name: acd, wire: [parties, caller, hold], api: [ivr]}]\nmapping:", 1),
			[]func(*fake) *siprec.Event{offered(both, full(bob)), phase(0), changed(1, nil, full(bob, alice)), phase(1), ended(2)},
			on, "none", on, "ivr"},
		{"nobody says who sends: an unknown voice is an outsider's", trunkFile("", ""),
			[]func(*fake) *siprec.Event{offered(both), phase(0), ended(1)},
			"unattributed", "none", "none", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			m, folder, _ := runUnder(t, tt.file, tt.script...)
			if tt.one == "unattributed" {
				if len(m.Files) != 2 || heard(t, filepath.Join(folder, m.Files[0].Name)) != on {
					t.Errorf("files %v", filesOf(m))
				}
				return
			}
			for id, want := range map[string]string{"p1": tt.one, "p2": tt.two, "p3": tt.three} {
				if got := soundOf(t, m, folder, id); got != want {
					t.Errorf("%s is heard %s, want %s", id, got, want)
				}
			}
			var causes []string
			for _, d := range m.Decisions {
				for _, c := range d.Causes {
					if c.Cause != "not-live" {
						causes = appendNew(causes, c.Cause)
					}
				}
			}
			if got := strings.Join(causes, " "); got != tt.causes {
				t.Errorf("causes %s, want %s\n%s", got, tt.causes, strings.Join(journalWords(t, folder), "\n"))
			}
			if _, err := os.Stat(filepath.Join(folder, captureName)); err == nil {
				t.Error("the capture is still there")
			}
			if m.Void {
				return // what is left of the journal says nothing of people
			}
			var decided []string
			for _, d := range m.Decisions {
				decided = append(decided, d.Words)
			}
			slices.Sort(decided)
			if again := replayed(t, folder, policyOf(t, tt.file), m.Recording); !slices.Equal(again, decided) {
				t.Errorf("the journal replayed decides\n%s\nand did\n%s", strings.Join(again, "\n"), strings.Join(decided, "\n"))
			}
		})
	}
}

// policyOf is what a file makes of the calls of the fake.
func policyOf(t *testing.T, file string) rules.Policy {
	t.Helper()
	book := openBook(t, t.TempDir(), ourPeople)
	publish(t, book, file, sec(-10))
	return book.pin(sec(0), policy.Traits{Address: netip.MustParseAddr("192.0.2.9")}).Policy
}

// replayed puts the facts of a journal before the rules again, under the policy
// that it names, and returns what they decide.
func replayed(t *testing.T, folder string, p rules.Policy, id string) []string {
	t.Helper()
	c := rules.Open(p, rules.RecordingID(id))
	var out []string
	var step []rules.Event
	apply := func() {
		for _, d := range c.Apply(step...) {
			out = append(out, d.String())
		}
		step = nil
	}
	for _, l := range readJournal(t, folder) {
		if l.Fact == nil {
			apply()
			continue
		}
		f := l.Fact
		e := rules.Event{At: l.At, Stream: rules.StreamID(f.Stream), Owner: f.Owner, Party: rules.PartyID(f.Party), Other: rules.PartyID(f.Other), Name: f.Name, Number: f.Number}
		for e.Kind.String() != f.Kind {
			if e.Kind++; e.Kind > 100 {
				t.Fatalf("kind %q is unknown", f.Kind)
			}
		}
		if f.Draw != nil {
			e.Draw = *f.Draw
		}
		if err := e.Direction.UnmarshalText([]byte(f.Direction)); f.Direction != "" && err != nil {
			t.Fatal(err)
		}
		if f.Who != nil {
			e.Identity.FirstPair = f.Who.FirstPair
			if err := errors.Join(e.Identity.Role.UnmarshalText([]byte(f.Who.Role)), e.Identity.IdentifiedBy.UnmarshalText([]byte(f.Who.IdentifiedBy))); err != nil {
				t.Fatal(err)
			}
		}
		step = append(step, e)
	}
	apply()
	slices.Sort(out)
	return out
}

func journalWords(t *testing.T, folder string) []string {
	var out []string
	for _, l := range readJournal(t, folder) {
		s := l.Event + " " + l.Words
		if l.Fact != nil {
			s += l.Fact.Kind + " " + l.Fact.Party
		}
		out = append(out, s)
	}
	return out
}

// A version that is published during a call is for the calls after it.
func TestPolicyIsPinned(t *testing.T) {
	dir := t.TempDir()
	book := openBook(t, dir, ourPeople)
	publish(t, book, trunkFile("", ""), sec(-10))
	m, folder, _ := runWith(t, dir, book, nil, offered(both, twoParties), talk(0, 1, 0, 1),
		func(*fake) *siprec.Event {
			publish(t, book, trunkFile("    owner: {agent-only: on}\n", ""), sec(1))
			return nil
		},
		changed(1, both, twoParties), talk(1, 2, 1, 2), ended(2))
	if got := soundOf(t, m, folder, "p2"); got != rep(".", 10)+rep("#", 10) {
		t.Errorf("bob is heard %s after a version that is not for this call", got)
	}
	if m.PolicyFile == "" || m.Belonging == nil || m.Belonging.Account != "sales" || m.Belonging.Trunk != "east" {
		t.Errorf("decided by %q, belongs to %+v", m.PolicyFile, m.Belonging)
	}
	if m.Participants[0].Role == nil || m.Participants[0].Role.Role != "agent" {
		t.Errorf("role of alice: %+v", m.Participants[0].Role)
	}
}

// The draw of a share decides once, and stands in the journal.
func TestPolicyDraws(t *testing.T) {
	const half = "accounts:\n  - name: sales\n    plans: [{name: half, record: [{percent: 50}]}]\nmapping: [{address: 192.0.2.0/24, account: sales, plan: half}]\n"
	inbound := rules.Directory{Profiles: []rules.Profile{{Name: "in", Direction: rules.DirectionInbound}}}
	file := strings.Replace(half, "    plans", "    trunks: [{name: east, profile: in}]\n    plans", 1)
	file = strings.Replace(file, "plan: half}]\n", "plan: half, trunk: east}]\nprofiles: [{name: in, wire: [parties, caller, hold, direction]}]\n", 1)
	for _, tt := range []struct {
		draw  string
		files int
	}{{"\x00\x00\x00\x00\x00\x00\x00\x00", 2}, {"\x7f\xff\xff\xff\xff\xff\xff\xff", 2}, {"\x80\x00\x00\x00\x00\x00\x00\x00", 0}, {"", 0}} {
		dir := t.TempDir()
		book := openBook(t, dir, inbound)
		publish(t, book, file, sec(-1))
		m, folder, _ := runWith(t, dir, book, strings.NewReader("1234567"+tt.draw), offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1), ended(1))
		if len(m.Files) != tt.files {
			t.Errorf("draw %x: %d files, want %d: %v", tt.draw, len(m.Files), tt.files, journalWords(t, folder))
		}
		drawn := 0
		for _, l := range readJournal(t, folder) {
			if l.Fact != nil && l.Fact.Draw != nil {
				drawn++
			}
		}
		if drawn != 1 {
			t.Errorf("%d draws in the journal", drawn)
		}
	}
}

// The journal and the manifest say why audio was kept, by what a cause counts, how
// the direction is known and what is to become of the recording.
func TestPolicyEvidence(t *testing.T) {
	file := trunkFile("    retention: [{delete-after: 30 days}, {direction: outbound, evaluate: yes}]\n", "")
	m, folder, _ := runUnder(t, file, offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 0, 1), changed(1, nil, document("complete", twoStreams,
		sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:carol@example.com", "s2"))), ended(2))
	if m.Direction != "outbound" || m.DirectionEvidence == "" {
		t.Errorf("direction %q by %q", m.Direction, m.DirectionEvidence)
	}
	if want := sec(2).Add(30 * 24 * time.Hour).UTC(); m.Retention == nil || !m.Retention.DeleteAt.Equal(want) || !m.Retention.Evaluate {
		t.Errorf("retention %+v, want to be deleted at %v and evaluated", m.Retention, want)
	}
	because, basis, evidence := "", "", ""
	for _, l := range readJournal(t, folder) {
		because += l.Because
		for _, c := range l.Causes {
			basis = c.Basis
		}
		if l.Fact != nil {
			evidence += l.Fact.Evidence
		}
	}
	if !strings.Contains(because, "record: on, of the trunk") || basis == "" || evidence != m.DirectionEvidence {
		t.Errorf("journal says because %q, basis %q, direction by %q", because, basis, evidence)
	}
}

// What was dialled places a call: the extension data says it, or else the parties.
func TestPolicyByDialledNumber(t *testing.T) {
	const file = "accounts:\n  - {name: desk, trunks: [{name: east, record: on}]}\nmapping:\n  - {dialled: \"+1555010*\", account: desk, trunk: east}\n"
	for aor, want := range map[string]string{"sip:+15550101@example.com": "desk", "sip:+15560101@example.com": "default"} {
		m, _, _ := runUnder(t, file, offered(both, document("complete", twoStreams,
			sends("p1", "sip:+15557777@carrier.example", "s1"), sends("p2", aor, "s2"))), ended(1))
		if m.Belonging.Account != want {
			t.Errorf("a call to %s belongs to %s, want %s", aor, m.Belonging.Account, want)
		}
	}
}

// A stream has no tail when its sender leaves: a packet that comes later is not kept
// for its timestamp, however much the clock of the source lags.
func TestPolicyLeavesNoTail(t *testing.T) {
	lagging := func(f *fake) *siprec.Event {
		for at := sec(1); at.Before(sec(1.3)); at = at.Add(20 * ms) {
			f.sinks[0].WriteRTP(&media.Packet{
				Header:  &rtp.Header{Version: 2, SequenceNumber: f.seq[0], Timestamp: uint32(at.Add(-300*ms).Sub(t0)*8000/time.Second) + 1<<8, SSRC: 1},
				Payload: []byte(tone), Arrival: at.Add(20 * ms),
			})
			f.seq[0]++
		}
		return nil
	}
	call := document("complete", twoStreams, sends("p1", "sip:alice@example.com", "s1"), sends("p2", "sip:bob@example.net", "s2"))
	gone := document("complete", twoStreams, sends("p2", "sip:bob@example.net", "s2"))
	m, folder, _ := runUnder(t, trunkFile("    owner: {continue-after-transfer: on}\n", ""),
		offered(both, call), talk(0, 1, -0.5, 0.7), talk(1, 2, 0, 1), changed(1, nil, gone), lagging, ended(2))
	if got := soundOf(t, m, folder, "p1"); strings.TrimRight(got, ".") != rep("#", 7) {
		t.Errorf("alice is heard %s, want 0.7 s", got)
	}
	if m.Streams[0].Packets.Withheld == 0 {
		t.Errorf("packets %+v", m.Streams[0].Packets)
	}
}
