package main

import (
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

// TestDigitsAreNotLost presses many keys over real SIP and RTP, whether digits are kept,
// dropped, or withheld by a secure pause, with comfort noise (RFC 3389) before them: none of
// these packets counts as lost and the verdict is ok. Packets that are truly missing count.
func TestDigitsAreNotLost(t *testing.T) {
	dial := func(k *keypad, digits int) {
		for n := range digits {
			k.talk(40 * time.Millisecond)
			k.press(byte(n % 10))
		}
	}
	for _, tt := range []struct {
		name, policy string
		pause        bool // in the middle, from within a press to within the next one
		missing      int  // within a press and right after it
		verdict      store.Verdict
	}{
		{"dropped", "", false, 0, store.OK},
		{"kept", "digits: keep, ", false, 0, store.OK},
		{"withheld", "digits: keep, ", true, 0, store.OK},
		{"dropped, and two packets missing", "", false, 2, store.Partial},
		{"withheld, and two packets missing", "digits: keep, ", true, 2, store.Partial},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			d := newDeskUnder(t, strings.Replace(controlPolicy, "control: all,", "control: all, "+tt.policy, 1))
			c := client(t, d.process)
			agent, customer := src.Party{AOR: agentAOR, Name: "Alice", Label: "1"}, src.Party{AOR: customerAOR, Name: "Bob", Label: "2"}
			lines := src.TwoParties(src.PCMU(), src.TelephoneEvent(101))
			var err error
			d.dialog, err = c.Invite(t.Context(), src.Request{Streams: lines, Metadata: src.NewConversation(c.IDs(), time.Now(), agent, customer).Complete()})
			if err != nil || d.dialog.Final().Status != 200 {
				t.Fatalf("INVITE: %v", err)
			}
			id := d.state().Recording
			k := &keypad{t: t, d: d.dialog, began: time.Now()}
			k.talk(200 * time.Millisecond)
			k.packet(13, time.Since(k.began)+k.at, []byte{40})
			k.at += frameTime
			dial(k, 6)
			held := k.hold(1, 60*time.Millisecond)
			k.send()
			if tt.pause {
				d.command(recorder.Command{Action: recorder.ActSecureStart, Name: "card"})
			}
			k.release(1, held)
			dial(k, 3)
			held = k.hold(2, 60*time.Millisecond)
			k.send()
			if tt.pause {
				d.command(recorder.Command{Action: recorder.ActSecureStop, Name: "card"})
			}
			k.release(2, held)
			k.talk(100 * time.Millisecond)
			held = k.hold(3, 60*time.Millisecond)
			k.seq += uint16(tt.missing / 2)
			k.release(3, held)
			k.seq += uint16(tt.missing - tt.missing/2)
			k.talk(100 * time.Millisecond)
			dial(k, 3)
			k.talk(100 * time.Millisecond)
			k.send()
			if m, err := d.dialog.Bye(deadline(t), src.Request{}); err != nil || m.Status != 200 {
				t.Fatalf("BYE: %v, %v", m, err)
			}
			if err := d.process.cmd.Process.Signal(syscall.SIGTERM); err != nil {
				t.Fatal(err)
			}
			if code, err := d.process.wait(); err != nil || code != 0 {
				t.Fatalf("exit code %d, %v\n%s", code, err, d.process.log.String())
			}
			m, err := recorder.Load(filepath.Join(d.dir, "data"), id, nil)
			if err != nil {
				t.Fatal(err)
			}
			i := slices.IndexFunc(m.Streams, func(s store.Stream) bool { return s.Label == "2" })
			if i < 0 {
				t.Fatalf("streams %+v", m.Streams)
			}
			s := m.Streams[i]
			if s.Quality.Verdict != tt.verdict || int(s.Packets.Lost) != tt.missing || s.Packets.Events < 60 || s.Packets.Kept < 30 {
				t.Errorf("%s %v: %+v; gaps %+v", s.Quality.Verdict, s.Quality.Reasons, s.Packets, s.Gaps)
			}
		})
	}
}
