package recorder

import (
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// TestStalls lets the network stand still for up to 800 ms here and there, from the
// first packet on, and give all in a burst after it. The end comes when it has caught
// up, or nearly so, and up to 3 ms after the last packet, or with it: all that was
// sent is in the file, as one piece.
func TestStalls(t *testing.T) {
	const packets = 200
	runs := uint64(stallRuns)
	if testing.Short() {
		runs /= 10
	}
	for seed := range runs {
		r := rand.New(rand.NewPCG(seed, 7))
		decoder, err := codec.New("PCMU", 8000, 1, "")
		if err != nil {
			t.Fatal(err)
		}
		var sent []int16
		send := func(f *fake) *siprec.Event {
			late := 0 * ms
			last := sec(0)
			for n := range packets {
				due := sec(0.005).Add(time.Duration(n) * 20 * ms)
				if n < packets-30 && r.IntN(40) == 0 || n == 0 && r.IntN(2) == 0 {
					late = max(late, time.Duration(r.IntN(800))*ms)
				}
				at := due.Add(late)
				late = max(0, late-20*ms)
				if jitter := time.Duration(r.IntN(3000)) * time.Microsecond; at.Add(jitter).After(last) {
					at = at.Add(jitter)
				}
				if at.Before(last) {
					at = last
				}
				last = at
				payload := make([]byte, 160)
				for i := range payload {
					payload[i] = byte(r.IntN(256))
				}
				sent = append(sent, decoder.Decode(nil, payload)...)
				f.sinks[0].WriteRTP(&media.Packet{
					Header:  &rtp.Header{Version: 2, SequenceNumber: uint16(n), Timestamp: uint32(160 * n), SSRC: 9},
					Payload: payload, Arrival: at,
				})
			}
			ev := ended(0)(f)
			ev.At = last.Add(time.Duration(r.IntN(3000)) * time.Microsecond)
			return ev
		}
		m, folder, _ := run(t, offered([]siprec.Stream{mline(0, "1", siprec.SendOnly)}), send)
		if len(m.Files) != 1 {
			t.Fatalf("seed %d: files %v", seed, filesOf(m))
		}
		b, err := os.ReadFile(filepath.Join(folder, m.Files[0].Name))
		if err != nil {
			t.Fatal(err)
		}
		var want strings.Builder
		for _, s := range sent {
			var two [2]byte
			binary.LittleEndian.PutUint16(two[:], uint16(s))
			want.Write(two[:])
		}
		if !strings.Contains(string(b), want.String()) {
			t.Errorf("seed %d: what was sent is not there as one piece: %+v, %d sources, gaps %v", seed, m.Streams[0].Packets, m.Streams[0].Epochs, m.Streams[0].Gaps)
		}
	}
}

const stallRuns = 300
