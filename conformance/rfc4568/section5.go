package rfc4568

import (
	"context"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// everyone is the suite that RFC 4568 §6.2.1 lets everyone have.
const everyone = "AES_CM_128_HMAC_SHA1_80"

// secured offers two m-lines of SRTP with two keys each.
func secured(t *check.T) []src.StreamOffer {
	ids := src.NewIDs(4568)
	offers := src.TwoParties()
	for i := range offers {
		for range 2 {
			key, err := ids.SRTPKey(everyone)
			t.Check(err, "key")
			offers[i].Keys = append(offers[i].Keys, key)
		}
	}
	return offers
}

// cryptoOf are the values of a=crypto of an m-line.
func cryptoOf(m src.MediaLine) []string {
	var values []string
	for _, a := range m.Attributes {
		if value, ok := strings.CutPrefix(a, "crypto:"); ok {
			values = append(values, value)
		}
	}
	return values
}

func section5() []check.Case {
	return []check.Case{
		{
			ID: "rfc4568/5.1.2/1", Section: "RFC 4568 §5.1.2", Level: check.Must,
			Shows:       []string{"DRV4568-5.1.2-01", "7866-12.2-01", "7866-12.2-02"},
			Requirement: "An accepted m-line has exactly one crypto attribute, with the tag and suite of an offered one.",
			Run: func(ctx context.Context, t *check.T) {
				for i, m := range t.Answer(t.Open(ctx, src.Request{Streams: secured(t)})).Media {
					values := cryptoOf(m)
					if m.Port == 0 || len(values) != 1 {
						t.Errorf("m-line %d is answered with port %d and %d crypto attributes", i, m.Port, len(values))
						continue
					}
					f := strings.Fields(values[0])
					if len(f) < 3 || f[0] != "1" && f[0] != "2" || f[1] != everyone {
						t.Errorf("m-line %d accepts what was not offered", i)
					}
				}
			},
		},
		{
			ID: "rfc4568/5.1.2/2", Section: "RFC 4568 §5.1.2, §6.1", Level: check.Must,
			Shows:       []string{"DRV4568-5.1.2-01", "7866-12.2-02"},
			Requirement: "The key of an answer is the server's own: not one of the offer, and another for each m-line.",
			Run: func(ctx context.Context, t *check.T) {
				offers := secured(t)
				var known []string
				for _, o := range offers {
					for k, key := range o.Keys {
						known = append(known, strings.Fields(key.Attribute(k + 1))[2])
					}
				}
				for i, m := range t.Answer(t.Open(ctx, src.Request{Streams: offers})).Media {
					for _, value := range cryptoOf(m) {
						f := strings.Fields(value)
						if len(f) < 3 || slices.Contains(known, f[2]) {
							t.Errorf("m-line %d is answered without a key, or with one that stands elsewhere", i)
							continue
						}
						known = append(known, f[2])
					}
				}
			},
		},
		{
			ID: "rfc4568/5.1.2/3", Section: "RFC 4568 §5.1.2, §6.3.7", Level: check.Must,
			Shows:       []string{"4568-6.1-01"},
			Requirement: "An m-line whose only crypto attribute has a session parameter that nobody knows is refused; the others are not.",
			Run: func(ctx context.Context, t *check.T) {
				offers := secured(t)
				offers[0].Proto = "RTP/SAVP"
				offers[0].Attributes = []string{"crypto:" + offers[0].Keys[0].Attribute(1) + " UNKNOWN_PARAMETER=1"}
				offers[0].Keys = nil
				answer := t.Answer(t.Open(ctx, src.Request{Streams: offers}))
				if answer.Media[0].Port != 0 {
					t.Errorf("the m-line without a valid key is answered with port %d", answer.Media[0].Port)
				}
				if answer.Media[1].Port == 0 {
					t.Errorf("the other m-line is refused")
				}
			},
		},
		{
			ID: "rfc4568/5.1.2/4", Section: "RFC 4568 §5.1.2, §7.1.2", Level: check.Must,
			Shows:       []string{"DRV4568-5.1.2-01", "7866-12.2-02"},
			Requirement: "Of an unknown suite and a known one, the known one is accepted, with its tag.",
			Run: func(ctx context.Context, t *check.T) {
				offers := secured(t)
				known := offers[0].Keys[0].Attribute(7)
				offers[0].Proto, offers[0].Keys = "RTP/SAVP", nil
				offers[0].Attributes = []string{"crypto:1 X_UNHEARD_OF inline:" + strings.Fields(known)[2][7:], "crypto:" + known}
				m := t.Answer(t.Open(ctx, src.Request{Streams: offers})).Media[0]
				if values := cryptoOf(m); m.Port == 0 || len(values) != 1 || !strings.HasPrefix(values[0], "7 "+everyone+" ") {
					t.Errorf("m-line 0 is answered on port %d with %d crypto attributes", m.Port, len(values))
				}
			},
		},
		{
			ID: "rfc4568/5.1.2/5", Section: "RFC 7866 §12.2", Level: check.Must,
			Shows:       []string{"7866-12.2-01", "7866-8.1.2-01"},
			Requirement: "A stream under RTP/SAVPF is taken, and answered with the same profile and a key.",
			Run: func(ctx context.Context, t *check.T) {
				offers := secured(t)
				offers[0].Proto = "RTP/SAVPF"
				m := t.Answer(t.Open(ctx, src.Request{Streams: offers})).Media[0]
				if m.Port == 0 || m.Proto != "RTP/SAVPF" || len(cryptoOf(m)) != 1 {
					t.Errorf("m-line 0 is answered %s on port %d", m.Proto, m.Port)
				}
			},
		},
		{
			ID: "rfc4568/5.1.2/6", Section: "RFC 7866 §12.2, RFC 5763 §5", Level: check.Must,
			Shows:       []string{"7866-12.2-03"},
			Requirement: "A stream of SRTP without a key that is understood is refused, or keyed in the way that it offers.",
			Run: func(ctx context.Context, t *check.T) {
				offers := secured(t)
				offers[0].Keys, offers[0].Proto = nil, "UDP/TLS/RTP/SAVPF"
				offers[0].Attributes = []string{"setup:actpass", "fingerprint:sha-256 " + strings.TrimSuffix(strings.Repeat("0A:", 32), ":")}
				m := t.Answer(t.Open(ctx, src.Request{Streams: offers})).Media[0]
				if _, keyed := m.Attribute("fingerprint"); m.Port != 0 && !keyed {
					t.Errorf("m-line 0 is taken on port %d without a key", m.Port)
				}
			},
		},
	}
}
