package faults

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"regexp"
	"strings"
)

// matching gives a status to requests of a method that match; an empty method is any.
func matching(method, expression string, status int) mistake {
	e := regexp.MustCompile("(?s)" + expression)
	return when(func(m *message) bool { return (method == "" || m.Method == method) && e.Match(m.Raw) }, status)
}

// lackingText gives a status to INVITEs that open a dialog and hold no text that matches.
func lackingText(expression string, status int) mistake {
	e := regexp.MustCompile("(?is)" + expression)
	return when(func(m *message) bool {
		return m.Method == "INVITE" && !strings.Contains(m.Get("To"), ";tag=") && !e.Match(m.Raw)
	}, status)
}

// dialects are mistakes with header fields and bodies as they come from the field.
func dialects() []Fault {
	return []Fault{
		{
			Name: "metadata-demanded", Says: "An INVITE without metadata is refused.",
			Caught: []string{"dialects/layout-none/1", "dialects/later/1", "dialects/later/2", "dialects/marks/1"},
			Config: alters(lackingText("<recording", 400)),
		},
		{
			Name: "marks-demanded", Says: "An INVITE without siprec in Require is no recording session.",
			Caught: []string{"dialects/marks/2", "dialects/marks/3", "dialects/marks/4", "dialects/cisco/6", "dialects/freeswitch/1"},
			Config: alters(lackingText(`\r\nrequire: siprec`, 403)),
		},
		{
			Name: "tag-demanded", Says: "An INVITE without the feature tag outside the angle brackets is refused.",
			Caught: []string{"dialects/marks/1", "dialects/marks/5", "dialects/jambonz/1", "dialects/avaya/1", "dialects/broadworks/1"},
			Config: alters(lackingText(`>[^\r\n]*;\+sip\.src`, 403)),
		},
		{
			Name: "plain-invite-refused", Says: "An INVITE that nothing marks is refused, from whomever.",
			Caught: []string{"dialects/layout-none/2", "dialects/layout-none/3"},
			Config: alters(lackingText(`require: siprec|sip\.src|rs-metadata`, 403)),
		},
		{
			Name: "gateway-part-refused", Says: "A type that is not known is refused although its handling is optional.",
			Caught: []string{"dialects/cisco/1"},
			Config: alters(refuse("INVITE", "application/gtd")),
		},
		{
			Name: "bye-with-document-refused", Says: "A BYE with a partial document is refused.",
			Caught: []string{"dialects/cisco/8"},
			Config: alters(matching("BYE", "<datamode>partial", 400)),
		},
		{
			Name: "x-fields-refused", Says: "A header field of a vendor is refused.",
			Caught: []string{"dialects/avaya/3", "dialects/genesys/1", "dialects/drachtio/1"},
			Config: alters(matching("INVITE", `\r\nX-[A-Z]`, 400)),
		},
		{
			Name: "proxy-require-refused", Says: "Proxy-Require is taken for Require.",
			Caught: []string{"dialects/broadworks/6"},
			Config: alters(matching("INVITE", `\r\nProxy-Require: `, 420)),
		},
		{
			Name: "blank-behind-colon-demanded", Says: "A header field without a blank behind its colon is refused.",
			Caught: []string{"dialects/broadworks/1", "dialects/multipart/9"},
			Config: alters(matching("INVITE", `\r\n[A-Za-z-]+:[^ ]`, 400)),
		},
		{
			Name: "info-refused", Says: "An INFO in a recording session gets 405.",
			Caught: []string{"dialects/audiocodes/4", "dialects/later/3"},
			Config: alters(answerAs("INFO", 1, 405)),
		},
		{
			Name: "metadata-at-the-begin-only", Says: "Metadata in a re-INVITE or UPDATE is refused when the INVITE had none.",
			Caught: []string{"dialects/later/1", "dialects/later/2"},
			Config: alters(lateMetadata),
		},
		{
			Name: "complete-is-once", Says: "A second complete document in UPDATE is refused.",
			Caught: []string{"dialects/later/4", "dialects/later/2", "dialects/broadworks/2"},
			Config: alters(secondComplete),
		},
		{
			Name: "partial-refused", Says: "An UPDATE with a partial document is refused.",
			Caught: []string{"dialects/later/5", "dialects/later/6"},
			Config: alters(matching("UPDATE", "<datamode>partial", 415)),
		},
		{
			Name: "empty-update-refused", Says: "An UPDATE without a body is refused.",
			Caught: []string{"dialects/later/8"},
			Config: alters(matching("UPDATE", `Content-Length: 0`, 400)),
		},
	}
}

