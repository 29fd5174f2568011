package siprec

import (
	"slices"
	"sync"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// mostForks is how many dialogs one INVITE of ours may make. The 2xx of further ones
// are left alone: who sent them gives up after 64*T1 (RFC 3261 §13.3.1.4).
const mostForks = 16

// forks are the dialogs that one INVITE of ours has made: a proxy may send it to several
// SRCs, and each may accept (RFC 3261 §13.2.2.4). The first is the recording session.
type forks struct {
	server *Server
	way    *front.Flow
	invite *sip.Request

	first  *sip.Request // the ACK of the recording session
	mu     sync.Mutex
	others map[string]*sip.Request // those of the others, by the To tag
}

// confirm acknowledges a further 2xx: one of a dialog that is known with the ACK of
// before, one of a new dialog with its own, and that dialog is ended by BYE.
func (f *forks) confirm(res *sip.Response) {
	ack, foreign := f.ack(res)
	if ack == nil {
		return
	}
	// What is lost is asked for again by the next repetition.
	_ = f.way.WriteMsg(ack)
	if foreign {
		f.server.quiet.Warn("a second dialog of an INVITE of ours is ended", zap.String("call_id", shortened(f.invite.CallID().Value())),
			zap.Stringer("source", f.way.Remote()))
		f.end(ack)
	}
}

// ack is the ACK of a further 2xx, nil where there are too many; foreign says that its
// dialog is new. An INVITE within a dialog makes none.
func (f *forks) ack(res *sip.Response) (ack *sip.Request, foreign bool) {
	tag := toTag(res)
	if tag == "" || tag == toTag(f.first) || toTag(f.invite) != "" {
		return f.first, false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if ack := f.others[tag]; ack != nil || len(f.others)+1 >= mostForks {
		return ack, false
	}
	ack = f.server.newAck(f.invite, res, nil)
	for _, route := range routesOf(res) {
		ack.AppendHeader(sip.NewHeader("Route", route))
	}
	f.others[tag] = ack
	return ack, true
}

// end sends the BYE of the dialog that an ACK is of.
func (f *forks) end(ack *sip.Request) {
	s := f.server
	via := ack.Via().Clone()
	via.Params.Remove("branch")
	via.Params.Add("branch", s.newBranch())
	bye := s.derive(ack, sip.BYE, ack.Recipient, via)
	bye.CSeq().SeqNo++
	bye.AppendHeader(sip.NewHeader("Reason", byeReason(EndRejected)))
	waits := s.sendLater(func() {
		if _, err := s.transact(bye, f.way, f.way.Remote(), func(*sip.Response) {}); err != nil {
			s.quiet.Warn("bye of a second dialog not sent", zap.Error(err))
		}
	})
	if !waits {
		_ = f.way.WriteMsg(bye) // once is what can be done
	}
}

// sendLater lets what is sent by none of the recording sessions be waited for at the
// end; false when that has begun.
func (s *Server) sendLater(send func()) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.draining {
		return false
	}
	s.outgoing.Go(send)
	return true
}

// routesOf is the route set of the dialog that a response makes (RFC 3261 §12.1.2).
func routesOf(res *sip.Response) []string {
	recorded := front.Values(res, "Record-Route")
	slices.Reverse(recorded)
	return recorded
}
