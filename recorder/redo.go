package recorder

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
)

// planName is the name of the file that says how to finalise a kept capture again.
const planName = "plan.json"

// A savedPlan is what is to be made of a capture that was kept.
type savedPlan struct {
	Job     render.Job   `json:"job"`
	Streams []string     `json:"streams"` // the id in the manifest of each of Job.Streams
	Files   []store.File `json:"files"`   // one for each track, as far as known before it is made
}

// name is the id in the manifest of a stream of the job.
func (p *savedPlan) name(stream int) string {
	for i, s := range p.Job.Streams {
		if s.ID == stream {
			return p.Streams[i]
		}
	}
	return ""
}

// savePlan writes the plan of a recording beside its capture, sealed with a key. It
// is durable with the folder.
func savePlan(folder string, p savedPlan, key *seal.Key) error {
	p.Job.Capture, p.Job.Dir = "", "" // the folder may be moved
	b, err := json.Marshal(p)
	if err == nil {
		err = vault.Put(filepath.Join(folder, vault.Name(planName, key)), b, key)
	}
	if err != nil {
		return fmt.Errorf("keep plan: %w", err)
	}
	return nil
}

// ErrNoCapture says that there is nothing to finalise again: the files of the
// recording hold all that was kept, or it was discarded.
var ErrNoCapture = errors.New("recording has no capture: all of it is in its files")

// Refinalise makes the files of a finished recording below dir anew from its
// capture, which was kept because not all of it could be decoded, and rewrites its
// manifest. The capture goes when nothing is left in it alone, and no legal hold is on
// the recording (see [CaptureHeld]). masters open its key where that is wrapped; nil for
// none. Errors are those of [Load] and of the key, and [ErrNoCapture].
func Refinalise(ctx context.Context, dir, id string, ffmpeg *codec.FFmpeg, masters *MasterKeys) (store.Manifest, error) {
	o, err := openRecording(dir, id, masters)
	m, folder := o.Manifest, o.folder
	if err != nil {
		return m, err
	}
	if m.Capture == "" || m.Void {
		_, err := tidyCapture(dir, folder) // the end of a process may have left some of it
		return m, errors.Join(fmt.Errorf("finalise %s: %w", id, ErrNoCapture), err)
	}
	p, err := loadPlan(folder, o.key)
	if err != nil {
		return m, fmt.Errorf("finalise %s: %w", id, err)
	}
	key, err := masters.ring().Load(folder, id)
	if err != nil {
		return m, fmt.Errorf("finalise %s: %w", id, err)
	}
	p.Job.Secret = capture.Secret{Recording: id, Key: key}
	p.Job.Capture, p.Job.Dir, p.Job.FFmpeg = filepath.Join(folder, captureName), folder, ffmpeg
	res, err := render.Run(ctx, p.Job)
	if err != nil {
		return m, fmt.Errorf("finalise %s: %w", id, err)
	}
	return complete(dir, o, renewed(m, p, res))
}

// complete writes the manifest of files that were made anew, and discards the capture when
// nothing is left in it alone. It stays under a legal hold. Nobody erases the recording
// meanwhile; what was erased before gets no files again.
func complete(dir string, o opened, m store.Manifest) (_ store.Manifest, err error) {
	unlock, err := store.Lock(dir)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, unlock()) }()
	if err := dropIfErased(dir, m.Recording, o.folder); err != nil {
		return m, err
	}
	if err := heldBy(o.folder, m); errors.Is(err, ErrHeld) && m.Capture == "" {
		m.Capture, m.Flags = captureName, append(m.Flags, flagCaptureHeld)
	} else if err != nil && !errors.Is(err, ErrHeld) {
		return m, err
	}
	if err := store.NewCommitter(dir).Finish(o.folder, m, o.key); err != nil {
		return m, err
	}
	if m.Capture == "" {
		err = errors.Join(discardCapture(o.folder, m.Storage), removed(filepath.Join(o.folder, vault.Name(planName, o.key))))
	}
	return m, errors.Join(err, store.OpenIndex(dir).NoteFinished(m))
}

// CaptureHeld reports whether a capture is kept for a legal hold alone: all of it is in
// the files of the recording.
func CaptureHeld(m store.Manifest) bool { return slices.Contains(m.Flags, flagCaptureHeld) }

func loadPlan(folder string, key *seal.Key) (p savedPlan, err error) {
	b, err := vault.ReadFile(filepath.Join(folder, vault.Name(planName, key)), key)
	if err == nil {
		err = json.Unmarshal(b, &p)
	}
	if err != nil {
		return p, fmt.Errorf("read plan: %w", err)
	}
	return p, nil
}

// renewed is a manifest with what was found when its files were made again.
func renewed(m store.Manifest, p savedPlan, res render.Result) store.Manifest {
	m.Files = manifestFiles(p.Files, res)
	m.Flags = slices.DeleteFunc(slices.Clone(m.Flags), func(f string) bool {
		return f == flagUndecodable || f == flagRestless || f == flagTorn || f == flagNothing || f == flagCaptureHeld
	})
	left := flagsOf(res)
	m.Flags = append(m.Flags, left...)
	if len(left) == 0 {
		m.Capture = ""
	}
	if len(m.Files) == 0 {
		m.Flags = append(m.Flags, flagNothing)
	}
	m.Timeline = store.Timeline{OffsetMS: res.Timeline.From.Milliseconds(), DurationMS: (res.Timeline.To - res.Timeline.From).Milliseconds()}
	for i, r := range res.Streams {
		for j := range m.Streams {
			if m.Streams[j].ID == p.Streams[i] {
				addResult(&m.Streams[j], r, m.Decisions, m.Interruptions, p.name)
			}
		}
	}
	for i := range m.Participants {
		m.Participants[i].Files = nil
		for _, f := range m.Files {
			if slices.Contains(f.Participants, m.Participants[i].ID) {
				m.Participants[i].Files = append(m.Participants[i].Files, f.Name)
			}
		}
	}
	m.Times.Finalised = time.Now().UTC()
	m.Verdict, m.Reasons = verdict(&m)
	return m
}
