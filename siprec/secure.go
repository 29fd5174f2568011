package siprec

import (
	"encoding/base64"
	"fmt"
	"io"
	"slices"

	"github.com/emiago/sipgo/sip"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

// secure makes the protection of a slot from the crypto attribute that is accepted
// (RFC 4568 §5.1.2), nil for plain RTP. Our own key is fresh, and stays while the
// port and the suite do.
func (n *negotiator) secure(sl *slot, m *sdp.Media, before *slot) (*media.SRTP, error) {
	c, ok := m.AcceptedCrypto(n.terms)
	if !ok {
		sl.answer.Crypto = ""
		return nil, nil
	}
	s := &media.SRTP{
		Suite: media.Suite(c.Suite), UnencryptedRTP: c.UnencryptedRTP, UnencryptedRTCP: c.UnencryptedRTCP, Window: c.Window,
	}
	for _, k := range c.Keys {
		s.Remote = append(s.Remote, media.MasterKey(k))
	}
	if before != nil && before.recv == sl.recv && before.expected.SRTP != nil && before.expected.SRTP.Suite == s.Suite {
		s.Local = before.expected.SRTP.Local
	} else {
		key, err := n.freshKey(c.Suite)
		if err != nil {
			return nil, err
		}
		keyLen, _ := c.Suite.KeySizes()
		s.Local = media.MasterKey{Key: key[:keyLen:keyLen], Salt: key[keyLen:]}
	}
	if err := s.Check(); err != nil {
		return nil, err
	}
	sl.answer.Crypto = c.Answer(s.Local.Key, s.Local.Salt)
	return s, nil
}

// oddClear is what is said of SRTP that protects no more than plain RTP does.
const oddClear = "SRTP without encryption was agreed: what is sent can be read on the way"

// noteClear notes protection that leaves something unencrypted (RFC 4568 §6.3.2).
func (a *agreement) noteClear(s *media.SRTP) {
	if s != nil && (s.UnencryptedRTP || s.UnencryptedRTCP) {
		a.oddities = appendOnce(a.oddities, oddClear)
	}
}

// clear reports whether an agreement has such protection.
func (a *agreement) clear() bool {
	return a != nil && slices.ContainsFunc(a.slots, func(sl *slot) bool {
		s := sl.expected.SRTP
		return !sl.stream.Closed && s != nil && (s.UnencryptedRTP || s.UnencryptedRTCP)
	})
}

// freshKey draws a master key and its salt.
func (n *negotiator) freshKey(suite sdp.Suite) ([]byte, error) {
	key, salt := suite.KeySizes()
	b := make([]byte, key+salt)
	if _, err := io.ReadFull(n.random, b); err != nil {
		return nil, fmt.Errorf("no randomness for a master key: %w", err)
	}
	return b, nil
}

// offerSecure turns an m-line that we offer into one of SRTP. One suite is offered,
// the one that RFC 4568 §6.2.1 lets everyone have, if it is accepted at all. Until
// the answer tells the SRC's key, one that nobody knows is in its place.
func (n *negotiator) offerSecure(m *sdp.Media) error {
	suites := n.terms.Suites
	if suites == nil {
		suites = sdp.DefaultSuites()
	}
	suite := suites[0]
	if slices.Contains(suites, sdp.AES128SHA1) {
		suite = sdp.AES128SHA1
	}
	key, err := n.freshKey(suite)
	if err != nil {
		return err
	}
	m.Proto = "RTP/SAVP"
	m.Crypto = []string{"1 " + string(suite) + " inline:" + base64.StdEncoding.EncodeToString(key)}
	return nil
}

// wipe clears the keys of a protection that is no longer in force. What the one in
// force shares with it stays.
func wipe(s, inForce *media.SRTP) {
	if s == nil || s == inForce {
		return
	}
	for _, k := range s.Remote {
		clear(k.Key)
		clear(k.Salt)
	}
	if inForce == nil || &s.Local.Key[0] != &inForce.Local.Key[0] {
		clear(s.Local.Key)
		clear(s.Local.Salt)
	}
}

// wipeKeys clears the keys of an agreement that another one replaces, or is to be
// kept in place of.
func (a *agreement) wipeKeys(inForce *agreement) {
	for i, sl := range a.slots {
		var stays *media.SRTP
		if other := inForce.before(i); other != nil {
			stays = other.expected.SRTP
		}
		wipe(sl.expected.SRTP, stays)
	}
}

// warn says in an answer why m-lines are refused (RFC 3261 §20.43).
func (a *agreement) warn(res *sip.Response) {
	if why := a.refusals(); why != "" {
		res.AppendHeader(sip.NewHeader("Warning", warning("streams refused: "+why)))
	}
}
