package src

import (
	"bufio"
	"bytes"
	"strings"
	"testing"
)

const folded = "SIP/2.0 200 OK\r\nv: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKa1;rport, SIP/2.0/TCP 192.0.2.2;branch=b\r\n" +
	"CSeq: 7 INVITE\r\nSubject: one\r\n two\r\nm: \"A, <b>\" <sip:x@h;+sip.srs>;+sip.src=\"TRUE\", <sip:y@h>\r\n" +
	"Allow: INVITE, ACK\r\nAllow: BYE\r\nl: 3\r\n\r\nabcdef"

func TestParse(t *testing.T) {
	m, err := Parse([]byte(folded))
	if err != nil {
		t.Fatal(err)
	}
	if m.Status != 200 || m.Reason != "OK" || string(m.Body) != "abc" {
		t.Errorf("status %d %q, body %q", m.Status, m.Reason, m.Body)
	}
	if m.Branch() != "z9hG4bKa1" || m.Get("subject") != "one two" {
		t.Errorf("branch %q, subject %q", m.Branch(), m.Get("Subject"))
	}
	if n, method := m.CSeq(); n != 7 || method != "INVITE" {
		t.Errorf("CSeq %d %s", n, method)
	}
	if !m.Lists("Allow", "bye") || m.Lists("Allow", "INFO") {
		t.Errorf("Allow %v", m.List("Allow"))
	}
	if got := m.List("Contact"); len(got) != 2 {
		t.Fatalf("Contact %q", got)
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"no end of header": "SIP/2.0 200 OK\r\nVia: x\r\n",
		"no start line":    "\r\n\r\n",
		"bad status":       "SIP/2.0 99 No\r\n\r\n",
		"bad version":      "INVITE sip:x SIP/3.0\r\n\r\n",
		"no colon":         "BYE sip:x SIP/2.0\r\nVia\r\n\r\n",
		"body too short":   "BYE sip:x SIP/2.0\r\nl: 9\r\n\r\nx",
		"negative length":  "BYE sip:x SIP/2.0\r\nl: -1\r\n\r\nx",
	} {
		if _, err := Parse([]byte(text)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func TestFeatureTagsBelongToTheirSide(t *testing.T) {
	for _, c := range []struct {
		value    string
		srs, src bool
	}{
		{`<sip:x@h>;+sip.srs`, true, false},
		{`<sip:x@h>;+SIP.SRS="true"`, true, false},
		{`<sip:x@h;+sip.srs>`, false, false},
		{`<sip:x@h>;+sip.srs="FALSE"`, false, false},
		{`sip:x@h;+sip.srs;+sip.src`, true, true},
		{`"+sip.srs" <sip:x@h>;expires=3`, false, false},
	} {
		a, err := ParseAddr(c.value)
		if err != nil || a.Feature("+sip.srs") != c.srs || a.Feature("+sip.src") != c.src {
			t.Errorf("%s: %+v, %v", c.value, a, err)
		}
	}
	for _, bad := range []string{"", "<sip:x", "<sip:x>y"} {
		if _, err := ParseAddr(bad); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestParseSDP(t *testing.T) {
	d, err := ParseSDP([]byte("v=0\no=- 5 6 IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.1/127\na=inactive\nm=audio 4000/2 RTP/AVP 0 8\n" +
		"a=label:x y\nm=video 0 RTP/AVP 99\nc=IN IP6 2001:db8::1\na=recvonly\na=rtcp-mux\n"))
	if err != nil {
		t.Fatal(err)
	}
	if d.OriginID != "5" || d.Version != 6 || len(d.Media) != 2 {
		t.Fatalf("%+v", d)
	}
	if d.DirectionOf(0) != Inactive || d.DirectionOf(1) != RecvOnly || d.Media[0].Label != "x y" {
		t.Errorf("%+v", d.Media)
	}
	if d.AddressOf(0).String() != "192.0.2.1:4000" || d.AddressOf(1).IsValid() {
		t.Errorf("addresses %v, %v", d.AddressOf(0), d.AddressOf(1))
	}
	if _, mux := d.Media[1].Attribute("rtcp-mux"); !mux {
		t.Error("rtcp-mux is not found")
	}
	for _, bad := range []string{"", "hello", "o=- 1 2\n", "m=audio x RTP/AVP\n", "m=audio 70000 RTP/AVP 0\n", "c=IN IP4\n"} {
		if _, err := ParseSDP([]byte(bad)); err == nil {
			t.Errorf("%q: no error", bad)
		}
	}
}

func TestPartsComeBack(t *testing.T) {
	sdp, xml := []byte("v=0\r\n"), []byte("<recording/>")
	for name, q := range map[string]Quirks{
		"plain": {}, "metadata first": {MetadataFirst: true}, "no closing delimiter": {NoClosingDelimiter: true},
		"bare LF": {LF: true}, "quoted": {QuotedBoundary: true, Boundary: "a b'c"}, "preamble": {Preamble: "skip me"},
		"folded and compact": {Folded: true, Compact: true}, "no disposition": {NoDisposition: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := Request{Metadata: xml, Quirks: q}
			c := r.content(sdp)
			m, err := Parse(serialise("BYE sip:x SIP/2.0", c.headers, c.body, q, nil))
			if err != nil {
				t.Fatal(err)
			}
			parts := m.Parts()
			if len(parts) != 2 {
				t.Fatalf("%d parts in %q", len(parts), m.Body)
			}
			first, second := parts[0], parts[1]
			if q.MetadataFirst {
				first, second = second, first
			}
			if first.Type != typeSDP || second.Type != TypeMetadata || strings.TrimSpace(string(second.Body)) != string(xml) {
				t.Errorf("%+v", parts)
			}
			if (second.Disposition == "recording-session") == q.NoDisposition {
				t.Errorf("disposition %q", second.Disposition)
			}
			if q.LF == bytes.Contains(m.Raw, []byte("\r")) {
				t.Errorf("line ends of %q", m.Raw)
			}
		})
	}
}

func TestReadFramed(t *testing.T) {
	one := "BYE sip:x SIP/2.0\r\nl: 2\r\n\r\nab"
	r := bufio.NewReader(strings.NewReader("\r\n\r\n" + one + "\r\n" + folded))
	for _, want := range []string{one, folded[:len(folded)-3]} {
		raw, err := readFramed(r)
		if err != nil || string(raw) != want {
			t.Fatalf("%q, %v", raw, err)
		}
	}
	for name, text := range map[string]string{
		"length": "BYE sip:x SIP/2.0\r\nl: many\r\n\r\n", "huge": "BYE sip:x SIP/2.0\r\nl: 99999999999\r\n\r\n",
		"torn": "BYE sip:x SIP/2.0\r\nl: 9\r\n\r\nab", "long line": strings.Repeat("x", 20000),
	} {
		if _, err := readFramed(bufio.NewReader(strings.NewReader(text))); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(folded))
	f.Add([]byte("INVITE sip:x SIP/2.0\nContent-Type: multipart/mixed;boundary=b\nContact: <sip:a>;x\n\n--b\nContent-Type: application/sdp\n\nm=audio 1 RTP/AVP 0\n--b--"))
	f.Add([]byte("OPTIONS sip:x SIP/2.0\r\nl: 1\r\n\r\n"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := Parse(raw)
		if err != nil {
			return
		}
		if (m.Status == 0) == (m.Method == "") || len(m.Body) > len(raw) {
			t.Fatalf("%+v", m)
		}
		m.Branch()
		m.CSeq()
		for _, c := range m.List("Contact") {
			if a, err := ParseAddr(c); err == nil && a.Feature("+sip.srs") && !strings.Contains(strings.ToLower(c), "+sip.srs") {
				t.Fatalf("found a tag in %q", c)
			}
		}
		if sdp, err := m.SDP(); err == nil && sdp != nil {
			for i := range sdp.Media {
				sdp.DirectionOf(i)
				sdp.AddressOf(i)
			}
		}
	})
}

func FuzzReadFramed(f *testing.F) {
	f.Add([]byte(folded))
	f.Add([]byte("\r\n\r\nBYE sip:x SIP/2.0\r\nContent-Length: 4\r\n\r\nabcd"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		r := bufio.NewReader(bytes.NewReader(raw))
		total := 0
		for {
			one, err := readFramed(r)
			if err != nil {
				if len(one) != 0 {
					t.Fatal("a message beside an error")
				}
				return
			}
			if total += len(one); total > len(raw) {
				t.Fatal("more octets than came in")
			}
		}
	})
}
