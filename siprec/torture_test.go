package siprec

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A torture is a message of one class of RFC 4475, in our own words, or of one that
// deployed clients are known for.
type torture struct {
	name string
	// start replaces the start line, fields what the default message has under the
	// same name (an empty value leaves it out), and add is written below them.
	start  string
	fields map[string]string
	add    string
	body   string // with {sdp} for the offer; empty is that alone
	mend   func(string) string
	status int // of the answer; 0 is none, for what must not be answered
	// datagram leaves it to UDP: on a stream it would be the begin of something else.
	datagram bool
}

// tortured has the order of the default message. {m} is what tells one message of the
// test from all others, {via} the transport and the address of the peer.
var tortured = []struct{ name, value string }{
	{"Via", "SIP/2.0/{via};branch=z9hG4bK{m};rport"},
	{"Max-Forwards", "70"},
	{"From", "<sip:src@a.example>;tag=f{m}"},
	{"To", "<sip:srs@b.example>"},
	{"Call-ID", "{m}@a.example"},
	{"CSeq", "7 INVITE"},
	{"Contact", "<sip:src@{address}>;+sip.src"},
	{"Require", "siprec"},
	{"Content-Type", "application/sdp"},
}

func (c torture) text(marker, via, address string) string {
	start := c.start
	if start == "" {
		start = "INVITE sip:srs@b.example SIP/2.0"
	}
	body := strings.ReplaceAll(c.body, "{sdp}", bareSDP)
	if body == "" {
		body = bareSDP
	}
	var b strings.Builder
	b.WriteString(start + "\r\n")
	for _, f := range tortured {
		value, other := c.fields[f.name]
		if !other {
			value = f.value
		}
		if value != "" {
			b.WriteString(f.name + ": " + value + "\r\n")
		}
	}
	b.WriteString(c.add)
	if length, other := c.fields["Content-Length"]; !other {
		fmt.Fprintf(&b, "Content-Length: %d\r\n", len(body))
	} else if length != "" {
		b.WriteString("Content-Length: " + length + "\r\n")
	}
	m := b.String() + "\r\n" + body
	if c.mend != nil {
		m = c.mend(m)
	}
	return strings.NewReplacer("{m}", marker, "{via}", via+" "+address, "{address}", address).Replace(m)
}

func replaced(from, to string) func(string) string {
	return func(m string) string { return strings.ReplaceAll(m, from, to) }
}

func only(name, value string) map[string]string { return map[string]string{name: value} }

// requested is the default message under another method.
func requested(method string) (start string, fields map[string]string) {
	return method + " sip:srs@b.example SIP/2.0", map[string]string{"CSeq": "7 " + method}
}

