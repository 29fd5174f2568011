package front

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// cut feeds a stream in pieces of the given sizes, the last one for the rest,
// and describes every frame.
func cut(stream string, limits Limits, sizes ...int) []string {
	fr := newFramer(limits)
	var out []string
	feed := func(s string) {
		fr.feed([]byte(s))
		for {
			m, ok := fr.next()
			if !ok {
				return
			}
			out = append(out, describe(m))
		}
	}
	for _, n := range sizes {
		n = min(n, len(stream))
		feed(stream[:n])
		stream = stream[n:]
	}
	feed(stream)
	return out
}

func describe(m frame) string {
	switch {
	case m.ping:
		return "ping"
	case m.fault != nil:
		return fmt.Sprintf("%d %s [%s] %d", m.fault.status, m.fault.text, m.head.start, len(m.head.fields))
	}
	return fmt.Sprintf("%s %d %s", m.head.start, len(m.head.fields), m.body)
}

func tcpLimits() Limits {
	return Limits{MaxMessage: 4096, MaxHeaderBytes: 2048}.withDefaults()
}

func options(user string) string {
	return wire{start: "OPTIONS sip:" + user + "@rec.example.com SIP/2.0"}.String()
}

func good(user, body string) string {
	return fmt.Sprintf("OPTIONS sip:%s@rec.example.com SIP/2.0 8 %s", user, body)
}

func TestFramer(t *testing.T) {
	sdp := "v=0\r\no=- 1 1 IN IP4 192.0.2.20\r\na=label:1"
	typed := []string{"Content-Type: application/sdp"}
	noLength := func(fields ...string) string {
		return strings.Replace(wire{body: sdp, fields: fields}.String(), "Content-Length", "X-Length", 1)
	}
	start := "OPTIONS sip:srs@rec.example.com SIP/2.0"
	tests := []struct {
		name   string
		stream string
		want   []string
	}{
		{"three", options("a") + options("b") + options("c"), []string{good("a", ""), good("b", ""), good("c", "")}},
		{"body", wire{body: "x\r\n\r\ny"}.String() + options("b"), []string{good("srs", "x\r\n\r\ny"), good("b", "")}},
		{"CRLF before", "\r\n" + options("a") + "\r\n" + options("b"), []string{good("a", ""), good("b", "")}},
		{"ping", "\r\n\r\n" + options("a") + "\r\n\r\n\r\n\r\n", []string{"ping", good("a", ""), "ping", "ping"}},
		{"bare LF", wire{eol: "\n", body: "x"}.String() + options("b"), []string{good("srs", "x"), good("b", "")}},
		{"LF CRLF", strings.Replace(options("a"), "\r\n\r\n", "\n\r\n", 1) + options("b"), []string{good("a", ""), good("b", "")}},
		{"compact length", wire{body: "xy", fields: []string{"l : 2", "X-Content-Length: 9"}}.String() + strings.Replace(options("b"), "Content-Length", "l", 1), []string{start + " 9 xy", good("b", "")}},
		{"length in a folded line", wire{body: "xy", fields: []string{"CONTENT-LENGTH:\r\n  2", "X: 1"}}.String() + options("b"), []string{start + " 9 xy", good("b", "")}},
		{"no length, no body", strings.Replace(options("a"), "Content-Length", "X-Length", 1) + options("b"), []string{good("a", ""), good("b", "")}},
		{"no length, a body", noLength(typed...) + "\r\n" + options("b"), []string{"400 no Content-Length on a stream [" + start + "] 9", good("b", "")}},
		{"no length, a body without an end", noLength(typed...) + options("b"), []string{"400 no Content-Length on a stream [" + start + "] 9", good("b", "")}},
		{"no length, then a response", noLength(typed...) + "SIP/2.0 200 OK\r\nl: 0\r\n\r\n", []string{"400 no Content-Length on a stream [" + start + "] 9", "SIP/2.0 200 OK 1 "}},
		{"bad length", wire{fields: []string{"Content-Length: x"}}.String() + options("b"), []string{"400 bad Content-Length [" + start + "] 8", good("b", "")}},
		{"conflicting lengths", wire{body: sdp, fields: []string{"Content-Length: 4", "l: 5"}}.String() + "\r\n" + options("b"), []string{"400 conflicting Content-Length [" + start + "] 9", good("b", "")}},
		{"too large", wire{body: strings.Repeat("b", 9000)}.String() + options("b"), []string{"413 message too large [" + start + "] 8", good("b", "")}},
		{"absurdly large", wire{body: "abc\r\n", fields: []string{"Content-Length: 2147483647"}}.String() + options("b"), []string{"413 message too large [" + start + "] 8", good("b", "")}},
		{"beyond any number", wire{body: "abc\r\n", fields: []string{"Content-Length: 99999999999999999999"}}.String() + options("b"), []string{"400 bad Content-Length [" + start + "] 8", good("b", "")}},
		{"garbage line before", "\x16\x03\x01what\xff\r\n" + options("a"), []string{"400 header section without an end [what\xff] 0", good("a", "")}},
		{"length too small", wire{body: "a=sendonly\r\na=label:1", fields: []string{"Content-Length: 4"}}.String() + options("b"), []string{good("srs", "a=se"), "400 header section without an end [ndonly] 0", good("b", "")}},
		{"bad length, words without an end", wire{body: "some words", fields: []string{"Content-Length: -9"}}.String() + options("b"), []string{"400 bad Content-Length [" + start + "] 8", good("b", "")}},
		{"length too small, words without an end", wire{body: "body and words", fields: []string{"Content-Length: 4"}}.String() + options("b"), []string{good("srs", "body"), "400 header section without an end [and words] 0", good("b", "")}},
		{"no start line", "OPTIONS what\r\nCall-ID: 1\r\n\r\n" + options("b"), []string{"400 no start line [OPTIONS what] 1", good("b", "")}},
		{"head without an end", "OPTIONS sip:a@rec.example.com SIP/2.0\r\nCall-ID: 1\r\n" + options("b"), []string{"400 header section without an end [OPTIONS sip:a@rec.example.com SIP/2.0] 1", good("b", "")}},
		{"header section too long", wire{fields: []string{"X: " + strings.Repeat("y", 3000)}}.String() + options("b"), []string{"400 header section too long [" + start + "] 8", good("b", "")}},
		{"line without an end", strings.Repeat("z", 40000) + "\r\n" + options("b"), []string{"400 header section too long [" + strings.Repeat("z", 2048) + "] 0", good("b", "")}},
		{"other version", strings.Replace(options("a"), "com SIP/2.0", "com SIP/3.0", 1) + options("b"), []string{"OPTIONS sip:a@rec.example.com SIP/3.0 8 ", good("b", "")}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			whole := cut(tt.stream, tcpLimits())
			if !slices.Equal(whole, tt.want) {
				t.Errorf("got  %q\nwant %q", whole, tt.want)
			}
			bytewise := slices.Repeat([]int{1}, len(tt.stream))
			if got := cut(tt.stream, tcpLimits(), bytewise...); !slices.Equal(got, whole) {
				t.Errorf("byte by byte %q\nat once %q", got, whole)
			}
		})
	}
}

