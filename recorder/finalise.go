package recorder

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
)

// finalise turns a recording that has ended into its finished files, when there
// is a free place. What fails leaves capture and journal as they are, and no
// manifest: the recording is then unfinished, not lost.
func (r *Recorder) finalise(rec *recording) {
	r.queue.Add(1)
	defer r.queue.Add(-1)
	began := r.cfg.Now()
	if err := rec.settle(r.stopping); err != nil {
		rec.failed("capture", err)
	}
	var m store.Manifest
	err := r.inTime(rec, func() (err error) {
		m, err = r.finaliseOnce(rec)
		return err
	})
	if err != nil {
		// The error may name a file, and that a person.
		rec.log.Error("recording is not finalised, its journal says why")
		rec.log.Debug("recording is not finalised", zap.Error(err))
		line := journalLine{At: r.cfg.Now().UTC(), Event: lineFailed, Error: err.Error()}
		err = rec.journal.write(0, line)
		if r.ctx.Err() == nil { // else the next process takes it up
			rec.alarm(raise(r.cfg.Now(), store.Alarm{Alarm: AlarmUnfinished}))
		}
		err = errors.Join(err, rec.journal.close())
	} else {
		rec.report(m)
		err = rec.journal.close()
		if r.cfg.Finalised != nil {
			r.cfg.Finalised(m, r.cfg.Now().Sub(began))
		}
		r.listed(m)
	}
	if err != nil {
		rec.log.Error("journal", zap.Error(err))
	}
	rec.secret.Key.Wipe()
}

// settle writes what still waits to journal and capture.
func (rec *recording) settle(ctx context.Context) error {
	first := rec.journal.settle() // the capture waits for it
	err := rec.capture.Finish(ctx, rec.journal.waits)
	if first != nil {
		first = rec.journal.settle()
	}
	return errors.Join(first, err)
}

// finaliseSafely is finalise, where a failure of ours over one recording must
// not end the others.
func (rec *recording) finaliseSafely(ctx context.Context, by finishing) (m store.Manifest, err error) {
	defer func() {
		if v := recover(); v != nil {
			rec.log.Error("finalising failed", zap.String("type", fmt.Sprintf("%T", v)), zap.Stack("stack"))
			err = fmt.Errorf("finalising failed with a %T", v)
		}
	}()
	return rec.finalise(ctx, by)
}

// report says in one line what came of a recording; loudly when a person should
// look at it.
func (rec *recording) report(m store.Manifest) {
	var kept, lost, withheld uint64
	for _, s := range m.Streams {
		kept, lost, withheld = kept+s.Packets.Kept, lost+s.Packets.Lost, withheld+s.Packets.Withheld
	}
	level := zap.InfoLevel
	if len(m.Flags) > 0 || m.Verdict != store.OK {
		level = zap.WarnLevel
	}
	rec.log.Log(level, "recording finalised", zap.Int("files", len(m.Files)), zap.Int64("ms", m.Timeline.DurationMS),
		zap.Uint64("packets", kept), zap.Uint64("lost", lost), zap.Uint64("withheld", withheld), zap.Strings("flags", m.Flags),
		zap.Stringer("verdict", m.Verdict), zap.Strings("reasons", m.Reasons))
}

// finishing is what finished files are made with.
type finishing struct {
	disk   *store.Committer
	ffmpeg *codec.FFmpeg // nil for none
	omit   bool          // leave gaps out
	now    clock
	// committing holds one for each recording that waits for the disk.
	committing chan struct{}
	free       func() // gives the place of a finaliser back; nil for none
}

// commit makes a recording durable. Who waits for the disk takes no finaliser's place: so
// those that end together share one sync, though few are made at a time.
func (by finishing) commit(folder string, m store.Manifest, key *seal.Key) error {
	if by.free != nil {
		by.committing <- struct{}{}
		defer func() { <-by.committing }()
		by.free()
	}
	return by.disk.Finish(folder, m, key)
}

