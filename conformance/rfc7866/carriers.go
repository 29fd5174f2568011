package rfc7866

import (
	"context"
	"fmt"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// carriers are further cases of how metadata comes (RFC 7866 §9.1).
func carriers() []check.Case {
	return []check.Case{
		opening("rfc7866/9/4", "RFC 7866 §9", check.Derived, "The media type of metadata counts in any case and with parameters.",
			src.Request{MetadataType: "Application/RS-Metadata+XML; charset=\"utf-8\""}, "7866-9-01"),
		{
			ID: "rfc7866/5.1/1", Section: "RFC 7866 §5.1", Level: check.Derived,
			Shows:       []string{"7866-5.1-01"},
			Requirement: "A call that began an hour before its recording session, or begins later, is taken.",
			Run: func(ctx context.Context, t *check.T) {
				for _, apart := range []time.Duration{-time.Hour, time.Hour} {
					talk := src.NewConversation(src.NewIDs(51), time.Now().Add(apart), src.Party{AOR: "sip:nora@example.com", Label: "1"})
					taken(t, t.Answer(t.Open(ctx, src.Request{Metadata: talk.Complete()})))
				}
			},
		},
		{
			ID: "rfc7866/9.1/5", Section: "RFC 7866 §9.1", Level: check.Derived,
			Shows:       []string{"7866-9.1-01", "7866-9.1-11", "7866-9.1-10"},
			Requirement: "An INVITE without metadata is a recording session, and a later request brings the snapshot.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				t.Answer(d)
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: check.Conversation().Complete()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
			},
		},
		{
			ID: "rfc7866/9.1/6", Section: "RFC 7866 §9.1", Level: check.Derived, Needs: []string{"update"},
			Shows:       []string{"7866-9.1-10", "7866-9.1-05", "7866-9.1-08"},
			Requirement: "A multipart body of one part is read, here a snapshot with labels in an UPDATE without SDP.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				m, err := d.Update(ctx, src.Request{Metadata: talk.Complete(), Quirks: src.Quirks{Wrap: true}})
				t.Check(err, "UPDATE")
				t.Status(m, 200)
				if sdp, _ := m.SDP(); sdp != nil {
					t.Errorf("metadata was answered with SDP")
				}
			},
		},
		{
			ID: "rfc7866/9.1/7", Section: "RFC 7866 §9.1", Level: check.Derived, Needs: []string{"update"},
			Shows:       []string{"7866-9.1-02"},
			Requirement: "Fifty updates in a row are each taken.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Complete()})
				for i := range 50 {
					doc := talk.Hold(i % 2)
					if i%4 > 1 {
						doc = talk.Resume(i % 2)
					}
					m, err := d.Update(ctx, src.Request{Metadata: doc})
					t.Check(err, fmt.Sprintf("UPDATE %d", i))
					t.Status(m, 200)
				}
			},
		},
		{
			ID: "rfc7866/9.2/2", Section: "RFC 7866 §9.2", Level: check.Derived,
			Shows:       []string{"7866-9.2-03"},
			Requirement: "Broken metadata gets a clear answer and costs no other recording session.",
			Run: func(ctx context.Context, t *check.T) {
				other := t.Open(ctx, src.Request{})
				for _, doc := range []string{"<recording><", "not XML", `<!DOCTYPE r [<!ENTITY a "aa"><!ENTITY b "&a;&a;">]><recording>&b;</recording>`, "\xff\xfe\x00"} {
					d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Metadata: []byte(doc)})
					if s := d.Final().Status; s >= 500 {
						t.Errorf("metadata %.12q is answered %d", doc, s)
					}
				}
				m, err := other.Reinvite(ctx, src.Request{Streams: other.Offers()})
				t.Check(err, "re-INVITE of the other")
				t.Status(m, 200)
			},
		},
	}
}

// snapshots are the cases of what the server asks for (RFC 7866 §9.2).
func snapshots() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/9.2/3", Section: "RFC 7866 §9.2", Level: check.Must, Needs: []string{"update", "snapshot"},
			Shows: []string{"7866-9.1-06", "7866-9.2-04", "7866-9.2-05", "7866-9.2-06", "7866-9.2-08", "7866-9.2-09",
				"7866-6.2-04", "7866-11.3-01", "7865-7-01", "DRV9806-2-01"},
			Requirement: "When a partial document comes first, a snapshot is asked for by an UPDATE with the disposition recording-session and without SDP.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Hold(0)})
				m, err := d.NextRequest(ctx, "UPDATE")
				if err != nil {
					t.Fatalf("nothing asks for a snapshot: %v", err)
				}
				snapshotRequest(t, m)
				res, err := d.Update(ctx, src.Request{Metadata: talk.Complete()})
				t.Check(err, "UPDATE with the snapshot")
				t.Status(res, 200)
			},
		},
		{
			ID: "rfc7866/9.2/4", Section: "RFC 7866 §9.2", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"7866-9.2-07"},
			Requirement: "No response asks for a snapshot.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Hold(0)})
				silent(t, d.Final())
				for range 2 {
					m, err := d.Update(ctx, src.Request{Metadata: talk.Hold(1)})
					t.Check(err, "UPDATE")
					t.Status(m, 200)
					silent(t, m)
				}
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: talk.Resume(0)})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				silent(t, m)
			},
		},
	}
}

// silent fails when a response carries metadata or a request for it.
func silent(t *check.T, m *src.Message) {
	for _, p := range m.Parts() {
		if p.Type != "application/sdp" {
			_, method := m.CSeq()
			t.Errorf("the response to %s has a part of type %s", method, p.Type)
		}
	}
}
