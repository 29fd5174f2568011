package account

import "strings"

// A Digit is a key that was pressed and kept.
type Digit struct {
	AtMS       int64  `json:"at_ms"`
	DurationMS int64  `json:"duration_ms"`
	Digit      string `json:"digit"` // 0-9, *, # or A-D
	// Who pressed it, by title; the id of its stream where nobody is known to send on that.
	Who string `json:"who"`
}

// press takes the digits over from the manifest, with who pressed them.
func (a *Account) press() {
	for _, d := range a.evidence.Manifest.Digits {
		var who []string
		for _, id := range d.Participants {
			who = append(who, a.title(id))
		}
		if len(who) == 0 {
			who = []string{"stream " + d.Stream}
		}
		a.Digits = append(a.Digits, Digit{d.FromMS, d.DurationMS, d.Digit, strings.Join(who, ", ")})
	}
}
