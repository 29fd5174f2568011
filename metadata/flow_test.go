package metadata_test

import (
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// The flows of RFC 8068, in fixtures of our own, with the state after each step.

const (
	annBoth = "ann in cs1 sends aa av receives ba bv"
	benBoth = "ben in cs1 sends ba bv receives aa av"
)

// RFC 8068 §3.2.1.
func TestFlowBasicCall(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.in(annBoth, benBoth).comms("cs1").unresolved().odd()
	r.streams("aa cs1 0/0", "av cs1 1/0", "ba cs1 2/0", "bv cs1 3/0")
	r.sends(0, "ann").sends(1, "ann").sends(2, "ben").sends(3, "ben").sends(4, "")
	r.changed("communication-session-started cs1", "group-joined cs1 group", "joined ann cs1", "joined ben cs1",
		"stream-started cs1 aa 0/0", "stream-started cs1 av 1/0", "stream-started cs1 ba 2/0", "stream-started cs1 bv 3/0",
		"sending-started ann aa 0/0", "sending-started ann av 1/0", "sending-started ben ba 2/0", "sending-started ben bv 3/0")
	if cs := r.m.Current().CommunicationSessions[0]; cs.Group != id(group) {
		t.Errorf("group %q, want %q in spite of the line break", cs.Group, id(group))
	}
	r.spans(metadata.Recorded, "cs1 10-")
}

// RFC 8068 §3.2.2: the SDP does not change.
// Shows 7866-7.1.1.1-04, 7865-6.8.1-01.
func TestFlowHoldAndResume(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(media(ann, nil, l(ba, bv)), media(ben, l(ba, bv), nil)), fourLines())
	r.changed("sending-stopped ann aa 0/0", "sending-stopped ann av 1/0")
	r.in("ann in cs1 sends receives ba bv", "ben in cs1 sends ba bv receives").comms("cs1")
	r.sends(0, "").sends(2, "ben").sentAt(0, 19, "ann")
	for index, want := range map[int]bool{0: true, 1: true, 2: false, 3: false, 4: false} {
		if got := r.m.Held(index, 0, instant(20)); got != want {
			t.Errorf("m-line %d held: %v, want %v", index, got, want)
		}
	}
	if r.m.Held(0, 0, instant(19)) {
		t.Error("held before the hold")
	}
	// Another order of the same streams: a set, not a list.
	r.apply(partial(media(ann, l(aa, av), l(ba, bv)), media(ben, l(ba, bv), l(av, aa))), fourLines())
	r.changed("sending-started ann aa 0/0", "sending-started ann av 1/0").in(annBoth, benBoth)
	r.spans(metadata.Sending, "ann aa 10-20", "ann av 10-20", "ben ba 10-", "ben bv 10-", "ann aa 30-", "ann av 30-")
	if r.m.Held(0, 0, instant(30)) || !r.m.Held(0, 0, instant(29)) {
		t.Error("the hold does not end with the resume")
	}
}

// RFC 8068 §3.2.3, first form: Cleo's streams are described nowhere.
func TestFlowTransferInside(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(comm(cs1, "<sipSessionID>55ee;remote=66ff</sipSessionID>"), person(cleo, "sip:cleo@example.com"),
		member(cleo, cs1, "<associate-time>2033-01-01T00:00:00Z</associate-time>"), member(ann, cs1, leaves),
		media(ben, l(ba, bv), l(ca, cv)), media(cleo, l(ca, cv), l(ba, bv), joins)), fourLines())
	r.in("ben in cs1 sends ba bv receives ca cv", "cleo in cs1 sends ca cv receives ba bv")
	r.sends(0, "cleo").sends(1, "cleo").sends(2, "ben").sentAt(0, 19, "ann")
	r.unresolved("stream ca", "stream cv")
	r.changed("sending-stopped ann aa 0/0", "sending-stopped ann av 1/0", "left ann cs1", "joined cleo cs1",
		"stream-started ca 0/0 guessed", "stream-started cv 1/0 guessed",
		"sending-started cleo ca 0/0 guessed", "sending-started cleo cv 1/0 guessed")
	for _, sp := range r.m.Attribution(0, 0, instant(20)) {
		if !sp.Guessed {
			t.Errorf("attribution to %s is not flagged", nameOf(sp.Participant))
		}
	}
	cs := r.m.Current().CommunicationSessions[0]
	if len(cs.SIPSessionIDs) != 1 || cs.Group != id(group) {
		t.Errorf("communication session %+v: want the new SIP session id and the old group", cs)
	}
}

func newCall() string {
	return complete(comm(cs2, starts), person(ben, "sip:ben@example.com"), person(cleo, "sip:cleo@example.com"),
		stream(ca, cs2, "11"), stream(cv, cs2, "12"), stream(ba, cs2, "13"), stream(bv, cs2, "14"),
		member(ben, cs2, joins), member(cleo, cs2, joins),
		media(ben, l(ba, bv), l(ca, cv)), media(cleo, l(ca, cv), l(ba, bv)))
}

