package siprec

import (
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

const answerDelay = 3 * time.Second

func slow(c *Config) {
	c.Admit = func(Origin) (SRC, error) { return SRC{AnswerDelay: answerDelay}, nil }
	c.Vanish = -1
}

// startSlow sends an INVITE whose answer waits for the clock.
func (d *desk) startSlow() *src.Dialog {
	d.t.Helper()
	dialog, err := d.client.Start(d.t.Context(), src.Request{Streams: src.TwoParties()})
	if err != nil {
		d.t.Fatal(err)
	}
	d.want(Offered)
	d.clock.awaitPending()
	if dialog.Final() != nil {
		d.t.Error("answered before its time")
	}
	return dialog
}

// final wants the INVITE of Start to be answered so.
func (d *desk) final(dialog *src.Dialog, status int) {
	d.t.Helper()
	if m, err := dialog.Wait(d.t.Context()); err != nil || m.Status != status {
		d.t.Fatalf("INVITE answered %v, %v, want %d", m, err, status)
	}
}

// TestAnswerDelay: the 200 waits for the clock.
func TestAnswerDelay(t *testing.T) {
	d := newDesk(t, nil, slow)
	dialog := d.startSlow()
	d.clock.advance(answerDelay)
	d.final(dialog, 200)
}

// TestAnswerDelayCancelled: the clock stands still, and the 487 comes.
func TestAnswerDelayCancelled(t *testing.T) {
	d := newDesk(t, nil, slow)
	dialog := d.startSlow()
	if m, err := dialog.Cancel(t.Context()); err != nil || m.Status != 200 {
		t.Fatalf("CANCEL answered %v, %v", m, err)
	}
	d.final(dialog, 487)
	if ev := d.want(Ended); ev.Reason != EndCancel {
		t.Errorf("ended by %s", ev.Reason)
	}
	d.clock.await()
}

// TestAnswerDelayBeforePrack: a PRACK does not wait for the answer to the INVITE, and
// a BYE in the early dialog ends both at once.
func TestAnswerDelayBeforePrack(t *testing.T) {
	r := newRinging(t, newDesk(t, nil, slow))
	if m := r.prack(r.rseq + " 1 INVITE"); m.Status != 200 {
		t.Errorf("PRACK answered %d", m.Status)
	}
	r.clock.awaitPending()
	if r.dialog.Final() != nil {
		t.Error("answered before its time")
	}
	if m := r.do("BYE"); m.Status != 200 {
		t.Errorf("BYE answered %d", m.Status)
	}
	r.final(r.dialog, 487)
	if ev := r.want(Ended); ev.Reason != EndBye {
		t.Errorf("ended by %s", ev.Reason)
	}
	r.clock.await()
}

// TestAnswerDelayOfAReinvite: whatever the SRC asks for next is not kept waiting by
// the answer to a re-INVITE, and gets its answer after that.
func TestAnswerDelayOfAReinvite(t *testing.T) {
	for _, tt := range []struct {
		name   string
		bring  []byte // metadata of the re-INVITE: the handler is asked
		next   string
		status int // of the re-INVITE
	}{
		{"refresh, then BYE", nil, "BYE", 487},
		{"change, then BYE", []byte("<recording/>"), "BYE", 487},
		{"refresh, then UPDATE", nil, "UPDATE", 200},
		{"change, then INFO", []byte("<recording/>"), "INFO", 200},
		{"change, then CANCEL", []byte("<recording/>"), "CANCEL", 200},
	} {
		t.Run(tt.name, func(t *testing.T) {
			d := newDesk(t, nil, slow)
			sent := d.traced("INVITE")
			dialog := d.startSlow()
			d.clock.advance(answerDelay)
			d.final(dialog, 200)
			<-sent
			d.stand(dialog)
			answer := make(chan *src.Message, 1)
			go func() {
				m, err := dialog.Reinvite(t.Context(), src.Request{Streams: dialog.Offers(), Metadata: tt.bring})
				if err != nil {
					t.Error(err)
				}
				answer <- m
			}()
			if tt.bring != nil {
				d.want(Changed)
			}
			d.clock.awaitPending()
			if tt.next == "CANCEL" {
				if err := d.client.Send(cancelOf(<-sent)); err != nil {
					t.Fatal(err)
				}
			} else {
				m, err := dialog.Do(t.Context(), tt.next, src.Request{Metadata: []byte("<recording/>")})
				if err != nil || m.Status != 200 {
					t.Errorf("%s: %v, %v", tt.next, m, err)
				}
			}
			if m := <-answer; m == nil || m.Status != tt.status {
				t.Errorf("re-INVITE answered %v, want %d", m, tt.status)
			}
		})
	}
}

// traced makes the client of the desk anew, and gives its requests of that method.
func (d *desk) traced(method string) <-chan string {
	d.t.Helper()
	d.client.Close()
	sent := make(chan string, 64)
	var err error
	d.client, err = src.New(d.t.Context(), src.Config{Target: d.server.Endpoints()[0].Address, Trace: func(dir src.Direction, _ time.Time, text string) {
		if dir == src.Out && strings.HasPrefix(text, method+" ") {
			sent <- text
		}
	}})
	if err != nil {
		d.t.Fatal(err)
	}
	return sent
}

// cancelOf is the CANCEL of an INVITE (RFC 3261 §9.1).
func cancelOf(invite string) []byte {
	head, _, _ := strings.Cut(invite, "\r\n\r\n")
	var lines []string
	for _, line := range strings.Split(head, "\r\n") {
		if !strings.HasPrefix(line, "Content-") {
			lines = append(lines, strings.Replace(line, "INVITE", "CANCEL", 1))
		}
	}
	return []byte(strings.Join(append(lines, "Content-Length: 0", "", ""), "\r\n"))
}

// awaitPending waits until a call is pending.
func (c *fakeClock) awaitPending() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(c.timers) == 0 {
		c.changed.Wait()
	}
}
