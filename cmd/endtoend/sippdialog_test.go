package endtoend

import (
	"context"
	"testing"
	"time"

	"github.com/siprecd/siprecd/siprec"
)

// A hurriedClock runs many times as fast as the system's.
type hurriedClock struct {
	began time.Time
	speed time.Duration
}

func (c hurriedClock) Now() time.Time { return c.began.Add(time.Since(c.began) * c.speed) }

func (c hurriedClock) AfterFunc(d time.Duration, f func()) siprec.Timer {
	return time.AfterFunc(d/c.speed, f)
}

// TestSippDialogs has sipp do what dialogs must survive: what comes twice, late,
// in the wrong order, for nobody, or at the same time as something of the server.
// Shows DRV3261-13.3.1.4-01, 3326-2-01.
func TestSippDialogs(t *testing.T) {
	sipp := needTool(t, "sipp", "sip-tester")
	hurried := func(c *siprec.Config) {
		const speed = 100
		c.Clock = hurriedClock{time.Now(), speed}
		c.T1, c.T2 = speed*500*time.Millisecond, speed*4*time.Second
	}
	for _, tt := range []struct {
		scenario string
		reason   string // of the end; empty when nothing is recorded
		change   func(*siprec.Config)
	}{
		{"lost-ack", "no-ack", func(c *siprec.Config) { c.T1, c.T2 = 20*time.Millisecond, 160*time.Millisecond }},
		{"repeated-invite", "bye", nil},
		{"bye-before-ack", "bye", nil},
		{"update-before-ack", "bye", nil},
		{"cancel-too-late", "bye", nil},
		{"refresh-by-src", "bye", nil},
		{"refresh-by-srs", "bye", hurried},
		{"wrong-cseq", "bye", nil},
		{"wrong-tag", "bye", nil},
		{"offerless-reinvite", "bye", nil},
		{"prack", "bye", nil},
		{"glare", "", func(c *siprec.Config) { c.Handler = siprec.HandlerFunc(pauseAtMetadata) }},
	} {
		for _, network := range []string{"udp", "tcp"} {
			t.Run(tt.scenario+"/"+network, func(t *testing.T) {
				l := newLab(t, "127.0.0.1", tt.change)
				runSipp(t, sipp, l.address(network), network, tt.scenario, 5)
				all := l.manifests()
				if tt.reason == "" {
					return
				}
				if len(all) != 5 {
					t.Errorf("%d recordings of 5 calls", len(all))
				}
				for _, m := range all {
					if m.EndReason != tt.reason {
						t.Errorf("%s ended by %q", m.Recording, m.EndReason)
					}
				}
			})
		}
	}
}

// pauseAtMetadata asks the SRC to pause when metadata comes.
func pauseAtMetadata(ctx context.Context, rs *siprec.RecordingSession) {
	for {
		ev, err := rs.Next(ctx)
		if err != nil {
			return
		}
		if len(ev.Metadata) > 0 {
			rs.Pause(0, 1)
		}
	}
}
