package store

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// HoldsName is the name of the history of legal holds within the folder of a
// recording. It is there from the first hold on, also while the recording goes on, and
// stays when the recording is erased.
const HoldsName = "holds.jsonl"

// PolicyMatter is the matter of a hold that the policy put on a recording.
const PolicyMatter = "policy"

// A HoldLine is one entry of the history: a legal hold is put on the recording, or
// released.
type HoldLine struct {
	At   time.Time `json:"at"` // UTC
	Held bool      `json:"held"`
	// Matter tells holds of one recording apart; it may be empty. The recording is held
	// while one of them is in force.
	Matter string `json:"matter,omitempty"`
	By     string `json:"by"` // who, as he calls himself
	Reason string `json:"reason"`
}

// Holds is a history of legal holds, oldest first.
type Holds []HoldLine

// LoadHolds reads the history in a folder; there may be none. One that cannot be read
// is an error, and not an empty one: nothing is deleted then.
func LoadHolds(folder string) (Holds, error) {
	b, err := os.ReadFile(filepath.Join(folder, HoldsName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read legal holds: %w", err)
	}
	var out Holds
	for n, text := range bytes.Split(bytes.TrimSuffix(b, []byte("\n")), []byte("\n")) {
		var l HoldLine
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("read legal holds of %s: line %d: %w", filepath.Base(folder), n+1, err)
		}
		out = append(out, l)
	}
	return out, nil
}

// Write writes the history into a folder, durably and as a whole.
func (h Holds) Write(folder string) error {
	var b []byte
	for _, l := range h {
		line, err := json.Marshal(l)
		if err != nil {
			return fmt.Errorf("write legal holds: %w", err)
		}
		b = append(append(b, line...), '\n')
	}
	if err := WriteFile(filepath.Join(folder, HoldsName), b); err != nil {
		return fmt.Errorf("write legal holds: %w", err)
	}
	return nil
}

// InForce returns the holds that are on a recording, each by the line that put it there.
// That of the policy comes first: it has been there since the end of the recording,
// unless it was released. ret is what the policy says; nil for nothing.
func (h Holds) InForce(ret *Retention) Holds {
	var out Holds
	if ret != nil && ret.Held {
		out = append(out, HoldLine{Held: true, Matter: PolicyMatter, By: "policy", Reason: "legal-hold is on in the policy"})
	}
	for _, l := range h {
		i := slices.IndexFunc(out, func(o HoldLine) bool { return o.Matter == l.Matter })
		switch {
		case l.Held && i < 0:
			out = append(out, l)
		case !l.Held && i >= 0:
			out = slices.Delete(out, i, i+1)
		}
	}
	return out
}
