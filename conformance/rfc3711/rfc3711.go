// Package rfc3711 checks how a Session Recording Server takes SRTP, as far as its
// reports by SRTCP tell it (RFC 3711).
package rfc3711

import (
	"context"
	"errors"
	"slices"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// suite is the one that every server has (RFC 4568 §6.2.1).
const suite = "AES_CM_128_HMAC_SHA1_80"

// count is how many packets a case sends.
const count = 40

// keyed offers two streams of SRTP, and returns the first.
func keyed(ctx context.Context, t *check.T) *src.Stream {
	t.OverUDP()
	ids := src.NewIDs(3711)
	offers := src.TwoParties()
	for i := range offers {
		offers[i].Keys = []src.SRTPKey{newKey(t, ids)}
	}
	d := t.Open(ctx, src.Request{Streams: offers})
	t.Answer(d)
	st := d.Stream(0)
	if st.Protector() == nil {
		t.Fatalf("the answer accepts no key of the first stream")
	}
	return st
}

func newKey(t *check.T, ids *src.IDs) src.SRTPKey {
	k, err := ids.SRTPKey(suite)
	t.Check(err, "key")
	return k
}

// packet is number i of a source, from sequence number first on, not protected.
func packet(t *check.T, ssrc uint32, first uint16, i int) []byte {
	h := rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: first + uint16(i), Timestamp: uint32(i) * 160}
	head, err := h.Marshal()
	t.Check(err, "write RTP")
	return append(head, slices.Repeat([]byte{0xff}, 160)...)
}

// headerSize is that of the packets here.
const headerSize = 12

// sent sends datagrams as they are; the last is of that source and number.
func sent(ctx context.Context, t *check.T, st *src.Stream, raw [][]byte, ssrc uint32, last uint16) {
	packets := make([]src.ScriptPacket, len(raw))
	for i, b := range raw {
		packets[i] = src.ScriptPacket{Header: rtp.Header{SSRC: ssrc, SequenceNumber: last}, Raw: b}
	}
	t.Check(st.Script(ctx, packets), "send SRTP")
}

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	needs := []string{"rtcp"}
	shows := []string{"3711-3.3-01"}
	return []check.Case{
		{
			ID: "rfc3711/3.3/1", Section: "RFC 3711 §3.3", Level: check.Must, Needs: needs, Shows: shows,
			Requirement: "Packets that are not authentic are not received: reports do not count them.",
			Run: func(ctx context.Context, t *check.T) {
				st := keyed(ctx, t)
				stranger, err := src.NewProtector(newKey(t, src.NewIDs(99)))
				t.Check(err, "key")
				ssrc := st.SSRC()
				var raw [][]byte
				for i := range count {
					raw = append(raw, st.Protector().RTP(packet(t, ssrc, 100, i), headerSize))
					if i%4 == 1 {
						raw = append(raw, stranger.RTP(packet(t, ssrc, 200, i), headerSize))
					}
				}
				sent(ctx, t, st, raw, ssrc, 100+count-1)
				reported(ctx, t, st, 0, 100+count-1)
			},
		},
		{
			ID: "rfc3711/3.3.1/1", Section: "RFC 3711 §3.3.1", Level: check.Must, Needs: needs, Shows: shows,
			Requirement: "The rollover counter follows the sequence numbers when these wrap: what comes then is received.",
			Run: func(ctx context.Context, t *check.T) {
				st := keyed(ctx, t)
				var raw [][]byte
				for i := range count {
					raw = append(raw, st.Protector().RTP(packet(t, st.SSRC(), 65516, i), headerSize))
				}
				sent(ctx, t, st, raw, st.SSRC(), count-20-1)
				reported(ctx, t, st, 0, 1<<16+count-20-1)
			},
		},
		{
			ID: "rfc3711/3.3.2/1", Section: "RFC 3711 §3.3.2", Level: check.Must, Needs: needs, Shows: shows,
			Requirement: "A packet that came before is not received again.",
			Run: func(ctx context.Context, t *check.T) {
				st := keyed(ctx, t)
				const missing = 5
				var raw [][]byte
				for i := range count {
					b := st.Protector().RTP(packet(t, st.SSRC(), 100, i), headerSize)
					if i < 10 || i >= 10+missing {
						raw = append(raw, b)
					}
					if i >= 20 && i < 20+missing {
						raw = append(raw, b)
					}
				}
				sent(ctx, t, st, raw, st.SSRC(), 100+count-1)
				reported(ctx, t, st, missing, 100+count-1)
			},
		},
		{
			ID: "rfc3711/3.4/1", Section: "RFC 3711 §3.4, RFC 4568 §5.1.2", Level: check.Must, Needs: needs,
			Shows:       []string{"7866-12.2-01", "7866-12.2-02", "3711-3.4-01"},
			Requirement: "Reports about a stream of SRTP are SRTCP under the key of the answer.",
			Run: func(ctx context.Context, t *check.T) {
				st := keyed(ctx, t)
				_, _, err := st.ReadControl(ctx)
				if errors.Is(err, src.ErrNotAuthentic) {
					t.Fatalf("RTCP came that is not protected by the key of the answer")
				}
				t.Check(err, "wait for RTCP")
			},
		},
		{
			ID: "rfc3711/9.1/1", Section: "RFC 7866 §12.2, RFC 3711 §9.1", Level: check.Must, Needs: needs,
			Shows:       []string{"7866-12.2-06"},
			Requirement: "Several sources may send under one key: each is received.",
			Run: func(ctx context.Context, t *check.T) {
				st := keyed(ctx, t)
				for _, ssrc := range []uint32{st.SSRC(), st.SSRC() + 1} {
					var raw [][]byte
					for i := range count {
						raw = append(raw, st.Protector().RTP(packet(t, ssrc, 100, i), headerSize))
					}
					sent(ctx, t, st, raw, ssrc, 100+count-1)
				}
				reported(ctx, t, st, 0, 100+count-1)
			},
		},
	}
}

// reported fails unless the report has these packets lost and that highest sequence
// number, extended.
func reported(ctx context.Context, t *check.T, st *src.Stream, lost int, highest uint32) {
	if r := t.Reception(ctx, st); r.Lost != lost || r.Highest != highest {
		t.Errorf("%d packets are reported as lost up to %d, it were %d up to %d", r.Lost, r.Highest, lost, highest)
	}
}
