package siprec

import (
	"errors"
	"slices"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

var errOtherSRC = errors.New("this recording session is that of another client")

// sourceOf finds the SRC of a request; without one it has answered. A request of a
// dialog has to come from the SRC that opened the dialog: tags can be overheard.
func (s *Server) sourceOf(m *front.Message) (SRC, bool) {
	o := s.origin(m.Flow)
	if rs := s.concerned(m.Request); rs != nil {
		err := s.bound(rs, o)
		if err != nil {
			s.tellForeign(m, rs, err)
			s.refuse(loose(m), s.statelessTag(m.Request), refuse(403, err.Error()))
		}
		return rs.src, err == nil
	}
	src, err := s.admitted(o)
	if err != nil {
		s.receiveStranger(m, err)
	}
	return src, err == nil
}

// concerned is the recording session whose dialog a request is of, or whose INVITE a
// CANCEL is about; nil when there is none.
func (s *Server) concerned(req *sip.Request) *RecordingSession {
	tag := toTag(req)
	if tag == "" && req.Method == sip.CANCEL {
		if inv := s.tx.invite(req); inv != nil {
			tag = inv.ourTag()
		}
	}
	if tag == "" {
		return nil
	}
	rs := s.dialog(dialogKey{req.CallID().Value(), tag})
	if rs == nil || rs.remoteTag != fromTag(req) {
		return nil
	}
	return rs
}

// bound says what keeps an origin from sending requests within a dialog. What came as
// the INVITE did is admitted by that; all else is admitted anew, and as the same SRC:
// it may go on from another of its addresses, with another of its certificates.
func (s *Server) bound(rs *RecordingSession, o Origin) error {
	if rs.asOpened(o) {
		return nil
	}
	src, err := s.admitted(o)
	switch {
	case err != nil:
		return err
	case src.Name != rs.src.Name && (src.Cluster == "" || src.Cluster != rs.src.Cluster):
		return errOtherSRC
	}
	return nil
}

// asOpened reports whether a message came as that which opened the dialog: from the
// same address, by the same transport to the same listener, and with the same
// certificate. Who was called by us may come to any listener.
func (rs *RecordingSession) asOpened(o Origin) bool {
	return o.Source.Addr() == rs.origin.Source.Addr() && o.Transport == rs.origin.Transport &&
		(o.Listener == rs.origin.Listener || rs.initiated) && slices.Equal(o.Certificate, rs.origin.Certificate)
}

// tellForeign logs a request that somebody sent within the dialog of another.
func (s *Server) tellForeign(m *front.Message, rs *RecordingSession, why error) {
	s.quiet.Warn("request of a foreign source refused", append(s.origin(m.Flow).LogFields(), zap.String("call_id", shortened(rs.callID)),
		zap.String("method", string(m.Request.Method)), zap.String("src", rs.src.Name), zap.Error(why))...)
}
