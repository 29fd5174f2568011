package endtoend

import (
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec"
)

// TestEnds: whatever ends a recording session, the files are finished.
func TestEnds(t *testing.T) {
	quick := func(c *siprec.Config) { c.T1, c.T2 = 10*time.Millisecond, 40*time.Millisecond }
	for _, tt := range []struct {
		name   string
		change func(*siprec.Config)
		end    func(t *testing.T, l *lab, d *src.Dialog)
		reason string
		ack    bool
	}{
		{name: "BYE", end: func(t *testing.T, l *lab, d *src.Dialog) { do(t, d, "BYE", src.Request{}) }, reason: "bye", ack: true},
		{name: "the ACK never comes", change: quick, end: awaitBye, reason: "no-ack"},
		{name: "the SRC is gone and says so", change: func(c *siprec.Config) { quick(c); c.Vanish = 150 * time.Millisecond },
			end: func(t *testing.T, l *lab, d *src.Dialog) {
				d.Handle(func(req *src.Message) *src.Reply { return &src.Reply{Status: 481} })
				awaitRequest(t, d, "OPTIONS")
			}, reason: "gone", ack: true},
		{name: "the SRC vanished", change: func(c *siprec.Config) { quick(c); c.Vanish = 150 * time.Millisecond },
			end: func(t *testing.T, l *lab, d *src.Dialog) {
				d.Handle(func(req *src.Message) *src.Reply { return nil })
				awaitRequest(t, d, "BYE")
			}, reason: "vanished", ack: true},
		{name: "shutdown in haste", end: func(t *testing.T, l *lab, d *src.Dialog) {
			l.stop() // ends what is up
			awaitBye(t, l, d)
		}, reason: "shutdown", ack: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "127.0.0.1", tt.change)
			c := l.client("udp")
			d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete(), WithholdACK: !tt.ack})
			play(t, d, src.PlayOptions{Duration: 100 * time.Millisecond}, src.Tone(440, false), src.Tone(880, false))
			tt.end(t, l, d)
			m := l.manifest()
			if m.EndReason != tt.reason {
				t.Errorf("ended by %q, want %q", m.EndReason, tt.reason)
			}
			if got := seconds(l.audio(m, "alice"), 440); got < 0.08 {
				t.Errorf("tone is heard for %.2f s, want 0.1 s", got)
			}
		})
	}
}

func awaitBye(t *testing.T, _ *lab, d *src.Dialog) { awaitRequest(t, d, "BYE") }

func awaitRequest(t *testing.T, d *src.Dialog, method string) {
	t.Helper()
	if _, err := d.NextRequest(t.Context(), method); err != nil {
		t.Fatalf("waiting for %s: %v", method, err)
	}
}

// TestHeldIsNotVanished: neither hold, by SDP or by metadata, nor silence
// suppression ends a recording session, even when the SRC answers no OPTIONS.
func TestHeldIsNotVanished(t *testing.T) {
	change := func(c *siprec.Config) {
		c.T1, c.T2, c.Vanish = 2*time.Millisecond, 8*time.Millisecond, 100*time.Millisecond
	}
	for _, tt := range []struct {
		name string
		hold func(t *testing.T, c *src.SRC, conv *src.Conversation, d *src.Dialog)
	}{
		{"by SDP", func(t *testing.T, c *src.SRC, conv *src.Conversation, d *src.Dialog) {
			do(t, d, "INVITE", src.Request{Streams: d.WithDirection(src.Inactive)})
		}},
		{"by metadata", func(t *testing.T, c *src.SRC, conv *src.Conversation, d *src.Dialog) {
			doc := conv.Document()
			for i := range doc.Associations {
				doc.Associations[i].Send = nil
			}
			do(t, d, "UPDATE", src.Request{Metadata: doc.XML()})
		}},
		{"silence suppression", func(t *testing.T, c *src.SRC, conv *src.Conversation, d *src.Dialog) {
			play(t, d, src.PlayOptions{Duration: 200 * time.Millisecond, ComfortNoise: true}, src.Silence(), src.Silence())
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, "127.0.0.1", change)
			c := l.client("udp")
			conv := conversation(c)
			d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conv.Complete()})
			tt.hold(t, c, conv, d)
			// Two rounds of asking without an answer, then it goes on.
			d.Handle(func(req *src.Message) *src.Reply {
				if req.Method == "OPTIONS" {
					return nil
				}
				return src.AutoReply(req)
			})
			awaitRequest(t, d, "OPTIONS")
			awaitRequest(t, d, "OPTIONS")
			d.Handle(nil)
			do(t, d, "INVITE", src.Request{Streams: d.WithDirection(src.SendOnly), Metadata: conv.Complete()})
			play(t, d, src.PlayOptions{Duration: 100 * time.Millisecond}, src.Tone(440, false), src.Tone(880, false))
			do(t, d, "BYE", src.Request{})
			m := l.manifest()
			if m.EndReason != "bye" {
				t.Errorf("ended by %q, want bye", m.EndReason)
			}
			if got := seconds(l.audio(m, "alice"), 440); got < 0.08 {
				t.Errorf("tone after it is heard for %.2f s, want 0.1 s", got)
			}
		})
	}
}

// TestDrain: while the server stops, new recording sessions go to another
// server, and those that are up may end.
func TestDrain(t *testing.T) {
	t.Parallel()
	l := newLab(t, "127.0.0.1", nil)
	c := l.client("tcp")
	d := invite(t, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
	done := make(chan struct{})
	go func() { l.shutdown(); close(done) }()
	// Shutdown has begun when an INVITE is refused.
	for {
		again, err := c.Invite(t.Context(), src.Request{Streams: src.TwoParties(src.PCMU())})
		if err != nil {
			t.Fatal(err)
		}
		if final := again.Final(); final.Status == 503 {
			if !final.Has("Retry-After") || !strings.Contains(final.Get("Warning"), "stopping") {
				t.Errorf("503 with Retry-After %q and Warning %q", final.Get("Retry-After"), final.Get("Warning"))
			}
			break
		}
		do(t, again, "BYE", src.Request{})
	}
	play(t, d, src.PlayOptions{Duration: 200 * time.Millisecond}, src.Tone(440, false), src.Tone(880, false))
	do(t, d, "BYE", src.Request{})
	<-done
	for _, m := range l.manifests() {
		if m.CallID != d.CallID() {
			continue
		}
		if m.EndReason != "bye" {
			t.Errorf("ended by %q while draining, want bye", m.EndReason)
		}
		if got := seconds(l.audio(m, "alice"), 440); got < 0.18 {
			t.Errorf("tone is heard for %.2f s, want 0.2 s", got)
		}
	}
}
