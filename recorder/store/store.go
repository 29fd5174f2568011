package store

import (
	"cmp"
	"encoding/base32"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

// Errors that a caller decides by.
var (
	ErrID         = errors.New("not the id of a recording")
	ErrUnfinished = errors.New("recording is not finished")
	ErrVersion    = errors.New("manifest has a version that is not known")
	ErrErased     = errors.New("recording was erased")
	// ErrSealed: the recording is encrypted, and its key cannot be opened.
	ErrSealed = errors.New("recording is encrypted")
)

const (
	idTime   = "20060102T150405Z"
	idRandom = 10 // characters: 50 bits
)

const idAlphabet = "abcdefghijklmnopqrstuvwxyz234567"

// NewID makes the id of a recording that began at an instant. Nothing in it
// comes from the wire.
func NewID(at time.Time, random io.Reader) (string, error) {
	var b [7]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		return "", fmt.Errorf("make recording id: %w", err)
	}
	enc := base32.NewEncoding(idAlphabet).WithPadding(base32.NoPadding).EncodeToString(b[:])
	return at.UTC().Format(idTime) + "-" + enc[:idRandom], nil
}

// Folder is where a recording lies below dir. It refuses everything that
// [NewID] does not make, so that no id leads out of dir.
func Folder(dir, id string) (string, error) {
	stamp, random, ok := strings.Cut(id, "-")
	at, err := time.Parse(idTime, stamp)
	// Formatting again refuses what Parse is lenient about.
	if !ok || err != nil || at.Format(idTime) != stamp || len(random) != idRandom || strings.Trim(random, idAlphabet) != "" {
		return "", fmt.Errorf("%q: %w", id, ErrID)
	}
	return filepath.Join(dir, at.Format("2006"), at.Format("01"), at.Format("02"), id), nil
}

// Create makes the folder of a new recording and returns its path. A folder that
// exists already is an error: two recordings never share one.
func Create(dir, id string) (string, error) {
	folder, err := Folder(dir, id)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(filepath.Dir(folder), 0o700); err != nil {
		return "", fmt.Errorf("create recording: %w", err)
	}
	if err := os.Mkdir(folder, 0o700); err != nil {
		return "", fmt.Errorf("create recording: %w", err)
	}
	for d := filepath.Dir(folder); ; d = filepath.Dir(d) {
		if err := SyncDir(d); err != nil {
			return "", errors.Join(fmt.Errorf("create recording: %w", err), os.Remove(folder))
		}
		if rel, err := filepath.Rel(dir, d); err != nil || rel == "." {
			return folder, nil
		}
	}
}

// SyncDir makes the entries of a directory durable.
func SyncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// WriteFile writes a file that is there as a whole or not at all, whatever
// happens meanwhile.
func WriteFile(path string, data []byte) (err error) {
	tmp := path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(tmp, path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(tmp))
	}
	return SyncDir(filepath.Dir(path))
}

// Write finishes a recording: it writes the manifest into its folder.
func Write(folder string, m Manifest) error {
	b, err := Encode(m)
	if err == nil {
		err = WriteFile(filepath.Join(folder, ManifestName), b)
	}
	if err != nil {
		return fmt.Errorf("write manifest of %s: %w", m.Recording, err)
	}
	return nil
}

// Encode is the content of a manifest file.
func Encode(m Manifest) ([]byte, error) {
	m.Version = Version
	b, err := json.MarshalIndent(m, "", "  ")
	return append(b, '\n'), err
}

// Finish is [Write] with the syncs of a committer: the manifest has its name only
// when all else in the folder is durable, and is durable when Finish returns.
//
// Of an encrypted recording the open part is written, and the whole sealed under key
// beside it; of others key is not asked for.
func (c *Committer) Finish(folder string, m Manifest, key *seal.Key) error {
	path := filepath.Join(folder, ManifestName)
	waiting := path + ".tmp"
	err := sealWhole(folder, m, key)
	var b []byte
	if err == nil {
		b, err = Encode(openPart(m))
	}
	if err == nil {
		err = os.WriteFile(waiting, b, 0o600)
	}
	if err == nil {
		err = c.Commit(folder)
	}
	if err == nil {
		err = os.Rename(waiting, path)
	}
	if err != nil {
		_ = os.Remove(waiting) // it may not be there
		return fmt.Errorf("write manifest of %s: %w", m.Recording, err)
	}
	if err := c.Commit(folder); err != nil {
		return fmt.Errorf("write manifest of %s: %w", m.Recording, err)
	}
	for _, f := range m.Files {
		letGo(filepath.Join(folder, f.Name))
	}
	return nil
}

