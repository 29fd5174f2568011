package rfc3261

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// The times of repetitions, of a server whose T1 is at most that of RFC 3261 §17.1.1.1.
const (
	quiet  = 1600 * time.Millisecond // after which a repetition would have come
	flight = 700 * time.Millisecond  // in which one may have been under way
	giveUp = 32 * time.Second        // 64*T1
)

// repetitions are further cases of responses to INVITE that are sent again (RFC 3261
// §13.3.1.4, §17.2.1).
func repetitions() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/13.3.1.4/2", Section: "RFC 3261 §13.3.1.4", Level: check.Should, Timeout: giveUp + 10*time.Second,
			Shows:       []string{"DRV3261-13.3.1.4-01"},
			Requirement: "When no ACK comes for 64*T1, the recording session is ended by a BYE.",
			Run: func(ctx context.Context, t *check.T) {
				if t.Transport() != "udp" {
					t.Skipf("it does not depend on the transport")
				}
				d := t.Open(ctx, src.Request{WithholdACK: true})
				if _, err := d.NextRequest(ctx, "BYE"); err != nil {
					t.Errorf("no BYE came: %v", err)
				}
			},
		},
		{
			ID: "rfc3261/13.3.1.4/3", Section: "RFC 3261 §13.3.1.4", Level: check.Must, Timeout: 20 * time.Second,
			Shows:       []string{"DRV3261-13.3.1.4-01"},
			Requirement: "The 200 is sent again at intervals that double.",
			Run: func(ctx context.Context, t *check.T) {
				var first, third time.Duration
				for range 3 { // a machine that is late may hide it once
					if first, third = paces(ctx, t); third >= 2*first {
						return
					}
				}
				t.Errorf("the first repetition came after %s, the third %s after the second", first, third)
			},
		},
		{
			ID: "rfc3261/13.3.1.4/4", Section: "RFC 3261 §13.3.1.4", Level: check.Must,
			Shows:       []string{"DRV3261-13.3.1.4-01"},
			Requirement: "The 200 is not sent again when its ACK has come.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{WithholdACK: true})
				_, err := d.AwaitRepeats(ctx, 1)
				if err != nil {
					t.Fatalf("200 without ACK was not repeated: %v", err)
				}
				t.Check(d.Ack(), "ACK")
				quietSince(ctx, t, d)
			},
		},
		{
			ID: "rfc3261/13.3.1.4/5", Section: "RFC 3261 §13.3.1.4, §14.2", Level: check.Must,
			Shows:       []string{"DRV3261-13.3.1.4-01"},
			Requirement: "The 200 to a re-INVITE is sent again too, until its own ACK comes.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), WithholdACK: true})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				if n, err := d.AwaitRepeats(ctx, 2); err != nil {
					t.Errorf("200 without ACK was repeated %d times only: %v", n, err)
				}
				t.Check(d.Ack(), "ACK")
			},
		},
		{
			ID: "rfc3261/17.2.1/2", Section: "RFC 3261 §17.2.1", Level: check.Must, Needs: []string{"udp"},
			Shows:       []string{"3261-17.2.1-02"},
			Requirement: "A refusal of an INVITE is sent again until its ACK comes, and not after it.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				d := t.Invite(ctx, t.Client(ctx), src.Request{
					Streams: src.TwoParties(), Require: []string{"x-unheard-of"}, WithholdACK: true,
				})
				t.Status(d.Final(), 420)
				if n, err := d.AwaitRepeats(ctx, 2); err != nil {
					t.Fatalf("420 without ACK was repeated %d times only: %v", n, err)
				}
				t.Check(d.Ack(), "ACK")
				quietSince(ctx, t, d)
			},
		},
		{
			ID: "rfc3261/17.2.1/3", Section: "RFC 3261 §17.2.1, RFC 6026 §7.1", Level: check.Must, Needs: []string{"udp"},
			Shows:       []string{"3261-17.2.1-01"},
			Requirement: "A copy of the INVITE that comes after the ACK opens nothing: it gets the same 200, or no response.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				c := t.Client(ctx)
				d := t.Invite(ctx, c, src.Request{Streams: src.TwoParties()})
				t.Status(d.Final(), 200)
				t.Check(d.Resend(), "INVITE again")
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE after it")
				t.Status(m, 200)
				for _, m := range append(d.Repeated(), c.Unexpected()...) {
					if m.Status >= 300 || m.Status == 200 && m.Get("To") != d.Final().Get("To") {
						t.Errorf("the copy is answered %d with To %s", m.Status, m.Get("To"))
					}
				}
			},
		},
		{
			ID: "rfc3261/17.2.2/2", Section: "RFC 3261 §17.2.2", Level: check.Must, Needs: []string{"udp"},
			Shows:       []string{"3261-17.2.1-01"},
			Requirement: "A BYE that comes again gets 200 again, though its dialog is gone.",
			Run: func(ctx context.Context, t *check.T) {
				overUDP(t)
				d := t.Open(ctx, src.Request{})
				again := src.Request{Branch: "z9hG4bK-again-" + d.CallID()[:16], CSeq: d.LastCSeq() + 1}
				for range 2 {
					m, err := d.Bye(ctx, again)
					t.Check(err, "BYE")
					t.Status(m, 200)
				}
			},
		},
	}
}

// paces are the times before the first and the third repetition of a 200 without ACK.
func paces(ctx context.Context, t *check.T) (first, third time.Duration) {
	d := t.Open(ctx, src.Request{WithholdACK: true})
	if n, err := d.AwaitRepeats(ctx, 3); err != nil {
		t.Fatalf("200 without ACK was repeated %d times only: %v", n, err)
	}
	t.Check(d.Ack(), "ACK")
	again := d.Repeated()
	return again[0].At.Sub(d.Final().At), again[2].At.Sub(again[1].At)
}

// overUDP skips a case over transports on which nothing is sent again.
func overUDP(t *check.T) {
	if t.Transport() != "udp" {
		t.Skipf("nothing is retransmitted over %s", t.Transport())
	}
}

// quietSince fails when a repetition of the last INVITE's response comes that was not
// under way when its ACK left.
func quietSince(ctx context.Context, t *check.T, d *src.Dialog) {
	left := time.Now()
	ctx, cancel := context.WithTimeout(ctx, quiet)
	defer cancel()
	for n := len(d.Repeated()); ; n++ {
		if _, err := d.AwaitRepeats(ctx, n+1); err != nil {
			return
		}
		if m := d.Repeated()[n]; m.At.Sub(left) > flight {
			t.Fatalf("the %d came again %s after its ACK", m.Status, m.At.Sub(left))
		}
	}
}