// RFC 8068 §3.2.3, second form, with and without the optional first message.
// Shows 7866-5.1-02, 7865-6.2-01, 7865-6.5.1-02.
func TestFlowTransferNewCommunicationSession(t *testing.T) {
	for name, announced := range map[string]bool{"announced": true, "at once": false} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t).apply(basic(), fourLines())
			if announced {
				r.apply(partial(comm(cs1, stops), member(ann, cs1, leaves), member(ben, cs1, leaves)), fourLines())
				r.comms().in().streams().sends(0, "").sends(2, "")
			} else {
				r.now += 10
			}
			r.apply(newCall(), fourLines())
			r.comms("cs2").in("ben in cs2 sends ba bv receives ca cv", "cleo in cs2 sends ca cv receives ba bv")
			r.streams("ca cs2 0/0", "cv cs2 1/0", "ba cs2 2/0", "bv cs2 3/0")
			r.sends(0, "cleo").sends(2, "ben").sentAt(0, 19, "ann")
			if groups := r.m.Current().Groups; len(groups) != 0 {
				t.Errorf("groups %v, want none (M27)", groups)
			}
			end := "20"
			if !announced {
				end = "30"
			}
			r.spans(metadata.Active, "cs1 10-"+end, "cs2 30-").spans(metadata.Grouped, "cs1 group 10-"+end)
		})
	}
}

// RFC 8068 §3.2.4, metadata in BYE.
func TestFlowDisconnect(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(comm(cs1, stops), member(ann, cs1, leaves), member(ben, cs1, leaves)), nil)
	r.comms().in().streams()
	if !r.m.Silent(instant(20)) {
		t.Error("not silent after everybody left")
	}
	r.close().changed() // all was closed by the document
	if !r.m.Closed() {
		t.Error("not closed")
	}
	var stop string
	for _, sp := range r.m.Spans() {
		if sp.Kind == metadata.Active {
			stop = sp.End.Raw
		}
	}
	if stop != "2030-01-02T04:04:05Z" {
		t.Errorf("stop-time %q was not kept", stop)
	}
}

func TestFlowDisconnectWithoutMetadata(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).close()
	r.comms().in().streams().sentAt(0, 19, "ann").sentAt(0, 20, "")
	r.spans(metadata.Member, "ann cs1 10-20", "ben cs1 10-20")
}

const (
	annMix = "ann in cs1 sends aa receives aa"
	benMix = "ben in cs1 sends aa receives aa"
)

// RFC 8068 §3.3.1: the SRC mixes and is no participant.
// Shows 7866-5.1-03, 7866-8.3.2-04, 7865-6.3.1-03.
func TestFlowMixed(t *testing.T) {
	r := newRun(t).apply(mixed(), lines("11")).in(annMix, benMix).sends(0, "ann ben")
	ids := r.m.Current().CommunicationSessions[0].SIPSessionIDs
	if len(ids) != 2 || ids[0] != "11aa;remote=22bb" {
		t.Errorf("SIP session ids %q", ids)
	}
}

// RFC 8068 §3.3.2.
func TestFlowMixedHold(t *testing.T) {
	r := newRun(t).apply(mixed(), lines("11"))
	r.apply(partial(stream(aa, cs1, "11"), media(ann, nil, l(aa)), media(ben, l(aa), nil)), lines("11"))
	r.in("ann in cs1 sends receives aa", "ben in cs1 sends aa receives").sends(0, "ben")
	r.changed("sending-stopped ann aa 0/0")
	r.apply(partial(stream(aa, cs1, "11"), media(ann, l(aa), l(aa)), media(ben, l(aa), l(aa))), lines("11"))
	r.in(annMix, benMix).changed("sending-started ann aa 0/0")
}

// RFC 8068 §3.3.3.
func TestFlowMixedJoinAndDrop(t *testing.T) {
	r := newRun(t).apply(mixed(), lines("11"))
	r.apply(partial(comm(cs1, "<sipSessionID>1;remote=2</sipSessionID><sipSessionID>3;remote=4</sipSessionID><sipSessionID>5;remote=6</sipSessionID>"),
		person(cleo, "sip:cleo@example.com"), member(cleo, cs1, joins), media(cleo, l(aa), l(aa))), lines("11"))
	r.in(annMix, benMix, "cleo in cs1 sends aa receives aa").sends(0, "ann ben cleo")
	r.changed("joined cleo cs1", "sending-started cleo aa 0/0")
	r.apply(partial(comm(cs1, "<sipSessionID>1;remote=2</sipSessionID><sipSessionID>5;remote=6</sipSessionID>"),
		member(ann, cs1, "<disassociate-time>2029-01-01T00:00:00Z</disassociate-time>")), lines("11"))
	r.in(benMix, "cleo in cs1 sends aa receives aa").sends(0, "ben cleo")
	r.changed("sending-stopped ann aa 0/0", "left ann cs1")
	if n := len(r.m.Current().CommunicationSessions[0].SIPSessionIDs); n != 2 {
		t.Errorf("%d SIP session ids, want the two of the new list", n)
	}
	// RFC 8068 §3.3.4.
	r.apply(partial(comm(cs1, stops), member(ben, cs1, leaves), member(cleo, cs1, leaves)), nil)
	r.comms().in().streams().sends(0, "")
}

