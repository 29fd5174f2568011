package metadata_test

import (
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// The flows of RFC 7866, RFC 7865 and RFC 7245, and those that no RFC shows.
// Flows in which no metadata moves are told by the SDP alone: the model must not.

// audio is a call of Ann and Ben with one audio stream each, labels 11 and 12.
func audio() string {
	return complete(`<group group_id="`+group+`"/>`, comm(cs1, "<group-ref>"+group+"</group-ref>"),
		person(ann, "sip:ann@example.com"), person(ben, "sip:ben@example.com"),
		stream(aa, cs1, "11"), stream(ba, cs1, "12"), member(ann, cs1), member(ben, cs1),
		media(ann, l(aa), l(ba)), media(ben, l(ba), l(aa)))
}

const (
	annAudio = "ann in cs1 sends aa receives ba"
	benAudio = "ben in cs1 sends ba receives aa"
)

var two = lines("11", "12")

// RFC 7866 figure 1: a call within a recording session that began before it and
// outlives it.
// Shows 7866-5.1-02.
func TestFlowCallWithinARecordingSession(t *testing.T) {
	r := newRun(t).apply(complete(), two).comms().in().streams()
	r.apply(audio(), two).comms("cs1").in(annAudio, benAudio)
	r.apply(complete(), two).comms().in().streams().sentAt(0, 29, "ann").sends(0, "")
	r.spans(metadata.Active, "cs1 20-30")
}

// RFC 7866 figure 3: a snapshot after partials is what later partials build on.
// Shows 7866-5.2-01, 7866-9.1-05.
func TestFlowSnapshotBetweenPartials(t *testing.T) {
	r := newRun(t).apply(audio(), two)
	r.apply(partial(person(cleo, "sip:cleo@example.com"), member(cleo, cs1)), nil)
	r.apply(partial(media(ann, nil, l(ba))), nil).sends(0, "")
	r.apply(complete(comm(cs1), person(ben, "sip:ben@example.com"), stream(ba, cs1, "12"), member(ben, cs1), media(ben, l(ba), nil)), two)
	r.in("ben in cs1 sends ba receives")
	// A partial that touches who is gone brings back nothing of before.
	r.apply(partial(media(ann, l(aa), nil)), nil).sends(0, "").unresolved("participant ann", "stream aa")
}

// RFC 7866 figure 7 and §7.1.1.1, RFC 7245 §3.2.3: not ready, pause and resume by
// direction only, from either side.
// Shows 7866-7.1.1.1-03.
func TestFlowPauseBySDP(t *testing.T) {
	r := newRun(t).apply(audio(), two)
	for range 3 {
		r.apply("", two).changed().in(annAudio, benAudio).sends(0, "ann").sends(1, "ben")
	}
	r.spans(metadata.Member, "ann cs1 10-", "ben cs1 10-")
}

// RFC 7866 §6.2, §9.1: the server invites; the offer comes in the 200, with the
// metadata or before it.
func TestFlowServerInvites(t *testing.T) {
	together := newRun(t).apply(audio(), two).in(annAudio, benAudio)
	later := newRun(t).apply("", two).apply(audio(), nil).odd("without SDP").in(annAudio, benAudio)
	for _, r := range []*run{together, later} {
		r.sends(0, "ann").sends(1, "ben").sentAt(0, 1, "ann")
	}
}

// RFC 7866 §7.1.1.1: a stream is removed, and its m-line used for another.
// Shows 7866-7.1.1.1-02.
func TestFlowSlotIsUsedAgain(t *testing.T) {
	r := newRun(t).apply(audio(), two)
	r.apply(partial(media(ben, nil, l(aa))), lines("11")).sends(1, "")
	again := metadata.Binding{{Label: "11"}, {Label: "21", Index: 1, Generation: 1}}
	r.apply(partial(person(cleo, "sip:cleo@example.com"), stream(ca, cs1, "21"), member(cleo, cs1), media(cleo, l(ca), nil)), again)
	r.streams("aa cs1 0/0", "ba cs1 1/0", "ca cs1 1/1").sends(1, "").sentAt(1, 19, "ben")
	if who := r.m.Senders(1, 1, instant(30)); len(who) != 1 || who[0].ID != id(cleo) {
		t.Errorf("the new stream of the m-line is sent by %v", who)
	}
	if who := r.m.Senders(1, 1, instant(19)); len(who) == 1 && who[0].ID == id(ben) {
		t.Error("the audio of the m-line before is given to the stream after it")
	}
}

// RFC 7865 §8.2: a partial that takes one participant out, at the very instant
// at which it came in.
func TestFlowZeroLengthStay(t *testing.T) {
	const at = "2030-01-02T03:04:05Z"
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(person(ben, "sip:ben@example.com"), member(ben, cs1, "<disassociate-time>"+at+"</disassociate-time>")), nil)
	r.in("ann in cs1 sends aa av receives ba bv").sends(2, "").sends(0, "ann")
	for _, sp := range r.m.Spans() {
		if sp.Kind == metadata.Member && sp.Participant == id(ben) && (sp.Begin.Raw != at || sp.End.Raw != at) {
			t.Errorf("times as sent: %q to %q", sp.Begin.Raw, sp.End.Raw)
		}
	}
}

