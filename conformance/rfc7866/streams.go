package rfc7866

import (
	"context"
	"fmt"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// marks are further cases of what marks a recording session (RFC 7866 §6).
func marks() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/6.1.1/2", Section: "RFC 7866 §6.1.1, RFC 3840 §9", Level: check.Must,
			Shows:       []string{"7866-6.1.1-03"},
			Requirement: "The feature tag counts in other spellings: in capitals, with the value TRUE, behind other parameters.",
			Run: func(ctx context.Context, t *check.T) {
				for _, params := range []string{`;+sip.src="TRUE"`, ";+SIP.SRC", `;expires=60;+sip.src;audio`} {
					t.Open(ctx, src.Request{ContactParams: params})
				}
			},
		},
		{
			ID: "rfc7866/6.1.1/3", Section: "RFC 7866 §6.1.1", Level: check.Derived,
			Shows:       []string{"7866-6.1.1-04"},
			Requirement: "A re-INVITE without the feature tag and the option tag goes on with the recording session.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.Offers(), NoFeatureTag: true, Require: []string{}})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				if answer := t.Answer(d); answer.DirectionOf(0) != src.RecvOnly {
					t.Errorf("m-line 0 is answered %s", answer.DirectionOf(0))
				}
			},
		},
		{
			ID: "rfc7866/6.1.1/4", Section: "RFC 7866 §6.1.1", Level: check.Must,
			Shows:       []string{"7866-6.1.1-05"},
			Requirement: "A REGISTER is answered: with 200 by a registrar, else with 405 or 501.",
			Run: func(ctx context.Context, t *check.T) {
				t.Status(t.Do(ctx, t.Client(ctx), "REGISTER", src.Request{}), 200, 401, 403, 405, 501)
			},
		},
		{
			ID: "rfc7866/6.1.1/5", Section: "RFC 7866 §6.1.1", Level: check.Must,
			Shows:       []string{"7866-6.1.1-06", "7866-6.3-01"},
			Requirement: "siprec is understood in OPTIONS, and record-aware in Supported is passed over.",
			Run: func(ctx context.Context, t *check.T) {
				t.Status(t.Do(ctx, t.Client(ctx), "OPTIONS", src.Request{Require: []string{"siprec"}}), 200)
				t.Open(ctx, src.Request{Headers: []src.Header{{Name: "Supported", Value: "record-aware"}}})
			},
		},
	}
}

