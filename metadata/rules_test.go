package metadata_test

import (
	"reflect"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// Each test is one merge rule, by its id. The rules stand beside the code that
// keeps them.

// Shows 7866-5.2-02.
func TestM1CompleteReplacesWhatIsNow(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(complete(comm(cs1), person(ben, "sip:ben@example.com"), stream(ba, cs1, "13"), member(ben, cs1), media(ben, l(ba), nil)), fourLines())
	r.in("ben in cs1 sends ba receives").streams("ba cs1 2/0")
	r.changed("sending-stopped ann aa 0/0", "sending-stopped ann av 1/0", "sending-stopped ben bv 3/0",
		"stream-stopped cs1 aa 0/0", "stream-stopped cs1 av 1/0", "stream-stopped cs1 bv 3/0", "left ann cs1", "group-left cs1 group")
	r.sentAt(0, 19, "ann").spans(metadata.Member, "ann cs1 10-20", "ben cs1 10-")
	if _, known := r.m.Participant(id(ann), instant(20)); !known {
		t.Error("history forgot a participant")
	}
}

// Shows 7865-5.1.2-02.
func TestM1NoModeIsComplete(t *testing.T) {
	xml := `<recording xmlns="urn:ietf:params:xml:ns:recording:1">` + comm(cs1) + `</recording>`
	if d := decode(t, xml); d.Mode != metadata.Complete {
		t.Errorf("mode %v, want complete", d.Mode)
	}
}

// Shows 7866-9.1-06.
func TestM2PartialBeforeComplete(t *testing.T) {
	join := partial(person(ann, "sip:ann@example.com"), member(ann, cs1, joins))
	r := newRun(t).apply(join, lines("11"))
	r.in("ann in cs1 sends receives").odd("before a complete")
	if !r.m.NeedsSnapshot() || !r.m.Provisional() {
		t.Error("a snapshot is needed, and what is known is provisional")
	}
	r.apply(partial(person(ben, "sip:ben@example.com"), member(ben, cs1)), lines("11"))
	if r.m.NeedsSnapshot() {
		t.Error("a snapshot is asked for twice")
	}
	r.apply(complete(comm(cs1), person(ben, "sip:ben@example.com"), member(ben, cs1)), nil)
	r.in("ben in cs1 sends m-line 0 receives")
	if r.m.NeedsSnapshot() || r.m.Provisional() {
		t.Error("still provisional after the snapshot")
	}
	r.apply(join, nil)
	if r.m.NeedsSnapshot() {
		t.Error("a partial after a complete one needs no snapshot")
	}
}

func TestM3KeysAreIDs(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	wrapped := "\n  " + aa[:10] + "\n" + aa[10:] + " "
	r.apply(partial(media(ann, []string{wrapped}, nil)), fourLines())
	r.in("ann in cs1 sends aa receives", benBoth)
}

func TestM4UnknownKeyIsInserted(t *testing.T) {
	r := newRun(t).apply(mixed(), lines("11"))
	r.apply(partial(person(cleo, "sip:cleo@example.com"), member(cleo, cs1), media(cleo, l(aa), nil)), lines("11"))
	r.in(annMix, benMix, "cleo in cs1 sends aa receives")
}

// Shows 7866-9.1-04.
func TestM5SentScalarsOverwrite(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(comm(cs1, "<group-ref>other</group-ref><start-time>2032-01-01T00:00:00Z</start-time>")), fourLines())
	cs := r.m.Current().CommunicationSessions[0]
	if cs.Group != "other" || cs.Start.Raw != "2032-01-01T00:00:00Z" {
		t.Errorf("communication session %+v", cs)
	}
	r.changed("group-left cs1 group", "group-joined cs1 other").unresolved("group other")
}

// Shows 7866-9.1-04.
func TestM6AbsentScalarsStay(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(comm(cs1), stream(aa, cs1, ""), `<stream stream_id="`+av+`"/>`, member(ann, cs1, leaves)), fourLines())
	cs := r.m.Current().CommunicationSessions[0]
	if cs.Group != id(group) || !cs.Start.IsSet() {
		t.Errorf("communication session %+v", cs)
	}
	r.streams("aa cs1 0/0", "av cs1 1/0", "ba cs1 2/0", "bv cs1 3/0")
	for _, sp := range r.m.Spans() {
		if sp.Kind == metadata.Member && sp.Participant == id(ann) && (!sp.Begin.IsSet() || !sp.End.IsSet()) {
			t.Errorf("membership %+v lost a time", sp)
		}
	}
}

