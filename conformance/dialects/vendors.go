package dialects

import (
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// g729 and g726 are codecs that SBCs offer beside G.711.
func g729() src.Codec { return src.Codec{Name: "G729", PayloadType: 18, FMTP: "annexb=no"} }

func g726() src.Codec { return src.Codec{Name: "G726-32", PayloadType: 110} }

// oracle is what SBCs of Oracle and Acme Packet do.
func oracle() []call {
	acme := replaced("Contact: <sip:src@", "Contact: <sip:acmeSrc@", ">;+sip.src", ";tranport=TCP>;+sip.src")
	long := labelled("33554497", "33554498")
	return []call{
		{
			id: "dialects/oracle/1", section: "RFC 7866 §6.1.1", level: check.Should,
			requirement: "A misspelt parameter in Contact, labels of eight digits and extension data under a wrong URI are taken.",
			steps: []step{
				{request: src.Request{Streams: long, Edit: acme, Headers: headers("User-to-User: 00FA08{hex:ucid};encoding=hex")}, document: "oracle"},
				{document: "oracle"},
			},
		},
		{
			id: "dialects/oracle/2", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "Metadata that is not well-formed, for a name that was not escaped, costs no recording.",
			steps: []step{
				{request: src.Request{Streams: long, Edit: acme}, document: "oracle-unescaped"},
				{document: "oracle"},
			},
		},
		{
			id: "dialects/oracle/3", section: "RFC 3264 §6.1", level: check.Must,
			requirement: "Streams that offer different codecs, with a longest packet time each, are taken.",
			steps: []step{{request: src.Request{Streams: []src.StreamOffer{
				{Label: "33554497", Direction: src.SendOnly, Codecs: []src.Codec{g729(), src.PCMU(), src.TelephoneEvent(101)}, Attributes: []string{"maxptime:30"}},
				{Label: "33554498", Direction: src.SendOnly, Codecs: []src.Codec{src.PCMU(), g726(), src.TelephoneEvent(100)}, Attributes: []string{"ptime:20", "maxptime:150"}},
			}}, document: "cube"}},
		},
		{
			id: "dialects/oracle/4", section: "RFC 7865, drafts", level: check.Should,
			requirement: "A recording session whose metadata says nothing of labels, nor who sends one stream, gets a better document later.",
			steps:       []step{{request: src.Request{Streams: long}, document: "oracle-draft"}, {document: "oracle"}},
		},
	}
}

// audioCodes is what SBCs of AudioCodes do.
func audioCodes() []call {
	opus := src.Codec{Name: "OPUS", PayloadType: 111, ClockRate: 48000, Channels: 2}
	mixed := []src.Codec{opus, src.PCMA(), src.PCMU(), src.TelephoneEvent(96)}
	old := func(boundary string, streams []src.StreamOffer) src.Request {
		return src.Request{
			Streams: streams, MetadataType: src.TypeOldMetadata, Quirks: src.Quirks{Boundary: boundary},
			Headers: headers("x-audc-call-id: {number:call}"),
		}
	}
	pause := src.TwoParties(mixed...)
	pause[0].Direction, pause[1].Direction = src.Inactive, src.Inactive
	alone := old("boundary_one", nil)
	alone.ContactParams, alone.From = ";src", "sip:192.0.2.64;user=phone"
	return []call{
		{
			id: "dialects/audiocodes/1", section: "RFC 7866 §7.2", level: check.Should,
			requirement: "A pause repeats the metadata under a boundary of its own, and is answered inactive.",
			steps: []step{
				{request: old("boundary_1a", src.TwoParties(mixed...)), document: "audiocodes"},
				{request: old("boundary_2b", pause), document: "audiocodes", answer: twice(src.Inactive)},
				{request: old("boundary_3c", src.TwoParties(mixed...)), document: "audiocodes"},
			},
		},
		{
			id: "dialects/audiocodes/2", section: "RFC 7866 §6.1.1", level: check.Should,
			requirement: "A feature tag without its plus sign and prefix, a From without user and metadata of the older type are taken.",
			steps:       []step{{request: alone, document: "audiocodes"}},
		},
		{
			id: "dialects/audiocodes/3", section: "RFC 7587 §7, RFC 4566 §6", level: check.Must,
			requirement: "Opus in capitals beside G.711 is no reason to refuse a stream.",
			steps:       []step{{request: src.Request{Streams: src.TwoParties(mixed...)}, document: "cube"}},
		},
		{
			id: "dialects/audiocodes/4", section: "RFC 6086 §4.2", level: check.Should,
			requirement: "An INFO that only carries a header field of the vendor is answered 200, and nothing changes.",
			steps: []step{
				{document: "audiocodes"},
				{method: "INFO", request: src.Request{Headers: headers("X-AC-Action: start-siprec;recording-ip-group=SRS;recorded-side=peer")}},
				{document: "audiocodes"},
			},
		},
	}
}

// avaya is what the SBCE of Avaya does, and what comes beside it.
func avaya() []call {
	within := replaced(">;+sip.src", ";+sip.src>")
	heads := headers("User-to-User: 00{hex:ucid};encoding=hex", "P-Asserted-Identity: \"Lena\" <sip:15550181@192.0.2.91>",
		"Diversion: <sip:15550183@192.0.2.91>;reason=direct;screen=no;privacy=off;counter=1", "Supported: replaces, 100rel")
	return []call{
		{
			id: "dialects/avaya/1", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "A placeholder for the second party, a stream with an empty id, and an UPDATE whose body is metadata of the older type are taken.",
			steps: []step{
				{request: src.Request{Streams: labelled("10", "20"), Headers: heads, Edit: within}, document: "avaya-before"},
				{method: "UPDATE", request: src.Request{MetadataType: src.TypeOldMetadata, Headers: heads, Edit: within, Require: []string{"siprec"}}, document: "avaya-after"},
			},
		},
		{
			id: "dialects/avaya/2", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "A second stream whose party is not known yet is offered later.",
			steps: []step{
				{request: src.Request{Streams: labelled("10")}, document: "avaya-before"},
				{request: src.Request{Streams: labelled("10", "20")}, document: "avaya-after"},
			},
		},
		{
			id: "dialects/avaya/3", section: "RFC 3261 §8.2.2", level: check.Must,
			requirement: "Header fields of a vendor are passed over, however many there are.",
			steps: []step{{request: src.Request{Headers: headers("X-Avaya-UCID: {hex:ucid}", "X-Avaya-Station-ID: 12", "X-Avaya-Trunk-Group: NORTH",
				"X-Avaya-Conf-ID:", "Remote-Party-ID: <sip:+15550184@example.com>;party=calling;screen=yes;privacy=off",
				"P-Location: SM;origlocs=\"1;2\"", "Av-Global-Session-ID: {uuid:global}", "Endpoint-View: <sip:12@example.com>;local-tag=a_b-{hex:ucid}")}}},
		},
	}
}

// broadWorks is what BroadWorks and Webex Calling do.
func broadWorks() []call {
	tight := replaced("To: <", "To:<", "From: <", "From: \"Ines Roth\"<", "Content-Type: application/rs-metadata+xml", "Content-Type:application/rs-metadata+xml",
		"Content-Disposition: recording-session", "Content-Disposition:recording-session")
	empty := headers("Supported:", "Recv-Info:", "Privacy: none", "Accept: application/media_control+xml,application/sdp,application/x-broadworks-call-center+xml")
	request := func(streams ...src.StreamOffer) src.Request {
		return src.Request{Streams: streams, Require: []string{}, ContactParams: ";src", Headers: empty, Edit: tight}
	}
	one := src.StreamOffer{Label: "1", Direction: src.SendOnly, Codecs: []src.Codec{src.PCMA()}, Attributes: []string{"ptime:20"}}
	zero, still := one, one
	zero.Address, zero.Direction = "0.0.0.0", src.None
	still.Address, still.Direction = "0.0.0.0", src.Inactive
	update := func(document string) step {
		return step{method: "UPDATE", request: src.Request{ContactParams: ";src", Headers: headers("Supported:")}, document: document}
	}
	const jump = "v=0\r\no=BroadWorks %1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\nm=audio {port0} RTP/AVP 8\r\na=ptime:20\r\na=sendonly\r\na=label:1\r\n"
	origin := func(id string) string { return strings.Replace(jump, "%1", id, 1) }
	return []call{
		{
			id: "dialects/broadworks/1", section: "RFC 3261 §7.3.1", level: check.Should,
			requirement: "Header fields without a blank behind the colon, others without a value, no Require and a tag that is no tag are taken.",
			steps:       []step{{request: request(one), document: "broadworks-mixed"}, {request: request(one), document: "broadworks-mixed"}},
		},
		{
			id: "dialects/broadworks/2", section: "RFC 7866 §9.1", level: check.Should,
			requirement: "A conference grows and shrinks by complete documents in UPDATE, some of which say nothing new.",
			steps: []step{
				{request: request(one), document: "broadworks-mixed"},
				update("broadworks-joined"), update("broadworks-joined"), update("broadworks-mixed"), update("broadworks-mixed"),
			},
		},
		{
			id: "dialects/broadworks/3", section: "RFC 7865 §6.10", level: check.Should,
			requirement: "A transfer that renews every id, that of the recording too, goes on with the recording session.",
			steps: []step{
				{request: src.Request{Streams: labelled("1", "2"), ContactParams: ";src", Require: []string{}}, document: "broadworks-dual"},
				{document: "broadworks-redirected"},
			},
		},
		{
			id: "dialects/broadworks/4", section: "RFC 3264 §8.4", level: check.Should,
			requirement: "A hold by the address 0.0.0.0 alone, or beside a=inactive, is answered inactive; what follows goes on.",
			steps: []step{
				{request: request(one), document: "broadworks-mixed"},
				{request: src.Request{Streams: []src.StreamOffer{zero}}, answer: []string{src.Inactive}},
				{request: src.Request{Streams: []src.StreamOffer{one}}},
				{request: src.Request{Streams: []src.StreamOffer{still}}, answer: []string{src.Inactive}},
				{request: src.Request{Streams: []src.StreamOffer{one}}, document: "broadworks-mixed"},
			},
		},
		{
			id: "dialects/broadworks/5", section: "RFC 8866 §5.2", level: check.Should,
			requirement: "An o= line whose id is another one, or whose version went back, is taken in a re-INVITE.",
			steps: []step{
				{request: src.Request{Streams: []src.StreamOffer{one}, SDP: origin("771 9")}, document: "broadworks-mixed"},
				{request: src.Request{Streams: []src.StreamOffer{one}, SDP: origin("771 3")}},
				{request: src.Request{Streams: []src.StreamOffer{one}, SDP: origin("944 1")}, document: "broadworks-mixed"},
			},
		},
		{
			id: "dialects/broadworks/6", section: "RFC 3261 §20.29", level: check.Derived,
			requirement: "A Proxy-Require is none of the server's business.",
			steps:       []step{{request: src.Request{Headers: headers("Proxy-Require: privacy")}, document: "broadworks-dual"}},
		},
		{
			id: "dialects/broadworks/7", section: "RFC 7866 §7.1.1", level: check.Should,
			requirement: "One stream in the SDP, and two in the metadata, is a recording session of one.",
			steps:       []step{{request: src.Request{Streams: labelled("1")}, document: "broadworks-dual"}},
		},
		{
			id: "dialects/broadworks/8", section: "RFC 7866 §7.1.1", level: check.Should,
			requirement: "A label that the metadata does not know is answered as it was offered.",
			steps:       []step{{request: src.Request{Streams: labelled("5")}, document: "broadworks-mixed"}},
		},
	}
}

// metaswitch is what the call feature server of Metaswitch does.
func metaswitch() []call {
	text := func(address, format string) src.Request {
		return src.Request{
			Streams: []src.StreamOffer{{Label: "1"}}, MetadataType: src.TypeOldMetadata,
			SDP:     "v=0\r\no=- 3471 3471 IN IP4 " + address + "\r\ns=-\r\nc=IN IP4 " + address + "\r\nt=0 0\r\nm=audio {port0} RTP/AVP " + format + "\r\na=ptime:20\r\na=label:1\r\n",
			Headers: headers("Supported: siprec, replaces", "Expires: 330"),
		}
	}
	standard := text("{address}", "18 0 8")
	standard.MetadataType = ""
	return []call{
		{
			id: "dialects/metaswitch/1", section: "RFC 3264 §8.4", level: check.Should,
			requirement: "A mixed stream without direction and rtpmap is held by 0.0.0.0 in o= and c=, and resumed, with the same metadata.",
			steps: []step{
				{request: text("{address}", "8"), document: "metaswitch"},
				{request: text("0.0.0.0", "8"), document: "metaswitch", answer: []string{src.Inactive}},
				{request: text("{address}", "8"), document: "metaswitch"},
			},
		},
		{
			id: "dialects/metaswitch/2", section: "RFC 3551 §6", level: check.Must,
			requirement: "Static payload types need no rtpmap.",
			steps:       []step{{request: standard, document: "cube"}},
		},
	}
}
