package render

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

// A MixFile is an input of a mix.
type MixFile struct {
	Path string
	// Parts say where its samples belong when gaps were left out of it; nil when it
	// holds all from the beginning of the mix on.
	Parts []MixPart
}

// A MixPart is what begins at a place of a file, up to the next part; At is its place
// in the mix. Parts are in order in both.
type MixPart struct{ File, At time.Duration }

// Mix writes a stereo file: its left channel is the sum of the left files, its
// right channel that of the right ones, both clipped at full scale. The inputs
// are mono 16-bit files as Run makes them; all begin at the same instant. The
// output has the highest of their rates and is as long as the longest. A side
// without files is silent; at least one file must be given. key is for files whose
// names say that they are sealed.
func Mix(ctx context.Context, out string, key *seal.Key, left, right []MixFile) (err error) {
	var sides [2][]*mixInput
	defer func() {
		for _, side := range sides {
			for _, in := range side {
				err = errors.Join(err, in.wav.close())
			}
		}
	}()
	rate := 0
	for i, files := range [2][]MixFile{left, right} {
		for _, file := range files {
			r, err := openWAV(file.Path, key)
			if err != nil {
				return fmt.Errorf("mix: %w", err)
			}
			sides[i] = append(sides[i], &mixInput{wav: r, parts: file.Parts})
			rate = max(rate, r.rate)
		}
	}
	if rate == 0 {
		return errors.New("mix: no files")
	}
	var total int64
	for _, side := range sides {
		for _, in := range side {
			total = max(total, in.prepare(rate))
		}
	}
	w, err := createWAV(out, key, rate, 2, total, maxRIFF)
	if err != nil {
		return fmt.Errorf("mix: %w", err)
	}
	if err := mixAll(ctx, w, sides, total, rate); err != nil {
		return errors.Join(fmt.Errorf("mix: %w", err), w.abort())
	}
	if err := w.f.Sync(); err != nil {
		return errors.Join(fmt.Errorf("mix: %w", err), w.abort())
	}
	if _, err = w.commit(); err != nil {
		return err
	}
	return syncDir(filepath.Dir(out))
}

// mixAll writes total samples of each side, a second at a time.
func mixAll(ctx context.Context, w *wavWriter, sides [2][]*mixInput, total int64, block int) error {
	both := make([]int16, 2*block)
	one := make([]int16, block)
	for total > 0 {
		if err := ctx.Err(); err != nil {
			return err
		}
		n := int(min(total, int64(block)))
		for i, side := range sides {
			clear(one)
			for _, in := range side {
				if err := in.addTo(one[:n]); err != nil {
					return err
				}
			}
			for k, s := range one[:n] {
				both[2*k+i] = s
			}
		}
		if err := w.write(both[:2*n]); err != nil {
			return err
		}
		total -= int64(n)
	}
	return nil
}

// A mixInput is one file at the rate of the mix.
type mixInput struct {
	wav   *wavReader
	parts []MixPart
	given int64      // samples read of the file
	laid  int64      // and samples of the mix before the next one, at the rate of the file
	raise *resampler // nil when the rates are equal
	ended bool
	ready []int16 // samples not taken yet
	pcm   []int16
}

// prepare returns how many samples the file has at a rate.
func (in *mixInput) prepare(rate int) int64 {
	length := in.length()
	if in.wav.rate == rate {
		return length
	}
	in.raise = &resampler{kernel: newKernel(in.wav.rate, rate)}
	in.raise.begin()
	up, down := int64(in.raise.up), int64(in.raise.down)
	return (length*up + down - 1) / down
}

// length is how long the file is with the gaps that were left out.
func (in *mixInput) length() int64 {
	n := len(in.parts)
	if n == 0 {
		return in.wav.samples
	}
	last := in.parts[n-1]
	return ticksNear(last.At, in.wav.rate) + max(0, in.wav.samples-ticksNear(last.File, in.wav.rate))
}

// read appends some samples more, with silence where gaps were left out; none at
// the end.
func (in *mixInput) read(dst []int16) ([]int16, error) {
	most := in.wav.rate
	if len(in.parts) > 0 {
		part := in.parts[0]
		if gap := ticksNear(part.At, in.wav.rate) - in.laid; gap > 0 {
			gap = min(gap, int64(most))
			in.laid += gap
			return append(dst, make([]int16, gap)...), nil
		}
		if len(in.parts) > 1 {
			left := ticksNear(in.parts[1].File, in.wav.rate) - in.given
			if left <= 0 {
				in.parts = in.parts[1:]
				return in.read(dst)
			}
			most = int(min(int64(most), left))
		}
	}
	before := len(dst)
	dst, err := in.wav.read(dst, most)
	in.given, in.laid = in.given+int64(len(dst)-before), in.laid+int64(len(dst)-before)
	return dst, err
}

// addTo adds the next samples to dst.
func (in *mixInput) addTo(dst []int16) error {
	for len(in.ready) < len(dst) && !in.ended {
		if err := in.fill(); err != nil {
			return err
		}
	}
	mix(dst, in.ready)
	in.ready = in.ready[:copy(in.ready, in.ready[min(len(dst), len(in.ready)):])]
	return nil
}

// fill reads some samples more.
func (in *mixInput) fill() (err error) {
	if in.pcm, err = in.read(in.pcm[:0]); err != nil {
		return err
	}
	in.ended = len(in.pcm) == 0
	switch {
	case in.raise == nil:
		in.ready = append(in.ready, in.pcm...)
	case in.ended:
		in.ready = in.raise.flush(in.ready)
	default:
		in.ready = in.raise.push(in.ready, in.pcm)
	}
	return nil
}