// Shows 7866-9.1-04, 7865-6.3.1-02.
func TestM7SentListsReplace(t *testing.T) {
	reason := func(cause string) string { return `<reason cause="` + cause + `">moved</reason>` }
	r := newRun(t).apply(complete(comm(cs1, "<sipSessionID>1;remote=2</sipSessionID><sipSessionID>3;remote=4</sipSessionID>", reason("200")),
		person(ann, "sip:ann@example.com", `<nameID aor="tel:+15550100"><name>Ann</name></nameID>`)), nil)
	r.apply(partial(comm(cs1, "<sipSessionID>5;remote=6</sipSessionID>", reason("302"), reason("16")), person(ann, "sip:ann@example.org")), nil)
	cs := r.m.Current().CommunicationSessions[0]
	if len(cs.SIPSessionIDs) != 1 || len(cs.Reasons) != 2 || cs.Reasons[0] != (metadata.Reason{Protocol: "SIP", Cause: "302", Text: "moved"}) {
		t.Errorf("communication session %+v", cs)
	}
	p, _ := r.m.Current().Participant(id(ann))
	if got := p.AORs(); !reflect.DeepEqual(got, []string{"sip:ann@example.org"}) {
		t.Errorf("addresses %q", got)
	}
	r.changed("renamed ann")
	before, _ := r.m.Participant(id(ann), instant(19))
	if len(before.AORs()) != 2 || before.Names()[0] != "Ann" {
		t.Errorf("described before as %+v", before)
	}
}

// Shows 7866-9.1-04, 7865-6.3.1-02, 7865-6.6.1-01.
func TestM8AbsentListsStay(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1, "<sipSessionID>1;remote=2</sipSessionID><reason cause=\"200\"/>"), person(ann, "sip:ann@example.com"),
		member(ann, cs1, `<param pname="isfocus" pval="true"/>`)), nil)
	r.apply(partial(comm(cs1), `<participant participant_id="`+ann+`"/>`, member(ann, cs1, joins)), nil)
	cs := r.m.Current().CommunicationSessions[0]
	p, _ := r.m.Current().Participant(id(ann))
	if len(cs.SIPSessionIDs) != 1 || len(cs.Reasons) != 1 || len(p.AORs()) != 1 {
		t.Errorf("a list was lost: %+v, %+v", cs, p)
	}
	r.changed()
}

// Shows 7865-6.5.2-01, 7865-6.8-01.
func TestM9SendAndReceiveAreReplaced(t *testing.T) {
	for name, c := range map[string]struct{ assoc, want string }{
		"only receive": {media(ann, nil, l(ba)), "ann in cs1 sends receives ba"},
		"only send":    {media(ann, l(aa), nil), "ann in cs1 sends aa receives"},
		"empty":        {media(ann, nil, nil), "ann in cs1 sends receives"},
	} {
		t.Run(name, func(t *testing.T) {
			newRun(t).apply(basic(), fourLines()).apply(partial(c.assoc), nil).in(c.want, benBoth)
		})
	}
}

// Shows 7865-5-02.
func TestM10OthersKeepTheirLists(t *testing.T) {
	newRun(t).apply(basic(), fourLines()).apply(partial(media(ben, nil, nil)), nil).in(annBoth, "ben in cs1 sends receives")
}

// Shows 7865-6.6-01.
func TestM11LeavingEndsMedia(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(member(ann, cs1, leaves)), nil)
	r.in(benBoth).sends(0, "").changed("sending-stopped ann aa 0/0", "sending-stopped ann av 1/0", "left ann cs1")
}

func TestM11LeavingInsideComplete(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(complete(comm(cs1), person(ann, "sip:ann@example.com"), person(ben, "sip:ben@example.com"), stream(aa, cs1, "11"), stream(ba, cs1, "13"),
		member(ann, cs1, joins, leaves), member(ben, cs1, joins), media(ann, l(aa), l(ba)), media(ben, l(ba), nil)), fourLines())
	r.in("ben in cs1 sends ba receives").sends(0, "")
}

