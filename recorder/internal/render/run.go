package render

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// checkEvery is after how many packets the context is asked.
const checkEvery = 4096

// ErrJob is wrapped when a Job contradicts itself.
var ErrJob = errors.New("job cannot be rendered")

// Run finalises a recording. It may be repeated: it gives the same files again,
// each of which appears whole and read back, or not at all. They are durable when
// the caller makes the folder so. On an error, files that were finished before it
// stay. Decoders and streams are those of the job; packets of
// other streams are left out.
func Run(ctx context.Context, job Job) (res Result, err error) {
	if err := job.clean(); err != nil {
		return Result{}, err
	}
	job.work = job.Bench.take()
	defer job.Bench.put(job.work)
	var found finding
	defer func() { err = errors.Join(err, found.close()) }()
	if err := found.look(ctx, job); err != nil {
		return Result{}, err
	}
	surveys := found.surveys
	align(job.Streams, surveys)
	res.Torn = found.torn
	for _, s := range job.Streams {
		v := surveys[s.ID]
		r := v.result(job.Timeline)
		r.Gaps, r.Reports = v.moveGaps(r.Gaps, job.Timeline), v.reported()
		r.Failed = found.said[s.ID]
		res.Streams = append(res.Streams, r)
	}
	job.reachBack(surveys)
	length := job.Timeline.To - job.Timeline.From + overhang(job, surveys)
	res.Timeline = Interval{job.Timeline.From, job.Timeline.From + length}
	for _, t := range job.Tracks {
		r, err := renderTrack(ctx, job, t, surveys, length)
		if err != nil {
			return Result{}, fmt.Errorf("render %s: %w", t.File, err)
		}
		res.Tracks = append(res.Tracks, r)
	}
	for i := range res.Streams {
		v := surveys[res.Streams[i].ID]
		res.Streams[i].Sounds, res.Streams[i].Corrections = v.sounds, v.corrections
	}
	return res, nil
}

// clean removes what a Run that was killed left of its work.
func (job *Job) clean() error {
	entries, err := os.ReadDir(job.Dir)
	if err != nil {
		return fmt.Errorf("clean: %w", err)
	}
	for _, e := range entries {
		unfinished := strings.HasPrefix(e.Name(), samplesPrefix) ||
			slices.ContainsFunc(job.Tracks, func(t Track) bool { return strings.HasPrefix(e.Name(), "."+t.File+".") })
		if unfinished && e.Type().IsRegular() {
			if err := os.Remove(filepath.Join(job.Dir, e.Name())); err != nil {
				return fmt.Errorf("clean: %w", err)
			}
		}
	}
	return nil
}

// A finding is what is known of a job before the second reading.
type finding struct {
	surveys map[int]*survey
	reader  *capture.Reader // has been through the capture
	done    func()          // gives back what it worked with
	torn    bool
	said    map[int][]string // by stream: what ffmpeg said of encodings that it could not decode
}

// look reads the capture and has ffmpeg decode its part. What ffmpeg fails at is
// surveyed again as what cannot be decoded; it costs nothing else.
func (f *finding) look(ctx context.Context, job Job) (err error) {
	f.said = make(map[int][]string)
	failed := make(map[int][]Format)
	for again := true; again && err == nil; {
		if err = f.close(); err != nil {
			return err
		}
		if f.surveys, err = prepare(job, failed); err != nil {
			return err
		}
		if err = f.readAll(ctx, job); err != nil {
			return err
		}
		again, err = f.decodeForeign(ctx, job, failed)
	}
	return err
}

// decodeForeign makes the tapes. again is set when an encoding could not be decoded.
func (f *finding) decodeForeign(ctx context.Context, job Job, failed map[int][]Format) (again bool, err error) {
	for id, v := range f.surveys {
		if !v.foreign() {
			continue
		}
		made, bad, err := makeTapes(ctx, job, v)
		switch {
		case ctx.Err() != nil:
			return false, ctx.Err()
		case bad != nil:
			failed[id] = append(failed[id], *bad)
			f.said[id] = append(f.said[id], err.Error())
			again = true
		case err != nil:
			return false, err
		}
		v.tapes = made
	}
	return again, nil
}

func (f *finding) close() (err error) {
	if f.reader != nil {
		err = f.reader.Close()
		f.reader = nil
		f.done()
	}
	for _, v := range f.surveys {
		if v.tapes != nil {
			err = errors.Join(err, v.tapes.file.close())
			v.tapes = nil
		}
	}
	return err
}

