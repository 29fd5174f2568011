package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// checkEvery is after how many packets the context is asked.
const checkEvery = 4096

// ErrJob is wrapped when a Job contradicts itself.
var ErrJob = errors.New("job cannot be rendered")

// Run finalises a recording. It may be repeated: it gives the same files again,
// each of which appears whole or not at all. On an error, files that were
// finished before it stay. Decoders and streams are those of the job; packets of
// other streams are left out.
func Run(ctx context.Context, job Job) (Result, error) {
	surveys, err := prepare(job)
	if err != nil {
		return Result{}, err
	}
	var res Result
	if res.Torn, err = readAll(ctx, job.Capture, surveys); err != nil {
		return Result{}, err
	}
	for _, s := range job.Streams {
		res.Streams = append(res.Streams, surveys[s.ID].result(job.Timeline))
	}
	res.Length = job.Timeline.To - job.Timeline.From + overhang(job, surveys)
	for _, t := range job.Tracks {
		r, err := renderTrack(ctx, job, t, surveys, res.Length)
		if err != nil {
			return Result{}, fmt.Errorf("render %s: %w", t.File, err)
		}
		res.Tracks = append(res.Tracks, r)
	}
	return res, nil
}

// maxOverhang bounds how far a packet is heard beyond the end of its permit: the
// longest a packet has to be (RFC 3551 §4.2).
const maxOverhang = 200 * time.Millisecond

// overhang is how far the last packets reach beyond the end of the timeline.
func overhang(job Job, surveys map[int]*survey) time.Duration {
	var longest time.Duration
	for _, v := range surveys {
		if !slices.ContainsFunc(v.stream.Permitted, func(i Interval) bool { return i.To == job.Timeline.To }) {
			continue
		}
		c := v.calendar(job.Timeline.From)
		for i, e := range v.epochs {
			packet := min(span(e.length, e.clock), maxOverhang)
			longest = max(longest, min(packet, c.interval(i, e.first, e.end).To-job.Timeline.To))
		}
	}
	return longest
}

// prepare checks a job and makes a survey for each of its streams.
func prepare(job Job) (map[int]*survey, error) {
	length := job.Timeline.To - job.Timeline.From
	if length < 0 || length > maxArrival || job.Timeline.From < -maxArrival || job.Timeline.From > maxArrival {
		return nil, fmt.Errorf("timeline from %v to %v: %w", job.Timeline.From, job.Timeline.To, ErrJob)
	}
	surveys := make(map[int]*survey, len(job.Streams))
	for _, s := range job.Streams {
		if surveys[s.ID] != nil {
			return nil, fmt.Errorf("stream %d twice: %w", s.ID, ErrJob)
		}
		surveys[s.ID] = newSurvey(s)
	}
	names := make(map[string]bool, len(job.Tracks))
	for _, t := range job.Tracks {
		// A name, not a path: it comes from what a peer may have said.
		if t.File == "." || !filepath.IsLocal(t.File) || filepath.Base(t.File) != t.File || names[t.File] {
			return nil, fmt.Errorf("track file %q: %w", t.File, ErrJob)
		}
		names[t.File] = true
		for _, s := range t.Sources {
			if surveys[s.Stream] == nil {
				return nil, fmt.Errorf("track %s: no stream %d: %w", t.File, s.Stream, ErrJob)
			}
		}
	}
	return surveys, nil
}

// readAll is the first reading.
func readAll(ctx context.Context, path string, surveys map[int]*survey) (torn bool, err error) {
	r, err := capture.Open(path)
	if err != nil {
		return false, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	var p capture.Packet
	for n := 1; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return false, ctx.Err()
		}
		err := r.Next(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return false, err
		}
		if v := surveys[p.Stream]; v != nil {
			v.read(&p)
		}
	}
	for _, v := range surveys {
		v.end()
	}
	return r.Torn(), nil
}
