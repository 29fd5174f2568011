package recorder

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// user finds the user recording that a decision is about, or begins it. Its gate may
// open at once: its files are made when the decision is written down, and what it
// keeps waits in memory until then.
func (in *interaction) user(d rules.Decision) (*interaction, error) {
	i := slices.IndexFunc(in.users, func(u *interaction) bool { return u.subject == d.Recording })
	if i >= 0 {
		return in.users[i], nil
	}
	id, err := store.NewID(d.From, in.random)
	if err != nil {
		return nil, err
	}
	u := &interaction{
		id: rules.RecordingID(id), subject: d.Recording, maker: d.Maker, of: in.id, recorder: in.recorder, zero: in.zero,
		log: in.log.With(zap.String("user_recording", id)),
	}
	if err := u.prepare(); err != nil {
		return nil, fmt.Errorf("begin user recording %s: %w", id, err)
	}
	u.waiting = []journalLine{{
		At: d.From.UTC(), Event: lineStarted, CallID: in.callID, Policy: in.policy.Version(), PolicyFile: in.policy.file,
		Belonging: in.policy.belongs(), Of: string(in.id), Maker: string(d.Maker),
	}}
	in.users = append(in.users, u)
	return u, nil
}

// noteUsers writes down what was decided about user recordings, each in a journal of
// its own, and makes their files first where there are none.
func (in *interaction) noteUsers(ev *siprec.Event, decisions []rules.Decision, absent map[rules.StreamID]time.Time) {
	for _, u := range in.users {
		for _, d := range decisions {
			if d.Recording == u.subject {
				u.decisions = append(u.decisions, d)
			}
		}
		u.waiting = append(u.waiting, in.decisionLines(decisions, u.subject, absent)...)
		if ev.Kind == siprec.Ended {
			u.waiting = append(u.waiting, journalLine{At: ev.At.UTC(), Event: lineEnded, Method: ev.Method, CSeq: ev.CSeq, Reason: string(ev.Reason)})
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
func (in *interaction) writeDown(decision uint64) error {
	if err := in.makeFolder(in.recorder.cfg.Dir); err != nil {
		return err
	}
	lines := in.waiting
	in.waiting = nil
	if err := in.journal.write(decision, lines...); err != nil {
		in.failed("journal", err)
	}
	return nil
}

// makeFolder makes folder and files unless they are there.
func (in *interaction) makeFolder(dir string) (err error) {
	if in.begun {
		return nil
	}
	if in.folder, err = store.Create(dir, string(in.id)); err != nil {
		return err
	}
	if err := in.makeFiles(); err != nil {
		return errors.Join(err, in.forget())
	}
	return nil
}

// finaliseAll makes the files of a recording and then of its user recordings.
func (r *Recorder) finaliseAll(in *interaction) {
	r.finalise(in)
	for _, u := range in.users {
		if err := r.inTime(u, func() error { return u.writeDown(in.decision) }); err != nil {
			u.log.Error("user recording has no folder: it is lost", zap.Error(err))
			if err := u.capture.Close(); err != nil {
				u.log.Error("capture", zap.Error(err))
			}
			continue
		}
		u.callID, u.src, u.verdicts, u.people, u.interpreter, u.streams = in.callID, in.src, in.verdicts, in.people, in.interpreter, in.streams
		u.policy, u.ended, u.reason, u.dates, u.down = in.policy, in.ended, in.reason, in.dates, in.down
		r.finalise(u)
	}
}