// RFC 8068 §3.4.1: the recording session outlives the communication session.
// Shows 7866-5.1-01, 7866-10-01, 7865-6.1.2-01, 7865-6.3.2-02.
func TestFlowPersistent(t *testing.T) {
	r := newRun(t).apply(mixed(), lines("11"))
	r.apply(partial(comm(cs1, stops), member(ann, cs1, leaves), member(ben, cs1, leaves)), nil)
	r.comms().in().streams()
	if r.m.Closed() || r.m.Held(0, 0, instant(20)) || !r.m.Silent(instant(20)) {
		t.Error("the recording session is open and silent, and no stream is on hold")
	}
	// The next one, by a partial document, on the same m-line.
	r.apply(partial(comm(cs2, starts), person(cleo, "sip:cleo@example.com"), stream(ca, cs2, "11"),
		member(cleo, cs2, joins), member(ben, cs2, joins), media(cleo, l(ca), l(ca)), media(ben, l(ca), l(ca))), lines("11"))
	r.comms("cs2").streams("ca cs2 0/0").sends(0, "ben cleo")
	r.in("ben in cs2 sends ca receives ca", "cleo in cs2 sends ca receives ca")
	r.spans(metadata.Active, "cs1 10-20", "cs2 30-")
}

// RFC 8068 §3.5: one mixed stream of two communication sessions.
func TestFlowTurret(t *testing.T) {
	r := newRun(t).apply(complete(`<group group_id="`+group+`"/>`,
		comm(cs1, "<group-ref>"+group+"</group-ref>", starts), comm(cs2, "<group-ref>"+group+"</group-ref>", starts),
		person(ann, "sip:ann@example.com"), person(ben, "sip:ben@example.com"), person(cleo, "sip:cleo@example.com"),
		stream(aa, cs1, "11"), member(ann, cs1, joins), member(ben, cs1, joins), member(ben, cs2, joins), member(cleo, cs2, joins),
		media(ann, l(aa), l(aa)), media(ben, l(aa), l(aa)), media(cleo, l(aa), l(aa))), lines("11"))
	r.comms("cs1", "cs2").sends(0, "ann ben cleo").streams("aa cs1 0/0")
	r.in(annMix, "ben in cs1 cs2 sends aa receives aa", "cleo in cs2 sends aa receives aa")
	r.spans(metadata.Grouped, "cs1 group 10-", "cs2 group 10-")
	// The stream goes on for the other communication session.
	r.apply(partial(comm(cs1, stops)), nil).comms("cs2").sends(0, "ben cleo")
	r.in("ben in cs2 sends aa receives aa", "cleo in cs2 sends aa receives aa")
	r.apply(partial(comm(cs2, stops)), nil).comms().sends(0, "").streams()
}

// A consultation with streams of its own ends: its streams end too, though the
// agent is still in the other communication session.
func TestFlowConsultation(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "sip:ann@example.com"), person(ben, "sip:ben@example.com"),
		stream(aa, cs1, "11"), stream(ba, cs1, "12"), member(ann, cs1), member(ben, cs1),
		media(ann, l(aa), l(ba)), media(ben, l(ba), l(aa))), lines("11", "12"))
	four := lines("11", "12", "13", "14")
	r.apply(partial(comm(cs2), person(cleo, "sip:cleo@example.com"), stream(bv, cs2, "13"), stream(ca, cs2, "14"),
		member(ben, cs2), member(cleo, cs2), media(ann, nil, nil), media(ben, l(bv), l(ca)), media(cleo, l(ca), l(bv))), four)
	r.sends(0, "").sends(1, "").sends(2, "ben").sends(3, "cleo")
	r.in("ann in cs1 sends receives", "ben in cs1 cs2 sends bv receives ca", "cleo in cs2 sends ca receives bv")
	r.apply(partial(comm(cs2, stops)), lines("11", "12"))
	r.comms("cs1").sends(2, "").sends(3, "").in("ann in cs1 sends receives", "ben in cs1 sends receives")
	r.apply(partial(media(ann, l(aa), l(ba)), media(ben, l(ba), l(aa))), lines("11", "12")).sends(0, "ann").sends(1, "ben")
}

// Metadata that comes after the media speaks of what was before it too (RFC 7866
// §9.1).
// Shows 7866-5.1-01, 7866-9.1-01.
func TestFlowLateMetadata(t *testing.T) {
	r := newRun(t).apply("", fourLines()).changed().sends(0, "")
	if r.m.Silent(instant(10)) || r.m.Held(0, 0, instant(10)) || r.m.NeedsSnapshot() || r.m.Provisional() {
		t.Error("without metadata nothing is known")
	}
	r.apply(basic(), nil).sentAt(0, 3, "ann").sentAt(2, 10, "ben").odd("without SDP")
}
