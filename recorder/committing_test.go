package recorder

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/siprecd/siprecd/recorder/store"
)

// A recording gives its place among the finalisers back before it waits for the disk, but
// no more wait for that than may.
func TestWaitingForTheDiskTakesNoPlace(t *testing.T) {
	dir := t.TempDir()
	by := finishing{disk: store.NewCommitter(dir), committing: make(chan struct{}, 1)}
	freed := false
	by.free = func() {
		freed = true
		if len(by.committing) != 1 {
			t.Error("free before there is room among those that wait")
		}
		if _, err := os.Stat(filepath.Join(dir, store.ManifestName)); err == nil {
			t.Error("not free before it is durable")
		}
	}
	if err := by.commit(dir, store.Manifest{Recording: "a"}, nil); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(filepath.Join(dir, store.ManifestName)); err != nil || !freed || len(by.committing) != 0 {
		t.Errorf("free: %v, %d wait, %v", freed, len(by.committing), err)
	}
}
