package recorder

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/siprec"
)

// TestSignalsDecide proves from the audio that what an SRC signals is what is kept.
// Alice and carol are agents, bob is the customer.
func TestSignalsDecide(t *testing.T) {
	call := conference("complete", []cs{{"cs1", []string{"alice", "bob"}}}, aliceIs, bobIs)
	aside := []cs{{"cs1", []string{"alice", "bob"}}, {"cs2", []string{"alice", "carol"}}}
	consult := conference("complete", aside, sending(aliceIs, "s1:cs2"), bobIs, carolIs)
	waits := conference("complete", []cs{{"cs1", []string{"alice", "bob"}}}, aliceIs, sending(bobIs))
	consultHeld := conference("complete", aside, sending(aliceIs, "s1:cs2"), sending(bobIs), carolIs)
	joined := conference("complete", []cs{{"cs1", []string{"alice", "bob", "carol"}}}, aliceIs, bobIs, sending(carolIs, "s3"))
	transferred := conference("complete", []cs{{"cs1", []string{"bob", "carol"}}}, bobIs, sending(carolIs, "s3"))
	queued := conference("complete", []cs{{"cs1", []string{"bob", "queue"}}}, bobIs, queueIs)
	info := func(at float64, value string) func(*fake) *siprec.Event {
		return event(siprec.Event{Kind: siprec.Changed, At: sec(at), Method: "INFO", CSeq: 3, Headers: []siprec.Header{{Name: "X-R", Value: value}}}, nil)
	}
	phase := func(from float64) func(*fake) *siprec.Event {
		return func(f *fake) *siprec.Event {
			talk(0, 1, from, from+1)(f)
			return talk(1, 2, from, from+1)(f)
		}
	}
	withCarol := func(from float64) func(*fake) *siprec.Event {
		return func(f *fake) *siprec.Event {
			phase(from)(f)
			return talk(2, 3, from, from+1)(f)
		}
	}
	lines := func(first siprec.Direction) []siprec.Stream {
		return []siprec.Stream{mline(0, "1", first), mline(1, "2", siprec.SendOnly), mline(2, "3", siprec.SendOnly)}
	}
	hold, manual := rules.InactiveHold, rules.InactiveManual
	pausing := Signals{List: []Signal{{Header: "X-R", Value: "pause", Means: ActPause}, {Header: "X-R", Value: "resume", Means: ActResume}}}
	on, off := rep("#", 10), rep(".", 10)
	for _, tt := range []struct {
		name              string
		file              string
		signals           Signals
		script            []func(*fake) *siprec.Event
		alice, bob, carol string
		causes            string
	}{
		{"a consult is not recorded", trunkFile("", ""), Signals{},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, nil, consult), withCarol(1), changed(2, nil, call), phase(2), ended(3)},
			on + off + on, on + on + on, "none", "consult-leg"},
		{"a consult is recorded", trunkFile("    consult-conversation: record\n", ""), Signals{},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, nil, consult), withCarol(1), changed(2, nil, call), phase(2), ended(3)},
			on + on + on, on + on + on, off + on + off, ""},
		{"the customer who waits for a consult counts as held", trunkFile("    hold: pause-customer-leg\n", ""), Signals{},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, nil, waits), phase(1), changed(2, nil, consultHeld), withCarol(2), changed(3, nil, call), phase(3), ended(4)},
			on + off + off + on, on + off + off + on, "none", "hold consult-leg"},
		{"a conference is recorded", trunkFile("", ""), Signals{},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, nil, consult), withCarol(1), changed(2, nil, joined), withCarol(2), ended(3)},
			on + off + on, on + on + on, off + off + on, "consult-leg"},
		{"a transfer is recorded", trunkFile("", ""), Signals{},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, nil, consult), withCarol(1), changed(2, nil, transferred), withCarol(2), ended(3)},
			on + off + off, on + on + on, off + off + on, "consult-leg"},
		{"a queue is not recorded", trunkFile("    queues: [{name: support, wait: withhold}]\n", "        profile: acd\n") + "profiles: [{name: acd, wire: [parties, caller, hold, queue]}]\n", Signals{},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, nil, queued), phase(1), changed(2, nil, call), phase(2), ended(3)},
			on + off + on, on + off + on, "none", "queue"},
		{"a pause by INFO", trunkFile("", ""), pausing,
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), info(1, "pause"), phase(1), changed(2, three, call), phase(2), info(3, "resume"), phase(3), ended(4)},
			on + off + off + on, on + off + off + on, "none", "manual"},
		{"an inactive stream is no pause of the others", trunkFile("", ""), Signals{},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, lines(siprec.Inactive)), phase(1), changed(2, three), phase(2), ended(3)},
			on + off + on, on + on + on, "none", "sdp"},
		{"an inactive stream is a pause", trunkFile("", ""), Signals{InactiveMeans: &manual},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, lines(siprec.Inactive)), phase(1), changed(2, three), phase(2), ended(3)},
			on + off + on, on + off + on, "none", "manual sdp"},
		{"an inactive stream is a hold", trunkFile("", ""), Signals{InactiveMeans: &hold},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, lines(siprec.Inactive)), phase(1), changed(2, three), phase(2), ended(3)},
			on + off + on, on + off + on, "none", "hold sdp"},
		{"an inactive stream is a hold, and holds are recorded", trunkFile("    hold: record\n", ""), Signals{InactiveMeans: &hold},
			[]func(*fake) *siprec.Event{offered(three, call), phase(0), changed(1, lines(siprec.Inactive)), phase(1), changed(2, three), phase(2), ended(3)},
			on + off + on, on + on + on, "none", "sdp"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			book := openBook(t, dir, house)
			publish(t, book, tt.file, sec(-10))
			r, err := New(Config{Dir: dir, Rulebook: book, Now: func() time.Time { return sec(100) }, Signals: func(src string) Signals {
				if src != "sbc1" {
					t.Errorf("asked for the signals of %q", src)
				}
				return tt.signals
			}})
			if err != nil {
				t.Fatal(err)
			}
			r.serve(t.Context(), newFake(t, tt.script...))
			if err := r.Close(t.Context()); err != nil {
				t.Fatal(err)
			}
			list, err := store.List(dir)
			if err != nil || len(list) != 1 {
				t.Fatalf("recordings: %v, %v", list, err)
			}
			m, err := store.Load(dir, list[0].ID)
			if err != nil {
				t.Fatal(err)
			}
			for id, want := range map[string]string{"alice": tt.alice, "bob": tt.bob, "carol": tt.carol} {
				got := soundOf(t, m, list[0].Folder, id)
				if n := max(len(want)-len(got), 0); want != "none" && strings.HasSuffix(want, rep(".", n)) && got+rep(".", n) == want {
					got = want // what is silent to the end is not written
				}
				if got != want {
					t.Errorf("%s is heard\n%s, want\n%s", id, got, want)
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
			slices.Sort(causes)
			want := strings.Fields(tt.causes)
			slices.Sort(want)
			if !slices.Equal(causes, want) {
				t.Errorf("causes %v, want %v\n%s", causes, want, strings.Join(journalWords(t, list[0].Folder), "\n"))
			}
		})
	}
}

