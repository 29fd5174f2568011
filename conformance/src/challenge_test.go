package src_test

import (
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// challengesOf are those of a 401 with these header fields.
func challengesOf(t *testing.T, values ...string) []src.Challenge {
	t.Helper()
	text := "SIP/2.0 401 Unauthorized\r\n"
	for _, v := range values {
		text += "WWW-Authenticate: " + v + "\r\n"
	}
	m, err := src.Parse([]byte(text + "\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	return src.Challenges(m)
}

// TestDigestVectors: the example of RFC 7616 §3.9.1, and values that were computed by
// hand with another program for each algorithm, with -sess and without qop.
func TestDigestVectors(t *testing.T) {
	mufasa := src.Answer{
		Name: "Mufasa", Password: "Circle of Life", Method: "GET", URI: "/dir/index.html", Count: 1,
		CNonce: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
	}
	const lion = `Digest realm="http-auth@example.org", qop="auth, auth-int", nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"`
	ida := src.Answer{
		Name: `Ida "the" Desk`, Password: "s3cret, and long", Method: "INVITE", URI: "sip:srs@192.0.2.7", Count: 10, CNonce: "c0unter",
	}
	const desk = `Digest realm="record.example", nonce="n0nce"`
	for _, tt := range []struct {
		challenge string
		answer    src.Answer
		want      string
	}{
		{lion + ", algorithm=MD5", mufasa, "8ca523f5e9506fed4657c9700eebdbec"},
		{lion + ", algorithm=SHA-256", mufasa, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"},
		{desk + `,qop="auth"`, ida, "d2e747150c8c2051e4d785f0ebc9ac6f"},
		{desk + `,qop="auth", algorithm=MD5-sess`, ida, "facd217f45d17a0cf6a121f620f564eb"},
		{desk, ida, "22b15790367edc78c37fbb4d411ba2af"},
		{desk + `,qop=auth,algorithm=sha-256`, ida, "83f54a8ac8f19d73740319309ba5c453ddcfd6f11cc755a0ecccf1456aa18977"},
		{desk + `,qop="auth",algorithm=SHA-256-sess`, ida, "8e4edb8c835b4516bbf68ab4947ef1e764e8a1812184b67138e032b3c50b70ad"},
		{desk + ",algorithm=SHA-256", ida, "272018db3e41e3f646779337af3cd0d71609dc48887f1b8689f22167c90fccb7"},
		{desk + `,qop="auth",algorithm=SHA-512-256`, ida, "7cbcce023b54b5dcfad2f4f303aeead6247d66c0afcd17e25d7cb5fbe4bca388"},
		{desk + `,qop="auth",algorithm=SHA-512-256-sess`, ida, "621f33985aa0da586690269083265485357e2ba48c453b2c0f0ed850a683286b"},
	} {
		c := challengesOf(t, tt.challenge)[0]
		got := c.Header(tt.answer)
		if got.Name != "Authorization" || !strings.Contains(got.Value, `response="`+tt.want+`"`) {
			t.Errorf("%s is answered by %s: %s, want %s", tt.challenge, got.Name, got.Value, tt.want)
		}
	}
}

// TestAnswerToChallenge: what was asked for comes back, a count only where there is a
// qop, and quotes of the name are escaped.
func TestAnswerToChallenge(t *testing.T) {
	a := src.Answer{Name: `a"b\c`, Password: "p", Method: "BYE", URI: "sip:x", Count: 31, CNonce: "cc"}
	full := challengesOf(t, `Digest realm="r, \"x\"",nonce="n",opaque="",algorithm=SHA-256,qop="auth"`)[0].Header(a).Value
	for _, want := range []string{`username="a\"b\\c"`, `realm="r, \"x\""`, `nonce="n"`, `uri="sip:x"`, `opaque=""`, "algorithm=SHA-256", "qop=auth", "nc=0000001f", `cnonce="cc"`} {
		if !strings.Contains(full, want) {
			t.Errorf("%s does not hold %s", full, want)
		}
	}
	old := challengesOf(t, `Digest realm="r", nonce="n"`)[0].Header(a).Value
	for _, wrong := range []string{"qop", "nc=", "cnonce", "opaque", "algorithm"} {
		if strings.Contains(old, wrong) {
			t.Errorf("%s holds %s", old, wrong)
		}
	}
}

func TestCredentialsThatCannotBe(t *testing.T) {
	for _, tt := range [][2]string{{"", "p"}, {"a:b", "p"}, {"a\r\nX: 1", "p"}, {"a", ""}, {"a", "p\x00"}} {
		if c, err := src.NewCredentials(tt[0], tt[1]); err == nil || c != nil {
			t.Errorf("%q and %q are credentials", tt[0], tt[1])
		}
	}
}
