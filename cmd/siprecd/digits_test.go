package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

// A keypad is the telephone of the customer, on the second stream: it sends audio, and
// events (RFC 4733) in its place, with the RTP time of a clock that goes on.
type keypad struct {
	t     *testing.T
	d     *src.Dialog
	began time.Time
	seq   uint16
	sent  []src.ScriptPacket
	at    time.Duration // of the next packet, in the script that is being made
}

func (k *keypad) packet(payloadType uint8, timestamp time.Duration, payload []byte) {
	k.sent = append(k.sent, src.ScriptPacket{
		Offset:  k.at,
		Header:  rtp.Header{PayloadType: payloadType, SSRC: 5, SequenceNumber: k.seq, Timestamp: uint32(timestamp.Milliseconds() * 8)},
		Payload: payload,
	})
	k.seq++
}

// talk sends audio for a time.
func (k *keypad) talk(lasts time.Duration) {
	for end := k.at + lasts; k.at < end; k.at += frameTime {
		k.packet(0, time.Since(k.began)+k.at, []byte(strings.Repeat("\x10\x90", 80)))
	}
}

// event tells of a key that has been pressed since an instant of the clock.
func (k *keypad) event(code byte, since time.Duration, end bool) {
	b := []byte{code, 10, 0, 0}
	if end {
		b[1] |= 0x80
	}
	binary.BigEndian.PutUint16(b[2:], uint16((time.Since(k.began)+k.at-since).Milliseconds()*8))
	k.packet(101, since, b)
}

// hold presses a key for a time and does not let it go. It gives the instant of the press.
func (k *keypad) hold(code byte, lasts time.Duration) (since time.Duration) {
	since = time.Since(k.began) + k.at
	for end := k.at + lasts; k.at < end; k.at += frameTime {
		k.event(code, since, false)
	}
	return since
}

// release sends the end of a press three times.
func (k *keypad) release(code byte, since time.Duration) {
	for range 3 {
		k.event(code, since, true)
		k.at += frameTime
	}
}

func (k *keypad) press(code byte) { k.release(code, k.hold(code, 100*time.Millisecond)) }

// send sends what was put together.
func (k *keypad) send() {
	k.t.Helper()
	if err := k.d.Stream(1).Script(k.t.Context(), k.sent); err != nil {
		k.t.Fatal(err)
	}
	k.sent, k.at = nil, 0
}

// capturedDigits are the codes of the digits that the capture of a recording holds now.
func capturedDigits(t *testing.T, data, id string, masters *recorder.MasterKeys) (codes []byte) {
	t.Helper()
	for p, err := range recorder.Captured(data, id, masters) {
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := p.Digit(); ok {
			codes = append(codes, d.Event)
		}
	}
	return codes
}

// TestDigitsByPolicy presses keys before, across, in and after a secure pause, and one
// that is told late to have been pressed in one: those that are permitted as a whole are
// in the manifest where the policy says so, and nothing of any other is anywhere.
func TestDigitsByPolicy(t *testing.T) {
	for _, tt := range []struct {
		name, policy, audio string
		want                []string
	}{
		{"kept", "digits: keep, ", "plain", []string{"5", "#"}},
		{"kept, encrypted", "digits: keep, ", "encrypted", []string{"5", "#"}},
		{"not kept unasked", "", "plain", nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--audio", tt.audio}
			var masters *recorder.MasterKeys
			keys := filepath.Join(t.TempDir(), "keys")
			if tt.audio == "encrypted" {
				if err := os.WriteFile(keys, []byte(strings.Repeat("5f", 32)), 0o600); err != nil {
					t.Fatal(err)
				}
				var err error
				if masters, err = recorder.ReadMasterKeys(keys); err != nil {
					t.Fatal(err)
				}
				args = append(args, "--master-keys", keys)
			}
			d := newDeskUnder(t, strings.Replace(controlPolicy, "control: all,", "control: all, "+tt.policy, 1), args...)
			data := filepath.Join(d.dir, "data")
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

			k.talk(300 * time.Millisecond)
			k.press(5)
			k.talk(500 * time.Millisecond)
			k.send()
			late := time.Now()
			k.press(2)
			k.talk(2 * time.Second)
			k.send()
			if got := capturedDigits(t, data, id, masters); len(tt.want) > 0 && !slices.Equal(got, []byte{5, 2}) || len(tt.want) == 0 && got != nil {
				t.Errorf("the capture holds the digits %v", got)
			}
			// It is on disk, and taken back there.
			d.command(recorder.Command{Action: recorder.ActSecureStart, Name: "card", At: late})
			if got := capturedDigits(t, data, id, masters); slices.Contains(got, 2) {
				t.Errorf("the capture still holds the digits %v", got)
			}
			d.command(recorder.Command{Action: recorder.ActSecureStop, Name: "card"})

			k.talk(300 * time.Millisecond)
			across := k.hold(8, 60*time.Millisecond)
			k.send()
			d.command(recorder.Command{Action: recorder.ActSecureStart, Name: "card"})
			k.release(8, across)
			k.talk(200 * time.Millisecond)
			k.press(9)
			k.talk(200 * time.Millisecond)
			across = k.hold(7, 60*time.Millisecond)
			k.send()
			d.command(recorder.Command{Action: recorder.ActSecureStop, Name: "card"})
			k.release(7, across)
			k.talk(300 * time.Millisecond)
			k.press(11)
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
			if strings.Contains(d.process.log.String(), "digit") {
				t.Errorf("the log tells of digits:\n%s", d.process.log.String())
			}
			checkDigits(t, data, id, masters, tt.want)
			checkShownDigits(t, data, id, keys, tt.want)
		})
	}
}

