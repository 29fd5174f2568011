package recorder

import (
	"slices"

	"github.com/siprecd/siprecd/rules"
)

// enforce asks the SRC to send nothing while a cause for the whole interaction
// withholds every stream, if it is configured to be asked. The gates withhold
// whatever comes of that.
func (in *interaction) enforce() {
	for _, l := range in.legs {
		if l.ended.IsZero() && l.rs.SRC().EnforceAtSource {
			in.enforceAt(l)
		}
	}
}

// enforceAt is enforce for one recording session.
func (in *interaction) enforceAt(l *leg) {
	var withheld []int
	for _, s := range in.streams.of(l) {
		if !s.live || s.track == nil {
			continue
		}
		if !ofTheWhole(in.verdicts.Decision(s.id)) {
			l.rs.Resume()
			return
		}
		withheld = append(withheld, s.info.Index)
	}
	l.rs.Pause(withheld...)
}

// ofTheWhole reports whether a cause that is about all streams withholds this one.
func ofTheWhole(d rules.Decision) bool {
	return d.Verdict != rules.Record && slices.ContainsFunc(d.Causes, func(a rules.ActiveCause) bool {
		return slices.ContainsFunc(rules.Causes(), func(r rules.CauseRule) bool {
			return r.Cause == a.Cause && r.Scope == rules.ScopeAll
		})
	})
}
