package front

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
)

var source = netip.MustParseAddrPort("192.0.2.20:5070")

// TestRepair shows which slips are repaired, and what the result says.
// Shows 3261-7.3.1-01, 3261-7.3.3-01, 3261-8.1.1.6-01.
func TestRepair(t *testing.T) {
	tests := []struct {
		name   string
		wire   wire
		header string // to look at, with want as its value
		want   string
		odd    string // expected among the oddities; "" for none at all
	}{
		{"nothing to repair", wire{}, "Call-ID", callID, ""},
		{"bare LF", wire{eol: "\n"}, "Call-ID", callID, "bare LF"},
		{"compact names", wire{fields: []string{"k: timer, 100rel"}}, "Supported", "timer, 100rel", ""},
		{"compact x", wire{fields: []string{"x: 1800;refresher=uac"}}, "Session-Expires", "1800;refresher=uac", ""},
		{"compact u", wire{fields: []string{"u: dialog"}}, "Allow-Events", "dialog", ""},
		{"compact o", wire{fields: []string{"o: dialog"}}, "Event", "dialog", ""},
		{"compact s", wire{fields: []string{"s: recording"}}, "Subject", "recording", ""},
		{"compact y", wire{fields: []string{"y: abc"}}, "Identity", "abc", ""},
		{"compact upper case", wire{fields: []string{"K: timer"}}, "Supported", "timer", ""},
		{"all compact", wire{without: "From", fields: []string{"f: sip:a@src.example.com;tag=9"}}, "From", "<sip:a@src.example.com>;tag=9", ""},
		{"folded line", wire{fields: []string{"Subject: one\r\n two\r\n\t three"}}, "Subject", "one two three", ""},
		{"folded before the value", wire{without: "To", fields: []string{"To:\r\n <sip:srs@rec.example.com>"}}, "To", "<sip:srs@rec.example.com>", ""},
		{"empty value kept", wire{fields: []string{"Recv-Info:"}}, "Recv-Info", "", ""},
		{"blank before the colon", wire{fields: []string{"Subject \t: x"}}, "Subject", "x", ""},
		{"no colon", wire{fields: []string{"what is this"}}, "Call-ID", callID, "line that is not a header field dropped"},
		{"empty name", wire{fields: []string{": what"}}, "Call-ID", callID, "line that is not a header field dropped"},
		{"blanks at line end", wire{fields: []string{"Subject: x \t "}}, "Subject", "x", ""},
		{"control character", wire{fields: []string{"Subject: a\x00b"}}, "Subject", "a b", "control character in the header section"},
		{"version in lower case", wire{start: "OPTIONS sip:srs@rec.example.com sip/2.0"}, "Call-ID", callID, "SIP version not in upper case"},
		{"blanks in the request line", wire{start: "OPTIONS  sip:srs@rec.example.com   SIP/2.0 "}, "Call-ID", callID, ""},
		{"brackets in the request line", wire{start: "OPTIONS <sip:srs@rec.example.com> SIP/2.0"}, "Call-ID", callID, "angle brackets around the Request-URI"},
		{"blank in the Request-URI", wire{start: "OPTIONS sip:srs@rec.example.com; lr SIP/2.0"}, "Call-ID", callID, "Request-URI: blank in a URI"},
		{"Contact without >", wire{without: "Contact", fields: []string{"Contact: <sip:192.0.2.20:5070;+sip.src"}}, "Contact", "<sip:192.0.2.20:5070>;+sip.src", "Contact: no > after a URI"},
		{"Contact without colon", wire{without: "Contact", fields: []string{"Contact: <sip192.0.2.20:5070>;+sip.src"}}, "Contact", "<sip:192.0.2.20:5070>;+sip.src", "Contact: URI without a scheme"},
		{"Contact beyond repair", wire{without: "Contact", fields: []string{"Contact: <>"}}, "Contact", "<>", "Contact cannot be read"},
		{"empty elements", wire{fields: []string{"Route: , <sip:p.example.com;lr>,,"}}, "Route", "<sip:p.example.com;lr>", ""},
		{"Route with a bad port", wire{fields: []string{"Route: <sip:proxy.example.com:port;lr>"}}, "Route", "<sip:proxy.example.com:port;lr>", "Route cannot be read"},
		{"Record-Route keeps its parameters", wire{fields: []string{"Record-Route: <sip:p.example.com;lr>;x=1"}}, "Record-Route", "<sip:p.example.com;lr>;x=1", ""},
		{"bad Max-Forwards", wire{without: "Max-Forwards", fields: []string{"Max-Forwards: many"}}, "Max-Forwards", "many", "Max-Forwards cannot be read"},
		{"bad Refer-To", wire{fields: []string{"Refer-To: <"}}, "Refer-To", "<", "Refer-To cannot be read"},
		{"empty Content-Type", wire{fields: []string{"Content-Type:"}}, "Content-Type", "", "empty Content-Type"},
		{"From without >", wire{without: "From", fields: []string{"From: <sip:a@src.example.com;tag=9"}}, "From", "<sip:a@src.example.com>;tag=9", "From: no > after a URI"},
		{"blanks within brackets", wire{without: "To", fields: []string{`To: "Watt, T." < sip:t@rec.example.com >`}}, "To", `"Watt, T." <sip:t@rec.example.com>`, ""},
		{"display name with a comma", wire{without: "From", fields: []string{"From: Watt, Tom <sip:t@src.example.com>;tag=9"}}, "From", `"Watt, Tom" <sip:t@src.example.com>;tag=9`, "From: comma"},
		{"display name with one quote", wire{without: "From", fields: []string{`From: "Tom <sip:t@src.example.com>;tag=9`}}, "From", `"Tom" <sip:t@src.example.com>;tag=9`, "From: unbalanced quote in a display name"},
		{"escaped quote in the display name", wire{without: "From", fields: []string{`From: "a \"b\" <c>" <sip:t@src.example.com>;tag=9`}}, "From", `"a \"b\" <c>" <sip:t@src.example.com>;tag=9`, ""},
		{"To without scheme", wire{without: "To", fields: []string{"To: <srs@rec.example.com>"}}, "To", "<sip:srs@rec.example.com>", "To: URI without a scheme"},
		{"To with a foreign scheme", wire{without: "To", fields: []string{"To: isbn:2983792873"}}, "To", "<isbn:2983792873>", ""},
		{"IPv6 without brackets", wire{without: "To", fields: []string{"To: <sip:srs@2001:db8::9;x=1>"}}, "To", "<sip:srs@[2001:db8::9];x=1>", "To: IPv6 address without brackets"},
		{"parameter nobody knows", wire{without: "Contact", fields: []string{"Contact: <sip:r@192.0.2.20;tranport=TCP>"}}, "Contact", "<sip:r@192.0.2.20;tranport=TCP>", ""},
		{"Via with blanks", wire{without: "Via", fields: []string{"Via: SIP / 2.0 / UDP  192.0.2.20 : 5070 ;branch = z9hG4bKx"}}, "Via", "SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bKx", ""},
		{"Via with IPv6", wire{without: "Via", fields: []string{"Via: SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bKx"}}, "Via", "SIP/2.0/TCP [2001:db8::9]:5070;branch=z9hG4bKx", ""},
		{"Via with IPv6 without brackets", wire{without: "Via", fields: []string{"Via: SIP/2.0/TCP 2001:db8:1:2:3:4:5:6:5070;branch=z9hG4bKx"}}, "Via", "SIP/2.0/TCP [2001:db8:1:2:3:4:5:6]:5070;branch=z9hG4bKx", ""},
		{"two Vias on one line", wire{without: "Via", fields: []string{"v: SIP/2.0/UDP a.example.com;branch=z9hG4bK1;x=\"a,b\",SIP/2.0/UDP b.example.com"}}, "Via", "SIP/2.0/UDP a.example.com;branch=z9hG4bK1;x=\"a,b\"", ""},
		{"lower Via unreadable", wire{fields: []string{"Via: nonsense"}}, "Call-ID", callID, "unreadable Via below the top one"},
		{"CSeq without a blank", wire{without: "CSeq", fields: []string{"CSeq: 8OPTIONS"}}, "CSeq", "8 OPTIONS", ""},
		{"Call-ID repeated", wire{fields: []string{"i: " + callID}}, "Call-ID", callID, "Call-ID repeated"},
		{"Content-Length twice the same", wire{fields: []string{"Content-Length: 0", "l: 0"}}, "Content-Length", "0", ""},
		{"method with odd characters", wire{start: "!odd-Method_*+`.%'~ sip:srs@rec.example.com SIP/2.0"}, "CSeq", "7 !odd-Method_*+`.%'~", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p, h, flt := read(t, tt.wire.String())
			if flt != nil {
				t.Fatalf("refused: %d %s", flt.status, flt.text)
			}
			hs := p.request.GetHeaders(tt.header)
			if len(hs) == 0 || hs[0].Value() != tt.want {
				t.Errorf("%s = %v, want %q", tt.header, hs, tt.want)
			}
			if tt.odd == "" && len(h.oddities) > 0 {
				t.Errorf("oddities %q, want none", h.oddities)
			}
			if tt.odd != "" && !slices.Contains(h.oddities, tt.odd) {
				t.Errorf("oddities %q, want %q", h.oddities, tt.odd)
			}
		})
	}
}

