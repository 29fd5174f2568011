package recorder

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// A Rulebook is the policy file in force with all that were in force before, and
// the directory of addresses. It keeps every version it ever published below the
// folder of the recordings: the text in a file that is named by its hash, and one
// line in versions.jsonl. It may be used by many goroutines.
type Rulebook struct {
	dir string

	mu      sync.Mutex
	history policy.History
	// live are the versions in force since this process began, by its own clock:
	// one that steps back brings no old version into force again.
	live      []inForce
	last      time.Time // when the last one was published, by any process
	book      *rules.Book
	directory rules.Directory
	commands  bool          // other systems have a way in
	signalled []policy.Fact // what SRCs signal
}

// inForce is a version with the instant after which it holds, and its file as it
// holds beside the directory.
type inForce struct {
	since   time.Time
	version policy.Version
	file    *policy.File
}

// policiesName is the folder of the versions below that of the recordings,
// versionsName the list of them within it, headName the file with the hash of its
// last line.
const (
	policiesName = "policies"
	versionsName = "versions.jsonl"
	headName     = "head"
)

// A versionLine is one line of versions.jsonl.
type versionLine struct {
	Published time.Time `json:"published"` // UTC, by the clock of the server
	Actor     string    `json:"actor"`
	Owner     bool      `json:"owner,omitempty"`
	SHA256    string    `json:"sha256"` // of the text; it lies in SHA256.yaml
	// Before is the SHA-256 of the line before, without its end; empty in the first.
	// The last line's own stands in a file beside the list: no line can be changed,
	// left out or cut off unnoticed.
	Before string `json:"before,omitempty"`
}

// OpenRulebook reads the versions that were published before, by any process. One
// that is missing or was changed since is an error: what decided about recordings
// has to be there as it was. The last is in force; without any, nothing is
// recorded until one is published.
func OpenRulebook(data string, d rules.Directory) (*Rulebook, error) {
	b := &Rulebook{dir: filepath.Join(data, policiesName), book: rules.Compile(d), directory: d}
	versions, err := Versions(data)
	if err != nil || len(versions) == 0 {
		return b, err
	}
	last := versions[len(versions)-1]
	b.last = last.Published
	if last.File == nil {
		return b, nil
	}
	if _, err := b.history.Publish(last.Text, last.Published, policy.Actor{Name: last.Actor.Name, Owner: true}); err != nil {
		return nil, fmt.Errorf("policy versions: %w", err)
	}
	b.live = []inForce{{version: last, file: b.holding(last.File)}}
	return b, nil
}

// Versions reads the versions of a data folder, the first one first; none when
// there never was a policy file. One that this program cannot read any more, as
// another wrote it, has no File.
func Versions(data string) ([]policy.Version, error) {
	dir := filepath.Join(data, policiesName)
	lines, err := readLines(dir)
	if err != nil {
		return nil, fmt.Errorf("policy versions: %w", err)
	}
	var out []policy.Version
	for _, l := range lines {
		text, err := os.ReadFile(filepath.Join(dir, l.SHA256+".yaml"))
		if err != nil {
			return nil, fmt.Errorf("policy versions: %w", err)
		}
		v := policy.Version{Text: text, Published: l.Published, Actor: policy.Actor{Name: l.Actor, Owner: l.Owner}}
		if v.Hash() != l.SHA256 {
			return nil, fmt.Errorf("policy versions: %s.yaml is not what was published", l.SHA256)
		}
		if f, problems := policy.Read(text); len(problems) == 0 {
			v.File = f
		}
		out = append(out, v)
	}
	return out, nil
}

