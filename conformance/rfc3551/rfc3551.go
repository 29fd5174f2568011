// Package rfc3551 checks how a Session Recording Server takes the audio of the RTP
// profile (RFC 3551), as far as its answers, reports and files tell it.
package rfc3551

import (
	"context"
	"slices"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case { return append(received(), audio()...) }

// received are the cases of what is answered and reported.
func received() []check.Case {
	return []check.Case{
		{
			ID: "rfc3551/4.1/1", Section: "RFC 3551 §4.1, RFC 3389 §4", Level: check.Derived, Needs: []string{"rtcp"},
			Shows:       []string{"3551-4.1-01"},
			Requirement: "A talkspurt after silence, in which time passes and comfort noise comes, is no loss.",
			Run: func(ctx context.Context, t *check.T) {
				noise := src.Codec{Name: "CN", PayloadType: 13}
				whole(ctx, t, []src.Codec{src.PCMU(), noise}, func(i int, h *rtp.Header) int {
					h.Timestamp += uint32(i/10) * 8000 // a second of silence after each ten
					h.Marker = i%10 == 0
					if i%10 == 9 {
						h.PayloadType = noise.PayloadType
						return 1
					}
					return 160
				})
			},
		},
		{
			ID: "rfc3551/6/1", Section: "RFC 3551 §6", Level: check.Must,
			Shows:       []string{"3551-6-01"},
			Requirement: "Payload types with a fixed meaning are understood without a=rtpmap.",
			Run: func(ctx context.Context, t *check.T) {
				bare := "v=0\r\no=src 5 1 IN IP4 {address}\r\ns=-\r\nc=IN IP4 {address}\r\nt=0 0\r\n" +
					"m=audio {port0} RTP/AVP 0 8\r\na=label:1\r\na=sendonly\r\n" +
					"m=audio {port1} RTP/AVP 8\r\na=label:2\r\na=sendonly\r\n"
				answer := t.Answer(t.Open(ctx, src.Request{Streams: src.TwoParties(), SDP: bare}))
				for i, want := range [][]string{{"0", "8"}, {"8"}} {
					m := answer.Media[i]
					if m.Port == 0 || !slices.ContainsFunc(m.Formats, func(f string) bool { return slices.Contains(want, f) }) {
						t.Errorf("m-line %d is answered on port %d with the formats %v, offered were %v", i, m.Port, m.Formats, want)
					}
				}
			},
		},
		{
			ID: "rfc3551/6/2", Section: "RFC 3551 §3, §6, RFC 3264 §6.1", Level: check.Should,
			Shows:       []string{"3551-6-01", "3264-6.1-01"},
			Requirement: "A number from 96 on means what the offer says of it, here PCMU, and is answered under that number.",
			Run: func(ctx context.Context, t *check.T) {
				offer := src.TwoParties(src.Codec{Name: "PCMU", PayloadType: 117})
				for i, m := range t.Answer(t.Open(ctx, src.Request{Streams: offer})).Media {
					if m.Port == 0 || !slices.Contains(m.Formats, "117") {
						t.Errorf("m-line %d is answered on port %d with the formats %v", i, m.Port, m.Formats)
					}
				}
			},
		},
		{
			ID: "rfc3551/6/3", Section: "RFC 4733 §2.5.1.1", Level: check.Derived, Needs: []string{"rtcp"},
			Shows:       []string{"4733-2.5.1-01"},
			Requirement: "Events of DTMF among the audio, many packets of one timestamp, are received like others.",
			Run: func(ctx context.Context, t *check.T) {
				event := src.TelephoneEvent(101)
				whole(ctx, t, []src.Codec{src.PCMU(), event}, func(i int, h *rtp.Header) int {
					if i < 10 || i >= 20 {
						return 160
					}
					h.PayloadType, h.Marker = event.PayloadType, i == 10
					h.Timestamp -= uint32(i-10) * 160
					return 4
				})
			},
		},
	}
}

// whole sends packets of one stream, each with the header and as many octets as change
// makes, and fails unless all are reported as received.
func whole(ctx context.Context, t *check.T, codecs []src.Codec, change func(i int, h *rtp.Header) (octets int)) {
	t.OverUDP()
	d := t.Open(ctx, src.Request{Streams: src.TwoParties(codecs...)})
	t.Answer(d)
	st := d.Stream(0)
	packets := make([]src.ScriptPacket, 40)
	for i := range packets {
		h := rtp.Header{Version: 2, SSRC: st.SSRC(), SequenceNumber: 500 + uint16(i), Timestamp: uint32(i) * 160}
		octets := change(i, &h)
		packets[i] = src.ScriptPacket{Header: h, Payload: slices.Repeat([]byte{0x7f}, octets)}
	}
	t.Check(st.Script(ctx, packets), "send RTP")
	if r := t.Reception(ctx, st); r.Lost != 0 || uint16(r.Highest) != 539 {
		t.Errorf("%d packets are reported as lost up to %d, none was up to 539", r.Lost, uint16(r.Highest))
	}
}