// checkDigits looks at the manifest of a finished recording.
func checkDigits(t *testing.T, data, id string, masters *recorder.MasterKeys, want []string) {
	t.Helper()
	m, err := recorder.Load(data, id, masters)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, k := range m.Digits {
		got = append(got, k.Digit)
		who := slices.IndexFunc(m.Participants, func(p store.Participant) bool { return slices.Contains(p.AORs, customerAOR) })
		if who < 0 || !slices.Equal(k.Participants, []string{m.Participants[who].ID}) || k.Stream != "1.0" {
			t.Errorf("%+v is not the customer's", k)
		}
		if k.DurationMS < 100 || k.DurationMS > 250 || k.FromMS <= 0 {
			t.Errorf("%+v was pressed for 100 ms and some", k)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("digits %q, want %q", got, want)
	}
	folder, err := store.Folder(data, id)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{store.ManifestName, "journal.jsonl"} {
		b, err := os.ReadFile(filepath.Join(folder, name))
		if err != nil {
			t.Fatal(err)
		}
		open := m.Storage != store.Encrypted && len(want) > 0 && name == store.ManifestName
		if strings.Contains(string(b), "digit") != open {
			t.Errorf("%s tells of digits, %v:\n%s", name, !open, b)
		}
	}
}

// checkShownDigits looks at what recordings show tells, before and after erasing.
func checkShownDigits(t *testing.T, data, id, keys string, want []string) {
	t.Helper()
	args := []string{"recordings", "--data", data}
	if _, err := os.Stat(keys); err == nil {
		args = append(args, "--master-keys", keys)
	}
	shown := func() string {
		out, errs, code := program(t, slices.Concat(args, []string{"show", id})...)
		if code != exitOK {
			t.Fatalf("show: %d, %s", code, errs)
		}
		return out
	}
	out := shown()
	if strings.Contains(out, "digits:") != (len(want) > 0) || strings.Count(out, "pressed for") != len(want) {
		t.Errorf("shown is\n%s", out)
	}
	for _, k := range want {
		if !strings.Contains(out, fmt.Sprintf("  %s, pressed for ", k)) || !strings.Contains(out, " ms by Bob") {
			t.Errorf("%q is not shown:\n%s", k, out)
		}
	}
	if out, errs, code := program(t, slices.Concat(args, []string{"erase", "--by", "tester", "--reason", "test", id})...); code != exitOK {
		t.Fatalf("erase: %d, %s, %s", code, out, errs)
	}
	if out := shown(); strings.Contains(out, "pressed for") {
		t.Errorf("after erasing:\n%s", out)
	}
	folder, err := store.Folder(data, id)
	if err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(folder)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		b, err := os.ReadFile(filepath.Join(folder, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), `"digit`) {
			t.Errorf("%s tells of digits after erasing", e.Name())
		}
	}
}
