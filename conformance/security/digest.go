package security

import (
	"context"
	"math"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// digest are the cases of a server that asks for a password (RFC 3261 §22, RFC 7616,
// RFC 8760). These need none: what they say is never right.
func digest() []check.Case {
	needs := []string{"digest"}
	return []check.Case{
		{
			ID: "security/digest/1", Section: "RFC 3261 §22.1, §20.44, RFC 8760 §2.3", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02", "3261-22-01"},
			Requirement: "A challenge is by Digest, with realm, nonce and qop auth, and one for each algorithm, the strongest first.",
			Run: func(ctx context.Context, t *check.T) {
				list := challenges(t, unknown(ctx, t, nil))
				var strengths []int
				for _, c := range list {
					if !strings.EqualFold(c.Scheme, "Digest") {
						t.Errorf("a challenge is by %s", c.Scheme)
					}
					if c.Params["realm"] == "" || c.Params["nonce"] == "" {
						t.Errorf("a challenge has realm %q and nonce %q", c.Params["realm"], c.Params["nonce"])
					}
					if !slices.Contains(strings.Split(strings.ReplaceAll(c.Params["qop"], " ", ""), ","), "auth") {
						t.Errorf("a challenge has qop %q, expected auth in it", c.Params["qop"])
					}
					strengths = append(strengths, strength(c))
				}
				if !slices.IsSorted(strengths) || len(slices.Compact(slices.Clone(strengths))) != len(strengths) {
					t.Errorf("the algorithms are not each once and the strongest first")
				}
			},
		},
		{
			ID: "security/digest/2", Section: "RFC 3261 §22.1, RFC 7616 §5.12", Level: check.Derived, Needs: needs,
			Requirement: "Nonces of two challenges differ.",
			Run: func(ctx context.Context, t *check.T) {
				first, second := challenges(t, unknown(ctx, t, nil)), challenges(t, unknown(ctx, t, nil))
				if first[0].Params["nonce"] == second[0].Params["nonce"] {
					t.Errorf("the nonce %q came twice", first[0].Params["nonce"])
				}
			},
		},
		{
			ID: "security/digest/3", Section: "RFC 3261 §22.2, RFC 7616 §3.3", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02"},
			Requirement: "A response that is not of the password is refused.",
			Run: func(ctx context.Context, t *check.T) {
				c := challenges(t, unknown(ctx, t, nil))[0]
				refused(t, unknown(ctx, t, []src.Header{guess(t, c)}), "a wrong response")
			},
		},
		{
			ID: "security/digest/4", Section: "RFC 3261 §22.3, RFC 7616 §3.3", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02"},
			Requirement: "Credentials for a nonce that the server never gave are refused.",
			Run: func(ctx context.Context, t *check.T) {
				c := challenges(t, unknown(ctx, t, nil))[0]
				c.Params["nonce"] = "0123456789abcdef0123456789abcdef"
				refused(t, unknown(ctx, t, []src.Header{guess(t, c)}), "an invented nonce")
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

// unknown is the answer to an INVITE of somebody without a password, with these header
// fields.
func unknown(ctx context.Context, t *check.T, headers []src.Header) *src.Message {
	return t.Invite(ctx, t.Client(ctx), src.Request{
		RequestURI: inviteURI(t), Streams: src.TwoParties(), Headers: headers, NoCredentials: true,
	}).Final()
}

func refused(t *check.T, m *src.Message, what string) {
	if m.Status < 400 {
		t.Errorf("the INVITE with %s was answered %d", what, m.Status)
	}
}

// challenges are those of a response; the case ends when it is no challenge.
func challenges(t *check.T, m *src.Message) []src.Challenge {
	if m.Status != 401 && m.Status != 407 {
		t.Skipf("the server asks for no password: INVITE was answered %d", m.Status)
	}
	list := src.Challenges(m)
	if len(list) == 0 {
		t.Fatalf("%d has no WWW-Authenticate or Proxy-Authenticate", m.Status)
	}
	return list
}

// strength is the place of the algorithm among those that are known, the strongest
// first; those that nobody knows are last.
func strength(c src.Challenge) int {
	if n := c.Strength(); n >= 0 {
		return n
	}
	return math.MaxInt
}

// guess answers a challenge with a response that is not one.
func guess(t *check.T, c src.Challenge) src.Header {
	digits := 64
	if a := strings.ToUpper(c.Params["algorithm"]); a == "" || strings.HasPrefix(a, "MD5") {
		digits = 32
	}
	return c.Header(src.Answer{Name: "src", URI: inviteURI(t), Count: 1, CNonce: "f00d", Response: strings.Repeat("0", digits)})
}

// inviteURI is the Request-URI of an INVITE that opens a recording session.
func inviteURI(t *check.T) string {
	if uri := t.RequestURI(); uri != "" {
		return uri
	}
	if t.Transport() == "udp" {
		return "sip:srs@" + t.Address()
	}
	return "sip:srs@" + t.Address() + ";transport=" + t.Transport()
}
