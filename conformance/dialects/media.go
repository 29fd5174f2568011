package dialects

import (
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// labels are the ways in which labels are missing, wrong or unusual.
func labels() []call {
	const section = "RFC 7866 §7.1.1"
	one := func(id string, level check.Level, requirement, document string, streams []src.StreamOffer) call {
		return call{id: id, section: section, level: level, requirement: requirement, steps: []step{
			{request: src.Request{Streams: streams}, document: document},
			{request: src.Request{Streams: streams}},
		}}
	}
	return []call{
		one("dialects/labels/1", check.Should, "Streams without labels are told apart by their order.", "cube", labelled("", "")),
		one("dialects/labels/2", check.Should, "Two streams of one label are two streams.", "cube", labelled("1", "1")),
		one("dialects/labels/3", check.Should, "Two streams of one label in the metadata are two streams.", "one-label", labelled("1", "2")),
		one("dialects/labels/4", check.Must, "A label is any token: 0, a word, one with every sign that it may have, or a long one.", "",
			labelled("0", "in-bound", "!#$%&'*+-.^_`{|}~", "a123456789b123456789c123456789d123456789e123456789f123456789g123")),
		one("dialects/labels/5", check.Should, "A label in the SDP that the metadata does not know is no reason to refuse.", "cube", labelled("1", "other")),
		one("dialects/labels/6", check.Should, "Three streams of which the metadata knows two are three streams.", "cube", labelled("1", "2", "3")),
		{
			id: "dialects/labels/7", section: section, level: check.Should,
			requirement: "A label of the whole description is no label of its streams, and no reason to refuse.",
			steps: []step{{request: src.Request{
				Streams: []src.StreamOffer{{}, {}},
				SDP:     "v=0\r\no=- 5 5 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\na=sendonly\r\na=label:1\r\nm=audio {port0} RTP/AVP 0\r\nm=audio {port1} RTP/AVP 0\r\n",
			}, document: "cube"}},
		},
		{
			id: "dialects/labels/8", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "Labels that change places in a re-INVITE are answered as they are now.",
			steps: []step{
				{document: "cube"},
				{request: src.Request{Streams: labelled("2", "1")}, document: "cube"},
			},
		},
	}
}

const sdpHead = "v=0\r\no=- 31 31 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n"

// written is a call whose offers are text, with a stream of audio for each answer.
func written(id, section string, level check.Level, requirement string, answer []string, offers ...string) call {
	c := call{id: id, section: section, level: level, requirement: requirement}
	for i, offer := range offers {
		s := step{request: src.Request{Streams: make([]src.StreamOffer, len(answer)), SDP: offer}, answer: answer}
		if i == 0 {
			s.document = "cube"
		}
		c.steps = append(c.steps, s)
	}
	return c
}

// streams are peculiarities of the SDP.
func streams() []call {
	recv := twice(src.RecvOnly)
	return []call{
		written("dialects/streams/1", "RFC 3264 §6.1", check.Must, "One stream of a call, offered sendrecv, is answered recvonly.", []string{src.RecvOnly},
			sdpHead+"m=audio {port0} RTP/AVP 0 8\r\na=sendrecv\r\n"),
		written("dialects/streams/2", "RFC 3264 §5.1", check.Should, "Two streams that are sent from one port are two streams.", recv,
			sdpHead+"m=audio {port0} RTP/AVP 0\r\na=sendonly\r\nm=audio {port0} RTP/AVP 0\r\na=sendonly\r\n"),
		written("dialects/streams/3", "RFC 8866 §6.7", check.Must, "The direction of the whole description counts for each stream that has none.", []string{src.Inactive, src.RecvOnly},
			sdpHead+"a=inactive\r\nm=audio {port0} RTP/AVP 0\r\nm=audio {port1} RTP/AVP 0\r\na=sendonly\r\n"),
		written("dialects/streams/4", "RFC 8866 §5.7", check.Must, "The address may stand with the streams alone.", recv,
			"v=0\r\no=- 31 31 IN IP4 {address}\r\ns=-\r\nt=0 0\r\nm=audio {port0} RTP/AVP 0\r\nc=IN IP4 {address}\r\na=sendonly\r\nm=audio {port1} RTP/AVP 0\r\nc=IN IP4 {address}\r\na=sendonly\r\n"),
		written("dialects/streams/5", "RFC 8866 §5", check.Must, "Lines and attributes that nobody asked for are passed over.", recv,
			"v=0\r\no=user-1 3471288541 3471288542 IN IP4 {address}\r\ns=Call of two\r\ni=what is said\r\nu=http://example.com/call\r\ne=a@example.com\r\np=+1 555 0100\r\nc=IN IP4 {address}\r\n"+
				"b=AS:128\r\nb=X-ALL:9\r\nt=0 0\r\na=tool:x\r\na=msid-semantic: WMS\r\na=x\r\n"+
				"m=audio {port0} RTP/AVP 0\r\ni=one\r\nb=TIAS:64000\r\na=sendonly\r\na=candidate:1 1 UDP 2130706431 {address} {port0} typ host\r\na=setup:actpass\r\n"+
				"m=audio {port1} RTP/AVP 0\r\na=silenceSupp:off - - - -\r\na=rtcp-xr:voip-metrics\r\na=sendonly\r\n"),
		written("dialects/streams/6", "RFC 3551 §6, RFC 4733 §7", check.Must, "Comfort noise and telephone events under any payload type may stand before the voice.", recv,
			sdpHead+"m=audio {port0} RTP/AVP 126 19 13 0\r\na=rtpmap:126 telephone-event/8000\r\na=fmtp:126 0-15,16\r\na=rtpmap:19 CN/8000\r\na=sendonly\r\n"+
				"m=audio {port1} RTP/AVP 0 19 97\r\na=rtpmap:97 telephone-event/48000\r\na=sendonly\r\na=ptime:20\r\na=maxptime:150\r\n"),
		written("dialects/streams/7", "RFC 3264 §6", check.Must, "A stream of a transport that nobody knows is refused, and the voice beside it is taken.", []string{src.RecvOnly, refused},
			sdpHead+"m=audio {port0} RTP/AVP 0\r\na=sendonly\r\nm=audio {port1} XTP/UNHEARD 0\r\na=sendonly\r\n"),
		written("dialects/streams/8", "RFC 3264 §6", check.Must, "A media type that nobody knows is refused or taken, and the voice beside it is taken.", []string{either, src.RecvOnly},
			sdpHead+"m=whiteboard {port0} RTP/AVP 96\r\na=rtpmap:96 wb/90000\r\na=sendonly\r\nm=audio {port1} RTP/AVP 0\r\na=sendonly\r\n"),
		written("dialects/streams/9", "RFC 8866 §5.14", check.Should, "Lines that end with LF alone, and blanks behind them, are read.", recv,
			"v=0\no=- 31 31 IN IP4 {address} \ns=-\nc=IN IP4 {address}\nt=0 0\nm=audio {port0} RTP/AVP 0 \na=sendonly \nm=audio {port1} RTP/AVP 0\na=sendonly\n"),
		written("dialects/streams/10", "RFC 8866 §5", check.Should, "A description without s=, with t= missing or an empty s= is read.", recv,
			"v=0\r\no=- 31 31 IN IP4 {address}\r\ns=\r\nc=IN IP4 {address}\r\nm=audio {port0} RTP/AVP 0\r\na=sendonly\r\nm=audio {port1} RTP/AVP 0\r\na=sendonly\r\n"),
		written("dialects/streams/11", "RFC 8866 §6.6", check.Should, "Names of codecs in any case, and parameters that are none, are read.", recv,
			sdpHead+"m=audio {port0} RTP/AVP 0 8 18\r\na=rtpmap:0 pcmu/8000/1\r\na=rtpmap:8 Pcma/8000\r\na=rtpmap:18 G729a/8000\r\na=fmtp:18\r\na=sendonly\r\n"+
				"m=audio {port1} RTP/AVP 0 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:77 lost/8000\r\na=sendonly\r\n"),
		written("dialects/streams/12", "RFC 3264 §8", check.Must, "An offer that is sent again as it was gets the same answer.", recv,
			sdpHead+"m=audio {port0} RTP/AVP 0\r\na=sendonly\r\nm=audio {port1} RTP/AVP 0\r\na=sendonly\r\n",
			sdpHead+"m=audio {port0} RTP/AVP 0\r\na=sendonly\r\nm=audio {port1} RTP/AVP 0\r\na=sendonly\r\n"),
		{
			id: "dialects/streams/13", section: "RFC 3264 §8.1, §8.2", level: check.Must,
			requirement: "A stream is added, removed, and its place is taken by another, while the first goes on.",
			steps: []step{
				{request: src.Request{Streams: labelled("1")}, document: "cube"},
				{request: src.Request{Streams: labelled("1", "2")}, document: "cube"},
				{request: src.Request{Streams: []src.StreamOffer{{Label: "1", Direction: src.SendOnly}, {Label: "2", Port: src.PortZero}}}, answer: []string{src.RecvOnly, refused}},
				{request: src.Request{Streams: labelled("1", "9")}},
			},
		},
	}
}

// later are metadata that do not come with the INVITE, or come otherwise.
func later() []call {
	const section = "RFC 7866 §9.1"
	open := step{request: src.Request{Streams: labelled("1", "2")}}
	update := func(document string) step { return step{method: "UPDATE", document: document} }
	partial := func(text string) step { return step{method: "UPDATE", request: src.Request{Metadata: []byte(text)}} }
	const head = `<?xml version="1.0"?><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>partial</datamode>`
	return []call{
		{id: "dialects/later/1", section: section, level: check.Must, requirement: "Metadata may come first in a re-INVITE.", steps: []step{open, {document: "cube"}}},
		{id: "dialects/later/2", section: section, level: check.Must, requirement: "Metadata may come first in an UPDATE without SDP.", steps: []step{open, update("cube"), update("cube")}},
		{
			id: "dialects/later/3", section: section, level: check.Should,
			requirement: "Metadata in an INFO is answered 200, and costs nothing.",
			steps:       []step{open, {method: "INFO", document: "cube"}, update("cube")},
		},
		{
			id: "dialects/later/4", section: "RFC 7865 §5.1.2", level: check.Must,
			requirement: "A complete document in which every id is another one takes the place of the old.",
			steps:       []step{{request: open.request, document: "cube"}, update("extended"), update("cube")},
		},
		{
			id: "dialects/later/5", section: "RFC 7865 §5.1.2", level: check.Must,
			requirement: "A partial document that brings a third party, and takes one away, is answered 200.",
			steps: []step{
				{request: open.request, document: "cube"},
				partial(head + `<participant participant_id="{id:third}"><nameID aor="sip:4720@192.0.2.62"/></participant>` +
					`<participantsessionassoc participant_id="{id:third}" session_id="{id:cs}"><associate-time>{now}</associate-time></participantsessionassoc>` +
					`<participantstreamassoc participant_id="{id:third}"><send>{id:second}</send><recv>{id:first}</recv></participantstreamassoc></recording>`),
				partial(head + `<participantsessionassoc participant_id="{id:other}" session_id="{id:cs}"><disassociate-time>{now}</disassociate-time></participantsessionassoc></recording>`),
			},
		},
		{
			id: "dialects/later/6", section: "RFC 7865 §5.1.2", level: check.Should,
			requirement: "A partial document about ids that nobody knows is answered 200.",
			steps: []step{
				{request: open.request, document: "cube"},
				partial(head + `<participantstreamassoc participant_id="{id:nobody}"><send>{id:nothing}</send></participantstreamassoc></recording>`),
			},
		},
		{
			id: "dialects/later/7", section: section, level: check.Should,
			requirement: "An UPDATE with both SDP and metadata is answered as a re-INVITE is.",
			steps: []step{
				{request: open.request, document: "cube"},
				{method: "UPDATE", request: src.Request{Streams: directed(src.Inactive, src.SendOnly)}, document: "cube-hold", answer: []string{src.Inactive, src.RecvOnly}},
			},
		},
		{
			id: "dialects/later/8", section: section, level: check.Should,
			requirement: "An UPDATE with neither SDP nor metadata, and a document that says nothing, change nothing.",
			steps: []step{
				{request: open.request, document: "cube"},
				{method: "UPDATE"},
				partial(`<recording xmlns="urn:ietf:params:xml:ns:recording:1"/>`),
				{document: "cube"},
			},
		},
	}
}
