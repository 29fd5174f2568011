package rfc7866

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// everyMedia is audio between kinds of media that an SRS may not know.
func everyMedia() []src.StreamOffer {
	h264 := []src.Codec{{Name: "H264", PayloadType: 99, ClockRate: 90000}}
	t140 := []src.Codec{{Name: "t140", PayloadType: 98, ClockRate: 1000}}
	return []src.StreamOffer{
		{Label: "v", Media: "video", Codecs: h264, Direction: src.SendOnly},
		{Label: "a", Direction: src.SendOnly},
		{Label: "t", Media: "text", Codecs: t140, Direction: src.SendOnly},
		{Label: "m", Media: "message", Proto: "TCP/MSRP", Formats: "*", Direction: src.SendOnly,
			Attributes: []string{"path:msrp://192.0.2.60:7654/x1;tcp", "accept-types:text/plain"}},
		{Label: "b", Direction: src.SendOnly},
	}
}

func section8() []check.Case { return append(separate(), mixed()...) }

// separate are the cases of one m-line per media stream.
func separate() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/8.3.1/1", Section: "RFC 7866 §8.3.1", Level: check.Must,
			Shows:       []string{"7866-8.3.1-01"},
			Requirement: "The answer holds every m-line of the offer in its place, with the same kind of media and protocol.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Streams: everyMedia()})
				for i, m := range t.Answer(d).Media {
					o := d.Stream(i).Offer()
					kind, proto := o.Media, o.Proto
					if kind == "" {
						kind = "audio"
					}
					if proto == "" {
						proto = "RTP/AVP"
					}
					if m.Kind != kind || m.Proto != proto {
						t.Errorf("m-line %d is answered %s %s, offered %s %s", i, m.Kind, m.Proto, kind, proto)
					}
				}
			},
		},
		{
			ID: "rfc7866/8.3.1/2", Section: "RFC 7866 §8.3.1", Level: check.Derived,
			Shows:       []string{"7866-8.3.1-01"},
			Requirement: "A stream that is not RTP is refused with port 0, and the audio beside it is accepted.",
			Run: func(ctx context.Context, t *check.T) {
				answer := t.Answer(t.Open(ctx, src.Request{Streams: everyMedia()}))
				if port := answer.Media[3].Port; port != 0 {
					t.Errorf("MSRP m-line is answered with port %d", port)
				}
				if answer.Media[1].Port == 0 || answer.Media[4].Port == 0 {
					t.Errorf("an audio m-line is refused")
				}
			},
		},
		{
			ID: "rfc7866/8.3.1/3", Section: "RFC 7866 §8.3.1", Level: check.Must,
			Shows:       []string{"7866-8.3.1-01", "7866-8.4-02"},
			Requirement: "A video stream is answered in its slot: taken or refused, but never received and sent.",
			Run: func(ctx context.Context, t *check.T) {
				answer := t.Answer(t.Open(ctx, src.Request{Streams: everyMedia()}))
				dir := answer.DirectionOf(0)
				if answer.Media[0].Port != 0 && dir != src.RecvOnly && dir != src.Inactive {
					t.Errorf("video m-line is answered %s", dir)
				}
			},
		},
	}
}

// mixed are the cases of how many m-lines a recording session may have.
func mixed() []check.Case {
	return []check.Case{
		{
			ID: "rfc7866/8.3.2/1", Section: "RFC 7866 §8.3.2", Level: check.Must,
			Shows:       []string{"7866-8.4-03"},
			Requirement: "A recording session with one mixed stream is accepted.",
			Run: func(ctx context.Context, t *check.T) {
				answer := t.Answer(t.Open(ctx, src.Request{Streams: src.TwoParties()[:1]}))
				if answer.Media[0].Port == 0 {
					t.Errorf("the only m-line is refused")
				}
			},
		},
		{
			ID: "rfc7866/8.4/1", Section: "RFC 7866 §8.4", Level: check.Must,
			Shows:       []string{"7866-8.4-01", "7866-8.3-01"},
			Requirement: "Two audio m-lines, one per direction, are accepted on different ports.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{})
				t.Answer(d)
				first, second := d.Stream(0).Remote(), d.Stream(1).Remote()
				if !first.IsValid() || !second.IsValid() || first == second {
					t.Errorf("streams are to go to %v and %v", first, second)
				}
			},
		},
	}
}
