package rfc3550

import (
	"context"
	"encoding/binary"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section7 are the cases of an SRC that mixes.
func section7() []check.Case {
	return []check.Case{{
		ID: "rfc3550/7.3/1", Section: "RFC 3550 §7.3, RFC 7866 §8.2.2", Level: check.Must, Needs: rtcp(),
		Shows:       []string{"7866-8.2.2-01", "7866-8.2.2-02", "7866-8.1.5-01", "7866-8.3.2-03", "7866-8.2-01"},
		Requirement: "Of a mixer that names its contributors, reports are about the mixer and about none of these.",
		Run: func(ctx context.Context, t *check.T) {
			st := stream(ctx, t)
			contributors := []uint32{7001, 7002, 7003}
			_, err := st.Report(0, 0, described(contributors))
			t.Check(err, "send RTCP")
			t.Check(st.Script(ctx, script(st.SSRC(), 100, func(i int, p *src.ScriptPacket) {
				p.Header.CSRC = contributors[:1+i%3]
			})), "send RTP")
			for range 3 {
				c := t.Report(ctx, st)
				for _, ssrc := range contributors {
					if _, told := c.About(ssrc); told {
						t.Errorf("a report is about contributor %d", ssrc)
					}
				}
				if _, told := c.About(st.SSRC()); told {
					return
				}
			}
			t.Errorf("three reports came, and none is about the mixer")
		},
	}}
}

// described is the source description of contributors, each with a CNAME and a name
// (RFC 3550 §6.5).
func described(ssrcs []uint32) []byte {
	var chunks []byte
	for i, ssrc := range ssrcs {
		digit := byte('1' + i)
		chunks = binary.BigEndian.AppendUint32(chunks, ssrc)
		chunks = append(chunks, 1, 3, 'c', 'n', digit, 2, 3, 'n', 'm', digit, 0, 0)
	}
	b := []byte{0x80 | byte(len(ssrcs)), src.RTCPDescription}
	return append(binary.BigEndian.AppendUint16(b, uint16(len(chunks)/4)), chunks...)
}