// lateMetadata refuses metadata in dialogs that began without.
func lateMetadata() alter {
	began := make(map[string]bool)
	return func(req *message, r *response) {
		id, has := req.Get("Call-ID"), strings.Contains(string(req.Body), "<recording")
		if req.Method == "INVITE" && !strings.Contains(req.Get("To"), ";tag=") {
			began[id] = has
		} else if has && !began[id] {
			r.Status, r.SDP = 415, ""
		}
	}
}

// secondComplete refuses what replaces the snapshot again.
func secondComplete() alter {
	seen := make(map[string]bool)
	return func(req *message, r *response) {
		if id := req.Get("Call-ID"); req.Method == "UPDATE" && strings.Contains(strings.ToLower(string(req.Body)), "<datamode>complete") {
			if seen[id] {
				r.Status = 400
			}
			seen[id] = true
		}
	}
}

// dialectBodies are mistakes with multipart bodies.
func dialectBodies() []Fault {
	return []Fault{
		{
			Name: "semicolon-must-touch", Says: "A blank before the semicolon of Content-Type hides the boundary.",
			Caught: []string{"dialects/multipart/2"},
			Config: alters(refuse("INVITE", "mixed  ;")),
		},
		{
			Name: "quotes-belong-to-boundary", Says: "The quotes of a boundary are taken for a part of it.",
			Caught: []string{"dialects/multipart/1", "dialects/google/1"},
			Config: alters(matching("INVITE", `boundary="`, 400)),
		},
		{
			Name: "delimiter-without-blanks", Says: "A delimiter with blanks behind it is none.",
			Caught: []string{"dialects/multipart/3", "dialects/cisco/6"},
			Config: alters(matching("INVITE", `--src-boundary[ \t]+\r\n`, 400)),
		},
		{
			Name: "no-preamble", Says: "A body must begin with its first delimiter.",
			Caught: []string{"dialects/multipart/4", "dialects/multipart/5"},
			Config: alters(matching("INVITE", `multipart/.*?\r\n\r\n[^-].*--src-boundary`, 400)),
		},
		{
			Name: "end-of-body-demanded", Says: "A body that lacks its last delimiter is refused.",
			Caught: []string{"dialects/multipart/6", "dialects/ribbon/1", "dialects/sems/1"},
			Config: alters(when(func(m *message) bool {
				return strings.HasPrefix(m.ContentType(), "multipart/") && !bytes.Contains(m.Body, []byte("--\r\n"))
			}, 400)),
		},
		{
			Name: "sdp-comes-first", Says: "A body whose first part is metadata is refused.",
			Caught: []string{"dialects/multipart/7"},
			Config: alters(matching("INVITE", `rs-metadata\+xml\r\n.*application/sdp\r\n`, 400)),
		},
		{
			Name: "types-in-small-letters", Says: "Types count in small letters only.",
			Caught: []string{"dialects/multipart/8"},
			Config: alters(refuse("INVITE", "Application/SDP")),
		},
		{
			Name: "part-fields-by-the-letter", Says: "The names of header fields of a part count in one spelling only.",
			Caught: []string{"dialects/multipart/9"},
			Config: alters(refuse("INVITE", "\r\ncontent-TYPE:")),
		},
		{
			Name: "part-length-believed", Says: "The Content-Length of a part counts, and what is shorter is refused.",
			Caught: []string{"dialects/multipart/10"},
			Config: alters(matching("INVITE", `\r\nContent-Length: 12345\r\n`, 400)),
		},
		{
			Name: "disposition-of-sdp-refused", Says: "SDP with a disposition is not looked for.",
			Caught: []string{"dialects/multipart/11"},
			Config: alters(matching("INVITE", `: session ; handling`, 415)),
		},
		{
			Name: "metadata-by-disposition-only", Says: "Metadata without its disposition is refused.",
			Caught: []string{"dialects/multipart/12", "dialects/marks/4"},
			Config: alters(matching("INVITE", `rs-metadata\+xml\r\n\r\n`, 400)),
		},
		{
			Name: "no-multipart-within", Says: "A multipart body within another one is refused.",
			Caught: []string{"dialects/multipart/13"},
			Config: alters(refuse("INVITE", "boundary=inner")),
		},
		{
			Name: "delimiter-anywhere", Says: "The delimiter counts within a line too.",
			Caught: []string{"dialects/multipart/14"},
			Config: alters(matching("INVITE", `\r\n[^\r\n]+--src-boundary`, 400)),
		},
		{
			Name: "boundary-comes-first", Says: "The boundary has to be the first parameter.",
			Caught: []string{"dialects/multipart/15"},
			Config: alters(matching("INVITE", `multipart/mixed; charset`, 415)),
		},
		{
			Name: "bodies-by-crlf-only", Says: "Lines of a body that end with LF alone are no lines.",
			Caught: []string{"dialects/multipart/16", "dialects/streams/9"},
			Config: alters(matching("INVITE", `\r\n\r\n.*[^\r]\nm=audio`, 400)),
		},
		{
			Name: "only-mixed", Says: "A multipart type that is not known is refused.",
			Caught: []string{"dialects/multipart/17"},
			Config: alters(refuse("INVITE", "multipart/x-recorded")),
		},
	}
}

