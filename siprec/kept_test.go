package siprec

import (
	"runtime"
	"testing"
	"time"
	"weak"

	"github.com/siprecd/siprecd/conformance/src"
)

// The transactions of a recording session that is over live for 64*T1 more, to answer
// what is repeated. They must not keep the rest of it.
func TestEndedRecordingSessionIsNotKept(t *testing.T) {
	kept := make(chan weak.Pointer[RecordingSession], 1)
	d := newDesk(t, func(rs *RecordingSession, ev *Event) {
		if ev.Kind == Ended {
			kept <- weak.Make(rs)
		}
	})
	dialog := d.invite(src.Request{})
	d.want(Offered)
	d.settled(dialog)
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v, %v", m, err)
	}
	d.want(Ended)
	gone := <-kept
	for end := time.Now().Add(10 * time.Second); gone.Value() != nil; runtime.GC() {
		if time.Now().After(end) {
			t.Fatal("a recording session is kept that has ended")
		}
	}
	if d.server.tx.pending() == 0 {
		t.Error("no transaction is left: this shows nothing")
	}
}
