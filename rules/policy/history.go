package policy

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"
)

// A Version is a file as it was published.
type Version struct {
	File      *File
	Text      []byte
	Published time.Time // by the clock of the server
	Actor     Actor
}

// An Actor is who publishes a file.
type Actor struct {
	Name string
	// Owner may change what stands under owner: in a file.
	Owner bool
}

// Name is what a decision is traced back to.
func (v Version) Name() string {
	return fmt.Sprintf("file@%s published %s by %s", v.Hash()[:12], v.Published.UTC().Format(time.RFC3339Nano), v.Actor.Name)
}

// Hash is the SHA-256 of the text, in hexadecimal; the version of a file begins
// with the first 12 digits of it.
func (v Version) Hash() string {
	sum := sha256.Sum256(v.Text)
	return hex.EncodeToString(sum[:])
}

// A History is every version that was ever published, the first one first. The
// zero History has none. It is for one goroutine.
type History struct{ versions []Version }

// Publish adds a version. A file with problems, an instant that is not after that
// of the last version, nobody as actor, and a change of an owner section by anybody
// but an owner are refused: then the last version stays in force.
func (h *History) Publish(text []byte, at time.Time, actor Actor) (Version, error) {
	f, problems := Read(text)
	if len(problems) > 0 {
		return Version{}, &Refusal{problems}
	}
	if actor.Name == "" {
		return Version{}, fmt.Errorf("publishing %s: nobody says who does it", f.Version())
	}
	if n := len(h.versions); n > 0 && !at.After(h.versions[n-1].Published) {
		return Version{}, fmt.Errorf("publishing %s: %s is not after the last version", f.Version(), at.UTC().Format(time.RFC3339Nano))
	}
	if change := h.ownerChange(f); change != "" && !actor.Owner {
		return Version{}, fmt.Errorf("publishing %s: only an owner may change %s", f.Version(), change)
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

// ownerChange names the first setting of an owner section which is another than in
// the last version, or, without one, than the preset has it.
func (h *History) ownerChange(f *File) string {
	before := &File{}
	if n := len(h.versions); n > 0 {
		before = h.versions[n-1].File
	}
	for i := range f.Accounts {
		a := &f.Accounts[i]
		old := before.Account(a.Name)
		if old == nil {
			old = &Account{Name: a.Name, Preset: a.Preset}
		}
		for _, t := range append([]Trunk{{}}, a.Trunks...) {
			now, then := a.flags(t, Plan{}), old.flags(old.Trunk(t.Name), Plan{})
			for _, s := range ownerSettings() {
				if s.holds(now) != s.holds(then) {
					return s.key + " of account " + a.Name
				}
			}
		}
	}
	return ""
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