// Load reads the manifest of a recording, of an encrypted one the open part: see
// [Open]. The error is [ErrUnfinished] when it has none yet, [fs.ErrNotExist] when
// there is no such recording. With [ErrErased] comes what is left of the manifest.
func Load(dir, id string) (Manifest, error) {
	folder, err := Folder(dir, id)
	if err != nil {
		return Manifest{}, err
	}
	if _, err := os.Stat(folder); err != nil {
		return Manifest{}, fmt.Errorf("load recording: %w", err)
	}
	_, tombErr := os.Lstat(filepath.Join(folder, TombstoneName))
	erased := tombErr == nil
	b, err := os.ReadFile(filepath.Join(folder, ManifestName))
	if errors.Is(err, fs.ErrNotExist) {
		if erased { // before it was finished
			return Manifest{Version: Version, Recording: id}, fmt.Errorf("load recording %s: %w", id, ErrErased)
		}
		return Manifest{}, fmt.Errorf("load recording %s: %w", id, ErrUnfinished)
	}
	if err != nil {
		return Manifest{}, fmt.Errorf("load recording: %w", err)
	}
	var m Manifest
	if err := json.Unmarshal(b, &m); err != nil {
		return Manifest{}, fmt.Errorf("load recording %s: %w", id, err)
	}
	if m.Version != Version {
		return Manifest{}, fmt.Errorf("load recording %s: version %d: %w", id, m.Version, ErrVersion)
	}
	if erased {
		return WithoutPeople(m), fmt.Errorf("load recording %s: %w", id, ErrErased)
	}
	return m, nil
}

// State says how far a recording is.
type State string

// The states.
const (
	Finished   State = "finished"
	Unfinished State = "unfinished" // being recorded, or cut off
	Unreadable State = "unreadable" // its manifest cannot be read
	Erased     State = "erased"     // or to be erased, when that was cut off
)

// A Summary is one recording in a list.
type Summary struct {
	ID      string        `json:"id"`
	State   State         `json:"state"`
	Folder  string        `json:"folder"`
	CallID  string        `json:"call_id,omitempty"`
	Start   time.Time     `json:"start"`               // arrival of the INVITE; to the second while unfinished
	Length  time.Duration `json:"-"`                   // of the timeline; 0 while unfinished
	Seconds float64       `json:"seconds"`             // Length in seconds
	People  []string      `json:"people,omitempty"`    // name, AOR or id of each participant
	Files   []string      `json:"files,omitempty"`     // names within Folder
	Reason  string        `json:"end_reason,omitzero"` // why the recording session ended
	Error   string        `json:"error,omitempty"`     // why it, or what is sealed of it, is unreadable
	Storage Storage       `json:"storage,omitempty"`   // plain or encrypted
	Erased  *Tombstone    `json:"erased,omitempty"`    // what was erased, when and why

	DeleteAt time.Time `json:"delete_at,omitzero"`          // absent: it is kept without end
	Held     bool      `json:"held,omitempty"`              // a legal hold is on it
	Evaluate bool      `json:"evaluate,omitempty"`          // an evaluation is assigned
	Of       string    `json:"user_recording_of,omitempty"` // the policy recording beside which a user recording was made
}

// List returns the recordings below dir, newest first. A dir that does not exist
// holds none. It tells of encrypted recordings what is open.
func List(dir string) ([]Summary, error) {
	return list(dir, Load)
}

// ListOpen is List, and tells the names too of recordings whose keys the ring opens.
func ListOpen(dir string, ring *seal.Ring) ([]Summary, error) {
	return list(dir, func(dir, id string) (Manifest, error) { return Open(dir, id, ring) })
}

type load func(dir, id string) (Manifest, error)

func list(dir string, load load) ([]Summary, error) {
	all, err := folders(dir)
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var out []Summary
	for _, folder := range all {
		out = append(out, summarise(dir, filepath.Base(folder), folder, load))
	}
	slices.SortFunc(out, func(a, b Summary) int {
		return cmp.Or(b.Start.Compare(a.Start), cmp.Compare(b.ID, a.ID))
	})
	return out, nil
}

