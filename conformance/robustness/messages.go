package robustness

import (
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// listed numbers the probes of a class and fills in what they have in common.
func listed(name string, level check.Level, section string, probes ...probe) []probe {
	for i := range probes {
		p := &probes[i]
		p.id = fmt.Sprintf("robustness/%s/%d", name, i+1)
		if p.section == "" {
			p.section = section
		}
		if p.level == 0 {
			p.level = level
		}
	}
	return probes
}

// edited is a probe of an INVITE whose text is changed.
func edited(requirement string, want []int, e edit) probe {
	return probe{requirement: requirement, want: want, request: src.Request{Edit: e}}
}

var (
	taken    = []int{200}
	badly    = []int{400}
	refused  = []int{4}
	answered = []int{200, 4}
)

// valid are messages that are valid, however odd they look (RFC 4475 §3.1.1).
func valid() []probe {
	long := strings.Repeat("long", 60)
	part := "--b\r\nContent-Type: application/octet-stream\r\nContent-Disposition: icon;handling=optional\r\n\r\n\x00\x01\xff\x00\r\n"
	return listed("valid", check.Must, "RFC 4475 §3.1.1", []probe{
		edited("Compact names, blanks before colons, folded lines and leading zeros are read.", taken, replaced(
			"\r\nVia: SIP/2.0/", "\r\nv  :  SIP  / 2.0  /", "\r\nFrom: <", "\r\nf :\r\n \"A \\\\\\\"B\\\"\"\r\n\t <", "\r\nCall-ID:", "\r\ni  :",
			"\r\nCSeq: 1 INVITE", "\r\ncseq: 0001\r\n  INVITE", "\r\nContent-Type:", "\r\nc :", "\r\nContent-Length:", "\r\nl  :\r\n  ")),
		edited("A display name, a user part and parameters may have every character that the grammar gives them.", taken,
			matched(`\r\nFrom: <([^>]*)>;tag=`, "\r\nFrom: token1~` token2'+_ token3*%!.- <sip:a;b=c&d=e+f$$g,h?i/@example.com>;par''~+*_!.-%=\"\xd1\x80\";tag=")),
		edited("Escaped octets in a user part are not made plain.", taken, matched(`\r\nFrom: <([^>]*)>`, "\r\nFrom: <sip:I%20have%20%22blanks%22%00@example.com>")),
		edited("No blank is needed before an angle bracket.", taken, matched(`\r\nFrom: <`, "\r\nFrom: caller<")),
		edited("Long values of header fields, a Call-ID of 240 characters among them, are taken.", taken, edits(
			add("Unknown-"+long+": "+long), matched(`\r\nFrom: <([^>]*)>`, "\r\nFrom: \""+long+"\" <sip:"+long+"@example.com;"+long+"="+long+">;"+long+"="+long),
			matched(`\r\nCall-ID: ([^\r]*)`, "\r\nCall-ID: ${1}."+long))),
		edited("Further Via header fields of transports that nobody knows are repeated.", taken, replaced("\r\nMax-Forwards:",
			"\r\nVia: SIP/2.0/SCTP p1.example;branch=z9hG4bKa, SIP/2.0/UNHEARD p2.example:5061;x=\"y,z\"\r\nVia: SIP/2.0/TLS [2001:db8::9]:5061;branch=z9hG4bKb\r\nMax-Forwards:")),
		edited("Header fields of any name are passed over.", taken, add("X!%*_+`'~: 1", "NewFangled: a;,\"b;;,;", "Another-One:", " \t continued", "SomethingElse: \xc3\xbc\xe6\x97\xa5")),
		edited("Parameters without a value, and empty ones, do no harm.", taken, matched(`>;\+sip.src`, ">;x;y=;+sip.src;z=\"\"")),
		edited("Names in UTF-8 are taken.", taken, matched(`\r\nFrom: <`, "\r\nFrom: \"\u00dcn\u00efc\u00f6d\u00e9 \u65e5\u672c\" <")),
		edited("Blanks at the end of lines are passed over.", taken, func(text string) string {
			head, body, _ := strings.Cut(text, "\r\n\r\n")
			first, rest, _ := strings.Cut(head, "\r\n")
			return first + "\r\n" + strings.ReplaceAll(rest, "\r\n", "  \t\r\n") + "\r\n\r\n" + body
		}),
		{
			requirement: "A part of octets beside the SDP is taken, whatever the octets are.", want: taken,
			request: src.Request{Quirks: src.Quirks{Wrap: true}, Edit: replaced("multipart/mixed;boundary=src-boundary", "multipart/mixed;boundary=b", "--src-boundary\r\nContent-Type: application/sdp", part+"--b\r\nContent-Type: application/sdp", "--src-boundary", "--b")},
		},
		{
			requirement: "What follows the body in a datagram is passed over.", want: taken, datagram: true, section: "RFC 3261 §18.3",
			request: src.Request{Edit: behind("\r\nfurther octets\x00\r\n\r\nINVITE sip:x SIP/2.0\r\n")},
		},
		{
			requirement: "Empty lines before a message are passed over.", want: taken, level: check.Should, section: "RFC 3261 §7.5",
			request: src.Request{Edit: before("\r\n\r\n\r\n")},
		},
		edited("The Via, Max-Forwards and From of a client of RFC 2543 are enough.", taken, edits(matched(`;branch=[^;\r]*`, ""), field("Max-Forwards", ""), matched(`\r\nFrom: <([^>]*)>;tag=`, "\r\nFrom: <$1>;x="))),
		edited("URIs of schemes that nobody knows, in From and To, are none of the server's business.", taken,
			edits(matched(`\r\nFrom: <[^>]*>`, "\r\nFrom: <http://example.com/who>"), matched(`\r\nTo: <[^>]*>`, "\r\nTo: <isbn:2983792873>"))),
		edited("Addresses need no angle brackets.", taken, edits(matched(`\r\nFrom: <[^>]*>`, "\r\nFrom: sip:src@example.com"), matched(`\r\nTo: <[^>]*>`, "\r\nTo: sip:srs@example.com"))),
	}...)
}

// startLines are bad start lines (RFC 4475 §3.1.2, §3.3).
func startLines() []probe {
	request := func(requirement string, want []int, line string) probe {
		return edited(requirement, want, startLine(line))
	}
	list := []probe{
		request("A version that is not 2.0 is answered 505.", []int{505}, "INVITE {uri} SIP/7.0"),
		request("A Request-URI of a scheme that nobody knows is answered 416.", []int{416}, "INVITE nobodyknows:totallyopaque SIP/2.0"),
		request("A Request-URI of another protocol is answered 416.", []int{416}, "INVITE soap.beep://192.0.2.103:3002 SIP/2.0"),
		request("A Request-URI without a scheme is answered 400 or 416.", []int{400, 416}, "INVITE srs.example SIP/2.0"),
		request("A Request-URI in angle brackets is answered, or taken as what it means.", answered, "INVITE <{uri}> SIP/2.0"),
		request("A blank within the Request-URI is answered, or taken as what it means.", answered, "INVITE {uri}; lr SIP/2.0"),
		request("Several blanks between the words of a start line are answered, or taken as one.", answered, "INVITE  {uri}  SIP/2.0"),
		request("Blanks at the end of a start line are answered, or passed over.", answered, "INVITE {uri} SIP/2.0  "),
		request("Header fields in the Request-URI are answered, or passed over.", answered, "INVITE {uri}?Route=%3Csip:example.com%3E SIP/2.0"),
		request("The method in other letters is another method, which the CSeq is not of.", []int{400, 405, 501}, "invite {uri} SIP/2.0"),
		{requirement: "A method of every character that a token may have is answered 405 or 501.", want: []int{405, 501}, method: "!unusual-Method0123456789_*+`.%indeed'~"},
		{requirement: "A percent sign in a method is no escape: the method is unknown.", want: []int{405, 501}, method: "RE%47IST%45R"},
		{requirement: "A method that the CSeq is not of is answered 400.", want: badly, method: "OPTIONS", request: src.Request{Edit: replaced(" OPTIONS\r\n", " INVITE\r\n")}},
		{requirement: "A start line of one word is answered, or dropped.", want: refused, silent: true, method: "OPTIONS", request: src.Request{Edit: startLine("OPTIONS")}},
		{requirement: "A start line of octets is answered, or dropped.", want: append([]int{505}, refused...), silent: true, method: "OPTIONS", request: src.Request{Edit: startLine("\x00\xff \x01 \x7f")}},
	}
	return listed("start-line", check.Should, "RFC 4475 §3.1.2, RFC 3261 §21", list...)
}

// fields are bad header fields (RFC 4475 §3.1.2, §3.3).
func fields() []probe {
	missing := func(name string) probe {
		return edited("A request without "+name+" is answered 400.", badly, field(name, ""))
	}
	second := func(name, value string) probe {
		return edited("A request with two different "+name+" header fields is answered 400.", badly, add(name+": "+value))
	}
	noVia := missing("Via")
	noVia.silent, noVia.requirement = true, "A request without Via is answered 400, or dropped."
	badVia := edited("A Via that is none is answered 400, or the request dropped.", badly, field("Via", "mail from me"))
	badVia.silent = true
	ignored := func(requirement string, lines ...string) probe {
		p := edited(requirement, taken, add(lines...))
		p.section = "RFC 3261 §8.2"
		return p
	}
	return listed("fields", check.Should, "RFC 4475 §3.1.2, §3.3.1, §3.3.8",
		missing("From"), missing("To"), missing("Call-ID"), missing("CSeq"), noVia, badVia,
		second("From", "<sip:other@example.com>;tag=2"), second("To", "<sip:other@example.com>"), second("Call-ID", "another"), second("CSeq", "8 INVITE"),
		edited("Separators without values in To are answered 400.", badly, field("To", ";;,;,,")),
		edited("A quote that does not end is answered, or mended.", answered, matched(`\r\nTo: <`, "\r\nTo: \"Mr. S <")),
		edited("An angle bracket that does not close is answered, or mended.", answered, matched(`(\r\nContact: <[^>]*)>`, "$1")),
		edited("Blanks within an address are answered, or passed over.", answered, matched(`\r\nTo: <([^>]*)>`, "\r\nTo: \"S\" < $1 >")),
		edited("Commas in a display name without quotes are answered, or passed over.", answered, matched(`\r\nFrom: <`, "\r\nFrom: Src, Last <")),
		edited("A Contact that is no address is answered, or done without.", answered, field("Contact", "<sip192.0.2.1>;+sip.src")),
		edited("A Contact with a port that is none is answered, or done without.", answered, matched(`\r\nContact: <sip:([^:>]*):\d+`, "\r\nContact: <sip:$1:99999999")),
		edited("An INVITE without a Contact is answered 400, or taken.", answered, field("Contact", "")),
		edited("Two Contacts, and a star, are answered, or the first is taken.", answered, matched(`(\r\nContact: [^\r]*)`, "$1, <sip:second@192.0.2.1>, *")),
		edited("A Route with a port that is none is answered, or passed over.", answered, add("Route: <sip:srs.example:port;lr>")),
		edited("A Record-Route that is no address is answered, or repeated.", answered, add("Record-Route: <<sip:proxy;lr")),
		ignored("A Date that is none does not count.", "Date: yesterday, or Fri, 01 Jan 2010 16:00:00 EST"),
		ignored("An Expires and a Retry-After that are no numbers do not count.", "Expires: 99999999999999999999", "Retry-After: -1"),
		ignored("An Authorization of an unknown scheme does not count.", "Authorization: NoOneKnows opaque=\"\x7f\""),
		ignored("Accept, Allow and Supported that cannot be read do not count.", "Allow: ,,;;\"", "Supported: \"", "Allow-Events: ()"),
		edited("A line without a colon, and one without a name, are answered, or passed over.", answered, add("NotAHeader", ": nameless", "Y;Z: 1")),
		edited("Control characters in a header field are answered, or passed over.", answered, add("Subject: a\x01b\x00c\rd")),
		edited("Octets that are no UTF-8 are answered, or repeated as they are.", answered, matched(`\r\nFrom: <`, "\r\nFrom: \"Gr\xfc\xdfe\" <")),
		edited("Bare line feeds are answered, or taken as ends of lines.", answered, replaced("\r\n", "\n")),
	)
}

// numbers are numbers that are none, or too large (RFC 4475 §3.1.2.4).
func numbers() []probe {
	cseq := func(requirement, number string) probe {
		return edited(requirement, badly, replaced("CSeq: 1 INVITE", "CSeq: "+number+" INVITE"))
	}
	length := func(requirement, value string) probe {
		p := edited(requirement, []int{400, 413}, replaced("Content-Length: {length}", "Content-Length: "+value))
		p.unframed, p.silent = true, true
		p.section = "RFC 3261 §18.3"
		return p
	}
	datagram := func(p probe) probe {
		p.datagram, p.silent = true, false
		p.requirement = strings.Replace(p.requirement, ", or the connection closed", "", 1)
		return p
	}
	forwards := func(value string) probe {
		return edited(fmt.Sprintf("A Max-Forwards of %q is answered, or passed over.", value), answered, field("Max-Forwards", value))
	}
	return listed("numbers", check.Should, "RFC 4475 §3.1.2.4",
		cseq("A CSeq below 0 is answered 400.", "-7"),
		cseq("A CSeq beyond 32 bits is answered 400.", "36893488147419103232"),
		cseq("A CSeq in words is answered 400.", "seven"),
		edited("A CSeq without a number is answered 400.", badly, replaced("CSeq: 1 INVITE", "CSeq: INVITE")),
		forwards("seventy"), forwards("-1"), forwards("300"), forwards("99999999999999999999"), forwards("7, 8"),
		datagram(length("A Content-Length beyond the end of the datagram is answered 400.", "9999")),
		datagram(length("A Content-Length below 0 is answered 400, or the connection closed.", "-999")),
		datagram(length("A Content-Length in words is answered 400, or the connection closed.", "all of it")),
		datagram(length("Two Content-Length that differ are answered 400, or the connection closed.", "{length}\r\nContent-Length: 1")),
		length("A Content-Length below 0 is answered 400, or the connection closed.", "-1"),
		length("A Content-Length beyond 64 bits is answered 400 or 413, or the connection closed.", "99999999999999999999"),
		edited("A port of Via that is none is answered, or passed over.", answered, matched(`(\r\nVia: SIP/2.0/\w+ [^:]*):\d+`, "$1:77777")),
		edited("A port of rport that is none is passed over, or answered.", answered, replaced(";rport\r\n", ";rport=no\r\n")),
		edited("A session timer beyond 32 bits is answered, or passed over.", answered, add("Session-Expires: 4294967296000", "Min-SE: 99999999999")),
		edited("A session timer in words is answered, or passed over.", answered, add("Session-Expires: soon;refresher=me", "Min-SE: later")),
	)
}

// sizes are messages with much of something. A datagram holds them.
func sizes() []probe {
	many := func(requirement string, e edit) probe {
		return edited(requirement, append([]int{513}, answered...), e)
	}
	return listed("size", check.Should, "RFC 3261 §21.4.11, §21.5.7",
		many("Five thousand header fields are taken, or answered.", add(strings.TrimSuffix(strings.Repeat("X: y\r\n", 5000), "\r\n"))),
		many("A header field of 50,000 octets is taken, or answered.", add("Subject: "+strings.Repeat("s", 50000))),
		many("A name of a header field of 20,000 octets is taken, or answered.", add(strings.Repeat("N", 20000)+": v")),
		many("Three hundred Via are taken, or answered.", replaced("\r\nMax-Forwards:", strings.Repeat("\r\nVia: SIP/2.0/UDP p.example;branch=z9hG4bKv", 300)+"\r\nMax-Forwards:")),
		many("Three thousand Via in one line are taken, or answered.", matched(`(\r\nVia: [^\r]*)`, "$1"+strings.Repeat(",SIP/2.0/UDP p;branch=z", 2000))),
		many("A thousand Record-Route are taken, or answered.", add("Record-Route: <sip:p.example;lr>"+strings.Repeat(",<sip:p.example;lr>", 1000))),
		many("A Require of five thousand option tags is answered.", add("Require: o0"+strings.Repeat(",o", 5000))),
		many("A Call-ID of 10,000 characters is taken, or answered.", matched(`(\r\nCall-ID: [^\r]*)`, "$1"+strings.Repeat("i", 10000))),
		many("A tag of 10,000 characters is taken, or answered.", matched(`(\r\nFrom: [^\r]*)`, "$1"+strings.Repeat("t", 10000))),
		many("A Request-URI of 10,000 characters is taken, or answered.", startLine("INVITE {uri};x="+strings.Repeat("u", 10000)+" SIP/2.0")),
		many("A header field folded over a thousand lines is taken, or answered.", add("Subject: s"+strings.Repeat("\r\n s", 1000))),
		many("A thousand parameters of Contact are taken, or answered.", matched(`>;\+sip.src`, ">"+strings.Repeat(";p=v", 1000)+";+sip.src")),
	)
}
