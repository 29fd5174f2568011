package siprec

import (
	"context"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestRequestBeforeTheAnswer: RFC 3261 §14.2 and RFC 3311 §5.2, while the handler
// has not answered yet. Metadata of what is refused reaches nobody.
// Shows DRV3261-14.2-01, DRV3311-5.2-01.
func TestRequestBeforeTheAnswer(t *testing.T) {
	tests := []struct {
		name, first, second string
		offer               bool
	}{
		{"INVITE after INVITE", "INVITE", "INVITE", true},
		{"offerless INVITE after INVITE", "INVITE", "INVITE", false},
		{"UPDATE with an offer after UPDATE", "UPDATE", "UPDATE", true},
		{"UPDATE with an offer after INVITE", "INVITE", "UPDATE", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			release := make(chan struct{})
			d := newDesk(t, func(_ *RecordingSession, ev *Event) {
				if ev.Kind == Changed {
					<-release
				}
			})
			dialog := d.invite(src.Request{})
			d.want(Offered)
			done := make(chan *src.Message, 1)
			go func() {
				m, _ := dialog.Do(t.Context(), tt.first, src.Request{Streams: dialog.WithDirection(src.Inactive)})
				done <- m
			}()
			d.want(Changed)
			r := src.Request{Metadata: []byte("<recording/>")}
			if tt.offer {
				r.Streams = dialog.Offers()
			}
			m, err := dialog.Do(t.Context(), tt.second, r)
			if err != nil || m.Status != 500 || !m.Has("Retry-After") {
				t.Errorf("%s: %v, %v", tt.second, m, err)
			}
			close(release)
			if m := <-done; m == nil || m.Status != 200 {
				t.Errorf("%s: %v", tt.first, m)
			}
			if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
				t.Errorf("BYE: %v, %v", m, err)
			}
			d.want(Ended)
		})
	}
}

// UPDATEs that bring only metadata are all taken, in their order, however soon
// after each other they come: their SRC would not send a refused one again.
func TestMetadataAfterMetadata(t *testing.T) {
	release := make(chan struct{})
	d := newDesk(t, func(_ *RecordingSession, ev *Event) {
		if ev.Kind == Changed {
			<-release
		}
	})
	dialog := d.invite(src.Request{})
	d.want(Offered)
	answers := make(chan *src.Message, 2)
	send := func(document string) {
		m, _ := dialog.Do(t.Context(), "UPDATE", src.Request{Metadata: []byte(document)})
		answers <- m
	}
	go send("<one/>")
	d.want(Changed)
	go send("<two/>")
	arrived := func() bool { return dialog.LastCSeq() == 3 } // INVITE, UPDATE, UPDATE
	for !arrived() {
		runtime.Gosched()
	}
	close(release)
	for range 2 {
		if m := <-answers; m == nil || m.Status != 200 {
			t.Errorf("UPDATE: %v", m)
		}
	}
	if ev := d.want(Changed); string(ev.Metadata[0]) != "<two/>" {
		t.Errorf("metadata %q, want that of the second UPDATE", ev.Metadata)
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
	d.want(Ended)
}

// pausing hands the recording session out at its begin and pauses all of it at
// the first metadata.
func pausing(rs *RecordingSession, ev *Event) {
	if ev.Kind == Changed && len(ev.Metadata) > 0 {
		if string(ev.Metadata[0]) == "<pause/>" {
			rs.Pause(0, 1)
		} else {
			rs.Resume()
		}
	}
}

func (d *desk) tell(dialog *src.Dialog, document string) {
	d.t.Helper()
	if m, err := dialog.Update(d.t.Context(), src.Request{Metadata: []byte(document)}); err != nil || m.Status != 200 {
		d.t.Fatalf("UPDATE: %v, %v", m, err)
	}
	d.want(Changed)
}

// TestGlare is RFC 3261 §14: an INVITE of the SRC while ours is pending is
// answered 491, ours that met one is sent again after up to 2 s.
// Shows DRV3261-14.2-01, DRV3311-5.2-01.
func TestGlare(t *testing.T) {
	d := newDesk(t, pausing, neverAsk)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	var busy atomic.Bool
	busy.Store(true)
	dialog.Handle(func(req *src.Message) *src.Reply {
		if req.Method == "INVITE" && busy.Load() {
			return nil
		}
		return src.AutoReply(req)
	})
	d.tell(dialog, "<pause/>")
	ours := await(t, dialog, "INVITE")
	if m, err := dialog.Reinvite(t.Context(), src.Request{Streams: dialog.Offers()}); err != nil || m.Status != 491 {
		t.Errorf("INVITE while ours is pending: %v, %v", m, err)
	}
	if m, err := dialog.Update(t.Context(), src.Request{Streams: dialog.Offers()}); err != nil || m.Status != 491 {
		t.Errorf("UPDATE with an offer while ours is pending: %v, %v", m, err)
	}
	if m, err := dialog.Info(t.Context(), src.Request{Body: []byte("x"), ContentType: "text/plain"}); err != nil || m.Status != 200 {
		t.Errorf("INFO: %v, %v", m, err)
	}
	d.want(Changed)
	busy.Store(false)
	offer, err := ours.SDP()
	if err != nil || offer.DirectionOf(0) != src.Inactive || offer.DirectionOf(1) != src.Inactive {
		t.Errorf("offer is %+v, %v", offer, err)
	}
	await(t, dialog, "ACK") // the retransmission of ours was answered
}

// Shows DRV3261-14.2-01, 3261-14.1-01.
func TestOursIsSentAgainAfter491(t *testing.T) {
	d := newDesk(t, pausing, neverAsk)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	var refused atomic.Int32
	dialog.Handle(func(req *src.Message) *src.Reply {
		if req.Method == "INVITE" && refused.Add(1) <= 2 {
			return &src.Reply{Status: 491}
		}
		return src.AutoReply(req)
	})
	d.tell(dialog, "<pause/>")
	for i := range 2 {
		await(t, dialog, "INVITE")
		await(t, dialog, "ACK")
		wait := d.clock.awaitWithin(2 * time.Second)
		if m, err := dialog.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Errorf("OPTIONS: %v, %v", m, err)
		}
		if n := refused.Load(); int(n) != i+1 {
			t.Errorf("%d INVITEs before the wait is over, want %d", n, i+1)
		}
		if wait < 0 || wait%(10*time.Millisecond) != 0 {
			t.Errorf("sent again after %v", wait)
		}
		d.clock.advance(wait)
	}
	again := await(t, dialog, "INVITE")
	if offer, err := again.SDP(); err != nil || offer.DirectionOf(0) != src.Inactive {
		t.Errorf("offer is %+v, %v", offer, err)
	}
	await(t, dialog, "ACK")
}

