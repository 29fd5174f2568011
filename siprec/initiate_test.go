package siprec

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// An invited is an SRC that the server calls: it answers INVITEs as it is told, and
// what the server sends reaches the test in order.
type invited struct {
	client *src.SRC
	uri    string
	heard  chan *src.Message
}

// callee is the SRC of a desk, which the server reaches at the port it sends from.
func callee(t *testing.T, d *desk, answer src.Handler) *invited {
	t.Helper()
	d.client.Close()
	c := &invited{heard: make(chan *src.Message, 64)}
	var err error
	c.client, err = src.New(t.Context(), src.Config{
		Target: d.server.Endpoints()[0].Address, Handler: answer,
		Trace: func(dir src.Direction, _ time.Time, text string) {
			if m, err := src.Parse([]byte(text)); err == nil && dir == src.In {
				c.heard <- m
			}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	d.client = c.client
	// Any answer of the server shows where the SRC sends from.
	if _, err := c.client.Options(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	m := <-c.heard
	sentBy, _, _ := strings.Cut(strings.Fields(m.Get("Via"))[1], ";")
	c.uri = "sip:src@" + sentBy
	return c
}

// next skips repetitions of what is not of the method.
func (c *invited) next(t *testing.T, method string) *src.Message {
	t.Helper()
	for m := range c.heard {
		if m.Method == method {
			return m
		}
	}
	t.Fatal("the SRC is closed")
	return nil
}

// offering accepts an INVITE with an offer and metadata.
func offering(req *src.Message) *src.Reply {
	if req.Method != "INVITE" {
		return src.AutoReply(req)
	}
	body := "--b\r\nContent-Type: application/sdp\r\n\r\n" + string(offerText("sendonly")) +
		"\r\n--b\r\nContent-Type: application/rs-metadata+xml\r\nContent-Disposition: recording-session\r\n\r\n<recording/>\r\n--b--\r\n"
	return &src.Reply{Status: 200, ContentType: "multipart/mixed;boundary=b", Body: []byte(body)}
}

// TestInitiate is RFC 7866 §6.2 and §7.2: the INVITE has no offer, that of the SRC
// is answered in the ACK, and its metadata is taken.
// Shows 7866-6.1.1-08, 7866-6.2-03, 7866-6.2-04, 7866-6.2-06, 7866-7.2-07, 7866-9.1-07, DRV7245-3.2.2-01.
func TestInitiate(t *testing.T) {
	ready := make(chan *RecordingSession, 1)
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ready <- rs
		}
	}, neverAsk)
	c := callee(t, d, offering)
	if err := d.server.Initiate(t.Context(), c.uri, SRC{Name: "called"}); err != nil {
		t.Fatal(err)
	}
	invite := c.next(t, "INVITE")
	if len(invite.Body) > 0 || !invite.Lists("Require", "siprec") || !mustAddr(t, invite.Get("Contact")).Feature("+sip.srs") {
		t.Errorf("INVITE is %s", invite.Raw)
	}
	ev := d.want(Offered)
	if len(ev.Metadata) != 1 || !ev.HasOffer || len(ev.Streams) == 0 || !ev.Streams[0].Receiving {
		t.Errorf("event is %+v", ev)
	}
	ack := c.next(t, "ACK")
	answer, err := ack.SDP()
	if err != nil || answer == nil || answer.DirectionOf(0) != src.RecvOnly || len(answer.Media) != len(ev.Streams) {
		t.Errorf("answer in the ACK is %+v, %v", answer, err)
	}
	rs := <-ready
	if rs.SRC().Name != "called" || rs.From() != c.uri {
		t.Errorf("SRC %q, From %q", rs.SRC().Name, rs.From())
	}
	rs.End()
	if ev := d.want(Ended); ev.Reason != EndLocal {
		t.Errorf("ended by %s", ev.Reason)
	}
	from, _ := mustAddr(t, invite.Get("From")).Param("tag")
	bye := c.next(t, "BYE")
	to, tagged := mustAddr(t, bye.Get("To")).Param("tag")
	if got, _ := mustAddr(t, bye.Get("From")).Param("tag"); got != from || !tagged || to == "" {
		t.Errorf("BYE is %s", bye.Raw)
	}
}

// TestInitiateInVain: refused, unanswerable, or refused by the handler.
// Shows 7866-6.2-03.
func TestInitiateInVain(t *testing.T) {
	tests := []struct {
		name   string
		answer *src.Reply
		check  func(error) bool
		bye    bool
	}{
		{"refused", &src.Reply{Status: 486}, func(err error) bool {
			var refused *RefusedError
			return errors.As(err, &refused) && refused.Status == 486
		}, false},
		{"no offer", &src.Reply{Status: 200}, func(err error) bool { return errors.Is(err, ErrNoOffer) }, true},
		{"unreadable offer", &src.Reply{Status: 200, ContentType: "application/sdp", Body: []byte("hello")}, func(err error) bool { return errors.Is(err, ErrNoOffer) }, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil, neverAsk)
			c := callee(t, d, func(*src.Message) *src.Reply { return tt.answer })
			if err := d.server.Initiate(t.Context(), c.uri, SRC{}); !tt.check(err) {
				t.Errorf("error is %v", err)
			}
			c.next(t, "ACK")
			if tt.bye {
				c.next(t, "BYE")
			}
			if up := d.server.Up(); up != 0 {
				t.Errorf("%d recording sessions are up", up)
			}
		})
	}
}

