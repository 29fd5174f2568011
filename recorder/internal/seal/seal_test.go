package seal

import (
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func master(t *testing.T, fill byte) Master {
	t.Helper()
	m, err := ParseMaster(strings.Repeat(hex.EncodeToString([]byte{fill}), Size))
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestParseMaster(t *testing.T) {
	key := bytes.Repeat([]byte{0xfb, 0xff}, Size/2) // + and / in base64, - and _ in the other alphabet
	same := hex.EncodeToString(key)
	want, err := ParseMaster(same)
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		strings.ToUpper(same), " " + same + "\n", base64.StdEncoding.EncodeToString(key), base64.RawStdEncoding.EncodeToString(key),
		base64.URLEncoding.EncodeToString(key), base64.RawURLEncoding.EncodeToString(key),
	} {
		if m, err := ParseMaster(text); err != nil || m != want {
			t.Errorf("%q: %v, %v", text, m, err)
		}
	}
	for text, say := range map[string]string{
		"":                       "0 octets",
		same[:62]:                "31 octets",
		same + "00":              "33 octets",
		"not a key!":             "neither hexadecimal nor base64",
		strings.Repeat("00", 32): "all zeros",
	} {
		_, err := ParseMaster(text)
		if err == nil || !strings.Contains(err.Error(), say) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v, want %q", text, err, say)
		}
	}
	if shown := fmt.Sprintf("%v %+v %#v %s", want, want, want, want); strings.Contains(shown, "fb") || strings.Contains(shown, "251") {
		t.Errorf("a master key shows itself: %s", shown)
	}
}

func TestReadMasters(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys")
	write := func(text string, mode os.FileMode) {
		t.Helper()
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
	}
	one, two := strings.Repeat("01", Size), strings.Repeat("02", Size)
	write("# keys\n\n"+two+"\r\n "+one+"\n", 0o600)
	list, err := ReadMasters(path)
	if err != nil || len(list) != 2 || list[0] != master(t, 2) || list[1] != master(t, 1) {
		t.Fatalf("%v, %v", list, err)
	}
	for _, tt := range []struct {
		text string
		mode os.FileMode
		say  string
	}{
		{one + "\nxyz!\n", 0o600, ":2: master key is neither"},
		{"# none\n", 0o600, "holds none"},
		{one, 0o604, "0600"},
		{strings.Repeat("#\n", maxMasterFile), 0o600, "too large"},
	} {
		write(tt.text, tt.mode)
		if _, err := ReadMasters(path); err == nil || !strings.Contains(err.Error(), tt.say) {
			t.Errorf("error %v, want %q", err, tt.say)
		}
	}
	if _, err := ReadMasters(path + "x"); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("error %v", err)
	}
}

// file is a cipher under the key of a file.
func file(k *Key, salt []byte, name string) (cipher.AEAD, error) {
	b, err := k.FileKey(name, salt)
	if err != nil {
		return nil, err
	}
	return gcm(b)
}

// opens reports whether two keys are the same, by what they seal.
func opens(t *testing.T, a, b *Key) bool {
	t.Helper()
	for _, derive := range []func(*Key) (cipher.AEAD, error){
		func(k *Key) (cipher.AEAD, error) { return k.Capture([EpochSize]byte{1}) },
		func(k *Key) (cipher.AEAD, error) { return file(k, make([]byte, 16), "a") },
		func(k *Key) (cipher.AEAD, error) { return k.Journal(make([]byte, 16)) },
	} {
		x, err := derive(a)
		if err != nil {
			t.Fatal(err)
		}
		y, err := derive(b)
		if err != nil {
			t.Fatal(err)
		}
		nonce := make([]byte, x.NonceSize())
		if _, err := y.Open(nil, nonce, x.Seal(nil, nonce, []byte("audio"), nil), nil); err != nil {
			return false
		}
	}
	return true
}

