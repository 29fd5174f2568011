package sdp

import (
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
)

// A Suite is a crypto-suite by its registered name (RFC 4568 §6.2, RFC 6188 §4,
// RFC 7714 §14.2).
type Suite string

// The suites that are understood.
const (
	AEAD256    Suite = "AEAD_AES_256_GCM"
	AEAD128    Suite = "AEAD_AES_128_GCM"
	AES128SHA1 Suite = "AES_CM_128_HMAC_SHA1_80"
	AES128SH32 Suite = "AES_CM_128_HMAC_SHA1_32"
)

// DefaultSuites are the suites in the order of our preference.
func DefaultSuites() []Suite { return []Suite{AEAD256, AEAD128, AES128SHA1, AES128SH32} }

// KeySizes are the octets of master key and master salt; 0 for a suite that is not
// understood.
func (s Suite) KeySizes() (key, salt int) {
	switch s {
	case AEAD256:
		return 32, 12
	case AEAD128:
		return 16, 12
	case AES128SHA1, AES128SH32:
		return 16, 14
	}
	return 0, 0
}

// A Crypto is one a=crypto attribute (RFC 4568 §9.1). It has no String method that
// tells keys, and must not be logged.
type Crypto struct {
	Tag   string // 1 to 9 digits, as sent
	Suite Suite
	Keys  []MasterKey // at least one; more than one only when each has an MKI
	// UnencryptedRTP and UnencryptedRTCP say that the payloads are authenticated
	// only. They are negotiated: an answer repeats them (RFC 4568 §6.3.2).
	UnencryptedRTP, UnencryptedRTCP bool
	// Window is the replay window that the sender hints at, in packets; 0 when it
	// does not (RFC 4568 §6.3.6).
	Window int
}

// A MasterKey is one key parameter `inline:` (RFC 4568 §6.1).
type MasterKey struct {
	Key, Salt []byte
	// MKI is the master key identifier as it stands in packets; empty for none.
	MKI []byte
}

// maxMKI is the longest MKI in octets (RFC 4568 §6.1).
const maxMKI = 128

// maxKeys bounds the master keys of one attribute.
const maxKeys = 16

var (
	errCryptoForm     = errors.New("a=crypto is not `tag suite inline:key`")
	errCryptoTag      = errors.New("tag of a=crypto is not a number")
	errCryptoKey      = errors.New("key of a=crypto has not the length of its suite")
	errCryptoMKI      = errors.New("unreadable MKI of a=crypto, or of several lengths")
	errCryptoSuite    = errors.New("crypto-suite is not understood")
	errCryptoLifetime = errors.New("lifetime of a=crypto is not a number from 1 to 2^48")
	errCryptoTwice    = errors.New("tag of a=crypto is that of another in the m-line")
	errCryptoClear    = errors.New("SRTP without encryption is not taken from this source")
)

// ParseCrypto reads the value of a=crypto. Lifetimes are checked and then forgotten:
// when a key is used up is for its sender to tell. The error says why the attribute is not
// valid or not understood, and holds nothing of its keys.
func ParseCrypto(value string) (Crypto, error) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return Crypto{}, errCryptoForm
	}
	if _, err := strconv.ParseUint(f[0], 10, 32); err != nil || len(f[0]) > 9 {
		return Crypto{}, errCryptoTag
	}
	c := Crypto{Tag: f[0], Suite: Suite(strings.ToUpper(f[1]))}
	if key, _ := c.Suite.KeySizes(); key == 0 {
		return Crypto{}, errCryptoSuite
	}
	// Some devices put a blank behind the semicolon between two keys.
	params, rest := f[2], f[3:]
	for len(rest) > 0 && (strings.HasSuffix(params, ";") || hasInline(rest[0])) {
		params, rest = params+";"+rest[0], rest[1:]
	}
	if err := c.keys(params); err != nil {
		return Crypto{}, err
	}
	for _, p := range rest {
		if err := c.param(p); err != nil {
			return Crypto{}, err
		}
	}
	return c, nil
}

