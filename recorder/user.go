package recorder

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// user finds the user recording that a decision is about, or begins it. Its gate may
// open at once: its files are made when the decision is written down, and what it
// keeps waits in memory until then.
func (in *interaction) user(d rules.Decision) (*recording, error) {
	i := slices.IndexFunc(in.users, func(u *recording) bool { return u.subject == d.Recording })
	if i >= 0 {
		return in.users[i], nil
	}
	if u := in.userAgain(d); u != nil {
		in.users = append(in.users, u)
		return u, nil
	}
	id, err := store.NewID(d.From, in.random)
	if err != nil {
		return nil, err
	}
	u := in.userOf(d, id)
	if err := u.prepare(); err != nil {
		return nil, fmt.Errorf("begin user recording %s: %w", id, err)
	}
	u.waiting = []journalLine{{
		At: d.From.UTC(), Event: lineStarted, CallID: in.legs[0].callID, Policy: in.policy.Version(), PolicyFile: in.policy.file,
		Belonging: in.policy.belongs(), Of: string(in.id), Maker: string(d.Maker),
	}}
	in.users = append(in.users, u)
	return u, nil
}

// noteUsers writes down what was decided about user recordings, each in a journal of
// its own, and makes their files first where there are none. over is the line that ends
// them; nil while the interaction goes on.
func (in *interaction) noteUsers(over *journalLine, decisions []rules.Decision, absent map[rules.StreamID]time.Time) {
	for _, u := range in.users {
		u.waiting = append(u.waiting, in.decisionLines(decisions, u.subject, absent)...)
		if u.done {
			u.waiting = nil
			continue
		}
		if over != nil {
			u.waiting = append(u.waiting, *over)
		}
		if len(u.waiting) == 0 {
			continue
		}
		if err := u.writeDown(in.decision); err != nil {
			u.failed("begin user recording", err)
		}
	}
}

// writeDown makes the files of a user recording unless they are there, and writes the
// lines that wait for them. An error says that there are no files.
func (rec *recording) writeDown(decision uint64) error {
	if err := rec.makeFolder(rec.in.recorder.cfg.Dir); err != nil {
		return err
	}
	lines := rec.waiting
	rec.waiting = nil
	if err := rec.journal.write(decision, lines...); err != nil {
		rec.failed("journal", err)
	}
	return nil
}

// makeFolder makes folder and files unless they are there.
func (rec *recording) makeFolder(dir string) (err error) {
	if rec.begun {
		return nil
	}
	if rec.folder, err = store.Create(dir, string(rec.id)); err != nil {
		return err
	}
	if err := rec.makeFiles(); err != nil {
		return errors.Join(err, rec.forget())
	}
	return nil
}

// finaliseAll makes the files of the user recordings of an interaction, and then those of
// its policy recording: until that has its manifest, another process would go through all
// of it again.
func (r *Recorder) finaliseAll(in *interaction) {
	in.tellStopped()
	if in.void() {
		defer r.voidParts(in)
	}
	for _, u := range in.users {
		if u.done {
			continue
		}
		if err := r.inTime(u, func() error { return u.writeDown(in.decision) }); err != nil {
			u.log.Error("user recording has no folder: it is lost", zap.Error(err))
			if err := u.capture.Close(); err != nil {
				u.log.Error("capture", zap.Error(err))
			}
			continue
		}
		r.finalise(u)
	}
	r.finalise(in.recording)
}
