package rfc7866

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

const (
	// some is how many packets of 20 ms are said at a time: half a second.
	some = 25
	// onTheDot is how far from its place audio may be that timestamps tell the place of.
	onTheDot = 10 * time.Millisecond
	// about is how far it may be where only its arrival does.
	about = 200 * time.Millisecond
)

// audio are the cases of what is in the files of a recording session.
func audio() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/8.4/3", Section: "RFC 7866 §8.4", Level: check.Must, Needs: []string{check.Files},
			Shows:       []string{"7866-8.4-01", "7866-8.3-01"},
			Requirement: "Of two separate audio streams all that is said at the same time is in files.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, 2*some, src.PlayOptions{})
			}),
		},
		{
			ID: "rfc7866/8.3.1/5", Section: "RFC 7866 §8.3.1", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"DRV7866-8.3.1-01"},
			Requirement: "Parties with a stream each are told apart: what one says is in a file or channel where no other is heard.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, some, src.PlayOptions{})
				a.Say(ctx, some, src.PlayOptions{}, a.Speaker(1))
				a.Say(ctx, some, src.PlayOptions{}, a.Speaker(0))
			}, check.Apart),
		},
		{
			ID: "rfc7866/8.3.1/6", Section: "RFC 7866 §8.3.1", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"DRV7866-8.3.1-01"},
			Requirement: "Streams that began at the same time stay in step, though one of them has pauses and losses.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, some, src.PlayOptions{})
				a.Say(ctx, some, src.PlayOptions{Faults: src.Faults{Seed: 8, Loss: 0.5}}, a.Speaker(1))
				a.Say(ctx, some, src.PlayOptions{})
			}, check.Together(about), check.InPlace(about)),
		},
		{
			ID: "rfc7866/8.3.2/4", Section: "RFC 7866 §8.3.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-8.3.2-04"},
			Requirement: "A single stream that both parties of the call are said to send, mixed, is kept.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora")
				nora := a.Speaker(0)
				talk := src.NewConversation(src.NewIDs(832), time.Now(), nora.Party(), src.Party{AOR: "sip:desk@example.org", Name: "Desk"})
				doc := talk.Document()
				for i := range doc.Associations {
					doc.Associations[i] = src.Association{Participant: doc.Associations[i].Participant, Send: []string{talk.StreamID(0)}}
				}
				a.Open(ctx, src.Request{Metadata: doc.XML()})
				a.Say(ctx, 2*some, src.PlayOptions{}, nora)
				a.Stored(ctx)
			},
		},
		{
			ID: "rfc7866/8.2.1.2/1", Section: "RFC 7866 §8.2.1.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-8.2.1.2-01"},
			Requirement: "Packets of 10, 20, 40 and 60 ms are taken in turn.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				for _, ptime := range []time.Duration{10, 20, 40, 60} {
					a.Say(ctx, 12, src.PlayOptions{Ptime: ptime * time.Millisecond}, a.Speaker(0))
				}
			}, check.InPlace(about)),
		},
		{
			ID: "rfc7866/5.1/2", Section: "RFC 7866 §5.1", Level: check.Derived, Needs: []string{check.Files}, Lasts: true,
			Shows:       []string{"DRV7866-5.1-01"},
			Requirement: "A recording session is recorded for as long as it lasts (--duration).",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				a.Open(ctx, src.Request{})
				a.Say(ctx, int(t.Duration()/(20*time.Millisecond)), src.PlayOptions{})
				t.Judge(a.Stored(ctx).InPlace(about))
			},
		},
	}
}

// pauses are the cases of streams that stop, go on, come and go (RFC 7866 §7.1.1.1).
func pauses() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/7.1.1.1/3", Section: "RFC 7866 §7.1.1.1, RFC 3264 §8.4", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1.1.1-03"},
			Requirement: "What is sent while the streams are inactive is in no file; what comes after they are sendonly again is, in its place.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, some, src.PlayOptions{})
				a.Direct(ctx, src.Inactive, 0, 1)
				a.SayUnheard(ctx, some, src.PlayOptions{})
				a.Direct(ctx, src.SendOnly, 0, 1)
				a.Say(ctx, some, src.PlayOptions{})
			}, check.InPlace(about)),
		},
		{
			ID: "rfc7866/7.1.1.1/7", Section: "RFC 7866 §7.1.1.1, RFC 3264 §8.4", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1.1.1-03"},
			Requirement: "Streams that are inactive from the beginning are kept from when they become sendonly.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				offer := a.Streams()
				for i := range offer {
					offer[i].Direction = src.Inactive
				}
				a.Open(ctx, src.Request{Streams: offer})
				a.SayUnheard(ctx, some, src.PlayOptions{})
				a.Direct(ctx, src.SendOnly, 0, 1)
				a.Say(ctx, some, src.PlayOptions{})
				a.Stored(ctx)
			},
		},
		{
			ID: "rfc7866/7.1.1.1/4", Section: "RFC 7866 §7.1.1.1, RFC 3264 §8.4", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1.1.1-03"},
			Requirement: "While one stream is inactive the other is kept.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, some, src.PlayOptions{})
				a.Direct(ctx, src.Inactive, 0)
				a.Say(ctx, some, src.PlayOptions{}, a.Speaker(1))
				a.SayUnheard(ctx, some, src.PlayOptions{}, a.Speaker(0))
				a.Direct(ctx, src.SendOnly, 0)
				a.Say(ctx, some, src.PlayOptions{})
			}, check.InPlace(about)),
		},
		{
			ID: "rfc7866/7.1.1.1/5", Section: "RFC 7866 §7.1.1.1, RFC 3264 §8.2", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1.1.1-01"},
			Requirement: "What is sent to the port of a stream that was removed is in no file; the other stream is kept.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				d := a.Dialog()
				a.Say(ctx, some, src.PlayOptions{})
				offer, port := d.Offers(), d.Stream(1).Remote()
				offer[1].Port = src.PortZero
				a.Reoffer(ctx, offer)
				d.Stream(1).Aim(port)
				a.SayUnheard(ctx, some, src.PlayOptions{Codec: src.PCMU()}, a.Speaker(1))
				a.Say(ctx, some, src.PlayOptions{}, a.Speaker(0))
			}),
		},
		{
			ID: "rfc7866/7.1.1.1/8", Section: "RFC 7866 §7.1.1.1, RFC 3264 §8.1", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1.1.1-02"},
			Requirement: "When a new stream takes the place of one that was removed, both are kept, and who speaks there now apart from who did.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				nora, desk := a.Speaker(0), a.Speaker(1)
				a.Say(ctx, some, src.PlayOptions{})
				a.Remove(ctx, desk)
				boss := a.Replace(ctx, desk, "Boss")
				a.Say(ctx, some, src.PlayOptions{}, nora, boss)
			}, check.Apart),
		},
		{
			ID: "rfc7866/7.1.1.1/6", Section: "RFC 7866 §7.1.1.1, RFC 3264 §8.1", Level: check.Derived, Needs: []string{check.Files},
			Shows:       []string{"7866-7.1.1.1-02"},
			Requirement: "A stream that is added later is kept from its answer on, apart from the others, which lose nothing.",
			Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
				a.Say(ctx, some, src.PlayOptions{})
				a.Join(ctx, "Boss")
				a.Say(ctx, some, src.PlayOptions{})
			}, check.Apart, check.InPlace(about)),
		},
	}
}
