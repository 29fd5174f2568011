package media

import (
	"encoding/binary"
	"slices"
	"time"

	"github.com/pion/rtp"
	"github.com/pion/srtp/v3"
)

const (
	// rekeyWait is how long the keys of the offer before are still tried, from the
	// offer and from the first packet under the new keys on (RFC 4568 §7.1.4).
	rekeyWait = 2 * time.Second
	// maxRetired is how many earlier keys are kept at a time.
	maxRetired = 3
	// A packet of an SSRC that is not known may be the first one that came after
	// its sequence numbers began anew: another rollover counter is then tried for
	// at most guessBurst packets in guessEvery.
	guessBurst = 4
	guessEvery = 100 * time.Millisecond
	// probeUses is after how many guesses a probing context is made anew: each
	// leaves a few octets behind.
	probeUses = 64
	// mostHints is how many rollover counters of an earlier process are tried.
	mostHints = 256
	// maxSSRCs is how many SSRCs of one sender have a counter and a replay window.
	// Only authentic packets make one.
	maxSSRCs = 4096
)

// An outcome is what came of a protected packet.
type outcome int

const (
	opened   outcome = iota + 1
	forged           // authentication failed: not of the sender, or not for these keys
	replayed         // came before
)

// A keying is one set of the sender's keys with what must be remembered of its
// packets: rollover counters and replay windows, for each SSRC.
type keying struct {
	srtp    *SRTP
	context *srtp.Context
	known   map[uint32]bool // SSRCs of authenticated packets
	latest  uint32          // that of the last one, while any is known

	probe       *srtp.Context // has no memory that counts
	probed      int
	guessed     int
	guessedFrom time.Time

	usedAt time.Time // first authenticated packet; zero before
	until  time.Time // when it is forgotten; zero while it is the newest
}

func newKeying(s *SRTP) (*keying, error) {
	own := s.clone()
	c, err := own.remoteContext()
	if err != nil {
		return nil, err
	}
	if _, err := own.localContext(); err != nil {
		return nil, err
	}
	return &keying{srtp: own, context: c, known: make(map[uint32]bool)}, nil
}

// knows reports whether an authentic packet of an SSRC came.
func (k *keying) knows(ssrc uint32) bool {
	return k.latest == ssrc && len(k.known) > 0 || k.known[ssrc]
}

// wipe forgets the keys. What the ciphers derived from them goes with the contexts.
func (k *keying) wipe() {
	for _, m := range append(k.srtp.Remote, k.srtp.Local) {
		clear(m.Key)
		clear(m.Salt)
	}
	k.context, k.probe = nil, nil
}

// rtp decrypts a packet into buf and returns what it became. hints are rollover
// counters that may be in use beside 0.
func (k *keying) rtp(buf, b []byte, h *rtp.Header, at time.Time, hints []uint32) ([]byte, outcome) {
	ssrc := binary.BigEndian.Uint32(b[8:])
	if len(k.known) >= maxSSRCs && !k.knows(ssrc) {
		return nil, forged
	}
	plain, err := k.context.DecryptRTP(buf, b, h)
	if err != nil && !k.knows(ssrc) && k.guess(buf, b, h, at, hints) {
		plain, err = k.context.DecryptRTP(buf, b, h)
	}
	return plain, k.noted(ssrc, err, at)
}

// rtcp is rtp for an RTCP datagram of at least 8 octets.
func (k *keying) rtcp(buf, b []byte, at time.Time) ([]byte, outcome) {
	plain, err := k.context.DecryptRTCP(buf, b, nil)
	if err != nil {
		return nil, outcomeOf(err)
	}
	if k.usedAt.IsZero() {
		k.usedAt = at
	}
	return plain, opened
}

func (k *keying) noted(ssrc uint32, err error, at time.Time) outcome {
	if err != nil {
		return outcomeOf(err)
	}
	if !k.knows(ssrc) {
		k.known[ssrc] = true
	}
	k.latest = ssrc
	if k.usedAt.IsZero() {
		k.usedAt = at
	}
	return opened
}

