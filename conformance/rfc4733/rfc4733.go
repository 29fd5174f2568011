// Package rfc4733 checks what becomes of telephone events (RFC 4733) that come with the
// audio of a recording session.
package rfc4733

import (
	"context"
	"slices"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

const (
	payloadType = 101
	// some is how many packets of 20 ms are said at a time: half a second.
	some = 25
	// pressed is how long a key is, in packets of 20 ms.
	pressed = 10
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{{
		ID: "rfc4733/2.5.1/1", Section: "RFC 4733 §2.5.1", Level: check.Derived, Needs: []string{check.Files},
		Shows:       []string{"DRV4733-2.5.1-01"},
		Requirement: "Packets of telephone-event are not heard as audio, and move none.",
		Run: func(ctx context.Context, t *check.T) {
			a := t.Audio("Nora", "Desk")
			d := a.Open(ctx, src.Request{Streams: a.Streams(src.PCMU(), src.TelephoneEvent(payloadType))})
			if !slices.Contains(d.Stream(0).Answer().Formats, "101") {
				t.Skipf("telephone-event is not taken")
			}
			nora := a.Speaker(0)
			a.Say(ctx, some, src.PlayOptions{}, nora)
			sent := d.Stream(0).Sent()
			last := sent[len(sent)-1]
			sequence, timestamp := last.Sequence+1, last.Timestamp+160
			nora.Script(ctx, key(rtp.Header{SSRC: last.SSRC, SequenceNumber: sequence, Timestamp: timestamp}))
			sequence, timestamp = sequence+pressed, timestamp+pressed*160
			a.Say(ctx, some, src.PlayOptions{Sequence: &sequence, Timestamp: &timestamp}, nora)
			found := a.Stored(ctx)
			t.Judge(found.InPlace(20 * time.Millisecond))
			for _, law := range []src.Codec{src.PCMU(), src.PCMA()} {
				noise, err := src.Decode(law, event(pressed*160))
				t.Check(err, "decode")
				if where := found.Contains(noise); where != "" {
					t.Errorf("%s holds a telephone-event as if it were %s", where, law.Name)
				}
			}
		},
	}}
}

// event is the payload of key 5 at a volume of -10 dBm0, at its end and of a duration in
// units of RTP time (RFC 4733 §2.3).
func event(duration int) []byte { return []byte{5, 0x80 | 10, byte(duration >> 8), byte(duration)} }

// key are the packets of one key, from the first one on; the last tells the end.
func key(first rtp.Header) (out []src.ScriptPacket) {
	h := first
	h.PayloadType = payloadType
	for i := range pressed {
		payload := event((i + 1) * 160)
		if h.Marker = i == 0; i < pressed-1 {
			payload[1] &^= 0x80
		}
		out = append(out, src.ScriptPacket{Offset: time.Duration(i) * 20 * time.Millisecond, Header: h, Payload: payload})
		h.SequenceNumber++
	}
	return out
}
