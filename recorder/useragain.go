package recorder

import (
	"path/filepath"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// userOf is the user recording that a decision is about.
func (in *interaction) userOf(d rules.Decision, id string) *recording {
	return &recording{
		in: in, id: rules.RecordingID(id), subject: d.Recording, maker: d.Maker, of: in.id,
		log: in.log.With(zap.String("user_recording", id)),
	}
}

// userAgain finds the user recording that another process began by this decision, while
// its interaction is recalled; nil for none. It has to be gone on with: what rules and
// commands demand of it later reaches what is there already.
func (in *interaction) userAgain(d rules.Decision) *recording {
	k, ok := in.streams.out.(*laterKeeper)
	if !ok || k.w.Load() != nil {
		return nil
	}
	ids, err := store.BegunAt(in.recorder.cfg.Dir, d.From)
	if err != nil {
		in.log.Error("find user recordings", zap.Error(err))
	}
	for _, id := range ids {
		u := in.userOf(d, id)
		if u.takeUp(d) {
			return u
		}
	}
	return nil
}

// takeUp makes a recording that of a folder, if it is the one that the decision began.
func (rec *recording) takeUp(d rules.Decision) bool {
	folder, err := store.Folder(rec.in.recorder.cfg.Dir, string(rec.id))
	if err != nil {
		return false
	}
	done, err := store.HasManifest(rec.in.recorder.cfg.Dir, string(rec.id))
	if err != nil {
		return false
	}
	key, err := rec.in.recorder.cfg.Masters.ring().Load(folder, string(rec.id))
	if err != nil && !done {
		return false
	}
	lines, _ := journalLines(folder, key) // what is torn is behind the first
	if len(lines) == 0 || lines[0].Of != string(rec.of) || !lines[0].At.Equal(d.From) {
		return false
	}
	if made := lines[0].Maker; made != string(d.Maker) && !(done && made == "") { // one that is erased tells of nobody
		return false
	}
	if done {
		rec.folder, rec.begun, rec.done, rec.later = folder, true, true, new(laterKeeper)
		return true
	}
	rec.secret = capture.Secret{Recording: string(rec.id), Key: key}
	if rec.in.sealing != nil {
		rec.sealing = key
	}
	rec.folder, rec.begun, rec.later = folder, true, new(laterKeeper)
	return true
}

// keeper takes what a stream has for the recording.
func (rec *recording) keeper() keeper {
	if rec.later != nil {
		return rec.later
	}
	return rec.capture
}

// reopenUsers opens the files of the user recordings that were taken up. One that cannot
// be opened stays unfinished, and costs the others nothing.
func (in *interaction) reopenUsers() {
	users := in.users[:0]
	for _, u := range in.users {
		if u.later != nil && !u.done {
			if err := u.reopenFiles(); err != nil {
				u.log.Error("user recording was left unfinished and stays so: its audio is in its capture and in no file", zap.Error(err))
				continue
			}
			u.later.w.Store(u.capture)
		}
		users = append(users, u)
	}
	in.users = users
}

// reopenFiles opens journal and capture of another process, to go on with them.
func (rec *recording) reopenFiles() (err error) {
	if rec.journal, err = openJournal(rec.folder, func(decision uint64) { rec.capture.Release(decision) }); err != nil {
		return err
	}
	if rec.journal.sealer, err = newLineSealer(rec.sealing); err != nil {
		return err
	}
	onError := func(err error) { rec.log.Error("capture", zap.Error(err)) }
	rec.capture, err = rec.in.recorder.spool.Reopen(filepath.Join(rec.folder, captureName), rec.secret, rec.in.zero, onError)
	return err
}

// isUsers reports whether an unfinished recording is one that a user made beside another
// that is unfinished too: it is taken up with that.
func (r *Recorder) isUsers(id string) bool {
	folder, err := store.Folder(r.cfg.Dir, id)
	if err != nil {
		return false
	}
	key, err := r.cfg.Masters.ring().Load(folder, id)
	if err != nil {
		return false
	}
	lines, _ := journalLines(folder, key)
	if len(lines) == 0 || lines[0].Of == "" {
		return false
	}
	over, err := store.HasManifest(r.cfg.Dir, lines[0].Of)
	return err == nil && !over
}