// outcomeOf tells what came before from what is not authentic. The library has no
// exported name for the first.
func outcomeOf(err error) outcome {
	if d, ok := err.(interface{ Unwrap() error }); ok && d.Unwrap() != nil && d.Unwrap().Error() == "duplicated packet" {
		return replayed
	}
	return forged
}

// guess looks for the rollover counter of an SSRC that is not known yet: the first
// packets may have been lost just when the sequence numbers began anew (RFC 3711
// §3.3.1), and a sender may keep its counter when only its key changes (RFC 3711
// §3.2.1 against RFC 4568 §7.1.4).
func (k *keying) guess(buf, b []byte, h *rtp.Header, at time.Time, hints []uint32) bool {
	if at.Sub(k.guessedFrom).Abs() >= guessEvery {
		k.guessedFrom, k.guessed = at, 0
	}
	if k.guessed >= guessBurst {
		return false
	}
	k.guessed++
	ssrc := binary.BigEndian.Uint32(b[8:])
	for _, roc := range append([]uint32{1}, hints...) {
		if !k.fresh() {
			return false
		}
		k.probe.SetROC(ssrc, roc)
		if _, err := k.probe.DecryptRTP(buf, b, h); err == nil {
			k.context.SetROC(ssrc, roc)
			return true
		}
	}
	return false
}

// fresh makes sure of a probing context.
func (k *keying) fresh() bool {
	if k.probe != nil && k.probed < probeUses {
		k.probed++
		return true
	}
	c, err := k.srtp.remoteContext()
	if err != nil {
		return false // not to be expected: the same keys made a context before
	}
	k.probe, k.probed = c, 1
	return true
}

// counters are the rollover counter of an SSRC and the one after its next wrap;
// none while it is 0.
func (k *keying) counters(ssrc uint32) []uint32 {
	if !k.knows(ssrc) {
		return nil
	}
	roc, ok := k.context.ROC(ssrc)
	if !ok || roc == 0 {
		return nil
	}
	return []uint32{roc, roc + 1}
}

// A keyring holds the keys of a stream, the newest first. It is nil before SRTP was
// offered, and empty for plain RTP after it. It belongs to the flow that it is part of.
type keyring struct {
	newest  *keying   // nil: plain RTP by the present offer
	failed  bool      // the present offer has keys that cannot be used
	retired []*keying // of offers before, the newest first
	hints   []uint32  // counters that a process before this one has left
	local   *srtp.Context
	localID MasterKey // of local
	suite   Suite     // of local

	header rtp.Header
	// buf is room for what is decrypted: that of the reader, which lends it, or one of
	// its own.
	buf []byte
}

// required reports whether packets that are not authentic are to be dropped.
func (r *keyring) required() bool { return r != nil && (r.newest != nil || r.failed) }

// protects reports whether any packet can be expected to be SRTP.
func (r *keyring) protects() bool { return r.required() || r != nil && len(r.retired) > 0 }

// renew takes the keys of an offer, nil for plain RTP. Keys that are still known go
// on with their counters. Keys that cannot be used protect all the same: nothing
// will be authentic.
func (r *keyring) renew(s *SRTP, at time.Time) error {
	if r == nil {
		return nil // plain RTP as before
	}
	err := r.change(s, at)
	r.failed = err != nil
	return err
}

func (r *keyring) change(s *SRTP, at time.Time) error {
	if s != nil && r.newest != nil && r.newest.srtp.sameSender(s) {
		return r.renewLocal(s)
	}
	var next *keying
	if s != nil {
		i := slices.IndexFunc(r.retired, func(k *keying) bool { return k.srtp.sameSender(s) })
		if i >= 0 {
			next = r.retired[i]
			next.until = time.Time{}
			r.retired = slices.Delete(r.retired, i, i+1)
		} else {
			var err error
			if next, err = newKeying(s); err != nil {
				r.retire(at)
				return err
			}
		}
	}
	r.retire(at)
	r.newest = next
	if s == nil {
		return nil
	}
	return r.renewLocal(s)
}

