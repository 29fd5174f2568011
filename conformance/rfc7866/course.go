package rfc7866

import (
	"context"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// course are the cases of how a recording session goes on (RFC 7866 §5, §6, §8.1.6).
func course() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/5.1/3", Section: "RFC 7866 §5.1", Level: check.Derived,
			Shows:       []string{"7866-5.1-02", "7866-10-01", "7866-7.1.1.1-02"},
			Requirement: "A recording session without any call is taken, and calls with streams of their own come into it one after the other.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Metadata: src.Document{}.XML()})
				for _, label := range []string{"3", "4"} {
					talk := src.NewConversation(src.NewIDs(uint64(time.Now().UnixNano())), time.Now(), src.Party{AOR: "sip:nora@example.com", Label: label})
					m, err := d.Reinvite(ctx, src.Request{
						Streams: append(d.Offers(), src.StreamOffer{Label: label, Direction: src.SendOnly}), Metadata: talk.Complete(),
					})
					t.Check(err, "re-INVITE with a call")
					t.Status(m, 200)
					taken(t, t.Answer(d))
				}
			},
		},
		{
			ID: "rfc7866/5.2/1", Section: "RFC 7866 §5.2, §9.2", Level: check.Derived, Needs: []string{"update"},
			Shows:       []string{"7866-5.2-01", "7866-5.2-02", "7866-9.1-04", "7866-9.1-05", "7866-9.2-11", "7865-5-02"},
			Requirement: "After changes a snapshot may begin anew with other identifiers, and changes then build on this one.",
			Run: func(ctx context.Context, t *check.T) {
				first, second := check.Conversation(), check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: first.Complete()})
				for i, doc := range [][]byte{first.Hold(0), first.Resume(0), second.Complete(), second.Hold(1), second.Leave(0, time.Now())} {
					m, err := d.Update(ctx, src.Request{Metadata: doc})
					t.Check(err, "UPDATE")
					if m.Status != 200 {
						t.Errorf("document %d is answered %d", i, m.Status)
					}
				}
			},
		},
		{
			ID: "rfc7866/6.1.1/6", Section: "RFC 7866 §6.1.1", Level: check.Derived,
			Shows:       []string{"7866-6.1.1-02"},
			Requirement: "From and To name SRC and SRS only: that both are the same URI says nothing against a recording session.",
			Run: func(ctx context.Context, t *check.T) {
				taken(t, t.Answer(t.Open(ctx, src.Request{SameURI: true, Metadata: check.Conversation().Complete()})))
			},
		},
		{
			ID: "rfc7866/6.1.1/7", Section: "RFC 7866 §6.1.1, §6.2", Level: check.Derived,
			Shows:       []string{"7866-6.1.1-01", "7866-6.2-01"},
			Requirement: "An INVITE without any mark of a recording session is refused, or taken for one: then the Contact of the answer says so.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), NoFeatureTag: true, Require: []string{}})
				switch m := d.Final(); {
				case m.Status < 300:
					srsContact(t, m)
				case m.Status >= 500 && m.Status < 600:
					t.Errorf("the server fails with %d", m.Status)
				}
			},
		},
		{
			ID: "rfc7866/7.2/9", Section: "RFC 7866 §7.2, §7.1.1", Level: check.Must,
			Shows:       []string{"7866-7.2-04", "7866-7.2-06", "7866-7.1.1-01"},
			Requirement: "What the server offers when it is asked for an offer never sends, and has the labels of the m-lines.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				labels := d.Offers()
				m, err := d.Reinvite(ctx, src.Request{})
				t.Check(err, "re-INVITE without an offer")
				t.Status(m, 200)
				offer, err := m.SDP()
				if err != nil || offer == nil || len(offer.Media) != len(labels) {
					t.Fatalf("the 200 has no offer of %d m-lines that can be read: %v", len(labels), err)
				}
				for i, line := range offer.Media {
					if dir := offer.DirectionOf(i); dir != src.RecvOnly && dir != src.Inactive || line.Label != labels[i].Label {
						t.Errorf("m-line %d, of label %q, is offered %s with label %q", i, labels[i].Label, dir, line.Label)
					}
				}
			},
		},
		{
			ID: "rfc7866/8.1.6/1", Section: "RFC 7866 §8.1.6, RFC 6263 §4.6", Level: check.Should, Needs: []string{"rtcp"}, Timeout: 30 * time.Second,
			Shows:       []string{"7866-8.1.6-01", "7866-10-02"},
			Requirement: "What keeps the bindings of NATs is sent on an inactive stream too, and goes on.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				offer := src.TwoParties()
				offer[0].Direction = src.Inactive
				d := t.Open(ctx, src.Request{Streams: offer})
				t.Answer(d)
				for range 2 {
					t.Report(ctx, d.Stream(0))
				}
			},
		},
	}
}

