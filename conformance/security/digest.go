package security

import (
	"context"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// digest are the cases of a server that asks for a password (RFC 3261 §22, RFC 7616,
// RFC 8760). They need none: what they say is never right.
func digest() []check.Case {
	needs := []string{"digest"}
	return []check.Case{
		{
			ID: "security/digest/1", Section: "RFC 3261 §22.1, §20.44, RFC 8760 §2.3", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02", "3261-22-01"},
			Requirement: "A challenge is by Digest, with realm, nonce and qop auth, and one for each algorithm, the strongest first.",
			Run: func(ctx context.Context, t *check.T) {
				list := challenges(t, unknown(ctx, t, nil))
				var algorithms []string
				for _, c := range list {
					if !strings.EqualFold(c.scheme, "Digest") {
						t.Errorf("a challenge is by %s", c.scheme)
					}
					if c.params["realm"] == "" || c.params["nonce"] == "" {
						t.Errorf("a challenge has realm %q and nonce %q", c.params["realm"], c.params["nonce"])
					}
					if !slices.Contains(strings.Split(strings.ReplaceAll(c.params["qop"], " ", ""), ","), "auth") {
						t.Errorf("a challenge has qop %q, expected auth in it", c.params["qop"])
					}
					algorithms = append(algorithms, strength(c.params["algorithm"]))
				}
				if !slices.IsSorted(algorithms) || len(slices.Compact(slices.Clone(algorithms))) != len(algorithms) {
					t.Errorf("the algorithms are not each once and the strongest first")
				}
			},
		},
		{
			ID: "security/digest/2", Section: "RFC 3261 §22.1, RFC 7616 §5.12", Level: check.Derived, Needs: needs,
			Requirement: "Nonces of two challenges differ.",
			Run: func(ctx context.Context, t *check.T) {
				first, second := challenges(t, unknown(ctx, t, nil)), challenges(t, unknown(ctx, t, nil))
				if first[0].params["nonce"] == second[0].params["nonce"] {
					t.Errorf("the nonce %q came twice", first[0].params["nonce"])
				}
			},
		},
		{
			ID: "security/digest/3", Section: "RFC 3261 §22.2, RFC 7616 §3.3", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02"},
			Requirement: "A response that is not of the password is refused.",
			Run: func(ctx context.Context, t *check.T) {
				c := challenges(t, unknown(ctx, t, nil))[0]
				refused(t, unknown(ctx, t, []src.Header{c.credentials(t, strings.Repeat("0", c.digits()))}), "a wrong response")
			},
		},
		{
			ID: "security/digest/4", Section: "RFC 3261 §22.3, RFC 7616 §3.3", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02"},
			Requirement: "Credentials for a nonce that the server never gave are refused.",
			Run: func(ctx context.Context, t *check.T) {
				c := challenges(t, unknown(ctx, t, nil))[0]
				c.params["nonce"] = "0123456789abcdef0123456789abcdef"
				refused(t, unknown(ctx, t, []src.Header{c.credentials(t, strings.Repeat("0", c.digits()))}), "an invented nonce")
			},
		},
		{
			ID: "security/digest/5", Section: "RFC 3261 §22", Level: check.Must, Needs: needs,
			Requirement: "Credentials by Basic are not taken.",
			Run: func(ctx context.Context, t *check.T) {
				challenges(t, unknown(ctx, t, nil))
				refused(t, unknown(ctx, t, []src.Header{{Name: "Authorization", Value: "Basic c3JjOnNlY3JldA=="}}), "Basic")
			},
		},
		{
			ID: "security/digest/6", Section: "RFC 3261 §22.1", Level: check.Must, Needs: needs,
			Requirement: "A CANCEL is not challenged, since nobody can answer that.",
			Run: func(ctx context.Context, t *check.T) {
				challenges(t, unknown(ctx, t, nil))
				m := t.Do(ctx, t.Client(ctx), "CANCEL", src.Request{})
				if m.Status == 401 || m.Status == 407 {
					t.Errorf("CANCEL was answered %d", m.Status)
				}
			},
		},
	}
}

// unknown is the answer to an INVITE with these header fields.
func unknown(ctx context.Context, t *check.T, headers []src.Header) *src.Message {
	return t.Invite(ctx, t.Client(ctx), src.Request{Streams: src.TwoParties(), Headers: headers}).Final()
}

func refused(t *check.T, m *src.Message, what string) {
	if m.Status < 400 {
		t.Errorf("the INVITE with %s was answered %d", what, m.Status)
	}
}

// A challenge is one of a 401 or 407.
type challenge struct {
	scheme string
	params map[string]string // by names in lower case
	proxy  bool
}

// challenges are those of a response; the case ends when it is no challenge.
func challenges(t *check.T, m *src.Message) (list []challenge) {
	if m.Status != 401 && m.Status != 407 {
		t.Skipf("the server asks for no password: INVITE was answered %d", m.Status)
	}
	name := "WWW-Authenticate"
	if m.Status == 407 {
		name = "Proxy-Authenticate"
	}
	for _, value := range m.All(name) {
		scheme, rest, _ := strings.Cut(value, " ")
		c := challenge{scheme: scheme, params: make(map[string]string), proxy: m.Status == 407}
		for _, p := range parameters(rest) {
			key, v, _ := strings.Cut(p, "=")
			c.params[strings.ToLower(strings.TrimSpace(key))] = strings.Trim(strings.TrimSpace(v), `"`)
		}
		list = append(list, c)
	}
	if len(list) == 0 {
		t.Fatalf("%d has no %s", m.Status, name)
	}
	return list
}

// parameters splits at commas outside of quotes.
func parameters(s string) []string {
	quoted := false
	return strings.FieldsFunc(s, func(r rune) bool {
		if r == '"' {
			quoted = !quoted
		}
		return r == ',' && !quoted
	})
}

// strength sorts algorithms, the strongest first; those that nobody knows are last.
func strength(algorithm string) string {
	switch strings.ToUpper(strings.TrimSuffix(algorithm, "-sess")) {
	case "SHA-512-256":
		return "1"
	case "SHA-256":
		return "2"
	case "", "MD5":
		return "3"
	}
	return "4 " + algorithm
}

// digits is the length of a response.
func (c challenge) digits() int {
	if strength(c.params["algorithm"]) == "3" {
		return 32
	}
	return 64
}

// credentials answer a challenge with a response that is not one.
func (c challenge) credentials(t *check.T, response string) src.Header {
	value := `Digest username="src", realm="` + c.params["realm"] + `", nonce="` + c.params["nonce"] + `", uri="sip:srs@` + t.Address() +
		`", response="` + response + `", qop=auth, nc=00000001, cnonce="f00d"`
	if a := c.params["algorithm"]; a != "" {
		value += ", algorithm=" + a
	}
	if o := c.params["opaque"]; o != "" {
		value += `, opaque="` + o + `"`
	}
	if c.proxy {
		return src.Header{Name: "Proxy-Authorization", Value: value}
	}
	return src.Header{Name: "Authorization", Value: value}
}
