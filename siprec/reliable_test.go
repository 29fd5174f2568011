package siprec

import (
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// A ringing is an INVITE that requires reliable provisional responses, and what
// came for it.
type ringing struct {
	*desk
	dialog *src.Dialog
	tag    string
	rseq   string
	rings  chan *src.Message
}

func newRinging(t *testing.T, d *desk) *ringing {
	t.Helper()
	r := &ringing{desk: d, rings: make(chan *src.Message, 64)}
	d.client.Close()
	var err error
	d.client, err = src.New(t.Context(), src.Config{Target: d.server.Endpoints()[0].Address, Trace: func(dir src.Direction, _ time.Time, text string) {
		if m, err := src.Parse([]byte(text)); err == nil && dir == src.In && m.Status == 180 {
			r.rings <- m
		}
	}})
	if err != nil {
		t.Fatal(err)
	}
	r.dialog, err = d.client.Start(t.Context(), src.Request{Require: []string{"siprec", "100rel"}, Streams: src.TwoParties(src.PCMU())})
	if err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	m := <-r.rings
	r.tag, _ = mustAddr(t, m.Get("To")).Param("tag")
	r.rseq = m.Get("RSeq")
	if r.rseq == "" || !m.Lists("Require", "100rel") || len(m.Body) > 0 {
		t.Errorf("180 is %s", m.Raw)
	}
	return r
}

func (r *ringing) do(method string, headers ...src.Header) *src.Message {
	r.t.Helper()
	m, err := r.dialog.Do(r.t.Context(), method, src.Request{ToTag: r.tag, Headers: headers})
	if err != nil {
		r.t.Fatal(err)
	}
	return m
}

func (r *ringing) prack(rack string) *src.Message {
	return r.do("PRACK", src.Header{Name: "RAck", Value: rack})
}

// TestReliableProvisional is RFC 3262 §3: the 180 is repeated, twice as late each
// time, until the PRACK that names it, and the 200 comes after that.
// Shows DRV3262-3-01, 3262-3-02.
func TestReliableProvisional(t *testing.T) {
	r := newRinging(t, newDesk(t, nil, neverAsk))
	for _, wait := range []time.Duration{500 * time.Millisecond, time.Second, 2 * time.Second, 4 * time.Second} {
		r.clock.await(wait)
		r.clock.advance(wait)
		if m := <-r.rings; m.Get("RSeq") != r.rseq {
			t.Errorf("RSeq is %q, was %q", m.Get("RSeq"), r.rseq)
		}
	}
	for _, rack := range []string{"", "1", r.rseq + "9 1 INVITE", r.rseq + " 2 INVITE", r.rseq + " 1 BYE", "x 1 INVITE"} {
		if m := r.prack(rack); m.Status != 481 {
			t.Errorf("RAck %q answered %d", rack, m.Status)
		}
	}
	if m := r.do("UPDATE"); m.Status != 500 || !m.Has("Retry-After") {
		t.Errorf("UPDATE answered %d", m.Status)
	}
	if f := r.dialog.Final(); f != nil {
		t.Fatalf("answered %d before the PRACK", f.Status)
	}
	if m := r.prack(r.rseq + " 1 INVITE"); m.Status != 200 {
		t.Errorf("PRACK answered %d", m.Status)
	}
	f, err := r.dialog.Wait(t.Context())
	if err != nil || f.Status != 200 || f.ContentType() != "application/sdp" {
		t.Errorf("INVITE: %v, %v", f, err)
	}
	if m := r.prack(r.rseq + " 1 INVITE"); m.Status != 481 {
		t.Errorf("a second PRACK answered %d", m.Status)
	}
	if m := r.do("BYE"); m.Status != 200 {
		t.Errorf("BYE answered %d", m.Status)
	}
	r.want(Ended)
}

// TestPrackWithSDP: an offer in it is refused in words, and the 200 comes.
// Shows DRV3262-3-01.
func TestPrackWithSDP(t *testing.T) {
	r := newRinging(t, newDesk(t, nil, neverAsk))
	m, err := r.dialog.Do(t.Context(), "PRACK", src.Request{
		ToTag: r.tag, Headers: header("RAck", r.rseq+" 1 INVITE"), ContentType: "application/sdp", Body: offerText("sendonly"),
	})
	if err != nil || m.Status != 488 || !strings.Contains(m.Get("Warning"), "PRACK") {
		t.Errorf("PRACK: %v, %v", m, err)
	}
	if f, err := r.dialog.Wait(t.Context()); err != nil || f.Status != 200 {
		t.Errorf("INVITE: %v, %v", f, err)
	}
}

// Shows DRV3262-3-01.
func TestNoPrack(t *testing.T) {
	r := newRinging(t, newDesk(t, nil, neverAsk))
	for range 7 {
		r.clock.advance(5 * time.Second)
	}
	if ev := r.want(Ended); ev.Reason != EndNoPrack {
		t.Errorf("ended by %s", ev.Reason)
	}
	if f, err := r.dialog.Wait(t.Context()); err != nil || f.Status != 504 {
		t.Errorf("INVITE: %v, %v", f, err)
	}
}

// TestEndBeforePrack: CANCEL and BYE while the 200 is kept back.
// Shows DRV3262-3-01.
func TestEndBeforePrack(t *testing.T) {
	for _, method := range []string{"CANCEL", "BYE"} {
		r := newRinging(t, newDesk(t, nil, neverAsk))
		reason := EndBye
		if method == "CANCEL" {
			reason = EndCancel
			if m, err := r.dialog.Cancel(t.Context()); err != nil || m.Status != 200 {
				t.Errorf("CANCEL: %v, %v", m, err)
			}
		} else if m := r.do("BYE"); m.Status != 200 {
			t.Errorf("BYE answered %d", m.Status)
		}
		if f, err := r.dialog.Wait(t.Context()); err != nil || f.Status != 487 {
			t.Errorf("%s: INVITE: %v, %v", method, f, err)
		}
		if ev := r.want(Ended); ev.Reason != reason {
			t.Errorf("%s: ended by %s", method, ev.Reason)
		}
	}
}

// TestRefusedWhileRinging: the handler's refusal does not wait for a PRACK.
func TestRefusedWhileRinging(t *testing.T) {
	r := newRinging(t, newDesk(t, func(_ *RecordingSession, ev *Event) { ev.Reject(503, "no disk") }, neverAsk))
	if f, err := r.dialog.Wait(t.Context()); err != nil || f.Status != 503 {
		t.Errorf("INVITE: %v, %v", f, err)
	}
	r.want(Ended)
	r.clock.await()
}

// TestSupportedReliability asks for nothing: the 200 comes at once.
func TestSupportedReliability(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{Headers: header("Supported", "100rel")})
	if f := dialog.Final(); f.Status != 200 || len(dialog.Provisional()) != 0 {
		t.Errorf("answered %d after %d provisional responses", f.Status, len(dialog.Provisional()))
	}
	d.want(Offered)
}