// BegunAt are the ids of the recordings that [NewID] named by the second of an instant,
// finished or not.
func BegunAt(dir string, at time.Time) (ids []string, err error) {
	day := filepath.Join(Literal(dir), at.UTC().Format("2006"), at.UTC().Format("01"), at.UTC().Format("02"))
	found, err := filepath.Glob(filepath.Join(day, at.UTC().Format(idTime)+"-*"))
	if err != nil {
		return nil, fmt.Errorf("find recordings: %w", err)
	}
	for _, folder := range found {
		ids = append(ids, filepath.Base(folder))
	}
	return ids, nil
}

// HasManifest reports whether a recording has a manifest: it is finished then. The error
// wraps [ErrID] when the id is none.
func HasManifest(dir, id string) (bool, error) {
	folder, err := Folder(dir, id)
	if err != nil {
		return false, err
	}
	return exists(folder, ManifestName)
}

// WithoutManifest returns the ids of the recordings below dir that have no manifest
// and were not erased, oldest first. It reads no manifest, so it is quick in a large
// folder.
func WithoutManifest(dir string) ([]string, error) {
	all, err := folders(dir)
	if err != nil {
		return nil, fmt.Errorf("find unfinished recordings: %w", err)
	}
	var out []string
	for _, folder := range all {
		finished, err := exists(folder, ManifestName)
		erased, err2 := exists(folder, TombstoneName)
		if err := errors.Join(err, err2); err != nil {
			return nil, fmt.Errorf("find unfinished recordings: %w", err)
		}
		if !finished && !erased {
			out = append(out, filepath.Base(folder))
		}
	}
	slices.Sort(out) // ids begin with the instant
	return out, nil
}

// folders are those of all recordings below dir.
func folders(dir string) ([]string, error) {
	found, err := filepath.Glob(filepath.Join(Literal(dir), "[0-9]*", "[0-9]*", "[0-9]*", "*"))
	return slices.DeleteFunc(found, func(folder string) bool {
		want, err := Folder(dir, filepath.Base(folder))
		return err != nil || want != filepath.Clean(folder)
	}), err
}

func exists(folder, name string) (bool, error) {
	_, err := os.Stat(filepath.Join(folder, name))
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}

func summarise(dir, id, folder string, load load) Summary {
	s := Summary{ID: id, Folder: folder, State: Finished}
	stamp, _, _ := strings.Cut(id, "-")
	s.Start, _ = time.Parse(idTime, stamp) // Folder has parsed it before
	m, err := load(dir, id)
	loaded := err
	if errors.Is(err, ErrSealed) {
		loaded = nil // the open part tells
	}
	s.tellFate(entryOf(id, folder, 0, m, loaded))
	switch {
	case errors.Is(err, ErrUnfinished):
		s.State = Unfinished
		return s
	case errors.Is(err, ErrErased):
		s.State = Erased
		if t, err := LoadTombstone(folder); err != nil {
			s.Error = err.Error()
		} else {
			s.Erased = &t
		}
	case errors.Is(err, ErrSealed):
		s.Error = err.Error()
	case err != nil:
		s.State, s.Error = Unreadable, err.Error()
		return s
	}
	s.CallID, s.Reason, s.Storage = m.CallID, m.EndReason, m.Storage
	if !m.Times.Invite.IsZero() {
		s.Start = m.Times.Invite
	}
	s.Length = time.Duration(m.Timeline.DurationMS) * time.Millisecond
	s.Seconds = s.Length.Seconds()
	for _, p := range m.Participants {
		s.People = append(s.People, p.Title())
	}
	for _, f := range m.Files {
		s.Files = append(s.Files, f.Name)
	}
	return s
}

// tellFate takes over what becomes of the recording.
func (s *Summary) tellFate(e Entry) {
	s.DeleteAt, s.Held, s.Evaluate, s.Of = e.DeleteAt, e.Held, e.Evaluate, e.Of
}

// Summarise tells of a recording of the index what a list tells, with the names as far as
// the ring opens its key; nil for no keys.
func Summarise(dir string, e Entry, ring *seal.Ring) (Summary, error) {
	folder, err := Folder(dir, e.ID)
	if err != nil {
		return Summary{}, err
	}
	return summarise(dir, e.ID, folder, func(dir, id string) (Manifest, error) { return Open(dir, id, ring) }), nil
}

// Title is what to call a participant: the first name, else the first AOR, else
// the id.
func (p Participant) Title() string {
	if len(p.Names) > 0 {
		return p.Names[0]
	}
	if len(p.AORs) > 0 {
		return p.AORs[0]
	}
	return p.ID
}

// Literal makes a path match only itself in a pattern of [filepath.Glob].
func Literal(path string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}
