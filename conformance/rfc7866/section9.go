package rfc7866

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func section9() []check.Case {
	cases := []check.Case{
		opening("rfc7866/9/1", "RFC 7866 §9", check.Must, "Metadata of type application/rs-metadata+xml is taken.",
			src.Request{MetadataType: src.TypeMetadata}, "7866-9-01", "7865-5-01", "DRV9806-2-01"),
		opening("rfc7866/9/2", "RFC 7866 §9", check.Must, "Metadata of the type that RFC 7866 first named, application/rs-metadata, is taken.",
			src.Request{MetadataType: src.TypeOldMetadata}, "7866-9-01"),
		opening("rfc7866/9.1/1", "RFC 7866 §9.1", check.Derived, "Metadata may stand before the SDP in a multipart body.",
			src.Request{Quirks: src.Quirks{MetadataFirst: true, QuotedBoundary: true}}, "7866-9.1-09"),
		opening("rfc7866/9/3", "RFC 7866 §9", check.Derived, "Metadata without Content-Disposition is taken, as in the examples of RFC 8068.",
			src.Request{Quirks: src.Quirks{NoDisposition: true}}, "7866-9-02"),
	}
	return append(cases, changes()...)
}

// opening opens a recording session with metadata in some form.
func opening(id, section string, level check.Level, requirement string, r src.Request, shows ...string) check.Case {
	return check.Case{
		ID: id, Shows: shows, Section: section, Level: level, Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			r.Metadata = check.Conversation().Complete()
			t.Answer(t.Open(ctx, r))
		},
	}
}

// changes are the carriers of metadata after the first INVITE.
func changes() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/9.1/2", Section: "RFC 7866 §9.1", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"7866-9.1-07", "7866-9.1-10", "3311-5.2-02"},
			Requirement: "An UPDATE with metadata and no SDP is answered 200, and without SDP.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				m, err := d.Update(ctx, src.Request{Metadata: talk.Hold(0)})
				t.Check(err, "UPDATE with metadata")
				t.Status(m, 200)
				if sdp, err := m.SDP(); sdp != nil || err != nil {
					t.Errorf("200 to an UPDATE without an offer holds SDP")
				}
			},
		},
		{
			ID: "rfc7866/9.1/3", Section: "RFC 7866 §9.1", Level: check.Must,
			Shows:       []string{"7866-9.1-07"},
			Requirement: "A re-INVITE with an offer and partial metadata is answered 200 with an answer.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: talk.Hold(1)})
				t.Check(err, "re-INVITE with metadata")
				t.Status(m, 200)
				if sdp, err := m.SDP(); sdp == nil || err != nil {
					t.Errorf("200 to an offer holds no SDP that can be read: %v", err)
				}
			},
		},
		{
			ID: "rfc7866/9.1/4", Section: "RFC 8068 §3.2.4", Level: check.Derived,
			Shows:       []string{"DRV3261-15.1.2-01", "7866-9.1-07"},
			Requirement: "A BYE that carries metadata is answered 200.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				m, err := d.Bye(ctx, src.Request{Metadata: talk.Stop(d.Final().At)})
				t.Check(err, "BYE with metadata")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc7866/9.2/1", Section: "RFC 7866 §9.2", Level: check.Derived,
			Shows:       []string{"7866-9.2-03", "DRV3261-15.1.2-01"},
			Requirement: "Metadata that is no XML does not keep a recording session from its BYE.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Bye(ctx, src.Request{Metadata: []byte("<recording><")})
				t.Check(err, "BYE with broken metadata")
				t.Status(m, 200)
			},
		},
	}
}
