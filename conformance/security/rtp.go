package security

import (
	"context"
	"encoding/binary"
	"net/netip"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// rtpCases are the cases of RTP and RTCP that is not of the SRC, on streams without
// protection, as the server's reports tell of it.
func rtpCases() []check.Case {
	const another = 0x5a5a5a5a // exclusive or'ed with the SSRC of the stream
	return []check.Case{
		rtpCase(1, "RTP of another address, with an SSRC of its own, is no part of the stream.", func(ctx context.Context, t *check.T, st *src.Stream) {
			intrude(ctx, t, st, elsewhereOf(t, st), st.SSRC()^another)
		}),
		rtpCase(2, "RTP of another address, with the SSRC of the stream, is no part of it.", func(ctx context.Context, t *check.T, st *src.Stream) {
			intrude(ctx, t, st, elsewhereOf(t, st), st.SSRC())
		}),
		rtpCase(3, "RTP of another port, with an SSRC of its own, is no part of a stream that goes on.", func(ctx context.Context, t *check.T, st *src.Stream) {
			intrude(ctx, t, st, st.Local().Addr(), st.SSRC()^another)
		}),
		rtpCase(4, "A BYE of RTCP from another address does not end a stream.", func(ctx context.Context, t *check.T, st *src.Stream) {
			inTurn(ctx, t, st, func(_ context.Context, t *check.T, st *src.Stream) {
				newStranger(t, elsewhereOf(t, st)).send(t, st.ControlRemote(), goodbye(st.SSRC()))
			})
		}),
		rtpCase(5, "A BYE of RTCP from another port does not end a stream that goes on.", func(ctx context.Context, t *check.T, st *src.Stream) {
			inTurn(ctx, t, st, func(_ context.Context, t *check.T, st *src.Stream) {
				newStranger(t, st.Local().Addr()).send(t, st.ControlRemote(), goodbye(st.SSRC()))
			})
		}),
	}
}

// rtpCase is a case of one stream without protection.
func rtpCase(n int, requirement string, run visit) check.Case {
	return check.Case{
		ID: id("rtp", n), Section: "RFC 3550 §8.2, §9", Level: check.Derived, Needs: []string{"rtcp"},
		Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			d := t.Open(ctx, src.Request{Streams: src.TwoParties()[:1]})
			t.Answer(d)
			run(ctx, t, d.Stream(0))
		},
	}
}

// intrude has packets come from an address, with numbers far ahead of the stream's,
// while the stream goes on.
func intrude(ctx context.Context, t *check.T, st *src.Stream, at netip.Addr, ssrc uint32) {
	var from uint16
	meanwhile(ctx, t, st, at, func(i int) []byte {
		if i == 0 {
			from = st.Sent()[0].Sequence + ahead
		}
		h := rtp.Header{Version: 2, SSRC: ssrc, SequenceNumber: from + uint16(i), Timestamp: uint32(i) * 160}
		b, err := h.Marshal()
		if err != nil {
			return nil // a header without extensions is always written
		}
		return append(b, make([]byte, 160)...)
	})
}

// elsewhereOf is an address that is not that of the stream; the case ends without one.
func elsewhereOf(t *check.T, st *src.Stream) netip.Addr {
	at := otherAddress(st.Local().Addr())
	if !at.IsValid() {
		t.Skipf("this machine has no second address to be a stranger at")
	}
	return at
}

// goodbye is an empty report and a BYE of a source (RFC 3550 §6.6).
func goodbye(ssrc uint32) []byte {
	b := binary.BigEndian.AppendUint32([]byte{0x80, src.RTCPReceiverReport, 0, 1}, ssrc)
	return binary.BigEndian.AppendUint32(append(b, 0x81, src.RTCPGoodbye, 0, 1), ssrc)
}
