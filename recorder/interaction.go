package recorder

import (
	"cmp"
	"context"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// captureName is the name of the capture within the folder of a recording.
const captureName = "capture.rtp"

// A recordingSession is what the loop needs of a *siprec.RecordingSession.
type recordingSession interface {
	CallID() string
	SRC() siprec.SRC
	Origin() siprec.Origin
	From() string
	To() string
	RequestURI() string
	UserAgent() string
	Next(context.Context) (*siprec.Event, error)
	Attach(index int, sink media.Sink)
	Stats(index int) media.Stats
	Contributors(index int) []media.Contributor
	Sources(index int) []media.Source
	Drain()
	Held(held bool)
	RequestSnapshot(reason string) error
	Pause(streams ...int)
	Resume()
	End()
	Keep(save func(state []byte))
}

// An interaction is one recording session while it is recorded. It is owned by
// the goroutine of ServeRecording, and by its finaliser after that.
type interaction struct {
	id          rules.RecordingID
	folder      string
	zero        time.Time        // arrival of the INVITE
	rs          recordingSession // not for the finaliser
	callID      string
	src         store.SRC
	verdicts    *rules.Case
	people      *people
	interpreter *interpreter // nil when whoever is on the call changes nothing
	streams     *streams
	capture     *capture.Writer
	secret      capture.Secret
	sealing     *seal.Key // seals finished files; nil in the clear
	journal     *journal
	resume      *resumeLog
	down        []span    // in which the server was down
	lastKnown   time.Time // of what another process left; zero when there was none
	cut         string    // why it was not gone on with; empty when it was
	decision    uint64    // ordinal of the event whose decisions are carried out
	recorder    *Recorder

	// subject is what the recording is called in decisions: id, but for user
	// recordings, which also have a maker and are of a recording.
	subject   rules.RecordingID
	maker     rules.PartyID
	of        rules.RecordingID
	users     []*interaction // user recordings of this one
	begun     bool           // its files are made
	waiting   []journalLine  // lines of a user recording whose files are not made yet
	log       *zap.Logger
	accept    func(*siprec.Event)
	rulebook  *Rulebook
	random    io.Reader
	policy    pinned
	held      bool
	asked     time.Time // when a snapshot was asked for last; zero for never
	decisions []rules.Decision
	oddities  []string
	dates     dates
	flags     []string
	ended     time.Time
	reason    siprec.EndReason
	accounted bool             // the journal says that it is finalised
	tomb      *store.Tombstone // what was discarded of a void recording; nil before
}

// open begins a recording: its folder, its journal and its capture. What was
// made before an error is removed again.
func (r *Recorder) open(ev *siprec.Event, rs recordingSession) (in *interaction, err error) {
	id, err := store.NewID(ev.At, r.cfg.Random)
	if err != nil {
		return nil, err
	}
	folder, err := store.Create(r.cfg.Dir, id)
	if err != nil {
		return nil, err
	}
	log := r.cfg.Log.With(append(logFields(rs), zap.String("recording", id))...)
	recording := rules.RecordingID(id)
	in = &interaction{id: recording, subject: recording, recorder: r, folder: folder, zero: ev.At, log: log}
	if err = in.prepare(); err == nil {
		err = in.makeFiles()
	}
	if err != nil {
		if in.capture != nil {
			err = errors.Join(err, in.capture.Close())
		}
		return nil, errors.Join(fmt.Errorf("open recording %s: %w", id, err), in.forget())
	}
	in.accept, in.rs, in.callID, in.src = r.accept, rs, rs.CallID(), sourceOf(rs)
	in.rulebook, in.policy, in.random = r.cfg.Rulebook, pinned{Policy: r.cfg.Policy}, r.cfg.Random
	in.people = newPeople(ev.At)
	in.people.sealing = in.sealing
	in.streams = &streams{recording: recording, zero: ev.At, out: in.capture}
	in.remember(entry{Begin: &beginning{
		Version: resumeVersion, Encrypted: in.sealing != nil, Zero: ev.At, CallID: in.callID, Source: in.src, Origin: rs.Origin(),
		From: rs.From(), To: rs.To(), RequestURI: rs.RequestURI(), UserAgent: rs.UserAgent(),
	}})
	rs.Keep(in.keepDialog)
	return in, nil
}

// prepare makes what a recording needs in memory: its key, and a capture that keeps
// what it is given until it has a file.
func (in *interaction) prepare() error {
	key, err := seal.New(rand.Reader)
	if err != nil {
		return err
	}
	in.secret = capture.Secret{Recording: string(in.id), Key: key}
	if in.recorder.cfg.Encrypt {
		in.sealing = key
	}
	onError := func(err error) { in.log.Error("capture", zap.Error(err)) }
	in.capture, err = in.recorder.spool.Prepare(in.secret, in.zero, onError)
	return err
}

// makeFiles makes key, journal and capture in the folder, all of them durable.
func (in *interaction) makeFiles() error {
	if err := in.recorder.cfg.Masters.ring().Store(in.folder, string(in.id), in.secret.Key); err != nil {
		return err
	}
	var err error
	if in.journal, err = createJournal(in.folder, in.capture.Release); err != nil {
		return err
	}
	if in.journal.sealer, err = newLineSealer(in.sealing); err != nil {
		return err
	}
	if in.of == "" { // a user recording goes on with that which it is of
		if in.resume, err = createResumeLog(in.folder, in.secret); err != nil {
			return err
		}
	}
	if err := in.capture.Begin(filepath.Join(in.folder, captureName)); err != nil {
		return err
	}
	if err := store.SyncDir(in.folder); err != nil {
		return err
	}
	in.begun = true
	return nil
}

// forget removes a folder in which nothing was recorded. The files are removed by their
// names: it may be for want of descriptors that nothing was.
func (in *interaction) forget() error {
	for _, name := range []string{seal.FileName, journalName, resumeName, captureName} {
		_ = os.Remove(filepath.Join(in.folder, name)) // it may not be there
	}
	if os.Remove(in.folder) == nil {
		return nil
	}
	return os.RemoveAll(in.folder)
}

// sourceOf says who asks for the recording.
func sourceOf(rs recordingSession) store.SRC {
	origin := rs.Origin()
	return store.SRC{
		Name: rs.SRC().Name, Address: origin.Source.String(), Transport: origin.Transport,
		UserAgent: rs.UserAgent(), From: rs.From(), To: rs.To(),
	}
}

// survives handles an event and reports whether the recording can go on. A
// failure of ours in it ends the recording at that instant, with what it has so
// far: an engine in doubt records nothing.
func (in *interaction) survives(ev *siprec.Event) (fine bool) {
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		// The value may hold what came from the wire: only its type is told.
		in.log.Error("event could not be handled, the recording ends", zap.String("type", fmt.Sprintf("%T", v)), zap.Stack("stack"))
		in.flag(flagFailed)
		for _, s := range in.streams.list {
			if s.track != nil {
				in.withhold(s.track.Stop(in.subject, ev.At))
				for _, u := range in.users {
					in.withhold(s.track.Stop(u.subject, ev.At))
				}
			}
		}
		in.ended, in.reason = ev.At, ev.Reason
		if in.reason == "" {
			in.reason = siprec.EndLocal
		}
	}()
	in.handle(ev)
	return true
}

