package rfc8068

import (
	"context"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// flows are the generic flow and a call from its beginning to its end.
func flows() []check.Case {
	return []check.Case{
		{
			ID: "rfc8068/3.1/1", Section: "RFC 8068 §3.1", Level: check.Derived, Needs: []string{"update"},
			Shows:       shows("7866-9.1-02", "7866-9.1-07", "7866-9.2-01"),
			Requirement: "Metadata may come in UPDATE and in re-INVITE by turns: each is taken.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				f.update(ctx, t, "UPDATE with a hold", held(desk, nora))
				f.invite(ctx, t, "re-INVITE with the end of the hold", resumed(nora, desk))
				f.update(ctx, t, "UPDATE with a snapshot", c.snapshot(nora, desk))
			}),
		},
		{
			ID: "rfc8068/3.2/1", Section: "RFC 8068 §3.2", Level: check.Derived,
			Shows:       shows("7866-5.2-01", "7866-9.1-04", "7865-5-02"),
			Requirement: "A call is followed from its snapshot over hold, resumption and transfer to its end, in one recording session.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				f.invite(ctx, t, "hold", held(desk, nora))
				f.invite(ctx, t, "resumption", resumed(desk, nora))
				ines := c.party("sip:ines@example.net", "Ines", "31", "32")
				f.invite(ctx, t, "transfer", c.transferred(nora, desk, ines))
				f.bye(ctx, t, c.stopped(desk, ines))
			}),
		},
	}
}

// separate are the flows of a call whose streams are not mixed.
func separate() []check.Case {
	return []check.Case{
		{
			ID: "rfc8068/3.2.1/1", Section: "RFC 8068 §3.2.1", Level: check.Derived,
			Shows:       shows("7866-8.3.1-01", "7865-4-02"),
			Requirement: "A call with audio and video of two parties, under media types in capitals, is taken: all audio is received.",
			Run: func(ctx context.Context, t *check.T) {
				c, nora, desk := pair()
				d := t.Open(ctx, src.Request{
					Streams: audioAndVideo(), Metadata: c.snapshot(nora, desk).XML(), Quirks: src.Quirks{NoDisposition: true},
					Edit: func(text string) string {
						return strings.ReplaceAll(text, "Type: application/sdp", "Type: application/SDP")
					},
				})
				(&flow{d, t.Answer(d)}).taken(t)
			},
		},
		{
			ID: "rfc8068/3.2.2/1", Section: "RFC 8068 §3.2.2", Level: check.Derived,
			Shows:       shows("7866-7.1.1.1-04", "7865-6.8-01", "7865-6.8.1-01"),
			Requirement: "A hold and its end that are told by metadata alone leave the streams as they are.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				f.invite(ctx, t, "hold", held(desk, nora))
				f.invite(ctx, t, "resumption", resumed(nora, desk))
			}),
		},
		{
			ID: "rfc8068/3.2.2/2", Section: "RFC 8068 §3.2.2, RFC 7866 §7.1.1.1", Level: check.Derived,
			Shows:       shows("7866-7.1.1.1-05", "7866-7.1.1-04"),
			Requirement: "When the streams of who is held become inactive with the hold, the others go on; after it all are received again.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				paused := f.d.Offers()
				paused[0].Direction, paused[1].Direction = src.Inactive, src.Inactive
				f.offer(ctx, t, "hold", paused, held(desk, nora))
				if got := f.answer.DirectionOf(0); got != src.Inactive {
					t.Errorf("the stream of who is held is answered %s", got)
				}
				if got := f.answer.DirectionOf(2); got != src.RecvOnly {
					t.Errorf("the stream of who holds is answered %s", got)
				}
				f.offer(ctx, t, "resumption", f.d.WithDirection(src.SendOnly), resumed(nora, desk))
				f.taken(t)
			}),
		},
		{
			ID: "rfc8068/3.2.3/1", Section: "RFC 8068 §3.2.3", Level: check.Derived,
			Shows:       shows("7865-6.6-01", "7865-6.3.1-03", "7866-9.2-12"),
			Requirement: "A transfer within the call is taken, also when the streams of who comes are named before they are described.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				f.invite(ctx, t, "transfer", c.transferred(nora, desk, c.party("sip:ines@example.net", "Ines", "31", "32")))
			}),
		},
		{
			ID: "rfc8068/3.2.3/2", Section: "RFC 8068 §3.2.3", Level: check.Derived,
			Shows:       shows("7866-5.1-02", "7866-9.1-05", "7865-6.3.1-05", "7865-6.2-01"),
			Requirement: "A transfer to another call of the group goes on in the recording session: the one stops, and a snapshot has the other.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				f.invite(ctx, t, "end of the first call", c.stopped(nora, desk))
				second := c.next()
				f.invite(ctx, t, "snapshot of the second call", second.snapshot(second.party("sip:ines@example.net", "", "31", "32"), desk))
			}),
		},
		{
			ID: "rfc8068/3.2.3/3", Section: "RFC 8068 §3.2.3", Level: check.Derived,
			Shows:       shows("7865-6.2-01", "7865-6.2.1-01", "7865-6.5.1-02"),
			Requirement: "A transfer may go on in a recording session of its own, whose call is of the same group and has a party of the first.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				f.bye(ctx, t, c.stopped(nora, desk))
				second := c.next()
				open(ctx, t, audioAndVideo(), second.snapshot(second.party("sip:ines@example.net", "Ines", "31", "32"), desk))
			}),
		},
		{
			ID: "rfc8068/3.2.4/1", Section: "RFC 8068 §3.2.4", Level: check.Derived,
			Shows:       shows("DRV3261-15.1.2-01", "7865-6.3.1-05"),
			Requirement: "The BYE at the end of the call, with its stop time and all who leave in a multipart body, is answered 200.",
			Run: begun(func(ctx context.Context, t *check.T, f *flow, c *call, nora, desk party) {
				f.bye(ctx, t, c.stopped(nora, desk))
			}),
		},
	}
}

// transferred is the partial document with which one party leaves and another comes, who
// sends streams that no document describes.
func (c *call) transferred(leaves, stays, comes party) src.Document {
	now := time.Now()
	return src.Document{
		Partial:      true,
		CSs:          []src.CommunicationSession{{ID: c.cs.ID, SIPSessionIDs: []string{c.dialog()}}},
		Participants: []src.Participant{{ID: comes.id, AOR: comes.aor, Name: comes.name}},
		Memberships: []src.Membership{
			{Participant: comes.id, CS: c.cs.ID, Joined: now}, {Participant: leaves.id, CS: c.cs.ID, Left: now},
		},
		Associations: hearing(stays, comes),
	}
}
