package policy

import (
	"fmt"
	"time"
)

// A Version is a file as it was published.
type Version struct {
	File      *File
	Text      []byte
	Published time.Time // by the clock of the server
	Actor     string    // who published it
}

// Name is what a decision is traced back to.
func (v Version) Name() string {
	return fmt.Sprintf("%s published %s by %s", v.File.Version(), v.Published.UTC().Format(time.RFC3339Nano), v.Actor)
}

// A History is every version that was ever published, the first one first. The
// zero History has none. It is for one goroutine.
type History struct{ versions []Version }

// Publish adds a version. A file with problems, an instant that is not after that
// of the last version, and nobody as actor are refused: then the last version
// stays in force.
func (h *History) Publish(text []byte, at time.Time, actor string) (Version, error) {
	f, problems := Read(text)
	if len(problems) > 0 {
		return Version{}, &Refusal{problems}
	}
	if actor == "" {
		return Version{}, fmt.Errorf("publishing %s: nobody says who does it", f.Version())
	}
	if n := len(h.versions); n > 0 && !at.After(h.versions[n-1].Published) {
		return Version{}, fmt.Errorf("publishing %s: %s is not after the last version", f.Version(), at.UTC().Format(time.RFC3339Nano))
	}
	v := Version{File: f, Text: append([]byte(nil), text...), Published: at, Actor: actor}
	h.versions = append(h.versions, v)
	return v, nil
}

// InForce returns the version under which an interaction that begins then is
// decided, to its end. A version published at that same instant comes too late.
func (h *History) InForce(begins time.Time) (Version, bool) {
	for i := len(h.versions) - 1; i >= 0; i-- {
		if h.versions[i].Published.Before(begins) {
			return h.versions[i], true
		}
	}
	return Version{}, false
}

// Versions returns all versions, the first one first.
func (h *History) Versions() []Version { return append([]Version(nil), h.versions...) }

// A Refusal is a file that cannot be used, with all that is wrong with it.
type Refusal struct{ Problems []Problem }

// Error says what is wrong first.
func (r *Refusal) Error() string {
	text := "line " + r.Problems[0].String()
	if more := len(r.Problems) - 1; more > 0 {
		text += fmt.Sprintf(" (and %d more)", more)
	}
	return text
}