// RFC 7866 §9.2: each of two clients records one end of the same call, and each
// may refer to what only the other describes.
// Shows 7866-7.3.1-02, 7866-9.2-12, 7865-4-01.
func TestFlowTwoClients(t *testing.T) {
	near := newRun(t).apply(complete(comm(cs1), person(ann, "sip:ann@example.com"), stream(aa, cs1, "11"),
		member(ann, cs1), member(ben, cs1), media(ann, l(aa), l(ba))), lines("11")).unresolved("participant ben", "stream ba")
	far := newRun(t).apply(complete(person(ben, "sip:ben@example.com"), stream(ba, cs1, "11"),
		member(ben, cs1), media(ben, l(ba), l(aa))), lines("11"))
	v := metadata.Merge(near.m.Current(), far.m.Current())
	if len(v.CommunicationSessions) != 1 || len(v.Participants) != 2 || len(v.Streams) != 2 {
		t.Fatalf("merged view %+v", v)
	}
	if p, _ := v.Participant(id(ben)); len(p.AORs()) != 1 || nameAll(p.Sends) != "ba" {
		t.Errorf("Ben of the merged view is %+v", p)
	}
}

// RFC 7866 §9.2: after a loss of state a partial names what is not known; one
// snapshot mends it.
// Shows 7866-9.2-02, 7866-9.2-11.
func TestFlowLostState(t *testing.T) {
	r := newRun(t).apply(partial(media(ann, nil, l(ba)), media(ben, l(ba), nil)), two)
	if !r.m.NeedsSnapshot() {
		t.Fatal("no snapshot is asked for")
	}
	r.apply(partial(media(ann, l(aa), l(ba))), nil)
	if r.m.NeedsSnapshot() {
		t.Error("a snapshot is asked for again")
	}
	r.apply(audio(), two).in(annAudio, benAudio).unresolved()
	r.apply(partial(media(ann, nil, l(ba))), nil).sends(0, "").sends(1, "ben")
}

// RFC 7866 §9.2: what cannot be read leaves the model as it was.
func TestFlowMalformed(t *testing.T) {
	r := newRun(t).apply(audio(), two)
	if _, err := metadata.Decode([]byte("\x00\x01 no metadata")); err == nil {
		t.Fatal("noise was read")
	}
	r.apply("", two).changed().in(annAudio, benAudio)
}

// consulting is audio() with Ann on hold and Ben talking to Cleo in a call of the
// same group, on two m-lines of its own.
func consulting(t *testing.T) *run {
	r := newRun(t).apply(audio(), two)
	return r.apply(partial(comm(cs2, "<group-ref>"+group+"</group-ref>"), person(cleo, "sip:cleo@example.com"),
		stream(bv, cs2, "13"), stream(ca, cs2, "14"), member(ben, cs2), member(cleo, cs2),
		media(ann, nil, nil), media(ben, l(bv), l(ca)), media(cleo, l(ca), l(bv))), lines("11", "12", "13", "14"))
}