// Shows 7865-6.6-01.
func TestM12ReturningOpensAgain(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(member(ann, cs1, leaves)), nil)
	r.apply(partial(member(ann, cs1, "<associate-time>2030-01-02T05:04:05Z</associate-time>")), nil)
	r.changed("joined ann cs1").spans(metadata.Member, "ann cs1 10-20", "ben cs1 10-", "ann cs1 30-")
	// What she sends is stated anew.
	r.in("ann in cs1 sends receives", benBoth).apply(partial(media(ann, l(aa), nil)), nil).sends(0, "ann")
}

// Shows 7865-6.3.1-05.
func TestM13StopEndsEverything(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(comm(cs1, stops)), nil)
	r.comms().in().streams().sends(2, "")
	r.spans(metadata.Recorded, "cs1 10-20").spans(metadata.Member, "ann cs1 10-20", "ben cs1 10-20")
	for _, sp := range r.m.Spans() {
		if sp.Kind == metadata.Member && !sp.End.IsSet() {
			t.Error("the stop-time is not taken as the end of a membership")
		}
	}
}

// Shows 7866-5.2-02.
func TestM13NothingComesBackForAnother(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(comm(cs1, stops)), nil)
	r.apply(partial(comm(cs2), member(ben, cs2, joins)), nil).in("ben in cs2 sends receives").streams().sends(2, "")
}

// Shows 7865-6.4-01.
func TestM14RecordedAgain(t *testing.T) {
	assoc := func(inside string) string {
		return `<sessionrecordingassoc session_id="` + cs1 + `">` + inside + `</sessionrecordingassoc>`
	}
	r := newRun(t).apply(complete(comm(cs1), assoc(joins)), nil).apply(partial(assoc(leaves)), nil).apply(partial(assoc(joins)), nil)
	r.spans(metadata.Recorded, "cs1 10-20", "cs1 30-")
}

// Shows 7865-6.3.2-02.
func TestM15StreamMovesToAnother(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(comm(cs2), stream(ba, cs2, "13"), member(ben, cs2)), fourLines())
	r.streams("aa cs1 0/0", "av cs1 1/0", "ba cs2 2/0", "bv cs1 3/0")
	r.changed("communication-session-started cs2", "joined ben cs2", "stream-rebound cs2 ba 2/0")
	r.spans(metadata.Streaming, "cs1 ba 2/0 10-20", "cs1 aa 0/0 10-", "cs1 av 1/0 10-", "cs1 bv 3/0 10-", "cs2 ba 2/0 20-")
}

func TestM16NewStreamOnALabel(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	r.apply(partial(person(cleo, "sip:cleo@example.com"), stream(ca, cs1, "11"), member(cleo, cs1), media(cleo, l(ca), nil)), fourLines())
	r.streams("av cs1 1/0", "ba cs1 2/0", "bv cs1 3/0", "ca cs1 0/0").sends(0, "cleo").sentAt(0, 19, "ann")
	r.in("ann in cs1 sends av receives ba bv", "ben in cs1 sends ba bv receives av", "cleo in cs1 sends ca receives")
	r.changed("sending-stopped ann aa 0/0", "stream-stopped cs1 aa 0/0", "joined cleo cs1", "stream-started cs1 ca 0/0", "sending-started cleo ca 0/0")
}

// Shows 7866-7.1.1-04.
func TestM17LabelsOfTheSameMessage(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	// SDP alone, with the labels the other way round, moves nothing.
	r.apply("", lines("14", "13", "12", "11")).changed().sends(0, "ann").sends(3, "ben")
	// Nor does a stream that is repeated without SDP.
	r.apply(partial(stream(aa, cs1, "11")), nil).changed().odd("without SDP")
	// With metadata of its own the SDP counts.
	r.apply(partial(stream(aa, cs1, "11"), stream(bv, cs1, "14")), lines("14", "13", "12", "11"))
	r.changed("stream-rebound cs1 aa 3/0", "stream-rebound cs1 bv 0/0").sends(3, "ann").sends(0, "ben")
}

func TestM17SlotClosedAndReopened(t *testing.T) {
	r := newRun(t).apply(mixed(), lines("11"))
	r.apply("", metadata.Binding{}).changed()
	r.apply("", metadata.Binding{{Label: "11", Generation: 1}}).changed("stream-rebound cs1 aa 0/1")
	if n := len(r.m.Senders(0, 1, instant(r.now))); n != 2 {
		t.Errorf("%d senders on the new slot, want 2", n)
	}
}

