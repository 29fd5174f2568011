package recorder

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
)

// MixName is the name of the stereo file that [Mix] makes in the folder of a
// recording.
const MixName = "mix.wav"

// ErrNothingToMix says that a recording has no files.
var ErrNothingToMix = errors.New("recording has no audio")

// Mix makes a stereo file of a finished recording below dir and returns its
// path: on the left the files of the first participant, on the right all others.
// One that is there already is made anew. That of an encrypted recording is sealed
// as its other files are; masters open it, nil for none. Errors are those of [Load].
func Mix(ctx context.Context, dir, id string, masters *MasterKeys) (path string, err error) {
	o, err := openRecording(dir, id, masters)
	if err != nil {
		return "", err
	}
	if len(o.Files) == 0 {
		return "", fmt.Errorf("mix %s: %w", id, ErrNothingToMix)
	}
	path = o.path(vault.Name(MixName, o.key))
	if err := o.mix(ctx, path); err != nil {
		return "", fmt.Errorf("mix %s: %w", id, err)
	}
	if err := dropIfErased(dir, id, o.folder); err != nil {
		return "", fmt.Errorf("mix %s: %w", id, err)
	}
	return path, nil
}

// mix writes a stereo file of all files.
func (o *opened) mix(ctx context.Context, path string) error {
	first := o.Files[0]
	var left, right []render.MixFile
	for _, f := range o.Files {
		file := render.MixFile{Path: o.path(f.Name), Parts: mixParts(o.Manifest, f)}
		if f.Name == first.Name || len(f.Participants) > 0 && slices.Equal(f.Participants, first.Participants) {
			left = append(left, file)
		} else {
			right = append(right, file)
		}
	}
	return render.Mix(ctx, path, o.key, left, right)
}

// mixParts tells where the samples of a file belong that gaps were left out of.
func mixParts(m store.Manifest, f store.File) []render.MixPart {
	var out []render.MixPart
	for _, p := range f.Map {
		out = append(out, render.MixPart{
			File: time.Duration(p.FileMS) * time.Millisecond,
			At:   time.Duration(p.FromMS-m.Timeline.OffsetMS) * time.Millisecond,
		})
	}
	return out
}
