package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// samples is a half open range of samples of a track. A packet that begins in a
// range at whose end a permit ends is heard to its own end, which until keeps.
type samples struct {
	from, to, until int64
	whole           bool
}

// A chunk is decoded audio at its place.
type chunk struct {
	at  int64
	pcm []int16
}

// A line reads one stream of a capture a second time and gives its samples, at
// the rate of a track, where they may be heard.
type line struct {
	stream  int
	source  *Stream
	rate    int
	reader  *capture.Reader
	done    func() error // closes it
	codings *codings
	tapes   *tapes
	lineup  lineup
	timing  timing
	at      []int64 // of each epoch, as origins gives it
	audible []samples
	kernels map[int]*kernel // by the rate of the input
	voices  map[int]*voice  // by epoch
	latest  struct {        // the one used last
		epoch int
		voice *voice
	}
	players []*player

	until  int64 // what is wanted now, and by whom
	add    func(at int64, pcm []int16)
	chunks []chunk // what is not wanted yet
	pcm    []int16
	raised []int16
	ended  bool
	heard  bool
	sounds bool

	epochs      []epoch
	from        time.Duration // of the timeline
	steps       map[int]*step // by epoch that stands for itself
	corrections []Correction
}

// A voice is what is remembered of an epoch while its packets come.
type voice struct {
	decoders map[*coding]codec.Decoder
	coding   *coding       // the one used last
	decoder  codec.Decoder // of it
	filled   int64         // samples before this one are placed
	moved    int64         // as in epoch, in samples

	// A run of packets without a gap whose rate is raised.
	raise *resampler
	from  *coding
	next  int64 // tick at which the run goes on
	end   int64 // tick at which the packet before ends
	place int64 // of the next raised sample
}

// openLine opens the capture of a job for one stream of a track.
func openLine(job *Job, v *survey, rate int, audible []samples) (*line, error) {
	r, done, err := job.again(v)
	if err != nil {
		return nil, err
	}
	from := job.Timeline.From
	l := &line{
		stream: v.stream.ID, source: &v.stream, rate: rate, reader: r, done: done, codings: v.codings.again(),
		tapes: v.tapes, at: origins(v.epochs, from, rate), audible: audible,
		epochs: v.epochs, from: from, steps: make(map[int]*step),
		kernels: make(map[int]*kernel), voices: make(map[int]*voice),
	}
	l.lineup.give, l.lineup.work = l.take, job.work
	return l, nil
}

func (l *line) close() error {
	l.lineup.close()
	return l.done()
}

// feed gives all samples before until to add, as far as packets come in the
// order of their places.
func (l *line) feed(ctx context.Context, until int64, add func(at int64, pcm []int16)) error {
	for {
		l.until, l.add = until, add
		done := 0
		for _, c := range l.chunks {
			if c.at >= until {
				break
			}
			if n := until - c.at; n < int64(len(c.pcm)) {
				add(c.at, c.pcm[:n])
				rest := &l.chunks[done]
				rest.at, rest.pcm = until, rest.pcm[:copy(rest.pcm, rest.pcm[n:])]
				break
			}
			add(c.at, c.pcm)
			l.lineup.work.pcm = append(l.lineup.work.pcm, c.pcm)
			done++
		}
		l.chunks = l.chunks[:copy(l.chunks, l.chunks[done:])]
		if len(l.chunks) > 0 || l.ended {
			return nil
		}
		if err := l.read(ctx); err != nil {
			return err
		}
	}
}

// read reads packets until there is a chunk or no more of them.
func (l *line) read(ctx context.Context) error {
	var a arrival
	for n := 1; len(l.chunks) == 0; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := l.reader.Next(&a.Packet)
		if errors.Is(err, io.EOF) {
			l.ended = true
			l.lineup.flush()
			for _, e := range slices.Sorted(maps.Keys(l.voices)) {
				l.endRun(l.voices[e])
			}
			return nil
		}
		if err != nil {
			return fmt.Errorf("read capture: %w", err)
		}
		if a.coding = l.codings.of(&a.Packet); a.coding != nil {
			l.lineup.take(&a)
		}
	}
	return nil
}

// take takes a packet in sequence.
func (l *line) take(a *arrival) {
	if a.coding.kind == events {
		return
	}
	in := l.timing.place(a)
	if !decodable(a, in, l.source) {
		return
	}
	v := l.voice(in.epoch)
	if v.coding != a.coding {
		v.coding, v.decoder = a.coding, l.decoderOf(v, a.coding, in.epoch)
	}
	l.pcm = v.decoder.Decode(l.pcm[:0], a.Payload)
	at := l.at[in.epoch] + rescale(in.at, a.coding.ClockRate, l.rate)
	moved, stepped := l.correct(in, at, func() bool { return in.at != v.end || !loud(l.pcm) })
	at += moved
	v.end = in.at + a.coding.length(a.Payload)
	l.finishPacket(at, rescale(int64(len(l.pcm)), a.coding.rate, l.rate))
	if a.coding.rate == l.rate {
		l.endRun(v)
		l.put(v, at, l.pcm)
		return
	}
	if stepped {
		l.endRun(v)
	}
	l.raise(v, a, in, at)
}

// decoderOf returns what decodes a coding in an epoch.
func (l *line) decoderOf(v *voice, c *coding, epoch int) codec.Decoder {
	d := v.decoders[c]
	if d == nil {
		d = l.decoder(c, epoch)
		v.decoders[c] = d
	}
	return d
}

