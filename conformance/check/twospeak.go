package check

import (
	"context"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// A Judgement says what is wrong with the files of a recording session.
type Judgement func(*observe.Found) []string

// TwoSpeak is the Run of a case in which two parties with a stream each speak in a recording
// session that is opened in the usual way. When it is over all that has to be kept must be
// in the files, nothing else may be, and every judgement must find nothing.
func TwoSpeak(speak func(ctx context.Context, a *Audio), judgements ...Judgement) func(context.Context, *T) {
	return func(ctx context.Context, t *T) {
		a := t.Audio("Nora", "Desk")
		a.Open(ctx, src.Request{})
		speak(ctx, a)
		found := a.Stored(ctx)
		for _, judge := range judgements {
			t.Judge(judge(found))
		}
	}
}

// Apart is that of [observe.Found].
func Apart(f *observe.Found) []string { return f.Apart() }

// InPlace is that of [observe.Found].
func InPlace(within time.Duration) Judgement {
	return func(f *observe.Found) []string { return f.InPlace(within) }
}

// Together is that of [observe.Found].
func Together(within time.Duration) Judgement {
	return func(f *observe.Found) []string { return f.Together(within) }
}
