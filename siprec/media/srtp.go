package media

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"github.com/pion/srtp/v3"
)

// A Suite is a crypto-suite by its registered name (RFC 4568 §6.2, RFC 7714 §14.2).
type Suite string

// A MasterKey is a master key with its salt, whose lengths are those of the suite,
// and the identifier that packets name it by; MKI is empty for none (RFC 3711 §3.1).
type MasterKey struct{ Key, Salt, MKI []byte }

// SRTP is how the packets of a stream are protected (RFC 3711). Receivers copy it.
type SRTP struct {
	Suite Suite
	// Remote are the keys of the sender, 1 to 16. When there is more than one, each
	// has an MKI, and all are of one length.
	Remote []MasterKey
	// Local is our own key, for the RTCP that is sent.
	Local MasterKey
	// UnencryptedRTP and UnencryptedRTCP say that payloads are authenticated only
	// (RFC 4568 §6.3.2).
	UnencryptedRTP, UnencryptedRTCP bool
	// Window is the wished replay window in packets; it is held between 128 and
	// 4096.
	Window int
}

// ErrSRTP says that a suite is not known or that a key does not fit it.
var ErrSRTP = errors.New("srtp keys cannot be used")

// Check says whether keys can be used; its error wraps ErrSRTP.
func (s *SRTP) Check() error {
	k, err := newKeying(s)
	if err != nil {
		return err
	}
	k.wipe()
	return nil
}

const (
	leastWindow = 128
	mostWindow  = 4096
)

func profileOf(s Suite) (srtp.ProtectionProfile, bool) {
	switch s {
	case "AEAD_AES_256_GCM":
		return srtp.ProtectionProfileAeadAes256Gcm, true
	case "AEAD_AES_128_GCM":
		return srtp.ProtectionProfileAeadAes128Gcm, true
	case "AES_CM_128_HMAC_SHA1_80":
		return srtp.ProtectionProfileAes128CmHmacSha1_80, true
	case "AES_CM_128_HMAC_SHA1_32":
		return srtp.ProtectionProfileAes128CmHmacSha1_32, true
	}
	return 0, false
}

// sameSender reports whether packets are protected alike, so that their rollover
// counters go on. Our own key and the hint of a window do not matter.
func (s *SRTP) sameSender(o *SRTP) bool {
	return s.Suite == o.Suite && s.UnencryptedRTP == o.UnencryptedRTP && s.UnencryptedRTCP == o.UnencryptedRTCP &&
		slices.EqualFunc(s.Remote, o.Remote, MasterKey.equal)
}

func (k MasterKey) equal(o MasterKey) bool {
	return bytes.Equal(k.Key, o.Key) && bytes.Equal(k.Salt, o.Salt) && bytes.Equal(k.MKI, o.MKI)
}

func (k MasterKey) clone() MasterKey {
	return MasterKey{Key: bytes.Clone(k.Key), Salt: bytes.Clone(k.Salt), MKI: bytes.Clone(k.MKI)}
}

func (s *SRTP) clone() *SRTP {
	out := *s
	out.Local = s.Local.clone()
	out.Remote = make([]MasterKey, len(s.Remote))
	for i, k := range s.Remote {
		out.Remote[i] = k.clone()
	}
	return &out
}

// options are what the sender's and our own contexts share.
func (s *SRTP) options() []srtp.ContextOption {
	window := uint(min(max(s.Window, leastWindow), mostWindow))
	out := []srtp.ContextOption{srtp.SRTPReplayProtection(window), srtp.SRTCPReplayProtection(window)}
	if s.UnencryptedRTP {
		out = append(out, srtp.SRTPNoEncryption())
	}
	if s.UnencryptedRTCP {
		out = append(out, srtp.SRTCPNoEncryption())
	}
	return out
}

// remoteContext makes a context that reads the sender's packets.
func (s *SRTP) remoteContext() (*srtp.Context, error) {
	profile, ok := profileOf(s.Suite)
	if !ok || len(s.Remote) == 0 {
		return nil, fmt.Errorf("%w: suite %q, %d keys", ErrSRTP, s.Suite, len(s.Remote))
	}
	first := s.Remote[0]
	c, err := srtp.CreateContext(first.Key, first.Salt, profile, append(s.options(), srtp.MasterKeyIndicator(first.MKI))...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSRTP, err)
	}
	for _, k := range s.Remote[1:] {
		if err := c.AddCipherForMKI(k.MKI, k.Key, k.Salt); err != nil {
			return nil, fmt.Errorf("%w: %w", ErrSRTP, err)
		}
	}
	return c, nil
}

// localContext makes a context for what is sent.
func (s *SRTP) localContext() (*srtp.Context, error) {
	profile, ok := profileOf(s.Suite)
	if !ok {
		return nil, fmt.Errorf("%w: suite %q", ErrSRTP, s.Suite)
	}
	c, err := srtp.CreateContext(s.Local.Key, s.Local.Salt, profile, s.options()...)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSRTP, err)
	}
	return c, nil
}
