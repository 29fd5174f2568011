package front

import (
	"slices"
	"strings"
	"testing"
)

func seeds() []string {
	return []string{
		options("a") + options("b"),
		wire{body: "v=0\r\n", eol: "\n", fields: []string{"k: timer"}}.String(),
		"\r\n\r\n" + wire{without: "Call-ID"}.String() + "\r\n\r\n",
		wire{fields: []string{"Content-Length: x", "l: 99999999"}}.String() + options("b"),
		"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP [::1]:1;rport\r\nl: 0\r\n\r\n",
		wire{without: "From", fields: []string{`From: "a \" <b>, c <sip:x@2001:db8::1;y>;tag="q`}}.String(),
		wire{without: "Contact", fields: []string{"m: <sip192.0.2.1>;+sip.src, *, <>, ;;,,\"", "Route: <sip:[::1;lr>"}}.String(),
		"\x16\x03\x01\x00junk\r\n" + options("a"),
		strings.Replace(options("a"), "Content-Length", "X", 1) + "Content-Type: x\r\n",
	}
}

// FuzzFramer: what is found in a stream does not depend on how it is cut, and
// the framer goes on whatever came before.
func FuzzFramer(f *testing.F) {
	for i, s := range seeds() {
		f.Add(s, uint8(i*37), uint8(i*11+1))
	}
	f.Fuzz(func(t *testing.T, stream string, first, step uint8) {
		l := Limits{MaxMessage: 2000, MaxHeaderBytes: 1000}.withDefaults()
		whole := cut(stream, l)
		sizes := []int{int(first)}
		for n := 0; n < len(stream); n += int(step) + 1 {
			sizes = append(sizes, int(step)+1)
		}
		if pieces := cut(stream, l, sizes...); !slices.Equal(whole, pieces) {
			t.Errorf("at once  %q\nin pieces %q", whole, pieces)
		}
	})
}

// FuzzParse: no message makes the parser panic, and a request that says where an
// answer goes is handed on or answered, never met with silence.
func FuzzParse(f *testing.F) {
	for _, s := range seeds() {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		h, body, flt, ok := frameDatagram(b, limits())
		if !ok {
			return
		}
		var p parsed
		if flt == nil {
			p, flt = parse(&h, body, limits())
		}
		switch {
		case flt == nil && (p.request == nil) == (p.response == nil):
			t.Fatal("neither or both of request and response")
		case p.request != nil:
			completeVia(p.request.Via(), source)
			ContactURI(p.request)
			again, _, flt := read(t, p.request.String())
			if flt != nil || again.request == nil {
				t.Fatalf("what was read cannot be read again: %v\n%s", flt, p.request)
			}
		case p.response != nil:
			_ = p.response.String()
		case flt != nil && readable(&h):
			answer, _, ok := refusal(&h, flt, source)
			if !ok {
				t.Fatalf("silence: %s", flt.text)
			}
			mustParseResponse(t, answer)
		}
	})
}

// readable says whether an answer is owed.
func readable(h *head) bool {
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		if h.first(name) == "" {
			return false
		}
	}
	return answerable(h)
}
