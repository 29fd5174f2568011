package robustness

import (
	"context"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
)

func TestCasesPassOnTheModel(t *testing.T) {
	for _, network := range []string{"udp", "tcp"} {
		s, err := model.Start(model.Config{Network: network})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		})
		for _, c := range Cases() {
			ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
			r := check.Perform(ctx, c, check.Target{Address: s.Addr(), Transport: network})
			if r.Outcome != check.Pass && r.Outcome != check.Skip {
				t.Errorf("%s %s: %s %v", network, r.ID, r.Outcome, r.Messages)
			}
			cancel()
		}
	}
}
