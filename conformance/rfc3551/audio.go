package rfc3551

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// audio are the cases of what is in files.
func audio() []check.Case {
	return []check.Case{
		{
			ID: "rfc3551/4.5.2/1", Section: "RFC 3551 §4.5.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"DRV3551-4.5.2-01"},
			Requirement: "What is sent as G.722 is stored as it was spoken, where G.722 is taken; its RTP clock runs at 8 kHz.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{Streams: a.Streams(src.G722())})
				if d.Stream(0).Answer().Port == 0 {
					t.Skipf("G.722 is not taken")
				}
				a.Say(ctx, 50, src.PlayOptions{Codec: src.G722()}, a.Speaker(0))
				t.Judge(a.Stored(ctx).InPlace(10 * time.Millisecond))
			},
		},
		exact("rfc3551/4.5.11/1", "RFC 3551 §4.5.11", "DRV3551-4.5.11-01", "What is sent as L16 at 8 kHz is stored sample for sample, where L16 is taken.", src.L16(96)),
		exact("rfc3551/4.5.14/1", "RFC 3551 §4.5.14", "DRV3551-4.5.14-01", "What is sent as PCMU is stored sample for sample.", src.PCMU()),
		exact("rfc3551/4.5.14/2", "RFC 3551 §4.5.14", "DRV3551-4.5.14-01", "What is sent as PCMA is stored sample for sample.", src.PCMA()),
	}
}

// exact is a case of one codec. One party speaks, so that a server that stores the mix
// of both passes. Where the file has another rate than 8 kHz, what is stored has to be
// alike.
func exact(id, section, shows, requirement string, codec src.Codec) check.Case {
	return check.Case{
		ID: id, Section: section, Level: check.Derived, Needs: []string{check.Files}, Shows: []string{shows}, Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			a := t.Audio("Nora", "Desk")
			d := a.Open(ctx, src.Request{Streams: a.Streams(codec)})
			if d.Stream(0).Answer().Port == 0 && codec.Name == "L16" {
				t.Skipf("%s is not taken", codec.Name)
			}
			a.Say(ctx, 50, src.PlayOptions{}, a.Speaker(0))
			t.Judge(a.Stored(ctx).Exact())
		},
	}
}
