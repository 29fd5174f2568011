package rfc3261

import (
	"context"
	"fmt"
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// routes are the cases of the route set and of requests in a dialog (RFC 3261 §12).
func routes() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/12.1.1/1", Section: "RFC 3261 §12.1.1", Level: check.Must,
			Shows:       []string{"3261-12.1.1-01"},
			Requirement: "The 200 to an INVITE repeats its Record-Route, all of it, in order and with every parameter.",
			Run: func(ctx context.Context, t *check.T) {
				want := []string{"<sip:near.example.com;lr;x=1>;seen=yes", "<sip:far.example.com;lr>"}
				c := t.Client(ctx)
				d := t.Start(ctx, c, src.Request{Streams: src.TwoParties(), Headers: []src.Header{
					{Name: "Record-Route", Value: want[0]}, {Name: "Record-Route", Value: want[1]},
				}})
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
				if got := final.List("Record-Route"); !slices.Equal(got, want) {
					t.Errorf("Record-Route is %q, sent %q", got, want)
				}
			},
		},
		{
			ID: "rfc3261/12.2.1.1/1", Section: "RFC 3261 §12.2.1.1", Level: check.Must, Needs: []string{"update", "snapshot"},
			Shows:       []string{"3261-12.2.1.1-01"},
			Requirement: "A request of the server has the route set as Route and the Contact of the SRC as Request-URI.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				route := fmt.Sprintf("<sip:way@%s;transport=%s;lr>", c.Local(), t.Transport())
				talk := check.Conversation()
				d := t.Invite(ctx, c, src.Request{
					Streams: src.TwoParties(), Metadata: talk.Hold(0),
					Headers: []src.Header{{Name: "Record-Route", Value: route}},
				})
				t.Status(d.Final(), 200)
				m, err := d.NextRequest(ctx, "UPDATE")
				if err != nil {
					t.Fatalf("no UPDATE of the server came: %v", err)
				}
				if got := m.List("Route"); !slices.Equal(got, []string{route}) {
					t.Errorf("Route is %q, expected %q", got, route)
				}
				if want := fmt.Sprintf("sip:src@%s", c.Local()); len(m.RequestURI) < len(want) || m.RequestURI[:len(want)] != want {
					t.Errorf("Request-URI is %q, the Contact was %s", m.RequestURI, want)
				}
			},
		},
		{
			ID: "rfc3261/12.2.2/3", Section: "RFC 3261 §12.2.2", Level: check.Must,
			Shows:       []string{"3261-12.2.2-02"},
			Requirement: "A CSeq that rises by more than one is no error.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), CSeq: d.LastCSeq() + 4000})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				m, err = d.Bye(ctx, src.Request{CSeq: d.LastCSeq() + 9000})
				t.Check(err, "BYE")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc3261/16.12/1", Section: "RFC 3261 §16.12", Level: check.Derived,
			Shows:       []string{"3261-16.12-01"},
			Requirement: "An INVITE that still has a Route to the server itself is taken.",
			Run: func(ctx context.Context, t *check.T) {
				t.Open(ctx, src.Request{Headers: []src.Header{{Name: "Route", Value: "<sip:" + t.Address() + ";lr>"}}})
			},
		},
	}
}

func section14() []check.Case {
	return []check.Case{{
		ID: "rfc3261/14.2/1", Section: "RFC 3261 §14.2", Level: check.Must,
		Shows:       []string{"DRV3261-14.2-02"},
		Requirement: "The offer in the 200 to a re-INVITE without one has the m-lines of before, in order, and never sends.",
		Run: func(ctx context.Context, t *check.T) {
			d := t.Open(ctx, src.Request{Metadata: check.Conversation().Complete()})
			before := t.Answer(d)
			m, err := d.Reinvite(ctx, src.Request{Metadata: check.Conversation().Complete()})
			t.Check(err, "re-INVITE without an offer")
			t.Status(m, 200)
			offer, err := m.SDP()
			if err != nil || offer == nil || len(offer.Media) != len(before.Media) {
				t.Fatalf("the offer in the 200 cannot be used: %v", err)
			}
			for i, line := range offer.Media {
				if dir := offer.DirectionOf(i); dir != src.RecvOnly {
					t.Errorf("m-line %d is offered %s", i, dir)
				}
				if line.Kind != before.Media[i].Kind || line.Port != before.Media[i].Port {
					t.Errorf("m-line %d is %s on port %d, was %s on port %d", i, line.Kind, line.Port, before.Media[i].Kind, before.Media[i].Port)
				}
			}
			m, err = d.Reinvite(ctx, src.Request{Streams: d.Offers()})
			t.Check(err, "re-INVITE after it")
			t.Status(m, 200)
		},
	}}
}

func section18() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/17.2.2/1", Section: "RFC 3261 §17.2.2", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"3261-17.2.1-01", "7866-9.2-01"},
			Requirement: "An UPDATE that comes again gets the answer that it got before, and is not taken for one with an old CSeq.",
			Run: func(ctx context.Context, t *check.T) {
				if t.Transport() != "udp" {
					t.Skipf("nothing is retransmitted over %s", t.Transport())
				}
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				again := src.Request{Metadata: talk.Hold(0), Branch: "z9hG4bK-again-" + d.CallID()[:16], CSeq: d.LastCSeq() + 1}
				for range 2 {
					m, err := d.Update(ctx, again)
					t.Check(err, "UPDATE")
					t.Status(m, 200)
				}
				again.Branch, again.CSeq = "", d.LastCSeq()+2
				m, err := d.Update(ctx, again)
				t.Check(err, "UPDATE")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc3261/18.2.1/1", Section: "RFC 3261 §18.2.1", Level: check.Must,
			Shows:       []string{"3261-8.2.6.2-01", "3261-18.2.1-01"},
			Requirement: "A response has every Via of its request, in order.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Do(ctx, t.Client(ctx), "OPTIONS", src.Request{
					Headers: []src.Header{{Name: "Via", Value: "SIP/2.0/UDP far.example.com:5062;branch=z9hG4bKfar;x=1"}},
				})
				t.Status(m, 200)
				if vias := m.List("Via"); len(vias) != 2 || vias[1] != "SIP/2.0/UDP far.example.com:5062;branch=z9hG4bKfar;x=1" {
					t.Errorf("Via is %q", vias)
				}
			},
		},
	}
}