func tortures() []torture {
	long := strings.Repeat("long", 60)
	multipart := only("Content-Type", "multipart/mixed;boundary=b")
	part := func(fields, body string) string { return "--b\r\n" + fields + "\r\n" + body + "\r\n" }
	offer := part("Content-Type: application/sdp\r\n", "{sdp}")
	list := []torture{
		// RFC 4475 §3.1.1: valid, however it looks.
		{name: "folded, compact, blanks everywhere", status: 200, mend: func(m string) string {
			return strings.NewReplacer("Via: SIP/2.0/", "v  :  SIP  / 2.0  /", "From: <", "f:\r\n \"A \\\\\\\"B\\\"\"\r\n\t <", "Call-ID:", "i  :",
				"CSeq: 7 INVITE", "cseq: 0007\r\n  INVITE", "Content-Type:", "c :", "Content-Length:", "l  :\r\n  ").Replace(m)
		}},
		{name: "every character a token may have", start: "INVITE sip:1_unusual.URI~(to-be!sure)&isn't+it$/crazy?,/;;*:&it+has=1,weird!*pas$wo~d_too.(doesn't-it)@b.example SIP/2.0",
			fields: only("From", "token1~` token2'+_ token3*%!.- <sip:mundane@a.example>;fromParam''~+*_!.-%=\"\xd1\x80\";tag=_t~1.%20'*!-{m}"), status: 200},
		{name: "escaped octets", start: "INVITE sip:sips%3Asrs%40b.example@b.example;unknown%2aparam SIP/2.0",
			fields: only("From", "<sip:I%20have%20spaces@a.example>;tag=f{m}"), status: 200},
		{name: "escaped NUL in a user", fields: only("From", "<sip:null-%00-null@a.example>;tag=f{m}"), status: 200},
		{name: "percent that is no escape", fields: only("From", "<sip:100%@a.example>;tag=f{m}"), status: 200},
		{name: "no blank before the angle bracket", fields: only("From", "caller<sip:src@a.example>;tag=f{m}"), status: 200},
		{name: "long values", fields: map[string]string{
			"From":    "\"" + long + "\" <sip:" + long + "@a.example;" + long + "=" + long + ">;" + long + "=" + long + ";tag=f{m}",
			"Call-ID": long + "{m}",
		}, add: "Unknown-" + long + ": " + long + "\r\n", status: 200},
		{name: "many Via, one of them odd", add: "Via: SIP/2.0/SCTP p1.example;branch=z9hG4bKa, SIP/2.0/UNKNOWN p2.example:5061;x=\"y,z\"\r\nVia: nonsense\r\n", status: 200},
		{name: "semicolons and user parameters", start: "INVITE sip:user;par=u%40example.net@b.example SIP/2.0", status: 200},
		{name: "no parameters behind the semicolon", fields: only("Contact", "<sip:src@{address}>;;+sip.src;"), status: 200},
		{name: "UTF-8 in the display name", fields: only("From", "\"Ünïcödé 日本\" <sip:src@a.example>;tag=f{m}"), status: 200},
		{name: "Latin-1 in the display name", fields: only("From", "\"Gr\xfc\xdfe\" <sip:src@a.example>;tag=f{m}"), status: 200},
		{name: "bare Latin-1 display name", fields: only("From", "Gr\xfc\xdfe Gott <sip:src@a.example>;tag=f{m}"), status: 200},
		{name: "numbers of four octets", fields: only("CSeq", "2147483600 INVITE"), status: 200},
		{name: "leading zeros", fields: only("CSeq", "0000000000000000007 INVITE"), status: 200},
		{name: "blanks at the end of each line", mend: func(m string) string {
			head, body, _ := strings.Cut(m, "\r\n\r\n")
			return strings.ReplaceAll(head, "\r\n", "  \t\r\n") + "\r\n\r\n" + body
		}, status: 200},
		{name: "several blanks in the request line", start: "INVITE  sip:srs@b.example  SIP/2.0", status: 200},
		{name: "blank at the end of the request line", start: "INVITE sip:srs@b.example SIP/2.0  ", status: 200},
		{name: "version in lower case", start: "INVITE sip:srs@b.example sip/2.0", status: 200},
		{name: "angle brackets around the Request-URI", start: "INVITE <sip:srs@b.example> SIP/2.0", status: 200},
		{name: "header fields escaped in the Request-URI", start: "INVITE sip:srs@b.example?Route=%3Csip:x.example%3E SIP/2.0", status: 200},
		{name: "tel Request-URI", start: "INVITE tel:+1-555-0101;phone-context=x SIP/2.0", status: 200},
		{name: "unknown schemes in From and To", fields: map[string]string{"From": "<http://a.example/who>;tag=f{m}", "To": "<isbn:2983792873>"}, status: 200},
		{name: "addresses without angle brackets", fields: map[string]string{"From": "sip:src@a.example;tag=f{m}", "To": "sip:srs@b.example"}, status: 200},
		{name: "date in a time zone that is none", add: "Date: Fri, 01 Jan 2010 16:00:00 EST\r\n", status: 200},
		{name: "date that is none", add: "Date: yesterday\r\nRetry-After: -1\r\nExpires: 99999999999999999999\r\n", status: 200},
		{name: "unknown scheme of authorization", add: "Authorization: NoOneKnows opaque=\"\x7f\"\r\n", status: 200},
		{name: "header fields nobody knows", add: "X:\r\nY;Z: 1\r\nNotAHeader\r\n: nameless\r\nNewFangled: a;,\"b;;,;\r\n continued\r\n", status: 200},
		{name: "Max-Forwards 0", fields: only("Max-Forwards", "0"), status: 200},
		{name: "Max-Forwards -1", fields: only("Max-Forwards", "-1"), status: 200},
		{name: "Max-Forwards 300", fields: only("Max-Forwards", "300"), status: 200},
		{name: "Max-Forwards in words", fields: only("Max-Forwards", "seventy"), status: 200},
		{name: "no Max-Forwards", fields: only("Max-Forwards", ""), status: 200},
		{name: "branch of nothing but its cookie", fields: only("Via", "SIP/2.0/{via};branch=z9hG4bK;rport;x={m}"), status: 200},
		{name: "no branch, as RFC 2543", fields: map[string]string{"Via": "SIP/2.0/{via};rport", "Max-Forwards": ""}, status: 200},
		{name: "no tag, as RFC 2543", fields: only("From", "<sip:src@{m}.example>"), status: 200},
		{name: "blanks in an address", fields: only("To", "\"S\" < sip:srs@b.example >"), status: 200},
		{name: "comma in a bare display name", fields: only("From", "Src, Last <sip:src@a.example>;tag=f{m}"), status: 200},
		{name: "quote that does not end", fields: only("To", "\"Mr. S <sip:srs@b.example>"), status: 200},
		{name: "Contact without its bracket", fields: only("Contact", "<sip:src@{address};+sip.src"), status: 200},
		{name: "Contact that is an address with a query", fields: only("Contact", "sip:src@{address}?Route=%3Csip:x%3E;+sip.src"), status: 200},
		{name: "Route with a port that is none", add: "Route: <sip:b.example:port;lr>\r\n", status: 200},
		{name: "repeated fields with the same value", add: "Call-ID: {m}@a.example\r\nCSeq: 7 INVITE\r\n", status: 200},
		{name: "repeated equal Content-Length", mend: replaced("Content-Length: ", fmt.Sprintf("l: %d\r\nContent-Length: ", len(bareSDP))), status: 200},
		{name: "bare LF", mend: func(m string) string {
			head, body, _ := strings.Cut(m, "\r\n\r\n")
			return strings.ReplaceAll(head, "\r\n", "\n") + "\n\n" + body
		}, status: 200},
		{name: "control characters", add: "Subject: a\x01b\x00c\rd\r\n", status: 200},
		{name: "blank lines before it", mend: func(m string) string { return "\r\n\r\n\r\n\n" + m }, status: 200},
		{name: "multipart with a part of NULs", fields: multipart, body: offer + part("Content-Type: application/octet-stream\r\n", "\x00\x01\xff\x00") + "--b--\r\n", status: 200},
		{name: "multipart with preamble and epilogue", fields: multipart, body: "preamble\x00\r\n" + offer + "--b--\r\nepilogue", status: 200},
		{name: "multipart without its end", fields: multipart, body: offer, status: 200},
		{name: "body of NULs", fields: only("Content-Type", "application/octet-stream"), body: strings.Repeat("\x00", 64), status: 415},
		{name: "Content-Type unknown", fields: only("Content-Type", "application/unheard-of;x=\"y"), status: 415},
		{name: "Require unknown", fields: only("Require", "siprec, nothing-supports-this"), add: "Require: nor-this\r\nProxy-Require: nor-that\r\n", status: 420},
		{name: "body encoded", add: "Content-Encoding: gzip\r\n", status: 415},
		{name: "SDP of octets", body: "\xff\xfe\x00nonsense", status: 400},

		// RFC 4475 §3.1.2, §3.3: invalid; one answer says so.
		{name: "separators without values", fields: map[string]string{"From": "", "To": ";;,;,,"}, add: "From: <sip:src@a.example>;tag=f{m}\r\n", status: 400},
		{name: "Content-Length above the body", fields: only("Content-Length", "9999"), status: 400, datagram: true},
		{name: "Content-Length negative", fields: only("Content-Length", "-999"), status: 400},
		{name: "Content-Length in words", fields: only("Content-Length", "all of it"), status: 400},
		{name: "Content-Length huge", fields: only("Content-Length", "99999999999999999999"), status: 400},
		{name: "Content-Length twice", add: "Content-Length: 0\r\n", status: 400},
		{name: "CSeq negative", fields: only("CSeq", "-7 INVITE"), status: 400},
		{name: "CSeq huge", fields: only("CSeq", "36893488147419103232 INVITE"), status: 400},
		{name: "CSeq above 2^31", fields: only("CSeq", "2147483648 INVITE"), status: 400},
		{name: "CSeq without a number", fields: only("CSeq", "INVITE"), status: 400},
		{name: "CSeq of another method", fields: only("CSeq", "7 OPTIONS"), status: 400},
		{name: "CSeq of another case", fields: only("CSeq", "7 invite"), status: 400},
		{name: "unknown method, CSeq of another", start: "NEWMETHOD sip:srs@b.example SIP/2.0", fields: only("CSeq", "8 INVITE"), status: 400},
		{name: "no From", fields: only("From", ""), status: 400},
		{name: "no To", fields: only("To", ""), status: 400},
		{name: "no Call-ID", fields: only("Call-ID", ""), status: 400},
		{name: "no CSeq", fields: only("CSeq", ""), status: 400},
		{name: "no Via", fields: only("Via", ""), status: 400},
		{name: "empty Via", fields: only("Via", ","), status: 400},
		{name: "Via of nothing known", fields: only("Via", "mail from me"), status: 400},
		{name: "two From", add: "From: <sip:other@a.example>;tag=2\r\n", status: 400},
		{name: "two To", add: "To: <sip:other@a.example>\r\n", status: 400},
		{name: "two Call-ID", add: "Call-ID: other{m}\r\n", status: 400},
		{name: "two CSeq", add: "CSeq: 8 INVITE\r\n", status: 400},
		{name: "blank within the Request-URI", start: "INVITE sip:srs@b.example; lr SIP/2.0", status: 200},
		{name: "Request-URI without a scheme", start: "INVITE srs@b.example SIP/2.0", status: 400},
		{name: "Request-URI without a host", start: "INVITE sip: SIP/2.0", status: 400},
		{name: "Request-URI of unknown scheme", start: "INVITE nobodyknows:totallyopaque SIP/2.0", status: 416},
		{name: "Request-URI of another protocol", start: "INVITE soap.beep://192.0.2.103:3002 SIP/2.0", status: 416},
		{name: "version 7.0", start: "INVITE sip:srs@b.example SIP/7.0", status: 505},
		{name: "5,000 header fields", add: strings.Repeat("X: y\r\n", 5000), status: 400},
		{name: "5,000 values in a list", fields: only("Contact", "<sip:src@{address}>"+strings.Repeat(",<sip:a@b>", 5000)), status: 400},
		{name: "response of a code that is none", start: "SIP/2.0 4294967301 better not break the receiver", status: 0},
		{name: "response nobody waits for", start: "SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \x01", status: 0},
		{name: "response without a reason phrase", start: "SIP/2.0 100 ", status: 0},
		{name: "response without a blank", start: "SIP/2.0 100", status: 0},
	}
	for _, m := range []struct {
		method string
		status int
	}{
		{"!interesting-Method0123456789_*+`.%indeed'~", 405},
		{"RE%47IST%45R", 405}, {"REGISTER", 405}, {"MESSAGE", 405}, {"SUBSCRIBE", 405}, {"invite", 405},
		{"BYE", 481}, {"CANCEL", 481}, {"OPTIONS", 200}, {"ACK", 0},
	} {
		c := torture{name: "method " + m.method, status: m.status}
		c.start, c.fields = requested(m.method)
		list = append(list, c)
	}
	return list
}