// finalise makes the files and writes the manifest last.
func (rec *recording) finalise(ctx context.Context, by finishing) (m store.Manifest, err error) {
	rec.spare()
	if rec.void() && rec.tomb == nil {
		rec.flag(flagVoid)
		tomb, err := rec.discard(by.now())
		if err != nil {
			return m, fmt.Errorf("discard: %w", err)
		}
		rec.tomb = &tomb
	}
	p := rec.plan()
	p.job.FFmpeg, p.job.OmitGaps = by.ffmpeg, by.omit
	var res render.Result
	if p.job.Timeline.From < p.job.Timeline.To {
		if res, err = render.Run(ctx, p.job); err != nil {
			return m, fmt.Errorf("make files: %w", err)
		}
	}
	keep := rec.judge(res)
	at := by.now().UTC()
	m = rec.manifest(p, res, at)
	if keep {
		m.Capture = captureName
		if err := savePlan(rec.folder, rec.saved(p), rec.sealing); err != nil {
			return m, err
		}
	}
	// Durable with the files, before the manifest has its name.
	if !rec.accounted {
		if err := rec.journal.append(journalLine{At: at, Event: lineFinalised, Files: len(m.Files)}); err != nil {
			return m, err
		}
		rec.accounted = true
	}
	if rec.void() {
		err := rec.bury(by, m, *rec.tomb)
		if err == nil {
			rec.in.recorder.tellVerdict(m)
		}
		return m, err
	}
	if err := by.commit(rec.folder, m, rec.sealing); err != nil {
		return m, err
	}
	rec.in.recorder.tellVerdict(m)
	if rec.resume != nil {
		if err := rec.resume.remove(); err != nil {
			rec.log.Error("resume log is left behind", zap.Error(err))
		}
	}
	if !keep {
		// Not before the manifest: a crash in between leaves too much, not
		// too little.
		if err := discardCapture(rec.folder, rec.storage()); err != nil {
			rec.log.Error("capture is left behind", zap.Error(err))
		}
	}
	return m, nil
}

// saved is what it takes to make the files of a plan again.
func (rec *recording) saved(p plan) savedPlan {
	out := savedPlan{Job: p.job, Files: rec.describe(p)}
	for _, s := range p.job.Streams {
		out.Streams = append(out.Streams, string(rec.in.streams.list[s.ID].id))
	}
	return out
}

// discardCapture removes the capture, and the key first unless it is that of the
// finished files: what the file system keeps of a removed file is of no use then.
func discardCapture(folder string, how store.Storage) (err error) {
	if how != store.Encrypted {
		err = removed(filepath.Join(folder, seal.FileName))
	}
	return errors.Join(err, removed(filepath.Join(folder, captureName)))
}