func hasInline(s string) bool {
	return len(s) > len("inline:") && strings.EqualFold(s[:len("inline:")], "inline:")
}

// keys reads `inline:key[|lifetime][|MKI:length]`, several with semicolons between.
func (c *Crypto) keys(params string) error {
	for p := range strings.SplitSeq(params, ";") {
		if p == "" {
			continue
		}
		if !hasInline(p) || len(c.Keys) == maxKeys {
			return errCryptoForm
		}
		k, err := c.key(p[len("inline:"):])
		if err != nil {
			return err
		}
		c.Keys = append(c.Keys, k)
	}
	if len(c.Keys) == 0 {
		return errCryptoForm
	}
	for i := range c.Keys {
		// RFC 4568 §6.1: all or none have an MKI, of one length, and no two the same.
		same := func(k MasterKey) bool { return slices.Equal(k.MKI, c.Keys[i].MKI) }
		if len(c.Keys[i].MKI) != len(c.Keys[0].MKI) || slices.ContainsFunc(c.Keys[:i], same) {
			return errCryptoMKI
		}
	}
	return nil
}

func (c *Crypto) key(text string) (MasterKey, error) {
	fields := strings.Split(text, "|")
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(fields[0], "="))
	keyLen, saltLen := c.Suite.KeySizes()
	if err != nil || len(raw) != keyLen+saltLen {
		return MasterKey{}, errCryptoKey
	}
	k := MasterKey{Key: raw[:keyLen:keyLen], Salt: raw[keyLen:]}
	for i, f := range fields[1:] {
		value, length, isMKI := strings.Cut(f, ":")
		if !isMKI {
			if i > 0 || f != "" && !isLifetime(f) {
				return MasterKey{}, errCryptoLifetime
			}
			continue
		}
		if k.MKI, err = parseMKI(value, length); err != nil {
			return MasterKey{}, err
		}
	}
	return k, nil
}

