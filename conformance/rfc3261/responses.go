package rfc3261

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// responses are the cases of what a response holds (RFC 3261 §8.2.4, §8.2.6, §11.2).
func responses() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/8.2.4/1", Section: "RFC 3261 §8.2.4", Level: check.Must,
			Shows:       []string{"3261-8.2.4-01"},
			Requirement: "Responses to an INVITE without Supported require nothing that the INVITE did not.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				for _, m := range append(d.Provisional(), d.Final()) {
					for _, option := range m.List("Require") {
						if option != "siprec" {
							t.Errorf("the %d requires %s", m.Status, option)
						}
					}
				}
			},
		},
		{
			ID: "rfc3261/8.2.6.2/2", Section: "RFC 3261 §8.2.6.2", Level: check.Must,
			Shows:       []string{"3261-8.2.6.2-01"},
			Requirement: "A refusal has a tag in its To as well.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				refusals := []*src.Message{
					t.Do(ctx, c, "UNHEARD", src.Request{}),
					t.Do(ctx, c, "OPTIONS", src.Request{Require: []string{"x-unheard-of"}}),
					t.Invite(ctx, c, src.Request{Body: []byte("\x89PNG"), ContentType: "image/png"}).Final(),
				}
				for _, m := range refusals {
					if tagOf(t, m.Get("To")) == "" {
						t.Errorf("the %d has no tag in its To: %s", m.Status, m.Get("To"))
					}
				}
			},
		},
		{
			ID: "rfc3261/8.2.6.2/3", Section: "RFC 3261 §8.2.6.2", Level: check.Must,
			Shows:       []string{"3261-8.2.6.2-01"},
			Requirement: "A response repeats the tag of a To that has one, also where it says that there is no such dialog.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Do(ctx, t.Client(ctx), "INFO", src.Request{ToTag: "never-was"})
				t.Status(m, 481)
				if got := tagOf(t, m.Get("To")); got != "never-was" {
					t.Errorf("the tag of the To is %q, sent was never-was", got)
				}
			},
		},
		{
			ID: "rfc3261/8.2.6.2/4", Section: "RFC 3261 §8.2.6.2", Level: check.Must, Needs: []string{"100rel"},
			Shows:       []string{"3261-8.2.6.2-01"},
			Requirement: "All responses to an INVITE, provisional and final, have one tag in the To.",
			Run: func(ctx context.Context, t *check.T) {
				d, m := ringing(ctx, t)
				prack(ctx, t, d, m)
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
				if early, late := tagOf(t, m.Get("To")), tagOf(t, final.Get("To")); early != late {
					t.Errorf("the tag is %q in the %d and %q in the 200", early, m.Status, late)
				}
			},
		},
		{
			ID: "rfc3261/11.2/2", Section: "RFC 3261 §11.2", Level: check.Must,
			Shows:       []string{"3261-11.2-02"},
			Requirement: "OPTIONS within a dialog is answered, and changes nothing in it.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				before := t.Answer(d)
				m, err := d.Options(ctx, src.Request{})
				t.Check(err, "OPTIONS")
				t.Status(m, 200)
				m, err = d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				unchanged(t, before, t.Answer(d))
			},
		},
		{
			ID: "rfc3261/11.2/3", Section: "RFC 3261 §11.2", Level: check.Should,
			Shows:       []string{"3261-11.2-01"},
			Requirement: "The 200 to OPTIONS has Accept-Encoding, Accept-Language and Supported.",
			Run: func(ctx context.Context, t *check.T) {
				m := t.Do(ctx, t.Client(ctx), "OPTIONS", src.Request{})
				t.Status(m, 200)
				for _, name := range []string{"Accept-Encoding", "Accept-Language", "Supported"} {
					if !m.Has(name) {
						t.Errorf("the 200 has no %s", name)
					}
				}
			},
		},
	}
}

// tagOf is the tag of a From or To.
func tagOf(t *check.T, value string) string {
	a, err := src.ParseAddr(value)
	if err != nil {
		t.Fatalf("an address cannot be read: %v", err)
	}
	tag, _ := a.Param("tag")
	return tag
}

// unchanged fails when a description has other ports or directions than before.
func unchanged(t *check.T, before, now *src.SDP) {
	for i, m := range now.Media {
		if m.Port != before.Media[i].Port || now.DirectionOf(i) != before.DirectionOf(i) {
			t.Errorf("m-line %d is answered %d %s, before it was %d %s", i, m.Port, now.DirectionOf(i), before.Media[i].Port, before.DirectionOf(i))
		}
	}
}

// ringing sends an INVITE that is not answered before the PRACK of its provisional
// response; a server without one is not judged.
func ringing(ctx context.Context, t *check.T) (*src.Dialog, *src.Message) {
	d := t.Start(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Require: []string{"siprec", "100rel"}})
	m, err := d.AwaitProvisional(ctx)
	t.Check(err, "provisional response")
	if m == nil {
		t.Skipf("the server sends no provisional response")
	}
	return d, m
}

// prack acknowledges the provisional response to the first INVITE.
func prack(ctx context.Context, t *check.T, d *src.Dialog, m *src.Message) {
	res, err := d.Do(ctx, "PRACK", src.Request{
		ToTag: tagOf(t, m.Get("To")), Headers: []src.Header{{Name: "RAck", Value: m.Get("RSeq") + " 1 INVITE"}},
	})
	t.Check(err, "PRACK")
	t.Status(res, 200)
}
