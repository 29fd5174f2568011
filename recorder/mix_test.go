package recorder

import (
	"encoding/binary"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/siprecd/siprecd/recorder/store"
)

func TestMix(t *testing.T) {
	m, folder, _ := run(t, offered(both, twoParties), talk(0, 1, 0, 1), talk(1, 2, 1, 2), ended(2))
	dir := filepath.Join(folder, "..", "..", "..", "..")
	path, err := Mix(t.Context(), dir, m.Recording, nil)
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Dir(path) != folder || filepath.Base(path) != MixName {
		t.Errorf("mix lies in %s", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if n := binary.LittleEndian.Uint16(b[22:]); n != 2 {
		t.Fatalf("%d channels", n)
	}
	at := func(second float64, channel int) int16 {
		frame := int(second * 8000)
		return int16(binary.LittleEndian.Uint16(b[len(b)-2*8000*4+frame*4+channel*2:]))
	}
	for _, tt := range []struct {
		second  float64
		channel int
		loud    bool
	}{{0.5, 0, true}, {0.5, 1, false}, {1.5, 0, false}, {1.5, 1, true}} {
		if got := at(tt.second, tt.channel) != 0; got != tt.loud {
			t.Errorf("at %v s channel %d: heard %v, want %v", tt.second, tt.channel, got, tt.loud)
		}
	}
	// What others may name in a manifest stays in the folder.
	m.Files[0].Name = "../x.wav"
	if err := store.Write(folder, m); err != nil {
		t.Fatal(err)
	}
	if _, err := Mix(t.Context(), dir, m.Recording, nil); err == nil {
		t.Error("a file outside the folder is mixed")
	}
}

func TestMixOfNothing(t *testing.T) {
	m, folder, _ := run(t, offered(both, twoParties), ended(2))
	dir := filepath.Join(folder, "..", "..", "..", "..")
	if _, err := Mix(t.Context(), dir, m.Recording, nil); !errors.Is(err, ErrNothingToMix) {
		t.Errorf("no audio: %v", err)
	}
	if _, err := Mix(t.Context(), dir, "../x", nil); !errors.Is(err, store.ErrID) {
		t.Errorf("no id: %v", err)
	}
}
