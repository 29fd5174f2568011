package model

import (
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// leastInterval is the shortest session timer that is granted, in seconds (RFC 4028 §5).
const leastInterval = 90

// tooShort says that an SRC asks for a session timer below leastInterval.
func tooShort(m *src.Message) bool {
	n, err := interval(m.Get("Session-Expires"))
	return err == nil && n < leastInterval
}

// interval is the number of seconds in a Session-Expires.
func interval(value string) (int, error) {
	seconds, _, _ := strings.Cut(value, ";")
	return strconv.Atoi(strings.TrimSpace(seconds))
}

// grant gives the session timer that a request asks for, and lets it run (RFC 4028 §9).
// The caller holds mu.
func (s *Server) grant(m *src.Message, d *dialog, r *Response) {
	value := m.Get("Session-Expires")
	if value == "" {
		return
	}
	supported := m.Lists("Supported", "timer")
	if !strings.Contains(value, "refresher=") {
		value += ";refresher=" + map[bool]string{true: "uac", false: "uas"}[supported]
	}
	r.Set("Session-Expires", value)
	own := strings.HasSuffix(value, "uas")
	if !own {
		r.Set("Require", "timer")
	}
	if n, err := interval(value); err == nil {
		s.run(d, time.Duration(n)*s.cfg.Second, own)
	}
}

// run lets the session timer of a dialog run anew: when it is the server's it refreshes
// at half of it (RFC 4028 §7.4), else it ends the dialog before it expires (§10).
func (s *Server) run(d *dialog, expires time.Duration, own bool) {
	if d.timer != nil {
		d.timer.Stop()
	}
	after := expires - min(32*s.cfg.Second, expires/3)
	if own {
		after = expires / 2
	}
	d.timer = time.AfterFunc(after, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		switch {
		case s.closed || s.dialogs[d.callID] != d:
		case own:
			s.ask(d, "UPDATE", "Supported: timer\r\nSession-Expires: "+strconv.Itoa(int(expires/s.cfg.Second))+";refresher=uac\r\n", "")
			s.run(d, expires, own)
		default:
			s.hangUp(d)
		}
	})
}
