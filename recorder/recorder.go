// Package recorder records: it is the [siprec.Handler] that decides with package
// rules, lets through what a permit covers, and turns it into one WAV file for
// each participant, with a manifest that says why each second is there.
//
// Each recording session (RFC 7866 §3) is one goroutine that reads events in a
// plain loop and one recording with a folder of its own; see package store. Who
// speaks on which stream comes from the metadata of RFC 7865, or from header fields
// of devices that send none; a document that cannot be read never stops a recording.
//
//	rec, err := recorder.New(recorder.Config{Dir: "data", Policy: rules.RecordAll()})
//	// hand rec to the siprec server; when that has shut down:
//	err = rec.Close(ctx)
package recorder

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

const (
	// MaxHoldBack is the longest [Config.HoldBack].
	MaxHoldBack = capture.MaxHoldBack
	// MinPageMemory is the least [Config.PageMemory], in octets.
	MinPageMemory = capture.MinMemory

	// mostCommitting is how many finished recordings wait for the disk at a time.
	mostCommitting = 256
)

// A Config says how to record.
type Config struct {
	// Dir is where recordings go; it is made when it is not there.
	Dir string
	// Policy decides what is recorded. The zero Policy records nothing.
	Policy rules.Policy
	// Rulebook, if there is one, decides in place of Policy: each interaction by
	// the version that is in force when it begins, to its end.
	Rulebook *Rulebook
	// Signals says what an SRC means by what it sends, by its name; nil for what one
	// means of which nothing is said. It may be called by any goroutine, and is taken
	// into account with a Rulebook only.
	Signals func(src string) Signals
	// Log takes one line for each event of a recording session, with its Call-ID
	// and recording id and without addresses of people; nil for none.
	Log *zap.Logger
	// Now is the clock for the hold-back and the instant of finalising; nil for
	// time.Now. All other instants come with the events.
	Now func() time.Time
	// Random is where recording ids come from; nil for crypto/rand.
	Random io.Reader
	// Finalisers is how many recordings are finalised at a time; 0 for four times
	// GOMAXPROCS: most of that is waiting for the disk, and what waits together is
	// written together.
	Finalisers int
	// FFmpeg decodes what the recorder cannot by itself; nil for none. What is not
	// decoded stays in the capture.
	FFmpeg *codec.FFmpeg
	// OmitGaps leaves out of finished files what is lost or withheld, and says in the
	// manifest which parts of the timeline each file holds. Otherwise it is silence of
	// its own length, and all files of a recording are in step.
	OmitGaps bool

	// HoldBack is for how long audio waits in memory before it is written, from
	// 0 to 3 s: a pause that takes effect no further back leaves no trace on
	// disk. What it holds is lost when the process is killed.
	HoldBack time.Duration
	// Commit is how often captures are made durable against a failure of the
	// machine; 0 means 1 s.
	Commit time.Duration
	// PageMemory bounds the audio that waits in memory, of all recordings, in
	// octets; 0 means 512 MiB, at least 4 MiB. What comes beyond it is lost and
	// alarmed.
	PageMemory int
	// Masters are the keys under which the keys of recordings are wrapped; nil
	// leaves those in the clear, each in the folder of its recording.
	Masters *MasterKeys
	// Encrypt keeps finished files, metadata and what manifest and journal say of
	// people sealed under the key of their recording, which Masters has to wrap.
	// Otherwise who can read Dir can read them.
	Encrypt bool

	// Grace is for how long an interaction waits for a further recording session of it
	// when the last one has ended, before its files are made: a call may be transferred
	// by ending one and beginning another. 0 is not at all. It waits only where something
	// is known by which another would find it, and no longer than until Close.
	Grace time.Duration
	// Linger is for how long what withholds, and what was decided, is remembered of an
	// interaction that is over, for a recording session of the same call that comes
	// later still: it begins a recording of its own, as paused as the other ended. 0 is
	// not at all. It does not survive the process.
	Linger time.Duration
	// Links are the ids by which recording sessions are found to be of one interaction;
	// nil for none.
	Links []Link

	// Finalised is told of each recording whose files were made, and how long that took,
	// waiting for its turn included; nil for none. It must not block. A recording that an
	// earlier process finalised is not told of again.
	Finalised func(m store.Manifest, took time.Duration)

	// AlarmAfter is how many interactions in succession of an account and trunk have to
	// go wrong alike for [AlarmUnanswered] and [AlarmRoles]; 0 means [DefaultAlarmAfter].
	AlarmAfter int
	// Notify takes each [Notice], from many goroutines; nil for none. It must not
	// block. Those of one recording come in their order.
	Notify func(Notice)
	// Noted, with Notify, returns when what Notify took before is safe from the end of
	// the process, or soon in any case; nil for at once. A recording that is finished
	// is not looked at by the next process once its verdict is noted.
	Noted func()
	// Sweep is how often what is to be deleted by its policy is erased, from when New
	// returns; 0 for never. While another process has Dir nothing is.
	Sweep time.Duration
}

