package rfc7865

import (
	"context"
	"encoding/xml"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// edited is the complete document after a change.
func edited(change func(talk *src.Conversation, d *src.Document)) func(*src.Conversation) []byte {
	return func(talk *src.Conversation) []byte {
		d := talk.Document()
		change(talk, &d)
		return d.XML()
	}
}

// second adds another communication session to a document.
func second(talk *src.Conversation, d *src.Document) string {
	other := d.CSs[0]
	other.ID = talk.Next(time.Now()).CSID()
	d.CSs = append(d.CSs, other)
	return other.ID
}

// relations are the cases of how calls, parties and streams may be related (RFC 7865 §6).
func relations() []check.Case {
	return []check.Case{
		document("rfc7865/6.3.1/2", "RFC 7865 §6.3.1", check.Derived, "A communication session may refer to a group that is not described.",
			edited(func(_ *src.Conversation, d *src.Document) { d.Groups = nil }), "7865-6.3.1-04"),
		document("rfc7865/6.3.1/3", "RFC 7865 §6.3.1, §6.4.1", check.Derived, "A communication session without an identifier, and its association, end no recording session.",
			func(talk *src.Conversation) []byte {
				return []byte(strings.ReplaceAll(string(talk.Complete()), ` session_id="`+talk.CSID()+`"`, ""))
			}, "7865-6.3.1-01", "7865-6.4.1-01"),
		document("rfc7865/6.3.1/4", "RFC 7865 §6.3.1", check.Derived, "A communication session that has stopped may be described.",
			edited(func(talk *src.Conversation, d *src.Document) {
				second(talk, d)
				d.CSs[1].Stop = d.CSs[1].Start.Add(time.Second)
			}), "7865-6.3.1-05"),
		document("rfc7865/6.3.2/1", "RFC 7865 §6.3.2, §6.5.1", check.Derived, "A participant may be in two communication sessions, and another in none.",
			edited(func(talk *src.Conversation, d *src.Document) {
				d.Memberships[1] = src.Membership{Participant: talk.ParticipantID(0), CS: second(talk, d), Joined: time.Now()}
			}), "7865-6.3.2-01", "7865-6.5.1-02"),
		document("rfc7865/6.3.2/2", "RFC 7865 §6.3.2", check.Derived, "A stream may be of no communication session yet.",
			edited(func(_ *src.Conversation, d *src.Document) { d.Streams[1].CS = "" }), "7865-6.3.2-02"),
		document("rfc7865/6.4/1", "RFC 7865 §6.4", check.Derived, "A communication session may be associated with the recording session several times.",
			func(talk *src.Conversation) []byte {
				element := `<sessionrecordingassoc session_id="` + talk.CSID() + `"><associate-time>2031-05-04T03:02:01Z</associate-time>` +
					`<disassociate-time>2031-05-04T03:05:00Z</disassociate-time></sessionrecordingassoc>`
				return []byte(strings.Replace(string(talk.Complete()), "<sessionrecordingassoc", element+"<sessionrecordingassoc", 1))
			}, "7865-6.4-01"),
		document("rfc7865/6.5.2/1", "RFC 7865 §6.5.2, §6.8", check.Derived, "Streams that nobody sends or hears are taken.",
			edited(func(_ *src.Conversation, d *src.Document) { d.Associations = nil }), "7865-6.5.2-01", "7865-6.8-01"),
		document("rfc7865/6.6.1/1", "RFC 7865 §6.6.1", check.Derived, "Parameters of a participant, such as isfocus, are taken.",
			replaced("</participantsessionassoc>", `<param pname="isfocus" pval="true"/><param pname="audio" pval=""/></participantsessionassoc>`), "7865-6.6.1-01"),
		document("rfc7865/6.7.1/1", "RFC 7865 §6.7.1", check.Derived, "Streams may be described that no m-line delivers.",
			edited(func(talk *src.Conversation, d *src.Document) {
				d.Streams = append(d.Streams, src.MediaStream{ID: talk.Next(time.Now()).CSID(), CS: talk.CSID(), Label: "undelivered"})
			}), "7865-6.7.1-02"),
		document("rfc7865/6.8.1/1", "RFC 7865 §6.8.1", check.Derived, "A participant may send and hear several streams, with times before and behind them.",
			edited(func(talk *src.Conversation, d *src.Document) {
				both := []string{talk.StreamID(0), talk.StreamID(1)}
				d.Associations = nil
				d.Extra = `  <participantstreamassoc participant_id="` + talk.ParticipantID(0) + `"><send>` + both[0] + `</send><send>` + both[1] +
					`</send><recv>` + both[1] + `</recv><recv>` + both[0] + `</recv><associate-time>2031-05-04T03:02:01Z</associate-time></participantstreamassoc>`
			}), "7865-6.8.1-02"),
		document("rfc7865/6.9/1", "RFC 7865 §6.9", check.Derived, "Times with fractions, with a zone in figures, and without colon in it, are taken; none is missed.",
			func(talk *src.Conversation) []byte {
				d := talk.Document()
				d.Zone = true
				const element = "associate-time>"
				before, rest, _ := strings.Cut(string(d.XML()), "<"+element)
				_, after, _ := strings.Cut(rest, "</"+element)
				return []byte(before + "<" + element + "2031-05-04T03:02:01.123456+05:30</" + element + after)
			}, "7865-6.9-01", "7865-6.9-02"),
		document("rfc7865/6.10/2", "RFC 7865 §6.10", check.Derived, "One identifier for a party and a stream is an error of the document, and ends no recording session.",
			edited(func(talk *src.Conversation, d *src.Document) { d.Streams[0].ID = talk.ParticipantID(0) }), "7865-6.10-04"),
		document("rfc7865/6.10/3", "RFC 7865 §6.10", check.Derived, "Identifiers that would be paths are taken as any other.",
			func(talk *src.Conversation) []byte {
				return []byte(strings.NewReplacer(talk.ParticipantID(0), "../../../../tmp/party", talk.StreamID(1), "/dev/null", talk.CSID(), "a\\..\\b").Replace(string(talk.Complete())))
			}, "7865-6.10-05"),
	}
}

// others are the cases of more than one document.
func others() []check.Case {
	return []check.Case{
		{
			ID: "rfc7865/5.1/3", Section: "RFC 7865 §5.1", Level: check.Should,
			Shows:       []string{"7865-5.1-03"},
			Requirement: "A document that cannot be read is told to the SRC: the request is refused, or its 200 has a Warning.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Metadata: []byte("<recording><group>")})
				if m := d.Final(); m.Status < 300 && !m.Has("Warning") {
					t.Errorf("metadata that is no XML is answered %d without a Warning", m.Status)
				}
			},
		},
		{
			ID: "rfc7865/5.1.2/2", Section: "RFC 7865 §5.1.2, §5.1", Level: check.Derived,
			Shows:       []string{"7865-5.1.2-01", "7865-5.1-03"},
			Requirement: "A document of which the root is no recording is not taken for an empty one: it is refused, or the 200 has a Warning.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Metadata: check.Conversation().Complete()})
				for _, doc := range []string{"<recordings/>", `<requestsnapshot xmlns="` + namespace + `"/>`} {
					m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: []byte(doc)})
					t.Check(err, "re-INVITE")
					if m.Status < 300 && !m.Has("Warning") {
						t.Errorf("the document %.16s is answered %d without a Warning", doc, m.Status)
					}
				}
			},
		},
		{
			ID: "rfc7865/6.2.1/2", Section: "RFC 7865 §6.2.1, §6.10, RFC 7866 §7.3.1", Level: check.Derived,
			Shows:       []string{"7865-6.2.1-01", "7865-6.2-01", "7865-6.10-03", "7865-4-01", "7866-7.3.1-02", "7866-9.2-12"},
			Requirement: "Two SRCs may record one call at a time: identifiers of the one, also with other contents, come from the other too.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				one := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				doc := talk.Document()
				doc.Participants[1].Name, doc.Participants[0].AOR = "Reception", "tel:+15550177"
				doc.Streams, doc.Associations = doc.Streams[:1], doc.Associations[:1]
				other := t.Open(ctx, src.Request{Metadata: doc.XML()})
				for _, d := range []*src.Dialog{one, other} {
					m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: talk.Hold(1)})
					t.Check(err, "re-INVITE")
					t.Status(m, 200)
				}
			},
		},
		{
			ID: "rfc7865/6.6/1", Section: "RFC 7865 §6.6, §5", Level: check.Derived,
			Shows:       []string{"7865-6.6-01", "7865-5-02", "7866-5.2-02"},
			Requirement: "A participant may leave and come back: each partial document is taken.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				nora := src.Party{AOR: "sip:nora@example.com", Name: "Nora", Label: "1"}
				for _, doc := range [][]byte{talk.Leave(0, time.Now()), talk.Join(nora, time.Now())} {
					m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: doc})
					t.Check(err, "re-INVITE")
					t.Status(m, 200)
				}
			},
		},
		{
			ID: "rfc7865/6.7.1/2", Section: "RFC 7865 §6.7.1, RFC 4796 §5", Level: check.Derived,
			Shows:       []string{"7865-6.7.1-01"},
			Requirement: "a=content, which says what a stream holds, is no obstacle.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Attributes, offer[1].Attributes = []string{"content:main"}, []string{"content:alt,unheard"}
				answer := t.Answer(t.Open(ctx, src.Request{Streams: offer, Metadata: check.Conversation().Complete()}))
				for i, m := range answer.Media {
					if m.Port == 0 || answer.DirectionOf(i) != src.RecvOnly {
						t.Errorf("m-line %d is answered %s on port %d", i, answer.DirectionOf(i), m.Port)
					}
				}
			},
		},
		{
			ID: "rfc7865/7/1", Section: "RFC 7865 §7, §9", Level: check.Must, Needs: []string{"update", "snapshot"},
			Shows:       []string{"7865-7-01", "7865-7-02"},
			Requirement: "The request for a snapshot has nothing of the namespace in it but one reason at most.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Metadata: check.Conversation().Hold(0)})
				m, err := d.NextRequest(ctx, "UPDATE")
				if err != nil {
					t.Fatalf("nothing asks for a snapshot: %v", err)
				}
				for _, p := range m.Parts() {
					children(t, p.Body)
				}
			},
		},
	}
}

// children looks at the elements in a request for a snapshot.
func children(t *check.T, document []byte) {
	var root struct {
		XMLName  xml.Name
		Children []struct{ XMLName xml.Name } `xml:",any"`
	}
	if err := xml.Unmarshal(document, &root); err != nil || root.XMLName.Local != "requestsnapshot" {
		t.Fatalf("the document is %s: %v", root.XMLName.Local, err)
	}
	reasons := 0
	for _, c := range root.Children {
		switch {
		case c.XMLName.Space != namespace:
		case c.XMLName.Local == "requestreason":
			reasons++
		default:
			t.Errorf("the request has an element %s", c.XMLName.Local)
		}
	}
	if reasons > 1 {
		t.Errorf("the request has %d reasons", reasons)
	}
}