// begin opens the case, under the policy that is in force now. It needs the first
// metadata: where an interaction belongs may be read there.
func (in *interaction) begin(ev *siprec.Event) {
	if in.rulebook != nil {
		in.policy = in.rulebook.pin(ev.At, in.traits(ev))
		in.interpreter = newInterpreter(in.policy)
		if alarm := in.policy.belonging.Alarm; alarm != "" {
			in.log.Warn("account of an interaction is not known", zap.String("why", alarm))
			in.flag(flagAccount)
		}
	}
	in.verdicts = rules.Open(in.policy.Policy, in.subject)
}

// handle takes one event, top to bottom: what it means, what is decided, what
// that does to the gates, the account of it, and only then the answer.
func (in *interaction) handle(ev *siprec.Event) {
	docs := in.people.read(ev)
	if in.verdicts == nil {
		in.begin(ev)
	}
	events := in.events(ev)
	decisions := in.decide(events)
	absent := in.carryOut(decisions)
	if ev.Kind != siprec.Ended {
		in.streams.attach(in.rs)
		in.enforce()
	}
	if held := in.people.held(in.streams.list, ev.At); held != in.held {
		in.held = held
		in.rs.Held(held)
	}
	asked := in.askForSnapshot(ev, docs)
	in.rememberEvent(ev, events, decisions, asked)
	in.note(ev, docs, events, decisions, absent)
	for _, d := range docs {
		if !d.Readable {
			ev.Warn("metadata cannot be read: " + d.Error) // RFC 7865 §5.1
		}
	}
	in.accept(ev)
}

