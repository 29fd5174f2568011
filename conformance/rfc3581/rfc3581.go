// Package rfc3581 checks symmetric response routing (RFC 3581).
package rfc3581

import (
	"context"
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return []check.Case{{
		ID: "rfc3581/4/1", Section: "RFC 3581 §4", Level: check.Must, Needs: []string{"udp"},
		Shows:       []string{"3581-4-01", "3261-18.2.1-01"},
		Requirement: "An empty rport in the Via comes back with the port that the request came from.",
		Run: func(ctx context.Context, t *check.T) {
			if t.Transport() != "udp" {
				t.Skipf("responses over %s use its connection", t.Transport())
			}
			c := t.Client(ctx)
			via := t.Do(ctx, c, "OPTIONS", src.Request{}).Get("Via")
			if !strings.Contains(via+";", fmt.Sprintf(";rport=%d;", c.Local().Port())) {
				t.Errorf("Via is %q, the request came from port %d", via, c.Local().Port())
			}
		},
	}}
}
