package rfc7866

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section6() []check.Case {
	const contact = "RFC 7866 §6.2"
	return []check.Case{
		{
			ID: "rfc7866/6.1.1/1", Section: "RFC 7866 §6.1.1", Level: check.Must,
			Shows:       []string{"7866-4-01", "7866-6.1.1-03", "7866-6.1.1-07"},
			Requirement: "An INVITE that requires the option tag siprec and carries +sip.src is a recording session and is accepted.",
			Run: func(ctx context.Context, t *check.T) {
				t.Open(ctx, src.Request{Metadata: check.Conversation().Complete()})
			},
		},
		{
			ID: "rfc7866/6.2/1", Section: contact, Level: check.Must,
			Shows:       []string{"7866-6.2-04", "7866-11.2-01"},
			Requirement: "The 200 to an INVITE has the feature tag +sip.srs on its Contact.",
			Run: func(ctx context.Context, t *check.T) {
				srsContact(t, t.Open(ctx, src.Request{}).Final())
			},
		},
		{
			ID: "rfc7866/6.2/2", Section: contact, Level: check.Must,
			Shows:       []string{"7866-6.2-04"},
			Requirement: "The 200 to a re-INVITE has the feature tag +sip.srs on its Contact.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				srsContact(t, m)
			},
		},
		{
			ID: "rfc7866/6.2/3", Section: contact, Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"7866-6.2-04"},
			Requirement: "The 200 to an UPDATE has the feature tag +sip.srs on its Contact.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Update(ctx, src.Request{Streams: d.Offers()})
				t.Check(err, "UPDATE")
				t.Status(m, 200)
				srsContact(t, m)
			},
		},
	}
}

// srsContact looks for the tag as a parameter of the header field: inside the
// angle brackets it would belong to the URI (RFC 3840 §9).
func srsContact(t *check.T, m *src.Message) {
	contacts := m.List("Contact")
	if len(contacts) != 1 {
		t.Fatalf("response has %d Contacts, expected 1", len(contacts))
	}
	a, err := src.ParseAddr(contacts[0])
	if err != nil {
		t.Fatalf("Contact cannot be read: %v", err)
	}
	if !a.Feature("+sip.srs") {
		t.Errorf("Contact %q has no parameter +sip.srs", contacts[0])
	}
	if a.Feature("+sip.src") {
		t.Errorf("Contact %q claims to be an SRC", contacts[0])
	}
}