// decoder returns what decodes a coding in an epoch, from its first packet on.
func (l *line) decoder(c *coding, epoch int) codec.Decoder {
	if c.foreign == nil {
		return c.decoder()
	}
	p := l.tapes.player(tapeKey{epoch, c.Format}, c)
	l.players = append(l.players, p)
	return p
}

// played returns the first failure to read a tape.
func (l *line) played() error {
	for _, p := range l.players {
		if p.err != nil {
			return p.err
		}
	}
	return nil
}

// voice finds the memory of an epoch. That of epochs long gone is given up.
func (l *line) voice(epoch int) *voice {
	if l.latest.voice != nil && l.latest.epoch == epoch {
		return l.latest.voice
	}
	v := l.voices[epoch]
	if v == nil {
		v = l.newVoice(epoch)
	}
	l.latest.epoch, l.latest.voice = epoch, v
	return v
}

func (l *line) newVoice(epoch int) *voice {
	for _, e := range slices.Sorted(maps.Keys(l.voices)) {
		if e+maxClocks < epoch {
			l.endRun(l.voices[e])
			delete(l.voices, e)
		}
	}
	v := &voice{
		decoders: make(map[*coding]codec.Decoder), filled: minPlace, moved: ticksNear(l.epochs[epoch].moved, l.rate),
	}
	l.voices[epoch] = v
	return v
}

// minPlace is before every sample.
const minPlace = -1 << 62

// raise places l.pcm, whose rate is lower than that of the track.
func (l *line) raise(v *voice, a *arrival, in instant, at int64) {
	if v.from != a.coding || v.next != in.at {
		l.endRun(v)
		k := l.kernels[a.coding.rate]
		if k == nil {
			k = newKernel(a.coding.rate, l.rate)
			l.kernels[a.coding.rate] = k
		}
		if v.raise == nil {
			v.raise = new(resampler)
		}
		v.raise.kernel = k
		v.raise.begin()
		v.from, v.place = a.coding, at
	}
	v.next = in.at + a.coding.length(a.Payload)
	l.mute(v.place+v.raise.pending(), a.coding.rate)
	l.raised = v.raise.push(l.raised[:0], l.pcm)
	l.put(v, v.place, l.raised)
	v.place += int64(len(l.raised))
}

// mute silences what of l.pcm may not be heard before the filter smears it over
// its neighbours. at is the place of its first sample in the track.
func (l *line) mute(at int64, rate int) {
	n := int64(len(l.pcm))
	silent := int64(0)
	for _, r := range l.near(at, at+rescale(n, rate, l.rate)+1) {
		from := min(n, max(silent, -rescale(-(r.from-at), l.rate, rate))) // rounded up
		to := min(n, rescale(r.until-at, l.rate, rate))
		clear(l.pcm[silent:max(silent, from)])
		silent = max(silent, to)
	}
	clear(l.pcm[silent:])
}

// endRun gives out what the filter of a run still holds.
func (l *line) endRun(v *voice) {
	if v.from == nil {
		return
	}
	l.raised = v.raise.flush(l.raised[:0])
	l.put(v, v.place, l.raised)
	v.from = nil
}

// put keeps of pcm what is new and may be heard.
func (l *line) put(v *voice, at int64, pcm []int16) {
	if over := v.filled - at; over > 0 {
		// Packets of one source that overlap: the earlier counts.
		pcm = pcm[min(over, int64(len(pcm))):]
		at += over
	}
	if len(pcm) == 0 {
		return
	}
	end := at + int64(len(pcm))
	v.filled = end
	for _, r := range l.near(at, end) {
		from, to := max(at, r.from), min(end, r.until)
		l.lay(from+v.moved, pcm[from-at:to-at])
		l.heard = true
		l.sounds = l.sounds || loud(pcm[from-at:to-at])
	}
}

// lay gives samples on, or keeps them until they are asked for.
func (l *line) lay(at int64, pcm []int16) {
	if len(l.chunks) == 0 && at+int64(len(pcm)) <= l.until {
		l.add(at, pcm)
		return
	}
	l.chunks = append(l.chunks, chunk{at, append(l.buffer(), pcm...)})
}

// loud reports whether a sample is beyond -50 dB of full scale: more than the noise
// of a line, or of an encoder that was given nothing.
func loud(pcm []int16) bool {
	const quietest = 104
	for _, s := range pcm {
		if s > quietest || s < -quietest {
			return true
		}
	}
	return false
}

// finishPacket lets a packet be heard to its end when it begins within a permit:
// what it holds was spoken before it was sent.
func (l *line) finishPacket(at, length int64) {
	i := searchSamples(l.audible, at)
	if i == len(l.audible) {
		return
	}
	r := &l.audible[i]
	if !r.whole || at < r.from || at >= r.to {
		return
	}
	end := at + min(length, ticks(maxOverhang, l.rate))
	if i+1 < len(l.audible) {
		end = min(end, l.audible[i+1].from)
	}
	r.until = max(r.until, end)
}

// near gives the audible ranges that touch [from, to).
func (l *line) near(from, to int64) []samples {
	i := searchSamples(l.audible, from)
	j := i
	for j < len(l.audible) && l.audible[j].from < to {
		j++
	}
	return l.audible[i:j]
}

func (l *line) buffer() []int16 {
	work := l.lineup.work
	if len(work.pcm) == 0 {
		return nil
	}
	return pop(&work.pcm)[:0]
}