// TestTorture sends one message of each class to a server, over UDP and over one TCP
// connection that has to outlive all of them. What is valid, however odd, opens a
// recording session that can be ended; what is not gets its status, and a Warning.
// Shows 4475-3-01, 3261-21.4.1-01.
func TestTorture(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			t.Parallel()
			p := newTormentor(t, network)
			for i, c := range tortures() {
				if network == "udp" || !c.datagram {
					p.torment(c, fmt.Sprintf("m%dm", i))
				}
			}
		})
	}
}

// A tormentor sends what it likes and reads what comes.
type tormentor struct {
	*testing.T
	*bareSRC
	network string
	sent    int
}

func newTormentor(t *testing.T, network string) *tormentor {
	t.Helper()
	return &tormentor{T: t, bareSRC: newBareSRC(t, network, serveEmpty(t, network).Endpoints()[0].Address, 0), network: network}
}

// torment sends one message, and then an OPTIONS that has to be answered whatever
// became of it.
func (p *tormentor) torment(c torture, marker string) {
	p.Helper()
	via, address := strings.ToUpper(p.network), p.conn.LocalAddr().String()
	want := c.status
	p.write(c.text(marker, via, address))
	probe := torture{}
	probe.start, probe.fields = requested("OPTIONS")
	p.write(probe.text("probe"+marker, via, address))
	answer := ""
	for probed := false; !probed || (answer == "" && want != 0); {
		switch m := p.read(c.name); {
		case strings.HasPrefix(m, "SIP/2.0 1"):
		case strings.Contains(m, "probe"+marker):
			probed = true
			if !strings.HasPrefix(m, "SIP/2.0 200") {
				p.Fatalf("%s: OPTIONS behind it answered\n%s", c.name, m)
			}
		case strings.Contains(m, marker):
			answer = m
		}
	}
	switch {
	case want == 0 && answer != "":
		p.Errorf("%s: answered\n%s", c.name, answer)
	case want == 0:
	case !strings.HasPrefix(answer, fmt.Sprintf("SIP/2.0 %d ", want)):
		p.Errorf("%s: want %d, answered\n%s", c.name, want, answer)
	case want >= 300 && !strings.Contains(answer, "\r\nWarning: 399 "):
		p.Errorf("%s: no Warning in\n%s", c.name, answer)
	}
	if strings.HasPrefix(answer, "SIP/2.0 ") && strings.HasSuffix(field(answer, "CSeq"), "INVITE") {
		p.settle(answer, c.name)
	}
}

