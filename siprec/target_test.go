package siprec

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestTargetAndRoutes: requests of ours go to the Contact that the SRC named last, in
// a request or in an answer to one of ours, by the routes of its INVITE in their order
// (RFC 3261 §12.1.1, §12.2.1.1).
// Shows 3261-12.2.1.1-01, 3261-12.1.1-01.
func TestTargetAndRoutes(t *testing.T) {
	ready := make(chan *RecordingSession, 1)
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		switch {
		case ev.Kind == Offered:
			ready <- rs
		case ev.Method == "UPDATE":
			if err := rs.RequestSnapshot(""); err != nil {
				t.Error(err)
			}
		}
	}, neverAsk)
	c := newBareSRC(t, "udp", d.server.Endpoints()[0].Address, 0)
	if err := c.conn.SetReadDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	send := func(text []byte) {
		t.Helper()
		if _, err := c.conn.Write(text); err != nil {
			t.Fatal(err)
		}
	}
	const near, far = "<sip:near.example;lr>", "<sip:far.example;lr;x=1>"
	invite := c.text("INVITE", "target", "", 1, bareSDP)
	send(bytes.Replace(invite, []byte("\r\nRequire"), []byte("\r\nRecord-Route: "+near+"\r\nRecord-Route: "+far+"\r\nRequire"), 1))
	ok, err := c.final("INVITE")
	if err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	if !strings.Contains(ok, "\r\nRecord-Route: "+near+"\r\nRecord-Route: "+far+"\r\n") {
		t.Errorf("the answer has not the routes of the INVITE: %s", ok)
	}
	send(c.text("ACK", "target", tagOf(ok), 1, ""))

	c.contact = "127.0.0.1:4711"
	send(c.text("UPDATE", "target", tagOf(ok), 2, bareSDP))
	if _, err := c.final("UPDATE"); err != nil {
		t.Fatal(err)
	}
	d.want(Changed)
	check := func(m, method, target string) {
		t.Helper()
		if !strings.HasPrefix(m, method+" sip:src@"+target+" ") {
			t.Errorf("%.60q, want a %s to %s", m, method, target)
		}
		if !strings.Contains(m, "\r\nRoute: "+near+"\r\nRoute: "+far+"\r\n") {
			t.Errorf("not by the routes of the INVITE: %s", m)
		}
	}
	ours, err := c.next()
	if err != nil {
		t.Fatal(err)
	}
	check(ours, "UPDATE", "127.0.0.1:4711")
	send(fmt.Appendf(nil, "SIP/2.0 200 OK\r\nVia: %s\r\nFrom: %s\r\nTo: %s\r\nCall-ID: target\r\nCSeq: %s\r\nContact: <sip:src@127.0.0.1:4712>\r\nContent-Length: 0\r\n\r\n",
		field(ours, "Via"), field(ours, "From"), field(ours, "To"), field(ours, "CSeq")))
	send(c.text("OPTIONS", "elsewhere", "", 1, "")) // answered after the 200 was taken
	if _, err := c.final("OPTIONS"); err != nil {
		t.Fatal(err)
	}
	d.clock.await() // the wait for the answer is over
	(<-ready).End()
	bye, err := c.next()
	if err != nil {
		t.Fatal(err)
	}
	check(bye, "BYE", "127.0.0.1:4712")
	d.want(Ended)
}
