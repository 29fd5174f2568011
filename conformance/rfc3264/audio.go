package rfc3264

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// some is how many packets of 20 ms are said at a time: half a second.
const some = 25

// about is how far from its place audio may be that moved meanwhile.
const about = 200 * time.Millisecond

// audio are the cases of what offer and answer do to the files.
func audio() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/6.1/2", Section: "RFC 3264 §6.1, §5.1", Level: check.Must, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1-01"},
			Requirement: "What is sent as soon as the answer is there, before the ACK, is kept.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{WithholdACK: true})
				a.Say(ctx, some, src.PlayOptions{})
				t.Check(d.Ack(), "ACK")
				a.Say(ctx, some, src.PlayOptions{})
				a.Stored(ctx)
			},
		},
		{
			ID: "rfc3264/6.1/3", Section: "RFC 3264 §6.1", Level: check.Must, Needs: []string{check.Files},
			Shows:       []string{"3264-6.1-01"},
			Requirement: "Each format of the answer may be sent, also in turn and without a new offer.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				formats := a.Open(ctx, src.Request{Streams: a.Streams(src.PCMU(), src.PCMA())}).Stream(0).Answer().Formats
				for range 2 {
					for _, codec := range []src.Codec{src.PCMA(), src.PCMU()} {
						if slices.Contains(formats, fmt.Sprint(codec.PayloadType)) {
							a.Say(ctx, some/2, src.PlayOptions{Codec: codec}, a.Speaker(0))
						}
					}
				}
				found := a.Stored(ctx)
				t.Judge(found.Exact())
				t.Judge(found.InPlace(about))
			},
		},
		{
			ID: "rfc3264/8.3.2/1", Section: "RFC 3264 §8.3.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1-01"},
			Requirement: "When a re-INVITE offers another format, what comes in it is kept.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{Streams: a.Streams(src.PCMU())})
				a.Say(ctx, some, src.PlayOptions{}, a.Speaker(0))
				offer := d.Offers()
				for i := range offer {
					offer[i].Codecs = []src.Codec{src.PCMA()}
				}
				a.Reoffer(ctx, offer)
				a.Say(ctx, some, src.PlayOptions{}, a.Speaker(0))
				found := a.Stored(ctx)
				t.Judge(found.Exact())
				t.Judge(found.InPlace(about))
			},
		},
		{
			ID: "rfc3264/8.3.1/1", Section: "RFC 3264 §8.3.1", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1-01"},
			Requirement: "When a re-INVITE moves a stream to another port of the SRC, what comes from there is kept.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{})
				a.Say(ctx, some, src.PlayOptions{})
				t.Check(d.Stream(0).Rebind(), "another port")
				a.Reoffer(ctx, d.Offers())
				a.Say(ctx, some, src.PlayOptions{})
				t.Judge(a.Stored(ctx).InPlace(about))
			},
		},
	}
}
