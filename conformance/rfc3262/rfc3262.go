// Package rfc3262 checks reliable provisional responses (RFC 3262).
package rfc3262

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case { return append(acknowledged(), repeated()...) }

func acknowledged() []check.Case {
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
				d, m := ringing(ctx, t)
				t.Status(prack(ctx, t, d, m, "7"), 481)
				t.Status(prack(ctx, t, d, m, "1"), 200)
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
			},
		},
		{
			ID: "rfc3262/3/3", Section: "RFC 3261 §9.2", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"DRV3261-9-01"},
			Requirement: "An INVITE that is cancelled before its final response gets 487.",
			Run: func(ctx context.Context, t *check.T) {
				d, _ := ringing(ctx, t)
				m, err := d.Cancel(ctx)
				t.Check(err, "CANCEL")
				t.Status(m, 200)
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE after CANCEL")
				t.Status(final, 487)
			},
		},
		{
			ID: "rfc3262/3/4", Section: "RFC 3261 §14.2, RFC 3311 §5.2", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"DRV3261-14.2-01", "DRV3311-5.2-01"},
			Requirement: "A second INVITE, or an UPDATE with an offer, before the answer to the first gets 500 with Retry-After, or 491.",
			Run: func(ctx context.Context, t *check.T) {
				d, m := ringing(ctx, t)
				for _, method := range []string{"INVITE", "UPDATE"} {
					res, err := d.Do(ctx, method, src.Request{Streams: d.Offers(), ToTag: toTag(t, m)})
					t.Check(err, method)
					t.Status(res, 500, 491)
					if res.Status == 500 && !res.Has("Retry-After") {
						t.Errorf("the 500 to %s has no Retry-After", method)
					}
				}
				t.Status(prack(ctx, t, d, m, "1"), 200)
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
			},
		},
	}
}

// repeated are the cases of responses that come again, and of what they are numbered by.
func repeated() []check.Case {
	return []check.Case{
		{
			ID: "rfc3262/3/5", Section: "RFC 3262 §3", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"DRV3262-3-01"},
			Requirement: "A reliable provisional response is sent again until its PRACK comes, with the same RSeq.",
			Run: func(ctx context.Context, t *check.T) {
				d, m := ringing(ctx, t)
				if n, err := d.AwaitRinging(ctx, 3); err != nil {
					t.Fatalf("without PRACK it came %d times only: %v", n, err)
				}
				for _, again := range d.Provisional() {
					if again.Status == m.Status && again.Get("RSeq") != m.Get("RSeq") {
						t.Errorf("RSeq was %s, and then %s", m.Get("RSeq"), again.Get("RSeq"))
					}
				}
				t.Status(prack(ctx, t, d, m, "1"), 200)
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
			},
		},
		{
			ID: "rfc3262/3/6", Section: "RFC 3262 §3, §7.1", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"3262-3-02"},
			Requirement: "The first RSeq is a number from 1 to 2,147,483,647.",
			Run: func(ctx context.Context, t *check.T) {
				d, m := ringing(ctx, t)
				if n, err := strconv.ParseUint(m.Get("RSeq"), 10, 32); err != nil || n < 1 || n > 1<<31-1 {
					t.Errorf("RSeq is %q", m.Get("RSeq"))
				}
				prack(ctx, t, d, m, "1")
				_, err := d.Wait(ctx)
				t.Check(err, "INVITE")
			},
		},
		{
			ID: "rfc3262/3/7", Section: "RFC 3262 §3, RFC 3261 §12.2.2", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"DRV3262-3-01"},
			Requirement: "A PRACK of a dialog that does not exist is refused with 481.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Do(ctx, t.Client(ctx), "PRACK", src.Request{ToTag: "never-was", Headers: []src.Header{{Name: "RAck", Value: "1 1 INVITE"}}})
				t.Status(m, 481)
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
	res, err := d.Do(ctx, "PRACK", src.Request{
		ToTag:   toTag(t, m),
		Headers: []src.Header{{Name: "RAck", Value: fmt.Sprintf("%s %s INVITE", m.Get("RSeq"), cseq)}},
	})
	t.Check(err, "PRACK")
	return res
}

// toTag is the tag of the server.
func toTag(t *check.T, m *src.Message) string {
	to, err := src.ParseAddr(m.Get("To"))
	if err != nil {
		t.Fatalf("To of the provisional response cannot be read: %v", err)
	}
	tag, _ := to.Param("tag")
	return tag
}

// ringing sends an INVITE that is not answered before the PRACK of its provisional
// response; a server without one is not judged.
func ringing(ctx context.Context, t *check.T) (*src.Dialog, *src.Message) {
	d := t.Start(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Require: []string{"siprec", "100rel"}})
	m := reliable(ctx, t, d)
	if m == nil {
		t.Skipf("the server sends no provisional response")
	}
	return d, m
}
