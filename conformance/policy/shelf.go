package policy

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// look is the time between two looks at a data folder.
const look = 500 * time.Millisecond

// A shelf knows whose the folders of recordings are, so that many calls may wait for
// theirs while each journal is read once only.
type shelf struct {
	data string

	mu    sync.Mutex
	known map[string]head // by folder
}

// A head is what the first lines of a journal say.
type head struct{ id, callID, of string }

func newShelf(data string) *shelf { return &shelf{data: data, known: make(map[string]head)} }

// await returns the recordings of a Call-ID once all of them are finished. At the end
// of ctx it returns them as they are then.
func (s *shelf) await(ctx context.Context, callID string) ([]*Recording, error) {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for over := false; ; {
		folders, err := s.of(callID)
		if err != nil {
			return nil, err
		}
		if over || len(folders) > 0 && finishedAll(folders) {
			return read(folders, callID)
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			over = true
		}
	}
}

// of are the folders of the recordings of a Call-ID, those of users among them.
func (s *shelf) of(callID string) (folders []string, err error) {
	paths, err := journals(s.data)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	ids := make(map[string]bool)
	for _, path := range paths {
		folder := filepath.Dir(path)
		if _, known := s.known[folder]; !known {
			if err := s.learn(folder); err != nil {
				return nil, err
			}
		}
		if h := s.known[folder]; h.of == "" && h.callID == callID {
			ids[h.id] = true
			folders = append(folders, folder)
		}
	}
	for folder, h := range s.known {
		if ids[h.of] {
			folders = append(folders, folder)
		}
	}
	return folders, nil
}

// learn reads the journal of a folder, if it says already whose it is.
func (s *shelf) learn(folder string) error {
	lines, err := readJournal(filepath.Join(folder, "journal.jsonl"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil // it was removed meanwhile
	}
	for _, l := range lines {
		if l.Event == "started" {
			s.known[folder] = head{filepath.Base(folder), l.CallID, l.Of}
		}
	}
	return err
}

func finishedAll(folders []string) bool {
	for _, folder := range folders {
		_, manifest := os.Stat(filepath.Join(folder, "manifest.json"))
		_, erased := os.Stat(filepath.Join(folder, "erased.json"))
		if manifest != nil && erased != nil {
			return false
		}
	}
	return true
}

// read opens the recordings of a Call-ID.
func read(folders []string, callID string) (list []*Recording, err error) {
	c, err := observe.NewCode(src.PCMU())
	if err != nil {
		return nil, err
	}
	for _, folder := range folders {
		r, err := open(c, folder)
		if err != nil {
			return nil, err
		}
		r.CallID = callID
		list = append(list, r)
	}
	return list, nil
}
