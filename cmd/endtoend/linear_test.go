package endtoend

import (
	"encoding/binary"
	"fmt"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestLinearExact sends L16 at all its rates, with one channel and two, and wants each
// sample back; of two channels the average.
func TestLinearExact(t *testing.T) {
	t.Parallel()
	for _, c := range []src.Codec{
		{Name: "L16", PayloadType: 96, ClockRate: 8000},
		{Name: "L16", PayloadType: 96, ClockRate: 16000},
		{Name: "L16", PayloadType: 96, ClockRate: 48000},
		{Name: "L16", PayloadType: 11, ClockRate: 44100},
		{Name: "L16", PayloadType: 10, ClockRate: 44100, Channels: 2},
		{Name: "L16", PayloadType: 97, ClockRate: 48000, Channels: 2},
	} {
		t.Run(fmt.Sprint(c.ClockRate, " ", max(c.Channels, 1)), func(t *testing.T) {
			t.Parallel()
			const packets = 50
			each := c.ClockRate / 100 // of 10 ms: two channels at 48 kHz fill a frame of Ethernet else
			l := newLab(t, "127.0.0.1", nil)
			client := l.client("udp")
			d := invite(t, client, src.Request{Streams: src.TwoParties(c), Metadata: conversation(client).Complete()})
			var want []int16
			var script []src.ScriptPacket
			for n := range packets {
				var payload []byte
				for i := range each {
					v := int16(n*each + i + 1)
					if c.Channels == 2 {
						payload = binary.BigEndian.AppendUint16(payload, uint16(v-7))
						payload = binary.BigEndian.AppendUint16(payload, uint16(v+7))
					} else {
						payload = binary.BigEndian.AppendUint16(payload, uint16(v))
					}
					want = append(want, v)
				}
				script = append(script, src.ScriptPacket{
					Offset:  time.Duration(n) * 10 * time.Millisecond,
					Header:  rtp.Header{PayloadType: c.PayloadType, SSRC: 5, SequenceNumber: uint16(n), Timestamp: uint32(n * each)},
					Payload: payload,
				})
			}
			if err := d.Stream(0).Script(t.Context(), script); err != nil {
				t.Fatal(err)
			}
			do(t, d, "BYE", src.Request{})
			m := l.manifest()
			if got := l.audio(m, "alice"); m.Files[0].Rate != c.ClockRate || find(got, want) < 0 {
				t.Errorf("at %d Hz the samples sent are not in the file as one piece: %s", m.Files[0].Rate, streamsOf(m))
			}
		})
	}
}
