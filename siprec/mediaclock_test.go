package siprec

import (
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec/media"
)

// TestMediaGoesByTheClockOfTheServer: packets are dated by it, and reports leave by it,
// on an inactive stream too, on which nothing ever comes.
// Shows 7866-8.1.6-01, 7866-10-02.
func TestMediaGoesByTheClockOfTheServer(t *testing.T) {
	box := make(arrivals, 64)
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			rs.Attach(0, box)
		}
	}, neverAsk, func(c *Config) { c.Media = media.Config{} })
	d.clock.advance(time.Hour) // no packet can have this date by the system's clock
	streams := src.TwoParties(src.PCMU())
	streams[1].Direction = src.Inactive
	dialog := d.invite(src.Request{Streams: streams})
	d.want(Offered)
	if err := dialog.Stream(0).Burst(t.Context(), src.Silence(), 1, src.PlayOptions{}); err != nil {
		t.Fatal(err)
	}
	if at := <-box; at.Sub(d.clock.Now()).Abs() > time.Minute {
		t.Errorf("a packet of %v by the server is dated %v", d.clock.Now(), at)
	}
	for range 3 {
		d.clock.awaitWithin(8 * time.Second)
		d.clock.advance(16 * time.Second)
		for i, st := range dialog.Streams() {
			if _, _, err := st.ReadRTCP(t.Context()); err != nil {
				t.Fatalf("no report on stream %d: %v", i, err)
			}
		}
	}
}

// arrivals is a sink that tells when packets arrived.
type arrivals chan time.Time

func (a arrivals) WriteRTP(p *media.Packet) { a <- p.Arrival }
