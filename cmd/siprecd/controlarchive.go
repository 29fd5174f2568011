package main

import (
	"errors"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/control"
	"github.com/siprecd/siprecd/recorder/store"
)

// archived is what becomes of the recordings in the folder of a recorder.
type archived struct {
	*recorder.Recorder
	dir string
}

// Recording says what becomes of a recording, from the open part of its manifest. One
// that goes on belongs where its interaction does; of one that was cut off nothing says
// where that is.
func (a archived) Recording(id string) (control.Recording, error) {
	folder, err := store.Folder(a.dir, id)
	if err != nil {
		return control.Recording{}, err
	}
	m, err := store.Load(a.dir, id)
	r := control.Recording{
		Recording: id, State: control.StateFinished, Begun: m.Times.Invite, Ended: m.Times.End, UserRecordingOf: m.Of,
		PolicyFile: m.PolicyFile, Verdict: m.Verdict, Void: m.Void,
	}
	if b := m.Belonging; b != nil {
		r.Account, r.Trunk, r.Plan = b.Account, b.Trunk, b.Plan
	}
	switch {
	case errors.Is(err, store.ErrErased):
		r.State = control.StateErased
		tomb, err := store.LoadTombstone(folder)
		if err != nil {
			return r, err
		}
		r.Erased = &tomb
	case errors.Is(err, store.ErrUnfinished):
		r.State = control.StateRecording
		for _, s := range a.Find(recorder.Query{Recording: id}) {
			r.Account, r.Trunk, r.Plan, r.Begun, r.PolicyFile, r.Void = s.Account, s.Trunk, s.Plan, s.Begun, s.PolicyFile, s.Void
		}
	case err != nil:
		return r, err
	case m.Retention != nil:
		r.DeleteAt = m.Retention.DeleteAt
	}
	holds, err := store.LoadHolds(folder)
	if err != nil {
		return r, err
	}
	for _, h := range holds.InForce(m.Retention) {
		r.Holds = append(r.Holds, control.Hold{Since: h.At, Matter: h.Matter, By: h.By, Reason: h.Reason})
	}
	r.Held = len(r.Holds) > 0
	return r, nil
}

// Hold puts a legal hold on a recording, for a matter.
func (a archived) Hold(id string, o control.Order) error {
	return a.Recorder.Hold(id, recorder.Who{By: o.By, Reason: o.Reason, Matter: o.Matter, At: o.At})
}

// Release takes the legal hold for a matter off.
func (a archived) Release(id string, o control.Order) error {
	return a.Recorder.Release(id, recorder.Who{By: o.By, Reason: o.Reason, Matter: o.Matter, At: o.At})
}

// Erase destroys a recording.
func (a archived) Erase(id string, o control.Order) error {
	_, err := a.Recorder.Erase(id, recorder.Erasure{By: o.By, Reason: o.Reason, At: o.At})
	return err
}
