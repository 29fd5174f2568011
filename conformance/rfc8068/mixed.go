package rfc8068

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// mixed are the flows of a call that comes as one stream (RFC 8068 §3.3).
func mixed() []check.Case {
	return []check.Case{
		{
			ID: "rfc8068/3.3.1/1", Section: "RFC 8068 §3.3.1", Level: check.Derived,
			Shows:       shows("7866-5.1-03", "7866-8.3.2-04", "7866-7.1.1-05", "7865-6.5.2-01"),
			Requirement: "A call in one stream, which all parties send and hear, is taken without a group and without association of the recording session.",
			Run: func(ctx context.Context, t *check.T) {
				c, parties, offer := conference()
				open(ctx, t, offer, c.mix(parties[:2]...))
			},
		},
		{
			ID: "rfc8068/3.3.2/1", Section: "RFC 8068 §3.3.2", Level: check.Derived,
			Shows:       shows("7866-7.1.1.1-04", "7865-6.8.1-01"),
			Requirement: "Hold and resumption of one party of a mixed stream, which is told once more, leave it received.",
			Run: func(ctx context.Context, t *check.T) {
				c, parties, offer := conference()
				f := open(ctx, t, offer, c.mix(parties[:2]...))
				nora, desk := parties[0], parties[1]
				again := []src.MediaStream{{ID: nora.streams[0].id, CS: c.cs.ID, Label: "31"}}
				f.invite(ctx, t, "hold", src.Document{Partial: true, Streams: again, Associations: []src.Association{
					{Participant: nora.id, Recv: nora.sends()}, {Participant: desk.id, Send: desk.sends()},
				}})
				f.invite(ctx, t, "resumption", src.Document{Partial: true, Streams: again, Associations: sharing(nora, desk)})
			},
		},
		{
			ID: "rfc8068/3.3.3/1", Section: "RFC 8068 §3.3.3, §3.3.4", Level: check.Derived,
			Shows:       shows("7865-6.6-01", "7865-6.3.1-03", "7865-5-02"),
			Requirement: "Into a mixed call a third party comes, the first leaves, and the call ends: each is taken.",
			Run: func(ctx context.Context, t *check.T) {
				c, parties, offer := conference()
				f := open(ctx, t, offer, c.mix(parties[:2]...))
				ids, ines := c.cs.SIPSessionIDs, parties[2]
				more := append([]string{c.dialog()}, ids...)
				f.invite(ctx, t, "third party", src.Document{
					Partial:      true,
					CSs:          []src.CommunicationSession{{ID: c.cs.ID, SIPSessionIDs: more}},
					Participants: []src.Participant{{ID: ines.id, AOR: ines.aor}},
					Memberships:  []src.Membership{{Participant: ines.id, CS: c.cs.ID, Joined: time.Now()}},
					Associations: sharing(ines),
				})
				f.invite(ctx, t, "first party leaves", src.Document{
					Partial:     true,
					CSs:         []src.CommunicationSession{{ID: c.cs.ID, SIPSessionIDs: more[:2]}},
					Memberships: []src.Membership{{Participant: parties[0].id, CS: c.cs.ID, Left: time.Now()}},
				})
				f.bye(ctx, t, c.stopped(parties[1:]...))
			},
		},
	}
}
