package siprec

import (
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/icholy/digest"

	"github.com/siprecd/siprecd/conformance/src"
)

const md5OfRight = "2a0fcaab1a1ce834cb07745680578d1b"

// guarded is a desk whose SRC has to say a password.
func guarded(t *testing.T, d *Digest) *desk {
	return newDesk(t, nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{Name: "sbc", Digest: d}, nil }
	})
}

func aDigest() *Digest {
	return &Digest{Realm: "rec.example", Users: []User{{Name: "sbc", Password: "right"}}}
}

// challenges reads those of a 401.
func challenges(t *testing.T, m *src.Message) []*digest.Challenge {
	t.Helper()
	if m.Status != 401 {
		t.Fatalf("answered %d %s, want 401", m.Status, m.Get("Warning"))
	}
	var out []*digest.Challenge
	for _, v := range m.All("WWW-Authenticate") {
		c, err := digest.ParseChallenge(v)
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		t.Fatal("a 401 without a challenge")
	}
	return out
}

// answerTo makes the header field that answers a challenge.
func answerTo(t *testing.T, c *digest.Challenge, o digest.Options) src.Header {
	t.Helper()
	if o.Username == "" {
		o.Username = "sbc"
	}
	if o.Method == "" {
		o.Method = "INVITE"
	}
	if o.URI == "" {
		o.URI = "sip:srs@127.0.0.1"
	}
	cred, err := digest.Digest(c, o)
	if err != nil {
		t.Fatal(err)
	}
	return src.Header{Name: "Authorization", Value: cred.String()}
}

// Shows 7866-12.1-02, 3261-22-01.
func TestDigest(t *testing.T) {
	d := guarded(t, aDigest())
	c := challenges(t, d.invite(src.Request{}).Final())
	if len(c) != 1 || c[0].Algorithm != "SHA-256" || c[0].Realm != "rec.example" || c[0].Stale || !c[0].SupportsQOP("auth") {
		t.Fatalf("challenges are %+v", c)
	}
	first := answerTo(t, c[0], digest.Options{Password: "right", Count: 1})
	dialog := d.invite(src.Request{Headers: []src.Header{first}})
	if dialog.Final().Status != 200 {
		t.Fatalf("a right password got %d %s", dialog.Final().Status, dialog.Final().Get("Warning"))
	}
	d.want(Offered)

	// Replayed, by another INVITE.
	again := challenges(t, d.invite(src.Request{Headers: []src.Header{first}}).Final())
	if !again[0].Stale || again[0].Nonce == c[0].Nonce {
		t.Errorf("a replay got %+v", again[0])
	}
	// Within the dialog each request but ACK is asked too.
	bye, err := dialog.Bye(t.Context(), src.Request{})
	if err != nil {
		t.Fatal(err)
	}
	c = challenges(t, bye)
	bye, err = dialog.Bye(t.Context(), src.Request{Headers: []src.Header{answerTo(t, c[0], digest.Options{Method: "BYE", Password: "right", Count: 1})}})
	if err != nil || bye.Status != 200 {
		t.Fatalf("BYE with a password: %v, %v", bye, err)
	}
	d.want(Ended)
}

