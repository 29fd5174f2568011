package rfc7865

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// audio are the cases of what metadata makes of files.
func audio() []check.Case {
	return []check.Case{{
		ID: "rfc7865/6.8/1", Section: "RFC 7865 §6.8, §6.7", Level: check.Derived, Needs: []string{check.Files},
		Shows:       []string{"7865-6.8-01"},
		Requirement: "Labels and send tell whose stream is whose, not the order of participants: no file with the name of one of them holds the other.",
		Run: func(ctx context.Context, t *check.T) {
			a := t.Audio("Nora", "Desk")
			nora, desk := a.Speaker(0), a.Speaker(1)
			a.Open(ctx, src.Request{Metadata: a.Talk(desk, nora).Complete()})
			a.Say(ctx, 25, src.PlayOptions{}, nora)
			a.Say(ctx, 25, src.PlayOptions{}, desk)
			t.Judge(a.Stored(ctx).Named())
		},
	}}
}
