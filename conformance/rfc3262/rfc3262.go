// Package rfc3262 checks reliable provisional responses (RFC 3262).
package rfc3262

import (
	"context"
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{
		{
			ID: "rfc3262/3/1", Section: "RFC 3262 §3", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"DRV3262-3-01", "3262-3-02", "7866-6.2-04"},
			Requirement: "An SRC that requires 100rel is not refused, and a provisional response to it is a reliable one with +sip.srs.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Start(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Require: []string{"siprec", "100rel"}})
				if m := reliable(ctx, t, d); m != nil {
					t.Status(prack(ctx, t, d, m, "1"), 200)
				}
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
			},
		},
		{
			ID: "rfc3262/3/2", Section: "RFC 3262 §3", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"DRV3262-3-01"},
			Requirement: "A PRACK that matches no provisional response is refused with 481.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Start(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Require: []string{"siprec", "100rel"}})
				m := reliable(ctx, t, d)
				if m == nil {
					t.Skipf("the server sends no provisional response")
				}
				t.Status(prack(ctx, t, d, m, "7"), 481)
				t.Status(prack(ctx, t, d, m, "1"), 200)
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
			},
		},
	}
}

// reliable waits for a provisional response and looks at it; nil says that the final
// one came at once.
func reliable(ctx context.Context, t *check.T, d *src.Dialog) *src.Message {
	m, err := d.AwaitProvisional(ctx)
	t.Check(err, "provisional response")
	if m == nil {
		return nil
	}
	if !m.Lists("Require", "100rel") || m.Get("RSeq") == "" {
		t.Fatalf("provisional response has Require %q and RSeq %q", m.Get("Require"), m.Get("RSeq"))
	}
	if !strings.HasSuffix(m.Get("Contact"), ">;+sip.srs") {
		t.Errorf("Contact of the provisional response is %q", m.Get("Contact"))
	}
	return m
}

// prack acknowledges a provisional response to the INVITE with that CSeq.
func prack(ctx context.Context, t *check.T, d *src.Dialog, m *src.Message, cseq string) *src.Message {
	to, err := src.ParseAddr(m.Get("To"))
	if err != nil {
		t.Fatalf("To of the provisional response cannot be read: %v", err)
	}
	tag, _ := to.Param("tag")
	res, err := d.Do(ctx, "PRACK", src.Request{
		ToTag:   tag,
		Headers: []src.Header{{Name: "RAck", Value: fmt.Sprintf("%s %s INVITE", m.Get("RSeq"), cseq)}},
	})
	t.Check(err, "PRACK")
	return res
}
