package recorder

import (
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// The names of the resume log within the folder of a recording. It has the other while
// it does not say all that is withheld, since that could not be written: a recording
// session that was up then is not gone on with. Both are of one length, so that there
// is room for either on a full disk.
const (
	resumeName = "resume.sealed"
	behindName = "resume.behind"
)

// resumeVersion is that of the form of its entries.
const resumeVersion = 1

// An entry is one entry of a resume log: the beginning of a recording session, an event
// of it with what the rules were told and decided, or the state of its dialog.
type entry struct {
	Leg       int             `json:"leg,omitempty"` // number of the recording session that it is about
	Begin     *beginning      `json:"begin,omitempty"`
	Event     *siprec.Event   `json:"event,omitempty"`
	Command   *commanded      `json:"command,omitempty"`
	Facts     []rules.Event   `json:"facts,omitempty"`     // of Event or Command
	Decisions []verdictLine   `json:"decisions,omitempty"` // of Event or Command
	Asked     bool            `json:"asked,omitempty"`     // after Event a snapshot was asked for
	Policy    string          `json:"policy,omitempty"`    // version of the policy file, if any
	Down      time.Time       `json:"down,omitzero"`       // with Event Resumed: since when the server was down
	Dialog    json.RawMessage `json:"dialog,omitempty"`
	Heir      *heritage       `json:"heir,omitempty"`     // what it takes over of one that is over
	Absorbed  *absorbed       `json:"absorbed,omitempty"` // another interaction that became part of this one
	Into      string          `json:"into,omitempty"`     // the recording of the one that this became part of
	At        time.Time       `json:"at,omitzero"`        // of Into
}

// A beginning is what is known of a recording session before its first event.
type beginning struct {
	Version    int
	Encrypted  bool      // finished files, documents and what is said of people
	Zero       time.Time // arrival of its INVITE
	Why        string    `json:",omitempty"` // it is one of the interaction, of a later one
	CallID     string
	Source     store.SRC
	Origin     siprec.Origin
	From, To   string
	RequestURI string
	UserAgent  string
}

// A verdictLine is a decision as it can be compared.
type verdictLine struct {
	Stream    rules.StreamID
	Recording rules.RecordingID
	Verdict   string
	From      time.Time
	Causes    string
}

func verdictLines(decisions []rules.Decision) []verdictLine {
	var out []verdictLine
	for _, d := range decisions {
		l := verdictLine{Stream: d.Stream, Recording: d.Recording, Verdict: d.Verdict.String(), From: d.From.UTC().Round(0)}
		for _, c := range d.Causes {
			l.Causes += c.Cause.String() + " " + c.Owner + "\n"
		}
		out = append(out, l)
	}
	return out
}

const (
	resumeHead  = 5 // length of what follows, and its kind
	resumeEpoch = 1 // a salt, under which what follows is sealed
	resumeEntry = 2
	mostResume  = 32 << 20 // octets of one entry
)

// errResumeLog says that a resume log holds nothing that can be gone on with.
var errResumeLog = errors.New("nothing says how the recording session was")

// A resumeLog keeps what another process needs to go on with a recording session: each
// event as it came, and the state of the dialog. It is sealed under the key of the
// recording. What was written survives the end of the process at once. That of the
// machine it survives as captures do, but for what begins to withhold: that is durable
// when write returns, or a machine that lost its power would go on recording what it had
// promised not to. An entry that could not be written is tried again, and is
// written before the next: none is left out. It may be used by several goroutines.
type resumeLog struct {
	open  func(path string) (journalFile, error)
	key   seal.Derived // of its epoch
	about []byte

	mu      sync.Mutex
	path    string
	number  uint64
	size    int64
	pending []byte
	urgent  bool // something of pending withholds
	retry   *time.Timer
	closed  bool
}

// createResumeLog begins the log of a folder that has none.
func createResumeLog(folder string, secret capture.Secret) (*resumeLog, error) {
	path := filepath.Join(folder, resumeName)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return nil, fmt.Errorf("create resume log: %w", err)
	}
	return newResumeLog(path, secret, 0)
}

// newResumeLog goes on behind what a log holds, under a salt of its own.
func newResumeLog(path string, secret capture.Secret, size int64) (*resumeLog, error) {
	var salt [seal.EpochSize]byte
	if _, err := rand.Read(salt[:]); err != nil {
		return nil, fmt.Errorf("resume log: %w", err)
	}
	key, err := secret.Key.Resume(salt[:])
	if err != nil {
		return nil, fmt.Errorf("resume log: %w", err)
	}
	open := func(path string) (journalFile, error) { return os.OpenFile(path, os.O_WRONLY, 0) }
	l := &resumeLog{open: open, path: path, key: key, about: []byte(secret.Recording), size: size}
	l.pending = appendChunk(nil, resumeEpoch, salt[:])
	return l, nil
}

func appendChunk(b []byte, kind byte, body []byte) []byte {
	b = binary.BigEndian.AppendUint32(b, uint32(len(body)))
	return append(append(b, kind), body...)
}

// appendSealed appends an entry, with as little copied as can be: entries are long.
func appendSealed(b []byte, aead cipher.AEAD, number uint64, body, about []byte) []byte {
	n := len(body) + aead.Overhead()
	b = slices.Grow(b, resumeHead+n)
	b = append(binary.BigEndian.AppendUint32(b, uint32(n)), resumeEntry)
	return aead.Seal(b, nonce(number), body, about)
}

