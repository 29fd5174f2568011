package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"fmt"
)

// FileKey derives the key of one finished file, 32 octets. salt is random and of
// that file, at least 16 octets; name is what it is called in the folder, so that
// one file cannot be put in the place of another.
func (k *Key) FileKey(name string, salt []byte) ([]byte, error) {
	if len(salt) < EpochSize {
		return nil, fmt.Errorf("derive file key: salt of %d octets, at least %d are needed", len(salt), EpochSize)
	}
	b, err := hkdf.Key(sha256.New, k.secret[:], salt, "siprecd finished file v1\x00"+name, Size)
	if err != nil {
		return nil, fmt.Errorf("derive file key: %w", err)
	}
	return b, nil
}
