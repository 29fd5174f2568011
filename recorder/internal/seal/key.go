// Package seal keeps the keys of recordings. Each recording has one of its own, 32
// random octets that lie in its folder, and every key that audio or text is sealed
// under is derived from it (HKDF, RFC 5869). So a recording can be made unreadable
// for ever by destroying one small file.
//
// The file holds the key in the clear when the server has no [Master] key, and else
// wrapped by one of its [Ring].
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
	"io"
)

const (
	// Size is the length of every key here, in octets: AES-256.
	Size = 32
	// EpochSize is the length of the salt of a capture key, in octets.
	EpochSize = 16
)

// A Key is the key of one recording.
type Key struct{ secret [Size]byte }

// New makes the key of a new recording from 32 octets of random.
func New(random io.Reader) (*Key, error) {
	k := new(Key)
	if _, err := io.ReadFull(random, k.secret[:]); err != nil {
		return nil, fmt.Errorf("make key of a recording: %w", err)
	}
	return k, nil
}

// Capture gives the cipher for the pages of a capture. epoch is random and
// drawn anew each time that a process opens the file, so that nonces may begin
// at 0 again.
func (k *Key) Capture(epoch [EpochSize]byte) (cipher.AEAD, error) {
	return k.derived("capture", epoch[:])
}

// Journal gives the cipher for lines of a journal. salt is random and drawn anew
// each time that a process opens the journal, at least 16 octets.
func (k *Key) Journal(salt []byte) (cipher.AEAD, error) { return k.derived("journal", salt) }

// Resume gives the cipher for what another process needs to go on with the recording.
// salt is random and drawn anew each time that a process opens that file, at least 16
// octets.
func (k *Key) Resume(salt []byte) (Derived, error) { return k.derive("resume", salt) }

// A Derived is a key for one purpose and salt. It is small, as a cipher with its tables
// is not: whoever needs one seldom keeps this instead.
type Derived struct{ secret [Size]byte }

// Cipher gives AES-256-GCM under the key.
func (d *Derived) Cipher() (cipher.AEAD, error) { return gcm(d.secret[:]) }

// derived gives AES-256-GCM under a key for one purpose and salt.
func (k *Key) derived(purpose string, salt []byte) (cipher.AEAD, error) {
	d, err := k.derive(purpose, salt)
	if err != nil {
		return nil, err
	}
	defer clear(d.secret[:])
	return d.Cipher()
}

func (k *Key) derive(purpose string, salt []byte) (d Derived, err error) {
	if len(salt) < EpochSize {
		return d, fmt.Errorf("derive %s key: salt of %d octets, at least %d are needed", purpose, len(salt), EpochSize)
	}
	b, err := hkdf.Key(sha256.New, k.secret[:], salt, "siprecd "+purpose+" v1", Size)
	if err != nil {
		return d, fmt.Errorf("derive %s key: %w", purpose, err)
	}
	defer clear(b)
	copy(d.secret[:], b)
	return d, nil
}

// gcm is AES-256-GCM with nonces of 12 octets.
func gcm(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// Wipe overwrites the key in memory. Ciphers that were derived before keep theirs.
func (k *Key) Wipe() { clear(k.secret[:]) }
