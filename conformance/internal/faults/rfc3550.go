package faults

import (
	"encoding/binary"
	"strings"
	"sync/atomic"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/internal/model"
)

// overlooking is a server to which some packets of RTP do not come.
func overlooking(overlooked func(h *rtp.Header) bool) func() model.Config {
	return func() model.Config { return model.Config{Overlook: overlooked} }
}

// firstSource is a server that receives the first SSRC of all only.
func firstSource() func() model.Config {
	return func() model.Config {
		var first atomic.Uint32
		return model.Config{Overlook: func(h *rtp.Header) bool {
			first.CompareAndSwap(0, h.SSRC)
			return first.Load() != h.SSRC
		}}
	}
}

// rfc3550 are mistakes with packets of RTP (RFC 3550 §5, §8, RFC 3551).
func rfc3550() []Fault {
	return append([]Fault{
		{
			Name: "drops-padding", Says: "Packets with padding are dropped.",
			Caught: []string{"rfc3550/5.1/1"},
			Config: overlooking(func(h *rtp.Header) bool { return h.Padding }),
		},
		{
			Name: "drops-contributors", Says: "Packets that list contributing sources are dropped.",
			Caught: []string{"rfc3550/5.1/2"},
			Config: overlooking(func(h *rtp.Header) bool { return len(h.CSRC) > 0 }),
		},
		{
			Name: "one-payload-type", Says: "Packets of another payload type than the first of the answer are dropped.",
			Caught: []string{"rfc3550/5.1/3", "rfc3551/4.1/1", "rfc3551/6/3"},
			Config: overlooking(func(h *rtp.Header) bool { return h.PayloadType != 0 }),
		},
		{
			Name: "drops-extensions", Says: "Packets with a header extension are dropped.",
			Caught: []string{"rfc3550/5.3.1/1"},
			Config: overlooking(func(h *rtp.Header) bool { return h.Extension }),
		},
		{
			Name: "takes-all-for-rtp", Says: "Datagrams of another version than 2 are taken for RTP.",
			Caught: []string{"rfc3550/A.1/1"},
			Config: func() model.Config { return model.Config{Trusting: true} },
		},
		{
			Name: "first-source-only", Says: "When the source changes its SSRC, nothing more is received.",
			Caught: []string{"rfc3550/8.2/1", "rfc3550/8.2/2"},
			Config: firstSource(),
		},
		{
			Name: "odd-port", Says: "RTP is received on odd ports.",
			Caught: []string{"rfc3550/11/1"},
			Config: alters(port(1, "4001")),
		},
		{
			Name: "ignores-rtcp-attribute", Says: "Reports go to the next port, whatever a=rtcp names.",
			Caught: []string{"rfc3550/11/2"},
			Config: func() model.Config { return model.Config{NextPort: true} },
		},
		{
			Name: "rtpmap-wanted", Says: "A payload type without a=rtpmap is refused.",
			Caught: []string{"rfc3551/6/1"},
			Config: alters(when(func(m *message) bool { return m.Method == "INVITE" && !strings.Contains(string(m.Body), "a=rtpmap") }, 488)),
		},
		{
			Name: "numbers-of-its-own", Says: "PCMU is answered as 0, whatever its number in the offer.",
			Caught: []string{"rfc3551/6/2"},
			Config: alters(format("0")),
		},
	}, rtcp()...)
}

// blockAt is where the first block of a receiver report begins (RFC 3550 §6.4.2).
const blockAt = 8

// lastSR changes the time stamp of the last sender report.
func lastSR(value uint32) func([]byte) []byte {
	return blocks(func(b []byte) { binary.BigEndian.PutUint32(b[blockAt+16:], value) })
}

