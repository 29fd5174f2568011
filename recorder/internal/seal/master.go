package seal

import (
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strings"
)

// A Master is a key under which the keys of recordings are wrapped. The zero
// Master is none.
type Master struct {
	id     string // 16 hexadecimal digits, derived from the key
	secret [Size]byte
}

// ID tells master keys apart and says nothing of the key.
func (m Master) ID() string { return m.id }

// String is the ID, so that no log shows the key.
func (m Master) String() string { return "master key " + m.id }

// GoString is String, for %#v.
func (m Master) GoString() string { return m.String() }

// ParseMaster reads a master key: 32 octets as 64 hexadecimal digits, or in
// base64 with or without padding, of either alphabet (RFC 4648 §4, §5). Space
// around it is passed over. The error does not repeat the text.
func ParseMaster(text string) (Master, error) {
	text = strings.TrimSpace(text)
	b, err := hex.DecodeString(text)
	if err != nil {
		enc := base64.RawStdEncoding
		if strings.ContainsAny(text, "-_") {
			enc = base64.RawURLEncoding
		}
		if b, err = enc.Strict().DecodeString(strings.TrimRight(text, "=")); err != nil {
			return Master{}, fmt.Errorf("master key is neither hexadecimal nor base64")
		}
	}
	defer clear(b)
	if len(b) != Size {
		return Master{}, fmt.Errorf("master key has %d octets, it needs %d", len(b), Size)
	}
	m := Master{secret: [Size]byte(b)}
	if m.secret == [Size]byte{} {
		return Master{}, fmt.Errorf("master key is all zeros")
	}
	id, err := hkdf.Key(sha256.New, b, nil, "siprecd master key id v1", 8)
	if err != nil {
		return Master{}, fmt.Errorf("master key: %w", err)
	}
	m.id = hex.EncodeToString(id)
	return m, nil
}

// maxMasterFile bounds what is read of a file that is said to hold master keys.
const maxMasterFile = 64 << 10

// ReadMasters reads master keys from a file: one on each line; empty lines and
// those that begin with # are passed over. The first is the one that seals, as
// [NewRing] takes them. A file that other users may read is refused.
func ReadMasters(path string) ([]Master, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("master keys: %w", err)
	}
	if info.Mode().Perm()&0o007 != 0 {
		return nil, fmt.Errorf("master keys: %s may be read by everybody (mode %#o), make it 0600", path, info.Mode().Perm())
	}
	if info.Size() > maxMasterFile {
		return nil, fmt.Errorf("master keys: %s is too large", path)
	}
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("master keys: %w", err)
	}
	defer clear(b)
	var list []Master
	for i, line := range strings.Split(string(b), "\n") {
		if line = strings.TrimSpace(line); line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		m, err := ParseMaster(line)
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, i+1, err)
		}
		list = append(list, m)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("master keys: %s holds none", path)
	}
	return list, nil
}

// A Ring is the master keys that a server knows. One seals; all of them open, so
// that a key can be replaced while recordings under the old one are kept. A Ring
// without keys leaves the keys of recordings in the clear.
type Ring struct{ masters []Master }

// NewRing makes a ring. The first key seals.
func NewRing(masters ...Master) *Ring { return &Ring{masters: append([]Master(nil), masters...)} }

// Seals reports whether keys of new recordings are wrapped.
func (r *Ring) Seals() bool { return r != nil && len(r.masters) > 0 }

// find gives the master key of an id.
func (r *Ring) find(id string) (Master, bool) {
	if r != nil {
		for _, m := range r.masters {
			if m.id == id {
				return m, true
			}
		}
	}
	return Master{}, false
}

// wrapping is the cipher that keys of recordings are wrapped with. Its nonces are
// random: a master key is good for 2^32 recordings (NIST SP 800-38D §8.3).
func (m Master) wrapping() (cipher.AEAD, error) { return gcm(m.secret[:]) }
