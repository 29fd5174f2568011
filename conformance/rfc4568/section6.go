package rfc4568

import (
	"context"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section6 are the cases of what stands in a=crypto.
func section6() []check.Case {
	short := func(key string) string { return key[:len(key)-4] }
	behind := func(text string) func(string) string { return func(key string) string { return key + text } }
	return []check.Case{
		broken("rfc4568/6.1/1", "RFC 4568 §6.1, §6.2.1", "An attribute whose key has not the length of its suite, or is not given by inline, is invalid: its m-line is refused.",
			short, behind("AAAA"), func(key string) string { return strings.Replace(key, "inline:", "uri:", 1) }),
		broken("rfc4568/6.1/2", "RFC 4568 §6.1", "An attribute whose lifetime is 0 or above 2^48 is invalid: its m-line is refused.",
			behind("|0"), behind("|2^49")),
		broken("rfc4568/6.1/3", "RFC 4568 §6.1", "An attribute whose MKI is of no or of more than 128 octets is invalid: its m-line is refused.",
			behind("|1:0"), behind("|2^20|1:129")),
		understood("rfc4568/6.1/4", "RFC 4568 §6.1", "A lifetime is understood as a number and as a power of 2.",
			check.Must, behind("|1048576"), behind("|2^31")),
		{
			ID: "rfc4568/6.1/5", Section: "RFC 4568 §6.1, RFC 3711 §3.1", Level: check.Must, Needs: []string{"rtcp"},
			Shows:       []string{"4568-6.1-01"},
			Requirement: "A key with an MKI is refused, or packets that have this MKI are received.",
			Run: func(ctx context.Context, t *check.T) {
				t.OverUDP()
				offers := secured(t)
				offers[0].Keys[0].MKI, offers[0].Keys = []byte{0, 0, 4, 42}, offers[0].Keys[:1]
				d := t.Open(ctx, src.Request{Streams: offers})
				if t.Answer(d).Media[0].Port != 0 {
					heard(ctx, t, d.Stream(0))
				}
			},
		},
		{
			ID: "rfc4568/6.2/1", Section: "RFC 4568 §6.2, §5.1.2, RFC 7714 §14.2", Level: check.Must,
			Shows:       []string{"DRV4568-5.1.2-01", "7866-12.2-04"},
			Requirement: "A stream in any suite is refused or answered in that suite; AES_CM_128_HMAC_SHA1_80 is taken.",
			Run: func(ctx context.Context, t *check.T) {
				suites := src.SRTPSuites()
				for i, m := range t.Answer(t.Open(ctx, src.Request{Streams: ofSuites(t, suites)})).Media {
					values := cryptoOf(m)
					switch {
					case m.Port == 0 && suites[i] != everyone:
					case m.Port == 0:
						t.Errorf("%s is refused", suites[i])
					case len(values) != 1 || !strings.HasPrefix(values[0], "1 "+suites[i]+" "):
						t.Errorf("%s is answered with %d attributes, or in another suite", suites[i], len(values))
					}
				}
			},
		},
		understood("rfc4568/6.3.6/1", "RFC 4568 §6.3.6", "A hint of the window size is no obstacle.",
			check.Must, behind(" WSH=64"), behind(" WSH=1024")),
		understood("rfc4568/6.3.7/1", "RFC 4568 §6.3.7", "An unknown parameter that begins with a dash is passed over.",
			check.Must, behind(" -X-UNHEARD"), behind(" -X-UNHEARD=1 WSH=128")),
		{
			ID: "rfc4568/6.3.2/1", Section: "RFC 4568 §6.3.2, §5.1.2", Level: check.Must,
			Shows:       []string{"4568-6.1-01"},
			Requirement: "UNENCRYPTED_SRTCP and UNENCRYPTED_SRTP are negotiated: such a stream is refused, or answered with the same parameter.",
			Run: func(ctx context.Context, t *check.T) {
				parameters := []string{"UNENCRYPTED_SRTCP", "UNENCRYPTED_SRTP"}
				offers := edited(t, func(key string) string { return key + " " + parameters[0] }, func(key string) string { return key + " " + parameters[1] })
				for i, m := range t.Answer(t.Open(ctx, src.Request{Streams: offers})).Media[:2] {
					for _, value := range cryptoOf(m) {
						if !slices.Contains(strings.Fields(value), parameters[i]) {
							t.Errorf("m-line %d, offered with %s, is accepted without", i, parameters[i])
						}
					}
				}
			},
		},
	}
}

// edited offers a stream for each edit, whose only attribute is a good one as edited, and
// a stream behind them that is in order.
func edited(t *check.T, edits ...func(key string) string) []src.StreamOffer {
	good := secured(t)[0]
	var offers []src.StreamOffer
	for _, edit := range edits {
		o := good
		o.Proto, o.Keys = "RTP/SAVP", nil
		o.Attributes = []string{"crypto:" + edit(good.Keys[len(offers)%len(good.Keys)].Attribute(1))}
		offers = append(offers, o)
	}
	return append(offers, secured(t)[1])
}

// broken is a case of attributes each of which makes its m-line refused.
func broken(id, section, requirement string, edits ...func(key string) string) check.Case {
	return check.Case{
		ID: id, Section: section, Level: check.Must, Requirement: requirement, Shows: []string{"4568-6.1-01"},
		Run: func(ctx context.Context, t *check.T) {
			answer := t.Answer(t.Open(ctx, src.Request{Streams: edited(t, edits...)}))
			for i, m := range answer.Media[:len(edits)] {
				if m.Port != 0 {
					t.Errorf("m-line %d, whose only attribute is invalid, is answered on port %d", i, m.Port)
				}
			}
			if answer.Media[len(edits)].Port == 0 {
				t.Errorf("the m-line that is in order is refused")
			}
		},
	}
}

// understood is a case of attributes that are accepted.
func understood(id, section, requirement string, level check.Level, edits ...func(key string) string) check.Case {
	return check.Case{
		ID: id, Section: section, Level: level, Requirement: requirement, Shows: []string{"4568-6.1-01"},
		Run: func(ctx context.Context, t *check.T) {
			for i, m := range t.Answer(t.Open(ctx, src.Request{Streams: edited(t, edits...)})).Media {
				if m.Port == 0 || len(cryptoOf(m)) != 1 {
					t.Errorf("m-line %d is answered on port %d with %d attributes", i, m.Port, len(cryptoOf(m)))
				}
			}
		},
	}
}

// ofSuites offers a stream in each suite.
func ofSuites(t *check.T, suites []string) []src.StreamOffer {
	ids := src.NewIDs(45682)
	var offers []src.StreamOffer
	for _, suite := range suites {
		key, err := ids.SRTPKey(suite)
		t.Check(err, "key")
		offers = append(offers, src.StreamOffer{Label: suite, Direction: src.SendOnly, Keys: []src.SRTPKey{key}})
	}
	return offers
}

// heard sends packets, with the protection that was agreed, and fails unless all are
// reported as received.
func heard(ctx context.Context, t *check.T, st *src.Stream) {
	t.Check(st.Burst(ctx, src.Silence(), 40, src.PlayOptions{}), "send SRTP")
	sent := st.Sent()
	last := sent[len(sent)-1].Sequence
	if r := t.Reception(ctx, st); r.Lost != 0 || uint16(r.Highest) != last {
		t.Errorf("%d packets are reported as lost up to %d, none was up to %d", r.Lost, uint16(r.Highest), last)
	}
}
