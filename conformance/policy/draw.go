package policy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// errDraw says that the server drew on the other side of the share.
var errDraw = errors.New("the draw fell on the other side")

// maxTries bounds how often a call is begun for a draw: one of 30 of 100 is missed so
// often once in a million times.
const maxTries = 40

// drawn hangs up when the server drew on the other side than the scenario.
func (f *performance) drawn(ctx context.Context, dialog *src.Dialog) error {
	percent, want := share(f.call.scenario)
	if percent <= 0 || percent >= 100 {
		return nil
	}
	draw, err := journalDraw(f.Data, f.played.CallID)
	if err != nil {
		return err
	}
	if (draw < float64(percent)/100) == (want < float64(percent)/100) {
		return nil
	}
	if _, err := dialog.Bye(ctx, src.Request{}); err != nil {
		return fmt.Errorf("BYE: %w", err)
	}
	return errDraw
}

// share is the percentage of a scenario's plan and the draw that it names; 0 for none.
func share(s scenario.Scenario) (percent int, draw float64) {
	plan := flagOf(s, "plan")
	for _, e := range s.Events {
		if e.Name == "plan-is" {
			plan += "+" + e.Args[0]
		}
	}
	for _, word := range strings.Split(plan, "+") {
		if _, err := fmt.Sscanf(word, "percent%d", &percent); err == nil {
			break
		}
	}
	i := slices.IndexFunc(s.Events, func(e scenario.Event) bool { return e.Name == "plan" })
	if percent == 0 || i < 0 {
		return 0, 0
	}
	if _, err := fmt.Sscanf(s.Events[i].Args[0], "%g", &draw); err != nil {
		return 0, 0
	}
	return percent, draw
}
