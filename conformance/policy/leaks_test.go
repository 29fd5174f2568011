package policy

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"testing"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// spoken is the first packet of a voice, as a file holds it and as it is sent.
func spoken(t *testing.T, c *observe.Code, v Voice) (pcm, words []byte) {
	t.Helper()
	samples := make([]int16, observe.Frame)
	c.Source(v).Samples(0, samples)
	for _, s := range samples {
		pcm = binary.LittleEndian.AppendUint16(pcm, uint16(s))
	}
	words, err := src.Encode(src.PCMU(), samples)
	if err != nil {
		t.Fatal(err)
	}
	return pcm, words
}

// A voice leaks in whatever form it lies anywhere.
func TestLeaks(t *testing.T) {
	c, err := observe.NewCode(src.PCMU())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	v, other := Voice{Call: 1, Party: 2}, Voice{Call: 1, Party: 3}
	mono, words := spoken(t, c, v)
	strange, _ := spoken(t, c, other)
	var stereo []byte
	for i := 0; i < len(mono); i += 2 {
		stereo = append(append(stereo, mono[i:i+2]...), 0, 0)
	}
	for name, text := range map[string][]byte{"a.rtp": words, "b.wav": mono, "c.wav": stereo, "d.wav": strange} {
		if err := os.WriteFile(filepath.Join(dir, name), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	found, err := Leaks(dir, map[Voice]bool{v: true})
	if err != nil || len(found) != 3 {
		t.Errorf("found %q (%v), want it in three files", found, err)
	}
}