// TestRefuse shows for each class what is answered, and that the answer leads
// back to the request.
// Shows 3261-8.1.1.5-01, 3261-21.4.1-01.
func TestRefuse(t *testing.T) {
	many := make([]string, 5000)
	for i := range many {
		many[i] = "X: y"
	}
	tests := []struct {
		name   string
		wire   wire
		status int
		text   string
	}{
		{"missing Call-ID", wire{without: "Call-ID"}, 400, "no Call-ID"},
		{"missing From", wire{without: "From"}, 400, "no From"},
		{"missing To", wire{without: "To"}, 400, "no To"},
		{"missing CSeq", wire{without: "CSeq"}, 400, "no CSeq"},
		{"missing Via", wire{without: "Via"}, 400, "no Via"},
		{"bad Via", wire{without: "Via", fields: []string{"Via: SIP/2.0/UDP"}}, 400, "bad Via"},
		{"empty From", wire{without: "From", fields: []string{"From:"}}, 400, "empty From"},
		{"From beyond repair", wire{without: "From", fields: []string{"From: <<>>"}}, 400, "bad From"},
		{"From is *", wire{without: "From", fields: []string{"From: *"}}, 400, "bad From"},
		{"CSeq garbage", wire{without: "CSeq", fields: []string{"CSeq: OPTIONS 7"}}, 400, "bad CSeq"},
		{"CSeq too large", wire{without: "CSeq", fields: []string{"CSeq: 36893488147419103232 OPTIONS"}}, 400, "bad CSeq"},
		{"CSeq of 2^31", wire{without: "CSeq", fields: []string{"CSeq: 2147483648 OPTIONS"}}, 400, "bad CSeq"},
		{"CSeq of another method", wire{without: "CSeq", fields: []string{"CSeq: 7 INVITE"}}, 400, "CSeq method differs from the request's"},
		{"two Call-IDs", wire{fields: []string{"Call-ID: another"}}, 400, "more than one Call-ID"},
		{"5000 header fields", wire{fields: many}, 400, "too many header fields"},
		{"5000 header fields in a list", wire{fields: []string{"Route: " + strings.Repeat("<sip:p.example.com;lr>,", 5000)}}, 400, "too many header fields"},
		{"body too short", wire{fields: []string{"Content-Length: 9"}}, 400, "body shorter than Content-Length"},
		{"negative length", wire{fields: []string{"Content-Length: -9"}}, 400, "bad Content-Length"},
		{"two lengths", wire{fields: []string{"Content-Length: 0", "Content-Length: 3"}}, 400, "conflicting Content-Length"},
		{"two lengths in a list", wire{fields: []string{"Content-Length: 0, 3"}}, 400, "conflicting Content-Length"},
		{"SIP 7.0", wire{start: "OPTIONS sip:srs@rec.example.com SIP/7.0"}, 505, "only SIP/2.0 is spoken"},
		{"http URI", wire{start: "OPTIONS http://rec.example.com/ SIP/2.0"}, 416, "only sip, sips and tel URIs are understood"},
		{"no URI", wire{start: "OPTIONS SIP/2.0"}, 400, "bad request line"},
		{"no host", wire{start: "OPTIONS sip: SIP/2.0"}, 400, "bad Request-URI"},
		{"bad port", wire{start: "OPTIONS sip:srs@rec.example.com:port SIP/2.0"}, 400, "bad Request-URI"},
		{"not a URI", wire{start: "OPTIONS rec.example.com SIP/2.0"}, 400, "bad Request-URI"},
		{"no version", wire{start: "OPTIONS sip:srs@rec.example.com"}, 400, "bad request line"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, h, flt := read(t, tt.wire.String())
			if flt == nil {
				t.Fatal("not refused")
			}
			if flt.status != tt.status || flt.text != tt.text {
				t.Errorf("fault %d %q, want %d %q", flt.status, flt.text, tt.status, tt.text)
			}
			b, _, ok := refusal(h, flt, source)
			if !ok {
				t.Fatal("silence")
			}
			res := mustParseResponse(t, b)
			if res.StatusCode != tt.status {
				t.Errorf("status %d, want %d", res.StatusCode, tt.status)
			}
			if want := `399 siprecd "` + tt.text + `"`; Header(res, "Warning") != want {
				t.Errorf("Warning %s, want %s", Header(res, "Warning"), want)
			}
			if !strings.Contains(tt.name, "Call-ID") && (res.CallID() == nil || res.CallID().Value() != callID) {
				t.Errorf("Call-ID %v, want %s", res.CallID(), callID)
			}
			if to := res.To(); !strings.Contains(tt.name, "To") && (to == nil || !to.Params.Has("tag")) {
				t.Errorf("To without a tag: %v", to)
			}
		})
	}
}