// What SRCs signal counts as told, as do flows that the directory lists.
func TestRulebookTakesSignals(t *testing.T) {
	const file = "accounts: [{name: default, flows: [{name: pay, suppress: yes}], trunks: [{name: all, record: on, profile: sbc}]}]\n" +
		"mapping: [{address: 0.0.0.0/0, account: default, trunk: all}]\nprofiles: [{name: sbc, wire: [parties], extension: [ivr]}]\n"
	for _, tt := range []struct {
		name      string
		directory rules.Directory
		signals   []Signal
		unfed     bool
	}{
		{"nothing tells of flows", rules.Directory{}, nil, true},
		{"another signal", rules.Directory{}, []Signal{{Header: "X", Means: ActPause}}, true},
		{"a signal", rules.Directory{}, []Signal{{Header: "X", Means: ActFlowEntered, Name: "pay"}}, false},
		{"the directory", house, nil, false},
	} {
		b := openBook(t, t.TempDir(), tt.directory)
		publish(t, b, file, sec(1))
		b.TakeSignals(Signals{List: tt.signals}.Facts()...)
		if got := b.pin(sec(2), policy.Traits{Address: netip.MustParseAddr("192.0.2.1")}).Flags().FlowsUnfed; got != tt.unfed {
			t.Errorf("%s: unfed %v", tt.name, got)
		}
	}
}

// Each signal tells of what the policy calls it.
func TestSignalFacts(t *testing.T) {
	for means, want := range map[Action][]policy.Fact{
		ActPause: {policy.FactManual}, ActResume: {policy.FactManual}, ActFlowLeft: {policy.FactIVR}, ActMenu: {policy.FactMenu},
		ActConsentGiven: {policy.FactConsent}, ActConsentRefused: {policy.FactConsent}, ActConsentWithdrawn: {policy.FactWithdrawal},
		ActPartyAgreed: {policy.FactPartyConsent}, ActConsentAsked: nil, ActHold: nil, ActSecureStart: nil,
	} {
		if got := (Signals{List: []Signal{{Means: means}, {Means: means}}}).Facts(); !slices.Equal(got, want) {
			t.Errorf("%s tells %v, want %v", means, got, want)
		}
	}
}
