package rfc4568

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// audio are the cases of what is in the files of streams that were protected.
func audio() []check.Case {
	return []check.Case{
		stored("rfc4568/6.2/2", "RFC 4568 §6.2.1", check.Must, everyone, "7866-12.2-01", "7866-12.2-02"),
		stored("rfc4568/6.2/3", "RFC 4568 §6.2.2", check.Derived, "AES_CM_128_HMAC_SHA1_32"),
		stored("rfc4568/6.2/4", "RFC 4568 §6.2, RFC 7714 §14.2", check.Derived, "AEAD_AES_128_GCM"),
		stored("rfc4568/6.2/5", "RFC 4568 §6.2, RFC 7714 §14.2", check.Derived, "AEAD_AES_256_GCM"),
	}
}

// stored is a case of one suite; only the one that everyone has must be taken.
func stored(id, section string, level check.Level, suite string, shows ...string) check.Case {
	return check.Case{
		ID: id, Section: section, Level: level, Needs: []string{check.Files}, Shows: append(shows, "DRV4568-6.2-01"),
		Requirement: "What comes under " + suite + " is stored as it was spoken.",
		Run: func(ctx context.Context, t *check.T) {
			a := t.Audio("Nora", "Desk")
			offers, ids := a.Streams(), src.NewIDs(0x4568)
			for i := range offers {
				key, err := ids.SRTPKey(suite)
				t.Check(err, "key")
				offers[i].Keys = []src.SRTPKey{key}
			}
			d := a.Open(ctx, src.Request{Streams: offers})
			if d.Stream(0).Answer().Port == 0 && suite != everyone {
				t.Skipf("%s is not taken", suite)
			}
			a.Say(ctx, 50, src.PlayOptions{})
			a.Stored(ctx)
		},
	}
}
