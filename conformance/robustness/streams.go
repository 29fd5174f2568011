package robustness

import (
	"bufio"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// stream makes a case of what may happen to a connection. Beside it a recording session
// is open on another one, which has to go on; afterwards a new connection has to be taken.
func stream(n int, section string, level check.Level, requirement string, run func(ctx context.Context, t *check.T)) check.Case {
	return check.Case{
		ID: fmt.Sprintf("robustness/stream/%d", n), Section: section, Level: level, Requirement: requirement, Shows: []string{"4475-3-01"},
		Run: func(ctx context.Context, t *check.T) {
			if t.Transport() == "udp" {
				t.Skipf("this is about connections")
			}
			before := open(ctx, t, t.Client(ctx))
			run(ctx, t)
			goesOn(ctx, t, before)
			open(ctx, t, t.Client(ctx))
		},
	}
}

// A wire is a connection without an SRC: what is written goes out as it is.
type wire struct {
	net.Conn
	r *bufio.Reader
}

// dial opens a connection of the transport of the target; it is closed after the case.
func dial(ctx context.Context, t *check.T) wire {
	c := dialPlain(ctx, t)
	if t.Transport() != "tls" {
		return c
	}
	how := t.TLS()
	if how.ServerName == "" {
		host, _, err := net.SplitHostPort(t.Address())
		t.Check(err, "address of the target")
		how.ServerName = host
	}
	secured := tls.Client(c.Conn, how)
	t.Check(secured.HandshakeContext(ctx), "handshake")
	return wire{secured, bufio.NewReader(secured)}
}

// dialPlain opens a connection of TCP, whatever is to be spoken on it.
func dialPlain(ctx context.Context, t *check.T) wire {
	var d net.Dialer
	c, err := d.DialContext(ctx, "tcp", t.Address())
	t.Check(err, "connect")
	t.Cleanup(func() { _ = c.Close() }) // the server may have been first
	if end, bounded := ctx.Deadline(); bounded {
		t.Check(c.SetDeadline(end), "bound the connection")
	}
	return wire{c, bufio.NewReader(c)}
}

// put writes text. That the server closed the connection before is no error: it may.
func (w wire) put(text string) { _, _ = w.Write([]byte(text)) }

// answer is the status of the next response; 0 says that the connection is closed, and
// below 0 that nothing came in time.
func (w wire) answer() int {
	if err := w.SetReadDeadline(time.Now().Add(patience)); err != nil {
		return 0
	}
	for {
		line, err := w.r.ReadString('\n')
		if errors.Is(err, os.ErrDeadlineExceeded) {
			return -1
		}
		if err != nil {
			return 0
		}
		if rest, ok := strings.CutPrefix(line, "SIP/2.0 "); ok {
			status := 0
			if _, err := fmt.Sscanf(rest, "%d", &status); err == nil && status >= 200 {
				return status
			}
		}
	}
}

// options is an OPTIONS of its own for each n.
func (w wire) options(t *check.T, n int) string {
	uri := t.RequestURI()
	if uri == "" {
		uri = "sip:srs@" + t.Address()
	}
	transport := strings.ToUpper(t.Transport())
	now := time.Now().UnixNano() // a port may be had again, and what comes from it is no copy
	return fmt.Sprintf("OPTIONS %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bKraw%d-%d;rport\r\nMax-Forwards: 70\r\nFrom: <sip:src@%s>;tag=raw%d\r\nTo: <%s>\r\nCall-ID: raw-%d-%d@%s\r\nCSeq: %d OPTIONS\r\nContent-Length: 0\r\n\r\n",
		uri, transport, w.LocalAddr(), n, now, w.LocalAddr(), n, uri, n, now, w.LocalAddr(), n)
}

// answers reads so many responses, each of which has to be 200.
func (w wire) answers(t *check.T, count int) {
	for i := range count {
		if status := w.answer(); status != 200 {
			t.Fatalf("OPTIONS %d of %d got %s", i+1, count, described(status))
		}
	}
}

func described(status int) string {
	switch {
	case status < 0:
		return "no answer"
	case status == 0:
		return "the end of the connection"
	}
	return fmt.Sprint(status)
}

// connections are what may happen to connections of TCP and TLS.
func connections() []check.Case {
	const framing = "RFC 3261 §18.3"
	return []check.Case{
		stream(1, "RFC 3261 §7.5", check.Must, "Empty lines between messages are passed over.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put("\r\n\r\n\r\n" + w.options(t, 1) + "\r\n\r\n\r\n\r\n" + w.options(t, 2))
			w.answers(t, 2)
		}),
		stream(2, framing, check.Must, "A message that comes octet by octet is read.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			for _, b := range []byte(w.options(t, 1)) {
				w.put(string([]byte{b}))
			}
			w.answers(t, 1)
		}),
		stream(3, framing, check.Must, "Fifty messages that come at once are read, each by itself.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			var all strings.Builder
			for i := range 50 {
				all.WriteString(w.options(t, i+1))
			}
			w.put(all.String())
			w.answers(t, 50)
		}),
		stream(4, "RFC 3261 §20.14", check.Should, "A message without Content-Length is answered, or the connection closed.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put(strings.Replace(w.options(t, 1), "Content-Length: 0\r\n", "", 1))
			if status := w.answer(); status < 0 {
				t.Errorf("it got %s", described(status))
			}
		}),
		stream(5, framing, check.Derived, "A body that never comes holds up nobody else.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put(strings.Replace(w.options(t, 1), "Content-Length: 0", "Content-Length: 500", 1) + "the beginning")
		}),
		stream(6, framing, check.Derived, "A body that is longer than its Content-Length holds up nobody else.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put(w.options(t, 1) + "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n\r\n" + w.options(t, 2))
			w.answers(t, 1)
		}),
		stream(7, framing, check.Should, "A Content-Length of ten digits is answered 4xx, or the connection closed.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put(strings.Replace(w.options(t, 1), "Content-Length: 0", "Content-Length: 4000000000", 1))
			w.put(strings.Repeat("x", 2<<20))
			if status := w.answer(); status > 0 && status < 400 {
				t.Errorf("it got %d", status)
			}
		}),
		stream(8, "RFC 3261 §18.4", check.Derived, "Connections that are closed within a message cost nothing.", func(ctx context.Context, t *check.T) {
			for i := range 30 {
				w := dial(ctx, t)
				text := w.options(t, i)
				w.put(text[:len(text)*i/30])
				_ = w.Close() // the server may have been first
			}
		}),
		stream(9, "RFC 3261 §18", check.Derived, "Thirty connections that send nothing keep nobody out.", func(ctx context.Context, t *check.T) {
			for range 30 {
				dial(ctx, t)
			}
		}),
		stream(10, "RFC 3261 §18", check.Derived, "Thirty connections that send a header field at a time keep nobody out.", func(ctx context.Context, t *check.T) {
			var slow []wire
			for range 30 {
				slow = append(slow, dial(ctx, t))
			}
			for i, line := range strings.SplitAfter(slow[0].options(t, 1), "\r\n")[:6] {
				for _, w := range slow {
					w.put(line)
				}
				if i == 3 {
					open(ctx, t, t.Client(ctx))
				}
			}
		}),
		stream(11, "RFC 3261 §18", check.Derived, "A request of HTTP is not taken for one of SIP, and costs nothing.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put("GET / HTTP/1.1\r\nHost: recorder.example\r\nConnection: close\r\n\r\n")
			if status := w.answer(); status > 0 && status < 400 {
				t.Errorf("it got %d", status)
			}
		}),
		stream(12, "RFC 3261 §18", check.Derived, "A megabyte of octets that are no message costs nothing.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put(strings.Repeat("\x16\x03\x01\x00\xff", 200000))
		}),
		stream(13, "RFC 3261 §18", check.Derived, "A header that never ends costs nothing.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put("OPTIONS sip:x SIP/2.0\r\n")
			for range 64 {
				w.put("X: " + strings.Repeat("y", 32<<10) + "\r\n")
			}
		}),
		stream(14, "RFC 3261 §18.2.2", check.Should, "A client that has ended its side of the connection still gets its response.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			w.put(w.options(t, 1))
			if half, ok := w.Conn.(interface{ CloseWrite() error }); ok {
				t.Check(half.CloseWrite(), "end one side")
			}
			w.answers(t, 1)
		}),
		stream(15, "RFC 3261 §18.2.2", check.Derived, "A client that never reads its responses holds up nobody else.", func(ctx context.Context, t *check.T) {
			w := dial(ctx, t)
			for i := range 300 {
				w.put(w.options(t, i+1))
			}
		}),
		stream(16, "RFC 3261 §21.4.11", check.Derived, "An INVITE of two megabytes costs nothing; if it is answered, then 200, 413 or 513.", func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			p := probe{want: []int{200, 413, 513}, silent: true, request: src.Request{
				Metadata: check.Conversation().Complete(), Quirks: src.Quirks{PadTo: 2 << 20},
			}}
			p.judge(t, p.exchange(ctx, t, c))
		}),
	}
}

