package siprec

import (
	"errors"
	"fmt"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
	"github.com/siprecd/siprecd/siprec/internal/sdp"
)

const (
	// cseqsSkipped is how many requests of ours may have left since the state was
	// kept. A CSeq may be higher by more than one (RFC 3261 §12.2.2).
	cseqsSkipped = 1000
	// quickestWrap is the least time in which sequence numbers begin anew: 65,536
	// packets of 10 ms.
	quickestWrap = 65536 * 10 * time.Millisecond
)

// Errors of [Server.Resume], beside those of the ports.
var (
	ErrKnown    = errors.New("siprec: this recording session is up")
	ErrOtherSRC = errors.New("siprec: who opened this recording session is not admitted as the same SRC any more")
)

// Resume goes on with a recording session that another process had, by the state that
// [RecordingSession.Keep] gave there: its ports are bound again at the same numbers,
// and requests of the SRC within the dialog are served as if nothing had been, except
// that a connection is gone: ours open another. h serves it; its first event is
// Resumed. It is for a Server that does not serve yet, so that no request comes too
// early, and may be called from several goroutines.
//
// The error says why that cannot be: a port is taken, the SRC is not admitted as the
// same one by the configuration in force, or the state cannot be read. Nothing is sent
// to the SRC then.
func (s *Server) Resume(state []byte, h Handler) error {
	st, err := readState(state)
	if err != nil {
		return fmt.Errorf("siprec: %w", err)
	}
	src, err := s.same(st)
	if err != nil {
		return err
	}
	flow, err := s.front.Again(st.Flow.Network, st.Flow.Remote, st.Flow.Local, st.Flow.Names)
	if err != nil {
		return fmt.Errorf("siprec: %w", err)
	}
	rs, err := s.resumed(st, src, flow)
	if err != nil {
		return fmt.Errorf("siprec: %w", err)
	}
	if err := s.registerAgain(rs); err != nil {
		rs.media.abandon()
		return err
	}
	rs.handler = h
	go rs.run(func() bool { rs.goOn(st); return true })
	return nil
}

// same is the SRC of a state as it is configured now. Who was called by us need not be
// admitted.
func (s *Server) same(st *state) (SRC, error) {
	src, err := s.admitted(st.Origin)
	switch {
	case st.Initiated && err != nil:
		return SRC{Name: st.SRC}, nil
	case st.Initiated:
		return src, nil
	case err != nil:
		return src, fmt.Errorf("%w: %w", ErrOtherSRC, err)
	case src.Name != st.SRC:
		return src, ErrOtherSRC
	}
	return src, nil
}

// resumed makes a recording session of a state.
func (s *Server) resumed(st *state, src SRC, flow *front.Flow) (*RecordingSession, error) {
	now := s.cfg.Clock.Now()
	rs := &RecordingSession{
		server: s, src: src, origin: st.Origin, initiated: st.Initiated,
		callID: st.CallID, localTag: st.LocalTag, remoteTag: st.RemoteTag, inviteKey: st.InviteKey, userAgent: st.UserAgent,
		started: st.Started, inbox: newInbox(), flow: flow, heard: now,
		peerCSeq: st.PeerCSeq, localCSeq: st.LocalCSeq + cseqsSkipped, branch: st.Branch, again: true, unproven: true,
		noContact: st.NoContact, updates: st.Updates, told: st.Told, confirmed: true,
		offering: st.Offering, offeringCSeq: st.OfferingCSeq,
	}
	if err := st.uris(rs); err != nil {
		return nil, err
	}
	rs.learnRoutes(st.Routes)
	rs.way.Store(flow)
	rs.log = s.log.With(rs.logFields()...)
	for _, i := range st.Paused {
		if rs.paused == nil {
			rs.paused = make(map[int]bool)
		}
		rs.paused[i] = true
	}
	rs.wishes.reoffer = st.Reoffer
	rs.life.interval, rs.life.ours = st.Interval, st.Ours
	rs.media = rs.newNegotiator(flow)
	return rs, rs.media.resume(&st.Media, now.Sub(st.Heard), now)
}

// registerAgain makes a recording session known, whatever the limits: it was admitted.
func (s *Server) registerAgain(rs *RecordingSession) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case s.dialogs[rs.key()] != nil:
		return ErrKnown
	case s.draining:
		return errors.New("siprec: the server is stopping")
	}
	s.dialogs[rs.key()] = rs
	s.invites[rs.inviteKey] = rs
	s.handlers.Add(1)
	return nil
}

// Initiated are the URIs of the recording sessions that are up and were opened by
// [Server.Initiate], in this process or before it.
func (s *Server) Initiated() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []string
	for _, rs := range s.dialogs {
		if rs.initiated {
			out = append(out, rs.requestURI.String())
		}
	}
	return out
}

