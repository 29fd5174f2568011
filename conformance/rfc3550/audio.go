package rfc3550

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// audio are the cases of what is in files.
func audio() []check.Case {
	return []check.Case{{
		ID: "rfc3550/A.1/3", Section: "RFC 3550 A.1", Level: check.Derived, Needs: []string{check.Files},
		Shows:       []string{"3550-A.1-01"},
		Requirement: "A stream whose sequence numbers and timestamps wrap is kept on, in its place.",
		Run: func(ctx context.Context, t *check.T) {
			a := t.Audio("Nora", "Desk")
			a.Open(ctx, src.Request{})
			sequence, timestamp := uint16(1<<16-20), uint32(1<<32-30*160)
			a.Say(ctx, 50, src.PlayOptions{Sequence: &sequence, Timestamp: &timestamp}, a.Speaker(0))
			t.Judge(a.Stored(ctx).InPlace(10 * time.Millisecond))
		},
	}}
}
