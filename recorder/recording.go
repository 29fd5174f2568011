package recorder

import (
	"crypto/rand"
	"os"
	"path/filepath"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// captureName is the name of the capture within the folder of a recording.
const captureName = "capture.rtp"

// A recording is what is kept of an interaction in one folder: for everybody who may
// listen, the policy recording, or for the one user who makes it. It is owned by the
// goroutine of its interaction, and by its finaliser after that.
type recording struct {
	in      *interaction // what it is of
	id      rules.RecordingID
	subject rules.RecordingID // what it is called in decisions: id, but for user recordings
	maker   rules.PartyID     // of a user recording
	of      rules.RecordingID // the policy recording, of a user recording
	folder  string
	log     *zap.Logger

	secret    capture.Secret
	sealing   *seal.Key // seals finished files; nil in the clear
	capture   *capture.Writer
	journal   *journal
	resume    *resumeLog    // nil of a user recording: it goes on with the other
	later     *laterKeeper  // what streams have for a user recording of another process goes there; nil of others
	begun     bool          // its files are made
	waiting   []journalLine // lines of a user recording whose files are not made yet
	decisions []rules.Decision
	flags     []string
	alarms    []store.Alarm    // that were raised
	done      bool             // another process made its files
	accounted bool             // the journal says that it is finalised
	tomb      *store.Tombstone // what was discarded of a void recording; nil before
	spared    bool             // it is void because of a withdrawal, and under a legal hold
	decided   *asDecided       // what a journal says, in place of the rules; nil for them
}

// prepare makes what a recording needs in memory: its key, and a capture that keeps
// what it is given until it has a file.
func (rec *recording) prepare() error {
	key, err := seal.New(rand.Reader)
	if err != nil {
		return err
	}
	rec.secret = capture.Secret{Recording: string(rec.id), Key: key}
	if rec.in.recorder.cfg.Encrypt {
		rec.sealing = key
	}
	onError := func(err error) { rec.log.Error("capture", zap.Error(err)) }
	rec.capture, err = rec.in.recorder.spool.Prepare(rec.secret, rec.in.zero, onError)
	return err
}

// makeFiles makes key, journal and capture in the folder, all of them durable.
func (rec *recording) makeFiles() error {
	if err := rec.in.recorder.cfg.Masters.ring().Store(rec.folder, string(rec.id), rec.secret.Key); err != nil {
		return err
	}
	var err error
	if rec.journal, err = createJournal(rec.folder, rec.capture.Release); err != nil {
		return err
	}
	if rec.journal.sealer, err = newLineSealer(rec.sealing); err != nil {
		return err
	}
	if rec.of == "" { // a user recording goes on with that which it is of
		if rec.resume, err = createResumeLog(rec.folder, rec.secret); err != nil {
			return err
		}
	}
	if err := rec.capture.Begin(filepath.Join(rec.folder, captureName)); err != nil {
		return err
	}
	if err := store.SyncDir(rec.folder); err != nil {
		return err
	}
	rec.begun = true
	return nil
}

// forget removes a folder in which nothing was recorded. The files are removed by their
// names: it may be for want of descriptors that nothing was.
func (rec *recording) forget() error {
	for _, name := range []string{seal.FileName, journalName, resumeName, captureName} {
		_ = os.Remove(filepath.Join(rec.folder, name)) // it may not be there
	}
	if os.Remove(rec.folder) == nil {
		return nil
	}
	return os.RemoveAll(rec.folder)
}

// failed notes a failure of the disk. The recording goes on: what the gates let
// through is still wanted, and the manifest will say what is missing.
func (rec *recording) failed(what string, err error) {
	rec.log.Error(what, zap.Error(err))
	rec.flag(flagDisk)
}

func (rec *recording) flag(f string) { rec.flags = appendNew(rec.flags, f) }
