package siprec

import (
	"crypto/hmac"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"github.com/siprecd/siprecd/siprec/internal/front"
)

// A Digest says with which names and passwords an SRC authenticates its requests
// (RFC 3261 §22, RFC 7616, RFC 8760).
type Digest struct {
	Realm string
	Users []User
	// MD5 lets the SRC answer with MD5 when it cannot do SHA-256.
	MD5 bool
}

// A User is a name with a password, or with what digest needs of it: the hash in
// hexadecimal of name:realm:password. An empty hash is made of the password.
type User struct {
	Name, Password string
	SHA256, MD5    string
}

const (
	nonceAge   = 5 * time.Minute
	nonceMost  = 16384 // nonces whose counts are kept
	nonceSize  = 8 + 8 // time and randomness, in octets
	nonceTag   = 16    // octets of its seal
	countsBack = 64    // how far behind the highest a count may come
)

// nonces makes nonces that carry their own time and seal, so that a challenge costs
// no memory, and remembers the counts of those that were used with a right
// password: only who has one can fill it.
type nonces struct {
	secret []byte
	now    func() time.Time

	mu     sync.Mutex
	counts map[string]*counts
}

// counts are the nonce counts that were seen: the highest and, as bits, those below.
type counts struct {
	highest uint32
	seen    uint64 // bit i: highest-i
	expires time.Time
}

func newNonces(secret []byte, now func() time.Time) *nonces {
	return &nonces{secret: secret, now: now, counts: make(map[string]*counts)}
}

func (n *nonces) seal(b []byte) []byte {
	mac := hmac.New(sha256.New, n.secret)
	mac.Write(b)
	return mac.Sum(nil)[:nonceTag]
}

// make gives a nonce; random is 8 octets in hexadecimal or other text.
func (n *nonces) make(random []byte) string {
	b := binary.BigEndian.AppendUint64(nil, uint64(n.now().UnixMilli()))
	b = append(b, random[:8]...)
	return base64.RawURLEncoding.EncodeToString(append(b, n.seal(b)...))
}

// check says whether a nonce is ours, and when it expires.
func (n *nonces) check(nonce string) (expires time.Time, ours bool) {
	b, err := base64.RawURLEncoding.DecodeString(nonce)
	if err != nil || len(b) != nonceSize+nonceTag || !hmac.Equal(b[nonceSize:], n.seal(b[:nonceSize])) {
		return time.Time{}, false
	}
	return time.UnixMilli(int64(binary.BigEndian.Uint64(b))).Add(nonceAge), true
}

// use takes a count of a nonce; false when it was used before, or is too far back to
// tell. Requests may overtake each other, so counts need not rise.
func (n *nonces) use(nonce string, nc uint32, expires time.Time) bool {
	n.mu.Lock()
	defer n.mu.Unlock()
	c := n.counts[nonce]
	if c == nil {
		n.sweep()
		n.counts[nonce] = &counts{highest: nc, seen: 1, expires: expires}
		return true
	}
	if nc > c.highest {
		c.seen = c.seen<<min(nc-c.highest, countsBack) | 1
		c.highest = nc
		return true
	}
	back := c.highest - nc
	if back >= countsBack || c.seen>>back&1 == 1 {
		return false
	}
	c.seen |= 1 << back
	return true
}

// sweep makes room: what has expired goes, and, if that is not enough, all, which
// lets a request be replayed for the age of a nonce at most. n.mu is held.
func (n *nonces) sweep() {
	if len(n.counts) < nonceMost {
		return
	}
	now := n.now()
	for nonce, c := range n.counts {
		if now.After(c.expires) {
			delete(n.counts, nonce)
		}
	}
	if len(n.counts) >= nonceMost {
		// New seals: what was given out before counts no more.
		sum := sha256.Sum256(n.secret)
		n.secret = sum[:]
		clear(n.counts)
	}
}

// authenticate lets a request in, or gives the 401 that asks for a password.
func (s *Server) authenticate(req *sip.Request, d *Digest) *refusal {
	stale, why := false, "authentication is needed"
	for _, h := range req.GetHeaders("Authorization") {
		cred, err := digest.ParseCredentials(h.Value())
		if err != nil || cred.Realm != d.Realm {
			continue // of another realm, or not digest (RFC 3261 §22.3)
		}
		switch err := s.judge(req, d, cred); {
		case err == nil:
			return nil
		case errors.Is(err, errElsewhere):
			return refuse(400, err.Error()) // RFC 7616 §3.4.6
		case errors.Is(err, errStale):
			stale, why = true, err.Error()
		default:
			why = err.Error()
		}
	}
	ref := s.challenge(d, stale, why)
	ref.usual = stale || req.GetHeader("Authorization") == nil
	return ref
}

