package siprec

import (
	"errors"
	"maps"
	"sync/atomic"
	"testing"

	"github.com/icholy/digest"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestFigures: each initial INVITE is counted once, by what became of it, and requests
// within a dialog are not.
func TestFigures(t *testing.T) {
	var admit atomic.Value
	admit.Store(SRC{Name: "sbc", Digest: aDigest()})
	d := newDesk(t, nil, func(c *Config) {
		c.MaxRecordingSessions = 2
		c.Redirect = []string{"sip:192.0.2.1"}
		c.Admit = func(Origin) (SRC, error) {
			s := admit.Load().(SRC)
			if s.Name == "" {
				return s, errors.New("not on the list")
			}
			return s, nil
		}
	})
	c := challenges(t, d.invite(src.Request{}).Final())[0]
	challenges(t, d.invite(src.Request{Headers: []src.Header{answerTo(t, c, digest.Options{Password: "wrong"})}}).Final())
	if f := d.invite(src.Request{Headers: []src.Header{answerTo(t, c, digest.Options{Password: "right"})}}).Final(); f.Status != 200 {
		t.Fatalf("answered %d", f.Status)
	}
	d.want(Offered)
	admit.Store(SRC{Name: "pbx", MaxRecordingSessions: 1})
	dialog := d.invite(src.Request{})
	d.want(Offered)
	if m, err := dialog.Reinvite(t.Context(), src.Request{Require: []string{"nothing-known"}}); err != nil || m.Status != 420 {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
	d.invite(src.Request{}) // one too many of all
	admit.Store(SRC{})
	d.invite(src.Request{})

	got := d.server.Figures()
	if want := map[string]uint64{"sbc": 1, "pbx": 1}; got.Up != 2 || !maps.Equal(got.Accepted, want) {
		t.Errorf("%d up, accepted %v, want %v", got.Up, got.Accepted, want)
	}
	want := map[Refusal]uint64{{401, RefusedChallenged}: 1, {401, RefusedCredentials}: 1, {302, RefusedFull}: 1, {403, RefusedStranger}: 1}
	if !maps.Equal(got.Refused, want) {
		t.Errorf("refused %v, want %v", got.Refused, want)
	}
}

// TestRefusalReasons: a status says the reason where nothing else does.
func TestRefusalReasons(t *testing.T) {
	for status, want := range map[int]RefusalReason{
		400: RefusedMalformed, 401: RefusedCredentials, 403: RefusedForbidden, 415: RefusedUnsupported, 420: RefusedUnsupported,
		422: RefusedUnacceptable, 487: RefusedCancelled, 488: RefusedUnacceptable, 503: RefusedUnavailable, 482: RefusedOther, 500: RefusedOther,
	} {
		if got := refuse(status, "").why(); got != want {
			t.Errorf("%d is %s, want %s", status, got, want)
		}
	}
}
