package render

import (
	"context"
	"errors"
	"math"
	"path/filepath"
	"slices"
	"time"
)

const (
	// A block is written at a time: a second, and at least minBlock samples. What
	// follows it by up to aheadTime is held, so that two sources of one stream that
	// are live at once may be out of step.
	minBlock  = 64 << 10
	aheadTime = 4 * time.Second
)

// A part is what a track takes from one stream.
type part struct {
	survey *survey
	heard  []Interval
	ends   []time.Duration // of permits
}

// parts joins a track's sources by stream and cuts them to what is permitted.
func parts(t Track, surveys map[int]*survey, timeline Interval) []part {
	wanted := make(map[int][]Interval)
	var streams []int
	for _, s := range t.Sources {
		if wanted[s.Stream] == nil {
			streams = append(streams, s.Stream)
		}
		wanted[s.Stream] = append(wanted[s.Stream], s.Interval)
	}
	slices.Sort(streams)
	var out []part
	for _, id := range streams {
		v := surveys[id]
		permitted := union(v.stream.Permitted)
		heard := intersect(union(wanted[id]), permitted)
		heard = intersect(heard, union([]Interval{timeline}))
		if len(heard) > 0 {
			p := part{survey: v, heard: heard}
			for _, i := range permitted {
				p.ends = append(p.ends, i.To)
			}
			out = append(out, p)
		}
	}
	return out
}

// A trackWriter makes one file.
type trackWriter struct {
	out    *wavWriter
	lines  []*line
	base   int64 // place of window[0]
	total  int64
	kept   []samples // what is written, in order
	block  int
	window []int16
	fresh  int // window from here on was not written to yet
}

// renderTrack makes the file of a track.
func renderTrack(ctx context.Context, job Job, t Track, surveys map[int]*survey, length time.Duration) (res TrackResult, err error) {
	res = TrackResult{File: t.File}
	ps := parts(t, surveys, job.Timeline)
	rate := 0
	for _, p := range ps {
		rate = max(rate, p.survey.calendar(job.Timeline.From).highestRate(p.heard))
	}
	if rate == 0 {
		return res, nil
	}
	total := ticksNear(length, rate)
	kept := []samples{{from: 0, to: total}}
	if job.OmitGaps {
		res.Map = keptParts(ps, job.Timeline.From, length)
		kept = keptSamples(res.Map, job.Timeline.From, rate, total)
	}
	res.Samples = countSamples(kept)
	out, err := job.work.createWAV(filepath.Join(job.Dir, t.File), job.Secret.Key, rate, 1, res.Samples, job.largest())
	if err != nil {
		return res, err
	}
	w := &trackWriter{out: out, total: total, kept: kept, block: max(rate, minBlock)}
	w.window = job.work.silence(w.block + int(ticks(aheadTime, rate)))
	defer func() {
		for _, l := range w.lines {
			err = errors.Join(err, l.close())
		}
	}()
	for _, p := range ps {
		l, err := openLine(&job, p.survey, rate, sampleRanges(p, job.Timeline, rate, total))
		if err != nil {
			return res, errors.Join(err, out.abort())
		}
		w.lines = append(w.lines, l)
	}
	if err := w.run(ctx); err != nil {
		return res, errors.Join(err, out.abort())
	}
	if !w.heard() {
		return TrackResult{File: t.File}, out.abort()
	}
	for _, l := range w.lines {
		v := surveys[l.stream]
		v.sounds = v.sounds || l.sounds
		if len(v.corrections) == 0 { // every reading of a stream makes the same
			v.corrections = l.corrections
		}
	}
	res.Rate, res.Heard = rate, true
	res.SHA256, err = out.commit()
	return res, err
}

// sampleRanges gives the samples that lie wholly within what is heard of a part:
// an edge is rather short than long. Where a permit ends, so does a range before
// whose end a packet may begin, and then is heard as a whole: places of packets are
// rounded to the nearest sample, and the end is up.
func sampleRanges(p part, timeline Interval, rate int, total int64) []samples {
	var out []samples
	for _, i := range p.heard {
		s := samples{
			from: ticksUp(i.From-timeline.From, rate), to: min(ticks(i.To-timeline.From, rate), total),
			whole: slices.Contains(p.ends, i.To),
		}
		if s.whole {
			s.to = min(ticksUp(i.To-timeline.From+time.Second/time.Duration(2*rate), rate), total)
		}
		if n := len(out); n > 0 && out[n-1].to > s.from {
			out[n-1].to, out[n-1].until = s.from, s.from
		}
		if s.until = s.to; s.from < s.to {
			out = append(out, s)
		}
	}
	return out
}

// searchSamples gives the first range that ends after a place.
func searchSamples(rs []samples, place int64) int {
	i, _ := slices.BinarySearchFunc(rs, place, func(r samples, p int64) int {
		if r.until <= p {
			return -1
		}
		return 1
	})
	return i
}

func (w *trackWriter) heard() bool {
	return slices.ContainsFunc(w.lines, func(l *line) bool { return l.heard })
}

// run writes block by block.
func (w *trackWriter) run(ctx context.Context) (err error) {
	for w.base < w.total {
		if err := ctx.Err(); err != nil {
			return err
		}
		for _, l := range w.lines {
			if err := l.feed(ctx, w.base+int64(len(w.window)), w.add); err != nil {
				return err
			}
		}
		n := int(min(int64(w.block), w.total-w.base))
		if err := w.put(n); err != nil {
			return err
		}
		used := copy(w.window, w.window[n:max(n, w.fresh)])
		clear(w.window[used:max(used, w.fresh)])
		w.fresh = used
		w.base += int64(n)
	}
	for _, l := range w.lines {
		err = errors.Join(err, l.played())
	}
	return err
}

// put writes of the next n samples what is kept.
func (w *trackWriter) put(n int) (err error) {
	for len(w.kept) > 0 && w.kept[0].to <= w.base {
		w.kept = w.kept[1:]
	}
	for _, k := range w.kept {
		from, to := max(k.from-w.base, 0), min(k.to-w.base, int64(n))
		if from >= to {
			break
		}
		if w.fresh == 0 {
			err = w.out.silence(to - from)
		} else {
			err = w.out.write(w.window[from:to])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// add mixes samples in. What lies before the window was written already.
func (w *trackWriter) add(at int64, pcm []int16) {
	if before := w.base - at; before > 0 {
		pcm = pcm[min(before, int64(len(pcm))):]
		at = w.base
	}
	to := int(min(at-w.base, int64(len(w.window))))
	if old := min(w.fresh-to, len(pcm)); old > 0 {
		mix(w.window[to:], pcm[:old])
		to, pcm = to+old, pcm[old:]
	}
	if n := copy(w.window[to:], pcm); n > 0 {
		w.fresh = to + n
	}
}

// mix adds pcm to dst, as far as both reach, without overflow.
func mix(dst, pcm []int16) {
	for i := range min(len(dst), len(pcm)) {
		dst[i] = int16(max(math.MinInt16, min(math.MaxInt16, int(dst[i])+int(pcm[i]))))
	}
}
