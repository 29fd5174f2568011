package render

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/vault"
)

// Sealed files hold what files in the clear would hold, octet for octet, and
// nothing of it can be read on disk. The mix of them is the same mix.
func TestSealedFiles(t *testing.T) {
	var packets []capture.Packet
	newSender(0, &packets).count(500)
	job := jobFor(t, packets, 10*time.Second, 0)
	clear := run(t, job)
	want, err := os.ReadFile(filepath.Join(job.Dir, clear.Tracks[0].File))
	if err != nil {
		t.Fatal(err)
	}
	mixed := filepath.Join(job.Dir, "mix.wav")
	if err := Mix(context.Background(), mixed, nil, plain(filepath.Join(job.Dir, clear.Tracks[0].File)), nil); err != nil {
		t.Fatal(err)
	}

	key := job.Secret.Key
	job.Dir, job.Tracks[0].File = t.TempDir(), vault.Name("a.wav", key)
	res := run(t, job)
	sum := sha256.Sum256(want)
	if got := res.Tracks[0].SHA256; got != clear.Tracks[0].SHA256 || got != hex.EncodeToString(sum[:]) {
		t.Errorf("the sum is %s, that of the file in the clear %x", got, sum)
	}
	path := filepath.Join(job.Dir, res.Tracks[0].File)
	if got, err := vault.ReadFile(path, key); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%d octets, %v; in the clear it has %d", len(got), err, len(want))
	}
	onDisk, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(onDisk, []byte("WAVE")) || bytes.Contains(onDisk, want[1000:1032]) {
		t.Error("it can be read on disk")
	}

	sealedMix := filepath.Join(job.Dir, vault.Name("mix.wav", key))
	if err := Mix(context.Background(), sealedMix, key, plain(path), nil); err != nil {
		t.Fatal(err)
	}
	wantMix, err := os.ReadFile(mixed)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := vault.ReadFile(sealedMix, key); err != nil || !bytes.Equal(got, wantMix) {
		t.Errorf("the mix has %d octets, %v; in the clear %d", len(got), err, len(wantMix))
	}
}