// wellFormed says whether all metadata of a request is XML.
func wellFormed(m *message) bool {
	for _, p := range m.Parts() {
		if !strings.Contains(p.Type, "rs-metadata") {
			continue
		}
		d := xml.NewDecoder(bytes.NewReader(p.Body))
		var err error
		for err == nil {
			_, err = d.Token()
		}
		if !errors.Is(err, io.EOF) || len(p.Body) == 0 {
			return false
		}
	}
	return true
}

// dialectDocuments are mistakes with metadata in other layouts.
func dialectDocuments() []Fault {
	return []Fault{
		{
			Name: "one-namespace", Says: "A document in another namespace than that of RFC 7865 is refused.",
			Caught: []string{"dialects/layout-inline/1", "dialects/layout-inline/2", "dialects/layout-siprec/1",
				"dialects/layout-first/1", "dialects/contents/5", "dialects/oracle/1", "dialects/metaswitch/1"},
			Config: alters(without("ns:recording:1")),
		},
		{
			Name: "root-by-name", Says: "A document whose root is called otherwise is refused.",
			Caught: []string{"dialects/layout-siprec/1", "dialects/layout-siprec/2", "dialects/broadworks/3", "dialects/broadworks/7"},
			Config: alters(matching("INVITE", "<recording_metadata", 400)),
		},
		{
			Name: "foreign-prefix-refused", Says: "Elements under a prefix are not found, and the document refused.",
			Caught: []string{"dialects/layout-hybrid/1", "dialects/ribbon/1"},
			Config: alters(matching("INVITE", "<tns:recording", 400)),
		},
		{
			Name: "well-formed-or-nothing", Says: "A recording session whose metadata is no XML is refused.",
			Caught: []string{"dialects/oracle/2", "dialects/contents/8"},
			Config: alters(when(func(m *message) bool { return m.Method == "INVITE" && !wellFormed(m) }, 400)),
		},
		{
			Name: "schema-order-demanded", Says: "A participant behind the first stream is refused.",
			Caught: []string{"dialects/layout-rfc7865/1", "dialects/cisco/2", "dialects/jambonz/1"},
			Config: alters(matching("INVITE", `</stream>\s*<participant `, 400)),
		},
		{
			Name: "empty-association-refused", Says: "An association with no stream is refused.",
			Caught: []string{"dialects/cisco/3", "dialects/cisco/4"},
			Config: alters(matching("INVITE", `<participantstreamassoc [^>]*>\s*</participantstreamassoc>`, 400)),
		},
		{
			Name: "ids-in-attributes-of-their-own", Says: "A document whose ids are called id is refused.",
			Caught: []string{"dialects/layout-hybrid/2", "dialects/layout-attributes/1"},
			Config: alters(matching("INVITE", `<(recording|participant|stream) id="`, 400)),
		},
		{
			Name: "associations-demanded", Says: "A document without associations is refused.",
			Caught: []string{"dialects/layout-siprec/2", "dialects/opensips/1", "dialects/freeswitch/1"},
			Config: alters(without("streamassoc")),
		},
		{
			Name: "streams-demanded", Says: "A document that declares no stream is refused.",
			Caught: []string{"dialects/opensips/2"},
			Config: alters(without("<stream")),
		},
		{
			Name: "placeholder-refused", Says: "A stream with an empty id is refused.",
			Caught: []string{"dialects/avaya/1", "dialects/avaya/2", "dialects/contents/3"},
			Config: alters(matching("INVITE", `stream_id=""`, 400)),
		},
		{
			Name: "type-of-drafts-refused", Says: "The media type of the drafts is refused with 415.",
			Caught: []string{"dialects/marks/7", "dialects/audiocodes/1", "dialects/audiocodes/2", "dialects/sems/1"},
			Config: alters(matching("INVITE", `application/rs-metadata\r\n`, 415)),
		},
		{
			Name: "extension-data-refused", Says: "A document with extension data is refused.",
			Caught: []string{"dialects/twilio/1", "dialects/oracle/1"},
			Config: alters(matching("INVITE", `<extensiondata`, 400)),
		},
		{
			Name: "foreign-elements-refused", Says: "A document with elements of another namespace is refused.",
			Caught: []string{"dialects/contents/1"},
			Config: alters(matching("INVITE", `<x:metadata`, 400)),
		},
		{
			Name: "times-by-the-letter", Says: "A time without Z is refused.",
			Caught: []string{"dialects/contents/2", "dialects/opensips/3"},
			Config: alters(matching("INVITE", `-time>[^<Z]+</`, 400)),
		},
		{
			Name: "sip-aors-only", Says: "An AOR that is no sip URI is refused.",
			Caught: []string{"dialects/contents/6", "dialects/contents/7"},
			Config: alters(matching("INVITE", `aor="(?:[^s"]|sips|")`, 400)),
		},
		{
			Name: "redirection-refused", Says: "A communication session that names why it was redirected is refused.",
			Caught: []string{"dialects/contents/9"},
			Config: alters(matching("INVITE", `<reason `, 400)),
		},
		{
			Name: "ids-without-case", Says: "Ids that differ in the case of a letter are taken for one, and refused as two.",
			Caught: []string{"dialects/contents/10"},
			Config: alters(matching("INVITE", `participant_id="a(\+/bcDE).*participant_id="A(\+/bcDE)`, 400)),
		},
		{
			Name: "datamode-by-the-letter", Says: "A datamode in another spelling is refused.",
			Caught: []string{"dialects/contents/4", "dialects/layout-siprec/1"},
			Config: alters(matching("INVITE", `<dataMode>`, 400)),
		},
	}
}
