package src

import (
	"errors"
	"fmt"
	"strconv"
)

// protect takes the protection that the answer accepted: the key of the offer with
// the answer's tag, whose counters go on while it stays. The caller holds mu.
func (st *Stream) protect(answer MediaLine) {
	value, found := answer.Attribute("crypto")
	if !found || answer.Port == 0 {
		st.sending, st.receiving, st.srtpErr = nil, nil, nil
		if len(st.offer.Keys) > 0 && st.offer.Proto != plainRTP {
			st.srtpErr = ErrNoKey
		}
		return
	}
	st.srtpErr = st.accept(value)
}

func (st *Stream) accept(value string) error {
	tag, theirs, err := ParseSRTPKey(value)
	if err != nil {
		return err
	}
	n, err := strconv.Atoi(tag)
	if err != nil || n < 1 || n > len(st.offer.Keys) {
		return fmt.Errorf("the answer accepts tag %q, which was not offered", clip(tag))
	}
	ours := st.offer.Keys[n-1]
	if ours.Suite != theirs.Suite || ours.Equal(theirs) {
		return errors.New("the answer has another suite than the key it accepts, or the same key")
	}
	if st.sending == nil || !st.sending.key.Equal(ours) {
		if st.sending, err = NewProtector(ours); err != nil {
			return err
		}
	}
	if st.receiving == nil || !st.receiving.key.Equal(theirs) {
		st.receiving, err = NewProtector(theirs)
	}
	return err
}

// Protector protects what the stream sends; nil for plain RTP. It must not be used
// while the stream plays.
func (st *Stream) Protector() *Protector {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.sending
}

// OpenRTCP takes the protection off RTCP of the server, if there is any.
func (st *Stream) OpenRTCP(b []byte) ([]byte, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.receiving == nil {
		return b, nil
	}
	return st.receiving.OpenRTCP(b)
}
