package recorder

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// A cs is a communication session of a document: its id and who is in it.
type cs struct {
	id string
	in []string
}

// conference writes metadata in the form of RFC 7865 §9 with communication sessions of
// one group. A stream s1:cs1 has the label 1 and is of the communication session cs1; one
// without is of cs1.
func conference(mode string, comms []cs, parties ...party) string {
	var b strings.Builder
	b.WriteString(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>` + mode + `</datamode><group group_id="g1"/>`)
	for _, c := range comms {
		fmt.Fprintf(&b, `<session session_id="%s"><group-ref>g1</group-ref></session>`, c.id)
	}
	for _, p := range parties {
		fmt.Fprintf(&b, `<participant participant_id="%s"><nameID aor="%s"/></participant>`, p.id, p.aor)
	}
	for _, p := range parties {
		for _, s := range p.sends {
			id, comm, _ := strings.Cut(s, ":")
			if comm == "" {
				comm = "cs1"
			}
			fmt.Fprintf(&b, `<stream stream_id="%s" session_id="%s"><label>%s</label></stream>`, id, comm, id[1:])
		}
	}
	for _, c := range comms {
		for _, id := range c.in {
			fmt.Fprintf(&b, `<participantsessionassoc participant_id="%s" session_id="%s"/>`, id, c.id)
		}
	}
	for _, p := range parties {
		fmt.Fprintf(&b, `<participantstreamassoc participant_id="%s">`, p.id)
		for _, s := range p.sends {
			id, _, _ := strings.Cut(s, ":")
			fmt.Fprintf(&b, `<send>%s</send>`, id)
		}
		b.WriteString(`</participantstreamassoc>`)
	}
	b.WriteString(`</recording>`)
	return b.String()
}

// A house knows alice and carol as agents, dora by nothing, and a queue and an IVR.
var house = rules.Directory{
	Agents: []rules.Entry{{AORs: []string{"sip:alice@example.com", "sip:carol@example.com"}}},
	Queues: []rules.Entry{{Name: "support", AORs: []string{"sip:7000@example.com"}}},
	IVRs:   []rules.Entry{{Name: "menu", AORs: []string{"sip:7001@example.com"}}},
}

var (
	aliceIs = sends("alice", "sip:alice@example.com", "s1")
	bobIs   = sends("bob", "sip:bob@example.net", "s2")
	carolIs = sends("carol", "sip:carol@example.com", "s3:cs2")
	daveIs  = sends("dave", "sip:dave@example.org", "s3:cs2")
	queueIs = sends("queue", "sip:7000@example.com", "s3")
	ivrIs   = sends("ivr", "sip:7001@example.com", "s3")
)

func sending(p party, streams ...string) party { p.sends = streams; return p }

// A listener is an interpreter with what it needs, and a second one that recalls what
// the first was told and told.
type listener struct {
	t              testing.TB
	directory      rules.Directory
	signals        Signals
	profile        rules.Profile
	people         *people
	leg            *leg
	streams        *streams
	live, recalled *interpreter
}

func newListener(t testing.TB, d rules.Directory, s Signals) *listener {
	l := &listener{t: t, directory: d, signals: s, people: newPeople(), leg: &leg{number: 1}, streams: &streams{recording: "r", zero: t0, out: new(laterKeeper)}}
	l.live, l.recalled = l.interpreter(), l.interpreter()
	return l
}

func (l *listener) interpreter() *interpreter {
	i := newInterpreter(pinned{book: rules.Compile(l.directory), numbering: l.directory.Numbering, profile: l.profile})
	i.hearing("c1", func() source { return source{name: "sbc1", callID: "c1", signals: l.signals} })
	return i
}

// hears takes an event as the loop does, and returns what the rules are told.
func (l *listener) hears(ev *siprec.Event) []rules.Event {
	l.t.Helper()
	l.people.read(ev)
	if ev.HasOffer {
		l.streams.update(l.leg, ev.Streams, ev.At)
	}
	out := l.live.news(ev, l.people, l.streams.list)
	l.recalled.recall(ev, l.people, l.streams.list, out)
	if a, b := stateOf(l.live), stateOf(l.recalled); !reflect.DeepEqual(a, b) {
		l.t.Fatalf("after %s the interpreter is\n%+v\nand recalled\n%+v", told2words(out), a, b)
	}
	return out
}

// stateOf is what of an interpreter bears on what it tells next.
func stateOf(i *interpreter) map[string]any {
	senders := make(map[rules.StreamID][]rules.PartyID)
	for s, list := range i.senders {
		if len(list) > 0 {
			senders[s] = slices.Sorted(slices.Values(list))
		}
	}
	list := func(names []string) []string { return slices.Sorted(slices.Values(names)) }
	return map[string]any{
		"present": slices.Sorted(slices.Values(i.present)), "spoke": i.spoke, "senders": senders, "holder": i.holder, "held": i.held.String(),
		"main": fmt.Sprint(i.bridges.main), "legs": fmt.Sprint(i.bridges.legs), "aside": fmt.Sprint(i.bridges.aside), "met": fmt.Sprint(i.bridges.met),
		"last": i.bridges.last, "told": fmt.Sprint(i.bridges.told), "other": fmt.Sprint(i.bridges.other), "voiced": fmt.Sprint(i.bridges.voiced),
		"receiving": i.inactive.receiving, "turned": i.inactive.turned, "hold": i.inactive.hold.String(), "heldBy": list(i.inactive.heldBy), "pausedBy": list(i.inactive.pausedBy),
		"queues": list(i.waits.queues), "flows": list(i.waits.flows), "signs": fmt.Sprint(i.signs.queues, i.signs.flows, i.signs.last, len(i.signs.fields)),
		"direction": i.direction, "numbers": len(i.numbers),
	}
}

func (h ownHold) String() string { return fmt.Sprint(h.since.UTC().Format(time.RFC3339Nano), h.owned) }

// told2words are the events in short, but for what tells of streams, numbers and the
// direction.
func told2words(events []rules.Event) string {
	var out []string
	for _, e := range events {
		switch e.Kind {
		case rules.StreamSends, rules.StreamSendsNot, rules.NumberTold, rules.DirectionTold:
			continue
		}
		words := []string{e.Kind.String()}
		for _, w := range []string{string(e.Party), string(e.Other), e.Name, e.Owner} {
			if w != "" {
				words = append(words, w)
			}
		}
		out = append(out, strings.Join(words, " "))
	}
	return strings.Join(out, ", ")
}

// request is a later request with documents.
func request(at float64, docs ...string) *siprec.Event { return changed(at, nil, docs...)(nil) }

// reoffer is a later request with an offer.
func reoffer(at float64, lines []siprec.Stream, docs ...string) *siprec.Event {
	return changed(at, lines, docs...)(nil)
}

var three = []siprec.Stream{mline(0, "1", siprec.SendOnly), mline(1, "2", siprec.SendOnly), mline(2, "3", siprec.SendOnly)}

func invite(docs ...string) *siprec.Event { return offered(three, docs...)(nil) }

// TestConsults is what communication sessions mean, in order.
func TestConsults(t *testing.T) {
	full := func(comms []cs, ps ...party) string { return conference("complete", comms, ps...) }
	one := func(in ...string) []cs { return []cs{{"cs1", in}} }
	two := func(first, second []string) []cs { return []cs{{"cs1", first}, {"cs2", second}} }
	ab := []string{"alice", "bob"}
	mute := func(p party) party { return sending(p) }
	call := full(one(ab...), aliceIs, bobIs)
	away := sending(aliceIs, "s1:cs2") // who consults sends in the second one
	type step struct {
		ev   *siprec.Event
		want string
	}
	begin := step{invite(call), "party-joined alice, party-joined bob"}
	for _, tt := range []struct {
		name  string
		sig   Signals
		steps []step
	}{
		{"a consult, and its end", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), ""},
			{request(3, call), "consult-ended alice carol"}}},
		{"who consults leaves the first one", Signals{}, []step{begin,
			{request(1, full(two([]string{"bob"}, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(3, call), "consult-ended alice carol"}}},
		{"the other leaves", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "consulted alice dave"},
			{request(2, full(two(ab, []string{"alice"}), away, bobIs)), "consult-ended alice dave"}}},
		{"who consults leaves the second one first", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "consulted alice dave"},
			{request(2, full(two(ab, []string{"dave"}), aliceIs, bobIs, daveIs)), "consult-ended alice dave"},
			{request(3, full(one("alice", "bob", "dave"), aliceIs, bobIs, daveIs)), "party-joined dave"}}},
		{"dialled, and answered", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, mute(carolIs))), "consult-dialled alice carol"},
			{request(2, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "party-answered carol"}}},
		{"dialled in vain", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, mute(carolIs))), "consult-dialled alice carol"},
			{request(2, call), "consult-ended alice carol"}}},
		{"a conference in the first one", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "consulted alice dave"},
			{request(2, full(one("alice", "bob", "dave"), aliceIs, bobIs, sending(daveIs, "s3"))), "conferenced alice dave"}}},
		{"a conference of who was only dialled", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), away, bobIs, mute(daveIs))), "consult-dialled alice dave"},
			{request(2, full(one("alice", "bob", "dave"), aliceIs, bobIs, sending(daveIs, "s3"))), "party-answered dave, conferenced alice dave"}}},
		{"a conference in a third one", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "consulted alice dave"},
			{request(2, full([]cs{{"cs3", []string{"alice", "bob", "dave"}}}, sending(aliceIs, "s1:cs3"), sending(bobIs, "s2:cs3"), sending(daveIs, "s3:cs3"))), "conferenced alice dave"}}},
		{"a transfer within the first one", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full(one("bob", "carol"), bobIs, sending(carolIs, "s3"))), "transferred alice carol"}}},
		{"a transfer that takes the second one over", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full([]cs{{"cs2", []string{"bob", "carol"}}}, sending(bobIs, "s2:cs2"), carolIs)), "transferred alice carol"}}},
		{"a transfer into a third one", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full([]cs{{"cs3", []string{"bob", "carol"}}}, sending(bobIs, "s2:cs3"), sending(carolIs, "s3:cs3"))), "transferred alice carol"}}},
		{"a transfer in steps: the first ends, then both, then a third begins", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full([]cs{{"cs2", []string{"alice", "carol"}}}, away, carolIs)), "party-left bob"},
			{request(3, full([]cs{{"cs2", []string{"carol"}}, {"cs3", []string{"bob"}}}, sending(bobIs, "s2:cs3"), carolIs)), "party-joined bob, party-left alice"},
			{request(4, full([]cs{{"cs3", []string{"bob", "carol"}}}, sending(bobIs, "s2:cs3"), sending(carolIs, "s3:cs3"))), "conferenced alice carol"}}},
		{"who consults leaves first", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full(two([]string{"bob"}, []string{"carol"}), bobIs, carolIs)), "party-left alice"},
			{request(3, full(one("bob", "carol"), bobIs, sending(carolIs, "s3"))), "conferenced alice carol"}}},
		{"the customer leaves, and the consult goes on", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full([]cs{{"cs2", []string{"alice", "carol"}}}, away, carolIs)), "party-left bob"},
			{request(3, full([]cs{{"cs2", []string{"alice", "carol"}}}, away, carolIs)), ""}}},
		{"a colleague of the call is taken aside", Signals{}, []step{
			{invite(full(one("alice", "bob", "carol"), aliceIs, bobIs, sending(carolIs, "s3"))), "party-joined alice, party-joined bob, party-joined carol"},
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), ""}}},
		{"a second one of a stranger is a leg", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"dave"}), aliceIs, bobIs, daveIs)), "party-joined dave"}}},
		{"a leg that one of the call enters is a consult", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"dave"}), aliceIs, bobIs, daveIs)), "party-joined dave"},
			{request(2, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "party-left dave, consulted alice dave"}}},
		{"each party has a leg, and consults in a third", Signals{}, []step{
			{invite(full(two([]string{"bob"}, []string{"alice"}), sending(aliceIs, "s1:cs2"), bobIs)), "party-joined bob, party-joined alice"},
			{request(1, full([]cs{{"cs1", []string{"bob"}}, {"cs2", []string{"alice"}}, {"cs3", []string{"alice", "dave"}}}, sending(aliceIs, "s1:cs3"), bobIs, sending(daveIs, "s3:cs3"))), "consulted alice dave"},
			{request(2, full(two([]string{"bob"}, []string{"alice"}), sending(aliceIs, "s1:cs2"), bobIs)), "consult-ended alice dave"}}},
		{"the customer in a second one takes the call along", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"bob", "dave"}), aliceIs, bobIs, daveIs)), "party-joined dave"}}},
		{"no consult on a turret", Signals{NoConsult: true}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), aliceIs, bobIs, daveIs)), "party-joined dave"},
			{request(2, call), "party-left dave"}}},
		{"whom one consults consults", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(2, full([]cs{{"cs1", ab}, {"cs2", []string{"alice", "carol"}}, {"cs3", []string{"carol", "dave"}}}, away, bobIs, carolIs, sending(daveIs, "s4:cs3"))), ""},
			{request(3, call), "consult-ended alice carol"}}},
		{"alternates", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "consulted alice dave"},
			{request(2, full(two(ab, []string{"alice", "dave"}), aliceIs, bobIs, daveIs)), "alternated-back alice"},
			{request(3, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "alternated-away alice"},
			{request(4, call), "consult-ended alice dave"}}},
		{"a stream of the call alone tells of no alternation", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), aliceIs, bobIs, daveIs)), "consulted alice dave"},
			{request(2, full(two(ab, []string{"alice", "dave"}), aliceIs, bobIs, daveIs)), ""}}},
		{"two are consulted one after the other", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "consulted alice dave"},
			{request(2, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consult-ended alice dave, consulted alice carol"},
			{request(3, call), "consult-ended alice carol"}}},
		{"two are consulted at once, and the one goes whom the rules know", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave", "carol"}), away, bobIs, daveIs, sending(carolIs, "s4:cs2"))), "consulted alice carol, consulted alice dave"},
			{request(2, full(two(ab, []string{"alice", "carol"}), away, bobIs, sending(carolIs, "s4:cs2"))), "party-left dave"},
			{request(3, call), "party-left carol, alternated-back alice"}}},
		{"two are consulted at once, and the other goes first", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "dave", "carol"}), away, bobIs, daveIs, sending(carolIs, "s4:cs2"))), "consulted alice carol, consulted alice dave"},
			{request(2, full(two(ab, []string{"alice", "dave"}), away, bobIs, daveIs)), "party-left carol"},
			{request(3, call), "consult-ended alice dave"}}},
		{"begins within a consult", Signals{}, []step{
			{invite(full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "party-joined alice, party-joined bob, consulted alice carol"}}},

		// A hold and a consult.
		{"the hold comes with the consult", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "consulted alice carol"},
			{request(2, call), "consult-ended alice carol"}}},
		{"the hold comes before the consult", Signals{}, []step{begin,
			{request(1, full(one(ab...), aliceIs, mute(bobIs))), "held alice"},
			{request(2.5, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "retrieved alice, consulted alice carol"},
			{request(4, call), "consult-ended alice carol"}}},
		{"the hold comes long before the consult", Signals{}, []step{begin,
			{request(1, full(one(ab...), aliceIs, mute(bobIs))), "held alice"},
			{request(3.5, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "consulted alice carol"},
			{request(4, call), "retrieved alice, consult-ended alice carol"}}},
		{"another window", Signals{ConsultWindow: 500 * time.Millisecond}, []step{begin,
			{request(1, full(one(ab...), aliceIs, mute(bobIs))), "held alice"},
			{request(1.6, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "consulted alice carol"}}},
		{"no window: the same update", Signals{ConsultWindow: -1}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "consulted alice carol"}}},
		{"no window", Signals{ConsultWindow: -1}, []step{begin,
			{request(1, full(one(ab...), aliceIs, mute(bobIs))), "held alice"},
			{request(1.001, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "consulted alice carol"}}},
		{"the hold outlasts the consult", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "consulted alice carol"},
			{request(2, full(one(ab...), aliceIs, mute(bobIs))), "held alice, consult-ended alice carol"},
			{request(3, call), "retrieved alice"}}},
		{"a hold while somebody consults is pressed", Signals{}, []step{begin,
			{request(1, full(two(ab, []string{"alice", "carol"}), away, bobIs, carolIs)), "consulted alice carol"},
			{request(1.5, full(two(ab, []string{"alice", "carol"}), away, mute(bobIs), carolIs)), "held alice"},
			{request(2, call), "retrieved alice, consult-ended alice carol"}}},
		{"held by who leaves, and nobody else is there", Signals{}, []step{begin,
			{request(1, full(one(ab...), aliceIs, mute(bobIs))), "held alice"},
			{request(2, full(one("bob"), mute(bobIs))), "party-left alice"},
			{request(3, full(one("bob"), bobIs)), "retrieved alice, retrieved bob"}}},
		{"held by who leaves, and another agent is there", Signals{}, []step{begin,
			{request(1, full(one(ab...), aliceIs, mute(bobIs))), "held alice"},
			{request(2, full(one("bob", "carol"), mute(bobIs), sending(carolIs, "s1"))), "party-joined carol, held carol, retrieved alice, party-left alice"},
			{request(3, full(one("bob", "carol"), bobIs, sending(carolIs, "s1"))), "retrieved carol"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newListener(t, house, tt.sig)
			for n, s := range tt.steps {
				if got := told2words(l.hears(s.ev)); got != s.want {
					t.Errorf("step %d tells %q, want %q", n, got, s.want)
				}
			}
		})
	}
}

// While nobody is known to be of the own people, one of unknown role may consult: what
// is not known helps nobody to be recorded.
func TestConsultOfUnknownRoles(t *testing.T) {
	l := newListener(t, rules.Directory{}, Signals{})
	l.hears(invite(conference("complete", []cs{{"cs1", []string{"alice", "bob"}}}, aliceIs, bobIs)))
	got := told2words(l.hears(request(1, conference("complete", []cs{{"cs1", []string{"alice", "bob"}}, {"cs2", []string{"alice", "dave"}}}, aliceIs, bobIs, daveIs))))
	if got != "consulted alice dave" {
		t.Errorf("told %q", got)
	}
}

// Partial documents of RFC 8068 §3.3.3 lead to the same as complete ones.
func TestConsultByPartialDocuments(t *testing.T) {
	l := newListener(t, house, Signals{})
	l.hears(invite(conference("complete", []cs{{"cs1", []string{"alice", "bob"}}}, aliceIs, bobIs)))
	for n, s := range []struct{ doc, want string }{
		{conference("partial", []cs{{"cs2", []string{"carol"}}}, sending(carolIs)), "party-joined carol"},
		{conference("partial", []cs{{"cs2", []string{"alice"}}}, aliceIs), "party-left carol, consult-dialled alice carol"},
		{conference("partial", nil, carolIs), "party-answered carol"},
		{`<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode><session session_id="cs2"><stop-time>2026-11-21T12:00:00Z</stop-time></session></recording>`, "consult-ended alice carol"},
	} {
		if got := told2words(l.hears(request(float64(n+1), s.doc))); got != s.want {
			t.Errorf("document %d tells %q, want %q", n, got, s.want)
		}
	}
}

// A BroadWorks-like SRC gives everything another id on transfer, and names the transfer.
func TestTransferByRenewedIDs(t *testing.T) {
	doc := func(n string, extra string, parties ...[2]string) string {
		var b strings.Builder
		b.WriteString(`<recording_metadata xmlns="urn:ietf:params:xml:ns:siprec"><dataMode>complete</dataMode><recording id="urn:uuid:r` + n + `"/>`)
		b.WriteString(`<group id="urn:uuid:g` + n + `" recording="urn:uuid:r` + n + `"/><session id="urn:uuid:c` + n + `" group="urn:uuid:g` + n + `"/>`)
		for i, p := range parties {
			fmt.Fprintf(&b, `<participant id="urn:uuid:p%d%s" session="urn:uuid:c%s"><aor>%s</aor><send><id>urn:uuid:s%d%s</id></send></participant>`, i+1, n, n, p[1], i+1, n)
		}
		for i := range parties {
			fmt.Fprintf(&b, `<stream id="urn:uuid:s%d%s" session="urn:uuid:c%s"><label>%d</label><mode>separate</mode></stream>`, i+1, n, n, i+1)
		}
		b.WriteString(extra + `</recording_metadata>`)
		return b.String()
	}
	l := newListener(t, house, Signals{})
	a, b, d := [2]string{"", "sip:alice@example.com"}, [2]string{"", "sip:bob@example.net"}, [2]string{"", "sip:dave@example.org"}
	first := l.hears(invite(doc("1", "", a, b)))
	redirected := `<broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording"><redirectedCall><redirectedToPartyNumber>sip:dave@example.org</redirectedToPartyNumber></redirectedCall></broadWorksRecordingMetadata>`
	then := l.hears(request(1, doc("2", redirected, d, b)))
	var blind rules.Event
	for _, e := range then {
		if e.Kind == rules.TransferredBlind {
			blind = e
		}
	}
	if strings.Count(told2words(first), "party-joined") != 2 || strings.Contains(told2words(then), "party-left") ||
		blind.Evidence == "" || blind.Identity.Role != rules.RoleExternal || string(blind.Party) == string(blind.Other) {
		t.Errorf("told %q, then %q (%+v)", told2words(first), told2words(then), blind)
	}
	if got := told2words(l.hears(request(2, doc("3", redirected, d, b)))); got != "" {
		t.Errorf("the same again tells %q", got)
	}
}

// TestWaits is what queues and flows the call is in.
func TestWaits(t *testing.T) {
	full := func(in []string, ps ...party) string { return conference("complete", []cs{{"cs1", in}}, ps...) }
	acd := strings.Replace(full([]string{"bob"}, bobIs), "</recording>", `<broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording"><acd><acdName>sales</acdName></acd></broadWorksRecordingMetadata></recording>`, 1)
	answered := strings.Replace(full([]string{"bob", "alice"}, bobIs, aliceIs), "</recording>", `<broadWorksRecordingMetadata xmlns="http://schema.broadsoft.com/broadworksCallRecording"><acd><acdName>sales</acdName></acd></broadWorksRecordingMetadata></recording>`, 1)
	type step struct{ doc, want string }
	for _, tt := range []struct {
		name  string
		steps []step
	}{
		{"by address", []step{
			{full([]string{"bob", "queue"}, bobIs, queueIs), "party-joined bob, party-joined queue, queue-entered support"},
			{full([]string{"bob", "alice"}, bobIs, aliceIs), "party-joined alice, party-left queue, queue-left support"}}},
		{"a queue that stays when somebody answers", []step{
			{full([]string{"bob", "queue"}, bobIs, queueIs), "party-joined bob, party-joined queue, queue-entered support"},
			{full([]string{"bob", "queue", "alice"}, bobIs, queueIs, aliceIs), "party-joined alice, queue-left support"}}},
		{"a flow stays, as it may be beside an agent", []step{
			{full([]string{"bob", "ivr"}, bobIs, ivrIs), "party-joined bob, party-joined ivr, flow-entered menu"},
			{full([]string{"bob", "ivr", "alice"}, bobIs, ivrIs, aliceIs), "party-joined alice"},
			{full([]string{"bob", "alice"}, bobIs, aliceIs), "party-left ivr, flow-left menu"}}},
		{"transferred to a queue", []step{
			{full([]string{"bob", "alice"}, bobIs, aliceIs), "party-joined bob, party-joined alice"},
			{full([]string{"bob", "queue"}, bobIs, queueIs), "party-joined queue, transferred-to-queue alice support"},
			{full([]string{"bob", "carol"}, bobIs, sending(carolIs, "s1")), "party-joined carol, party-left queue, queue-left support"}}},
		{"by extension data", []step{
			{acd, "party-joined bob, queue-entered sales"},
			{answered, "party-identified bob, party-joined alice, queue-left sales"}}},
		{"a queue that is consulted", []step{
			{full([]string{"bob", "alice"}, bobIs, aliceIs), "party-joined bob, party-joined alice"},
			{conference("complete", []cs{{"cs1", []string{"bob", "alice"}}, {"cs2", []string{"alice", "queue"}}}, bobIs, aliceIs, sending(queueIs, "s3:cs2")), "consulted alice queue"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newListener(t, house, Signals{})
			for n, s := range tt.steps {
				ev := request(float64(n), s.doc)
				if n == 0 {
					ev = invite(s.doc)
				}
				if got := told2words(l.hears(ev)); got != s.want {
					t.Errorf("step %d tells %q, want %q", n, got, s.want)
				}
			}
		})
	}
}

// TestInactiveMeans is what streams mean that the SRC makes inactive.
func TestInactiveMeans(t *testing.T) {
	lines := func(directions string) []siprec.Stream {
		var out []siprec.Stream
		for n, d := range directions {
			one := mline(n, fmt.Sprint(n+1), map[rune]siprec.Direction{'+': siprec.SendOnly, '-': siprec.Inactive, '0': siprec.SendOnly}[d])
			if d == '0' {
				one.Closed, one.Receiving = true, false
			}
			out = append(out, one)
		}
		return out
	}
	call := conference("complete", []cs{{"cs1", []string{"alice", "bob"}}}, aliceIs, bobIs)
	consult := conference("complete", []cs{{"cs1", []string{"alice", "bob"}}, {"cs2", []string{"alice", "carol"}}}, aliceIs, bobIs, carolIs)
	hold, manual, pause := rules.InactiveHold, rules.InactiveManual, rules.InactivePause
	type step struct {
		ev   *siprec.Event
		want string
	}
	first := func(d, want string) step {
		return step{offered(lines(d), call)(nil), "party-joined alice, party-joined bob" + want}
	}
	for _, tt := range []struct {
		name    string
		means   *rules.InactiveMeans
		profile rules.InactiveMeans
		steps   []step
	}{
		{"nothing but itself", nil, pause, []step{first("++", ""), {reoffer(1, lines("--")), ""}, {reoffer(2, lines("++")), ""}}},
		{"a hold", &hold, pause, []step{first("++", ""), {reoffer(1, lines("-+")), "held alice sdp of sbc1"}, {reoffer(2, lines("--")), ""}, {reoffer(3, lines("++")), "retrieved sdp of sbc1"}}},
		{"a hold by the profile of the directory", nil, hold, []step{first("++", ""), {reoffer(1, lines("-+")), "held alice sdp of sbc1"}}},
		{"the file of SRCs comes before the profile", &pause, hold, []step{first("++", ""), {reoffer(1, lines("-+")), ""}}},
		{"a pause", &manual, pause, []step{first("++", ""), {reoffer(1, lines("--")), "pause sdp of sbc1"}, {reoffer(2, lines("-+")), ""}, {reoffer(3, lines("++")), "resume sdp of sbc1"}}},
		{"paused from the beginning", &manual, pause, []step{first("--", ", pause sdp of sbc1"), {reoffer(3, lines("++")), "resume sdp of sbc1"}}},
		{"a stream that waits for somebody", &manual, pause, []step{first("+-", ""), {reoffer(1, lines("++")), ""}, {reoffer(2, lines("+-")), "pause sdp of sbc1"}}},
		{"a new stream lifts nothing", &manual, pause, []step{first("++", ""), {reoffer(1, lines("--")), "pause sdp of sbc1"}, {reoffer(2, lines("--+")), ""}, {reoffer(3, lines("+++")), "resume sdp of sbc1"}}},
		{"a request without an offer lifts nothing", &manual, pause, []step{first("++", ""), {reoffer(1, lines("--")), "pause sdp of sbc1"}, {request(2, call), ""}}},
		{"metadata and SDP of one hold are two", &hold, pause, []step{first("++", ""),
			{reoffer(1, lines("+-"), conference("partial", nil, sending(bobIs))), "held alice, held alice sdp of sbc1"},
			{request(2, call), "retrieved alice"}, {reoffer(3, lines("++")), "retrieved sdp of sbc1"}}},
		{"the hold of a consult", &hold, pause, []step{first("++", ""), {reoffer(1, lines("+-")), "held alice sdp of sbc1"},
			{reoffer(2, lines("+-+"), consult), "retrieved sdp of sbc1, consulted alice carol"}, {reoffer(3, lines("+++"), call), "consult-ended alice carol"}}},
		{"a pause is none of a consult", &manual, pause, []step{first("++", ""), {reoffer(1, lines("+-")), "pause sdp of sbc1"}, {reoffer(2, lines("+-+"), consult), "consulted alice carol"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newListener(t, house, Signals{InactiveMeans: tt.means})
			l.profile.InactiveMeans = tt.profile
			l.live, l.recalled = l.interpreter(), l.interpreter()
			for n, s := range tt.steps {
				if got := told2words(l.hears(s.ev)); got != s.want {
					t.Errorf("step %d tells %q, want %q", n, got, s.want)
				}
			}
		})
	}
}

// TestSignals is what header fields and extension data mean that are configured.
func TestSignals(t *testing.T) {
	header := func(method, name, value string) *siprec.Event {
		ev := request(1)
		ev.Method, ev.Headers = method, []siprec.Header{{Name: name, Value: value}}
		return ev
	}
	call := conference("complete", []cs{{"cs1", []string{"alice", "bob"}}}, aliceIs, bobIs)
	within := func(of, xml string) *siprec.Event {
		return request(1, strings.Replace(call, of, of+xml, 1))
	}
	recording := []Signal{{Header: "x-recording", Value: "pause*", Means: ActPause}, {Header: "X-Recording", Value: "resume*", Means: ActResume}}
	type step struct {
		ev   *siprec.Event
		want string
	}
	const pauses, resumes = "pause signal of sbc1", "resume signal of sbc1"
	for _, tt := range []struct {
		name    string
		signals []Signal
		steps   []step
	}{
		{"an INFO is always news", recording, []step{{header("INFO", "X-Recording", "Pause now"), pauses}, {header("INFO", "X-Recording", "pause"), pauses},
			{header("INFO", "X-Recording", "resume"), resumes}, {header("INFO", "X-Recording", "resume"), resumes}, {header("INFO", "X-Other", "pause"), ""}, {header("INFO", "X-Recording", "paus"), ""}}},
		{"a header field that is repeated is none", recording, []step{{header("INVITE", "X-Recording", "resume"), resumes}, {header("INFO", "X-Recording", "pause"), pauses},
			{header("INVITE", "X-Recording", "resume"), ""}, {header("UPDATE", "X-Recording", "pause"), pauses}, {header("INVITE", "X-Nothing", "1"), ""},
			{header("INVITE", "X-Recording", "pause"), ""}, {header("INVITE", "X-Recording", "resume"), resumes}}},
		{"what a party pressed", []Signal{{Header: "X-P", Value: "pause by *", Means: ActPause, Party: "*"}, {Header: "X-P", Value: "resume by *", Means: ActResume, Party: "sip:*"}}, []step{
			{header("INFO", "X-P", "pause by sip:alice@example.com"), "pause alice"}, {header("INFO", "X-P", "resume by alice@example.com"), "resume alice"},
			{header("INFO", "X-P", "pause by sip:zoe@example.com"), pauses}}},
		{"queues and flows", []Signal{{Header: "X-Q", Value: "in;*;*", Means: ActQueueEntered, Name: "q-*"}, {Header: "X-Q", Value: "out", Means: ActQueueLeft},
			{Header: "X-F", Value: "+*", Means: ActFlowEntered, Name: "*"}, {Header: "X-F", Value: "-*", Means: ActFlowLeft, Name: "*"}}, []step{
			{header("INFO", "X-Q", "in;7;x"), "queue-entered q-7"}, {header("INFO", "X-Q", "in;8;x"), "queue-entered q-8"}, {header("INFO", "X-Q", "out"), "queue-left q-7, queue-left q-8"},
			{header("INFO", "X-F", "+pay"), "flow-entered pay"}, {header("INFO", "X-F", "-other"), ""}, {header("INFO", "X-F", "-pay"), "flow-left pay"}}},
		{"payments", []Signal{{Header: "X-S", Value: "1", Means: ActSecureStart}, {Header: "X-S", Value: "0", Means: ActSecureStop}, {Header: "X-S", Value: "1 *", Means: ActSecureStart, Name: "*"}}, []step{
			{header("INFO", "X-S", "1"), "secure-started signal of sbc1"}, {header("INFO", "X-S", "0"), "secure-ended signal of sbc1"}, {header("INFO", "X-S", "1 card"), "secure-started signal of sbc1 card"}}},
		{"answers, a menu, a command and holds", []Signal{{Header: "X-C", Value: "yes", Means: ActConsentGiven}, {Header: "X-C", Value: "no", Means: ActConsentRefused}, {Header: "X-C", Value: "?", Means: ActConsentAsked},
			{Header: "X-C", Value: "none", Means: ActConsentUnanswered}, {Header: "X-C", Value: "back", Means: ActConsentWithdrawn}, {Header: "X-C", Value: "press *", Means: ActMenu, Name: "*"}, {Header: "X-C", Value: "record", Means: ActRecord},
			{Header: "X-C", Value: "hold", Means: ActHold}, {Header: "X-C", Value: "unhold", Means: ActRetrieve}}, []step{
			{header("INFO", "X-C", "?"), "consent-asked"}, {header("INFO", "X-C", "YES"), "consent-given"}, {header("INFO", "X-C", "no"), "consent-refused"}, {header("INFO", "X-C", "none"), "consent-unanswered"},
			{header("INFO", "X-C", "back"), "consent-withdrawn"}, {header("INFO", "X-C", "press 7"), "menu-chosen 7"}, {header("INFO", "X-C", "record"), "record-ordered"},
			{header("INFO", "X-C", "hold"), "held signal of sbc1"}, {header("INFO", "X-C", "unhold"), "retrieved signal of sbc1"}}},
		{"fields of extension data", []Signal{{Field: "state", Value: "wait*", Means: ActQueueEntered, Name: "q"}, {Field: "v:q/state", Value: "never", Means: ActMenu, Name: "n"}, {Field: "state", Value: "done", Means: ActQueueLeft, Name: "q"},
			{Field: "ok/@answer", Value: "yes", Means: ActPartyAgreed}, {Field: "@pressed", Value: "*", Means: ActMenu, Name: "*"}}, []step{
			{within("</datamode>", `<q xmlns="v"><state>waiting</state></q>`), "queue-entered q"},
			{within("</datamode>", `<q xmlns="v"><state>waiting</state></q>`), ""},
			{within("</datamode>", `<q xmlns="v"><state>done</state></q>`), "queue-left q"},
			{within(`<nameID aor="sip:bob@example.net"/>`, `<ok xmlns="v" answer="yes"/>`), "party-agreed bob"},
			{within("</datamode>", `<key xmlns="v" pressed="3"/>`), "menu-chosen 3"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			for _, s := range tt.signals {
				if err := s.Check(); err != nil {
					t.Fatal(err)
				}
			}
			l := newListener(t, house, Signals{List: tt.signals})
			l.hears(invite(call))
			for n, s := range tt.steps {
				if got := told2words(l.hears(s.ev)); got != s.want {
					t.Errorf("step %d tells %q, want %q", n, got, s.want)
				}
			}
		})
	}
}

func TestSignalMatches(t *testing.T) {
	for _, tt := range []struct {
		pattern, value, part string
		ok                   bool
	}{
		{"", "any thing", "any thing", true}, {"a", "A", "A", true}, {"a", "ab", "", false}, {"?", "x", "x", true}, {"?", "", "", false},
		{"in *", "in  the queue ", "the queue", true}, {"in *;*", "IN q;p=1;r", "q", true}, {"*;x", "a;b;x", "a;b", true}, {"*x*x", "axbx", "a", true},
		{"*", "", "", true}, {"a*", "b", "", false}, {"*" + rep("*a", 20) + "b", rep("a", 400), "", false},
	} {
		if part, ok := (Signal{Value: tt.pattern}).match(tt.value); ok != tt.ok || ok && part != tt.part {
			t.Errorf("%q of %q: %q, %v", tt.pattern, tt.value, part, ok)
		}
	}
}

// A story is a random history of one call: who is in which communication session, who
// sends, which streams are active, and what somebody else said to the rules before.
type story struct {
	r     *rand.Rand
	comms []cs
	mute  map[string]bool
	lines []siprec.Stream
}

func (s *story) next(n int) *siprec.Event {
	people := []string{"alice", "bob", "carol", "dave", "queue", "ivr"}
	for range 1 + s.r.IntN(3) {
		c := s.r.IntN(len(s.comms))
		who := people[s.r.IntN(len(people))]
		if i := slices.Index(s.comms[c].in, who); i >= 0 {
			s.comms[c].in = slices.Delete(slices.Clone(s.comms[c].in), i, i+1)
		} else {
			s.comms[c].in = append(slices.Clip(s.comms[c].in), who)
		}
	}
	who := people[s.r.IntN(4)]
	s.mute[who] = !s.mute[who]
	for i := range s.lines {
		s.lines[i] = mline(i, fmt.Sprint(i+1), []siprec.Direction{siprec.SendOnly, siprec.SendOnly, siprec.Inactive}[s.r.IntN(3)])
	}
	at := float64(n) * 0.7
	switch s.r.IntN(6) {
	case 0:
		ev := request(at)
		ev.Method, ev.Headers = []string{"INFO", "UPDATE"}[s.r.IntN(2)], []siprec.Header{{Name: "X-R", Value: []string{"pause", "resume", "in q", "out", "hold", "unhold"}[s.r.IntN(6)]}}
		return ev
	case 1, 2:
		return reoffer(at, slices.Clone(s.lines), s.document())
	default:
		return request(at, s.document())
	}
}

// document is what is true now.
func (s *story) document() string {
	aors := map[string]string{"alice": aliceIs.aor, "bob": bobIs.aor, "carol": carolIs.aor, "dave": daveIs.aor, "queue": queueIs.aor, "ivr": ivrIs.aor}
	var comms []cs
	var parties []party
	for _, c := range s.comms {
		if len(c.in) == 0 {
			continue
		}
		comms = append(comms, c)
		for _, id := range c.in {
			i := slices.IndexFunc(parties, func(p party) bool { return p.id == id })
			if i < 0 {
				i = len(parties)
				parties = append(parties, sends(id, aors[id]))
			}
			line := slices.Index([]string{"alice", "bob", "carol", "dave"}, id)
			if line >= 0 && line < 3 && !s.mute[id] && (len(parties[i].sends) == 0 || s.r.IntN(2) == 0) {
				parties[i].sends = []string{fmt.Sprintf("s%d:%s", line+1, c.id)}
			}
		}
	}
	return conference("complete", comms, parties...)
}

// checkStory plays a random history, and then one document in which alice talks to bob
// and nothing else is. Whatever was told before: each end was of what had begun, what
// others said is still in force, and of what the interpreter said nothing is.
func checkStory(t *testing.T, seed uint64, steps int) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 7))
	s := &story{r: r, comms: []cs{{"cs1", []string{"alice", "bob"}}, {"cs2", nil}, {"cs3", nil}}, mute: make(map[string]bool), lines: slices.Clone(three)}
	means := rules.InactiveMeans(r.IntN(3))
	l := newListener(t, house, Signals{InactiveMeans: &means, List: []Signal{
		{Header: "X-R", Value: "pause", Means: ActPause}, {Header: "X-R", Value: "resume", Means: ActResume}, {Header: "X-R", Value: "hold", Means: ActHold}, {Header: "X-R", Value: "unhold", Means: ActRetrieve},
		{Header: "X-R", Value: "in *", Means: ActQueueEntered, Name: "*"}, {Header: "X-R", Value: "out", Means: ActQueueLeft}}})
	flags := rules.Ours()
	flags.Trunk, flags.ContinueWithoutAgent, flags.Hold, flags.ConsultHolds = true, true, []rules.HoldMode{rules.HoldAction, rules.HoldLeg}[r.IntN(2)], r.IntN(2) == 0
	flags.QueueWait, flags.SuppressedFlows, flags.Control = rules.Selection{}, rules.Selection{All: true}, rules.Selection{All: true}
	foreign := r.IntN(2) == 0
	c := rules.Open(rules.NewPolicy(flags), "r")
	open := make(map[string]bool)
	hear := func(ev *siprec.Event) {
		before := len(l.streams.list)
		told := l.hears(ev)
		checkEnds(t, seed, open, told)
		for i := range l.streams.list {
			kind := rules.StreamActive
			if !l.streams.list[i].info.Receiving {
				kind = rules.StreamInactive
			}
			if i >= before {
				told = append(told, rules.Event{At: ev.At, Kind: rules.StreamAdded, Stream: l.streams.list[i].id})
			}
			told = append(told, rules.Event{At: ev.At, Kind: kind, Stream: l.streams.list[i].id, Owner: ownerSDP})
		}
		if ev.Kind == siprec.Offered {
			told = append([]rules.Event{{At: ev.At, Kind: rules.InteractionStarted, Direction: rules.DirectionInbound}}, told...)
		}
		c.Apply(told...)
	}
	hear(invite(s.document()))
	if foreign {
		for _, e := range []rules.Event{{Kind: rules.PausePressed, Party: "alice"}, {Kind: rules.SecureStarted, Owner: "desk"}, {Kind: rules.Held, Owner: "desk"}, {Kind: rules.QueueEntered, Name: "desk"}, {Kind: rules.FlowEntered, Name: "desk"}} {
			e.At = sec(0.1)
			c.Apply(e)
		}
	}
	for n := range steps {
		hear(s.next(n + 1))
	}
	for _, value := range []string{"resume", "unhold", "out"} {
		ev := request(float64(steps + 2))
		ev.Method, ev.Headers = "INFO", []siprec.Header{{Name: "X-R", Value: value}}
		hear(ev)
	}
	hear(reoffer(float64(steps+3), three, conference("complete", []cs{{"cs1", []string{"alice", "bob"}}}, aliceIs, bobIs)))
	for stream, who := range map[rules.StreamID]string{"0.0": "alice", "1.0": "bob"} {
		var left []string
		for _, a := range c.Decision(stream).Causes {
			left = append(left, a.Cause.String()+" "+a.Owner)
		}
		want := ""
		if foreign {
			want = "hold desk, ivr desk, manual call, queue desk, secure desk"
			if flags.Hold == rules.HoldLeg {
				want = "hold leg of " + who + ", ivr desk, manual call, queue desk, secure desk"
			}
		}
		slices.Sort(left)
		if got := strings.Join(left, ", "); got != want {
			t.Fatalf("seed %d, %d steps, hold %v: in the end the stream of %s has the causes %q, want %q", seed, steps, flags.Hold, who, got, want)
		}
	}
}

// checkEnds fails when something ends that had not begun.
func checkEnds(t *testing.T, seed uint64, open map[string]bool, told []rules.Event) {
	t.Helper()
	ends := map[rules.Kind]rules.Kind{rules.ConsultEnded: rules.Consulted, rules.QueueLeft: rules.QueueEntered, rules.FlowLeft: rules.FlowEntered, rules.StreamSendsNot: rules.StreamSends}
	for _, e := range told {
		key := fmt.Sprint(e.Kind, e.Party, e.Name, e.Owner, e.Stream)
		switch e.Kind {
		case rules.Consulted, rules.ConsultDialled:
			key = fmt.Sprint(rules.Consulted, e.Other)
		case rules.TransferredToQueue:
			key = fmt.Sprint(rules.QueueEntered, e.Name)
		case rules.QueueEntered, rules.FlowEntered:
			key = fmt.Sprint(e.Kind, e.Name)
		case rules.Held, rules.PausePressed:
			key = fmt.Sprint(e.Kind, e.Owner)
		}
		begun, isEnd := ends[e.Kind]
		switch {
		case e.Kind == rules.ConsultEnded:
			key = fmt.Sprint(begun, e.Other)
		case e.Kind == rules.StreamSendsNot:
			key = fmt.Sprint(begun, e.Party, e.Name, e.Owner, e.Stream)
		case isEnd:
			key = fmt.Sprint(begun, e.Name)
		case e.Kind == rules.Retrieved && strings.HasPrefix(e.Owner, ownerStreams):
			key, isEnd = fmt.Sprint(rules.Held, e.Owner), true
		case e.Kind == rules.ResumePressed && strings.HasPrefix(e.Owner, ownerStreams):
			key, isEnd = fmt.Sprint(rules.PausePressed, e.Owner), true
		case e.Kind == rules.Retrieved && e.Owner == "":
			key, isEnd = fmt.Sprint(rules.Held, ""), true
		}
		if isEnd && !open[key] {
			t.Fatalf("seed %d: %v %s%s%s%s ends what had not begun", seed, e.Kind, e.Party, e.Other, e.Name, e.Owner)
		}
		open[key] = !isEnd || e.Kind == rules.Retrieved && e.Owner == ""
	}
}

func TestStories(t *testing.T) {
	stories := uint64(400)
	if testing.Short() {
		stories = 40
	}
	for seed := range stories {
		checkStory(t, seed, 1+int(seed%25))
	}
}

// FuzzStories: no order of documents leaves anything behind, or ends what it had not begun.
func FuzzStories(f *testing.F) {
	f.Add(uint64(1), uint8(8))
	f.Fuzz(func(t *testing.T, seed uint64, steps uint8) { checkStory(t, seed, int(steps%64)) })
}

var _ told = (*people)(nil)