var (
	errStale     = errors.New("the nonce is too old or was used before")
	errWrong     = errors.New("wrong user name or password")
	errElsewhere = errors.New("the uri of the Authorization is not that of the request")
	errUnknown   = errors.New("the algorithm or qop is not one that was offered")
)

// judge checks credentials. Only what shows a right password is told to be stale.
func (s *Server) judge(req *sip.Request, d *Digest, cred *digest.Credentials) error {
	md5 := cred.Algorithm == "" || strings.EqualFold(cred.Algorithm, "MD5")
	if md5 && !d.MD5 || !md5 && !strings.EqualFold(cred.Algorithm, "SHA-256") || cred.QOP != "" && cred.QOP != "auth" || cred.Nc < 0 {
		return errUnknown
	}
	expires, ours := s.nonces.check(cred.Nonce)
	if !ours {
		// The server may have been started anew: not the user's fault.
		return errStale
	}
	if !d.right(req, cred, md5) {
		return errWrong
	}
	if !meant(req, cred.URI) {
		return errElsewhere
	}
	// Without qop there is no count (RFC 2069): such a nonce is good once.
	if s.cfg.Clock.Now().After(expires) || !s.nonces.use(cred.Nonce, uint32(max(cred.Nc, 1)), expires) {
		return errStale
	}
	return nil
}

// right says whether credentials were made with the password of their user.
func (d *Digest) right(req *sip.Request, cred *digest.Credentials, md5 bool) bool {
	for _, u := range d.Users {
		if u.Name != cred.Username {
			continue
		}
		o := digest.Options{
			Method: string(req.Method), URI: cred.URI, Count: cred.Nc, Username: u.Name, Password: u.Password, Cnonce: cred.Cnonce, A1: u.SHA256,
		}
		if md5 {
			o.A1 = u.MD5
		}
		if o.A1 == "" && u.Password == "" {
			continue // a hash of the other algorithm only
		}
		c := &digest.Challenge{Realm: d.Realm, Nonce: cred.Nonce, Algorithm: cred.Algorithm}
		if cred.QOP != "" {
			c.QOP = []string{cred.QOP}
		}
		want, err := digest.Digest(c, o)
		if err == nil && subtle.ConstantTimeCompare([]byte(want.Response), []byte(strings.ToLower(cred.Response))) == 1 {
			return true
		}
	}
	return false
}

// meant says whether the uri of credentials is what a request is for: its Request-URI
// (RFC 7616 §3.4.6) or its To, since a proxy may have rewritten the former (RFC 3261
// §22.4). Ports, users and parameters that one of the two leaves out are no difference.
func meant(req *sip.Request, text string) bool {
	if text == req.Recipient.String() {
		return true
	}
	var uri sip.Uri
	if err := sip.ParseUri(text, &uri); err != nil {
		return false
	}
	return resembles(uri, req.Recipient) || resembles(uri, req.To().Address)
}

func resembles(a, b sip.Uri) bool {
	return equalFold(a.Scheme, b.Scheme) && equalFold(strings.Trim(a.Host, "[]"), strings.Trim(b.Host, "[]")) &&
		(a.Port == b.Port || a.Port == 0 || b.Port == 0) && (a.User == b.User || a.User == "" || b.User == "")
}

// challenge asks for a password: with SHA-256, and behind it with MD5 if that is
// allowed, since an SRC takes the first that it can (RFC 8760 §2.3).
func (s *Server) challenge(d *Digest, stale bool, why string) *refusal {
	nonce := s.nonces.make([]byte(s.random(8)))
	algorithms := []string{"SHA-256"}
	if d.MD5 {
		algorithms = append(algorithms, "MD5")
	}
	ref := refuse(401, why)
	for _, algorithm := range algorithms {
		c := digest.Challenge{Realm: d.Realm, Nonce: nonce, Stale: stale, Algorithm: algorithm, QOP: []string{"auth"}}
		ref.headers = append(ref.headers, sip.NewHeader("WWW-Authenticate", c.String()))
	}
	return ref
}

// scheme is that of a Contact in answer to a request: sips when the request asks for
// sips all the way (RFC 3261 §12.1.1).
func scheme(req *sip.Request) string {
	if uri, _, _, ok := front.ContactURI(req); equalFold(req.Recipient.Scheme, "sips") || ok && equalFold(uri.Scheme, "sips") {
		return "sips"
	}
	return "sip"
}
