package siprec

import (
	"errors"
	"sync"

	"go.uber.org/zap"
)

var errNeedsTLS = errors.New("this client has to come over TLS")

// admitted asks Admit, and holds who is admitted to TLS where that is required.
func (s *Server) admitted(o Origin) (SRC, error) {
	src, err := s.cfg.Admit(o)
	if err == nil && src.RequireTLS && o.Transport != "TLS" {
		err = errNeedsTLS
	}
	return src, err
}

// readable reports whether others on the way can read what comes from an origin.
func (o Origin) readable() bool {
	return o.Transport != "TLS" && !o.Source.Addr().Unmap().IsLoopback()
}

// exposed are the SRCs that sent metadata in the clear.
type exposed struct {
	mu   sync.Mutex
	srcs map[string]bool
}

// first reports whether an SRC is a new one. Their names are those of the
// configuration, so they have an end.
func (e *exposed) first(name string) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.srcs[name] {
		return false
	}
	if e.srcs == nil {
		e.srcs = make(map[string]bool)
	}
	e.srcs[name] = true
	return true
}

// tellExposed warns, once for each SRC, of metadata that came in the clear: it names
// people (RFC 7866 §12.3).
func (s *Server) tellExposed(src SRC, o Origin) {
	if o.readable() && s.exposed.first(src.Name) {
		s.log.Warn("metadata comes without TLS and can be read on the way", zap.String("src", src.Name),
			zap.String("transport", o.Transport), zap.Stringer("source", o.Source))
	}
}
