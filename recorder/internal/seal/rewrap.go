package seal

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Rewrap wraps the key of a recording anew under the key that seals, and reports
// whether it was another before, or none. The file is replaced as a whole: a crash
// leaves the old one or the new one. The error is that of [Ring.Load], or
// [ErrMaster] when the ring does not seal. A recording without a key is none.
func (r *Ring) Rewrap(folder, recording string) (bool, error) {
	if !r.Seals() {
		return false, fmt.Errorf("rewrap key of %s: there is none that seals: %w", recording, ErrMaster)
	}
	path := filepath.Join(folder, FileName)
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, fmt.Errorf("rewrap key: %w", err)
	}
	defer clear(b)
	var file keyFile
	if err := json.Unmarshal(b, &file); err == nil && file.Master == r.masters[0].id {
		return false, nil
	}
	clear(file.Key)
	key, err := r.Load(folder, recording)
	if err != nil {
		return false, err
	}
	defer key.Wipe()
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return false, fmt.Errorf("rewrap key: %w", err)
	}
	defer old.Close()
	if err := r.replace(folder, recording, key); err != nil {
		return false, fmt.Errorf("rewrap key: %w", err)
	}
	if err := overwrite(old); err != nil {
		return false, fmt.Errorf("rewrap key: %w", err)
	}
	return true, nil
}

// replace puts a new file in the place of the old one.
func (r *Ring) replace(folder, recording string, key *Key) error {
	dir, err := os.MkdirTemp(folder, ".rewrap.*")
	if err != nil {
		return err
	}
	err = r.Store(dir, recording, key)
	if err == nil {
		err = os.Rename(filepath.Join(dir, FileName), filepath.Join(folder, FileName))
	}
	return errors.Join(err, os.RemoveAll(dir), syncDir(folder))
}
