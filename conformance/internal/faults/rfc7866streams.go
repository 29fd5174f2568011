package faults

import (
	"encoding/binary"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// rfc7866streams are mistakes with streams and RTCP (RFC 7866 §7, §8).
func rfc7866streams() []Fault {
	return append([]Fault{
		{
			Name: "no-label-no-stream", Says: "A stream without a label is refused.",
			Caught: []string{"rfc7866/7.1.1/1", "rfc7866/8.3.2/1"},
			Config: alters(port(0, "0")),
		},
		{
			Name: "place-not-used-again", Says: "A new stream in the place of a removed one is refused.",
			Caught: []string{"rfc7866/7.1.1.1/1"},
			Config: alters(port(1, "0")),
		},
		{
			Name: "never-resumes", Says: "A stream that was paused stays inactive.",
			Caught: []string{"rfc7866/7.1.1.1/2"},
			Config: alters(edit(2, "a=recvonly", "a=inactive")),
		},
		{
			Name: "record-attribute-answered", Says: "The answer has a=record, which belongs to the communication session.",
			Caught: []string{"rfc7866/7.1.2/1"},
			Config: alters(edit(0, "a=recvonly", "a=record:on\r\na=recvonly")),
		},
		{
			Name: "answers-to-send", Says: "A stream is answered sendrecv.",
			Caught: []string{"rfc7866/7.2/1", "rfc7866/7.2/2"},
			Config: alters(edit(0, "a=recvonly", "a=sendrecv")),
		},
		{
			Name: "answer-without-direction", Says: "The answer has no direction, which is sendrecv.",
			Caught: []string{"rfc7866/7.2/3", "rfc7866/7.2/1"},
			Config: alters(edit(0, "a=recvonly\r\n", "")),
		},
		{
			Name: "inactive-answered-live", Says: "What is offered inactive, or with the address 0.0.0.0, is answered recvonly.",
			Caught: []string{"rfc7866/7.2/4", "rfc7866/7.2/5"},
			Config: alters(edit(0, "a=inactive", "a=recvonly")),
		},
		{
			Name: "label-in-other-letters", Says: "A label is answered in other letters.",
			Caught: []string{"rfc7866/7.2/6"},
			Config: alters(edit(0, "leg-B", "leg-b")),
		},
		{
			Name: "label-forgotten", Says: "The answer repeats no label.",
			Caught: []string{"rfc7866/7.2/6"},
			Config: alters(edit(0, "a=label:", "a=mid:")),
		},
		{
			Name: "m-line-added", Says: "Its offer has an m-line more than was negotiated.",
			Caught: []string{"rfc7866/7.2/7"},
			Config: alters(edit(1, "v=0", "m=audio 9 RTP/AVP 0\r\nv=0")),
		},
		{
			Name: "sends-what-it-is-asked-for", Says: "What is offered recvonly is answered sendonly.",
			Caught: []string{"rfc7866/7.2/8"},
			Config: alters(edit(0, "a=inactive", "a=sendonly")),
		},
		{
			Name: "avpf-answered-avp", Says: "RTP/AVPF is answered with RTP/AVP.",
			Caught: []string{"rfc7866/8.1.2/1"},
			Config: alters(profile("RTP/AVP")),
		},
		{
			Name: "all-is-audio", Says: "Every m-line is answered as audio.",
			Caught: []string{"rfc7866/8.3.1/1", "rfc7866/8.3.2/2"},
			Config: alters(kind("audio")),
		},
		{
			Name: "msrp-taken", Says: "A stream that is not RTP is taken.",
			Caught: []string{"rfc7866/8.3.1/2"},
			Config: alters(port(3, "4000")),
		},
		{
			Name: "sends-video", Says: "Video is answered sendonly.",
			Caught: []string{"rfc7866/8.3.1/3"},
			Config: alters(edit(0, "a=recvonly", "a=sendonly")),
		},
		{
			Name: "never-mixed", Says: "Two streams that become a mixed one stay two.",
			Caught: []string{"rfc7866/8.3.1/4"},
			Config: alters(port(1, "4000")),
		},
		{
			Name: "one-port-for-all", Says: "All streams are answered with one port.",
			Caught: []string{"rfc7866/8.4/1"},
			Config: alters(lines(func(_ int, f []string) { f[1] = "4000" })),
		},
		{
			Name: "three-streams-at-most", Says: "A fourth stream is refused.",
			Caught: []string{"rfc7866/8.4/2"},
			Config: alters(port(3, "0")),
		},
	}, reports()...)
}

// reports are mistakes of RTCP (RFC 7866 §8.1, RFC 3550 §6).
func reports() []Fault {
	const about = "rfc7866/8.1.1/1"
	return []Fault{
		{
			Name: "no-report", Says: "No report of RTCP is sent.",
			Caught: []string{about}, Timeout: second,
			Config: reporting(func([]byte) []byte { return nil }),
		},
		{
			Name: "report-hides-loss", Says: "Reports say that nothing was lost.",
			Caught: []string{about},
			Config: reporting(blocks(func(b []byte) { b[15] = 0 })),
		},
		{
			Name: "report-about-another", Says: "Reports name an SSRC that nobody sent.",
			Caught: []string{about},
			Config: reporting(blocks(func(b []byte) { b[8]++ })),
		},
		{
			Name: "report-without-cname", Says: "Reports have no CNAME.",
			Caught: []string{about},
			Config: reporting(func(b []byte) []byte { return b[:reportEnd(b)] }),
		},
		{
			Name: "feedback-not-negotiated", Says: "A feedback message is sent under RTP/AVP.",
			Caught: []string{about},
			Config: reporting(func(b []byte) []byte { return append(b, 0x81, 206, 0, 2, 0, 0, 0, 77, 0, 0, 0, 1) }),
		},
		{
			Name: "report-not-compound", Says: "A packet of RTCP does not begin with a report.",
			Caught: []string{about},
			Config: reporting(func(b []byte) []byte { return b[reportEnd(b):] }),
		},
	}
}

// reporting is a server whose reports are changed; nil sends none.
func reporting(change func(packet []byte) []byte) func() model.Config {
	return func() model.Config { return model.Config{AlterReport: change} }
}

// blocks changes reports that have a block, which begins at octet 8 (RFC 3550 §6.4.2).
func blocks(change func(report []byte)) func([]byte) []byte {
	return func(b []byte) []byte {
		if b[0]&31 > 0 {
			change(b)
		}
		return b
	}
}

// reportEnd is where the first packet of a compound one ends.
func reportEnd(b []byte) int { return 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1) }