// rtcp are mistakes in reports (RFC 3550 §6).
func rtcp() []Fault {
	const offset = blockAt
	word := func(n int, value uint32) func() model.Config {
		return reporting(blocks(func(b []byte) { binary.BigEndian.PutUint32(b[offset+4*n:], value) }))
	}
	return []Fault{
		{
			Name: "no-sender-report-heard", Says: "Reports do not tell of sender reports.",
			Caught: []string{"rfc3550/6.1/1", "rfc3550/6.4.1/1"},
			Config: reporting(lastSR(0)),
		},
		{
			Name: "no-delay-told", Says: "No time passes between a sender report and the report about it.",
			Caught: []string{"rfc3550/6.4.1/1"},
			Config: word(5, 0),
		},
		{
			Name: "one-report-only", Says: "A stream is reported on once.",
			Caught: []string{"rfc3550/6.2/1"}, Timeout: second,
			Config: func() model.Config {
				var sent atomic.Int32
				return model.Config{AlterReport: func(b []byte) []byte {
					if sent.Add(1) > 2 {
						return nil
					}
					return b
				}}
			},
		},
		{
			Name: "never-the-same-reporter", Says: "Each report has an SSRC of its own.",
			Caught: []string{"rfc3550/6.2/1"},
			Config: func() model.Config {
				var sent atomic.Uint32
				return model.Config{AlterReport: func(b []byte) []byte {
					n := sent.Add(1)
					for _, at := range []int{4, reportEnd(b) + 4} {
						binary.BigEndian.PutUint32(b[at:], n)
					}
					return b
				}}
			},
		},
		{
			Name: "name-of-each-report", Says: "Each report has another CNAME.",
			Caught: []string{"rfc3550/6.2/1", "rfc3550/6.5.1/1"},
			Config: func() model.Config {
				var sent atomic.Uint32
				return model.Config{AlterReport: func(b []byte) []byte {
					b[reportEnd(b)+10] = byte('a' + sent.Add(1)%26)
					return b
				}}
			},
		},
		{
			Name: "leaves-without-bye", Says: "The end of a stream is not told by RTCP.",
			Caught: []string{"rfc3550/6.3.7/1"}, Timeout: second,
			Config: reporting(func(b []byte) []byte {
				if b[len(b)-7] == 203 {
					return nil
				}
				return b
			}),
		},
		{
			Name: "fraction-always-0", Says: "The fraction lost is always 0.",
			Caught: []string{"rfc3550/6.4.1/2"},
			Config: reporting(blocks(func(b []byte) { b[offset+4] = 0 })),
		},
		{
			Name: "late-is-lost", Says: "Packets that come late count as lost.",
			Caught: []string{"rfc3550/6.4.1/3"},
			Config: reporting(blocks(func(b []byte) { b[offset+7] += 5 })),
		},
		{
			Name: "no-jitter", Says: "The jitter is always 0.",
			Caught: []string{"rfc3550/6.4.1/4"},
			Config: word(3, 0),
		},
		{
			Name: "jitter-in-ms", Says: "The jitter is given in milliseconds.",
			Caught: []string{"rfc3550/6.4.1/4"},
			Config: reporting(blocks(func(b []byte) {
				at := b[offset+12:]
				binary.BigEndian.PutUint32(at, binary.BigEndian.Uint32(at)/8)
			})),
		},
		{
			Name: "believes-counts", Says: "Loss is what a sender report counts and did not come.",
			Caught: []string{"rfc3550/6.4.1/5"},
			Config: reporting(blocks(func(b []byte) { binary.BigEndian.PutUint16(b[offset+6:], 4960) })),
		},
		{
			Name: "no-cycles", Says: "The highest sequence number has no cycles.",
			Caught: []string{"rfc3550/A.1/2", "rfc3711/3.3.1/1"},
			Config: reporting(blocks(func(b []byte) { binary.BigEndian.PutUint16(b[offset+8:], 0) })),
		},
		{
			Name: "reports-on-contributors", Says: "Reports are about a contributor instead of the mixer.",
			Caught: []string{"rfc3550/7.3/1"},
			Config: word(0, 7001),
		},
		{
			Name: "streams-meet", Says: "What is lost of one stream is reported as whole, since another of that SSRC is.",
			Caught: []string{"rfc3550/8.2/3"},
			Config: reporting(blocks(func(b []byte) { b[offset+7] = 0 })),
		},
	}
}
