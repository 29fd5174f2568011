package recorder

import (
	"bufio"
	"bytes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
)

// withoutPeople is what of a line stays readable in the journal of an encrypted
// recording: when, what, about which stream, for which causes.
func (l journalLine) withoutPeople() journalLine {
	out := journalLine{
		At: l.At, Event: l.Event, Leg: l.Leg, CallID: l.CallID, Policy: l.Policy, Method: l.Method, CSeq: l.CSeq, Reason: l.Reason,
		PolicyFile: l.PolicyFile, Belonging: l.Belonging, Stream: l.Stream, Causes: store.WithoutOwners(l.Causes),
		Absent: l.Absent, Of: l.Of, Other: l.Other, File: l.File, Files: l.Files, Down: l.Down, Alarm: l.Alarm, AlarmCause: l.AlarmCause,
	}
	if l.Command != nil {
		out.Command, out.Said = &commandLine{Action: l.Command.Action, Refused: l.Command.Refused}, l.Said
	}
	if l.Fact != nil {
		out.Fact = &factLine{Kind: l.Fact.Kind, Stream: l.Fact.Stream, Draw: l.Fact.Draw, Direction: l.Fact.Direction}
	}
	return out
}

// A lineSealer seals lines under the key of a recording. The nil sealer leaves them
// as they are.
type lineSealer struct {
	salt [seal.EpochSize]byte // of this opening of the journal
	aead cipher.AEAD
	n    uint64 // lines so far: the nonce of the next
}

// newLineSealer makes a sealer for a journal that is opened for writing; nil without
// a key.
func newLineSealer(key *seal.Key) (*lineSealer, error) {
	if key == nil {
		return nil, nil
	}
	s := new(lineSealer)
	if _, err := rand.Read(s.salt[:]); err != nil {
		return nil, fmt.Errorf("seal journal: %w", err)
	}
	var err error
	s.aead, err = key.Journal(s.salt[:])
	return s, err
}

// seal puts the whole of a line beside what of it is open.
func (s *lineSealer) seal(l journalLine) (journalLine, error) {
	if s == nil {
		return l, nil
	}
	whole, err := json.Marshal(l)
	if err != nil {
		return l, err
	}
	nonce := make([]byte, s.aead.NonceSize())
	binary.BigEndian.PutUint64(nonce[len(nonce)-8:], s.n)
	s.n++
	out := l.withoutPeople()
	out.Sealed = s.aead.Seal(append(s.salt[:], nonce...), nonce, whole, nil)
	return out, nil
}

// A lineOpener opens lines that were sealed under the key of a recording.
type lineOpener struct {
	key  *seal.Key // nil leaves lines as they are
	salt []byte
	aead cipher.AEAD
}

// errLine is wrapped when a line is damaged or was sealed for another recording.
var errLine = errors.New("line of the journal cannot be opened")

// open gives the whole of a line.
func (o *lineOpener) open(l journalLine) (journalLine, error) {
	b, err := o.unseal(l.Sealed)
	if b == nil || err != nil {
		return l, err
	}
	var whole journalLine
	if err := json.Unmarshal(b, &whole); err != nil {
		return l, errLine
	}
	return whole, nil
}

// unseal gives the text of what was sealed of a line; nil without it or without a key.
func (o *lineOpener) unseal(sealed []byte) ([]byte, error) {
	if len(sealed) == 0 || o.key == nil {
		return nil, nil
	}
	if len(sealed) < seal.EpochSize {
		return nil, errLine
	}
	if salt := sealed[:seal.EpochSize]; o.aead == nil || !bytes.Equal(salt, o.salt) {
		aead, err := o.key.Journal(salt)
		if err != nil {
			return nil, err
		}
		o.salt, o.aead = salt, aead
	}
	rest := sealed[seal.EpochSize:]
	if len(rest) < o.aead.NonceSize() {
		return nil, errLine
	}
	b, err := o.aead.Open(nil, rest[:o.aead.NonceSize()], rest[o.aead.NonceSize():], nil)
	if err != nil {
		return nil, errLine
	}
	return b, nil
}

// journalLines reads the lines of a journal; with a key the whole of those that are
// sealed. A torn last line is left out, as if it had not been written: nothing was
// answered on it. There may be no journal.
func journalLines(folder string, key *seal.Key) ([]journalLine, error) {
	f, err := os.Open(filepath.Join(folder, journalName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read journal: %w", err)
	}
	defer f.Close()
	var lines []journalLine
	opener := lineOpener{key: key}
	in := bufio.NewReader(f)
	for n := 1; ; n++ {
		text, err := in.ReadBytes('\n')
		if err != nil {
			return lines, nil
		}
		var l journalLine
		if err = json.Unmarshal(text, &l); err == nil {
			l, err = opener.open(l)
		}
		if err != nil {
			return lines, fmt.Errorf("read journal: line %d: %w", n, err)
		}
		lines = append(lines, l)
	}
}
