package model

import (
	"crypto/rand"
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

// An Account is a user name and its password.
type Account struct{ Name, Password string }

// realm is what passwords are for.
const realm = "model"

// offered are the algorithms of a challenge (RFC 8760 §2.3).
func offered() []string { return []string{"SHA-256", "MD5"} }

// asks says whether a request has to say a password and does not, and fills in the
// answer to it (RFC 3261 §22.4). The caller holds mu.
func (s *Server) asks(m *src.Message, inDialog bool, r *Response) bool {
	switch {
	case !s.cfg.Asks || m.Method == "CANCEL":
		return false
	case !s.cfg.AsksAlways && (inDialog || m.Method != "INVITE"):
		return false
	}
	stale := false
	for _, value := range m.All("Authorization") {
		said, digest := strings.CutPrefix(value, "Digest ")
		p := saidIn(said)
		if !digest || p["realm"] != realm || !s.right(m, p) {
			continue
		}
		counts, given := s.nonces[p["nonce"]]
		switch {
		case p["uri"] != m.RequestURI && !s.overlooks("uri"):
			r.Status = 400 // RFC 7616 §3.4.6
			return true
		case !given && !s.overlooks("nonce"), slices.Contains(counts, p["nc"]) && !s.overlooks("count"):
			stale = true
		default:
			s.nonces[p["nonce"]] = append(counts, p["nc"])
			return false
		}
	}
	s.challenge(r, stale)
	return true
}

func (s *Server) overlooks(what string) bool { return slices.Contains(s.cfg.Unread, what) }

// right says whether a response is made of the password for this method. Without a nonce
// of its own, or a count, it is as old as it looks.
func (s *Server) right(m *src.Message, p map[string]string) bool {
	if s.cfg.Account == nil || p["username"] != s.cfg.Account.Name || !slices.Contains(offered(), p["algorithm"]) {
		return false
	}
	var count uint32
	if _, err := fmt.Sscanf(p["nc"], "%08x", &count); err != nil {
		return false
	}
	methods := []string{m.Method}
	if s.overlooks("method") {
		methods = []string{m.Method, "OPTIONS"}
	}
	return slices.ContainsFunc(methods, func(method string) bool {
		_, value, _ := strings.Cut(src.Challenge{Params: p}.Header(src.Answer{
			Name: s.cfg.Account.Name, Password: s.cfg.Account.Password, Method: method, URI: p["uri"], Count: count, CNonce: p["cnonce"],
		}).Value, "Digest ")
		return saidIn(value)["response"] == p["response"]
	})
}

// challenge asks for a password, by SHA-256 or else by MD5.
func (s *Server) challenge(r *Response, stale bool) {
	r.Status = 401
	for _, algorithm := range offered() {
		nonce := rand.Text()
		s.nonces[nonce] = nil
		value := fmt.Sprintf(`Digest realm="%s", nonce="%s", qop="auth", algorithm=%s`, realm, nonce, algorithm)
		if stale {
			value += ", stale=true"
		}
		r.Headers = append(r.Headers, src.Header{Name: "WWW-Authenticate", Value: value})
	}
}

// saidIn are the parameters behind the scheme, without quotes.
func saidIn(text string) map[string]string {
	out := make(map[string]string)
	for p := range strings.SplitSeq(text, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		out[name] = strings.Trim(value, `"`)
	}
	return out
}