// A consultation is completed as a transfer: the agent is in no call any more.
func TestFlowConsultedTransfer(t *testing.T) {
	const cs3 = "EREREREREUGRERERERERAw=="
	r := consulting(t)
	r.apply(partial(comm(cs1, stops), comm(cs2, stops), comm(cs3, "<group-ref>"+group+"</group-ref>"),
		stream(aa, cs3, "11"), stream(ca, cs3, "14"), member(ann, cs3), member(cleo, cs3),
		media(ann, l(aa), l(ca)), media(cleo, l(ca), l(aa))), lines("11", "12", "13", "14"))
	r.sends(0, "ann").sends(1, "").sends(2, "").sends(3, "cleo").sentAt(1, 19, "ben").sentAt(2, 25, "ben")
	if p, ok := r.m.Current().Participant(id(ben)); ok && (len(p.In) != 0 || len(p.Sends) != 0) {
		t.Errorf("the agent is still there: %+v", p)
	}
	if cs := r.m.Current().CommunicationSessions; len(cs) != 1 || cs[0].Group != id(group) {
		t.Errorf("calls that go on: %+v", cs)
	}
}

// A consultation becomes a conference.
func TestFlowConferenceFromConsultation(t *testing.T) {
	r := consulting(t)
	r.apply(partial(comm(cs2, stops), stream(ba, cs1, "12"), stream(ca, cs1, "14"), member(cleo, cs1),
		media(ann, l(aa), l(ba, ca)), media(ben, l(ba), l(aa, ca)), media(cleo, l(ca), l(aa, ba))), lines("11", "12", "13", "14"))
	r.comms("cs1").sends(0, "ann").sends(1, "ben").sends(2, "").sends(3, "cleo")
	r.in("ann in cs1 sends aa receives ba ca", "ben in cs1 sends ba receives aa ca", "cleo in cs1 sends ca receives aa ba")
}

// Both sides hold; one of them comes back alone.
// Shows 7866-7.1.1.1-05, 7865-6.5.2-01.
func TestFlowHoldByBothSides(t *testing.T) {
	r := newRun(t).apply(audio(), two)
	r.apply(partial(media(ann, nil, nil), media(ben, nil, nil)), nil).sends(0, "").sends(1, "")
	if !r.m.Silent(instant(20)) {
		t.Error("nobody sends, and the model does not say so")
	}
	r.apply(partial(media(ann, l(aa), nil), media(ben, nil, l(aa))), nil).sends(0, "ann").sends(1, "")
	if r.m.Silent(instant(30)) || !r.m.Held(1, 0, instant(30)) || r.m.Held(0, 0, instant(30)) {
		t.Error("Ann is back and Ben is not")
	}
}

// Who leaves and returns under the same id has two intervals.
func TestFlowReturn(t *testing.T) {
	r := newRun(t).apply(audio(), two)
	r.apply(partial(member(ann, cs1, leaves)), nil).in(benAudio).sends(0, "")
	r.apply(partial(person(ann, "sip:ann@example.com"), member(ann, cs1, joins), media(ann, l(aa), l(ba))), nil)
	r.sends(0, "ann").spans(metadata.Member, "ann cs1 10-20", "ben cs1 10-", "ann cs1 30-")
}

// A client takes over from one that failed: the same call in another recording
// session, whose model knows nothing of the first.
func TestFlowFailOver(t *testing.T) {
	first := newRun(t).apply(audio(), two).close()
	second := newRun(t).apply(audio(), two)
	second.in(annAudio, benAudio).sends(0, "ann")
	first.in().sends(0, "").sentAt(0, 19, "ann")
	v := metadata.Merge(first.m.Current(), second.m.Current())
	if len(v.CommunicationSessions) != 1 || v.CommunicationSessions[0].ID != id(cs1) || len(v.Participants) != 2 {
		t.Errorf("merged view %+v", v)
	}
}

// A supervisor whispers: only the agent hears him.
func TestFlowWhisper(t *testing.T) {
	r := newRun(t).apply(audio(), two)
	r.apply(partial(person(cleo, "sip:cleo@example.com"), stream(ca, cs1, "13"), member(cleo, cs1),
		media(cleo, l(ca), l(aa, ba)), media(ben, l(ba), l(aa, ca))), lines("11", "12", "13"))
	r.in(annAudio, "ben in cs1 sends ba receives aa ca", "cleo in cs1 sends ca receives aa ba").sends(2, "cleo")
}
