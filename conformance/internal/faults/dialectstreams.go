package faults

import (
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

// offering makes a mistake that knows the offer; without one it does nothing.
func offering(change func(offer *src.SDP, req *message, r *response)) mistake {
	return always(func(req *message, r *response) {
		if offer, err := req.SDP(); err == nil && offer != nil && r.SDP != "" {
			change(offer, req, r)
		}
	})
}

// refusing gives 488 to offers of which a line fits.
func refusing(fits func(offer *src.SDP, i int, m src.MediaLine) bool) mistake {
	return offering(func(offer *src.SDP, _ *message, r *response) {
		for i, m := range offer.Media {
			if fits(offer, i, m) {
				r.Status, r.SDP = 488, ""
				return
			}
		}
	})
}

// answering rewrites the m-lines of an answer for which the offered one fits.
func answering(fits func(offer *src.SDP, i int, m src.MediaLine) bool, change func(fields []string)) mistake {
	return offering(func(offer *src.SDP, req *message, r *response) {
		lines(func(i int, f []string) {
			if i < len(offer.Media) && fits(offer, i, offer.Media[i]) {
				change(f)
			}
		})()(req, r)
	})
}

func live(f []string) { f[1] = "4000" }

// dialectStreams are mistakes with SDP as it comes from the field.
func dialectStreams() []Fault {
	return append([]Fault{
		{
			Name: "one-direction-for-all", Says: "Every stream is answered with the direction that the first one gets.",
			Caught: []string{"dialects/cisco/2", "dialects/cisco/4", "dialects/streams/3"},
			Config: alters(always(func(_ *message, r *response) {
				if strings.Index(r.SDP, "a=inactive") < strings.Index(r.SDP, "a=recvonly") {
					r.SDP = strings.ReplaceAll(r.SDP, "a=recvonly", "a=inactive")
				} else {
					r.SDP = strings.ReplaceAll(r.SDP, "a=inactive", "a=recvonly")
				}
			})),
		},
		{
			Name: "only-audio-answered", Says: "What is no audio has no m-line in the answer.",
			Caught: []string{"dialects/cisco/7", "dialects/emergency/1", "dialects/fax/1", "dialects/streams/8"},
			Config: alters(always(func(_ *message, r *response) {
				head, rest, _ := strings.Cut(r.SDP, "m=")
				kept := head
				for m := range strings.SplitSeq(rest, "\r\nm=") {
					if strings.HasPrefix(m, "audio") {
						kept += "m=" + strings.TrimSuffix(m, "\r\n") + "\r\n"
					}
				}
				if r.SDP != "" {
					r.SDP = kept
				}
			})),
		},
		{
			Name: "codec-is-for-ever", Says: "An offer of other codecs than before is refused.",
			Caught: []string{"dialects/cisco/9"},
			Config: alters(codecForEver),
		},
		{
			Name: "removed-stream-lives", Says: "A stream that is offered with port 0 is answered with a port.",
			Caught: []string{"dialects/cisco/10", "dialects/streams/13"},
			Config: alters(answering(func(_ *src.SDP, _ int, m src.MediaLine) bool { return m.Port == 0 }, live)),
		},
		{
			Name: "same-codecs-for-all", Says: "An offer whose streams have different codecs is refused.",
			Caught: []string{"dialects/oracle/3", "dialects/streams/6"},
			Config: alters(refusing(func(o *src.SDP, _ int, m src.MediaLine) bool { return !slices.Equal(m.Formats, o.Media[0].Formats) })),
		},
		{
			Name: "opus-refused", Says: "An offer with Opus is refused, whatever else it has.",
			Caught: []string{"dialects/audiocodes/1", "dialects/audiocodes/3"},
			Config: alters(holding("OPUS/48000", 488)),
		},
		{
			Name: "rtpmap-demanded", Says: "A payload type without rtpmap is refused, static or not.",
			Caught: []string{"dialects/metaswitch/2", "dialects/streams/1", "dialects/broadworks/5"},
			Config: alters(refusing(func(_ *src.SDP, _ int, m src.MediaLine) bool {
				return !slices.ContainsFunc(m.Attributes, func(a string) bool { return strings.HasPrefix(a, "rtpmap:"+m.Formats[0]+" ") })
			})),
		},
		{
			Name: "unknown-attribute-refused", Says: "An offer with an attribute that is not known is refused.",
			Caught: []string{"dialects/kamailio/1", "dialects/streams/5", "dialects/sems/1"},
			Config: alters(refusing(func(_ *src.SDP, _ int, m src.MediaLine) bool {
				return slices.ContainsFunc(m.Attributes, func(a string) bool {
					return a == "x-unheard-of" || strings.HasPrefix(a, "candidate:") || strings.HasPrefix(a, "direction:")
				})
			})),
		},
		{
			Name: "one-line-refuses-all", Says: "An offer is refused for one stream that cannot be taken.",
			Caught: []string{"dialects/fax/1", "dialects/emergency/1", "dialects/streams/7"},
			Config: alters(refusing(func(_ *src.SDP, _ int, m src.MediaLine) bool { return !strings.HasPrefix(m.Proto, "RTP/") })),
		},
	}, moreDialectStreams()...)
}

func moreDialectStreams() []Fault {
	return []Fault{
		{
			Name: "unknown-transport-taken", Says: "A stream of a transport that nobody knows is answered with a port.",
			Caught: []string{"dialects/streams/7"},
			Config: alters(answering(func(_ *src.SDP, _ int, m src.MediaLine) bool { return m.Proto == "XTP/UNHEARD" }, live)),
		},
		{
			Name: "unknown-media-refuse-all", Says: "An offer with a media type that is not known is refused.",
			Caught: []string{"dialects/streams/8"},
			Config: alters(refusing(func(_ *src.SDP, _ int, m src.MediaLine) bool { return m.Kind == "whiteboard" })),
		},
		{
			Name: "sendrecv-echoed", Says: "A stream that is offered sendrecv is answered sendrecv.",
			Caught: []string{"dialects/streams/1"},
			Config: alters(offering(func(offer *src.SDP, _ *message, r *response) {
				if offer.Media[0].Direction == src.SendRecv {
					r.SDP = strings.ReplaceAll(r.SDP, "a=recvonly", "a=sendrecv")
				}
			})),
		},
		{
			Name: "direction-of-all-ignored", Says: "The direction of the whole description does not count.",
			Caught: []string{"dialects/streams/3"},
			Config: alters(offering(func(offer *src.SDP, _ *message, r *response) {
				if slices.Contains(offer.Attributes, src.Inactive) {
					r.SDP = strings.ReplaceAll(r.SDP, "a=inactive", "a=recvonly")
				}
			})),
		},
		{
			Name: "address-of-all-demanded", Says: "An offer whose addresses stand with the streams alone is refused.",
			Caught: []string{"dialects/streams/4", "dialects/jambonz/1"},
			Config: alters(refusing(func(o *src.SDP, _ int, _ src.MediaLine) bool { return o.Connection == "" })),
		},
		{
			Name: "zero-address-is-live", Says: "A hold by the address 0.0.0.0 is answered recvonly.",
			Caught: []string{"dialects/metaswitch/1", "dialects/broadworks/4"},
			Config: alters(offering(func(offer *src.SDP, _ *message, r *response) {
				if offer.Connection == "0.0.0.0" || offer.Media[0].Connection == "0.0.0.0" {
					r.SDP = strings.ReplaceAll(r.SDP, "a=inactive", "a=recvonly")
				}
			})),
		},
		{
			Name: "ports-of-same-offer-move", Says: "An offer that is repeated is answered with other ports.",
			Caught: []string{"dialects/streams/12"},
			Config: alters(movingPorts),
		},
		{
			Name: "place-stays-empty", Says: "The place of a removed stream is never taken again.",
			Caught: []string{"dialects/streams/13"},
			Config: alters(emptyPlace),
		},
		{
			Name: "one-port-one-stream", Says: "Two streams that are sent from one port are refused.",
			Caught: []string{"dialects/streams/2"},
			Config: alters(refusing(func(o *src.SDP, i int, m src.MediaLine) bool { return i > 0 && m.Port == o.Media[0].Port })),
		},
		{
			Name: "origin-nailed", Says: "An offer whose o= line is not that of before with a higher version is refused.",
			Caught: []string{"dialects/broadworks/5"},
			Config: alters(nailedOrigin),
		},
		{
			Name: "digits-are-labels", Says: "A label that is no number is refused.",
			Caught: []string{"dialects/labels/4", "dialects/sems/1"},
			Config: alters(refusing(func(_ *src.SDP, _ int, m src.MediaLine) bool { return strings.Trim(m.Label, "0123456789") != "" })),
		},
		{
			Name: "unlabelled-streams-refused", Says: "A stream without a label is answered with port 0.",
			Caught: []string{"dialects/labels/1", "dialects/labels/7"},
			Config: alters(answering(func(_ *src.SDP, _ int, m src.MediaLine) bool { return m.Label == "" }, func(f []string) { f[1] = "0" })),
		},
		{
			Name: "label-means-one-stream", Says: "The second stream of a label is refused.",
			Caught: []string{"dialects/labels/2"},
			Config: alters(answering(func(o *src.SDP, i int, m src.MediaLine) bool { return i > 0 && m.Label == o.Media[0].Label }, func(f []string) { f[1] = "0" })),
		},
		{
			Name: "labels-by-place", Says: "A stream keeps the label that it had first.",
			Caught: []string{"dialects/labels/8"},
			Config: alters(edit(1, "a=label:2\r\na=recvonly\r\nm=", "a=label:1\r\na=recvonly\r\nm=")),
		},
		{
			Name: "unlisted-streams-refused", Says: "A stream that the metadata does not know is refused.",
			Caught: []string{"dialects/labels/5", "dialects/labels/6", "dialects/broadworks/8"},
			Config: alters(offering(func(offer *src.SDP, req *message, r *response) {
				lines(func(i int, f []string) {
					if body := string(req.Body); strings.Contains(body, "<recording") && !strings.Contains(body, "<label>"+offer.Media[i].Label+"<") {
						f[1] = "0"
					}
				})()(req, r)
			})),
		},
	}
}

// codecForEver refuses offers whose first stream has other formats than the first offer.
func codecForEver() alter {
	first := ""
	return refusing(func(_ *src.SDP, i int, m src.MediaLine) bool {
		if formats := strings.Join(m.Formats, " "); first == "" {
			first = formats
		} else if i == 0 {
			return formats != first
		}
		return false
	})()
}

// movingPorts answers an offer that was sent before otherwise.
func movingPorts() alter {
	seen := make(map[string]bool)
	return offering(func(offer *src.SDP, req *message, r *response) {
		if key := string(offer.Raw) + req.Get("Call-ID"); seen[key] {
			port(0, "4000")()(req, r)
		} else {
			seen[key] = true
		}
	})()
}

// emptyPlace refuses the second stream for ever once it was removed.
func emptyPlace() alter {
	gone := false
	return offering(func(offer *src.SDP, req *message, r *response) {
		gone = gone || len(offer.Media) > 1 && offer.Media[1].Port == 0
		if gone {
			port(1, "0")()(req, r)
		}
	})()
}

// nailedOrigin refuses an id that changes and a version that falls.
func nailedOrigin() alter {
	last := make(map[string]*src.SDP)
	return offering(func(offer *src.SDP, req *message, r *response) {
		id := req.Get("Call-ID")
		if before := last[id]; before != nil && (before.OriginID != offer.OriginID || before.Version > offer.Version) {
			r.Status, r.SDP = 500, ""
		}
		last[id] = offer
	})()
}
