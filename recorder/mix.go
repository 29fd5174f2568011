package recorder

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/store"
)

// MixName is the name of the stereo file that [Mix] makes in the folder of a
// recording.
const MixName = "mix.wav"

// ErrNothingToMix says that a recording has no files.
var ErrNothingToMix = errors.New("recording has no audio")

// Mix makes a stereo file of a finished recording below dir and returns its
// path: on the left the files of the first participant, on the right all others.
// One that is there already is made anew.
func Mix(ctx context.Context, dir, id string) (path string, err error) {
	m, err := store.Load(dir, id)
	if err != nil {
		return "", err
	}
	folder, err := store.Folder(dir, id)
	if err != nil {
		return "", err
	}
	if len(m.Files) == 0 {
		return "", fmt.Errorf("mix %s: %w", id, ErrNothingToMix)
	}
	first := m.Files[0]
	var left, right []render.MixFile
	for _, f := range m.Files {
		if filepath.Base(f.Name) != f.Name {
			return "", fmt.Errorf("mix %s: the manifest names a file outside its folder", id)
		}
		file := render.MixFile{Path: filepath.Join(folder, f.Name), Parts: mixParts(m, f)}
		if f.Name == first.Name || len(f.Participants) > 0 && slices.Equal(f.Participants, first.Participants) {
			left = append(left, file)
		} else {
			right = append(right, file)
		}
	}
	path = filepath.Join(folder, MixName)
	if err := render.Mix(ctx, path, nil, left, right); err != nil {
		return "", fmt.Errorf("mix %s: %w", id, err)
	}
	return path, nil
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