// events says what an event of the recording session means for the rules.
func (in *interaction) events(ev *siprec.Event) []rules.Event {
	in.streams.count(in.rs)
	in.dated(ev)
	if ev.Kind == siprec.Resumed {
		in.wasDown(in.lastKnown, ev.At)
	}
	for _, o := range ev.Oddities {
		in.oddities = appendNew(in.oddities, o)
	}
	if ev.Kind == siprec.Ended {
		in.ended, in.reason = ev.At, ev.Reason
		return []rules.Event{{At: ev.At, Kind: rules.InteractionEnded}}
	}
	var out []rules.Event
	if ev.Kind == siprec.Offered {
		out = append(out, rules.Event{At: ev.At, Kind: rules.InteractionStarted})
	}
	if ev.Kind == siprec.Offered || ev.HasOffer {
		out = append(out, in.streams.update(ev.Streams, ev.At)...)
	}
	if in.interpreter != nil {
		out = append(out, in.interpreter.news(ev, in.people, in.streams.list)...)
		if ev.Kind == siprec.Offered {
			out = append(out, rules.Event{At: ev.At, Kind: rules.PlanRan, Draw: in.draw()})
		}
	}
	return out
}

// traits are what the place of an interaction is found by.
func (in *interaction) traits(ev *siprec.Event) policy.Traits {
	origin := in.rs.Origin()
	t := policy.Traits{
		Certificate: origin.Certificate, Listener: cmp.Or(origin.Listener, origin.Local.String()), Address: origin.Source.Addr(), RequestURI: in.rs.RequestURI(),
		Header: make(map[string][]string), Field: make(map[string][]string),
	}
	for _, h := range ev.Headers {
		t.Header[h.Name] = append(t.Header[h.Name], h.Value)
	}
	for _, f := range slices.Concat(in.people.model.Facts(), metadata.HeaderFacts(headerFields(ev.Headers))) {
		field := f.Field[strings.LastIndexByte(f.Field, '/')+1:]
		t.Field[field] = append(t.Field[field], f.Value)
		if f.Field != field {
			t.Field[f.Field] = append(t.Field[f.Field], f.Value)
		}
		if f.Kind == metadata.FactDialled || f.Kind == metadata.FactCalledNumber || f.Kind == metadata.FactOriginalCalled {
			t.Dialled = append(t.Dialled, f.Value)
		}
	}
	if len(t.Dialled) == 0 {
		// Nothing says what was dialled: it is a number of one of the parties.
		for _, p := range in.people.model.Current().Participants {
			t.Dialled = append(t.Dialled, p.AORs()...)
		}
	}
	return t
}

// draw is the share of calls below which this one lies, in [0,1).
func (in *interaction) draw() float64 {
	var b [8]byte
	if _, err := io.ReadFull(in.random, b[:]); err != nil {
		in.log.Error("no random number for the plan", zap.Error(err))
		return math.Nextafter(1, 0) // picks only what is always recorded
	}
	return float64(binary.BigEndian.Uint64(b[:])>>11) / (1 << 53)
}

// decide asks the rules, and puts the decisions that withhold first: no sample
// slips through between the end of one cause and the beginning of another.
func (in *interaction) decide(events []rules.Event) []rules.Decision {
	last := in.verdicts.Apply(events...)
	slices.SortStableFunc(last, func(a, b rules.Decision) int { return int(a.Verdict) - int(b.Verdict) })
	for _, d := range last {
		if d.Recording == in.subject {
			in.decisions = append(in.decisions, d)
		}
	}
	return last
}

// carryOut moves the gates, in memory: it takes effect whatever the disk does. It
// returns from when audio is absent, where that is later than decided.
func (in *interaction) carryOut(decisions []rules.Decision) (absent map[rules.StreamID]time.Time) {
	in.decision++
	for _, d := range decisions {
		if d.Verdict == rules.Refused {
			continue // about no stream
		}
		t := in.streams.track(d.Stream)
		if d.Verdict == rules.Record {
			if err := in.allow(t, d); err != nil {
				in.log.Error("permit refused", zap.Error(err))
			}
			continue
		}
		withhold := t.Stop
		if d.Over() {
			withhold = t.End
		}
		if from := in.withhold(withhold(d.Recording, d.From)); from.After(d.From) {
			if absent == nil {
				absent = make(map[rules.StreamID]time.Time)
			}
			absent[d.Stream] = from.UTC()
		}
	}
	return absent
}

// allow opens the gate for a decision to record.
func (in *interaction) allow(t *Track, d rules.Decision) error {
	if d.Recording != in.subject {
		u, err := in.user(d)
		if err != nil {
			return err
		}
		t.join(u.subject, u.capture)
	}
	return t.Allow(d.Permit, in.decision)
}

// withhold takes note when audio could not be taken back.
func (in *interaction) withhold(absent time.Time, err error) time.Time {
	if err != nil {
		in.failed("take back what is withheld", err)
	}
	return absent
}