func TestRefusalOfRetransmissionHasTheSameTag(t *testing.T) {
	text := wire{without: "Call-ID"}.String()
	_, h, flt := read(t, text)
	first, _, _ := refusal(h, flt, source)
	_, h, flt = read(t, text)
	second, _, _ := refusal(h, flt, source)
	if string(first) != string(second) {
		t.Errorf("%s\n%s", first, second)
	}
}

// TestNeverAnswered is about what must stay without an answer.
func TestNeverAnswered(t *testing.T) {
	tests := []struct {
		name string
		text string
	}{
		{"ACK", wire{start: "ACK sip:srs@rec.example.com SIP/2.0", without: "Call-ID"}.String()},
		{"ACK by its CSeq", wire{start: "OPTIONS sip:srs@rec.example.com SIP/2.0", without: "CSeq", fields: []string{"CSeq: 7 ACK"}}.String()},
		{"response", wire{start: "SIP/2.0 200 OK", without: "CSeq"}.String()},
		{"response with a large code", wire{start: "SIP/2.0 4294967301 better not", without: "CSeq"}.String()},
		{"binary", "\x80\x12\xfe\xff\x00\x01garbage\xff\n\xfe"},
		{"text", "hello\r\n\r\n"},
		{"only a From", "hello\r\nFrom: <sip:a@b.example.com>\r\n\r\n"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, h, flt := read(t, tt.text)
			if flt == nil {
				t.Fatal("not refused")
			}
			if b, _, ok := refusal(h, flt, source); ok {
				t.Errorf("answered with %s", b)
			}
		})
	}
}

