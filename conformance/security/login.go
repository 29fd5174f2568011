package security

import (
	"context"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// login are the cases of a server that asks for a password by somebody who has the right
// one (RFC 3261 §22, RFC 7616, RFC 8760).
func login() []check.Case {
	needs := []string{"digest", check.Password}
	return []check.Case{
		{
			ID: "security/digest/7", Section: "RFC 3261 §22.2, RFC 7616 §3.4, RFC 8760 §2.4", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02"},
			Requirement: "The right password opens a recording session, by each algorithm that is offered.",
			Run: func(ctx context.Context, t *check.T) {
				for _, offered := range challenges(t, unknown(ctx, t, nil)) {
					algorithm := offered.Params["algorithm"]
					c := challengeOf(t, unknown(ctx, t, nil), algorithm)
					if c.Strength() < 0 {
						continue // nobody here can answer it
					}
					if m := says(ctx, t, c.Header(right(t, "INVITE"))); m.Status != 200 {
						t.Errorf("the right password by %q was answered %d %s", algorithm, m.Status, m.Reason)
					}
				}
			},
		},
		{
			ID: "security/digest/8", Section: "RFC 3261 §22.2, RFC 7616 §3.4", Level: check.Must, Needs: needs, Shows: []string{"7866-12.1-02"},
			Requirement: "A wrong password of a right user name is refused.",
			Run: func(ctx context.Context, t *check.T) {
				a := right(t, "INVITE")
				a.Password += "x"
				refused(t, says(ctx, t, usable(t, unknown(ctx, t, nil)).Header(a)), "a wrong password")
			},
		},
		{
			ID: "security/digest/9", Section: "RFC 3261 §22.3, RFC 7616 §5.5", Level: check.Must, Needs: needs,
			Requirement: "The right password for a nonce that the server never gave is refused.",
			Run: func(ctx context.Context, t *check.T) {
				c := usable(t, unknown(ctx, t, nil))
				c.Params["nonce"] = strings.Repeat("0123456789abcdef", 2)
				refused(t, says(ctx, t, c.Header(right(t, "INVITE"))), "an invented nonce")
			},
		},
		{
			ID: "security/digest/10", Section: "RFC 7616 §3.3, §5.5", Level: check.Should, Needs: needs, Shows: []string{"3261-22-01"},
			Requirement: "An Authorization that was taken opens no other recording session: its nonce has a count, which is new each time.",
			Run: func(ctx context.Context, t *check.T) {
				heard := usable(t, unknown(ctx, t, nil)).Header(right(t, "INVITE"))
				t.Status(says(ctx, t, heard), 200)
				refused(t, says(ctx, t, heard), "the Authorization of another")
			},
		},
		{
			ID: "security/digest/11", Section: "RFC 3261 §22.4, RFC 7616 §3.4.3", Level: check.Must, Needs: needs,
			Requirement: "A response that is made for another method is refused.",
			Run: func(ctx context.Context, t *check.T) {
				refused(t, says(ctx, t, usable(t, unknown(ctx, t, nil)).Header(right(t, "OPTIONS"))), "the Authorization of an OPTIONS")
			},
		},
		{
			ID: "security/digest/12", Section: "RFC 3261 §22.4, RFC 7616 §3.4.6", Level: check.Should, Needs: needs, Shows: []string{"3261-22-02"},
			Requirement: "A response that is made for a URI of another server is refused.",
			Run: func(ctx context.Context, t *check.T) {
				a := right(t, "INVITE")
				a.URI = "sip:srs@elsewhere.example.net"
				refused(t, says(ctx, t, usable(t, unknown(ctx, t, nil)).Header(a)), "the Authorization for another server")
			},
		},
		{
			ID: "security/digest/13", Section: "RFC 3261 §22.1, §22.2", Level: check.Must, Needs: needs,
			Requirement: "Who opened a recording session by a password changes and ends it, saying the password again where that is asked for.",
			Run: func(ctx context.Context, t *check.T) {
				challenges(t, unknown(ctx, t, nil))
				d := t.Open(ctx, src.Request{})
				m, err := d.Reinvite(ctx, src.Request{Streams: d.WithDirection(src.Inactive)})
				t.Check(err, "re-INVITE")
				t.Status(m, 200)
				m, err = d.Bye(ctx, src.Request{})
				t.Check(err, "BYE")
				t.Status(m, 200)
			},
		},
	}
}

// right is the right answer to a challenge of an INVITE as says sends it, for a method.
func right(t *check.T, method string) src.Answer {
	if t.Credentials() == nil {
		t.Skipf("nobody says a user name and password for the server")
	}
	a := t.Credentials().Answer(method, inviteURI(t))
	a.Count, a.CNonce = 1, "0a4f113b"
	return a
}

// says is the answer to an INVITE with an Authorization and no other.
func says(ctx context.Context, t *check.T, authorization src.Header) *src.Message {
	return unknown(ctx, t, []src.Header{authorization})
}

// usable is the first challenge whose algorithm is known; the case ends without one.
func usable(t *check.T, m *src.Message) src.Challenge {
	for _, c := range challenges(t, m) {
		if c.Strength() >= 0 {
			return c
		}
	}
	t.Skipf("no algorithm of the challenges is known here")
	return src.Challenge{}
}

// challengeOf is the challenge by an algorithm.
func challengeOf(t *check.T, m *src.Message, algorithm string) src.Challenge {
	for _, c := range challenges(t, m) {
		if c.Params["algorithm"] == algorithm {
			return c
		}
	}
	t.Fatalf("the challenge by %q came once and no more", algorithm)
	return src.Challenge{}
}
