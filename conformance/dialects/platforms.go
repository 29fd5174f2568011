package dialects

import (
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// bare is an offer of two streams whose addresses stand below the m-lines only.
const bare = "v=0\r\no=- {number:o} {number:o} IN IP4 {address}\r\ns=media\r\nt=0 0\r\n" +
	"m=audio {port0} RTP/AVP 0 101\r\nc=IN IP4 {address}\r\na=%1\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:{port0}\r\na=label:1\r\n" +
	"m=audio {port1} RTP/AVP 0 101\r\nc=IN IP4 {address}\r\na=%1\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\na=rtcp:{port1}\r\na=label:2\r\n"

// platforms are what further SBCs, servers and platforms do.
func platforms() []call {
	sending, pausing := replaced("%1", "sendonly", "%1", "sendonly")(bare), replaced("%1", "inactive", "%1", "inactive")(bare)
	timed := headers("Accept: application/sdp, application/rs-metadata-request", "Supported: timer,100rel", "Session-Expires: 1800", "Min-SE: 90")
	plain := []src.StreamOffer{{Label: "1"}, {Label: "2"}}
	words := labelled("inbound", "outbound")
	legs := labelled("leg_a", "leg_b")
	legs[0].Attributes, legs[1].Attributes = []string{"direction:both"}, []string{"direction:both"}
	return append([]call{
		{
			id: "dialects/ribbon/1", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "A prefix of its own in the XML, streams named by the other party, a clock of 1970 and no last delimiter are taken.",
			steps:       []step{{request: src.Request{Headers: timed, Quirks: src.Quirks{NoClosingDelimiter: true, Boundary: "content-delim"}}, document: "ribbon"}},
		},
		{
			id: "dialects/netsapiens/1", section: "RFC 7866 §7.2", level: check.Should,
			requirement: "Streams without a direction are taken, and their labels come back: without them no media are sent.",
			steps: []step{
				{request: src.Request{Streams: plain}, document: "netsapiens"},
				{method: "BYE", request: src.Request{}},
			},
		},
		{
			id: "dialects/opensips/1", section: "RFC 7865 §6", level: check.Should,
			requirement: "A server in both From and To, labels from 0, an address without user and no associations at all are taken.",
			steps:       []step{{request: src.Request{Streams: labelled("0", "1"), SameURI: true}, document: "opensips-streams"}},
		},
		{
			id: "dialects/opensips/2", section: "RFC 7865 §6", level: check.Should,
			requirement: "Associations with streams that are never declared are taken.",
			steps:       []step{{request: src.Request{Streams: labelled("0", "1"), SameURI: true}, document: "opensips-associations"}},
		},
		{
			id: "dialects/opensips/3", section: "RFC 7866 §7.2", level: check.Should,
			requirement: "Pause and resume repeat all metadata in a re-INVITE, and SDP comes alone between them.",
			steps: []step{
				{request: src.Request{SameURI: true}, document: "opensips-streams"},
				{request: src.Request{Streams: directed(src.Inactive, src.Inactive)}, document: "opensips-streams", answer: twice(src.Inactive)},
				{request: src.Request{Streams: directed(src.Inactive, src.Inactive)}, answer: twice(src.Inactive)},
				{request: src.Request{Streams: directed(src.SendOnly, src.SendOnly)}, document: "opensips-associations"},
			},
		},
		{
			id: "dialects/sems/1", section: "RFC 4574 §4", level: check.Should,
			requirement: "Labels that are words, an attribute nobody knows and metadata of the older type are taken.",
			steps:       []step{{request: src.Request{Streams: legs, MetadataType: src.TypeOldMetadata, Quirks: src.Quirks{NoClosingDelimiter: true}}, document: "legs"}},
		},
		{
			id: "dialects/jambonz/1", section: "RFC 8866 §5.7", level: check.Should,
			requirement: "No feature tag and no address but below the m-lines: the recording session is taken, and pauses by SDP alone.",
			steps: []step{
				{request: src.Request{NoFeatureTag: true, Streams: labelled("1", "2"), SDP: sending}, document: "jambonz"},
				{request: src.Request{NoFeatureTag: true, Streams: labelled("1", "2"), SDP: pausing, Require: []string{}}, answer: twice(src.Inactive)},
				{request: src.Request{NoFeatureTag: true, Streams: labelled("1", "2"), SDP: sending, Require: []string{}}},
			},
		},
		{
			id: "dialects/drachtio/1", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "A mode of its own is spoken with the metadata of another vendor, and header fields of an application.",
			steps: []step{{request: src.Request{
				NoFeatureTag: true, Streams: labelled("1", "2"), SDP: sending, MetadataType: src.TypeOldMetadata,
				Headers: headers("X-Account-Sid: {uuid:account}", "X-Call-Sid: {uuid:sid}", "X-Trace-ID: {hex:trace}"),
			}, document: "audiocodes"}},
		},
		{
			id: "dialects/freeswitch/1", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "Neither Require nor feature tag nor disposition, labels that name the direction, no datamode: metadata alone makes a recording session.",
			steps:       []step{{request: src.Request{NoFeatureTag: true, Require: []string{}, Streams: words, Quirks: src.Quirks{NoDisposition: true}}, document: "words"}},
		},
		{
			id: "dialects/twilio/1", section: "RFC 7865 §8", level: check.Should,
			requirement: "Parameters of a customer in extension data are passed over.",
			steps:       []step{{request: src.Request{Streams: words}, document: "words"}},
		},
	}, morePlatforms()...)
}

func morePlatforms() []call {
	rtpengine := labelled("0", "1")
	for i := range rtpengine {
		rtpengine[i].Attributes = []string{"ptime:20", "mid:" + rtpengine[i].Label, "ssrc:3735928559 cname:x7", "msid-semantic:WMS *", "x-unheard-of"}
	}
	text := src.StreamOffer{Label: "3", Media: "text", Direction: src.SendOnly, Codecs: []src.Codec{{Name: "t140", PayloadType: 98, ClockRate: 1000}}}
	chat := src.StreamOffer{Label: "5", Media: "message", Proto: "TCP/MSRP", Formats: "*", Attributes: []string{"path:msrp://192.0.2.65:2855/x;tcp"}}
	fax := src.StreamOffer{Media: "image", Proto: "udptl", Formats: "t38"}
	return []call{
		{
			id: "dialects/kamailio/1", section: "RFC 8866 §6", level: check.Must,
			requirement: "Attributes that nobody asked for are passed over.",
			steps:       []step{{request: src.Request{Streams: rtpengine, Headers: headers("X-Source: proxy-3", "P-Charging-Vector: icid-value={hex:icid}")}, document: "cube"}},
		},
		{
			id: "dialects/genesys/1", section: "RFC 3261 §8.2.2", level: check.Must,
			requirement: "Ids of a contact centre, in header fields and in the metadata, are passed over or kept, and nothing is refused for them.",
			steps: []step{{request: src.Request{Headers: headers("X-Genesys-CallUUID: {hex:genesys}", "X-Genesys-CallInfo: inbound;queue=\"a,b\"", "X-ISC: 1")},
				document: "cube"}},
		},
		{
			id: "dialects/google/1", section: "RFC 4568 §5.1.2, RFC 7866 §9.1", level: check.Should,
			requirement: "Keys under a tag that is not 1, a quoted boundary and labels in attributes are taken.",
			steps: []step{{request: src.Request{
				Streams: []src.StreamOffer{
					{Label: "1", Direction: src.SendOnly, Proto: "RTP/SAVP", Attributes: []string{sdesKey("2", 'c')}},
					{Label: "2", Direction: src.SendOnly, Proto: "RTP/SAVP", Attributes: []string{sdesKey("2", 'd')}},
				},
				Headers: headers("Call-Info: <http://conversations.example/v1/{uuid:talk}>;purpose=Goog-ContactCenter-Conversation"),
				Quirks:  src.Quirks{QuotedBoundary: true, Boundary: "boundary-0f1e2d3c"},
			}, document: "attributes"}},
		},
		{
			id: "dialects/emergency/1", section: "RFC 3264 §6", level: check.Must,
			requirement: "Text and messages beside the voices are answered with an m-line each, whether they are taken or not.",
			steps: []step{{request: src.Request{
				Streams: []src.StreamOffer{{Label: "1", Direction: src.SendOnly}, text, {Label: "2", Direction: src.SendOnly}, chat},
			}, document: "cube", answer: []string{src.RecvOnly, either, src.RecvOnly, either}}},
		},
		{
			id: "dialects/fax/1", section: "RFC 3264 §6", level: check.Must,
			requirement: "A call that turns into a fax goes on as a recording session; the fax is refused or taken.",
			steps: []step{
				{document: "cube"},
				{request: src.Request{Streams: append(labelled("1", "2"), fax)}, answer: []string{src.RecvOnly, src.RecvOnly, either}},
			},
		},
	}
}

// sdesKey is a crypto attribute with a key of 40 equal characters.
func sdesKey(tag string, c byte) string {
	key := make([]byte, 40)
	for i := range key {
		key[i] = c
	}
	return "crypto:" + tag + " AES_CM_128_HMAC_SHA1_80 inline:" + string(key)
}