// removed removes a file, which may be gone already.
func removed(path string) error {
	if err := os.Remove(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// storage is how the finished files are kept.
func (rec *recording) storage() store.Storage {
	if rec.sealing != nil {
		return store.Encrypted
	}
	return store.Plain
}

// void reports whether all of the recording is to be discarded.
func (rec *recording) void() bool {
	return rec.in.verdicts != nil && rec.in.verdicts.Void() && !rec.spared
}

// spans are the times of which the audio of a stream is kept.
func (rec *recording) spans(s *stream) []span {
	switch {
	case rec.void():
		return nil
	case rec.decided != nil:
		return rec.decided.spans[s.id]
	}
	return s.spans(rec.subject)
}

// judge flags what a person should know, and reports whether the capture has to
// be kept because a file does not hold all of it.
func (rec *recording) judge(res render.Result) (keep bool) {
	for _, f := range flagsOf(res) {
		rec.flag(f)
		keep = true
	}
	if rec.capture.Dropped() > 0 {
		rec.flag(flagDisk)
	}
	for _, l := range rec.in.legs {
		if len(l.people.headers) > 0 {
			rec.flag(flagHeaders)
		}
		switch {
		case l.people.unreadable:
			rec.flag(flagUnreadable)
		case len(l.people.docs) == 0 && !l.people.documented:
			rec.flag(flagNoMetadata)
		}
	}
	for _, s := range rec.in.streams.list {
		if s.counted().Flagged {
			rec.flag(flagSource)
		}
		if s.counted().AuthFailed > 0 {
			rec.flag(flagKeys)
		}
		if s.counted().Panics > 0 {
			rec.flag(flagFailed)
		}
	}
	return keep
}

// flagsOf are the flags for which a capture is kept: what no file holds.
func flagsOf(res render.Result) (flags []string) {
	for _, s := range res.Streams {
		if len(s.Undecoded) > 0 {
			flags = appendNew(flags, flagUndecodable)
		}
		if s.Beyond > 0 {
			flags = appendNew(flags, flagRestless)
		}
	}
	if res.Torn {
		flags = appendNew(flags, flagTorn)
	}
	return flags
}

// A plan is what is to be made of a recording.
type plan struct {
	job      render.Job
	takes    []take
	voices   []voice // who sent, whether permitted or not
	people   []string
	byKey    map[string]store.Participant
	timeline span
}

// plan lays out the files: the timeline they share, and who is heard in which.
func (rec *recording) plan() plan {
	var p plan
	p.job = render.Job{Capture: filepath.Join(rec.folder, captureName), Secret: rec.secret, Dir: rec.folder, Bench: &rec.in.recorder.bench}
	var heard []voice
	first := true
	for _, s := range rec.in.streams.list {
		if s.track == nil {
			continue
		}
		spans := rec.spans(s)
		// The recording begins with the INVITE: before it nothing was withheld.
		rs := render.Stream{ID: s.number, Formats: s.formats, FromStart: len(spans) > 0 && spans[0].from == 0, Ends: s.ends(rec.subject)}
		for _, sp := range spans {
			rs.Permitted = append(rs.Permitted, render.Interval{From: sp.from, To: sp.to})
			if first {
				p.timeline, first = sp, false
			}
			p.timeline = span{min(p.timeline.from, sp.from), max(p.timeline.to, sp.to)}
		}
		p.job.Streams = append(p.job.Streams, rs)
		vs := voices(s.number, s.life(), rec.in.marks(s.leg), rec.in.senders(s))
		p.voices = append(p.voices, vs...)
		heard = append(heard, permitted(vs, spans)...)
	}
	p.job.Timeline = render.Interval{From: p.timeline.from, To: p.timeline.to}
	p.people, p.byKey = rec.in.everybody(p.voices)
	p.takes = takes(p.people, heard)
	for i := range p.takes {
		t := &p.takes[i]
		t.file = rec.name(i+1, t, p.byKey)
		p.job.Tracks = append(p.job.Tracks, render.Track{File: t.file, Sources: t.sources})
	}
	return p
}

// name makes the file name of a take from who is heard in it. That of a sealed file
// says nothing of that.
func (rec *recording) name(number int, t *take, byKey map[string]store.Participant) string {
	if rec.sealing != nil {
		return vault.Name(fmt.Sprintf("%02d.wav", number), rec.sealing)
	}
	if len(t.participants) == 0 {
		s := rec.in.streams.list[t.streams[0]]
		label := s.info.Label
		if sanitise(label) == "" {
			label = strconv.Itoa(s.info.Index)
		}
		return fileName(number, "stream-"+label)
	}
	if len(t.participants) == 1 {
		return fileName(number, namesOf(byKey[t.participants[0]])...)
	}
	all := ""
	for _, key := range t.participants {
		for _, n := range namesOf(byKey[key]) {
			if n = sanitise(n); n != "" {
				all += n + " "
				break
			}
		}
	}
	return fileName(number, all, "mixed")
}

// namesOf lists what a file of a participant may be called, best first.
func namesOf(p store.Participant) []string {
	var out []string
	for _, a := range p.AORs {
		out = append(out, userPart(a))
	}
	return append(append(out, p.Names...), "participant")
}