// asking are the cases of an SRC that is asked for a snapshot (RFC 7866 §9.2).
func asking() []check.Case {
	needs := []string{"update", "snapshot"}
	return []check.Case{
		{
			ID: "rfc7866/9.1/8", Section: "RFC 7866 §9.1", Level: check.Derived, Needs: needs,
			Shows:       []string{"7866-9.1-12", "7866-9.2-12"},
			Requirement: "An SRC that never sends the snapshot is not asked for it at each of its changes.",
			Run: func(ctx context.Context, t *check.T) {
				const changes = 12
				talk := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: talk.Hold(0)})
				if _, err := d.NextRequest(ctx, "UPDATE"); err != nil {
					t.Fatalf("nothing asks for a snapshot: %v", err)
				}
				for i := range changes {
					m, err := d.Update(ctx, src.Request{Metadata: talk.Hold(i % 2)})
					t.Check(err, "UPDATE")
					t.Status(m, 200, 491, 500)
				}
				asked := 0
				for _, m := range d.Requests() {
					if m.Method == "UPDATE" {
						asked++
					}
				}
				if asked > changes/3 {
					t.Errorf("at %d changes a snapshot was asked for %d times", changes, asked)
				}
			},
		},
		{
			ID: "rfc7866/9.2/5", Section: "RFC 7866 §9.2", Level: check.Derived, Needs: needs,
			Shows:       []string{"7866-9.2-10"},
			Requirement: "A snapshot in the response to the request for it, where it does not belong, does no harm.",
			Run: func(ctx context.Context, t *check.T) {
				talk := check.Conversation()
				d := t.Start(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Metadata: talk.Hold(0)})
				d.Handle(func(req *src.Message) *src.Reply {
					reply := src.AutoReply(req)
					if req.Method == "UPDATE" {
						reply.ContentType, reply.Body = src.TypeMetadata, talk.Complete()
					}
					return reply
				})
				final, err := d.Wait(ctx)
				t.Check(err, "INVITE")
				t.Status(final, 200)
				if _, err := d.NextRequest(ctx, "UPDATE"); err != nil {
					t.Fatalf("nothing asks for a snapshot: %v", err)
				}
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), Metadata: talk.Complete()})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				if slices.ContainsFunc(d.Requests(), func(m *src.Message) bool { return m.Method == "BYE" }) {
					t.Errorf("the server ended the recording session")
				}
			},
		},
		{
			ID: "rfc7866/9.2/6", Section: "RFC 7866 §9.2", Level: check.Must, Needs: []string{"update"},
			Shows:       []string{"7866-9.2-12", "7866-9.2-02"},
			Requirement: "Changes of what was never described are taken: another SRC may have done so.",
			Run: func(ctx context.Context, t *check.T) {
				stranger := check.Conversation()
				d := t.Open(ctx, src.Request{Metadata: check.Conversation().Complete()})
				for _, doc := range [][]byte{stranger.Hold(0), stranger.Leave(1, time.Now()), stranger.Stop(time.Now())} {
					m, err := d.Update(ctx, src.Request{Metadata: doc})
					t.Check(err, "UPDATE")
					t.Status(m, 200)
				}
			},
		},
	}
}