// maxLead bounds how far the first packets of a recording reach back.
const maxLead = 10 * time.Second

// reachBack lets the timeline, and what is permitted and attributed of streams
// that were never withheld, begin as early as their first packets were sent.
func (job *Job) reachBack(surveys map[int]*survey) {
	lead := make(map[int]time.Duration)
	var longest time.Duration
	for id, v := range surveys {
		longest = max(longest, v.movedBefore(job.Timeline.From))
		if !v.stream.FromStart || len(v.stream.Permitted) == 0 {
			continue
		}
		from := v.stream.Permitted[0].From
		c := v.calendar(from)
		for i, e := range v.epochs {
			early := min(from-c.interval(i, e.first, e.end).From-min(0, e.moved), maxLead)
			if early > 0 && e.opened >= from {
				lead[id] = max(lead[id], early.Truncate(time.Millisecond)+time.Millisecond)
			}
		}
		longest = max(longest, lead[id]-(from-job.Timeline.From))
	}
	job.Timeline.From -= longest
	for id, l := range lead {
		v := surveys[id]
		old := v.stream.Permitted[0].From
		v.stream.Permitted = slices.Clone(v.stream.Permitted)
		v.stream.Permitted[0].From -= l
		job.attributeBack(id, old, l)
	}
}

// attributeBack lets sources that begin with a stream begin earlier.
func (job *Job) attributeBack(stream int, old, lead time.Duration) {
	tracks := slices.Clone(job.Tracks)
	for i := range tracks {
		tracks[i].Sources = slices.Clone(tracks[i].Sources)
		for j := range tracks[i].Sources {
			if s := &tracks[i].Sources[j]; s.Stream == stream && s.From <= old {
				s.From = min(s.From, old-lead)
			}
		}
	}
	job.Tracks = tracks
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
			longest = max(longest, min(packet, c.interval(i, e.first, e.end).To+e.moved-job.Timeline.To))
		}
	}
	return longest
}

// prepare checks a job and makes a survey for each of its streams.
func prepare(job Job, failed map[int][]Format) (map[int]*survey, error) {
	length := job.Timeline.To - job.Timeline.From
	if length < 0 || length > maxArrival || job.Timeline.From < -maxArrival || job.Timeline.From > maxArrival {
		return nil, fmt.Errorf("timeline from %v to %v: %w", job.Timeline.From, job.Timeline.To, ErrJob)
	}
	surveys := make(map[int]*survey, len(job.Streams))
	for _, s := range job.Streams {
		if surveys[s.ID] != nil {
			return nil, fmt.Errorf("stream %d twice: %w", s.ID, ErrJob)
		}
		surveys[s.ID] = newSurvey(s, maker{job.FFmpeg, failed[s.ID]})
		surveys[s.ID].lineup.work = job.work
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
func (f *finding) readAll(ctx context.Context, job Job) error {
	r, done, err := job.open()
	if err != nil {
		return err
	}
	f.reader, f.done = r, done
	var a arrival
	for n := 1; ; n++ {
		if n%checkEvery == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		err := r.Next(&a.Packet)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if v := f.surveys[a.Stream]; v != nil {
			v.read(&a)
		}
	}
	for _, v := range f.surveys {
		v.reader = r
		v.end()
	}
	f.torn = r.Torn()
	return nil
}

// open opens the capture, to be kept if there is room for it. done is called when the
// Reader is closed.
func (job *Job) open() (r *capture.Reader, done func(), err error) {
	room := job.Bench.reserve(job.Capture)
	done = func() { job.Bench.release(room) }
	if room == nil {
		small := job.work.reading()
		room, done = small, func() { job.work.haveRead(small) }
	}
	if r, err = capture.Open(job.Capture, job.Secret, room); err != nil {
		done()
	}
	return r, done, err
}

// again opens the capture for one stream, when all of it was read. done closes it.
func (job *Job) again(v *survey) (r *capture.Reader, done func() error, err error) {
	if r, ok := v.reader.Again(v.stream.ID); ok {
		return r, func() error { return nil }, nil
	}
	room := job.work.reading()
	if r, err = capture.Open(job.Capture, job.Secret, room); err != nil {
		job.work.haveRead(room)
		return nil, nil, err
	}
	r.Only(v.stream.ID, v.reader.End())
	return r, func() error {
		defer job.work.haveRead(room)
		return r.Close()
	}, nil
}
