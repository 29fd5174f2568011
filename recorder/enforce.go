package recorder

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// enforce asks the SRCs to send nothing while a cause for the whole interaction
// withholds every stream of theirs, if they are configured to be asked. The gates
// withhold whatever comes of that. heard is the recording session whose event is being
// handled; nil for none: the others are asked by their own goroutines.
func (in *interaction) enforce(heard *leg) {
	for _, l := range in.legs {
		if !l.ended.IsZero() || !l.rs.SRC().EnforceAtSource {
			continue
		}
		streams, rs := in.withheldOf(l), l.rs
		before := l.asks.Swap(&streams)
		ask := func() {
			if latest := *l.asks.Load(); len(latest) > 0 {
				rs.Pause(latest...)
			} else {
				rs.Resume()
			}
		}
		switch {
		case l == heard:
			ask()
		case before == nil || !slices.Equal(*before, streams):
			rs.Later(ask)
		}
	}
}

// withheldOf are the streams of a recording session, by their indexes, while a cause for
// the whole interaction withholds all of them; none otherwise.
func (in *interaction) withheldOf(l *leg) (withheld []int) {
	for _, s := range in.streams.of(l) {
		if !s.live || s.track == nil {
			continue
		}
		if !ofTheWhole(in.verdicts.Decision(s.id)) {
			return nil
		}
		withheld = append(withheld, s.info.Index)
	}
	return withheld
}

// ofTheWhole reports whether a cause that is about all streams withholds this one.
func ofTheWhole(d rules.Decision) bool {
	return d.Verdict != rules.Record && slices.ContainsFunc(d.Causes, func(a rules.ActiveCause) bool {
		return slices.ContainsFunc(rules.Causes(), func(r rules.CauseRule) bool {
			return r.Cause == a.Cause && r.Scope == rules.ScopeAll
		})
	})
}