// Shows 7866-12.1-02.
func TestDigestRefused(t *testing.T) {
	d := guarded(t, aDigest())
	c := challenges(t, d.invite(src.Request{}).Final())[0]
	forged := *c
	forged.Nonce = strings.Repeat("A", len(c.Nonce))
	foreign := *c
	foreign.Realm = "other.example"
	simple := *c
	simple.Algorithm = "MD5"
	for _, tt := range []struct {
		name   string
		header src.Header
		stale  bool
	}{
		{"wrong password", answerTo(t, c, digest.Options{Password: "wrong"}), false},
		{"another user", answerTo(t, c, digest.Options{Username: "other", Password: "right"}), false},
		{"another method", answerTo(t, c, digest.Options{Method: "BYE", Password: "right"}), false},
		{"MD5 that is not allowed", answerTo(t, &simple, digest.Options{Password: "right"}), false},
		{"a nonce of somebody else", answerTo(t, &forged, digest.Options{Password: "right"}), true},
		{"another realm", answerTo(t, &foreign, digest.Options{Password: "right"}), false},
		{"no digest", src.Header{Name: "Authorization", Value: "Basic c2JjOnJpZ2h0"}, false},
		{"nothing readable", src.Header{Name: "Authorization", Value: `Digest username="sbc`}, false},
		{"a negative count", src.Header{Name: "Authorization", Value: fmt.Sprintf(`Digest username="sbc", realm="rec.example", nonce="%s", uri="sip:x", algorithm=SHA-256, qop=auth, nc=-1, cnonce="x", response="x"`, c.Nonce)}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := challenges(t, d.invite(src.Request{Headers: []src.Header{tt.header}}).Final())
			if got[0].Stale != tt.stale {
				t.Errorf("stale=%v", got[0].Stale)
			}
		})
	}
	// A right one after all that.
	if f := d.invite(src.Request{Headers: []src.Header{answerTo(t, c, digest.Options{Password: "right"})}}).Final(); f.Status != 200 {
		t.Errorf("answered %d", f.Status)
	}
	d.want(Offered)
}

// TestDigestAge: an old nonce is stale when the password is right, and only then.
// Shows 3261-22-01.
func TestDigestAge(t *testing.T) {
	d := guarded(t, aDigest())
	c := challenges(t, d.invite(src.Request{}).Final())[0]
	d.clock.advance(nonceAge + time.Second)
	if got := challenges(t, d.invite(src.Request{Headers: []src.Header{answerTo(t, c, digest.Options{Password: "wrong"})}}).Final()); got[0].Stale {
		t.Error("a wrong password is told that its nonce is old")
	}
	got := challenges(t, d.invite(src.Request{Headers: []src.Header{answerTo(t, c, digest.Options{Password: "right"})}}).Final())
	if !got[0].Stale {
		t.Error("an old nonce is not stale")
	}
	if f := d.invite(src.Request{Headers: []src.Header{answerTo(t, got[0], digest.Options{Password: "right"})}}).Final(); f.Status != 200 {
		t.Errorf("with the new nonce answered %d", f.Status)
	}
	d.want(Offered)
}

// TestDigestHashes: passwords need not be known; MD5 comes second, and without qop a
// nonce is good once.
// Shows 3261-22-01.
func TestDigestHashes(t *testing.T) {
	d := guarded(t, &Digest{Realm: "rec.example", MD5: true, Users: []User{{Name: "sbc", MD5: md5OfRight}, {Name: "other", SHA256: "00"}}})
	c := challenges(t, d.invite(src.Request{}).Final())
	if len(c) != 2 || c[0].Algorithm != "SHA-256" || c[1].Algorithm != "MD5" {
		t.Fatalf("challenges are %+v", c)
	}
	challenges(t, d.invite(src.Request{Headers: []src.Header{answerTo(t, c[0], digest.Options{Password: "right"})}}).Final())
	old := *c[1]
	old.QOP = nil
	header := answerTo(t, &old, digest.Options{Password: "right"})
	if f := d.invite(src.Request{Headers: []src.Header{header}}).Final(); f.Status != 200 {
		t.Fatalf("answered %d %s", f.Status, f.Get("Warning"))
	}
	d.want(Offered)
	if got := challenges(t, d.invite(src.Request{Headers: []src.Header{header}}).Final()); !got[0].Stale {
		t.Error("a nonce without a count was good twice")
	}
}

// TestNonceCounts: counts may come in any order, but none twice and none from far
// behind.
// Shows 3261-22-01.
func TestNonceCounts(t *testing.T) {
	now := time.Now()
	n := newNonces([]byte("secret"), func() time.Time { return now })
	expires := now.Add(nonceAge)
	for i, tt := range []struct {
		nc   uint32
		want bool
	}{{5, true}, {5, false}, {3, true}, {3, false}, {4, true}, {70, true}, {6, false}, {7, true}, {7, false}, {69, true}, {1 << 31, true}, {70, false}, {1<<31 - 1, true}} {
		if got := n.use("n", tt.nc, expires); got != tt.want {
			t.Errorf("%d: count %d is %v", i, tt.nc, got)
		}
	}
}