// Shows 7866-9.1-08, 7865-6.7.1-02.
func TestM18LabelWithoutSDP(t *testing.T) {
	r := newRun(t).apply("", fourLines()).apply(basic(), nil).odd("without SDP").sends(2, "ben")
	for _, s := range r.m.Current().Streams {
		if s.Guessed {
			t.Errorf("stream %s is flagged as guessed", nameOf(s.ID))
		}
	}
}

// Shows 7866-9.2-12, 7865-6.3.1-04.
func TestM19UnknownReferences(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1, "<group-ref>"+group+"</group-ref>"), person(ann, "sip:ann@example.com"), stream(aa, cs1, "11"), stream(ba, cs1, "12"),
		member(ann, cs1), member(ben, cs1), media(ann, l(aa), l(ca)), media(ben, l(ba), nil)), lines("11", "12"))
	r.unresolved("group group", "participant ben", "stream ca").sends(0, "ann").sends(1, "")
	if r.m.Held(1, 0, instant(10)) {
		t.Error("somebody unknown sends, which is no hold")
	}
	r.apply(partial(person(ben, "sip:ben@example.com")), nil).unresolved("group group", "stream ca")
	r.changed("joined ben cs1", "sending-started ben ba 1/0").sends(1, "ben")
	r.sentAt(1, 12, "ben") // and so it was before
}

// Shows 7865-6.10-04.
func TestM20OneIDForTwoKinds(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1), person(ann, "sip:ann@example.com"), stream(ann, cs1, "11"), member(ann, cs1)), nil)
	r.odd("two kinds").streams().in("ann in cs1 sends receives")
	r.apply(partial(person(ben, "sip:ben@example.com"), comm(ann)), nil).odd("two kinds").comms("cs1")
}

// A group that is called like a participant costs neither.
func TestM20GroupNamedLikeAParticipant(t *testing.T) {
	group := `<group group_id="` + ann + `"/>`
	doc := complete(group, comm(cs1, `<group-ref>`+ann+`</group-ref>`), person(ann, "sip:ann@example.com"), member(ann, cs1))
	for range 2 {
		r := newRun(t).apply(doc, nil).odd("two kinds").in("ann in cs1 sends receives").comms("cs1")
		r.apply(doc, nil).odd("two kinds").in("ann in cs1 sends receives").changed()
		if v := r.m.Current(); len(v.Groups) != 1 || v.CommunicationSessions[0].Group != id(ann) {
			t.Errorf("groups %v", v.Groups)
		}
	}
}

// Shows 7865-4-01, 7865-6.2.1-01, 7865-6.10-03.
func TestM21SameElementFromTwoClients(t *testing.T) {
	a := newRun(t).apply(complete(comm(cs1), person(ann, "sip:ann@example.com"), member(ann, cs1), stream(aa, cs1, "11"), media(ann, l(aa), nil)), lines("11"))
	b := newRun(t).apply(complete(comm(cs1), person(ann, "tel:+15550100"), person(ben, "sip:ben@example.com"), member(ann, cs1), member(ben, cs1)), nil)
	v := metadata.Merge(a.m.Current(), b.m.Current())
	if len(v.CommunicationSessions) != 1 || len(v.Participants) != 2 || len(v.Streams) != 1 {
		t.Fatalf("merged view %+v", v)
	}
	p, _ := v.Participant(id(ann))
	if len(p.AORs()) != 2 || nameAll(p.Sends) != "aa" || nameAll(p.In) != "cs1" {
		t.Errorf("merged participant %+v", p)
	}
	if p, _ := a.m.Current().Participant(id(ann)); len(p.AORs()) != 1 {
		t.Error("merging changed a view of one client")
	}
}

// Shows 7865-9-02.
func TestM22ExtensionsByQualifiedName(t *testing.T) {
	ext := func(name, value string) string {
		return `<x:` + name + ` xmlns:x="urn:example:x">` + value + `</x:` + name + `>`
	}
	r := newRun(t).apply(complete(ext("site", "one"), person(ann, "sip:ann@example.com", ext("desk", "7"), ext("team", "red"))), nil)
	r.apply(partial(person(ann, "sip:ann@example.com", ext("team", "blue"))), nil)
	p, _ := r.m.Current().Participant(id(ann))
	if len(p.Extensions) != 2 || p.Extensions[0].Text != "7" || p.Extensions[1].Text != "blue" {
		t.Errorf("extensions %v", p.Extensions)
	}
	if x := metadata.FindExtensions(r.m.Current().Extensions, "SITE"); len(x) != 1 || x[0].Text != "one" {
		t.Errorf("extensions of the document %v", x)
	}
}