// handshakes are connections of TLS that do not come about.
func handshakes() []check.Case {
	one := func(n int, requirement string, run func(ctx context.Context, t *check.T)) check.Case {
		return check.Case{
			ID: fmt.Sprintf("robustness/tls/%d", n), Section: "RFC 3261 §26.2.1", Level: check.Derived, Needs: []string{"tls"},
			Requirement: requirement, Shows: []string{"4475-3-01"},
			Run: func(ctx context.Context, t *check.T) {
				if t.Transport() != "tls" {
					t.Skipf("this is about TLS")
				}
				before := open(ctx, t, t.Client(ctx))
				run(ctx, t)
				goesOn(ctx, t, before)
				open(ctx, t, t.Client(ctx))
			},
		}
	}
	return []check.Case{
		one(1, "SIP in the clear where TLS is spoken is not answered as SIP, and costs nothing.", func(ctx context.Context, t *check.T) {
			w := dialPlain(ctx, t)
			w.put(w.options(t, 1))
			if status := w.answer(); status > 0 {
				t.Errorf("it got %d in the clear", status)
			}
		}),
		one(2, "Thirty handshakes that never go on keep nobody out.", func(ctx context.Context, t *check.T) {
			for range 30 {
				dialPlain(ctx, t).put("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03")
			}
		}),
		one(3, "A handshake of octets that are none costs nothing.", func(ctx context.Context, t *check.T) {
			dialPlain(ctx, t).put(strings.Repeat("\x15\x03\x03\x00\x02\x02\x28\x00\xff", 1000))
		}),
		one(4, "Connections that end within their handshake cost nothing.", func(ctx context.Context, t *check.T) {
			for range 30 {
				w := dialPlain(ctx, t)
				w.put("\x16\x03\x01")
				_ = w.Close() // the server may have been first
			}
		}),
	}
}

// datagram makes a case of what is sent to the port of SIP over UDP, between two looks
// at a recording session.
func datagram(n int, level check.Level, section, requirement string, run func(ctx context.Context, t *check.T, c *src.SRC)) check.Case {
	return check.Case{
		ID: fmt.Sprintf("robustness/datagram/%d", n), Section: section, Level: level, Needs: []string{"udp"},
		Requirement: requirement, Shows: []string{"4475-3-01"},
		Run: func(ctx context.Context, t *check.T) {
			if t.Transport() != "udp" {
				t.Skipf("this is about datagrams")
			}
			c := t.Client(ctx)
			before := open(ctx, t, c)
			run(ctx, t, c)
			goesOn(ctx, t, before)
			open(ctx, t, c)
		},
	}
}

// put sends a datagram; that it does not fit is the suite's fault.
func put(t *check.T, c *src.SRC, text string) { t.Check(c.Send([]byte(text)), "send") }
