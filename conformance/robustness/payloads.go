package robustness

import (
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// bodies are bad bodies (RFC 4475 §3.3, RFC 5621).
func bodies() []probe {
	body := func(requirement string, want []int, contentType, text string) probe {
		return probe{requirement: requirement, want: want, request: src.Request{Body: []byte(text), ContentType: contentType}}
	}
	nested := func(depth int) string {
		var b strings.Builder
		for i := range depth {
			fmt.Fprintf(&b, "--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n", i, i+1)
		}
		return b.String()
	}
	noType := edited("A body without a Content-Type is answered, or passed over.", answered, field("Content-Type", ""))
	noType.request.Metadata = nil
	return listed("body", check.Should, "RFC 3261 §8.2.3, §21.4.1",
		body("A type that nobody knows is answered 415.", []int{415}, "application/unheard-of;x=\"y", "what?"),
		body("A body of octets is answered 415.", []int{415}, "application/octet-stream", strings.Repeat("\x00", 64)),
		body("A multipart body without a boundary is answered 400 or 415.", []int{400, 415, 488}, "multipart/mixed", "--b\r\n\r\n--b--\r\n"),
		body("A multipart body whose delimiter never comes is answered, or taken for an empty one.", answered, "multipart/mixed;boundary=b", "nothing here"),
		body("A boundary of 5,000 characters is answered.", answered, "multipart/mixed;boundary="+strings.Repeat("b", 5000), "--x\r\n"),
		body("A multipart body a hundred deep is answered.", answered, "multipart/mixed;boundary=b0", nested(100)),
		body("A multipart body of two thousand parts is answered.", answered, "multipart/mixed;boundary=b", strings.Repeat("--b\r\n\r\nx\r\n", 2000)+"--b--\r\n"),
		body("A body of which only the beginning came is answered, or taken.", answered, "multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\n\r\nv=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=I"),
		body("A part whose header never ends is answered, or taken.", answered, "multipart/mixed;boundary=b", "--b\r\nContent-Type: application/sdp\r\nX: "+strings.Repeat("y", 20000)),
		body("A type that is none is answered, or the body taken for what it looks like.", answered, ";;,", "v=0\r\n"),
		edited("A body that is encoded is answered 415.", []int{415}, add("Content-Encoding: x-unheard-of")),
		noType,
	)
}

// documents are metadata that cost those who read them without care.
func documents() []probe {
	document := func(requirement, text string) probe {
		return probe{requirement: requirement, want: answered, request: src.Request{Metadata: []byte(text)}}
	}
	root := func(inner string) string {
		return `<?xml version="1.0"?><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>` + inner + `</recording>`
	}
	var entities strings.Builder
	entities.WriteString(`<?xml version="1.0"?><!DOCTYPE recording [<!ENTITY e0 "lol">`)
	for i := range 12 {
		fmt.Fprintf(&entities, `<!ENTITY e%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&e%d;", i), 10))
	}
	entities.WriteString(`]><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>&e12;</datamode></recording>`)
	var people strings.Builder
	for i := range 500 {
		fmt.Fprintf(&people, `<participant participant_id="p%d"><nameID aor="sip:%d@example.com"/></participant>`, i, i)
	}
	return listed("xml", check.Should, "RFC 7865 §12, RFC 7866 §9.1",
		document("Entities that become a thousand million characters are answered.", entities.String()),
		document("An entity that is a file of the server is answered.", `<?xml version="1.0"?><!DOCTYPE recording [<!ENTITY f SYSTEM "file:///etc/hostname">]>`+strings.TrimPrefix(root("<session session_id=\"&f;\">&f;</session>"), `<?xml version="1.0"?>`)),
		document("A document type from elsewhere is answered.", `<?xml version="1.0"?><!DOCTYPE recording SYSTEM "http://192.0.2.1/none.dtd">`+strings.TrimPrefix(root(""), `<?xml version="1.0"?>`)),
		document("Elements five thousand deep are answered.", root(strings.Repeat("<a>", 5000)+strings.Repeat("</a>", 5000))),
		document("Elements that never close are answered.", root(strings.Repeat("<a>", 10000))),
		document("An attribute of 40,000 characters is answered.", root(`<participant participant_id="`+strings.Repeat("x", 40000)+`"/>`)),
		document("A thousand attributes of one element are answered.", root(`<session `+manyAttributes(1000)+`/>`)),
		document("A text of 40,000 characters is answered.", root("<label>"+strings.Repeat("&lt;", 10000)+"</label>")),
		document("Five hundred participants are answered.", root(people.String())),
		document("Octets that are no UTF-8 are answered.", root("<name>\xff\xfe\xc3\x28</name>")),
		document("A document in UTF-16 is answered.", "\xff\xfe<\x00r\x00e\x00c\x00o\x00r\x00d\x00i\x00n\x00g\x00/\x00>\x00"),
		document("Characters that XML has not are answered.", root("<name>a\x00b\x01c&#0;&#x1F;&#xFFFF;</name>")),
		document("A document that ends within an element is answered.", `<?xml version="1.0"?><recording xmlns="urn:ietf`),
		document("Attributes that stand twice, and ends of what never began, are answered.", root(`<session session_id="a" session_id="b"></session></participant>`)),
		document("Two roots are answered.", root("")+root("")),
		document("A document that is JSON is answered.", `{"recording": {"datamode": "complete"}}`),
	)
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `a%d="%d" `, i, i)
	}
	return b.String()
}

