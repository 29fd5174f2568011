package policy

import (
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// Settings say how scenarios are played as cases of the suite.
type Settings struct {
	// Player plays them. Where the server is and how it is reached is the target of
	// the run, in place of its SRC.
	Player Player
	// Wait is the time for what the server writes to be finished, from the BYE on;
	// default 1 min.
	Wait time.Duration
}

// maxInstants bounds how long a scenario takes, in instants.
const maxInstants = 60

// Cases makes a case of each scenario, policy/<its ID>; those about access are left out,
// as they are about no call. A scenario that cannot be played is skipped. The cases
// share what they know of the data folder; Settings must not change while they run.
func Cases(s Settings, all []scenario.Scenario) (cases []check.Case) {
	if s.Wait == 0 {
		s.Wait = time.Minute
	}
	shelf := newShelf(s.Player.Data)
	for i, one := range all {
		if one.Access != nil {
			continue
		}
		cases = append(cases, check.Case{
			ID: "policy/" + one.ID, Section: "scenario, " + one.Class.String(), Level: check.Derived,
			Requirement: one.Title + ".",
			Timeout:     maxInstants*s.Player.gap() + s.Wait,
			Run:         func(ctx context.Context, t *check.T) { s.run(ctx, t, shelf, one, i+1) },
		})
	}
	return cases
}

// run plays a scenario and judges what was written of it.
func (s Settings) run(ctx context.Context, t *check.T, shelf *shelf, one scenario.Scenario, number int) {
	if why := Excluded(one, s.Player.dialect()); why != "" {
		t.Skipf("cannot be played: %s", why)
	}
	p := s.Player
	p.SRC = src.Config{Target: t.Address(), Transport: t.Transport(), Credentials: t.Credentials(), Packets: t.Packet}
	if t.Transport() == "tls" {
		p.SRC.TLS = t.TLS()
	}
	played, err := p.Play(ctx, one, number)
	var network net.Error
	if errors.As(err, &network) || errors.Is(err, context.Canceled) {
		t.Check(err, "play")
	} else if err != nil {
		t.Fatalf("%v", err)
	}
	waiting, cancel := context.WithTimeout(ctx, s.Wait)
	defer cancel()
	written, err := shelf.await(waiting, played.CallID)
	t.Check(err, "read what was written")
	j := Judge(played, written)
	for _, problem := range j.Problems {
		t.Errorf("%s", problem)
	}
	t.Figure("packets kept", fmt.Sprintf("%d of %d", j.Kept, j.Sent))
}