// isLifetime reports whether a text is a lifetime in packets, 2^n or decimal (RFC 4568
// §6.1). SRTP lets a key live for 2^48 packets (RFC 3711 §9.2).
func isLifetime(text string) bool {
	if exponent, power := strings.CutPrefix(text, "2^"); power {
		n, err := strconv.ParseUint(exponent, 10, 8)
		return err == nil && n <= 48
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return err == nil && n >= 1 && n <= 1<<48
}

// parseMKI reads a decimal number and the octets that it takes in a packet.
func parseMKI(value, length string) ([]byte, error) {
	octets, err := strconv.Atoi(length)
	if err != nil || octets < 1 || octets > maxMKI || len(value) > 3*maxMKI {
		return nil, errCryptoMKI
	}
	n, ok := new(big.Int).SetString(value, 10)
	if !ok || n.Sign() < 0 || n.BitLen() > 8*octets {
		return nil, errCryptoMKI
	}
	return n.FillBytes(make([]byte, octets)), nil
}

// param reads a session parameter (RFC 4568 §6.3). One that is not understood makes
// the attribute invalid, unless it begins with a dash (RFC 4568 §6.3.7).
func (c *Crypto) param(p string) error {
	name, value, _ := strings.Cut(p, "=")
	switch strings.ToUpper(name) {
	case "UNENCRYPTED_SRTP":
		c.UnencryptedRTP = true
	case "UNENCRYPTED_SRTCP":
		c.UnencryptedRTCP = true
	case "WSH":
		c.Window, _ = strconv.Atoi(value) // a hint; 0 when it cannot be read
	case "FEC_ORDER", "FEC_KEY":
		// No error correction is read, so neither its order nor its keys matter.
	case "KDR":
		// Keys that are derived again and again are not made here. 0 is no legal
		// value and means what its absence means.
		if value != "0" {
			return errors.New("key derivation rate of a=crypto is not supported")
		}
	case "UNAUTHENTICATED_SRTP":
		// Who sent a packet is told by its authentication (RFC 4568 §6.3.3: not
		// recommended).
		return errors.New("SRTP without authentication is not taken")
	default:
		if !strings.HasPrefix(name, "-") {
			return errors.New("a=crypto has a parameter that is not understood")
		}
	}
	return nil
}

// Clear reports whether others on the way can read what it protects: its payloads, or
// the RTCP that goes with them, are authenticated only (RFC 4568 §6.3.2).
func (c *Crypto) Clear() bool { return c.UnencryptedRTP || c.UnencryptedRTCP }

// ChooseCrypto is the attribute to accept: of those offered one that encrypts, then the
// one whose suite comes first in the terms, and among equals the one offered first
// (RFC 4568 §5.1.2). Where SRTP is required, one that does not encrypt is none. The
// error says why none can be accepted.
func (m *Media) ChooseCrypto(t Terms) (Crypto, error) {
	if len(m.Crypto) == 0 {
		return Crypto{}, errors.New("no a=crypto")
	}
	preference := t.suites()
	best, at := Crypto{}, 2*len(preference)
	tags := make(map[string]bool)
	var why error
	for _, value := range m.Crypto {
		c, err := ParseCrypto(value)
		tag := strings.TrimLeft(c.Tag, "0")
		if err == nil && tags[tag] {
			err = errCryptoTwice // RFC 4568 §4: unique in the m-line
		}
		if err != nil {
			why = err
			continue
		}
		tags[tag] = true
		i := slices.Index(preference, c.Suite)
		if c.Clear() && i >= 0 {
			i += len(preference)
		}
		switch {
		case i < 0:
			why = fmt.Errorf("crypto-suite %s is not allowed", c.Suite)
		case c.Clear() && t.SRTP == RequireSRTP:
			why = errCryptoClear
		case i < at:
			best, at = c, i
		}
	}
	if at == 2*len(preference) {
		return Crypto{}, why
	}
	return best, nil
}

// KeepOffered reads the m-line as the answer to an offer of ours with that value of
// a=crypto, empty for plain RTP, and forgets the attributes that were not offered: an
// answer has the tag and the suite of the offer, and no protection less (RFC 4568
// §5.1.3, §6.3). The error says what was not offered when nothing else is left.
func (m *Media) KeepOffered(value string) error {
	if value == "" {
		m.Crypto = nil
		if m.isSRTP() {
			return errors.New("SRTP was not offered")
		}
		return nil
	}
	offered, err := ParseCrypto(value)
	if err != nil {
		return err
	}
	var kept []string
	var why error
	for _, value := range m.Crypto {
		c, err := ParseCrypto(value)
		if err == nil {
			err = c.answers(&offered)
		}
		if err != nil {
			why = err
			continue
		}
		kept = append(kept, value)
	}
	m.Crypto = kept
	if len(kept) == 0 {
		return why // nil for plain RTP
	}
	return nil
}

// answers says what of an attribute was not offered.
func (c *Crypto) answers(offered *Crypto) error {
	switch {
	case strings.TrimLeft(c.Tag, "0") != strings.TrimLeft(offered.Tag, "0"):
		return fmt.Errorf("tag %s of a=crypto was not offered", c.Tag)
	case c.Suite != offered.Suite:
		return fmt.Errorf("crypto-suite %s was not offered", c.Suite)
	case c.UnencryptedRTP && !offered.UnencryptedRTP, c.UnencryptedRTCP && !offered.UnencryptedRTCP:
		return errors.New("SRTP without encryption was not offered")
	}
	return nil
}

// Answer is the attribute that accepts c with a key of our own (RFC 4568 §5.1.2).
// Only negotiated session parameters are repeated.
func (c *Crypto) Answer(key, salt []byte) string {
	text := c.Tag + " " + string(c.Suite) + " inline:" + base64.StdEncoding.EncodeToString(slices.Concat(key, salt))
	if c.UnencryptedRTP {
		text += " UNENCRYPTED_SRTP"
	}
	if c.UnencryptedRTCP {
		text += " UNENCRYPTED_SRTCP"
	}
	return text
}
