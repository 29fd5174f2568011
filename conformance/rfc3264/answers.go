package rfc3264

import (
	"context"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// directions are the cases of where a direction stands (RFC 3264 §5.1).
func directions() []check.Case {
	return []check.Case{{
		ID: "rfc3264/5.1/1", Section: "RFC 3264 §5.1, RFC 8866 §6.7", Level: check.Must,
		Shows:       []string{"3264-5.1-01"},
		Requirement: "A direction in front of the first m-line holds for each that has none of its own.",
		Run: func(ctx context.Context, t *check.T) {
			answer := t.Answer(t.Open(ctx, src.Request{Streams: src.TwoParties(), SDP: described("a=inactive\r\n",
				"m=audio {port0} RTP/AVP 0\r\na=label:1\r\n", "m=audio {port1} RTP/AVP 0\r\na=label:2\r\na=sendonly\r\n")}))
			if a, b := answer.DirectionOf(0), answer.DirectionOf(1); a != src.Inactive || b != src.RecvOnly {
				t.Errorf("what is inactive for all is answered %s, and the m-line that is sendonly %s", a, b)
			}
		},
	}}
}

// described is the text of an offer with lines in front of the first m-line.
func described(before string, media ...string) string {
	return "v=0\r\no=src 11 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n" + before + strings.Join(media, "")
}

// answers are further cases of what an answer holds (RFC 3264 §6).
func answers() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/6/3", Section: "RFC 3264 §6", Level: check.Must,
			Shows:       []string{"3264-6-03"},
			Requirement: "The t= line of an answer is that of the offer.",
			Run: func(ctx context.Context, t *check.T) {
				const times = "t=3900000000 3900003600"
				offer := described("", "m=audio {port0} RTP/AVP 0\r\na=label:1\r\na=sendonly\r\n")
				answer := t.Answer(t.Open(ctx, src.Request{Streams: src.TwoParties()[:1], SDP: strings.Replace(offer, "t=0 0", times, 1)}))
				if !slices.Contains(strings.Fields(strings.ReplaceAll(string(answer.Raw), " ", "_")), strings.ReplaceAll(times, " ", "_")) {
					t.Errorf("the answer has not %s", times)
				}
			},
		},
		{
			ID: "rfc3264/6/4", Section: "RFC 3264 §6, RFC 8866 §5.13", Level: check.Must,
			Shows:       []string{"3264-6-04"},
			Requirement: "Attributes that nobody knows are passed over, and not answered.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Attributes = []string{"x-unheard-of:1", "x-unheard-of-too"}
				answer := t.Answer(t.Open(ctx, src.Request{Streams: offer}))
				for _, a := range answer.Media[0].Attributes {
					if strings.HasPrefix(a, "x-unheard") {
						t.Errorf("a=%s is answered", a)
					}
				}
				if answer.Media[0].Port == 0 {
					t.Errorf("the m-line is refused")
				}
			},
		},
		{
			ID: "rfc3264/6.1/4", Section: "RFC 3264 §6.1", Level: check.Must,
			Shows:       []string{"3264-6.1-01"},
			Requirement: "A format under a dynamic payload type is answered by its name: a=rtpmap says what a number of the answer is.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Codecs = []src.Codec{{Name: "PCMA", PayloadType: 107, ClockRate: 8000}}
				m := t.Answer(t.Open(ctx, src.Request{Streams: offer})).Media[0]
				named := slices.ContainsFunc(m.Formats, func(f string) bool {
					return f == "8" || slices.ContainsFunc(m.Attributes, func(a string) bool {
						return strings.EqualFold(a, "rtpmap:"+f+" PCMA/8000") || strings.EqualFold(a, "rtpmap:"+f+" PCMA/8000/1")
					})
				})
				if m.Port == 0 || !named {
					t.Errorf("PCMA as payload type 107 is answered with port %d, the formats %v and the attributes %q", m.Port, m.Formats, m.Attributes)
				}
			},
		},
	}
}

// changes are further cases of later offers (RFC 3264 §8).
func changes() []check.Case {
	return []check.Case{
		{
			ID: "rfc3264/8.2/2", Section: "RFC 3264 §8.2", Level: check.Must,
			Shows:       []string{"3264-8-02"},
			Requirement: "When all streams are removed, the answer has all m-lines with port 0, and the dialog goes on.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				offer := d.Offers()
				for i := range offer {
					offer[i].Port = src.PortZero
				}
				for i, m := range again(ctx, t, d, offer).Media {
					if m.Port != 0 {
						t.Errorf("m-line %d is answered with port %d", i, m.Port)
					}
				}
				offer[0].Port, offer[0].Label = 0, "3"
				if m := again(ctx, t, d, offer).Media[0]; m.Port == 0 {
					t.Errorf("a stream that is added then is refused")
				}
			},
		},
		{
			ID: "rfc3264/8.3.1/2", Section: "RFC 3264 §8.3.1", Level: check.Must,
			Shows:       []string{"3264-8.3-01"},
			Requirement: "A stream may move to another port of the SRC; the m-line of the server stays.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				first := t.Answer(d)
				offer := d.Offers()
				offer[0].Port = 40002
				for i, m := range again(ctx, t, d, offer).Media {
					if m.Port != first.Media[i].Port {
						t.Errorf("m-line %d went from port %d to %d", i, first.Media[i].Port, m.Port)
					}
				}
			},
		},
		{
			ID: "rfc3264/8.3.2/2", Section: "RFC 3264 §8.3.2", Level: check.Must,
			Shows:       []string{"3264-8.3-01"},
			Requirement: "Formats that a later offer replaces are replaced in the answer.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties()
				offer[0].Codecs = []src.Codec{src.PCMU()}
				d := t.Open(ctx, src.Request{Streams: offer})
				offer = d.Offers()
				offer[0].Codecs = []src.Codec{src.PCMA()}
				if m := again(ctx, t, d, offer).Media[0]; m.Port == 0 || !slices.Contains(m.Formats, "8") {
					t.Errorf("PCMA in place of PCMU is answered with port %d and the formats %v", m.Port, m.Formats)
				}
			},
		},
	}
}
