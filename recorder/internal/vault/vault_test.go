package vault

import (
	"bytes"
	"crypto/rand"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

func newKey(t *testing.T) *seal.Key {
	t.Helper()
	k, err := seal.New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// content is octets of which none of 64 KiB repeats.
func content(t *testing.T, n int) []byte {
	t.Helper()
	b := make([]byte, n)
	if _, err := rand.Read(b); err != nil {
		t.Fatal(err)
	}
	return b
}

func TestReadsWhatWasWritten(t *testing.T) {
	const piece = 64 << 10
	for _, name := range []string{"a.wav", "a.wav" + Suffix} {
		for _, size := range []int{0, 1, 44, piece - 1, piece, piece + 1, 3 * piece, 3*piece + 100} {
			path, key := filepath.Join(t.TempDir(), name), newKey(t)
			want := content(t, size)
			if err := WriteFile(path, want, key); err != nil {
				t.Fatal(err)
			}
			onDisk, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if size >= 44 && bytes.Contains(onDisk, want[:44]) == IsSealed(name) {
				t.Errorf("%s of %d octets: in the clear %v", name, size, !IsSealed(name))
			}
			if got, err := ReadFile(path, key); err != nil || !bytes.Equal(got, want) {
				t.Fatalf("%s of %d octets: %v", name, size, err)
			}
			r, err := Open(path, key)
			if err != nil {
				t.Fatal(err)
			}
			for _, at := range []int{0, 1, size / 2, piece - 1, piece, piece + 1, 2*piece + 7, size - 1} {
				if at < 0 || at >= size {
					continue
				}
				b := make([]byte, min(size-at, 100))
				if _, err := r.ReadAt(b, int64(at)); err != nil || !bytes.Equal(b, want[at:at+len(b)]) {
					t.Errorf("%s of %d octets from %d: %v", name, size, at, err)
				}
			}
			for _, at := range []int{size / 2, 0} {
				if _, err := r.Seek(int64(at), io.SeekStart); err != nil {
					t.Fatal(err)
				}
				if got, err := io.ReadAll(r); err != nil || !bytes.Equal(got, want[at:]) {
					t.Errorf("%s of %d octets in order from %d: %d octets, %v", name, size, at, len(got), err)
				}
			}
			if err := r.Close(); err != nil {
				t.Error(err)
			}
		}
	}
}

func TestLeftOutIsZero(t *testing.T) {
	for _, name := range []string{"a", "a" + Suffix} {
		path, key := filepath.Join(t.TempDir(), name), newKey(t)
		w, err := Create(path, key)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteAt([]byte("begin"), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteAt([]byte("middle"), 100_000); err != nil {
			t.Fatal(err)
		}
		if _, err := w.WriteAt([]byte("back"), 50); err == nil {
			t.Error("a write goes back")
		}
		if err := w.End(200_000); err != nil {
			t.Fatal(err)
		}
		back, err := w.Back()
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(back)
		want := make([]byte, 200_000)
		copy(want, "begin")
		copy(want[100_000:], "middle")
		if err != nil || !bytes.Equal(b, want) {
			t.Errorf("%s: %d octets, %v", name, len(b), err)
		}
		if err := errors.Join(back.Close(), w.Abort()); err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) > 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// Whatever octet is changed, wherever the file is cut, whatever else is in its
// place: it is refused, and never read as something else.
func TestDamagedIsRefused(t *testing.T) {
	dir, key := t.TempDir(), newKey(t)
	path := filepath.Join(dir, "a"+Suffix)
	want := content(t, 65<<10)
	if err := WriteFile(path, want, key); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := func(what string, b []byte, name string, k *seal.Key, as error) {
		t.Helper()
		p := filepath.Join(dir, name)
		if err := os.WriteFile(p, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadFile(p, k); !errors.Is(err, as) {
			t.Errorf("%s: %v", what, err)
		}
	}
	for i := 0; i < len(whole); i += 1 + i/64*31 {
		b := bytes.Clone(whole)
		b[i] ^= 1
		refused("changed", b, "a"+Suffix, key, ErrDamaged)
	}
	for _, n := range []int{0, 4, preamble, preamble + 10, preamble + 16 + 64<<10 + 16, len(whole) - 1} {
		refused("cut", whole[:n], "a"+Suffix, key, ErrDamaged)
	}
	refused("longer", append(bytes.Clone(whole), 0), "a"+Suffix, key, ErrDamaged)
	refused("renamed", whole, "b"+Suffix, key, ErrDamaged)
	refused("another recording", whole, "a"+Suffix, newKey(t), ErrDamaged)
	refused("no key", whole, "a"+Suffix, nil, ErrKey)
	if _, err := Create(path, nil); !errors.Is(err, ErrKey) {
		t.Errorf("written without a key: %v", err)
	}
}

func BenchmarkSeal(b *testing.B) {
	key, err := seal.New(rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	buf := make([]byte, 64<<10)
	w, err := Create(filepath.Join(b.TempDir(), "a"+Suffix), key)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(buf)))
	for b.Loop() {
		if _, err := w.Write(buf); err != nil {
			b.Fatal(err)
		}
	}
	if err := w.Abort(); err != nil {
		b.Fatal(err)
	}
}
