package recorder

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"sync"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// endDown is why a recording session ended that was up when the server was killed, and
// could not be gone on with.
const endDown siprec.EndReason = "server-down"

// Recovered is what became of the recordings that another process left unfinished.
type Recovered struct {
	Resumed  int // their recording sessions go on, in the same recordings
	Finished int // they are being finalised as they are
	Left     int // they cannot be made sense of, and stay as they are
}

// Recover takes up what an earlier process left unfinished, since it was killed or its
// disk failed. Each recording session that was up is resumed, and goes on in the same
// recording with a gap: resume is [siprec.Server.Resume] of a server that does not
// serve yet. One that it cannot go on with, with the error of resume as the reason, or
// that had ended, is finalised as it is.
//
// It is for the time before the first ServeRecording. While another process has the
// folder nothing is touched, and the result is zero.
func (r *Recorder) Recover(resume func(state []byte, h siprec.Handler) error) (Recovered, error) {
	return r.recover(func(state []byte, l *leg) error {
		return resume(state, siprec.HandlerFunc(func(ctx context.Context, rs *siprec.RecordingSession) { r.goOn(ctx, rs, l) }))
	})
}

// errBehind: the disk failed when something was to be withheld, and then the process
// ended. What is not known to be withheld may be.
var errBehind = errors.New("what was withheld could not be written down")

// A resumer has a recording session go on.
type resumer func(state []byte, l *leg) error

func (r *Recorder) recover(resume resumer) (Recovered, error) {
	if !r.alone {
		r.cfg.Log.Warn("another process has this folder of recordings: what is unfinished in it is left to that one", zap.String("folder", r.cfg.Dir))
		return Recovered{}, nil
	}
	r.tidy()
	r.tidyCaptures()
	if err := r.eraseAgain(); err != nil {
		return Recovered{}, err
	}
	ids, err := store.WithoutManifest(r.cfg.Dir)
	if err != nil {
		return Recovered{}, err
	}
	var mu sync.Mutex
	var out Recovered
	var working sync.WaitGroup
	next := make(chan string)
	for range cap(r.slots) {
		working.Go(func() {
			for id := range next {
				one := r.recoverOne(id, resume)
				mu.Lock()
				out.Resumed, out.Finished, out.Left = out.Resumed+one.Resumed, out.Finished+one.Finished, out.Left+one.Left
				mu.Unlock()
			}
		})
	}
	for _, id := range ids {
		next <- id
	}
	close(next)
	working.Wait()
	return out, nil
}

func (r *Recorder) recoverOne(id string, resume resumer) Recovered {
	if r.isUsers(id) {
		return Recovered{}
	}
	left, err := r.recall(id)
	if err == nil {
		err = left.reopen(r)
	}
	if err != nil && r.discardBlank(id) {
		return Recovered{}
	}
	if err != nil {
		r.cfg.Log.Warn("recording was left unfinished and stays so: its audio is in its capture and in no file", zap.String("recording", id), zap.Error(err))
		return Recovered{Left: 1}
	}
	r.links.own(left.interaction, left.keysAgain())
	for _, l := range left.legs {
		if l.ended.IsZero() {
			continue
		}
		left.left(l)
	}
	if !left.goesOn() {
		left.flag(flagDown)
		left.conclude()
		left.start()
		return Recovered{Finished: 1}
	}
	left.tellAgain()
	left.start()
	resumed := 0
	for _, l := range left.legs {
		if l.ended.IsZero() && left.goesOnWith(l, resume) {
			resumed++
		}
	}
	if resumed > 0 {
		return Recovered{Resumed: 1}
	}
	return Recovered{Finished: 1}
}

// goesOnWith has a recording session go on that was up, or ends it where it was last
// heard of.
func (left *remains) goesOnWith(l *leg, resume resumer) bool {
	var err error
	switch {
	case l.dialog == nil:
		err = errResumeLog // its INVITE was never answered
	case left.behind:
		err = errBehind
	default:
		err = resume(l.dialog, l)
	}
	if err == nil {
		return true
	}
	l.log.Warn("recording session cannot be resumed: what was recorded is finalised", zap.Error(err))
	l.do(func(in *interaction) {
		in.cut = err.Error()
		in.flag(flagDown)
		in.survives(l, &siprec.Event{Kind: siprec.Ended, At: in.lastKnown, Reason: endDown})
	})
	l.leave()
	return false
}

// keysAgain are the ids of an interaction that another process left.
func (in *interaction) keysAgain() (out []linkKey) {
	for _, l := range in.legs {
		out = append(out, in.recorder.keysOf(l, in.policy.belonging.Account, nil)...)
	}
	return out
}

// discardBlank removes a folder in whose journal nothing stands: its INVITE was not
// answered, and no audio had leave to be written.
func (r *Recorder) discardBlank(id string) bool {
	folder, err := store.Folder(r.cfg.Dir, id)
	if err != nil {
		return false
	}
	b, err := os.ReadFile(filepath.Join(folder, journalName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) || bytes.ContainsRune(b, '\n') {
		return false
	}
	if err != nil { // it is made right after the key, and the capture after it
		if _, err := os.Stat(filepath.Join(folder, captureName)); !errors.Is(err, fs.ErrNotExist) {
			return false
		}
	}
	if err := os.RemoveAll(folder); err != nil {
		return false
	}
	r.cfg.Log.Info("recording that had not begun is removed", zap.String("recording", id))
	return true
}

// tidy removes what the end of a process kept from being removed with the manifest.
func (r *Recorder) tidy() {
	var found []string
	for _, name := range []string{resumeName, behindName} {
		some, err := filepath.Glob(filepath.Join(store.Literal(r.cfg.Dir), "[0-9]*", "[0-9]*", "[0-9]*", "*", name))
		if err != nil {
			return // of no pattern of ours
		}
		found = append(found, some...)
	}
	for _, path := range found {
		if _, err := os.Stat(filepath.Join(filepath.Dir(path), store.ManifestName)); err != nil {
			continue
		}
		r.tellVerdictAgain(filepath.Base(filepath.Dir(path)))
		if err := os.Remove(path); err != nil {
			r.cfg.Log.Error("resume log is left behind", zap.Error(err))
		}
	}
}

// goOn records a recording session again.
func (r *Recorder) goOn(ctx context.Context, rs recordingSession, l *leg) {
	l.do(func(in *interaction) {
		l.rs = rs
		l.seat.Store(&seat{in.resume, l.number})
		l.log = r.cfg.Log.With(append(logFields(rs), zap.String("recording", string(in.id)))...)
		rs.Held(l.held)
	})
	rs.Keep(l.keepDialog)
	r.loop(ctx, l)
}

// takeAlone reports whether no other process has the folder of recordings; then none
// can take it until this one has ended.
func takeAlone(dir string) (lock *os.File, alone bool) {
	f, err := os.OpenFile(cmp.Or(dir, ".")+"/"+lockName, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return nil, false
	}
	if !lockFile(f) {
		f.Close()
		return nil, false
	}
	return f, true
}

// lockName is the name of the file that tells who has a folder of recordings.
const lockName = ".in-use"