// TestFramerSplit feeds three messages in two pieces, cut at every place.
func TestFramerSplit(t *testing.T) {
	stream := options("a") + "\r\n\r\n" + wire{body: "x\r\n\r\nOPTIONS sip:x SIP/2.0\r\n\r\n", eol: "\n"}.String() + options("c")
	want := cut(stream, tcpLimits())
	if len(want) != 4 {
		t.Fatalf("%d frames, want 4: %q", len(want), want)
	}
	for i := range len(stream) + 1 {
		if got := cut(stream, tcpLimits(), i); !slices.Equal(got, want) {
			t.Fatalf("cut at %d: %q\nwant %q", i, got, want)
		}
	}
}

func TestFramerLargeBodies(t *testing.T) {
	for _, size := range []int{64 << 10, 142 << 10, 1 << 20} {
		body := strings.Repeat("r", size)
		stream := wire{body: body}.String() + options("b")
		got := cut(stream, limits(), 1000, 16384, 3)
		if want := []string{good("srs", body), good("b", "")}; !slices.Equal(got, want) {
			t.Errorf("%d octets: %d frames", size, len(got))
		}
	}
}

// TestFramerHoldsLittle: what is thrown away is not kept in memory.
func TestFramerHoldsLittle(t *testing.T) {
	l := tcpLimits()
	fr := newFramer(l)
	fr.feed([]byte(wire{fields: []string{"Content-Length: 60000"}}.String()))
	piece := []byte(strings.Repeat("b", 1000))
	for range 59 {
		fr.feed(piece)
		for _, ok := fr.next(); ok; _, ok = fr.next() {
		}
		if len(fr.rest()) > 0 || cap(fr.buf) > 8*readSize {
			t.Fatalf("%d octets held, room for %d", len(fr.rest()), cap(fr.buf))
		}
	}
	if fr.partial() {
		t.Error("a body that is skipped is not a message that was begun")
	}
}

func TestFramerAbandon(t *testing.T) {
	next := options("b")
	tests := []struct {
		name, stream, want string
	}{
		{"in the head", "OPTIONS sip:a@rec.example.com SIP/2.0\r\nCall-ID: 1\r\n", "400 header section not completed in time [OPTIONS sip:a@rec.example.com SIP/2.0] 1"},
		{"in the body", wire{body: "abc\r\n", fields: []string{"Content-Length: 2000"}}.String(), "400 body shorter than Content-Length [OPTIONS sip:srs@rec.example.com SIP/2.0] 8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			fr := newFramer(tcpLimits())
			fr.feed([]byte(tt.stream))
			if m, ok := fr.next(); ok || !fr.partial() {
				t.Fatalf("frame %v, partial %v", m, fr.partial())
			}
			fr.abandon()
			if m, ok := fr.next(); !ok || describe(m) != tt.want {
				t.Errorf("%v %q, want %q", ok, describe(m), tt.want)
			}
			if fr.partial() {
				t.Error("still partial")
			}
			fr.feed([]byte(next))
			if m, ok := fr.next(); !ok || describe(m) != good("b", "") {
				t.Errorf("next message lost: %v %q", ok, describe(m))
			}
		})
	}
}

// TestFramerAbandonFindsSwallowed: a message that was taken for the body of one
// with a wrong length is not lost.
func TestFramerAbandonFindsSwallowed(t *testing.T) {
	fr := newFramer(tcpLimits())
	fr.feed([]byte(wire{body: "abc\r\n", fields: []string{"Content-Length: 3000"}}.String() + options("b")))
	if _, ok := fr.next(); ok {
		t.Fatal("a frame before its body was there")
	}
	fr.abandon()
	var got []string
	for m, ok := fr.next(); ok; m, ok = fr.next() {
		got = append(got, describe(m))
	}
	if len(got) != 2 || got[1] != good("b", "") {
		t.Errorf("%q", got)
	}
}
