package security

import (
	"context"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// drawn is how many tags are compared, and free how many characters have to be others
// somewhere: less than 32 bits of base 64 are fewer (RFC 3261 §19.3).
const (
	drawn = 8
	free  = 6
)

// tags are the cases of what nobody may guess.
func tags() []check.Case {
	return []check.Case{{
		ID: "security/tags/1", Section: "RFC 3261 §19.3", Level: check.Must,
		Requirement: "To tags are random, with at least 32 bits: those of 8 recording sessions differ, and not in a few places only.",
		Run: func(ctx context.Context, t *check.T) {
			c := t.Client(ctx)
			var list []string
			for range drawn {
				d := openBy(ctx, t, c, src.Request{Streams: src.TwoParties()[:1]})
				_, tag := d.Tags()
				list = append(list, tag)
			}
			if n := varying(list); n < free {
				t.Errorf("the tags %q differ in %d places, expected at least %d", list, n, free)
			}
			for i, tag := range list {
				for _, other := range list[:i] {
					if tag == other {
						t.Errorf("two recording sessions have the tag %q", tag)
					}
				}
			}
		},
	}}
}

// varying counts the places at which not all texts are the same.
func varying(list []string) (n int) {
	longest := 0
	for _, s := range list {
		longest = max(longest, len(s))
	}
	for i := range longest {
		for _, s := range list[1:] {
			if i >= len(s) || i >= len(list[0]) || s[i] != list[0][i] {
				n++
				break
			}
		}
	}
	return n
}
