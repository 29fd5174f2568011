package rfc3550

import (
	"context"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// audio are the cases of what is in files.
func audio() []check.Case {
	return []check.Case{dressed(), {
		ID: "rfc3550/A.1/3", Section: "RFC 3550 A.1", Level: check.Derived, Needs: []string{check.Files},
		Shows:       []string{"3550-A.1-01"},
		Requirement: "A stream whose sequence numbers and timestamps wrap is kept on, in its place.",
		Run: check.TwoSpeak(func(ctx context.Context, a *check.Audio) {
			sequence, timestamp := uint16(1<<16-20), uint32(1<<32-30*160)
			a.Say(ctx, 50, src.PlayOptions{Sequence: &sequence, Timestamp: &timestamp}, a.Speaker(0))
		}, check.InPlace(10*time.Millisecond)),
	}}
}

// dressed is a case of packets with more than a header and a payload.
func dressed() check.Case {
	return check.Case{
		ID: "rfc3550/5.1/4", Section: "RFC 3550 §5.1, §5.3.1", Level: check.Must, Needs: []string{check.Files},
		Shows:       []string{"3550-5.1-01"},
		Requirement: "Padding, contributing sources and a header extension are no audio: what is stored is the payload alone.",
		Run: func(ctx context.Context, t *check.T) {
			a := t.Audio("Nora", "Desk")
			st := a.Open(ctx, src.Request{Streams: a.Streams(src.PCMU())}).Stream(0)
			var packets []src.ScriptPacket
			for i, payload := range a.Speaker(0).Packets(30) {
				h := rtp.Header{SSRC: st.SSRC(), SequenceNumber: uint16(700 + i), Timestamp: uint32(i) * 160, Marker: i == 0}
				switch i % 3 {
				case 0:
					h.Padding = true
					payload = append(payload, 0x11, 0x22, 0x33, 4)
				case 1:
					h.CSRC = []uint32{0x78660001, 0x78660002}
				case 2:
					t.Check(h.SetExtension(1, []byte{0x81, 0x55, 0x10}), "header extension")
				}
				packets = append(packets, src.ScriptPacket{Offset: time.Duration(i) * 20 * time.Millisecond, Header: h, Payload: payload})
			}
			a.Speaker(0).Script(ctx, packets)
			found := a.Stored(ctx)
			t.Judge(found.Exact())
			t.Judge(found.InPlace(10 * time.Millisecond))
		},
	}
}
