package control

import (
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/store"
)

// An Archive is what becomes of recordings. Errors are those of [recorder.Hold],
// [recorder.Release] and [recorder.Erase]; what is not there is an fs.ErrNotExist.
type Archive interface {
	Recording(id string) (Recording, error)
	Hold(id string, o Order) error
	Release(id string, o Order) error
	Erase(id string, o Order) error
}

// An Order says who disposes of a recording, why and when.
type Order struct {
	By, Reason string
	// Matter tells legal holds on one recording apart; it may be empty.
	Matter string
	At     time.Time
}

// A Hold is a legal hold that is on a recording.
type Hold struct {
	Since  time.Time `json:"since,omitzero"`
	Matter string    `json:"matter,omitempty"`
	By     string    `json:"by"`
	Reason string    `json:"reason"`
}

// A Recording is what becomes of one, without anything of people.
type Recording struct {
	Recording string    `json:"recording"`
	State     string    `json:"state"` // recording, also while files are made of it; finished or erased
	Account   string    `json:"account,omitempty"`
	Trunk     string    `json:"trunk,omitempty"`
	Plan      string    `json:"plan,omitempty"`
	Begun     time.Time `json:"begun,omitzero"` // arrival of the INVITE, UTC
	Ended     time.Time `json:"ended,omitzero"`
	// UserRecordingOf is the policy recording beside which a user recording was made.
	UserRecordingOf string        `json:"user_recording_of,omitempty"`
	PolicyFile      string        `json:"policy_file,omitempty"` // version of the policy file
	Verdict         store.Verdict `json:"verdict,omitempty"`
	Void            bool          `json:"void,omitempty"`
	// DeleteAt is when it is deleted, unless legal holds keep it from that.
	DeleteAt time.Time `json:"delete_at,omitzero"`
	Held     bool      `json:"held"`
	Holds    []Hold    `json:"holds,omitempty"`
	// Erased is what is left of one that was erased.
	Erased *store.Tombstone `json:"erased,omitempty"`
}

// The states of a Recording.
const (
	StateRecording = "recording"
	StateFinished  = "finished"
	StateErased    = "erased"
)

// What can be done with a recording, as it stands in the path.
const (
	disposeHold    = "hold"
	disposeRelease = "release"
	disposeErase   = "erase"
)

func disposals() []string { return []string{disposeHold, disposeRelease, disposeErase} }

// known is a recording that the token sees.
func (h *Handler) known(req *request, id string) (Recording, error) {
	r, err := h.cfg.Archive.Recording(id)
	if err != nil {
		return r, err
	}
	if !req.token.sees(r.Account) {
		return r, notFound("there is no such recording that the token may see")
	}
	req.log = append(req.log, zap.String("recording", r.Recording))
	return r, nil
}

// recording answers what became of a recording.
func (h *Handler) recording(req *request, id string) (any, error) {
	if !req.token.mayDo(rightRead) {
		return nil, forbidden(string(rightRead))
	}
	if err := noQuery(req.Request); err != nil {
		return nil, err
	}
	r, err := h.known(req, id)
	if err != nil {
		return nil, err
	}
	return r, nil
}

// dispose holds, releases or erases a recording, for a reason, and answers what became
// of it. Each may be said again.
func (h *Handler) dispose(req *request, id, what string) (any, error) {
	text, err := h.body(req)
	if err != nil {
		return nil, err
	}
	needed := rightRetention
	if what == disposeErase {
		needed = rightErase
	}
	req.log = append(req.log, zap.String("action", what+"-recording"))
	if !req.token.mayDo(needed) {
		return nil, forbidden(string(needed))
	}
	o := Order{By: req.by, At: h.cfg.Now()}
	fields := map[string]any{"reason": &o.Reason}
	if needed == rightRetention {
		fields["matter"] = &o.Matter
	}
	if err := readObject("", text, fields); err != nil {
		return nil, err
	}
	if o.Reason == "" {
		return nil, malformed("reason", "is missing")
	}
	if err := recorder.CheckReason(o.Reason, o.Matter); err != nil {
		return nil, err
	}
	if _, err := h.known(req, id); err != nil {
		return nil, err
	}
	i := slices.Index(disposals(), what)
	if err := []func(string, Order) error{h.cfg.Archive.Hold, h.cfg.Archive.Release, h.cfg.Archive.Erase}[i](id, o); err != nil {
		return nil, err
	}
	return h.known(req, id)
}