func TestPurposesAndSaltsHaveTheirOwnKeys(t *testing.T) {
	k, err := New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var ciphers []cipher.AEAD
	add := func(c cipher.AEAD, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		ciphers = append(ciphers, c)
	}
	salt := make([]byte, EpochSize)
	add(k.Capture([EpochSize]byte{}))
	add(k.Capture([EpochSize]byte{1}))
	add(file(k, salt, "a"))
	add(file(k, salt, "b"))
	add(k.Journal(salt))
	nonce := make([]byte, ciphers[0].NonceSize())
	for i, a := range ciphers {
		for j, b := range ciphers {
			if _, err := b.Open(nil, nonce, a.Seal(nil, nonce, []byte("audio"), nil), nil); (err == nil) != (i == j) {
				t.Errorf("cipher %d opens what %d sealed: %v", j, i, err)
			}
		}
	}
	if _, err := k.FileKey("a", salt[:8]); err == nil {
		t.Error("a short salt is taken")
	}
	if _, err := New(bytes.NewReader(make([]byte, Size-1))); err == nil {
		t.Error("a short source of random octets is taken")
	}
}

func TestStoreAndLoad(t *testing.T) {
	old, now := master(t, 1), master(t, 2)
	for _, tt := range []struct {
		name        string
		store, load *Ring
		recording   string // that it is loaded for; "r" stored it
		want        error
	}{
		{"in the clear", NewRing(), NewRing(), "r", nil},
		{"without a ring", nil, nil, "r", nil},
		{"in the clear, and there is a master key since", NewRing(), NewRing(now), "r", nil},
		{"wrapped", NewRing(now), NewRing(now), "r", nil},
		{"wrapped under the one before", NewRing(old), NewRing(now, old), "r", nil},
		{"wrapped under one that is not known", NewRing(now), NewRing(old), "r", ErrMaster},
		{"wrapped, and there is no master key any more", NewRing(now), NewRing(), "r", ErrMaster},
		{"wrapped for another recording", NewRing(now), NewRing(now), "s", ErrKey},
	} {
		t.Run(tt.name, func(t *testing.T) {
			folder := t.TempDir()
			k, err := New(rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			if err := tt.store.Store(folder, "r", k); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(folder, FileName)
			if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, %v", info.Mode(), err)
			}
			b, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			secret := base64.StdEncoding.EncodeToString(k.secret[:])
			if wrapped, err := Wrapped(folder); err != nil || wrapped != tt.store.Seals() || wrapped == bytes.Contains(b, []byte(secret)) {
				t.Errorf("wrapped %v, %v: %s", wrapped, err, b)
			}
			got, err := tt.load.Load(folder, tt.recording)
			if !errors.Is(err, tt.want) || err == nil && !opens(t, k, got) {
				t.Errorf("load: %v, want %v", err, tt.want)
			}
			if err := tt.store.Store(folder, "r", k); !errors.Is(err, os.ErrExist) {
				t.Errorf("a second key: %v", err)
			}
		})
	}
}

// Whatever octet of the file is changed, no other key comes out of it: the
// wrapped one is refused, or still the same where JSON does not care.
func TestDamagedKeyFile(t *testing.T) {
	folder := t.TempDir()
	ring := NewRing(master(t, 1))
	k, err := New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if err := ring.Store(folder, "r", k); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, FileName)
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused := 0
	for i := range whole {
		b := bytes.Clone(whole)
		b[i] ^= 1
		if err := os.WriteFile(path, b, 0o600); err != nil {
			t.Fatal(err)
		}
		switch got, err := ring.Load(folder, "r"); {
		case err != nil:
			refused++
		case !opens(t, k, got):
			t.Fatalf("octet %d changed: another key", i)
		}
	}
	if refused < len(whole)*8/10 {
		t.Errorf("%d of %d changes are refused", refused, len(whole))
	}
}

func TestDestroy(t *testing.T) {
	folder := t.TempDir()
	k, err := New(rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var ring *Ring
	if err := ring.Store(folder, "r", k); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(folder, FileName)
	// A second name shows what became of the octets themselves.
	if err := os.Link(path, path+".seen"); err != nil {
		t.Skip("no hard links here:", err)
	}
	for range 2 {
		if err := Destroy(folder); err != nil {
			t.Fatal(err)
		}
	}
	b, err := os.ReadFile(path + ".seen")
	if err != nil || len(b) == 0 || len(bytes.Trim(b, "\x00")) != 0 {
		t.Errorf("left of the key: %q, %v", b, err)
	}
	if _, err := ring.Load(folder, "r"); !errors.Is(err, ErrDestroyed) {
		t.Errorf("load: %v", err)
	}
	if _, err := Wrapped(folder); !errors.Is(err, ErrDestroyed) {
		t.Errorf("wrapped: %v", err)
	}
	k.Wipe()
	if k.secret != [Size]byte{} {
		t.Error("the key is left in memory")
	}
}
