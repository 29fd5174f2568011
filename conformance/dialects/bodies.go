package dialects

import (
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// marks are INVITEs that lack some of what marks a recording session (RFC 7866 §6.1.1).
func marks() []call {
	const section = "RFC 7866 §6.1.1"
	one := func(id, requirement string, r src.Request, document string) call {
		return call{id: id, section: section, level: check.Should, requirement: requirement, steps: []step{{request: r, document: document}}}
	}
	return []call{
		one("dialects/marks/1", "siprec in Require is enough for a recording session.", src.Request{NoFeatureTag: true}, ""),
		one("dialects/marks/2", "The feature tag is enough for a recording session.", src.Request{Require: []string{}}, ""),
		one("dialects/marks/3", "siprec in Supported is enough for a recording session.", src.Request{NoFeatureTag: true, Require: []string{}, Headers: headers("Supported: replaces,siprec")}, ""),
		one("dialects/marks/4", "A part of metadata is enough for a recording session.", src.Request{NoFeatureTag: true, Require: []string{}, Quirks: src.Quirks{NoDisposition: true}}, "cube"),
		one("dialects/marks/5", "The feature tag counts within the angle brackets too.", src.Request{Require: []string{}, Edit: replaced(">;+sip.src", ";+sip.src>")}, ""),
		one("dialects/marks/6", "The feature tag counts without its plus sign.", src.Request{Require: []string{}, ContactParams: ";sip.src"}, ""),
		one("dialects/marks/7", "Metadata of the older type counts as metadata.", src.Request{MetadataType: src.TypeOldMetadata}, "cube"),
		one("dialects/marks/8", "The feature tag counts with other punctuation.", src.Request{Require: []string{}, ContactParams: ";sip-src"}, ""),
	}
}

// body makes a case of how the body of an INVITE is written. The edit works on the text
// of the whole, which is multipart with the boundary src-boundary.
func body(id, section string, level check.Level, requirement string, r src.Request) call {
	return call{id: id, section: section, level: level, requirement: requirement, steps: []step{
		{request: r, document: "cube"},
		{request: r, document: "cube"},
	}}
}

// multipart are the ways to write a body of several parts.
func multipart() []call {
	const delimiter = "--src-boundary\r\n"
	edited := func(pairs ...string) src.Request { return src.Request{Edit: replaced(pairs...)} }
	all := func(old, replacement string) src.Request {
		return src.Request{Edit: func(text string) string { return strings.ReplaceAll(text, old, replacement) }}
	}
	return []call{
		body("dialects/multipart/1", "RFC 2046 §5.1.1", check.Must, "A boundary may be quoted, with every character that it may have.",
			src.Request{Quirks: src.Quirks{QuotedBoundary: true, Boundary: "(x)+_,-./:=? 'y'"}}),
		body("dialects/multipart/2", "RFC 3261 §7.3.1", check.Must, "Blanks around the semicolon and the slash of Content-Type are passed over.",
			edited("multipart/mixed;boundary=", "multipart/mixed  ; \t boundary=")),
		body("dialects/multipart/3", "RFC 2046 §5.1.1", check.Must, "Blanks behind a delimiter belong to it.", all(delimiter, "--src-boundary  \t\r\n")),
		body("dialects/multipart/4", "RFC 2046 §5.1.1", check.Must, "What stands before the first delimiter and behind the last is passed over.",
			edited(delimiter, "for people\r\n\r\n"+delimiter, "--src-boundary--\r\n", "--src-boundary--\r\n\r\nm=audio 9 RTP/AVP 0\r\n")),
		body("dialects/multipart/5", "RFC 2046 §5.1.1", check.Must, "Empty lines before the first delimiter are passed over.", edited("\r\n\r\n"+delimiter, "\r\n\r\n\r\n\r\n"+delimiter)),
		body("dialects/multipart/6", "RFC 2046 §5.1.1", check.Should, "The last delimiter may be missing.", src.Request{Quirks: src.Quirks{NoClosingDelimiter: true}}),
		body("dialects/multipart/7", "RFC 7866 §9.1", check.Must, "Metadata may come before the SDP.", src.Request{Quirks: src.Quirks{MetadataFirst: true}}),
		body("dialects/multipart/8", "RFC 2045 §5.1", check.Must, "Types are read in any case.",
			edited("multipart/mixed", "Multipart/MIXED", "application/sdp", "Application/SDP", "application/rs-metadata+xml", "APPLICATION/rs-Metadata+XML")),
		body("dialects/multipart/9", "RFC 2045 §3", check.Must, "Header fields of a part are read in any case and any order, folded, and without a blank behind the colon.",
			edited("Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session", "CONTENT-disposition:recording-session\r\ncontent-TYPE:\r\n application/rs-metadata+xml")),
		body("dialects/multipart/10", "RFC 2045 §3", check.Must, "Further header fields of a part, a length among them, do no harm.",
			all("Content-Type: application/", "Content-Length: 12345\r\nContent-ID: <x@example.com>\r\nContent-Transfer-Encoding: 8bit\r\nX-Part: one\r\nContent-Type: application/")),
		body("dialects/multipart/11", "RFC 3261 §20.11", check.Must, "The SDP may have the disposition session, with its handling.",
			edited("Content-Type: application/sdp", "Content-Disposition: session ; handling=required\r\nContent-Type: application/sdp")),
		body("dialects/multipart/12", "RFC 7866 §9", check.Should, "A part of metadata needs no disposition.", src.Request{Quirks: src.Quirks{NoDisposition: true}}),
		body("dialects/multipart/13", "RFC 5621 §4.2", check.Must, "A multipart body within another one is read.",
			edited(delimiter, "--src-boundary\r\nContent-Type: multipart/mixed;boundary=inner\r\n\r\n--inner\r\nContent-Type: text/plain\r\nContent-Disposition: render;handling=optional\r\n\r\nhello\r\n--inner--\r\n\r\n"+delimiter)),
		body("dialects/multipart/14", "RFC 2046 §5.1.1", check.Must, "A line within a part that only begins like the delimiter, but does not stand at its begin, ends nothing.",
			edited("s=-\r\n", "s=x --src-boundary\r\ni=- --src-boundary--\r\n")),
		body("dialects/multipart/15", "RFC 2045 §5.1", check.Must, "Further parameters of the type, before the boundary, are passed over.",
			edited("multipart/mixed;boundary=", "multipart/mixed; charset=utf-8; x=\"a;boundary=no\"; boundary=")),
		body("dialects/multipart/16", "RFC 2046 §5.1.1", check.Should, "Lines of the body may end with LF alone.",
			src.Request{Edit: func(text string) string {
				head, parts, _ := strings.Cut(text, "\r\n\r\n")
				return head + "\r\n\r\n" + strings.ReplaceAll(parts, "\r\n", "\n")
			}}),
		body("dialects/multipart/17", "RFC 2046 §5.1.3", check.Must, "A body of type multipart/x, whatever x is, is read as multipart/mixed.", edited("multipart/mixed", "multipart/x-recorded")),
	}
}

// edited is the usual document with some text in place of other.
func documented(id, section string, level check.Level, requirement, document string, pairs ...string) call {
	r := src.Request{Streams: labelled("1", "2"), Edit: replaced(pairs...)}
	return call{id: id, section: section, level: level, requirement: requirement, steps: []step{{request: r, document: document}, {request: r, document: document}}}
}

// contents are peculiarities of documents, whatever the layout.
func contents() []call {
	return []call{
		documented("dialects/contents/1", "RFC 7865 §8, §9", check.Must, "Elements of vendors at every place, with names in any script, CDATA and comments, are passed over.", "extended"),
		documented("dialects/contents/2", "RFC 7865 §6.9", check.Should, "Times without a zone, with one of four digits, with nine digits of a second or with none at all are taken.", "avaya-after",
			"<associate-time>", "<associate-time>2025-03-01T11:12:13.123456789+0100</associate-time><associate-time>", "<session ", "<group><associate-time/></group><session "),
		documented("dialects/contents/3", "RFC 7865 §6.10", check.Should, "Two streams of one id, a participant of none and an association with nobody are taken.", "cube",
			`<participant participant_id=`, `<participant><nameID aor=""/></participant><participantstreamassoc/><participant participant_id=`,
			`</recording>`, `<stream stream_id="" session_id=""><label>1</label></stream><stream><label>2</label></stream></recording>`),
		documented("dialects/contents/4", "RFC 7865 §5.1.2", check.Should, "dataMode, in this spelling of the drafts, and in capitals, is taken.", "cube",
			"<datamode>complete</datamode>", "<dataMode> COMPLETE </dataMode>"),
		documented("dialects/contents/5", "RFC 7865 §5.1", check.Should, "A document in a namespace that nobody knows costs no recording.", "cube",
			"urn:ietf:params:xml:ns:recording:1", "http://vendor.example/recording/v9"),
		documented("dialects/contents/6", "RFC 7865 §6.5", check.Must, "An AOR of tel, of sips, and one with parameters are taken.", "cube",
			"sip:+15550131@192.0.2.61", "tel:+1-555-0131;phone-context=example.com", "sip:4711@192.0.2.62", "sips:4711@example.com;user=phone;tag=a?subject=x&amp;y=z"),
		documented("dialects/contents/7", "RFC 7865 §6.5", check.Should, "An AOR without scheme, without user, of blanks, and one in quotes is taken.", "cube",
			"sip:+15550131@192.0.2.61", " &quot;Lena&quot; &lt;+15550131&gt; ", "sip:4711@192.0.2.62", ""),
		documented("dialects/contents/8", "RFC 7866 §9.1", check.Should, "An empty part of metadata costs no recording.", "cube",
			"Content-Type: application/rs-metadata+xml\r\n", "Content-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n\r\n--src-boundary\r\nContent-Type: application/rs-metadata+xml\r\n"),
		documented("dialects/contents/9", "RFC 7865 §6.3", check.Must, "Reasons, and a stop time before the end, are taken.", "cube",
			"</start-time>\n</session>", "</start-time>\n<stop-time>2036-01-02T03:04:05Z</stop-time>\n<reason cause=\"302\" protocol=\"SIP\">Moved</reason>\n</session>"),
		documented("dialects/contents/10", "RFC 7865 §6.10", check.Must, "Identifiers of sixteen octets in base64 may hold slashes, plus signs and be equal but for the case of a letter.", "cube",
			"<participant ", `<participant participant_id="a+/bcDEFghijklmnopqrsQ=="><nameID aor="sip:one@example.com"/></participant><participant participant_id="A+/bcDEFghijklmnopqrsQ=="><nameID aor="sip:two@example.com"/></participant><participant `),
	}
}