// goOn starts the timers of a dialog and makes its Resumed event.
func (rs *RecordingSession) goOn(st *state) {
	now := rs.server.cfg.Clock.Now()
	rs.log.Info("recording session resumed", zap.Duration("silent_for", now.Sub(st.Heard)), zap.Int("streams", len(st.Media.Slots)))
	rs.repeatAgain(st.Unconfirmed)
	if rs.life.interval > 0 {
		// The SRC counts from the last refresh. What is late is done at once.
		rs.startLife()
		if rs.life.ours {
			rs.life.refresh.Stop()
			rs.refreshIn(max(st.Refreshed.Add(rs.life.interval/2).Sub(now), 0))
		}
	}
	rs.first = &Event{Kind: Resumed, At: now, HasOffer: true, Streams: rs.media.now.streams()}
	rs.pending = &handed{event: rs.first}
	rs.watch()
}

// repeatAgain goes on repeating a 200 to an INVITE (RFC 3261 §13.3.1.4): that its ACK
// came is not kept. For the same reason its absence ends nothing.
func (rs *RecordingSession) repeatAgain(u *unconfirmed) {
	cfg := &rs.server.cfg
	if u == nil || !cfg.Clock.Now().Before(u.Until) {
		return
	}
	m, _, err := front.Read([]byte(u.Response))
	if err != nil || m.Response == nil {
		rs.log.Warn("answer to an INVITE cannot be repeated", zap.Error(err))
		return
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	a := &awaitedAck{cseq: u.CSeq, flow: rs.flow, res: m.Response, interval: cfg.T1, deadline: u.Until, lenient: true}
	rs.ack = a
	a.timer = cfg.Clock.AfterFunc(0, func() { rs.repeat(a) })
}

// repeatsResumed reports whether an INVITE repeats one that another process took: its
// answer is repeated too.
func (s *Server) repeatsResumed(inviteKey string) bool {
	s.mu.Lock()
	rs := s.invites[inviteKey]
	s.mu.Unlock()
	if rs == nil || !rs.again {
		return false
	}
	rs.mu.Lock()
	defer rs.mu.Unlock()
	return rs.ack != nil
}

// resume puts an agreement of another process in force, with its ports.
func (n *negotiator) resume(a *agreed, away time.Duration, at time.Time) error {
	n.origin = a.Origin
	n.now = &agreement{body: a.Body, version: a.Number}
	if d, err := sdp.Parse(a.Body); err == nil {
		n.now.time = d.Time
	}
	for i := range a.Slots {
		sl, err := n.slotAgain(&a.Slots[i], away, at)
		if err != nil {
			n.abandon()
			return err
		}
		n.now.slots = append(n.now.slots, sl)
	}
	for i := range a.Gone {
		n.now.gone = append(n.now.gone, &slot{stream: a.Gone[i].Stream, answer: a.Gone[i].Answer})
	}
	return nil
}

func (n *negotiator) slotAgain(a *agreedSlot, away time.Duration, at time.Time) (*slot, error) {
	sl := &slot{stream: a.Stream, answer: a.Answer, expected: a.Expected}
	if !a.Open {
		return sl, nil
	}
	recv, err := n.plane.OpenAt(a.Stream.Local)
	if err != nil {
		return nil, err
	}
	n.share.force()
	sl.recv = recv
	sl.expected.At = at
	if s := sl.expected.SRTP; s != nil {
		if err := s.Check(); err != nil {
			recv.Close()
			n.share.give(1)
			return nil, err
		}
		sl.expected.Rollovers = rollovers(a.Rollover, away)
	}
	sl.expected.Candidates = n.candidates()
	recv.Expect(sl.expected)
	return sl, nil
}

// rollovers are what the rollover counter of a sender may be, some time after it was
// known: the most probable first.
func rollovers(known uint32, away time.Duration) []uint32 {
	highest := uint64(known) + uint64(max(away, 0)/quickestWrap) + 1
	out := make([]uint32, 0, 8)
	for roc := uint64(known); roc <= highest && len(out) < 128; roc++ {
		out = append(out, uint32(roc))
	}
	for roc := uint32(1); roc < known && len(out) < 256; roc++ { // of another SSRC
		out = append(out, roc)
	}
	return out
}

// abandon closes the ports of a recording session that cannot be resumed, without a
// word to anybody.
func (n *negotiator) abandon() {
	for _, sl := range n.now.slots {
		if sl.recv != nil {
			sl.recv.Close()
			n.share.give(1)
		}
		wipe(sl.expected.SRTP, nil)
	}
	n.closed = true
}
