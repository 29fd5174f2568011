package observe

import (
	"encoding/binary"
	"math"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// speech is a party who says n packets of PCMU without a pause.
func speech(name string, party, n int) Party {
	p := Party{Name: name}
	for i := range n {
		p.Parts = append(p.Parts, Part{
			Voice: Voice{Call: 77, Party: party}, Packet: i, Codec: src.PCMU(), At: int64(i) * Frame, Kept: true,
		})
	}
	return p
}

// recorded are the samples of a channel in which every part of some parties is heard,
// each party so many samples after its time.
func recorded(t *testing.T, late int64, parties ...Party) []int16 {
	t.Helper()
	codes, err := bothCodes()
	if err != nil {
		t.Fatal(err)
	}
	var out []int16
	for _, p := range parties {
		for _, part := range p.Parts {
			for k, s := range part.samples(codes) {
				i := int(late+part.At) + k
				for i >= len(out) {
					out = append(out, 0)
				}
				out[i] = int16(min(max(int(out[i])+int(s), math.MinInt16), math.MaxInt16))
			}
		}
	}
	return out
}

// wavOf is a file of that layout.
func wavOf(t *testing.T, w WAV, channels ...[]int16) []byte {
	t.Helper()
	var data []byte
	for i := range channels[0] {
		for _, c := range channels {
			s := c[min(i, len(c)-1)]
			switch [2]int{w.Format, w.Bits} {
			case [2]int{FormatPCM, 16}:
				data = binary.LittleEndian.AppendUint16(data, uint16(s))
			case [2]int{FormatPCM, 24}:
				data = append(data, 0, byte(s), byte(uint16(s)>>8))
			case [2]int{FormatPCM, 32}:
				data = append(data, 0, 0, byte(s), byte(uint16(s)>>8))
			case [2]int{FormatFloat, 32}:
				data = binary.LittleEndian.AppendUint32(data, math.Float32bits(float32(s)/32768))
			default:
				codec := src.PCMU()
				if w.Format == FormatALaw {
					codec = src.PCMA()
				}
				word, err := src.Encode(codec, []int16{s})
				if err != nil {
					t.Fatal(err)
				}
				data = append(data, word...)
			}
		}
	}
	frame := len(channels) * w.Bits / 8
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEfmt \x10\x00\x00\x00"...)
	b = binary.LittleEndian.AppendUint16(b, uint16(w.Format))
	b = binary.LittleEndian.AppendUint16(b, uint16(len(channels)))
	b = binary.LittleEndian.AppendUint32(b, uint32(w.Rate))
	b = binary.LittleEndian.AppendUint32(b, uint32(w.Rate*frame))
	b = binary.LittleEndian.AppendUint16(b, uint16(frame))
	b = binary.LittleEndian.AppendUint16(b, uint16(w.Bits))
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(data)))
	return append(b, data...)
}

// linear is the usual layout.
func linear() WAV { return WAV{Format: FormatPCM, Rate: 8000, Bits: 16} }

// shelve writes files into a fresh folder.
func shelve(t *testing.T, files map[string][]byte) string {
	t.Helper()
	dir := t.TempDir()
	for name, content := range files {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// look looks into a folder of files, for as long as a test may wait.
func look(t *testing.T, files map[string][]byte, parties ...Party) *Found {
	t.Helper()
	o, err := Folder(shelve(t, files), 20*time.Millisecond)
	if err != nil {
		t.Fatal(err)
	}
	found, err := o.Look(t.Context(), Recorded{CallID: "c", Began: time.Now(), Parties: parties})
	if err != nil {
		t.Fatal(err)
	}
	return found
}