// readLines reads the list and holds it against its chain of hashes. What follows
// the line that the head names was cut off by a crash, or is one line more than
// it: then the head could not be written any more.
func readLines(dir string) ([]versionLine, error) {
	list, err := os.ReadFile(filepath.Join(dir, versionsName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	head, err := os.ReadFile(filepath.Join(dir, headName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var out []versionLine
	hashes := []string{""}
	for line := range bytes.Lines(list) {
		text, whole := bytes.CutSuffix(line, []byte("\n"))
		if !whole {
			break // a line that a crash cut off: its version never came into force
		}
		var l versionLine
		if err := json.Unmarshal(text, &l); err != nil {
			return nil, fmt.Errorf("line %d of %s: %w", len(out)+1, versionsName, err)
		}
		if l.Before != hashes[len(hashes)-1] {
			return nil, fmt.Errorf("line %d of %s does not follow the line before: one was changed or is missing", len(out)+1, versionsName)
		}
		out, hashes = append(out, l), append(hashes, hashOf(text))
	}
	if i := slices.Index(hashes, string(bytes.TrimSpace(head))); i < 0 || i < len(hashes)-2 {
		return nil, fmt.Errorf("%s is not the list that was kept: lines were changed, or are missing at its end", versionsName)
	}
	return out, nil
}

func hashOf(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Publish brings a file into force for interactions that begin later, and keeps
// it. The text that is in force already changes nothing. A file that cannot be
// read, or kept, leaves the one before in force.
func (b *Rulebook) Publish(text []byte, now time.Time, actor policy.Actor) (v policy.Version, changed bool, err error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if n := len(b.live); n > 0 && bytes.Equal(b.live[n-1].version.Text, text) {
		return b.live[n-1].version, false, nil
	}
	at := now.UTC().Round(0)
	if !at.After(b.last) {
		at = b.last.Add(1) // the clock stepped back: the order stays
	}
	before := b.history
	v, err = b.history.Publish(text, at, actor)
	if err != nil {
		return policy.Version{}, false, err
	}
	if err := b.keep(v); err != nil {
		b.history = before
		return policy.Version{}, false, fmt.Errorf("policy version cannot be kept: %w", err)
	}
	b.live, b.last = append(b.live, inForce{now, v, b.holding(v.File)}), at
	return v, true, nil
}

// keep writes a version: first the text, then the line that says so.
func (b *Rulebook) keep(v policy.Version) (err error) {
	if err := os.MkdirAll(b.dir, 0o700); err != nil {
		return err
	}
	l := versionLine{Published: v.Published, Actor: v.Actor.Name, Owner: v.Actor.Owner, SHA256: v.Hash()}
	if err := store.WriteFile(filepath.Join(b.dir, l.SHA256+".yaml"), v.Text); err != nil {
		return err
	}
	f, err := os.OpenFile(filepath.Join(b.dir, versionsName), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	before, end, err := wholeLines(f)
	if err != nil {
		return err
	}
	l.Before = before
	line, err := json.Marshal(l)
	if err != nil {
		return err
	}
	if _, err := f.WriteAt(append(line, '\n'), end); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Truncate(end))
	}
	return store.WriteFile(filepath.Join(b.dir, headName), []byte(hashOf(line)+"\n"))
}

// wholeLines cuts off a last line that a crash tore, and returns the hash of the
// line before and where the next one begins.
func wholeLines(f *os.File) (before string, end int64, err error) {
	text, err := os.ReadFile(f.Name())
	if err != nil {
		return "", 0, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	if last := bytes.TrimSuffix(text, []byte("\n")); len(last) > 0 {
		before = hashOf(last[bytes.LastIndexByte(last, '\n')+1:])
	}
	return before, int64(len(text)), f.Truncate(int64(len(text)))
}

// SetDirectory is the directory for recording sessions that begin later.
func (b *Rulebook) SetDirectory(d rules.Directory) {
	book := rules.Compile(d)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.book, b.directory = book, d
	b.holdAnew()
}

// TakenFacts are the facts that a recorder takes from a call by itself. A flow it knows
// by the directory, or as [Signals] tell it, and so what [Signals.Facts] says.
func TakenFacts() []policy.Fact {
	return []policy.Fact{
		policy.FactParties, policy.FactDirection, policy.FactRole, policy.FactChosen, policy.FactCaller, policy.FactHold,
		policy.FactConsult, policy.FactQueue,
	}
}

// CommandFacts are the facts that a recorder takes from [Recorder.Command], where a
// profile says that another system tells them.
func CommandFacts() []policy.Fact {
	return []policy.Fact{
		policy.FactParties, policy.FactDirection, policy.FactChosen, policy.FactHold, policy.FactConsult, policy.FactIVR, policy.FactQueue,
		policy.FactMenu, policy.FactConsent, policy.FactWithdrawal, policy.FactPartyConsent, policy.FactManual, policy.FactUserRecording,
	}
}

// TakeCommands says that other systems have a way in, for interactions that begin
// later. Without it what a profile leaves to them counts as never told.
func (b *Rulebook) TakeCommands() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.commands = true
	b.holdAnew()
}

// TakeSignals says which facts the SRCs signal ([Signals.Facts]), for interactions that
// begin later. Without it what a profile says that they deliver, and nothing reads,
// counts as never told.
func (b *Rulebook) TakeSignals(facts ...policy.Fact) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.signalled = facts
	b.holdAnew()
}

// Taken are the facts that reach the recorder.
func (b *Rulebook) Taken() policy.Taken {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.taken()
}

func (b *Rulebook) taken() policy.Taken {
	t := policy.Taken{Call: append(TakenFacts(), b.signalled...)}
	if len(b.directory.IVRs) > 0 {
		t.Call = append(t.Call, policy.FactIVR)
	}
	if b.commands {
		t.API = CommandFacts()
	}
	return t
}

// holdAnew has the versions hold by what is known now.
func (b *Rulebook) holdAnew() {
	for i := range b.live {
		b.live[i].file = b.holding(b.live[i].version.File)
	}
}

// holding is a file as it holds beside the directory, for a recorder.
func (b *Rulebook) holding(f *policy.File) *policy.File {
	return f.Knowing(b.directory).Taking(b.taken())
}

// A pinned is what an interaction is decided by, from its beginning to its end.
type pinned struct {
	rules.Policy
	belonging policy.Belonging
	file      string // version of the policy file; empty without one
	book      *rules.Book
	numbering rules.Numbering
	profile   rules.Profile
}

// pin says what decides an interaction that begins at an instant.
func (b *Rulebook) pin(begins time.Time, t policy.Traits) pinned {
	b.mu.Lock()
	defer b.mu.Unlock()
	in, ok := b.at(begins)
	if !ok {
		return pinned{book: b.book, numbering: b.directory.Numbering, belonging: policy.Belonging{Alarm: noPolicy}}
	}
	return b.pinTo(in, t)
}

// pinAs says what decides an interaction that began under a version of the policy file,
// by its name, in a process before this one. The directory is that of now.
func (b *Rulebook) pinAs(version string, t policy.Traits) (pinned, error) {
	return b.pinned(version, func(in inForce) pinned { return b.pinTo(in, t) })
}

// pinTold is pinAs of an interaction of which it is known where it belongs.
func (b *Rulebook) pinTold(version string, where policy.Belonging) (pinned, error) {
	return b.pinned(version, func(in inForce) pinned { return b.pinWhere(in, where) })
}

func (b *Rulebook) pinned(version string, pin func(inForce) pinned) (pinned, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if version == "" {
		return pinned{book: b.book, numbering: b.directory.Numbering, belonging: policy.Belonging{Alarm: noPolicy}}, nil
	}
	in, err := b.named(version)
	if err != nil {
		return pinned{}, err
	}
	return pin(in), nil
}

// noPolicy is the alarm without any policy file.
const noPolicy = "no policy was ever published"

// pinTo is pin under a version.
func (b *Rulebook) pinTo(in inForce, t policy.Traits) pinned {
	return b.pinWhere(in, in.file.Belongs(t))
}

// pinWhere is pin under a version, of an interaction of which it is known where it belongs.
func (b *Rulebook) pinWhere(in inForce, where policy.Belonging) pinned {
	out := pinned{book: b.book, numbering: b.directory.Numbering}
	out.belonging, out.file = where, in.version.Name()
	a := in.file.Account(out.belonging.Account)
	if a == nil {
		out.belonging.Alarm = fmt.Sprintf("%s; the policy file has no such account, so nothing is recorded", out.belonging.Alarm)
	} else {
		out.profile, _ = b.directory.Profile(a.Trunk(out.belonging.Trunk).Profile)
	}
	out.Policy = in.file.Policy(out.belonging, in.version.Published)
	return out
}

// belongs is where the interaction belongs, as it is written down; nil without a
// policy file.
func (p pinned) belongs() *store.Belonging {
	if p.file == "" {
		return nil
	}
	b := p.belonging
	return &store.Belonging{Account: b.Account, Trunk: b.Trunk, Plan: b.Plan, Lines: b.Lines}
}

// at is what is in force at an instant of this process.
func (b *Rulebook) at(begins time.Time) (inForce, bool) {
	for i := len(b.live) - 1; i >= 0; i-- {
		if b.live[i].since.Before(begins) || i == 0 {
			return b.live[i], true
		}
	}
	return inForce{}, false
}
