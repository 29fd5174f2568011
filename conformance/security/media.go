package security

import (
	"context"
	"errors"
	"net/netip"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

const (
	// good is how many packets of the SRC come before and again after those of a
	// stranger.
	good = 40
	// spacing is the time between packets; a report is far longer in coming.
	spacing = 2 * time.Millisecond
	// ahead is how far the sequence numbers of a stranger are in front, so that they
	// show in a report as soon as one counts.
	ahead = 3000
)

// A visit is what a stranger does in the midst of a stream.
type visit func(ctx context.Context, t *check.T, st *src.Stream)

// inTurn plays a stretch of a stream, lets the stranger come, and plays another one.
func inTurn(ctx context.Context, t *check.T, st *src.Stream, by visit) {
	play := src.PlayOptions{Count: good, Interval: spacing}
	t.Check(st.Play(ctx, src.Silence(), play), "send RTP")
	by(ctx, t, st)
	play.RTCP = good * spacing / 4 // so that a server which reports to where RTCP comes from does so
	t.Check(st.Play(ctx, src.Silence(), play), "send RTP")
	undisturbed(ctx, t, st)
}

// watched is how long reports are looked at from the first one on.
const watched = 2 * time.Second

// meanwhile plays a stream while somebody else sends more than it does from an address,
// and fails unless each report is about the SRC's packets alone.
func meanwhile(ctx context.Context, t *check.T, st *src.Stream, at netip.Addr, packet func(i int) []byte) {
	t.Check(st.Play(ctx, src.Silence(), src.PlayOptions{Count: good, Interval: spacing}), "send RTP")
	other, first := newStranger(t, at), st.Sent()[0].SSRC
	ctx, stop := context.WithCancel(ctx)
	played, intruded := make(chan error, 1), make(chan error, 1)
	go func() { played <- st.Play(ctx, src.Silence(), src.PlayOptions{Interval: 4 * spacing}) }()
	go func() { intruded <- other.intrude(ctx, t, st.Remote(), packet) }()
	t.Cleanup(func() {
		stop()
		for _, err := range []error{<-played, <-intruded} {
			if !errors.Is(err, context.Canceled) && !errors.Is(err, context.DeadlineExceeded) {
				t.Check(err, "send RTP")
			}
		}
	})
	looking := ctx
	for reports := 0; ; {
		raw, _, err := st.ReadControl(looking)
		if err != nil && reports > 0 {
			return
		} else if err != nil {
			t.Fatalf("no report came of the stream: %v", err)
		}
		c, err := src.ParseCompound(raw)
		if err != nil {
			t.Fatalf("the report cannot be read: %v", err)
		}
		sent := st.Sent()
		for _, r := range c.Blocks {
			own(t, r, first, sent[len(sent)-1].Sequence)
			if reports++; reports == 1 {
				var enough context.CancelFunc
				looking, enough = context.WithTimeout(ctx, watched)
				defer enough()
			}
		}
	}
}

// own fails unless a report is about packets of an SSRC up to a sequence number, none
// of which counts twice.
func own(t *check.T, r src.ReceptionReport, ssrc uint32, last uint16) {
	switch {
	case r.SSRC != ssrc:
		t.Fatalf("a report is about SSRC %08x, the SRC sends as %08x", r.SSRC, ssrc)
	case int16(uint16(r.Highest)-last) > 0:
		t.Fatalf("a report has the sequence number %d, the SRC sent up to %d", uint16(r.Highest), last)
	case r.Lost < 0:
		t.Fatalf("a report has %d packets more than were sent", -r.Lost)
	}
}

// undisturbed fails unless reports are about the SRC's packets alone, up to the last
// one: the highest number is that of it, and none counts twice (RFC 3550 §6.4.1).
func undisturbed(ctx context.Context, t *check.T, st *src.Stream) {
	sent := st.Sent()
	last := sent[len(sent)-1]
	for {
		raw, _, err := st.ReadControl(ctx)
		if err != nil {
			t.Fatalf("no report came of the last packet: %v", err)
		}
		c, err := src.ParseCompound(raw)
		if err != nil {
			t.Fatalf("the report cannot be read: %v", err)
		}
		for _, r := range c.Blocks {
			own(t, r, last.SSRC, last.Sequence)
			if uint16(r.Highest) == last.Sequence {
				return
			}
		}
	}
}

// following are n packets of the SSRC of a stream with numbers far ahead, in the clear.
func following(t *check.T, st *src.Stream, n int) (packets []src.ScriptPacket) {
	sent := st.Sent()
	last := sent[len(sent)-1]
	for i := range n {
		h := rtp.Header{
			Version: 2, PayloadType: last.PayloadType, SSRC: last.SSRC,
			SequenceNumber: last.Sequence + ahead + uint16(i), Timestamp: last.Timestamp + (ahead+uint32(i))*160,
		}
		raw, err := h.Marshal()
		t.Check(err, "write a packet")
		packets = append(packets, src.ScriptPacket{Offset: time.Duration(i) * spacing, Raw: append(raw, make([]byte, 160)...)})
	}
	return packets
}