func TestRefusalWithoutVia(t *testing.T) {
	_, h, flt := read(t, wire{without: "Via"}.String())
	_, via, ok := refusal(h, flt, source)
	if !ok || via != nil {
		t.Fatalf("via %v, ok %v; want an answer without Via", via, ok)
	}
}

// TestRefusalCannotBeSplit: nothing that is copied into a response ends a line.
func TestRefusalCannotBeSplit(t *testing.T) {
	_, h, flt := read(t, wire{without: "From", fields: []string{"From: <<\rInjected: 1\x00\r\r\n Folded: 2"}}.String())
	b, _, ok := refusal(h, flt, source)
	if !ok {
		t.Fatal("silence")
	}
	res := mustParseResponse(t, b)
	if from := strings.Join(strings.Fields(Header(res, "From")), " "); from != "<< Injected: 1 Folded: 2" {
		t.Errorf("From %q", from)
	}
	if n := strings.Count(string(b), "\r"); n != strings.Count(string(b), "\r\n") {
		t.Errorf("bare CR in %q", b)
	}
}

func TestDatagram(t *testing.T) {
	sdp := "v=0\no=- 1 1 IN IP4 192.0.2.20\n"
	tests := []struct {
		name string
		text string
		body string
	}{
		{"exact", wire{body: sdp, fields: []string{"Content-Type: application/sdp"}}.String(), sdp},
		{"more than announced", wire{body: sdp, fields: []string{"Content-Length: 3"}}.String(), sdp[:3]},
		{"no Content-Length", strings.Replace(wire{body: sdp}.String(), "Content-Length:", "X-Length:", 1), sdp},
		{"empty Content-Length", wire{body: sdp, fields: []string{"Content-Length:"}}.String(), sdp},
		{"CRLF before", "\r\n\r\n" + wire{body: sdp}.String(), sdp},
		{"no empty line", strings.TrimSuffix(wire{}.String(), "\r\n\r\n"), ""},
		{"LF in the body stays", wire{body: "a\nb\r\nc\x00d", eol: "\n"}.String(), "a\nb\r\nc\x00d"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := mustParseRequest(t, tt.text)
			if string(req.Body()) != tt.body {
				t.Errorf("body %q, want %q", req.Body(), tt.body)
			}
			if int(*req.ContentLength()) != len(tt.body) {
				t.Errorf("Content-Length %d, want %d", *req.ContentLength(), len(tt.body))
			}
		})
	}
}

