package conformance

import (
	"context"
	"slices"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
)

// unheard says that a case did not pass and heard nothing at all from the server.
func unheard(r check.Result) bool {
	return (r.Outcome == check.Fail || r.Outcome == check.Error) &&
		!slices.ContainsFunc(r.Trace, func(m check.Message) bool { return m.Direction == check.Received })
}

// answers says whether the server responds to OPTIONS within a time.
func (r *runner) answers(ctx context.Context, within time.Duration) bool {
	ctx, cancel := context.WithTimeout(ctx, within)
	defer cancel()
	return ask(ctx, r.target).err == nil
}

// lost is the case in which the server ceased to answer; empty while it does. A server
// that was lost is asked once more, as it may have been started again.
func (r *runner) lost(ctx context.Context) string {
	r.mu.Lock()
	id := r.gone
	r.mu.Unlock()
	if id != "" && r.answers(ctx, min(patience, r.opt.Timeout)) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.gone, id = "", ""
	}
	return id
}

// notice asks a server that was not heard in a case whether it is still there. The first
// case in which it was not is kept for the hint of the report.
func (r *runner) notice(ctx context.Context, result check.Result) {
	if !unheard(result) || r.answers(ctx, r.opt.Timeout) || ctx.Err() != nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.gone == "" {
		r.gone = result.ID
	}
	if r.firstGone == "" {
		r.firstGone = result.ID
	}
}

// hint says that the server was lost; empty when it was not.
func (r *runner) hint() string {
	if r.firstGone == "" {
		return ""
	}
	return "The server ceased to answer, OPTIONS too, about the time of " + r.firstGone +
		": look at its log. Cases that began while it did not answer have no verdict."
}
