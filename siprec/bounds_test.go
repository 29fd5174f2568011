package siprec

import (
	"runtime"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestRefusedInvitesAreBounded: an SRC without a limit of its own that asks in vain
// again and again leaves a bounded number of transactions, and is answered all the same.
func TestRefusedInvitesAreBounded(t *testing.T) {
	const most = 3
	reject := func(_ *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			ev.Reject(488, "never")
		}
	}
	for name, headers := range map[string][]src.Header{"before the handler": header("Require", "unheard-of"), "by the handler": nil} {
		t.Run(name, func(t *testing.T) {
			d := newDesk(t, reject)
			d.server.tx.mu.Lock()
			d.server.tx.mostRefused = most
			d.server.tx.mu.Unlock()
			for range 3 * most {
				if f := d.invite(src.Request{Headers: headers}).Final(); f.Status != 420 && f.Status != 488 {
					t.Fatalf("answered %d", f.Status)
				}
				if headers == nil {
					d.want(Offered)
					d.want(Ended)
				}
			}
			for d.server.Up() > 0 { // then the last is retired
				runtime.Gosched()
			}
			d.server.tx.mu.Lock()
			kept, counted := len(d.server.tx.server), d.server.tx.refused
			d.server.tx.mu.Unlock()
			if kept > most || counted != kept {
				t.Errorf("%d transactions are kept, %d counted, want at most %d", kept, counted, most)
			}
			d.server.tx.close()
			d.server.tx.mu.Lock()
			if d.server.tx.refused != 0 {
				t.Errorf("%d counted when none is left", d.server.tx.refused)
			}
			d.server.tx.mu.Unlock()
		})
	}
}

// TestDialogIsBounded: within one dialog too, but it can always be ended.
func TestDialogIsBounded(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	for i := range mostInDialog + 5 {
		m, err := dialog.Options(t.Context(), src.Request{})
		if err != nil {
			t.Fatal(err)
		}
		if want := map[bool]int{true: 200, false: 500}[i < mostInDialog]; m.Status != want || want == 500 && m.Get("Retry-After") == "" {
			t.Fatalf("request %d got %d, want %d", i, m.Status, want)
		}
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
	d.want(Ended)
	d.server.tx.mu.Lock()
	n := len(d.server.tx.server)
	d.server.tx.mu.Unlock()
	if n > mostInDialog+2 {
		t.Errorf("%d transactions", n)
	}
}
