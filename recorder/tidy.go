package recorder

import (
	"errors"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
)

// tidyCaptures removes captures, with their keys, that the end of a process kept from being
// removed when the files of their recordings were finished. One that is to stay has a plan
// beside it.
func (r *Recorder) tidyCaptures() {
	found, err := filepath.Glob(filepath.Join(store.Literal(r.cfg.Dir), "[0-9]*", "[0-9]*", "[0-9]*", "*", captureName))
	if err != nil {
		return // of no pattern of ours
	}
	for _, path := range found {
		folder := filepath.Dir(path)
		if hasPlan(folder) {
			continue
		}
		done, err := tidyCapture(r.cfg.Dir, folder)
		log := r.cfg.Log.With(zap.String("recording", filepath.Base(folder)))
		if err != nil {
			log.Error("capture of a finished recording is left behind", zap.Error(err))
		} else if done {
			log.Info("capture of a finished recording is removed: that had been cut off")
		}
	}
}

func hasPlan(folder string) bool {
	_, err := os.Lstat(filepath.Join(folder, planName))
	_, err2 := os.Lstat(filepath.Join(folder, planName+vault.Suffix))
	return err == nil || err2 == nil
}

// errFileMissing: the manifest names a file that is not there.
var errFileMissing = errors.New("a file of the recording is missing, so its capture stays")

// tidyCapture removes what is left of a capture in a folder, if the manifest says that all
// of it is in the files, and they are there.
func tidyCapture(dir, folder string) (done bool, err error) {
	m, err := store.Load(dir, filepath.Base(folder))
	if err != nil || m.Capture != "" {
		return false, nil // it is not finished, was erased, or is to stay
	}
	for _, f := range m.Files {
		if _, err := os.Lstat(filepath.Join(folder, filepath.Base(f.Name))); err != nil {
			return false, errFileMissing // whose name may be that of a person
		}
	}
	err = discardCapture(folder, m.Storage)
	for _, plan := range []string{planName, planName + vault.Suffix} {
		err = errors.Join(err, removed(filepath.Join(folder, plan)))
	}
	return true, errors.Join(err, store.SyncDir(folder))
}
