// Package rfc7865 checks that documents of recording metadata (RFC 7865) are taken
// in the forms in which they come. What a server makes of them is not seen from
// outside.
package rfc7865

import (
	"bytes"
	"context"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return slices.Concat(documents(), contents(), audio(), tolerated(), relations(), others())
}

const namespace = "urn:ietf:params:xml:ns:recording:1"

// document is a case: the document opens a recording session, comes once more in an
// UPDATE, and the recording session ends by its BYE.
func document(id, section string, level check.Level, requirement string, edit func(talk *src.Conversation) []byte, shows ...string) check.Case {
	return check.Case{
		ID: id, Section: section, Level: level, Requirement: requirement, Shows: shows,
		Run: func(ctx context.Context, t *check.T) {
			doc := edit(check.Conversation())
			d := t.Open(ctx, src.Request{Metadata: doc})
			t.Answer(d)
			m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: doc})
			t.Check(err, "re-INVITE")
			t.Status(m, 200)
			m, err = d.Bye(ctx, src.Request{})
			t.Check(err, "BYE")
			t.Status(m, 200)
		},
	}
}

// replaced is the complete document with some text in place of other.
func replaced(pairs ...string) func(*src.Conversation) []byte {
	return func(talk *src.Conversation) []byte {
		return []byte(strings.NewReplacer(pairs...).Replace(string(talk.Complete())))
	}
}

func documents() []check.Case {
	return []check.Case{
		document("rfc7865/5.1/1", "RFC 7865 §5.1", check.Derived, "A document without XML declaration and with a byte order mark is taken.",
			func(talk *src.Conversation) []byte {
				_, rest, _ := bytes.Cut(talk.Complete(), []byte("?>\n"))
				return append([]byte("\xef\xbb\xbf"), rest...)
			}, "7865-5.1-01"),
		document("rfc7865/5.1/2", "RFC 7865 §5.1", check.Must, "Names in any script of UTF-8 are taken.",
			replaced("<name>Nora", "<name>\u5289\u6d0b \u05d0\u05d1 \U0001f4de"), "7865-5.1-02"),
		document("rfc7865/5.1.1/1", "RFC 7865 §5.1.1", check.Derived, "The namespace may be written with a prefix.",
			func(talk *src.Conversation) []byte {
				s := strings.NewReplacer("</", "</rec:", "<", "<rec:", "<?", "<?", `xmlns=`, `xmlns:rec=`).Replace(string(talk.Complete()))
				return []byte(s)
			}, "7865-5.1.1-01"),
		document("rfc7865/5.1.2/1", "RFC 7865 §5.1.2", check.Must, "A document without datamode is taken, as a complete one.",
			replaced("  <datamode>complete</datamode>\n", ""), "7865-5.1.2-02"),
		document("rfc7865/6.1.2/1", "RFC 7865 §6.1.2", check.Derived, "A recording with neither group nor communication session is taken.",
			func(*src.Conversation) []byte { return src.Document{}.XML() }, "7865-6.1.2-01", "7866-10-01"),
		document("rfc7865/6.11/1", "RFC 7865 §6.11", check.Derived, "A document of another version of the namespace does not end the recording session.",
			replaced(namespace, "urn:ietf:params:xml:ns:recording:2"), "7865-6.11-01"),
	}
}

func contents() []check.Case {
	return []check.Case{
		document("rfc7865/6.2.1/1", "RFC 7865 §6.2.1", check.Derived, "A group without its times is taken.",
			func(talk *src.Conversation) []byte {
				d := talk.Document()
				d.Groups = []src.Group{{ID: talk.GroupID()}}
				return d.XML()
			}, "7865-6.2.1-02"),
		document("rfc7865/6.3.1/1", "RFC 7865 §6.3.1", check.Derived, "Reasons and several Session-IDs of a communication session are taken.",
			func(talk *src.Conversation) []byte {
				d := talk.Document()
				d.CSs[0].SIPSessionIDs = append(d.CSs[0].SIPSessionIDs, strings.Repeat("1", 32)+" ;\n remote="+strings.Repeat("2", 32))
				return bytes.Replace(d.XML(), []byte("</session>"), []byte(`<reason cause="200" protocol="SIP">done</reason><reason cause="16">gone</reason></session>`), 1)
			}, "7865-6.3.1-02", "7865-6.3.1-03"),
		document("rfc7865/6.5.1/1", "RFC 7865 §6.5.1", check.Derived, "Participants without a name, anonymous, or with a telephone number are taken.",
			replaced("<name>Nora</name>", "", "sip:nora@example.com", "sip:anonymous@anonymous.invalid", "sip:desk@example.org", "tel:+15550100"),
			"7866-9.1-03", "7865-10-02", "7865-6.5.1-01"),
		document("rfc7865/6.7/1", "RFC 7865 §6.7", check.Derived, "A stream without a label is taken.",
			replaced("    <label>2</label>\n", ""), "7865-6.7-01"),
		document("rfc7865/6.10/1", "RFC 7865 §6.10", check.Derived, "Identifiers that are no UUID in base64 are taken.",
			func(talk *src.Conversation) []byte {
				s := strings.NewReplacer(talk.CSID(), "call-1", talk.ParticipantID(0), "urn:uuid:0f0e0d0c-1111-2222-3333-444455556666").Replace(string(talk.Complete()))
				return []byte(s)
			}, "7865-6.10-01", "7865-6.10-02"),
	}
}

func tolerated() []check.Case {
	return []check.Case{
		document("rfc7865/9/1", "RFC 7865 §9", check.Derived, "Elements in another order than that of the schema are taken.",
			func(talk *src.Conversation) []byte {
				s := string(talk.Complete())
				at := strings.Index(s, "  <participant ")
				end := strings.Index(s, "  <sessionrecordingassoc")
				people, before, after := s[at:end], s[:at], s[end:]
				return []byte(strings.Replace(before, "  <group ", people+"  <group ", 1) + after)
			}, "7865-9-01"),
		document("rfc7865/9/2", "RFC 7865 §9", check.Must, "Elements of other namespaces are no error.",
			replaced("</participant>", `<x:agent xmlns:x="urn:example:agents" skill="3"><x:team>north</x:team></x:agent></participant>`,
				"</recording>", `<x:all xmlns:x="urn:example:agents"/></recording>`), "7865-9-02"),
		document("rfc7865/9/3", "RFC 7865 §9", check.Derived, "What only drafts of the standard had is no error.",
			replaced("  <group ", "  <dataMode>complete</dataMode>\n  <extensiondata id=\"x\" parent=\"y\"/>\n  <group ", "</stream>", "<mode>separate</mode></stream>"),
			"7865-9-03", "7865-5.1.2-02"),
	}
}
