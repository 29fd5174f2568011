package model

import (
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// repeat sends a response again and again until what it waits for has come: at first
// after T1, then after twice as long each time, up to 8*T1. After 64*T1 it gives up and
// calls never (RFC 3261 §13.3.1.4, §17.2.1, RFC 3262 §3).
func (s *Server) repeat(m *src.Message, status int, out []byte, write func([]byte) error, come <-chan struct{}, never func()) {
	s.wg.Go(func() {
		end := time.NewTimer(64 * s.cfg.T1)
		defer end.Stop()
		for nth, interval := 1, s.cfg.T1; ; nth++ {
			wait := interval
			if s.cfg.Repeat != nil {
				wait = s.cfg.Repeat(m, status, nth, interval)
			}
			var due <-chan time.Time // never, when wait is below 0
			if wait >= 0 {
				due = time.After(wait)
			}
			select {
			case <-due:
				_ = write(out) // a peer that is gone shows in the test
			case <-end.C:
				never()
				return
			case <-come:
				return
			case <-s.stop:
				return
			}
			interval = min(2*interval, 8*s.cfg.T1)
		}
	})
}

// unacknowledged repeats the final response to an INVITE until its ACK comes; a dialog
// that was never acknowledged is ended. The caller holds mu.
func (s *Server) unacknowledged(m *src.Message, status int, out []byte, write func([]byte) error) {
	if status >= 300 && s.udp == nil {
		return // RFC 3261 §17.2.1: nothing is repeated over a reliable transport
	}
	id := ackID(m)
	if status >= 300 {
		id = m.Branch()
	}
	come := make(chan struct{})
	s.acks[id] = come
	s.repeat(m, status, out, write, come, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if d := s.dialogs[m.Get("Call-ID")]; d != nil && status < 300 {
			s.hangUp(d)
		}
	})
}

// ackID is how the ACK of a 2xx names its INVITE: by its dialog and number.
func ackID(m *src.Message) string {
	from, _ := src.ParseAddr(m.Get("From"))
	tag, _ := from.Param("tag")
	n, _, _ := cut(m.Get("CSeq"))
	return m.Get("Call-ID") + " " + tag + " " + n
}

// acknowledged takes an ACK, of a 2xx or of a refusal. The caller holds mu.
func (s *Server) acknowledged(m *src.Message) {
	for _, id := range []string{ackID(m), m.Branch()} {
		if come := s.acks[id]; come != nil {
			close(come)
			delete(s.acks, id)
		}
	}
}