// streams are further cases of what may become of m-lines (RFC 7866 §7.1.1, §8).
func streams() []check.Case {
	return []check.Case{
		direction("rfc7866/7.2/8", "A stream offered recvonly is answered inactive: the SRS sends nothing.", src.RecvOnly, "", src.Inactive, "7866-7.1.1-01"),
		{
			ID: "rfc7866/7.1.1/1", Section: "RFC 7866 §7.1.1", Level: check.Derived,
			Shows:       []string{"7866-7.1.1-02"},
			Requirement: "Streams without labels are recorded all the same.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Label, offer[1].Label = "", ""
				taken(t, t.Answer(t.Open(ctx, src.Request{Streams: offer})))
			},
		},
		{
			ID: "rfc7866/7.1.1.1/1", Section: "RFC 7866 §7.1.1.1, RFC 3264 §8.1", Level: check.Must,
			Shows:       []string{"7866-7.1.1.1-02", "7866-7.1.1.1-01"},
			Requirement: "The place of a removed stream may be used for a new one.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				offer := d.Offers()
				offer[1].Port = src.PortZero
				reoffer(ctx, t, d, offer)
				offer[1].Port, offer[1].Label = 0, "9"
				taken(t, reoffer(ctx, t, d, offer))
			},
		},
		{
			ID: "rfc7866/7.1.1.1/2", Section: "RFC 7866 §7.1.1.1", Level: check.Must,
			Shows:       []string{"7866-7.1.1.1-03", "7866-7.1.1.1-05"},
			Requirement: "inactive pauses a stream and sendonly resumes it, on the same port.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				first := t.Answer(d)
				paused := reoffer(ctx, t, d, d.WithDirection(src.Inactive))
				resumed := reoffer(ctx, t, d, d.WithDirection(src.SendOnly))
				for i, m := range first.Media {
					if paused.DirectionOf(i) != src.Inactive || paused.Media[i].Port != m.Port {
						t.Errorf("m-line %d is paused as %s on port %d", i, paused.DirectionOf(i), paused.Media[i].Port)
					}
					if resumed.DirectionOf(i) != src.RecvOnly || resumed.Media[i].Port != m.Port {
						t.Errorf("m-line %d is resumed as %s on port %d", i, resumed.DirectionOf(i), resumed.Media[i].Port)
					}
				}
			},
		},
		{
			ID: "rfc7866/8.1.2/1", Section: "RFC 7866 §8.1.2, RFC 4585 §4.3", Level: check.Should,
			Shows:       []string{"7866-8.1.2-01"},
			Requirement: "A stream under RTP/AVPF is taken, and answered with the same profile.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Proto = "RTP/AVPF"
				answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
				taken(t, answer)
				if answer.Media[0].Proto != "RTP/AVPF" || answer.Media[1].Proto != "RTP/AVP" {
					t.Errorf("profiles of the answer are %s and %s", answer.Media[0].Proto, answer.Media[1].Proto)
				}
			},
		},
		{
			ID: "rfc7866/8.3.1/4", Section: "RFC 7866 §8.3.1", Level: check.Derived,
			Shows:       []string{"7866-8.3.1-02"},
			Requirement: "Two streams may become one mixed stream by an offer that follows at once.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				offer := d.Offers()
				offer[0].Label, offer[1].Port = "mixed", src.PortZero
				answer := reoffer(ctx, t, d, offer)
				if answer.Media[0].Port == 0 || answer.Media[1].Port != 0 {
					t.Errorf("ports of the answer are %d and %d", answer.Media[0].Port, answer.Media[1].Port)
				}
			},
		},
		{
			ID: "rfc7866/8.3.2/2", Section: "RFC 7866 §8.3.2", Level: check.Must,
			Shows:       []string{"7866-8.3.2-02"},
			Requirement: "With a mixed audio and a mixed video stream, the answer has both in their places.",
			Run: func(ctx context.Context, t *check.T) {
				video := []src.Codec{{Name: "H264", PayloadType: 99, ClockRate: 90000}}
				answer := t.Answer(t.Open(ctx, src.Request{Streams: []src.StreamOffer{
					{Label: "a", Direction: src.SendOnly}, {Label: "v", Media: "video", Codecs: video, Direction: src.SendOnly},
				}}))
				if answer.Media[0].Kind != "audio" || answer.Media[1].Kind != "video" || answer.Media[0].Port == 0 {
					t.Errorf("the answer is %s on port %d and %s", answer.Media[0].Kind, answer.Media[0].Port, answer.Media[1].Kind)
				}
			},
		},
		{
			ID: "rfc7866/8.4/2", Section: "RFC 7866 §8.4", Level: check.Derived,
			Shows:       []string{"7866-8.4-01"},
			Requirement: "Sixteen audio streams are taken, each on a port of its own.",
			Run: func(ctx context.Context, t *check.T) {
				var offer []src.StreamOffer
				for i := range 16 {
					offer = append(offer, src.StreamOffer{Label: fmt.Sprint(i), Direction: src.SendOnly})
				}
				taken(t, t.Answer(t.Open(ctx, src.Request{Streams: offer})))
			},
		},
	}
}

// taken fails unless every m-line is received, on a port of its own.
func taken(t *check.T, answer *src.SDP) {
	ports := make(map[int]bool)
	for i, m := range answer.Media {
		if m.Port == 0 || ports[m.Port] || answer.DirectionOf(i) != src.RecvOnly {
			t.Errorf("m-line %d is answered %s on port %d", i, answer.DirectionOf(i), m.Port)
		}
		ports[m.Port] = true
	}
}

// reoffer offers once more and returns the new answer.
func reoffer(ctx context.Context, t *check.T, d *src.Dialog, offer []src.StreamOffer) *src.SDP {
	m, err := d.Reinvite(ctx, src.Request{Streams: offer})
	t.Check(err, "re-INVITE")
	t.Status(m, 200)
	return t.Answer(d)
}
