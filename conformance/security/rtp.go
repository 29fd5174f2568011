package security

import (
	"context"
	"encoding/binary"
	"fmt"
	"net/netip"
	"strings"
	"time"

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

// heard are the cases of what strangers say, as the files of the server tell of it.
func heard() []check.Case {
	needs := []string{check.Files}
	return []check.Case{
		{
			ID: "security/rtp/6", Section: "RFC 3550 §8.2, §9", Level: check.Derived, Needs: needs,
			Requirement: "What is said from another address while the SRC is silent is in no file, and all that the SRC sends is.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{})
				at := elsewhereOf(t, d.Stream(0))
				a.Say(ctx, 25, src.PlayOptions{})
				done := talk(ctx, t, d.Stream(0), at, a.Stranger().Unheard(50))
				a.Say(ctx, 60, src.PlayOptions{}, a.Speaker(1)) // the other is silent meanwhile
				t.Check(<-done, "send RTP")
				a.Say(ctx, 25, src.PlayOptions{})
				a.Stored(ctx)
			},
		},
		{
			ID: "security/rtp/7", Section: "RFC 3550 §8.2, §9", Level: check.Derived, Needs: needs,
			Requirement: "What is said from another address before a stream begins is in no file, and keeps nothing of the SRC's out.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{})
				at := elsewhereOf(t, d.Stream(0))
				t.Check(<-talk(ctx, t, d.Stream(0), at, a.Stranger().Unheard(10)), "send RTP")
				a.Say(ctx, 50, src.PlayOptions{})
				a.Stored(ctx)
			},
		},
		{
			ID: "security/srtp/6", Section: "RFC 3711 §3.3", Level: check.Must, Needs: needs,
			Requirement: "What is said in the clear on a stream of SRTP is in no file, and all that is authentic is.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				d := a.Open(ctx, src.Request{Streams: protected(t)})
				a.Say(ctx, 25, src.PlayOptions{})
				done := talk(ctx, t, d.Stream(0), d.Stream(0).Local().Addr(), a.Stranger().Unheard(50))
				a.Say(ctx, 60, src.PlayOptions{}, a.Speaker(1)) // the other is silent meanwhile
				t.Check(<-done, "send RTP")
				a.Say(ctx, 25, src.PlayOptions{})
				a.Stored(ctx)
			},
		},
		{
			ID: "security/names/6", Section: "RFC 7865 §6.1", Level: check.Must, Needs: needs,
			Requirement: "Labels, names and a Call-ID that look like paths lead no file away: all that is said is where files are.",
			Run: func(ctx context.Context, t *check.T) {
				a := t.Audio("Nora", "Desk")
				up := strings.Repeat("../", 12) + "tmp/"
				streams := a.Streams()
				var parties []src.Party
				for i := range streams {
					p := a.Speaker(i).Party()
					streams[i].Label = fmt.Sprintf("%slabel-%d", up, i+1)
					p.Label, p.Name, p.AOR = streams[i].Label, up+p.Name, "sip:"+up+p.Name+"@example.com"
					parties = append(parties, p)
				}
				talk := src.NewConversation(src.NewIDs(uint64(time.Now().UnixNano())), time.Now(), parties...)
				a.Open(ctx, src.Request{Streams: streams, Metadata: talk.Complete(), CallID: fmt.Sprintf("%scall-%d", up, time.Now().UnixNano())})
				a.Say(ctx, 25, src.PlayOptions{})
				a.Stored(ctx)
			},
		},
	}
}

// talk sends words from an address, 20 ms each, as PCMU of an SSRC of its own. What it
// came to is on the channel when it is over.
func talk(ctx context.Context, t *check.T, st *src.Stream, at netip.Addr, words [][]byte) <-chan error {
	s, to, done := newStranger(t, at), st.Remote(), make(chan error, 1)
	go func() {
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for i, payload := range words {
			h := rtp.Header{Version: 2, SSRC: st.SSRC() ^ 0x3c3c3c3c, SequenceNumber: uint16(i), Timestamp: uint32(i) * 160}
			b, err := h.Marshal()
			if err == nil {
				err = s.write(t, to, append(b, payload...))
			}
			if err != nil {
				done <- err
				return
			}
			select {
			case <-tick.C:
			case <-ctx.Done():
				done <- ctx.Err()
				return
			}
		}
		done <- nil
	}()
	return done
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
