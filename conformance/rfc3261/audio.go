package rfc3261

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// audio are the cases of where a BYE ends what is kept.
func audio() []check.Case {
	return []check.Case{
		{
			ID: "rfc3261/15.1.2/3", Section: "RFC 3261 §15.1.2, RFC 7866 §6.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"DRV3261-15.1.2-02"},
			Requirement: "What was sent until the BYE is kept to the last packet.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, 30, src.PlayOptions{})
			}),
		},
		{
			ID: "rfc3261/15.1.2/4", Section: "RFC 3261 §15.1.2", Level: check.Derived, Needs: []string{check.Files}, Alone: true,
			Shows:       []string{"DRV3261-15.1.2-02"},
			Requirement: "What is sent after the answer to the BYE is in no file.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, 25, src.PlayOptions{})
				a.Bye(ctx)
				a.SayUnheard(ctx, 15, src.PlayOptions{})
			}),
		},
	}
}
