package siprec

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/textproto"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A wirePeer is an SRC over TCP that may lose its connections.
type wirePeer struct {
	t       *testing.T
	target  string
	contact int // port of its Contact, and of its Via
	conn    net.Conn
	in      *textproto.Reader
	cseq    int
	toTag   string
}

func (p *wirePeer) connect() {
	p.t.Helper()
	conn, err := (&net.Dialer{}).DialContext(p.t.Context(), "tcp", p.target)
	if err != nil {
		p.t.Fatal(err)
	}
	p.use(conn)
}

func (p *wirePeer) use(conn net.Conn) {
	p.t.Cleanup(func() { conn.Close() })
	p.conn, p.in = conn, textproto.NewReader(bufio.NewReader(conn))
}

func (p *wirePeer) send(method, sdp string) {
	p.t.Helper()
	if method != "ACK" {
		p.cseq++
	}
	to := "<sip:srs@127.0.0.1>"
	if p.toTag != "" {
		to += ";tag=" + p.toTag
	}
	text := fmt.Sprintf("%s sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/TCP 127.0.0.1:%d;branch=z9hG4bK%s%d\r\n"+
		"From: <sip:src@127.0.0.1>;tag=src\r\nTo: %s\r\nCall-ID: wire\r\nCSeq: %d %s\r\nMax-Forwards: 70\r\n"+
		"Contact: <sip:src@127.0.0.1:%d;transport=tcp>;+sip.src\r\nRecord-Route: <sip:127.0.0.1:%d;lr>\r\n",
		method, p.contact, method, p.cseq, to, p.cseq, method, p.contact, p.contact)
	if sdp != "" {
		text += "Content-Type: application/sdp\r\n"
	}
	if _, err := fmt.Fprintf(p.conn, "%sContent-Length: %d\r\n\r\n%s", text, len(sdp), sdp); err != nil {
		p.t.Fatal(err)
	}
}

// route is the proxy that it put itself behind.
func (p *wirePeer) route() string { return fmt.Sprintf("<sip:127.0.0.1:%d;lr>", p.contact) }

// read gives the start line and the header fields of the next message.
func (p *wirePeer) read() (string, textproto.MIMEHeader) {
	p.t.Helper()
	start, err := p.in.ReadLine()
	if err != nil {
		p.t.Fatal(err)
	}
	h, err := p.in.ReadMIMEHeader()
	if err != nil {
		p.t.Fatal(err)
	}
	n, err := strconv.Atoi(h.Get("Content-Length"))
	if err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.CopyN(io.Discard, p.in.R, int64(n)); err != nil {
		p.t.Fatal(err)
	}
	return start, h
}

func (p *wirePeer) want(start string) textproto.MIMEHeader {
	p.t.Helper()
	got, h := p.read()
	if !strings.HasPrefix(got, start) {
		p.t.Fatalf("%s, want %s", got, start)
	}
	return h
}

// wired opens a recording session over TCP whose SRC listens on a port of its own.
func wired(t *testing.T, act func(*RecordingSession, *Event), change ...func(*Config)) (*desk, *wirePeer, net.Listener) {
	change = append(change, func(c *Config) { c.Listen = append(c.Listen, Endpoint{Network: "tcp", Address: "127.0.0.1:0"}) })
	d := newDesk(t, act, change...)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	p := &wirePeer{t: t, target: d.server.Endpoints()[1].Address, contact: l.Addr().(*net.TCPAddr).Port}
	p.connect()
	p.send("INVITE", string(offerText("sendonly")))
	h := p.want("SIP/2.0 200")
	_, p.toTag, _ = strings.Cut(h.Get("To"), "tag=")
	if got := h.Get("Record-Route"); got != p.route() {
		t.Errorf("Record-Route of the 200 is %q", got)
	}
	p.send("ACK", "")
	p.send("OPTIONS", "") // answered after the ACK was taken
	p.want("SIP/2.0 200")
	d.want(Offered)
	return d, p, l
}

// hangUp closes the connection, and waits until the server has seen it.
func (p *wirePeer) hangUp() {
	p.t.Helper()
	if err := p.conn.(interface{ CloseWrite() error }).CloseWrite(); err != nil {
		p.t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, p.conn); err != nil { // until the server closes its side
		p.t.Fatal(err)
	}
	p.conn.Close()
}

// TestByeAfterTheConnectionWasLost: a request of ours opens a connection to the
// SRC's Contact (RFC 3261 §18.1.1), not to its host but to where it was heard.
func TestByeAfterTheConnectionWasLost(t *testing.T) {
	ready := make(chan *RecordingSession, 1)
	d, p, l := wired(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ready <- rs
		}
	})
	p.hangUp()
	(<-ready).End()
	d.want(Ended)
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	p.use(conn)
	h := p.want("BYE ")
	if via := h.Get("Via"); !strings.Contains(via, p.target) {
		t.Errorf("Via is %q, want the listener %s", via, p.target)
	}
	if got := h.Get("Route"); got != p.route() {
		t.Errorf("Route is %q", got)
	}
}

// TestByeToNobody: with neither connection nor listener the end does not hang.
func TestByeToNobody(t *testing.T) {
	ready := make(chan *RecordingSession, 1)
	d, p, l := wired(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ready <- rs
		}
	})
	l.Close()
	p.hangUp()
	(<-ready).End()
	if ev := d.want(Ended); ev.Reason != EndLocal {
		t.Errorf("ended by %s", ev.Reason)
	}
}

// TestAnotherConnectionContinuesTheDialog: the loss of a connection ends nothing.
func TestAnotherConnectionContinuesTheDialog(t *testing.T) {
	ready := make(chan *RecordingSession, 1)
	d, p, _ := wired(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ready <- rs
		}
	})
	p.hangUp()
	p.connect()
	p.send("UPDATE", string(offerText("inactive")))
	p.want("SIP/2.0 200")
	if ev := d.want(Changed); !ev.HasOffer || ev.Streams[0].Receiving {
		t.Errorf("streams are %+v", ev.Streams)
	}
	(<-ready).End()
	d.want(Ended)
	p.want("BYE ")
}

// TestIdleConnectionOfAMovedDialog: the connection that the last request came over
// stays, however silent; the one before has no business any more.
func TestIdleConnectionOfAMovedDialog(t *testing.T) {
	d, p, _ := wired(t, nil, neverAsk)
	first := p.conn
	p.connect()
	p.send("UPDATE", string(offerText("inactive")))
	p.want("SIP/2.0 200")
	d.want(Changed)
	d.clock.advance(time.Hour)
	if err := first.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if n, err := first.Read(make([]byte, 1)); !errors.Is(err, io.EOF) {
		t.Errorf("the connection before: %d, %v", n, err)
	}
	p.send("BYE", "")
	p.want("SIP/2.0 200")
	d.want(Ended)
}
