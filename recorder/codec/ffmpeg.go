package codec

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"
)

// FFmpeg is the ffmpeg program, which decodes what this package does not. It is run
// for a stretch of packets at a time, without shell, network or files: it reads
// from one pipe and writes to another, in bounded time and room. It may be used by
// any number of goroutines; as many processes run at a time as there are processors.
type FFmpeg struct {
	path     string
	version  string
	decoders []string
	slots    chan struct{}
}

const (
	// askTime is how long ffmpeg may take to say what it can.
	askTime = 10 * time.Second
	// startTime is what a run may take beside its share of the length of the audio.
	startTime = 10 * time.Second
	// mostAnswer is more than ffmpeg says of its decoders, in octets.
	mostAnswer = 1 << 20
)

// ErrDecoding is wrapped when ffmpeg did not decode what it was given.
var ErrDecoding = errors.New("ffmpeg could not decode")

// FindFFmpeg looks for the program, in PATH when it is a bare name, and asks it for
// its version and decoders. The error wraps [exec.ErrNotFound] or
// [os.ErrNotExist] when there is none.
func FindFFmpeg(ctx context.Context, program string) (*FFmpeg, error) {
	path, err := exec.LookPath(program)
	if err != nil {
		return nil, fmt.Errorf("find ffmpeg: %w", err)
	}
	f := &FFmpeg{path: path, slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
	ctx, cancel := context.WithTimeout(ctx, askTime)
	defer cancel()
	out, err := f.run(ctx, []string{"-version"}, nil, mostAnswer)
	if err != nil {
		return nil, fmt.Errorf("ask ffmpeg for its version: %w", err)
	}
	first, _, _ := strings.Cut(string(out), "\n")
	fields := strings.Fields(first)
	if len(fields) < 3 || fields[0] != "ffmpeg" || fields[1] != "version" {
		return nil, fmt.Errorf("%s does not say that it is ffmpeg: %q", path, first)
	}
	f.version = fields[2]
	out, err = f.run(ctx, []string{"-hide_banner", "-decoders"}, nil, mostAnswer)
	if err != nil {
		return nil, fmt.Errorf("ask ffmpeg for its decoders: %w", err)
	}
	for line := range strings.Lines(string(out)) {
		if fields := strings.Fields(line); len(fields) > 1 && len(fields[0]) == 6 && fields[0][0] == 'A' {
			f.decoders = append(f.decoders, fields[1])
		}
	}
	return f, nil
}

// Path is where the program is, Version what it says of itself.
func (f *FFmpeg) Path() string    { return f.path }
func (f *FFmpeg) Version() string { return f.version }

// run runs the program and returns what it writes, at most limit octets. When it
// writes more it is stopped, which is no error.
func (f *FFmpeg) run(ctx context.Context, args []string, input []byte, limit int) ([]byte, error) {
	select {
	case f.slots <- struct{}{}:
		defer func() { <-f.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, f.path, args...)
	cmd.Stdin = bytes.NewReader(input)
	// Nothing of our environment, which may hold keys, is its business.
	cmd.Env = []string{"LC_ALL=C", "LD_LIBRARY_PATH=" + os.Getenv("LD_LIBRARY_PATH")}
	cmd.Dir = os.TempDir()
	cmd.WaitDelay = time.Second
	said := &bounded{limit: 2 << 10}
	cmd.Stderr = said
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	confine(cmd.Process.Pid)
	out, readErr := io.ReadAll(io.LimitReader(stdout, int64(limit)+1))
	full := len(out) > limit
	if full {
		out = out[:limit]
		cancel()
	}
	err = cmd.Wait()
	switch {
	case full:
		return out, nil
	case ctx.Err() != nil:
		return nil, fmt.Errorf("%w in time: %w", ErrDecoding, ctx.Err())
	case readErr != nil:
		return nil, readErr
	case err != nil:
		return out, fmt.Errorf("%w: %w: %s", ErrDecoding, err, said.text())
	}
	return out, nil
}

// A bounded buffer keeps the first octets that are written to it.
type bounded struct {
	b     []byte
	limit int
}

func (b *bounded) Write(p []byte) (int, error) {
	b.b = append(b.b, p[:min(len(p), b.limit-len(b.b))]...)
	return len(p), nil
}

func (b *bounded) text() string { return strings.ToValidUTF8(strings.TrimSpace(string(b.b)), "?") }

// Foreign is an encoding that ffmpeg decodes. It keeps no state between calls and
// may be used by any number of goroutines.
type Foreign struct {
	packing packing
	program *FFmpeg
	decoder string
}

// A packing says how the frames of an encoding lie in payloads, and how ffmpeg is
// told where each begins.
type packing interface {
	rate() int // Hz, of the decoded samples
	// decoders are the names that ffmpeg has for one, best first.
	decoders() []string
	// split appends the frames of a payload.
	split(dst []frame, payload []byte) []frame
	// wrap appends a file of frames, which are all of one variant and have octets.
	wrap(dst []byte, frames []frame) []byte
	// demuxer are the options that say what such a file is.
	demuxer(variant int) []string
}

// A led packing is one whose decoder in ffmpeg does not begin as the standard says.
type led interface {
	// lead are the frames to be decoded before the first one of a stretch, so that it
	// is heard as it was sent. What comes of them is left out.
	lead(first frame) []frame
}

// A frame is what is decoded as one. Without octets it is silence: comfort noise, or
// a frame of which the payload says that it is missing.
type frame struct {
	octets  []byte
	samples int
	variant int
}

// New returns the decoder of an encoding; the arguments are those of [New]. The
// error wraps [ErrUnsupported] when the encoding, its parameters or this ffmpeg do
// not allow it.
func (f *FFmpeg) New(name string, clockRate, channels int, params string) (*Foreign, error) {
	p := packingOf(strings.ToUpper(name), clockRate, max(channels, 1), parameters(params))
	if f == nil || p == nil {
		return nil, fmt.Errorf("codec %s/%d/%d: %w", name, clockRate, channels, ErrUnsupported)
	}
	for _, d := range p.decoders() {
		if slices.Contains(f.decoders, d) {
			return &Foreign{packing: p, program: f, decoder: d}, nil
		}
	}
	return nil, fmt.Errorf("codec %s: this ffmpeg has no %s: %w", name, strings.Join(p.decoders(), " or "), ErrUnsupported)
}

// Rate is as in [Decoder].
func (f *Foreign) Rate() int { return f.packing.rate() }

// Samples is the number of samples in a payload, by what it says of itself.
func (f *Foreign) Samples(payload []byte) int {
	var room [16]frame
	n := 0
	for _, fr := range f.packing.split(room[:0], payload) {
		n += fr.samples
	}
	return n
}

// Decode appends the samples of payloads that one source sent one after the other,
// but for those of the first warm of them, which only bring the decoder into step.
// Each payload gives as many samples as [Foreign.Samples] says; a frame that
// cannot be decoded gives silence. The error wraps [ErrDecoding] when too many
// cannot.
func (f *Foreign) Decode(ctx context.Context, dst []int16, payloads [][]byte, warm int) ([]int16, error) {
	var frames []frame
	skip := 0
	for i, p := range payloads {
		frames = f.packing.split(frames, p)
		if i == warm-1 {
			for _, fr := range frames {
				skip += fr.samples
			}
		}
	}
	pcm := make([]int16, 0, 2*skip)
	tries := maxTries
	for len(frames) > 0 {
		n, coded := sameVariant(frames)
		st := stretch{Foreign: f, tries: &tries}
		decoded, err := st.decode(ctx, coded)
		if err != nil {
			return dst, err
		}
		for _, fr := range frames[:n] {
			if len(fr.octets) == 0 {
				pcm = append(pcm, make([]int16, fr.samples)...)
				continue
			}
			pcm, decoded = append(pcm, decoded[:fr.samples]...), decoded[fr.samples:]
		}
		frames = frames[n:]
	}
	return append(dst, pcm[skip:]...), nil
}

// maxTries bounds the runs that look for frames which cannot be decoded.
const maxTries = 64

// sameVariant counts the frames up to the first of another variant, and gives those
// of them that have octets.
func sameVariant(frames []frame) (n int, coded []frame) {
	for _, fr := range frames {
		if len(fr.octets) > 0 {
			if len(coded) > 0 && coded[0].variant != fr.variant {
				break
			}
			coded = append(coded, fr)
		}
		n++
	}
	return n, coded
}

// A stretch is frames of one variant while they are decoded, from the first to the
// last.
type stretch struct {
	*Foreign
	tries  *int
	before []frame // the last that were decoded
}

// maxBefore is how many frames bring a decoder that begins anew into step.
const maxBefore = 8

// decode decodes the next frames. When the samples are not as many as there should
// be it looks for the frames that are to blame, by halves.
func (s *stretch) decode(ctx context.Context, frames []frame) ([]int16, error) {
	if len(frames) == 0 {
		return nil, nil
	}
	if *s.tries == 0 {
		return nil, fmt.Errorf("%w: too many frames are damaged", ErrDecoding)
	}
	*s.tries--
	before := s.before
	if l, ok := s.packing.(led); ok && len(before) == 0 {
		before = l.lead(frames[0])
	}
	all := append(before[:len(before):len(before)], frames...)
	want := length(all)
	limited, cancel := context.WithTimeout(ctx, startTime+time.Duration(want)*time.Second/time.Duration(4*s.Rate()))
	defer cancel()
	out, err := s.program.run(limited, s.args(frames[0].variant), s.packing.wrap(nil, all), 2*want+2)
	if len(out) == 2*want {
		begin := length(before)
		s.before = all[max(0, len(all)-maxBefore):]
		return samplesOf(out)[begin:], nil
	}
	if limited.Err() != nil || err != nil && !errors.Is(err, ErrDecoding) {
		return nil, err
	}
	if len(frames) == 1 {
		return make([]int16, frames[0].samples), nil
	}
	half := len(frames) / 2
	first, err := s.decode(ctx, frames[:half])
	if err != nil {
		return nil, err
	}
	second, err := s.decode(ctx, frames[half:])
	return append(first, second...), err
}

// length is how many samples frames hold.
func length(frames []frame) int {
	n := 0
	for _, fr := range frames {
		n += fr.samples
	}
	return n
}

func (f *Foreign) args(variant int) []string {
	args := []string{"-hide_banner", "-nostats", "-loglevel", "error", "-protocol_whitelist", "pipe", "-threads", "1", "-max_alloc", strconv.Itoa(64 << 20)}
	args = append(append(args, f.packing.demuxer(variant)...), "-c:a", f.decoder, "-i", "pipe:0")
	return append(args, "-map", "0:a:0", "-ac", "1", "-ar", strconv.Itoa(f.Rate()), "-f", "s16le", "pipe:1")
}

func samplesOf(b []byte) []int16 {
	out := make([]int16, len(b)/2)
	for i := range out {
		out[i] = int16(uint16(b[2*i]) | uint16(b[2*i+1])<<8)
	}
	return out
}

// parameters reads a=fmtp: names in lower case, without spaces.
func parameters(text string) map[string]string {
	out := make(map[string]string)
	for p := range strings.SplitSeq(text, ";") {
		name, value, _ := strings.Cut(strings.TrimSpace(p), "=")
		out[strings.ToLower(strings.TrimSpace(name))] = strings.TrimSpace(value)
	}
	return out
}
