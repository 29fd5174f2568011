package dialects

import (
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// described are calls whose metadata has one layout: it opens the recording session,
// comes again while all streams pause, and once more when they go on.
func described(id, section string, level check.Level, requirement, document string, streams []src.StreamOffer) call {
	paused := make([]src.StreamOffer, len(streams))
	answer := make([]string, len(streams))
	for i, o := range streams {
		o.Direction = src.Inactive
		paused[i], answer[i] = o, src.Inactive
	}
	return call{
		id: id, section: section, level: level, requirement: requirement,
		steps: []step{
			{request: src.Request{Streams: streams}, document: document},
			{request: src.Request{Streams: paused}, document: document, answer: answer},
			{request: src.Request{Streams: streams}, document: document},
		},
	}
}

// labelled are sendonly streams of audio with these labels; an empty one is none.
func labelled(labels ...string) []src.StreamOffer {
	var out []src.StreamOffer
	for _, l := range labels {
		out = append(out, src.StreamOffer{Label: l, Direction: src.SendOnly})
	}
	return out
}

// layouts are the layouts of metadata that the field has, from none at all to the one of
// RFC 7865.
func layouts() []call {
	return []call{
		described("dialects/layout-rfc7865/1", "RFC 7865 §6.6, §6.8", check.Must,
			"Participants and streams in turn, tied by associations, with a name in a language, are taken.", "cube", labelled("1", "2")),
		described("dialects/layout-inline/1", "RFC 7865, drafts", check.Should,
			"The layout of drafts is taken: ids in id and session, send and recv within the participant, a namespace without version.", "audiocodes", labelled("1", "2")),
		described("dialects/layout-inline/2", "RFC 7865, drafts", check.Should,
			"The layout of drafts with send alone is taken.", "oracle", labelled("33554497", "33554498")),
		described("dialects/layout-hybrid/1", "RFC 7865, drafts", check.Should,
			"Associations in the namespace without version, under a prefix, are taken.", "ribbon", labelled("1", "2")),
		described("dialects/layout-hybrid/2", "RFC 7865, drafts", check.Should,
			"A document that names ids in both ways, and one mixed stream, is taken.", "metaswitch", labelled("1")),
		described("dialects/layout-siprec/1", "RFC 7865, drafts", check.Should,
			"A recording_metadata document of the older drafts, with one mixed stream, is taken.", "broadworks-mixed", labelled("1")),
		described("dialects/layout-siprec/2", "RFC 7865, drafts", check.Should,
			"A recording_metadata document of the older drafts, with a stream for each party, is taken.", "broadworks-dual", labelled("1", "2")),
		described("dialects/layout-first/1", "RFC 7865, drafts", check.Should,
			"A document of the first drafts, whose streams have no labels, is taken.", "oracle-draft", labelled("1")),
		described("dialects/layout-attributes/1", "RFC 7865 §6", check.Should,
			"A document that has labels in attributes and neither ids nor associations is taken.", "attributes", labelled("1", "2")),
		{
			id: "dialects/layout-none/1", section: "RFC 7866 §9.1", level: check.Must,
			requirement: "A recording session that never has metadata is taken, pauses and goes on.",
			steps: []step{
				{request: src.Request{Streams: labelled("1", "2")}},
				{request: src.Request{Streams: []src.StreamOffer{{Label: "1", Direction: src.Inactive}, {Label: "2", Direction: src.Inactive}}}, answer: twice(src.Inactive)},
				{request: src.Request{Streams: labelled("1", "2")}},
			},
		},
		{
			id: "dialects/layout-none/2", section: "RFC 7866 §6.1.1", level: check.Should, needs: []string{"plain-invite"},
			requirement: "An INVITE without any mark of a recording session, with its participants in header fields, is taken from a client that is configured so.",
			steps: []step{
				{request: forked(`X-Cisco-Recording-Participant: sip:+15550131@192.0.2.61;media-index="0"`, `X-Cisco-Recording-Participant: sip:4711@192.0.2.62;media-index="1"`)},
				{request: forked(`X-Cisco-Recording-Participant: sip:+15550131@192.0.2.61;media-index="0"`, `X-Cisco-Recording-Participant: sip:4799@192.0.2.62;media-index="1"`)},
			},
		},
		{
			id: "dialects/layout-none/3", section: "RFC 7866 §6.1.1", level: check.Should, needs: []string{"plain-invite"},
			requirement: "An INVITE of a phone that forks its own audio, with both ends in parameters of From, is taken from a client that is configured so.",
			steps: []step{{request: src.Request{
				From: "sip:5550135@192.0.2.63;x-nearend;x-refci={number:near};x-nearendclusterid=Harbour;x-nearenddevice=SEP{hex:phone};" +
					"x-nearendaddr=4711;x-farendrefci={number:far};x-farendclusterid=Harbour;x-farenddevice=GW;x-farendaddr=+15550131",
				Streams: labelled(""), Require: []string{}, NoFeatureTag: true, Headers: headers("Cisco-Guid: {number:guid}"),
			}}},
		},
	}
}

// forked is an INVITE of a gateway that forks media without SIPREC.
func forked(participants ...string) src.Request {
	return src.Request{
		Streams: labelled("", ""), Require: []string{}, NoFeatureTag: true,
		Headers: append(headers("Cisco-Guid: {number:guid}", "Content-Disposition: session;handling=required"), headers(participants...)...),
	}
}