// Shows 7866-9.2-01.
func TestM23RetransmissionMergesOnce(t *testing.T) {
	for name, xml := range map[string]string{
		"complete": basic(),
		"hold":     partial(media(ann, nil, nil)),
		"leave":    partial(member(ann, cs1, leaves)),
		"transfer": partial(person(cleo, "sip:cleo@example.com"), member(cleo, cs1, joins), member(ann, cs1, leaves), media(cleo, l(ca, cv), nil)),
		"stop":     partial(comm(cs1, stops)),
		"re-bind":  partial(stream(ca, cs1, "11"), media(ann, l(ca), nil)),
	} {
		t.Run(name, func(t *testing.T) {
			r := newRun(t).apply(basic(), fourLines()).apply(xml, fourLines())
			once := r.m.Current()
			r.apply(xml, fourLines()).changed()
			if !reflect.DeepEqual(once, r.m.Current()) {
				t.Errorf("the second time gives another state:\n%+v\n%+v", once, r.m.Current())
			}
		})
	}
}

func TestM24RefusedMetadataIsNotApplied(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines())
	before, spans := r.m.Current(), r.m.Spans()
	for _, xml := range []string{newCall(), partial(comm(cs1, stops)), partial(person(ann, "sip:new@example.com"), stream(ca, cs1, "11"))} {
		r.m.Apply(decode(t, xml), instant(50), lines("11"))
	}
	r.m.Close(instant(60))
	if !reflect.DeepEqual(before, r.m.Current()) || !reflect.DeepEqual(spans, r.m.Spans()) {
		t.Error("a model changed")
	}
	r.sentAt(0, 70, "ann")
}

// Shows DRV3261-15.1.2-01.
func TestM25MetadataThenEnd(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(member(ann, cs1, leaves)), nil).close()
	r.changed("sending-stopped ben ba 2/0", "sending-stopped ben bv 3/0", "stream-stopped cs1 aa 0/0", "stream-stopped cs1 av 1/0",
		"stream-stopped cs1 ba 2/0", "stream-stopped cs1 bv 3/0", "left ben cs1", "group-left cs1 group", "communication-session-stopped cs1")
	r.spans(metadata.Member, "ann cs1 10-20", "ben cs1 10-30")
	after := r.m
	if r.apply(basic(), fourLines()); r.m != after {
		t.Error("a closed model took a document")
	}
	if again, changes := after.Close(instant(99)); again != after || changes != nil {
		t.Error("a closed model closed again")
	}
}

func TestM26TimesOrderNothing(t *testing.T) {
	r := newRun(t).apply(complete(comm(cs1, "<start-time>1970-01-01T00:00:00Z</start-time>"), person(ann, "sip:ann@example.com"),
		member(ann, cs1, "<associate-time>2099-01-01T00:00:00Z</associate-time>")), nil)
	r.apply(partial(member(ann, cs1, "<disassociate-time>1999-01-01T00:00:00Z</disassociate-time>")), nil)
	r.spans(metadata.Member, "ann cs1 10-20").in()
	// The clock of the caller going back orders nothing either.
	m, changes := r.m.Apply(decode(t, partial(member(ann, cs1, joins))), instant(5), nil)
	if len(changes) != 1 || !changes[0].At.Equal(instant(20)) {
		t.Errorf("changes %v, want one at the last instant", changes)
	}
	for _, sp := range m.Spans() {
		if !sp.To.IsZero() && sp.To.Before(sp.From) {
			t.Errorf("span %+v ends before it begins", sp)
		}
	}
}

func TestM27CompleteWithoutGroup(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(newCall(), fourLines())
	if n := len(r.m.Current().Groups); n != 0 {
		t.Errorf("%d groups", n)
	}
	r.spans(metadata.Grouped, "cs1 group 10-20")
}

func TestM28CompleteWithoutStopped(t *testing.T) {
	r := newRun(t).apply(basic(), fourLines()).apply(partial(comm(cs1, stops)), nil).apply(newCall(), fourLines())
	r.comms("cs2").spans(metadata.Active, "cs1 10-20", "cs2 30-")
}
