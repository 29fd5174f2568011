package dialects

import (
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// gateway are header fields that a gateway of this kind adds to its INVITE.
func gateway() []src.Header {
	return headers("Date: Sat, 01 Mar 2025 11:12:13 GMT", "Supported: timer,resource-priority,replaces,sdp-anat", "Min-SE:  1800",
		"Cisco-Guid: {number:guid}", "Timestamp: 1740827533", "Expires: 180", "Allow-Events: telephone-event",
		"Session-ID: {hex:near};remote={hex:far}")
}

// directed are streams with labels from 1 and a direction each.
func directed(directions ...string) []src.StreamOffer {
	out := labelled([]string{"1", "2", "3", "4"}[:len(directions)]...)
	for i, d := range directions {
		out[i].Direction = d
	}
	return out
}

// cisco is what gateways of CUBE and IOS-XE do.
func cisco() []call {
	const section = "RFC 7866 §9.1"
	open := step{request: src.Request{Headers: gateway()}, document: "cube"}
	return []call{
		{
			id: "dialects/cisco/1", section: "RFC 5621 §8", level: check.Must,
			requirement: "A third part of signalling whose handling is optional, in the field's own type, is passed over.",
			steps: []step{{request: src.Request{Headers: gateway(), Parts: []src.Part{{
				Type: "application/gtd", Disposition: "signal;handling=optional", Body: []byte("IAM,\r\nGCI,{hex:gci}\r\n"),
			}}}, document: "cube"}},
		},
		{
			id: "dialects/cisco/2", section: "RFC 7866 §7.1.1", level: check.Must,
			requirement: "A hold that makes one stream inactive and leaves the other is answered stream by stream.",
			steps: []step{
				open,
				{request: src.Request{Streams: directed(src.Inactive, src.SendOnly)}, document: "cube", answer: []string{src.Inactive, src.RecvOnly}},
				{request: src.Request{Streams: directed(src.SendOnly, src.SendOnly)}, document: "cube"},
			},
		},
		{
			id: "dialects/cisco/3", section: "RFC 7865 §6.8", level: check.Must,
			requirement: "A hold with associations that have become empty, and inactive streams, is taken.",
			steps: []step{
				open,
				{request: src.Request{Streams: directed(src.Inactive, src.Inactive)}, document: "cube-hold", answer: twice(src.Inactive)},
				{request: src.Request{Streams: directed(src.SendOnly, src.SendOnly)}, document: "cube"},
			},
		},
		{
			id: "dialects/cisco/4", section: "RFC 7866 §7.1.1", level: check.Must,
			requirement: "A recording session that begins inactive, before the call is answered, is taken, and its streams begin later.",
			steps: []step{
				{request: src.Request{Streams: directed(src.Inactive, src.Inactive), Headers: gateway()}, document: "cube-hold", answer: twice(src.Inactive)},
				{request: src.Request{Streams: directed(src.SendOnly, src.Inactive)}, document: "cube", answer: []string{src.RecvOnly, src.Inactive}},
				{request: src.Request{Streams: directed(src.Inactive, src.SendOnly)}, document: "cube-hold", answer: []string{src.Inactive, src.RecvOnly}},
				{request: src.Request{Streams: directed(src.SendOnly, src.SendOnly)}, document: "cube"},
			},
		},
		{
			id: "dialects/cisco/5", section: "RFC 7865 §6.6", level: check.Should,
			requirement: "A transfer within one complete document, which disassociates the old party from a wrong id, is taken.",
			steps:       []step{open, {document: "cube-transfer"}},
		},
		{
			id: "dialects/cisco/6", section: "RFC 7865 §6.8", level: check.Should,
			requirement: "Neither Require, nor a URI in Contact, blanks behind the delimiters and associations of nothing: it is taken all the same.",
			steps: []step{{request: src.Request{
				Require: []string{}, Headers: gateway(),
				Edit: replaced("Contact: <sip:src@", "Contact: <sip", "--src-boundary\r\nContent-Type: application/sdp", "--src-boundary \r\nContent-Type: application/sdp "),
			}, document: "cube-dangling"}},
		},
		{
			id: "dialects/cisco/7", section: "RFC 7866 §7.1.1, RFC 3264 §6", level: check.Must,
			requirement: "Two streams of audio and two of video get an answer for each, whatever becomes of the video.",
			steps: []step{{request: src.Request{Streams: []src.StreamOffer{
				{Label: "1", Direction: src.SendOnly}, {Label: "2", Direction: src.SendOnly},
				{Label: "3", Media: "video", Direction: src.SendOnly, Codecs: []src.Codec{{Name: "H264", PayloadType: 97, ClockRate: 90000}}},
				{Label: "4", Media: "video", Direction: src.SendOnly, Codecs: []src.Codec{{Name: "H264", PayloadType: 97, ClockRate: 90000}}},
			}}, document: "cube-video", answer: []string{src.RecvOnly, src.RecvOnly, either, either}}},
		},
		{
			id: "dialects/cisco/8", section: section, level: check.Must,
			requirement: "A BYE whose metadata dates the end and disassociates everybody is answered 200.",
			steps:       []step{open, {method: "BYE", document: "cube-end"}},
		},
		{
			id: "dialects/cisco/9", section: "RFC 3264 §8.3.2", level: check.Must,
			requirement: "Another codec than before, in a re-INVITE without metadata, is taken on the same ports.",
			steps: []step{
				{request: src.Request{Streams: src.TwoParties(src.PCMU(), src.TelephoneEvent(101))}, document: "cube"},
				{request: src.Request{Streams: src.TwoParties(src.PCMA(), src.TelephoneEvent(101))}},
			},
		},
		{
			id: "dialects/cisco/10", section: "RFC 3264 §8.2", level: check.Must,
			requirement: "An m-line that is removed and keeps its label and direction is answered with port 0; the other goes on.",
			steps: []step{open, {request: src.Request{Streams: []src.StreamOffer{
				{Label: "1", Direction: src.SendOnly, Port: src.PortZero}, {Label: "2", Direction: src.SendOnly},
			}}, answer: []string{refused, src.RecvOnly}}},
		},
	}
}