func TestInitiatedAndRefusedByTheHandler(t *testing.T) {
	d := newDesk(t, func(_ *RecordingSession, ev *Event) { ev.Reject(503, "no disk") }, neverAsk)
	c := callee(t, d, offering)
	if err := d.server.Initiate(t.Context(), c.uri, SRC{}); err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	c.next(t, "ACK")
	if ev := d.want(Ended); ev.Reason != EndRejected {
		t.Errorf("ended by %s", ev.Reason)
	}
	if got := c.next(t, "BYE").Get("Reason"); !strings.HasPrefix(got, "SIP;cause=488") {
		t.Errorf("Reason is %q", got)
	}
}

// TestInitiateGivesUp: with its context, or after 64*T1.
func TestInitiateGivesUp(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	c := callee(t, d, func(*src.Message) *src.Reply { return nil })
	done := make(chan error, 1)
	go func() { done <- d.server.Initiate(t.Context(), c.uri, SRC{}) }()
	d.clock.await(32 * time.Second)
	d.clock.advance(32 * time.Second)
	if err := <-done; !errors.Is(err, ErrNoAnswer) {
		t.Errorf("error is %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := d.server.Initiate(ctx, c.uri, SRC{}); err == nil {
		t.Error("no error under a done context")
	}
	if err := d.server.Initiate(t.Context(), "tel:+15550100", SRC{}); err == nil {
		t.Error("no error for a tel URI")
	}
}

// TestForkedInvite: each SRC that accepts an INVITE of ours gets an ACK of its own
// dialog, for each repetition of its 2xx, and all but the first a BYE (RFC 3261
// §13.2.2.4).
func TestForkedInvite(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	c := callee(t, d, offering)
	if err := d.server.Initiate(t.Context(), c.uri, SRC{Name: "called"}); err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	invite, first := c.next(t, "INVITE"), c.next(t, "ACK")
	again := func(tag string) {
		t.Helper()
		text := "SIP/2.0 200 OK\r\nVia: " + invite.Get("Via") + "\r\nFrom: " + invite.Get("From") + "\r\nTo: " + invite.Get("To") + tag +
			"\r\nCall-ID: " + invite.Get("Call-ID") + "\r\nCSeq: " + invite.Get("CSeq") + "\r\nContact: <" + c.uri +
			";other>\r\nRecord-Route: <sip:far.example;lr>, <sip:near.example;lr>\r\nContent-Length: 0\r\n\r\n"
		if err := c.client.Send([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	ours, _ := mustAddr(t, first.Get("To")).Param("tag")
	ended := map[string]bool{}
	// A BYE may come before a later ACK.
	next := func(method string) *src.Message {
		t.Helper()
		for {
			m := <-c.heard
			if m.Method == "BYE" {
				tag, _ := mustAddr(t, m.Get("To")).Param("tag")
				if tag != "fork" && tag != "spoon" || m.Get("CSeq") != "2 BYE" || !strings.Contains(m.Get("Reason"), "cause=488") {
					t.Errorf("BYE is %s", m.Raw)
				}
				ended[tag] = true
			}
			if m.Method == method {
				return m
			}
		}
	}
	for _, tag := range []string{"fork", ours, "fork", "spoon"} {
		again(";tag=" + tag)
		ack := next("ACK")
		if got, _ := mustAddr(t, ack.Get("To")).Param("tag"); got != tag || (len(ack.Body) > 0) != (tag == ours) || ack.Get("CSeq") != first.Get("CSeq") {
			t.Errorf("ACK of %s is %s", tag, ack.Raw)
		}
		if tag == ours {
			continue
		}
		if !strings.Contains(string(ack.Raw), ";other SIP/2.0") || strings.Join(ack.All("Route"), ",") != "<sip:near.example;lr>,<sip:far.example;lr>" {
			t.Errorf("ACK of %s is %s", tag, ack.Raw)
		}
	}
	for len(ended) < 2 {
		next("BYE")
	}
	if up := d.server.Up(); up != 1 {
		t.Errorf("%d recording sessions are up", up)
	}
}
