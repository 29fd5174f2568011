package src

import (
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// A Challenge is one way to authenticate of a 401 or 407 (RFC 3261 §22, RFC 7616 §3.3).
type Challenge struct {
	Scheme string            // "Digest" or another, as it was written
	Params map[string]string // by names in lower case; quotes around a value are removed, escapes in it stay
	Proxy  bool              // of a 407
}

// Challenges are those of a 401 or 407 in the order in which they came; none of another
// response. Each is a header field of its own (RFC 3261 §20.44).
func Challenges(m *Message) (list []Challenge) {
	name := "WWW-Authenticate"
	switch m.Status {
	case 401:
	case 407:
		name = "Proxy-Authenticate"
	default:
		return nil
	}
	for _, value := range m.All(name) {
		scheme, rest, _ := strings.Cut(value, " ")
		c := Challenge{Scheme: scheme, Params: make(map[string]string), Proxy: m.Status == 407}
		for _, p := range splitOutside(rest, ',') {
			key, v, _ := strings.Cut(p, "=")
			c.Params[strings.ToLower(strings.TrimSpace(key))] = unquoted(strings.TrimSpace(v))
		}
		list = append(list, c)
	}
	return list
}

// unquoted is a value without the quotes around it.
func unquoted(v string) string {
	if len(v) >= 2 && v[0] == '"' && v[len(v)-1] == '"' {
		return v[1 : len(v)-1]
	}
	return v
}

// digests are the algorithms that can be answered, the strongest first (RFC 8760 §2.2).
// Each may have -sess behind its name.
func digests() []string { return []string{"SHA-512-256", "SHA-256", "MD5"} }

// algorithm is the name of the hash, MD5 where none is named, and whether it is -sess.
func (c Challenge) algorithm() (name string, sess bool) {
	name, sess = strings.CutSuffix(strings.ToUpper(c.Params["algorithm"]), "-SESS")
	if name == "" {
		name = "MD5"
	}
	return name, sess
}

// Strength is the place of the algorithm among those that can be answered: 0 is the
// strongest, and -1 one that is not known.
func (c Challenge) Strength() int {
	name, _ := c.algorithm()
	return slices.Index(digests(), name)
}

// Stale says that the password was right and only the nonce too old (RFC 7616 §3.3).
func (c Challenge) Stale() bool { return strings.EqualFold(c.Params["stale"], "true") }

// counts says whether the answer has a qop, and with it a count of its nonce.
func (c Challenge) counts() bool { return c.Params["qop"] != "" }

// answerable says whether the challenge is by Digest, by an algorithm that is known,
// and wants no qop but auth or none.
func (c Challenge) answerable() bool {
	auth := !c.counts()
	for q := range strings.SplitSeq(c.Params["qop"], ",") {
		auth = auth || strings.EqualFold(strings.TrimSpace(q), "auth")
	}
	return strings.EqualFold(c.Scheme, "Digest") && c.Params["nonce"] != "" && c.Strength() >= 0 && auth
}

// hashed is the hash of text by the algorithm of the challenge, in hexadecimal.
func (c Challenge) hashed(text ...string) string {
	var h hash.Hash
	switch name, _ := c.algorithm(); name {
	case "SHA-512-256":
		h = sha512.New512_256()
	case "SHA-256":
		h = sha256.New()
	default:
		h = md5.New()
	}
	h.Write([]byte(strings.Join(text, ":")))
	return hex.EncodeToString(h.Sum(nil))
}

// An Answer says what a challenge is answered with.
type Answer struct {
	Name, Password string
	Method, URI    string // of the request; the response is made of them
	Count          uint32 // how often the nonce was used, this time too: from 1; sent with a qop only
	CNonce         string // any text without quotes; sent with a qop, or for -sess
	Response       string // hexadecimal digits instead of the right ones; empty for these
}

// Header answers the challenge (RFC 7616 §3.4): Authorization, or Proxy-Authorization
// for a 407.
func (c Challenge) Header(a Answer) Header {
	realm, nonce := c.Params["realm"], c.Params["nonce"]
	_, sess := c.algorithm()
	count := fmt.Sprintf("%08x", a.Count)
	a1 := c.hashed(a.Name, realm, a.Password)
	if sess {
		a1 = c.hashed(a1, nonce, a.CNonce)
	}
	a2 := c.hashed(a.Method, a.URI)
	response := a.Response
	switch {
	case response != "":
	case c.counts():
		response = c.hashed(a1, nonce, count, a.CNonce, "auth", a2)
	default: // RFC 7616 §3.4.1 has a qop always, RFC 2617 §3.2.2.1 had not
		response = c.hashed(a1, nonce, a2)
	}
	name := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(a.Name)
	value := fmt.Sprintf(`Digest username="%s", realm="%s", nonce="%s", uri="%s", response="%s"`, name, realm, nonce, a.URI, response)
	if v, given := c.Params["algorithm"]; given {
		value += ", algorithm=" + v
	}
	if v, given := c.Params["opaque"]; given {
		value += fmt.Sprintf(`, opaque="%s"`, v)
	}
	if c.counts() || sess {
		value += fmt.Sprintf(`, cnonce="%s"`, a.CNonce)
	}
	if c.counts() {
		value += ", qop=auth, nc=" + count
	}
	if c.Proxy {
		return Header{"Proxy-Authorization", value}
	}
	return Header{"Authorization", value}
}
