package rfc7866

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// networks are the cases of what the way does to packets.
func networks() []check.Case {
	return []check.Case{
		impaired("rfc7866/8.2.1.1/1", "Lost packets are silence of their length: what follows is in its place.",
			src.Faults{Seed: 1, Loss: 0.3}, "7866-8.2.1.1-03"),
		impaired("rfc7866/8.2.1.1/3", "Packets that come behind the next are put in their place.",
			src.Faults{Seed: 3, Reorder: 0.3}, "7866-8.2.1.1-03"),
		impaired("rfc7866/8.2.1.1/4", "Packets that come twice are heard once.",
			src.Faults{Seed: 4, Duplicate: 0.3}, "DRV3550-5.1-01"),
		impaired("rfc7866/8.2.1.1/5", "Packets that are late by up to 60 ms are in their place.",
			src.Faults{Seed: 5, Jitter: 60 * time.Millisecond}, "DRV3550-5.1-01"),
		{
			ID: "rfc7866/8.2.1.1/2", Section: "RFC 7866 §8.2.1.1, RFC 3551 §4.1", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"DRV3550-5.1-01", "3551-4.1-01"},
			Requirement: "While a sender leaves silence out, by timestamps that go on and sequence numbers that do not, the file is silent for as long.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				for _, s := range []*check.Speaker{a.Speaker(0), a.Speaker(1), a.Speaker(0), a.Speaker(1)} {
					a.Say(ctx, some, src.PlayOptions{}, s)
				}
			}, check.InPlace(onTheDot)),
		},
		{
			ID: "rfc7866/8.1.3/1", Section: "RFC 7866 §8.1.3, RFC 3550 §8.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-8.1.3-01"},
			Requirement: "A stream whose SSRC, sequence numbers and timestamps become others is kept on, in its place.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				ssrc := uint32(0x7866_0813)
				a.Say(ctx, 2*some, src.PlayOptions{Faults: src.Faults{Changes: []src.Change{
					{At: some, SSRC: &ssrc, Sequence: 4000, Timestamp: 1_000_000, Marker: true},
				}}}, a.Speaker(0))
			}, check.InPlace(about)),
		},
		{
			ID: "rfc7866/8.1.3/2", Section: "RFC 7866 §8.1.3, RFC 3550 §8.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"DRV3550-8.2-01"},
			Requirement: "A source that goes on from another port, as behind a NAT, is kept on.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, 2*some, src.PlayOptions{Faults: src.Faults{Changes: []src.Change{{At: some, NewSocket: true}}}}, a.Speaker(0))
			}, check.InPlace(onTheDot)),
		},
		{
			ID: "rfc7866/8.3.2/3", Section: "RFC 7866 §8.3.2", Level: check.Must, Needs: []string{check.Files},
			Shows:       []string{"7866-8.3.2-01"},
			Requirement: "Two streams of one SSRC, as two RTP sessions may have them, do not meet.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				ssrc := uint32(0x7866_0832)
				a.Say(ctx, 2*some, src.PlayOptions{SSRC: &ssrc})
			}, check.Apart),
		},
	}
}

// impaired is a case of a stream that comes as no packet left.
func impaired(id, requirement string, faults src.Faults, shows ...string) check.Case {
	return check.Case{
		ID: id, Section: "RFC 7866 §8.2.1.1, RFC 3550 §5.1", Level: check.Derived, Needs: []string{check.Files},
		Shows: shows, Requirement: requirement,
		Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
			a.Say(ctx, 2*some, src.PlayOptions{Faults: faults}, a.Speaker(0))
		}, check.InPlace(onTheDot)),
	}
}
