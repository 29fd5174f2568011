package conformance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
)

// TestSuiteLogsIn: the suite with a password comes through the group of RFC 7866 at a
// server that asks each request for it, over each transport.
func TestSuiteLogsIn(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		t.Run(network, func(t *testing.T) {
			if testing.Short() && network == "tcp" {
				t.Skip("as over UDP")
			}
			target := start(t, model.Config{Network: network, Asks: true, AsksAlways: true, Account: account(), Reports: true})
			r, err := conformance.Run(t.Context(), target, conformance.Options{Sections: []string{"rfc7866"}, Timeout: 5 * time.Second, Parallel: atATime})
			if err != nil {
				t.Fatal(err)
			}
			if r.Passed < 30 || r.Hint != "" {
				t.Errorf("%d cases passed: %s", r.Passed, r.Hint)
			}
			for _, c := range r.Results {
				if c.Outcome != check.Pass && c.Outcome != check.Skip {
					t.Errorf("%s: %s %v", c.ID, c.Outcome, c.Messages)
				}
			}
		})
	}
}

// TestNobodyLogsIn: cases that need a password are skipped by that name where nobody has
// one, and where nobody claims it.
func TestNobodyLogsIn(t *testing.T) {
	for _, tt := range []struct {
		account  *model.Account
		features []string
		want     string
	}{
		{nil, []string{"digest", check.Password}, "nobody says a user name and password for the server (--user and --password-file)"},
		{account(), []string{"digest"}, "feature not claimed: password"},
	} {
		target := start(t, model.Config{Network: "udp", Asks: true, Account: tt.account})
		r, err := conformance.Run(t.Context(), target, conformance.Options{Sections: []string{"security/digest"}, Features: tt.features})
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range r.Results {
			says := slices.Contains(c.Needs, check.Password)
			if says != (c.Outcome == check.Skip) || says && !slices.Equal(c.Messages, []string{tt.want}) || !says && c.Outcome != check.Pass {
				t.Errorf("%s: %s %q", c.ID, c.Outcome, c.Messages)
			}
		}
	}
}
