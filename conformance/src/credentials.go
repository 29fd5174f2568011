package src

import (
	"errors"
	"slices"
	"strings"
	"sync"
	"unicode"
)

// Credentials are the user name and password by which an SRC answers challenges
// (RFC 3261 §22.2). The last challenge of each realm is remembered, and later requests
// are sent with the answer to it, as RFC 7616 §3.6 allows. Several SRCs may share them.
type Credentials struct {
	name, password string

	mu    sync.Mutex
	known map[space]*use
}

// NewCredentials makes credentials that know no challenge yet. Neither text may be empty
// or hold a control character, and the name no colon (RFC 7616 §3.4).
func NewCredentials(name, password string) (*Credentials, error) {
	switch {
	case name == "" || strings.Contains(name, ":") || strings.ContainsFunc(name, unicode.IsControl):
		return nil, errors.New("the user name is empty, or has a colon or a control character")
	case password == "" || strings.ContainsFunc(password, unicode.IsControl):
		return nil, errors.New("the password is empty, or has a control character")
	}
	return &Credentials{name: name, password: password, known: make(map[space]*use)}, nil
}

// Answer has the name and the password for a request of a method to a URI.
func (c *Credentials) Answer(method, uri string) Answer {
	return Answer{Name: c.name, Password: c.password, Method: method, URI: uri}
}

// A space is what a password is for: a realm, of the server or of a proxy.
type space struct {
	realm string
	proxy bool
}

func (c Challenge) space() space { return space{c.Params["realm"], c.Proxy} }

// A use is a challenge with how often its nonce was used; Credentials.mu guards the count.
type use struct {
	challenge Challenge
	cnonce    string
	count     uint32
}

// login is what one request has said to authenticate itself, in all of its attempts.
type login struct {
	credentials *Credentials
	method, uri string
	cnonce      func() string
	uses        []*use // one for each space
	answered    map[space]int
	said        map[string]bool // nonces
}

// login begins that of a request; nil when it has none to say, or says its own.
func (s *SRC) login(method, uri string, r Request) *login {
	own := slices.ContainsFunc(r.Headers, func(h Header) bool {
		return strings.EqualFold(h.Name, "Authorization") || strings.EqualFold(h.Name, "Proxy-Authorization")
	})
	// RFC 3261 §22.1: neither of these is challenged.
	if s.cfg.Credentials == nil || r.NoCredentials || own || method == "ACK" || method == "CANCEL" {
		return nil
	}
	l := &login{
		credentials: s.cfg.Credentials, method: method, uri: uri, cnonce: s.ids.token,
		answered: make(map[space]int), said: make(map[string]bool),
	}
	s.cfg.Credentials.mu.Lock()
	defer s.cfg.Credentials.mu.Unlock()
	for _, u := range s.cfg.Credentials.known {
		l.uses = append(l.uses, u)
	}
	return l
}

// headers say the password for each challenge that is known.
func (l *login) headers() (list []Header) {
	if l == nil {
		return nil
	}
	l.credentials.mu.Lock()
	defer l.credentials.mu.Unlock()
	for _, u := range l.uses {
		u.count++
		a := l.credentials.Answer(l.method, l.uri)
		a.Count, a.CNonce = u.count, u.cnonce
		list = append(list, u.challenge.Header(a))
		l.said[u.challenge.Params["nonce"]] = true
	}
	return list
}

// take learns from a 401 or 407, and says whether there is reason to send the request
// again. A nonce is answered once in a request. A second one of a realm is answered when
// the first was stale, and a third never.
func (l *login) take(m *Message) bool {
	asked := chosen(Challenges(m))
	if len(asked) == 0 {
		return false
	}
	for _, c := range asked {
		times := l.answered[c.space()]
		if l.said[c.Params["nonce"]] || times > 1 || times == 1 && !c.Stale() {
			l.forget(c.space())
			return false
		}
	}
	for _, c := range asked {
		l.answered[c.space()]++
		l.adopt(c)
	}
	return true
}

// adopt has a challenge answered in the next attempt, and ahead in other requests if its
// nonce may be used more than once.
func (l *login) adopt(c Challenge) {
	l.drop(c.space())
	u := &use{challenge: c, cnonce: l.cnonce()}
	l.uses = append(l.uses, u)
	if c.counts() {
		l.credentials.mu.Lock()
		defer l.credentials.mu.Unlock()
		l.credentials.known[c.space()] = u
	}
}

// drop leaves a space out of the next attempt, and returns what was said for it.
func (l *login) drop(s space) (dropped *use) {
	l.uses = slices.DeleteFunc(l.uses, func(u *use) bool {
		if u.challenge.space() == s {
			dropped = u
			return true
		}
		return false
	})
	return dropped
}

// forget has no request say again what was refused.
func (l *login) forget(s space) {
	dropped := l.drop(s)
	l.credentials.mu.Lock()
	defer l.credentials.mu.Unlock()
	if dropped != nil && l.credentials.known[s] == dropped {
		delete(l.credentials.known, s)
	}
}

// chosen is the strongest challenge of each space that can be answered; the first of
// equals (RFC 8760 §2.4).
func chosen(all []Challenge) (list []Challenge) {
	for _, c := range all {
		if !c.answerable() {
			continue
		}
		i := slices.IndexFunc(list, func(other Challenge) bool { return other.space() == c.space() })
		switch {
		case i < 0:
			list = append(list, c)
		case c.Strength() < list[i].Strength():
			list[i] = c
		}
	}
	return list
}
