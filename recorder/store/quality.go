package store

import "fmt"

// A Verdict says in a word whether what should be heard can be heard. Of two
// verdicts the greater is the worse.
type Verdict int

// The verdicts.
const (
	OK      Verdict = iota + 1 // all of it
	Partial                    // a part is missing
	Silent                     // there is audio, and nothing is heard in it
	Lost                       // nothing came
)

var verdictNames = map[Verdict]string{OK: "ok", Partial: "partial", Silent: "silent", Lost: "lost"}

func (v Verdict) String() string { return verdictNames[v] }

// MarshalText writes the name; the zero Verdict has none.
func (v Verdict) MarshalText() ([]byte, error) { return []byte(v.String()), nil }

// UnmarshalText reads a name.
func (v *Verdict) UnmarshalText(text []byte) error {
	for known, name := range verdictNames {
		if name == string(text) {
			*v = known
			return nil
		}
	}
	if len(text) > 0 {
		return fmt.Errorf("%q is no verdict", text)
	}
	*v = 0
	return nil
}

// A Quality is what became of a recorded stream.
type Quality struct {
	Verdict Verdict  `json:"verdict"`
	Reasons []string `json:"reasons,omitempty"` // in words, when the verdict is not ok
	// JitterMS is the mean of the interarrival jitter (RFC 3550 §6.4.1), PeakJitterMS
	// its highest value, in ms.
	JitterMS     float64 `json:"jitter_ms"`
	PeakJitterMS float64 `json:"peak_jitter_ms"`
	// Sounds says that something in it is louder than -50 dB of full scale.
	Sounds bool `json:"sounds"`
}