// TestNoncesAreBounded: what right passwords leave behind is bounded, and a nonce
// whose count was forgotten is not good any more.
func TestNoncesAreBounded(t *testing.T) {
	now := time.Now()
	n := newNonces([]byte("secret"), func() time.Time { return now })
	first := n.make([]byte("12345678"))
	expires, ours := n.check(first)
	if !ours || !expires.Equal(time.UnixMilli(now.UnixMilli()).Add(nonceAge)) || !n.use(first, 1, expires) {
		t.Fatal("a nonce is not good")
	}
	for i := range nonceMost {
		n.use(fmt.Sprint(i), 1, expires)
	}
	if len(n.counts) > nonceMost {
		t.Errorf("%d counts are kept", len(n.counts))
	}
	if _, ours := n.check(first); ours {
		t.Error("a nonce may be used again")
	}
	now = now.Add(nonceAge + time.Minute)
	for i := range nonceMost {
		n.use(fmt.Sprint("later", i), 1, now.Add(nonceAge))
	}
	if len(n.counts) > nonceMost {
		t.Errorf("%d counts are kept", len(n.counts))
	}
}

// FuzzDigest: no Authorization makes the server panic or lets anybody in.
func FuzzDigest(f *testing.F) {
	f.Add(`Digest username="sbc", realm="rec.example", nonce="x", uri="sip:x", response="y"`)
	f.Add(`Digest username="sbc", realm="rec.example", nonce="x", uri="sip:x", qop=auth, nc=00000001, cnonce="z", algorithm=SHA-256, response=""`)
	f.Add("Digest ")
	cfg := Config{}
	cfg.complete()
	s := &Server{cfg: cfg, nonces: newNonces([]byte("secret"), time.Now)}
	f.Fuzz(func(t *testing.T, value string) {
		if ref := s.authenticate(inviteWith("Authorization: "+value), aDigest()); ref == nil || ref.status != 401 {
			t.Errorf("%q got %+v", value, ref)
		}
	})
}

// TestDigestURI: credentials are for the request that they came with.
// Shows 3261-22-02.
func TestDigestURI(t *testing.T) {
	d := guarded(t, aDigest())
	_, port, err := net.SplitHostPort(d.server.Endpoints()[0].Address)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		uri, request string
		status       int
	}{
		{"sip:srs@REC.example", "sip:srs@rec.example:" + port, 200},
		{"sip:srs@rec.example:" + port + ";transport=udp", "sip:srs@rec.example", 200},
		{"sip:rec.example", "sip:srs@rec.example", 200},
		{"sip:rec.example", "sip:rec.example:5060", 200},
		{"sip:other@rec.example", "sip:srs@rec.example", 400},
		{"sip:srs@other.example", "sip:srs@rec.example", 400},
		{"sip:srs@rec.example:1", "sip:srs@rec.example:2", 400},
		{"sips:srs@rec.example", "sip:srs@rec.example", 400},
		{"rec", "sip:srs@rec.example", 400},
		{"sip:srs@dialled.example", "sip:srs@rec.example", 200}, // its To
	} {
		c := challenges(t, d.invite(src.Request{}).Final())[0]
		r := src.Request{RequestURI: tt.request, Headers: []src.Header{answerTo(t, c, digest.Options{Password: "right", URI: tt.uri})}}
		if strings.Contains(tt.uri, "dialled") {
			r.To = tt.uri
		}
		f := d.invite(r).Final()
		if f.Status != tt.status || f.Status == 400 && !f.Has("Warning") {
			t.Errorf("uri %s of %s got %d %s", tt.uri, tt.request, f.Status, f.Get("Warning"))
		}
		if f.Status == 200 {
			d.want(Offered)
		}
	}
}
