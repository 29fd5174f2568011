package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"
)

// TombstoneName is the name of what says that a recording was erased.
const TombstoneName = "erased.json"

// A Tombstone says what was erased of a recording, and what not. It stays in the
// folder, with what of manifest and journal tells nothing of people.
type Tombstone struct {
	Recording string    `json:"recording"`
	At        time.Time `json:"at"` // UTC; when erasing began
	By        string    `json:"by"` // who, as the one who erased calls himself, or the policy
	Reason    string    `json:"reason"`
	// Complete is false while erasing goes on, and stays so when it was cut off:
	// erase again.
	Complete bool `json:"complete"`
	// Key is what became of the key of the recording: destroyed, or that there was
	// none any more.
	Key string `json:"key,omitempty"`
	// Unlinked counts the files that were removed, Overwritten those of them whose
	// content was overwritten before because it was in the clear, Octets what they
	// held together.
	Unlinked    int   `json:"unlinked"`
	Overwritten int   `json:"overwritten"`
	Octets      int64 `json:"octets"`
	// Redacted are the files that stay, without what they held of people.
	Redacted []string `json:"redacted,omitempty"`
	// Limits say what was not reached, in words.
	Limits []string `json:"limits"`
}

// LoadTombstone reads the tombstone in a folder; the error is fs.ErrNotExist when
// the recording was not erased.
func LoadTombstone(folder string) (t Tombstone, err error) {
	b, err := os.ReadFile(filepath.Join(folder, TombstoneName))
	if err == nil {
		err = json.Unmarshal(b, &t)
	}
	if err != nil {
		return t, fmt.Errorf("read tombstone: %w", err)
	}
	return t, nil
}

// WriteTombstone writes the tombstone of a recording, durably.
func WriteTombstone(folder string, t Tombstone) error {
	b, err := json.MarshalIndent(t, "", "  ")
	if err == nil {
		err = WriteFile(filepath.Join(folder, TombstoneName), append(b, '\n'))
	}
	if err != nil {
		return fmt.Errorf("write tombstone of %s: %w", t.Recording, err)
	}
	return nil
}

// HalfErased returns the ids of the recordings below dir whose erasing was cut off.
func HalfErased(dir string) ([]string, error) {
	all, err := folders(dir)
	if err != nil {
		return nil, fmt.Errorf("find what is half erased: %w", err)
	}
	var out []string
	for _, folder := range all {
		t, err := LoadTombstone(folder)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("find what is half erased: %s: %w", filepath.Base(folder), err)
		}
		if !t.Complete {
			out = append(out, filepath.Base(folder))
		}
	}
	return out, nil
}
