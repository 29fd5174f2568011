package security

import (
	"context"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// srtp are the cases of SRTP that is not of the SRC. They do not depend on the
// transport of SIP.
func srtp() []check.Case {
	return []check.Case{
		srtpCase(1, "RFC 3711 §3.3", "Packets under another key are discarded.", func(ctx context.Context, t *check.T, st *src.Stream) {
			key, err := src.NewIDs(uint64(time.Now().UnixNano())).SRTPKey(suite)
			t.Check(err, "key")
			wrong, err := src.NewProtector(key)
			t.Check(err, "key")
			packets := following(t, st, 20)
			for i := range packets {
				packets[i].Raw = wrong.RTP(packets[i].Raw, 12)
			}
			t.Check(st.Script(ctx, packets), "send SRTP")
		}),
		srtpCase(2, "RFC 3711 §3.3", "Packets of plain RTP on a stream of SRTP are discarded.", func(ctx context.Context, t *check.T, st *src.Stream) {
			t.Check(st.Script(ctx, following(t, st, 20)), "send RTP")
		}),
		srtpCase(3, "RFC 3711 §3.3", "Packets that were changed on the way are discarded.", func(ctx context.Context, t *check.T, st *src.Stream) {
			// Its counters are its own, so that those of the stream stay.
			p, err := src.NewProtector(st.Offer().Keys[0])
			t.Check(err, "key")
			packets := following(t, st, 20)
			for i := range packets {
				packets[i].Raw = p.RTP(packets[i].Raw, 12)
				packets[i].Raw[20] ^= 1
			}
			t.Check(st.Script(ctx, packets), "send SRTP")
		}),
		srtpCase(4, "RFC 3711 §3.3.2", "Packets that come again are discarded.", func(ctx context.Context, t *check.T, st *src.Stream) {
			var packets []src.ScriptPacket
			p, err := src.NewProtector(st.Offer().Keys[0])
			t.Check(err, "key")
			for i, s := range st.Sent() {
				h := rtp.Header{Version: 2, PayloadType: s.PayloadType, Marker: s.Marker, SSRC: s.SSRC, SequenceNumber: s.Sequence, Timestamp: s.Timestamp}
				raw, err := h.Marshal()
				t.Check(err, "write a packet")
				silence, err := src.Encode(src.PCMU(), make([]int16, s.Octets))
				t.Check(err, "write a packet")
				packets = append(packets, src.ScriptPacket{Offset: time.Duration(i) * spacing, Raw: p.RTP(append(raw, silence...), 12)})
			}
			t.Check(st.Script(ctx, packets), "send SRTP")
		}),
		srtpCase(5, "RFC 3711 §3.4", "A BYE of RTCP that is not authentic does not end a stream.", func(ctx context.Context, t *check.T, st *src.Stream) {
			key, err := src.NewIDs(uint64(time.Now().UnixNano())).SRTPKey(suite)
			t.Check(err, "key")
			wrong, err := src.NewProtector(key)
			t.Check(err, "key")
			newStranger(t, st.Local().Addr()).send(t, st.ControlRemote(), wrong.RTCP(goodbye(st.SSRC())))
			newStranger(t, st.Local().Addr()).send(t, st.ControlRemote(), goodbye(st.SSRC()))
		}),
	}
}

// srtpCase is a case of one stream of SRTP that a stranger visits.
func srtpCase(n int, section, requirement string, by visit) check.Case {
	return check.Case{
		ID: id("srtp", n), Section: section, Level: check.Must, Needs: []string{"rtcp"},
		Requirement: requirement,
		Run: func(ctx context.Context, t *check.T) {
			d := t.Open(ctx, src.Request{Streams: protected(t)[:1]})
			m := t.Answer(d).Media[0]
			if m.Port == 0 || inline(m) == "" {
				t.Fatalf("the stream of SRTP is answered on port %d, without a key", m.Port)
			}
			inTurn(ctx, t, d.Stream(0), by)
		},
	}
}