func TestKeepAliveDatagrams(t *testing.T) {
	for _, s := range []string{"", "\r\n", "\r\n\r\n", "\x00\x00\x00\x00", "\x00\x01\x00\x08\x21\x12\xa4\x42", " \t"} {
		if _, _, _, ok := frameDatagram([]byte(s), limits()); ok {
			t.Errorf("%q taken for a message", s)
		}
	}
}

func TestCompleteVia(t *testing.T) {
	tests := []struct{ name, via, source, want string }{
		{"as sent", "SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bK1", "192.0.2.20:5070", "SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bK1"},
		{"rport", "SIP/2.0/UDP 192.0.2.20:5070;rport;branch=z9hG4bK1", "192.0.2.20:6000", "SIP/2.0/UDP 192.0.2.20:5070;rport=6000;branch=z9hG4bK1;received=192.0.2.20"},
		{"another address", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1", "192.0.2.20:5070", "SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK1;received=192.0.2.20"},
		{"a name", "SIP/2.0/UDP src.example.com;branch=z9hG4bK1", "192.0.2.20:5070", "SIP/2.0/UDP src.example.com;branch=z9hG4bK1;received=192.0.2.20"},
		{"untrue received", "SIP/2.0/UDP 192.0.2.20;received=198.51.100.1;rport=1", "192.0.2.20:5070", "SIP/2.0/UDP 192.0.2.20;received=192.0.2.20;rport=5070"},
		{"received that lies", "SIP/2.0/UDP 192.0.2.20;received=198.51.100.1", "192.0.2.20:5070", "SIP/2.0/UDP 192.0.2.20"},
		{"IPv6", "SIP/2.0/UDP [2001:db8::1]:5070;rport", "[2001:db8::2]:5071", "SIP/2.0/UDP [2001:db8::1]:5070;rport=5071;received=2001:db8::2"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			v, err := parseVia(tt.via)
			if err != nil {
				t.Fatal(err)
			}
			completeVia(v, netip.MustParseAddrPort(tt.source))
			if v.Value() != tt.want {
				t.Errorf("%s, want %s", v.Value(), tt.want)
			}
		})
	}
}
