package check

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// goodbye bounds the BYE after a case.
const goodbye = 2 * time.Second

// request fills in what the target wants.
func (t *T) request(r src.Request) src.Request {
	if r.RequestURI == "" {
		r.RequestURI = t.target.RequestURI
	}
	return r
}

// Invite sends an INVITE and returns whatever came of it; a recording session
// that was opened is ended after the case.
func (t *T) Invite(ctx context.Context, c *src.SRC, r src.Request) *src.Dialog {
	d, err := c.Invite(ctx, t.request(r))
	t.Check(err, "INVITE")
	t.Ends(d)
	return d
}

// Start sends an INVITE without waiting.
func (t *T) Start(ctx context.Context, c *src.SRC, r src.Request) *src.Dialog {
	d, err := c.Start(ctx, t.request(r))
	t.Check(err, "INVITE")
	t.Ends(d)
	return d
}

// Do sends a request outside a dialog.
func (t *T) Do(ctx context.Context, c *src.SRC, method string, r src.Request) *src.Message {
	m, err := c.Do(ctx, method, t.request(r))
	t.Check(err, method)
	return m
}

// Ends closes a dialog after the case, with a BYE when it was opened. What the
// server answers then is not part of the case.
func (t *T) Ends(d *src.Dialog) {
	t.Cleanup(func() {
		if final := d.Final(); final != nil && final.Status < 300 {
			ctx, cancel := context.WithTimeout(context.Background(), goodbye)
			defer cancel()
			if _, err := d.Bye(ctx, src.Request{}); err != nil {
				t.messages = append(t.messages, "note: BYE after the case: "+err.Error())
			}
		}
		d.Close()
	})
}

// Open opens a recording session and fails unless it is accepted. Without
// Streams the offer is two sendonly audio m-lines.
func (t *T) Open(ctx context.Context, r src.Request) *src.Dialog {
	if r.Streams == nil {
		r.Streams = src.TwoParties()
	}
	d := t.Invite(ctx, t.Client(ctx), r)
	t.Status(d.Final(), 200)
	return d
}

// Status fails unless a response has one of these statuses.
func (t *T) Status(m *src.Message, want ...int) {
	for _, w := range want {
		if m.Status == w {
			return
		}
	}
	_, method := m.CSeq()
	t.Fatalf("%s was answered %d %s, expected %v", method, m.Status, m.Reason, want)
}

// Answer is the session description of the last response, which must hold as
// many m-lines as the offer (RFC 3264 §6).
func (t *T) Answer(d *src.Dialog) *src.SDP {
	sdp, err := d.Answer()
	if err != nil {
		t.Fatalf("answer cannot be read: %v", err)
	}
	if sdp == nil {
		t.Fatalf("response holds no SDP")
	}
	if want := len(d.Offers()); len(sdp.Media) != want {
		t.Fatalf("answer has %d m-lines, offer has %d", len(sdp.Media), want)
	}
	return sdp
}

// Conversation is a call of two made-up parties with the labels 1 and 2.
func Conversation() *src.Conversation {
	return src.NewConversation(src.NewIDs(uint64(time.Now().UnixNano())), time.Now(),
		src.Party{AOR: "sip:nora@example.com", Name: "Nora", Label: "1"},
		src.Party{AOR: "sip:desk@example.org", Name: "Desk", Label: "2"})
}