// A Recorder is a [siprec.Handler] that records.
type Recorder struct {
	cfg    Config
	accept func(*siprec.Event)
	slots  chan struct{} // one for each finaliser at work
	bench  render.Bench  // what they work with
	finishing
	spool   *capture.Spool
	tally   tally
	queue   atomic.Int64 // recordings that are being finalised, or wait for it
	links   links
	live    liveSet
	merging sync.Mutex   // held while two interactions become one
	ended   func() error // ends the spool, once
	lock    *os.File     // nil when another process has the folder
	alone   bool         // none has

	index       *store.Index
	indexBehind atomic.Bool   // something could not be noted in it
	dueNow      chan struct{} // holds one when a recording is to be deleted at once

	ctx    context.Context // done when Close ran out of time
	cancel context.CancelFunc
	// stopping is done when Close began: nothing waits for a disk that fails then.
	stopping context.Context
	stop     context.CancelFunc

	mu      sync.Mutex
	closed  bool
	working sync.WaitGroup // recording sessions and finalisers
}

var _ siprec.Handler = (*Recorder)(nil)

// New makes a Recorder. Close has to be called in the end.
func New(cfg Config) (*Recorder, error) {
	if cfg.Dir == "" {
		return nil, errors.New("recorder: no directory for recordings")
	}
	if cfg.Encrypt && !cfg.Masters.ring().Seals() {
		return nil, errors.New("recorder: nothing is encrypted without a master key")
	}
	if err := os.MkdirAll(cfg.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Random == nil {
		cfg.Random = rand.Reader
	}
	if cfg.Finalisers <= 0 {
		cfg.Finalisers = 4 * runtime.GOMAXPROCS(0)
	}
	if cfg.AlarmAfter <= 0 {
		cfg.AlarmAfter = DefaultAlarmAfter
	}
	cfg.Random = &lockedReader{r: cfg.Random}
	r := &Recorder{cfg: cfg, accept: (*siprec.Event).Accept, slots: make(chan struct{}, cfg.Finalisers),
		index: store.OpenIndex(cfg.Dir), dueNow: make(chan struct{}, 1),
		finishing: finishing{
			disk: store.NewCommitter(cfg.Dir), ffmpeg: cfg.FFmpeg, omit: cfg.OmitGaps, now: cfg.Now,
			committing: make(chan struct{}, mostCommitting),
		},
	}
	r.tally.after = cfg.AlarmAfter
	var err error
	r.spool, err = capture.NewSpool(capture.Options{
		Dir: cfg.Dir, HoldBack: cfg.HoldBack, Commit: cfg.Commit, Memory: cfg.PageMemory,
		Now: cfg.Now, OnDisk: r.onDisk,
	})
	if err != nil {
		return nil, fmt.Errorf("recorder: %w", err)
	}
	r.lock, r.alone = takeAlone(cfg.Dir)
	r.ended = sync.OnceValue(r.letGo)
	r.ctx, r.cancel = context.WithCancel(context.Background())
	r.stopping, r.stop = context.WithCancel(r.ctx)
	if cfg.Sweep > 0 && r.alone {
		r.working.Go(r.sweeping)
	}
	return r, nil
}

// letGo ends the spool and leaves the folder to other processes.
func (r *Recorder) letGo() error {
	err := r.spool.Close()
	if r.lock != nil {
		err = errors.Join(err, r.lock.Close())
	}
	return err
}

// onDisk raises the alarm when the disk fails, and lifts it.
func (r *Recorder) onDisk(err error) {
	n := Notice{At: r.cfg.Now(), Type: NoticeAlarm, Alarm: AlarmDisk, Words: "the disk for recordings fails: audio waits in memory, new recording sessions are refused"}
	if err != nil {
		r.cfg.Log.Error("disk fails: audio waits in memory, new recording sessions are refused", zap.Error(err))
		r.notify(n)
		return
	}
	r.cfg.Log.Warn("disk is well again: what waited is written")
	n.Type, n.Words = NoticeAlarmCleared, "the disk for recordings is well again: what waited is written"
	r.notify(n)
}

// Failing says in words why no new recording session should be taken now: because
// the disk fails or does not keep up. It is empty when all is well, and may be
// called by any goroutine.
func (r *Recorder) Failing() string {
	if r.spool.Failing() {
		return "the disk for recordings fails"
	}
	return ""
}

// ServeRecording records one recording session. When the recording cannot be
// begun, for want of disk or because the recorder is closed, it refuses the
// recording session with 503, so that the SRC may turn to another server. It
// returns when the recording session has ended; finalising goes on behind it.
func (r *Recorder) ServeRecording(ctx context.Context, rs *siprec.RecordingSession) {
	r.serve(ctx, rs)
}

func (r *Recorder) serve(ctx context.Context, rs recordingSession) { r.loop(ctx, newLeg(rs)) }

// loop reads the events of a recording session. It may be one that is gone on with.
func (r *Recorder) loop(ctx context.Context, l *leg) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(r.ctx, cancel)()

	admitted := r.begin()
	if admitted {
		defer r.working.Done()
	}
	ended := false
	for !ended {
		ev, err := l.rs.Next(ctx)
		if err != nil {
			break
		}
		if l.of.Load() == nil && ev.Kind == siprec.Offered && !r.enter(l, ev, admitted) {
			continue
		}
		ended = ev.Kind == siprec.Ended
		if l.of.Load() != nil && !l.survives(ev) {
			ended = true
		}
	}
	if l.of.Load() == nil {
		return
	}
	if !ended {
		// Next failed without an end: end as the events would have.
		l.survives(&siprec.Event{Kind: siprec.Ended, At: r.cfg.Now(), Reason: siprec.EndGone})
	}
	l.leave()
}