// TestGlareWithoutEnd: an SRC that always answers 491 is asked eleven times, and again
// when there is something new to ask for.
func TestGlareWithoutEnd(t *testing.T) {
	d := newDesk(t, pausing, neverAsk)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	dialog.Handle(func(req *src.Message) *src.Reply {
		if req.Method == "INVITE" {
			return &src.Reply{Status: 491}
		}
		return src.AutoReply(req)
	})
	d.tell(dialog, "<pause/>")
	for range mostCollisions {
		await(t, dialog, "INVITE")
		await(t, dialog, "ACK")
		d.clock.advance(d.clock.awaitWithin(2 * time.Second))
	}
	await(t, dialog, "INVITE")
	await(t, dialog, "ACK")
	d.tell(dialog, "<resume/>")
	soon, cancel := context.WithTimeout(t.Context(), 5*time.Second)
	defer cancel()
	if _, err := dialog.NextRequest(soon, "INVITE"); err != nil {
		t.Fatalf("a new wish waits behind the one that was given up: %v", err)
	}
	await(t, dialog, "ACK")
}

// TestGlareWait is RFC 3261 §14.1, for both sides.
// Shows DRV3261-14.2-01, 3261-14.1-01.
func TestGlareWait(t *testing.T) {
	s := newIdle(t)
	defer s.front.Close()
	defer s.plane.Close()
	for range 2000 {
		for owner, want := range map[bool][2]time.Duration{true: {2100 * time.Millisecond, 4 * time.Second}, false: {0, 2 * time.Second}} {
			if got := s.glareWait(owner); got < want[0] || got > want[1] || got%(10*time.Millisecond) != 0 {
				t.Fatalf("owner %v waits %v", owner, got)
			}
		}
	}
}

