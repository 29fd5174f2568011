package capture

import (
	"path/filepath"
	"runtime"
	"testing"
	"time"
	"weak"
)

// A capture that is closed and durable leaves nothing behind in its spool: with its
// writer goes all that onError leads to, a whole recording.
func TestClosedWriterIsNotKept(t *testing.T) {
	s := newSpool(t, Options{Dir: t.TempDir(), Commit: time.Millisecond})
	gone := func() weak.Pointer[Writer] {
		w, err := s.Create(filepath.Join(t.TempDir(), "capture"), newSecret(t), time.Now(), nil)
		if err != nil {
			t.Fatal(err)
		}
		w.Release(1)
		w.Append(&Packet{Stream: 1, Decision: 1, Payload: []byte("audio")})
		if err := w.Close(); err != nil || w.offset == fileHeader {
			t.Fatalf("closed at %d: %v", w.offset, err)
		}
		return weak.Make(w)
	}()
	for end := time.Now().Add(10 * time.Second); gone.Value() != nil; runtime.GC() {
		if time.Now().After(end) {
			t.Fatal("the spool keeps a writer that is closed")
		}
	}
}