// retire lets the newest keys be tried for a while longer.
func (r *keyring) retire(at time.Time) {
	if r.newest == nil {
		return
	}
	r.newest.until = at.Add(rekeyWait)
	r.retired = slices.Insert(r.retired, 0, r.newest)
	r.newest = nil
	for len(r.retired) > maxRetired {
		last := len(r.retired) - 1
		r.retired[last].wipe()
		r.retired = r.retired[:last]
	}
}

// renewLocal makes the context for what is sent, unless the key stayed: then its
// index goes on (RFC 3711 §3.2.1).
func (r *keyring) renewLocal(s *SRTP) error {
	if r.local != nil && r.suite == s.Suite && r.localID.equal(s.Local) {
		return nil
	}
	r.local = nil
	c, err := s.localContext()
	if err != nil {
		return err
	}
	r.local, r.localID, r.suite = c, s.Local.clone(), s.Suite
	return nil
}

// expire wipes keys whose time is over: rekeyWait after the offer that replaced
// them and, while packets may still be under way, after the first one of the new.
func (r *keyring) expire(now time.Time) {
	if len(r.retired) == 0 {
		return
	}
	used := time.Time{}
	if r.newest != nil {
		if used = r.newest.usedAt; used.IsZero() {
			return
		}
		used = used.Add(rekeyWait)
	}
	r.retired = slices.DeleteFunc(r.retired, func(k *keying) bool {
		over := now.After(k.until) && now.After(used)
		if over {
			k.wipe()
		}
		return over
	})
}

// ready prepares for a datagram.
func (r *keyring) ready(now time.Time) {
	r.expire(now)
	if r.buf == nil {
		r.buf = make([]byte, maxMedia)
	}
}

// rtp decrypts a packet of at least 12 octets. The result is valid until the next
// call.
func (r *keyring) rtp(b []byte, at time.Time) ([]byte, outcome) {
	r.ready(at)
	ssrc := binary.BigEndian.Uint32(b[8:])
	result := forged
	if r.newest != nil {
		var hints []uint32
		if !r.newest.knows(ssrc) {
			if len(r.retired) > 0 {
				hints = r.retired[0].counters(ssrc)
			}
			hints = append(hints, r.hints...)
		}
		plain, got := r.newest.rtp(r.buf[:0:len(r.buf)], b, &r.header, at, hints)
		if got == opened {
			return plain, opened
		}
		result = got
	}
	for _, k := range r.retired {
		if plain, got := k.rtp(r.buf[:0:len(r.buf)], b, &r.header, at, nil); got == opened {
			return plain, opened
		}
	}
	return nil, result
}

// rtcp decrypts an RTCP datagram of at least 8 octets. The result is valid until
// the next call.
func (r *keyring) rtcp(b []byte, at time.Time) ([]byte, outcome) {
	r.ready(at)
	result := forged
	if r.newest != nil {
		plain, got := r.newest.rtcp(r.buf[:0:len(r.buf)], b, at)
		if got == opened {
			return plain, opened
		}
		result = got
	}
	for _, k := range r.retired {
		if plain, got := k.rtcp(r.buf[:0:len(r.buf)], b, at); got == opened {
			return plain, opened
		}
	}
	return nil, result
}

// seal protects RTCP that is sent. Plain RTP needs none.
func (r *keyring) seal(b []byte) ([]byte, error) {
	switch {
	case !r.required():
		return b, nil
	case r.local == nil:
		return nil, ErrSRTP
	}
	return r.local.EncryptRTCP(nil, b, nil)
}

// rollover is the highest rollover counter in use.
func (r *keyring) rollover() (highest uint32) {
	if r == nil || r.newest == nil {
		return 0
	}
	for ssrc := range r.newest.known {
		if roc, ok := r.newest.context.ROC(ssrc); ok {
			highest = max(highest, roc)
		}
	}
	return highest
}

// wipe forgets all keys.
func (r *keyring) wipe() {
	if r == nil {
		return
	}
	if r.newest != nil {
		r.newest.wipe()
	}
	for _, k := range r.retired {
		k.wipe()
	}
	clear(r.localID.Key)
	clear(r.localID.Salt)
	clear(r.buf)
	*r = keyring{}
}