// enter has a recording session begin an interaction or become one of an interaction
// that goes on, or refuses it and returns false.
func (r *Recorder) enter(l *leg, ev *siprec.Event, admitted bool) bool {
	if !admitted {
		ev.Reject(503, "the recording server is stopping")
		return false
	}
	if why := r.Failing(); why != "" {
		ev.Reject(503, why)
		return false
	}
	if err := r.place(l, ev); err != nil {
		r.cfg.Log.Error("recording cannot begin", append(logFields(l.rs), zap.Error(err))...)
		ev.Reject(503, "recording is not possible now")
		return false
	}
	return true
}

// begin admits a recording session unless the recorder is closed.
func (r *Recorder) begin() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	r.working.Add(1)
	return true
}

// Close refuses further recording sessions and waits until those that go on have
// ended and every recording is finalised. When ctx is done before, it ends the
// recording sessions and gives up finalising; what is not finalised keeps its
// capture and journal, and Close returns the error of ctx.
func (r *Recorder) Close(ctx context.Context) error {
	r.mu.Lock()
	r.closed = true
	r.mu.Unlock()
	r.stop()
	stop := context.AfterFunc(ctx, r.cancel)
	r.working.Wait()
	r.cancel()
	err := r.ended()
	if !stop() {
		return ctx.Err()
	}
	return err
}

// A lockedReader serves several goroutines.
type lockedReader struct {
	mu sync.Mutex
	r  io.Reader
}

func (l *lockedReader) Read(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.r.Read(p)
}
