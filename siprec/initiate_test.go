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
