package rfc8068

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// several are the flows of several calls in one recording session (RFC 8068 §3.4, §3.5).
func several() []check.Case {
	return []check.Case{
		{
			ID: "rfc8068/3.4.1/1", Section: "RFC 8068 §3.4.1", Level: check.Derived,
			Shows:       shows("7866-5.1-02", "7866-10-01", "DRV3261-14.2-02", "7866-7.2-06", "7866-7.1.1-01"),
			Requirement: "When a call ends by a re-INVITE with metadata alone, the answer offers the m-lines of before, and the next call is taken on them.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				m, err := f.d.Reinvite(ctx, src.Request{Metadata: c.stopped(nora, desk).XML()})
				t.Check(err, "end of the first call")
				f.accepted(t, "end of the first call", m)
				offer, err := m.SDP()
				if err != nil || offer == nil {
					t.Fatalf("the answer to a re-INVITE without an offer has none that can be read: %v", err)
				}
				if len(offer.Media) != len(f.answer.Media) {
					t.Fatalf("%d m-lines are offered, there were %d", len(offer.Media), len(f.answer.Media))
				}
				for i := range offer.Media {
					if dir := offer.DirectionOf(i); dir != src.RecvOnly && dir != src.Inactive {
						t.Errorf("m-line %d is offered %s", i, dir)
					}
				}
				f.offer(ctx, t, "next call", f.d.Offers(), c.next().snapshot(nora, desk))
				f.taken(t)
			}),
		},
		{
			ID: "rfc8068/3.5/1", Section: "RFC 8068 §3.5", Level: check.Derived,
			Shows:       shows("7866-5.1-02", "7865-6.3.2-01", "7865-6.3.2-02", "7865-6.5.1-02"),
			Requirement: "Two calls with a common party may share one mixed stream: when the one ends, the stream is received for the other.",
			Run: func(ctx context.Context, t *check.T) {
				c, parties, offer := conference()
				second := c.next()
				snapshot := c.mix(parties...)
				snapshot.CSs = append(snapshot.CSs, second.cs)
				snapshot.Groups = []src.Group{{ID: c.group, Start: c.cs.Start}}
				members := &snapshot.Memberships
				(*members)[2].CS = second.cs.ID
				*members = append(*members, src.Membership{Participant: parties[1].id, CS: second.cs.ID, Joined: second.cs.Start})
				f := open(ctx, t, offer, snapshot)
				f.invite(ctx, t, "end of the first call", c.stopped(parties[:2]...))
				f.invite(ctx, t, "hold in the second call", src.Document{Partial: true, Associations: []src.Association{
					{Participant: parties[2].id, Recv: parties[2].sends()},
				}})
			},
		},
	}
}