// TestPauseAndResume: inactive in our offer and in answers, and never said of the
// streams themselves.
// Shows 7866-7.2-02, 7866-7.2-03, 7866-7.2-06.
func TestPauseAndResume(t *testing.T) {
	d := newDesk(t, pausing, neverAsk)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	direction := func(m *src.Message) string {
		t.Helper()
		sdp, err := m.SDP()
		if err != nil || sdp == nil {
			t.Fatalf("%v in %s", err, m.Raw)
		}
		return sdp.DirectionOf(0) + " " + sdp.DirectionOf(1)
	}
	d.tell(dialog, "<pause/>")
	if got := direction(await(t, dialog, "INVITE")); got != "inactive inactive" {
		t.Errorf("paused by %s", got)
	}
	await(t, dialog, "ACK")
	m, err := dialog.Reinvite(t.Context(), src.Request{Streams: dialog.WithDirection(src.SendOnly), Metadata: []byte("<pause/>")})
	if err != nil || direction(m) != "inactive inactive" {
		t.Errorf("offer while paused answered %s, %v", direction(m), err)
	}
	if ev := d.want(Changed); !ev.Streams[0].Receiving {
		t.Errorf("streams are %+v", ev.Streams)
	}
	d.tell(dialog, "<resume/>")
	if got := direction(await(t, dialog, "INVITE")); got != "recvonly recvonly" {
		t.Errorf("resumed by %s", got)
	}
	await(t, dialog, "ACK")
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v, %v", m, err)
	}
	if ev := d.want(Ended); !ev.Streams[0].Receiving || !ev.Streams[1].Receiving {
		t.Errorf("streams are %+v", ev.Streams)
	}
}

// TestSRCRefusesThePause: nothing is changed and nothing asked again.
func TestSRCRefusesThePause(t *testing.T) {
	d := newDesk(t, pausing, neverAsk)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	dialog.Handle(func(req *src.Message) *src.Reply { return &src.Reply{Status: 488} })
	d.tell(dialog, "<pause/>")
	await(t, dialog, "INVITE")
	await(t, dialog, "ACK")
	dialog.Handle(nil)
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v, %v", m, err)
	}
	if ev := d.want(Ended); !ev.Streams[0].Receiving || ev.Reason != EndBye {
		t.Errorf("ended by %s with %+v", ev.Reason, ev.Streams)
	}
	if n := len(dialog.Requests()); n != 2 {
		t.Errorf("%d requests of ours", n)
	}
}

// TestAckWithoutAnswer: an offerless INVITE whose ACK brings no answer leaves what
// was agreed, and keeps nobody from offering.
// Shows DRV3261-14.2-02.
func TestAckWithoutAnswer(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	if m, err := dialog.Reinvite(t.Context(), src.Request{Streams: dialog.WithDirection(src.Inactive)}); err != nil || m.Status != 200 {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
	d.want(Changed)
	m, err := dialog.Reinvite(t.Context(), src.Request{Metadata: []byte("<recording/>"), WithholdACK: true})
	if err != nil || m.Status != 200 {
		t.Fatalf("offerless re-INVITE: %v, %v", m, err)
	}
	if offer, err := m.SDP(); err != nil || offer == nil || len(offer.Media) != 2 || offer.DirectionOf(0) != src.RecvOnly {
		t.Errorf("offer in the 200 is %+v, %v", offer, err)
	}
	d.want(Changed)
	if m, err := dialog.Update(t.Context(), src.Request{Streams: dialog.Offers()}); err != nil || m.Status != 491 {
		t.Errorf("UPDATE with an offer before the answer: %v, %v", m, err)
	}
	for _, offers := range [][]src.StreamOffer{dialog.Offers(), nil} {
		if m, err := dialog.Reinvite(t.Context(), src.Request{Streams: offers}); err != nil || m.Status != 491 {
			t.Errorf("re-INVITE of %d streams before the answer: %v, %v", len(offers), m, err)
		}
	}
	bare := bareAck(t, dialog, m)
	if err := dialog.SendRaw(bare); err != nil {
		t.Fatal(err)
	}
	d.stand(dialog)
	if m, err := dialog.Update(t.Context(), src.Request{Metadata: []byte("<recording/>")}); err != nil || m.Status != 200 {
		t.Errorf("UPDATE: %v, %v", m, err)
	}
	if ev := d.want(Changed); ev.Streams[0].Receiving {
		t.Errorf("streams are %+v", ev.Streams)
	}
	if m, err := dialog.Update(t.Context(), src.Request{Streams: dialog.WithDirection(src.SendOnly)}); err != nil || m.Status != 200 {
		t.Errorf("UPDATE with an offer: %v, %v", m, err)
	}
	if ev := d.want(Changed); !ev.Streams[0].Receiving {
		t.Errorf("streams are %+v", ev.Streams)
	}
}

// bareAck is an ACK without a body.
func bareAck(t *testing.T, dialog *src.Dialog, final *src.Message) []byte {
	t.Helper()
	n, _ := final.CSeq()
	contact := mustAddr(t, final.Get("Contact"))
	return []byte("ACK " + contact.URI + " SIP/2.0\r\nVia: " + final.Get("Via") + "ack\r\nMax-Forwards: 70\r\nFrom: " + final.Get("From") +
		"\r\nTo: " + final.Get("To") + "\r\nCall-ID: " + dialog.CallID() + "\r\nCSeq: " + itoa(n) + " ACK\r\nContent-Length: 0\r\n\r\n")
}