// nonce is that of an entry by its number within its epoch.
func nonce(number uint64) []byte { return binary.BigEndian.AppendUint64(make([]byte, 4, 12), number) }

// write appends an entry.
func (l *resumeLog) write(e entry) error {
	b, err := json.Marshal(e)
	if err != nil {
		return fmt.Errorf("resume log: %w", err)
	}
	aead, err := l.key.Cipher() // each time anew: entries are few
	if err != nil {
		return fmt.Errorf("resume log: %w", err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.pending = appendSealed(l.pending, aead, l.number, b, l.about)
	l.number++
	l.urgent = l.urgent || e.withholds()
	if err := l.flush(); err != nil {
		if e.withholds() {
			err = errors.Join(err, l.rename(behindName))
		}
		return fmt.Errorf("resume log: %w", err)
	}
	return nil
}

// withholds reports whether something is withheld from an entry on, or it is a command,
// which is never forgotten once it was answered. At the end there is nothing more that
// could be kept.
func (e *entry) withholds() bool {
	if e.Command != nil || e.Absorbed != nil || e.Into != "" {
		return true
	}
	if e.Event != nil && e.Event.Kind == siprec.Ended {
		return false
	}
	return slices.ContainsFunc(e.Decisions, func(d verdictLine) bool { return d.Verdict == rules.Withhold.String() })
}

// flush writes what waits, or has it tried again.
func (l *resumeLog) flush() error {
	err := l.put()
	if err == nil {
		l.size += int64(len(l.pending))
		l.pending, l.urgent = nil, false
		err = l.rename(resumeName)
	}
	if err != nil && l.retry == nil && !l.closed {
		l.retry = time.AfterFunc(journalRetry, l.again)
	}
	return err
}

// again is flush some time after it failed.
func (l *resumeLog) again() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.retry = nil
	if !l.closed {
		_ = l.flush() // it was told when it failed first
	}
}

// settle writes what still waits, and returns when all of it is written, and durable
// where it has to be.
func (l *resumeLog) settle() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) == 0 {
		return nil
	}
	if err := l.flush(); err != nil {
		return fmt.Errorf("resume log: %w", err)
	}
	return nil
}

// rename gives the log its other name.
func (l *resumeLog) rename(name string) error {
	path := filepath.Join(filepath.Dir(l.path), name)
	if path == l.path {
		return nil
	}
	if err := os.Rename(l.path, path); err != nil {
		return err
	}
	l.path = path
	return nil
}

// remove ends the log of a recording that is finished.
func (l *resumeLog) remove() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closed = true
	if l.retry != nil {
		l.retry.Stop()
		l.retry = nil
	}
	return os.Remove(l.path)
}

// put writes what waits. The file is open only meanwhile.
func (l *resumeLog) put() error {
	f, err := l.open(l.path)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(l.pending, l.size)
	if err == nil && l.urgent {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// entries gives what the log of an interaction that goes on holds so far.
func (l *resumeLog) entries(secret capture.Secret) ([]entry, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.pending) > 0 {
		if err := l.flush(); err != nil {
			return nil, fmt.Errorf("resume log: %w", err)
		}
	}
	out, _, err := readResumeLog(l.path, secret)
	return out, err
}

// readResumeLog gives the entries of a log up to where it is torn, and its length there.
func readResumeLog(path string, secret capture.Secret) (out []entry, size int64, err error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, 0, fmt.Errorf("%w: %w", errResumeLog, err)
	}
	r := resumeReader{secret: secret}
	for rest := b; ; {
		kind, body, after, ok := cutChunk(rest)
		if !ok || !r.take(kind, body) {
			break
		}
		rest = after
		size = int64(len(b) - len(rest))
	}
	out = r.entries
	if len(out) == 0 || out[0].Begin == nil || out[0].Begin.Version != resumeVersion {
		return nil, 0, errResumeLog
	}
	return out, size, nil
}

func cutChunk(b []byte) (kind byte, body, rest []byte, ok bool) {
	if len(b) < resumeHead {
		return 0, nil, nil, false
	}
	n := uint64(binary.BigEndian.Uint32(b))
	if n > mostResume || uint64(len(b)) < resumeHead+n {
		return 0, nil, nil, false
	}
	return b[4], b[resumeHead : resumeHead+n], b[resumeHead+n:], true
}

// A resumeReader opens the chunks of a log.
type resumeReader struct {
	secret  capture.Secret
	aead    cipher.AEAD
	number  uint64
	entries []entry
}

// take opens the next chunk; false when it cannot be believed.
func (r *resumeReader) take(kind byte, body []byte) bool {
	if kind == resumeEpoch {
		key, err := r.secret.Key.Resume(body)
		if err == nil {
			r.aead, err = key.Cipher()
		}
		r.number = 0
		return err == nil
	}
	if kind != resumeEntry || r.aead == nil {
		return false
	}
	plain, err := r.aead.Open(nil, nonce(r.number), body, []byte(r.secret.Recording))
	var e entry
	if err != nil || json.Unmarshal(plain, &e) != nil {
		return false
	}
	r.number++
	r.entries = append(r.entries, e)
	return true
}
