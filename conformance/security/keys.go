package security

import (
	"context"
	"encoding/base64"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// suite is the one that each implementation has (RFC 4568 §6.2.1).
const suite = "AES_CM_128_HMAC_SHA1_80"

// protected offers two m-lines of SRTP, each with a key of its own.
func protected(t *check.T) []src.StreamOffer {
	ids := src.NewIDs(uint64(time.Now().UnixNano()))
	offers := src.TwoParties()
	for i := range offers {
		key, err := ids.SRTPKey(suite)
		t.Check(err, "key")
		offers[i].Keys = []src.SRTPKey{key}
	}
	return offers
}

// inline is the key of an m-line that is answered with one; empty without.
func inline(m src.MediaLine) string {
	value, _ := m.Attribute("crypto")
	f := strings.Fields(value)
	if len(f) < 3 {
		return ""
	}
	key, _, _ := strings.Cut(strings.TrimPrefix(f[2], "inline:"), "|")
	return key
}

// poor says that a key of 30 octets was not drawn: it has fewer than 12 different ones,
// as one drawn key in 10^13 has.
func poor(key string) bool {
	raw, err := base64.StdEncoding.DecodeString(key)
	if err != nil || len(raw) != 30 {
		return true
	}
	slices.Sort(raw)
	return len(slices.Compact(raw)) < 12
}

// keys are the cases of the keys of SRTP in descriptions.
func keys() []check.Case {
	return []check.Case{
		{
			ID: "security/keys/1", Section: "RFC 4568 §6.1, RFC 3711 §9.1", Level: check.Must, Shows: []string{"DRV4568-5.1.2-01"},
			Requirement: "Each key of the server is drawn anew: those of four recording sessions differ from each other and from all that were offered.",
			Run: func(ctx context.Context, t *check.T) {
				c := t.Client(ctx)
				var known []string
				for range 4 {
					offers := protected(t)
					for _, o := range offers {
						known = append(known, base64.StdEncoding.EncodeToString(slices.Concat(o.Keys[0].Key, o.Keys[0].Salt)))
					}
					for i, m := range t.Answer(openBy(ctx, t, c, src.Request{Streams: offers})).Media {
						key := inline(m)
						switch {
						case slices.Contains(known, key):
							t.Errorf("the key of m-line %d was in use before", i)
						case poor(key):
							t.Errorf("m-line %d is answered without a key of 30 octets, or with one that nobody drew", i)
						}
						known = append(known, key)
					}
				}
			},
		},
		{
			ID: "security/keys/2", Section: "RFC 4568 §7.1.2, RFC 7866 §12.2", Level: check.Must, Shows: []string{"7866-12.2-01"},
			Requirement: "A re-INVITE that leaves the keys of SRTP out is refused, whole or stream by stream, and does not make RTP of it.",
			Run: func(ctx context.Context, t *check.T) {
				offers := protected(t)
				d := t.Open(ctx, src.Request{Streams: offers})
				bare := d.Offers()
				for i := range bare {
					bare[i].Keys, bare[i].Proto = nil, "RTP/SAVP"
				}
				m, err := d.Reinvite(ctx, src.Request{Streams: bare})
				t.Check(err, "re-INVITE")
				if m.Status >= 300 {
					return
				}
				for i, line := range t.Answer(d).Media {
					if line.Port != 0 {
						t.Errorf("m-line %d, of SRTP without a key, is answered %s on port %d", i, line.Proto, line.Port)
					}
				}
			},
		},
		{
			ID: "security/keys/3", Section: "RFC 3264 §6, RFC 4568 §5.1.2", Level: check.Must,
			Requirement: "A re-INVITE that turns SRTP into RTP/AVP is refused, or answered as RTP/AVP without a key: never half.",
			Run: func(ctx context.Context, t *check.T) {
				d := t.Open(ctx, src.Request{Streams: protected(t)})
				plain := d.Offers()
				for i := range plain {
					plain[i].Keys, plain[i].Proto = nil, "RTP/AVP"
				}
				m, err := d.Reinvite(ctx, src.Request{Streams: plain})
				t.Check(err, "re-INVITE")
				if m.Status >= 300 {
					return
				}
				for i, line := range t.Answer(d).Media {
					if line.Port != 0 && (line.Proto != "RTP/AVP" || inline(line) != "") {
						t.Errorf("m-line %d is answered %s on port %d, with a key: %t", i, line.Proto, line.Port, inline(line) != "")
					}
				}
			},
		},
		{
			ID: "security/keys/4", Section: "RFC 4568 §8.3", Level: check.Should, Needs: []string{"protected-keys"},
			Requirement: "Keys that come in the clear, over UDP or TCP, are not accepted.",
			Run: func(ctx context.Context, t *check.T) {
				if t.Transport() == "tls" {
					t.Skipf("over TLS nobody reads keys on the way")
				}
				d := t.Invite(ctx, t.Client(ctx), src.Request{Streams: protected(t)})
				if d.Final().Status >= 300 {
					return
				}
				for i, m := range t.Answer(d).Media {
					if m.Port != 0 && inline(m) != "" {
						t.Errorf("m-line %d accepts a key that came over %s", i, t.Transport())
					}
				}
			},
		},
	}
}
