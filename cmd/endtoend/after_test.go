package endtoend

import (
	"context"
	"net"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// freeRange finds so many ports in a row that are free, from an even one on.
func freeRange(t *testing.T, n int) (first uint16) {
	t.Helper()
	var held []*net.UDPConn
	open := func(port int) (*net.UDPConn, error) {
		c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err == nil {
			held = append(held, c)
		}
		return c, err
	}
	defer func() {
		for _, c := range held {
			c.Close()
		}
	}()
	for range 100 {
		c, err := open(0)
		if err != nil {
			t.Fatal(err)
		}
		port := c.LocalAddr().(*net.UDPAddr).Port
		if port%2 != 0 || port+n > 1<<16 {
			continue
		}
		free := 1
		for ; free < n; free++ {
			if _, err := open(port + free); err != nil {
				break
			}
		}
		if free == n {
			return uint16(port)
		}
	}
	t.Fatal("no ports are free")
	return 0
}

// inviteUntil opens a recording session as soon as there are ports: those of one that
// ended come back when all that reached them is read.
func inviteUntil(t *testing.T, c *src.SRC, r src.Request) *src.Dialog {
	t.Helper()
	for {
		d, err := c.Invite(t.Context(), r)
		if err != nil {
			t.Fatal(err)
		}
		switch got := d.Final(); got.Status {
		case 200:
			return d
		case 503:
			d.Close()
		default:
			t.Fatalf("INVITE answered %d: %s", got.Status, got.Get("Warning"))
		}
	}
}

// TestSentOnAfterTheEnd: an SRC that does not stop with its BYE is heard no more. Not
// by itself, and not in the recording session that gets its ports next, in a range that
// has no others; whose SRC is heard from its first packet on.
func TestSentOnAfterTheEnd(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name string
		wait time.Duration // until the second sends
	}{
		{"the second sends at once", 0},
		{"the second sends late", 700 * time.Millisecond},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			first := freeRange(t, 4)
			l := newLab(t, "127.0.0.1", func(c *siprec.Config) { c.Media.PortMin, c.Media.PortMax = first, first+3 })
			c := l.client("tcp")
			one := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
			play(t, one, src.PlayOptions{Duration: 500 * time.Millisecond}, src.Tone(440, false), src.Tone(440, false))
			do(t, one, "BYE", src.Request{})
			ctx, silence := context.WithCancel(t.Context())
			defer silence()
			still := make(chan error, 1)
			go func() {
				still <- one.Play(ctx, src.PlayOptions{Duration: time.Minute}, src.Tone(3000, false), src.Tone(3000, false))
			}()

			two := inviteUntil(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
			if one.Stream(0).Remote() != two.Stream(0).Remote() {
				t.Fatalf("ports %v, then %v: the second has others", one.Stream(0).Remote(), two.Stream(0).Remote())
			}
			if tt.wait > 0 { // it is sent, but does not get far
				play(t, two, src.PlayOptions{Duration: tt.wait, Faults: src.Faults{Loss: 1}}, src.Tone(880, false), src.Tone(880, false))
			}
			play(t, two, src.PlayOptions{Count: 40}, src.Tone(880, false), src.Tone(880, false))
			do(t, two, "BYE", src.Request{})
			silence()
			<-still
			for _, m := range l.manifests() {
				hz, packets := 440.0, uint64(25)
				if m.CallID == two.CallID() {
					hz, packets = 880, 40
				}
				for i, f := range m.Files {
					s := l.samples(m, f)
					if p := strongest(s, 3000); p > edgeShare {
						t.Errorf("%.0f Hz: what was sent after the end is in the file (%.3f)", hz, p)
					}
					if got := m.Streams[i].Packets.Kept; got != packets {
						t.Errorf("%.0f Hz: %d packets kept, %d sent", hz, got, packets)
					}
				}
				if len(m.Files) != 2 || m.Verdict == store.Lost {
					t.Errorf("%.0f Hz: files %v, %s", hz, m.Files, m.Verdict)
				}
			}
		})
	}
}
