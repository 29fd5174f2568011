package rfc3550

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// section5 are the cases of the forms of a packet.
func section5() []check.Case {
	return []check.Case{
		packets("rfc3550/5.1/1", "RFC 3550 §5.1", "Packets with padding are received like others.",
			func(i int, p *src.ScriptPacket) {
				if i%2 == 1 {
					p.Header.Padding = true
					p.Payload = append(slices.Clone(p.Payload[:156]), 0, 0, 0, 4)
				}
			}, "3550-5.1-01"),
		packets("rfc3550/5.1/2", "RFC 3550 §5.1", "Packets that list contributing sources are received like others.",
			func(i int, p *src.ScriptPacket) {
				for n := range i % 16 {
					p.Header.CSRC = append(p.Header.CSRC, uint32(9000+n))
				}
			}, "3550-5.1-01", "7866-8.2.2-01"),
		packets("rfc3550/5.1/3", "RFC 3550 §5.1, RFC 7866 §8.2.1.2", "Packets of another length, and of another payload type of the answer, are received like others.",
			func(i int, p *src.ScriptPacket) {
				p.Header.PayloadType = uint8(i % 2 * 8)
				p.Payload = p.Payload[:80+i]
			}, "7866-8.2.1.2-01", "7866-8.2.3-01"),
		packets("rfc3550/5.3.1/1", "RFC 3550 §5.3.1", "A header extension that nobody knows is no obstacle.",
			func(i int, p *src.ScriptPacket) {
				if i%2 == 1 {
					p.Header.Extension, p.Header.ExtensionProfile = true, 0x4242
					if err := p.Header.SetExtension(0, []byte{1, 2, 3, 4, 5, 6, 7, 8}); err != nil {
						panic(err) // which the runner takes for an error of the suite
					}
				}
			}, "3550-5.1-01"),
		{
			ID: "rfc3550/A.1/1", Section: "RFC 3550 A.1", Level: check.Derived, Needs: rtcp(),
			Shows:       []string{"3550-A.1-01"},
			Requirement: "Datagrams that are no RTP of version 2 are not counted.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				packets := script(st.SSRC(), 100, func(int, *src.ScriptPacket) {})
				all := packets[: count/2 : count/2]
				for i, junk := range []byte{0x00, 0x40, 0xc0} { // versions 0, 1 and 3
					raw := binary.BigEndian.AppendUint32([]byte{junk, 0, 0x20, byte(i), 0, 0, 0, 9}, st.SSRC())
					all = append(all, src.ScriptPacket{Offset: all[len(all)-1].Offset, Raw: append(raw, packets[0].Payload...)})
				}
				received(ctx, t, st, append(all, packets[count/2:]...), 0)
			},
		},
		{
			ID: "rfc3550/A.1/2", Section: "RFC 3550 A.1", Level: check.Must, Needs: rtcp(),
			Shows:       []string{"3550-A.1-01"},
			Requirement: "When sequence numbers wrap, the highest in a report counts the cycles, and nothing is lost by it.",
			Run: func(ctx context.Context, t *check.T) {
				st := stream(ctx, t)
				r := received(ctx, t, st, script(st.SSRC(), 65520, func(int, *src.ScriptPacket) {}), 0)
				if r.Highest>>16 != 1 {
					t.Errorf("the report has %d cycles of the sequence numbers, it was 1", r.Highest>>16)
				}
			},
		},
	}
}

// packets is a case of packets that all have to be received.
func packets(id, section, requirement string, change func(i int, p *src.ScriptPacket), shows ...string) check.Case {
	return check.Case{
		ID: id, Section: section, Level: check.Derived, Requirement: requirement, Shows: shows, Needs: rtcp(),
		Run: func(ctx context.Context, t *check.T) {
			st := stream(ctx, t)
			received(ctx, t, st, script(st.SSRC(), 100, change), 0)
		},
	}
}