// descriptions are offers that are wrong, or much (RFC 8866, RFC 3264).
func descriptions() []probe {
	const head = "v=0\r\no=- 5 5 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"
	offer := func(requirement string, want []int, lines int, text string) probe {
		return probe{requirement: requirement, want: want, lines: lines, request: src.Request{Streams: []src.StreamOffer{{}}, SDP: text}}
	}
	two := func(requirement, bad string) probe {
		p := offer(requirement, answered, 2, head+bad+"m=audio {port1} RTP/AVP 0\r\na=sendonly\r\n")
		p.request.Streams = []src.StreamOffer{{}, {}}
		return p
	}
	line := func(port string) string { return "m=audio " + port + " RTP/AVP 0\r\na=sendonly\r\n" }
	return listed("sdp", check.Should, "RFC 3261 §21.4.26, RFC 3264 §6",
		offer("An offer without any address is answered 400 or 488, or refused line by line.", answered, 1, "v=0\r\no=- 5 5 IN IP4 {address}\r\ns=-\r\nt=0 0\r\n"+line("{port0}")),
		two("A port beyond 65535 is answered.", line("70000")),
		two("A port below 0 is answered.", line("-1")),
		two("A port in words is answered.", line("voice")),
		two("Ports 1 and 65535 are answered.", "m=audio 65535 RTP/AVP 0\r\na=sendonly\r\n"),
		two("A protocol that nobody knows is answered with port 0.", "m=audio {port0} XTP/UNHEARD 0\r\na=sendonly\r\n"),
		two("An m-line without formats is answered.", "m=audio {port0} RTP/AVP\r\n"),
		two("An m-line of one word is answered.", "m=audio\r\n"),
		two("Formats that are no payload types are answered.", "m=audio {port0} RTP/AVP pcmu 999 -1\r\na=rtpmap:999 PCMU/8000\r\n"),
		two("An m-line whose codecs nobody knows is answered.", "m=audio {port0} RTP/AVP 96 97\r\na=rtpmap:96 UNHEARD/8000\r\na=rtpmap:97 of/0\r\na=sendonly\r\n"),
		two("Two hundred formats, and rtpmaps that disagree, are answered.", "m=audio {port0} RTP/AVP 0"+strings.Repeat(" 96", 200)+"\r\n"+strings.Repeat("a=rtpmap:96 A/8000\r\na=rtpmap:96 B/16000/2\r\n", 50)+"a=sendonly\r\n"),
		two("Directions that contradict each other are answered.", "m=audio {port0} RTP/AVP 0\r\na=sendonly\r\na=recvonly\r\na=inactive\r\na=sendrecv\r\n"),
		two("Packet times of 0, below 0 and in words are answered.", "m=audio {port0} RTP/AVP 0\r\na=ptime:0\r\na=maxptime:-20\r\na=ptime:short\r\na=sendonly\r\n"),
		two("An address of a name, of IPv6 and of nothing is answered.", "m=audio {port0} RTP/AVP 0\r\nc=IN IP6 nowhere.invalid\r\nc=IN IP4 2001:db8::1\r\nc=\r\na=sendonly\r\n"),
		two("A multicast and a broadcast address are answered.", "m=audio {port0} RTP/AVP 0\r\nc=IN IP4 224.2.1.1/127/3\r\na=sendonly\r\n"),
		two("Keys that are none are answered.", "m=audio {port0} RTP/SAVP 0\r\na=crypto:\r\na=crypto:x y z\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:short\r\na=sendonly\r\n"),
		two("A label of 5,000 characters, and labels without a value, are answered.", "m=audio {port0} RTP/AVP 0\r\na=label:"+strings.Repeat("l", 5000)+"\r\na=label:\r\na=label\r\na=sendonly\r\n"),
		two("Control characters and octets that are no UTF-8 are answered.", "m=audio {port0} RTP/AVP 0\r\na=x:\x00\x01\xff\r\na=sendonly\r\n"),
		offer("A description without m-lines is answered.", answered, 0, head),
		offer("An empty description is answered 400 or 488, or as no offer.", answered, 0, "\r\n"),
		offer("A description of octets is answered 400 or 488.", []int{400, 488}, 0, "\xff\xfe\x00nonsense"),
		offer("A description without v= and o= is answered.", answered, 1, "s=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"+line("{port0}")),
		offer("An o= line of letters is answered.", answered, 1, strings.Replace(head, "5 5", "five -5", 1)+line("{port0}")),
		offer("An o= line of numbers beyond 64 bits is answered.", answered, 1, strings.Replace(head, "5 5", "99999999999999999999 99999999999999999999", 1)+line("{port0}")),
		offer("A hundred m-lines are answered one by one, or 4xx.", append([]int{503}, answered...), 100, head+strings.Repeat(line("{port0}"), 100)),
		offer("Two thousand m-lines of port 0 are answered one by one, or 4xx.", append([]int{503}, answered...), 2000, head+strings.Repeat("m=audio 0 RTP/AVP 0\r\n", 2000)),
		offer("A line of 40,000 characters is answered.", answered, 1, head+"a="+strings.Repeat("x", 40000)+"\r\n"+line("{port0}")),
		offer("Eight thousand attributes are answered.", answered, 1, head+line("{port0}")+strings.Repeat("a=x\r\n", 8000)),
		offer("Lines that are none, between others, are answered.", answered, 1, head+"hello\r\n=\r\nx\r\n\r\n1=2\r\n"+line("{port0}")),
	)
}