// settle acknowledges the answer to an INVITE, and ends the recording session that
// it opened.
func (p *tormentor) settle(answer, name string) {
	p.Helper()
	number, _, _ := strings.Cut(field(answer, "CSeq"), " ")
	n, err := strconv.Atoi(number)
	if err != nil {
		return // what was refused had no number to be acknowledged
	}
	in := func(method string, n int) string {
		return fmt.Sprintf("%s sip:srs@b.example SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s%d;rport\r\nMax-Forwards: 70\r\n"+
			"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %d %s\r\nContent-Length: 0\r\n\r\n", method, strings.ToUpper(p.network),
			p.conn.LocalAddr(), method, p.sent, field(answer, "From"), field(answer, "To"), field(answer, "Call-ID"), n, method)
	}
	if !strings.HasPrefix(answer, "SIP/2.0 200") {
		return // the transaction ends by itself, as that of an SRC that is gone
	}
	p.write(in("ACK", n))
	p.write(in("BYE", n+1))
	for {
		m := p.read(name)
		if strings.HasSuffix(field(m, "CSeq"), "BYE") {
			if !strings.HasPrefix(m, "SIP/2.0 200") {
				p.Errorf("%s: BYE answered\n%s", name, m)
			}
			return
		}
	}
}

func (p *tormentor) write(m string) {
	p.Helper()
	p.sent++
	if _, err := p.conn.Write([]byte(m)); err != nil {
		p.Fatal(err)
	}
}

// read is the next message that is not a keep-alive.
func (p *tormentor) read(name string) string {
	p.Helper()
	if err := p.conn.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		p.Fatal(err)
	}
	for {
		m, err := p.next()
		if err != nil {
			p.Fatalf("%s: no answer: %v", name, err)
		}
		if m = strings.TrimLeft(m, "\r\n"); m != "" {
			return m
		}
	}
}
