package main

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/siprecd/siprecd/recorder/codec"
)

// needleLength is how much of a marker has to be left somewhere to be found wherever
// it begins: 16 octets at a multiple of 16.
const needleLength = 16

// A hunt looks for markers in every form that audio takes on its way: the code words
// of G.711 as they came, those of the other law, and samples of 16 bits in both orders
// of octets.
type hunt struct {
	begins  [1 << 16]bool     // with which two octets needles begin
	needles map[string]string // 16 octets -> marker and form
}

func newHunt() *hunt { return &hunt{needles: make(map[string]string)} }

// g711 decodes one law.
func g711(t *testing.T, law string, payload []byte) []int16 {
	t.Helper()
	d, err := codec.New(law, 8000, 1, "")
	if err != nil {
		t.Fatal(err)
	}
	return d.Decode(nil, payload)
}

// inOtherLaw gives the nearest code words of the other law.
func inOtherLaw(t *testing.T, law string, pcm []int16) []byte {
	t.Helper()
	codes := make([]byte, 256)
	for i := range codes {
		codes[i] = byte(i)
	}
	values := g711(t, law, codes)
	out := make([]byte, len(pcm))
	for i, s := range pcm {
		best := 1 << 20
		for code, v := range values {
			if d := max(int(v)-int(s), int(s)-int(v)); d < best {
				best, out[i] = d, byte(code)
			}
		}
	}
	return out
}

// mark looks for a payload that is sent in one law.
func (h *hunt) mark(t *testing.T, name, law string, payload []byte) {
	t.Helper()
	pcm := g711(t, law, payload)
	var little, big []byte
	for _, s := range pcm {
		little, big = binary.LittleEndian.AppendUint16(little, uint16(s)), binary.BigEndian.AppendUint16(big, uint16(s))
	}
	other := map[string]string{"PCMU": "PCMA", "PCMA": "PCMU"}[law]
	h.add(name+" in "+law, payload)
	h.add(name+" in "+other, inOtherLaw(t, other, pcm))
	h.add(name+" in PCM", little)
	h.add(name+" in PCM of network order", big)
}

func (h *hunt) add(name string, b []byte) {
	for ; len(b) >= needleLength; b = b[needleLength:] {
		h.begins[binary.LittleEndian.Uint16(b)] = true
		h.needles[string(b[:needleLength])] = name
	}
}

// in notes what is found in some octets.
func (h *hunt) in(b []byte, found map[string]int) {
	for i := 0; i+needleLength <= len(b); i++ {
		if h.begins[binary.LittleEndian.Uint16(b[i:])] {
			if name, ok := h.needles[string(b[i:i+needleLength])]; ok {
				found[name]++
			}
		}
	}
}

// inFiles looks through all files below a folder as they lie there, and through each
// channel of stereo files.
func (h *hunt) inFiles(t *testing.T, dir string) map[string]int {
	t.Helper()
	found := make(map[string]int)
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		b, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		h.in(b, found)
		for _, first := range []int{0, 2} {
			var channel []byte
			for i := 44 + first; i+2 <= len(b); i += 4 {
				channel = append(channel, b[i:i+2]...)
			}
			h.in(channel, found)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// inMemory looks through what another process may write to in its memory.
func (h *hunt) inMemory(t *testing.T, pid int) map[string]int {
	t.Helper()
	// What it looks at must not get away meanwhile: looking takes longer than audio
	// waits in memory.
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := syscall.Kill(pid, syscall.SIGCONT); err != nil {
			t.Error(err)
		}
	}()
	proc := filepath.Join("/proc", strconv.Itoa(pid))
	memory, err := os.Open(filepath.Join(proc, "mem"))
	if errors.Is(err, fs.ErrPermission) && os.Getenv("SIPRECD_CI") == "" {
		t.Skip("this system does not show the memory of a process to the one that started it")
	}
	if err != nil {
		t.Fatal(err)
	}
	defer memory.Close()
	maps, err := os.ReadFile(filepath.Join(proc, "maps"))
	if err != nil {
		t.Fatal(err)
	}
	found := make(map[string]int)
	looked := int64(0)
	for s := bufio.NewScanner(strings.NewReader(string(maps))); s.Scan(); {
		var from, to int64
		var mode string
		if _, err := fmt.Sscanf(s.Text(), "%x-%x %s", &from, &to, &mode); err != nil || !strings.HasPrefix(mode, "rw") {
			continue
		}
		n, err := h.inRegion(memory, from, to, found)
		if err != nil {
			t.Logf("%s: %v", s.Text(), err) // it may be gone by now
		}
		looked += n
	}
	if looked < 1<<20 {
		t.Fatalf("looked at %d octets of memory", looked)
	}
	return found
}

// inRegion looks through a part of a memory, with an overlap, for a needle may lie
// across.
func (h *hunt) inRegion(memory io.ReaderAt, from, to int64, found map[string]int) (looked int64, err error) {
	buf := make([]byte, 1<<20)
	for at := from; at < to; at += int64(len(buf)) - needleLength {
		b := buf[:min(int64(len(buf)), to-at)]
		n, err := memory.ReadAt(b, at)
		h.in(b[:n], found)
		looked += int64(n)
		if err != nil {
			return looked, err
		}
	}
	return looked, nil
}