// note writes down what happened and why, before it is answered.
func (in *interaction) note(ev *siprec.Event, docs []rawDocument, events []rules.Event, decisions []rules.Decision, absent map[rules.StreamID]time.Time) {
	var lines []journalLine
	at := ev.At.UTC()
	switch ev.Kind {
	case siprec.Offered:
		lines = append(lines, journalLine{At: at, Event: lineStarted, CallID: in.callID, Policy: in.policy.Version(), PolicyFile: in.policy.file, Belonging: in.policy.belongs(), Method: ev.Method, CSeq: ev.CSeq})
	case siprec.Resumed:
		since := in.lastKnown.UTC()
		lines = append(lines, journalLine{At: at, Event: lineResumed, Down: &since})
	case siprec.Changed:
		lines = append(lines, journalLine{At: at, Event: lineChanged, Method: ev.Method, CSeq: ev.CSeq})
	}
	for _, d := range docs {
		if err := vault.WriteFile(filepath.Join(in.folder, d.File), d.body, in.sealing); err != nil {
			in.failed("keep metadata", err)
		}
		lines = append(lines, journalLine{At: at, Event: lineMetadata, File: d.File, Error: d.Error})
	}
	if in.interpreter != nil {
		for _, e := range events {
			lines = append(lines, eventLine(e))
		}
	}
	lines = append(lines, in.sourceLines()...)
	lines = append(lines, in.decisionLines(decisions, in.subject, absent)...)
	if ev.Kind == siprec.Ended {
		lines = append(lines, journalLine{At: at, Event: lineEnded, Method: ev.Method, CSeq: ev.CSeq, Reason: string(ev.Reason)})
	}
	if err := in.journal.write(in.decision, lines...); err != nil {
		in.failed("journal", err)
	}
	in.noteUsers(ev, decisions, absent)
	in.log.Info("recording session "+eventName(ev.Kind), in.about(ev, len(docs), len(decisions))...)
}

// decisionLines are the lines of what was decided about a recording. A refused
// command is noted with the policy recording.
func (in *interaction) decisionLines(decisions []rules.Decision, about rules.RecordingID, absent map[rules.StreamID]time.Time) (lines []journalLine) {
	for _, d := range decisions {
		if d.Recording != about {
			continue
		}
		line := decisionLine(d, in.policy.Flags())
		if d.Verdict == rules.Withhold {
			line.Absent = absent[d.Stream]
		}
		lines = append(lines, line)
	}
	return lines
}

// about is what the log says of an event: nothing of whom it is about.
func (in *interaction) about(ev *siprec.Event, docs, decisions int) []zap.Field {
	fields := []zap.Field{
		zap.String("method", ev.Method), zap.Uint32("cseq", ev.CSeq), zap.Int("streams", len(ev.Streams)),
		zap.Int("metadata", docs), zap.Int("decisions", decisions),
	}
	switch ev.Kind {
	case siprec.Offered:
		fields = append(fields, zap.String("evidence", ev.Evidence))
	case siprec.Changed:
		fields = append(fields, zap.Bool("held", in.held))
	case siprec.Ended:
		fields = append(fields, zap.String("reason", string(ev.Reason)))
	}
	return fields
}

// failed notes a failure of the disk. The recording goes on: what the gates let
// through is still wanted, and the manifest will say what is missing.
func (in *interaction) failed(what string, err error) {
	in.log.Error(what, zap.Error(err))
	in.flag(flagDisk)
}

func (in *interaction) flag(f string) { in.flags = appendNew(in.flags, f) }

// finish takes what the ports still hold and closes the gates.
func (in *interaction) finish() {
	in.people.end(in.ended)
	in.rs.Drain()
	in.streams.count(in.rs)
	in.streams.end(in.ended)
	for _, s := range in.streams.list {
		if s.track != nil {
			s.track.close()
		}
	}
}

// logFields are what each line of a log about a recording session tells.
func logFields(rs recordingSession) []zap.Field {
	return append([]zap.Field{zap.String("call_id", shortened(rs.CallID())), zap.String("src", rs.SRC().Name)}, rs.Origin().LogFields()...)
}

// shortened bounds what comes from the wire for a log line.
func shortened(s string) string {
	const most = 128
	if len(s) > most {
		return s[:most] + "..."
	}
	return s
}

func eventName(k siprec.EventKind) string {
	switch k {
	case siprec.Offered:
		return "offered"
	case siprec.Resumed:
		return "resumed"
	case siprec.Changed:
		return "changed"
	case siprec.Ended:
		return "ended"
	default:
		return "unknown"
	}
}
