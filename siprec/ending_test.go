package siprec

import (
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec/internal/front"
)

// TestPanicAtTheAckCostsOneRecordingSession: an ACK has no transaction in which
// the failure could be answered.
func TestPanicAtTheAckCostsOneRecordingSession(t *testing.T) {
	d := newDesk(t, func(_ *RecordingSession, ev *Event) {
		if ev.Method == "ACK" {
			panic("handler")
		}
	})
	broken := bareAt(t, d, "127.0.0.1")
	_, m := broken.status(t, "INVITE", "", 1, "")
	if _, err := broken.conn.Write(broken.text("ACK", "bound", tagOf(m), 1, head+"m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n")); err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	if ev := d.want(Changed); ev.Method != "ACK" || !ev.HasOffer {
		t.Errorf("event of %s", ev.Method)
	}
	if m, err := broken.next(); err != nil || !strings.HasPrefix(m, "BYE ") {
		t.Errorf("%v came\n%s", err, m)
	}
	if f := d.invite(src.Request{}).Final(); f.Status != 200 {
		t.Errorf("the next recording session was answered %d", f.Status)
	}
}

// TestRequestsAfterTheEnd: a handler that takes its time over the end keeps
// nobody waiting. BYEs that cross each other are both answered 200 (RFC 5407), all else 481.
func TestRequestsAfterTheEnd(t *testing.T) {
	finished := make(chan struct{})
	ready := make(chan *RecordingSession, 1)
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		switch ev.Kind {
		case Offered:
			ready <- rs
		case Ended:
			<-finished
		}
	})
	defer close(finished)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	d.settled(dialog)
	(<-ready).End()
	d.want(Ended)
	await(t, dialog, "BYE")
	if m, err := dialog.Update(t.Context(), src.Request{}); err != nil || m.Status != 481 {
		t.Errorf("UPDATE: %v, %v", m, err)
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
}

// hasty is a transport on which the ACK is there before the write of the 200
// has returned.
type hasty struct {
	*front.Flow
	rs *RecordingSession
}

func (h hasty) WriteMsg(msg sip.Message) error {
	if res, ok := msg.(*sip.Response); ok && res.StatusCode == 200 {
		h.rs.ackArrived(res.CSeq().SeqNo)
	}
	return h.Flow.WriteMsg(msg)
}

func TestAckBeforeTheWriteReturns(t *testing.T) {
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			r := rs.pending.req
			r.tx.Terminate()
			r.tx = sip.NewServerTx("hasty", r.Request, hasty{r.Flow, rs}, rs.server.tx.log)
			if err := r.tx.Init(); err != nil {
				t.Error(err)
			}
			t.Cleanup(r.tx.Terminate)
		}
	})
	dialog := d.invite(src.Request{WithholdACK: true})
	d.want(Offered)
	d.clock.await(90 * time.Second) // the watch; no repetition
	if _, err := dialog.Bye(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	d.want(Ended)
}

// TestLaterRequestShowsThatThe200Arrived: it is not repeated then, though the ACK was
// lost.
func TestLaterRequestShowsThatThe200Arrived(t *testing.T) {
	d := newDesk(t, nil, neverAsk)
	dialog := d.invite(src.Request{WithholdACK: true})
	d.want(Offered)
	for range 2 { // the answer to the second is behind what the clock has sent
		if m, err := dialog.Options(t.Context(), src.Request{}); err != nil || m.Status != 200 {
			t.Fatalf("OPTIONS: %v, %v", m, err)
		}
		d.clock.advance(time.Minute)
	}
	if n := len(dialog.Repeated()); n > 0 {
		t.Errorf("200 was repeated %d times", n)
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
	if ev := d.want(Ended); ev.Reason != EndBye {
		t.Errorf("ended by %s", ev.Reason)
	}
}

// TestByeWaitsForTheAck is RFC 3261 §15: the callee sends no BYE before the ACK.
func TestByeWaitsForTheAck(t *testing.T) {
	ready := make(chan *RecordingSession, 1)
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ready <- rs
		}
	})
	dialog := d.invite(src.Request{WithholdACK: true})
	d.want(Offered)
	(<-ready).End()
	d.clock.await(500*time.Millisecond, 90*time.Second)
	d.clock.advance(500 * time.Millisecond)
	if _, err := dialog.AwaitRepeats(t.Context(), 1); err != nil {
		t.Fatal(err)
	}
	if n := len(dialog.Requests()); n != 0 {
		t.Errorf("%d requests of ours before the ACK", n)
	}
	if err := dialog.Ack(); err != nil {
		t.Fatal(err)
	}
	if ev := d.want(Ended); ev.Reason != EndLocal {
		t.Errorf("ended by %s", ev.Reason)
	}
	await(t, dialog, "BYE")
}

// TestCancelIsAnsweredWithTheTagOfItsInvite is RFC 3261 §9.2.
// Shows 3261-9.2-01.
func TestCancelIsAnsweredWithTheTagOfItsInvite(t *testing.T) {
	release := make(chan struct{})
	d := newDesk(t, func(_ *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			<-release
		}
	})
	dialog, err := d.client.Start(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU())})
	if err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	cancelled, err := dialog.Cancel(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	close(release)
	final, err := dialog.Wait(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	one, _ := mustAddr(t, cancelled.Get("To")).Param("tag")
	other, _ := mustAddr(t, final.Get("To")).Param("tag")
	if one == "" || one != other {
		t.Errorf("CANCEL answered with tag %q, INVITE with %q", one, other)
	}
	d.want(Ended)
}
