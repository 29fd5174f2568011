package recorder

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules/policy"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

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
	Later(f func())
	End()
	Keep(save func(state []byte))
}

// A leg is one recording session of an interaction. Its loop, that of ServeRecording,
// reads events and hands them to the goroutine of the interaction, which owns
// everything else.
type leg struct {
	rs     recordingSession
	people *people
	docs   []rawDocument // of the first event, read before there was an interaction
	read   bool          // they were read

	// of is its interaction: another one once the two were found to be one.
	of   atomic.Pointer[interaction]
	seat atomic.Pointer[seat]
	// asks are the streams on which the SRC was asked last to send nothing.
	asks atomic.Pointer[[]int]

	// Owned by the goroutine of the interaction:

	number int    // within the interaction, from 1
	why    string // it is one of the interaction, of a later one
	zero   time.Time
	callID string
	src    store.SRC
	log    *zap.Logger
	alias  map[string]string // keys of persons whom the interaction knows under another
	held   bool
	asked  time.Time // when a snapshot was asked for last; zero for never
	dates  dates
	ended  time.Time
	reason siprec.EndReason
	gone   bool   // nothing of it comes any more
	dialog []byte // state of the dialog that another process left; nil without any
}

// A seat is where the state of a dialog is kept.
type seat struct {
	resume *resumeLog
	number int // of the recording session in it
}

func newLeg(rs recordingSession) *leg {
	return &leg{rs: rs, people: newPeople()}
}

// do has the goroutine of the interaction do something, and returns when it is done.
// It is false when the interaction is over.
func (l *leg) do(f func(in *interaction)) bool {
	for {
		in := l.of.Load()
		if in.do(func() { f(in) }) {
			return true
		}
		if l.of.Load() == in {
			return false
		}
	}
}

// documents reads the metadata of an event.
func (l *leg) documents(ev *siprec.Event) []rawDocument {
	if l.read {
		docs := l.docs
		l.docs, l.read = nil, false
		return docs
	}
	return l.people.read(ev)
}

// peek reads the metadata of the first event before there is an interaction: where it
// belongs may be told there.
func (l *leg) peek(ev *siprec.Event) { l.docs, l.read = l.people.read(ev), true }

// begins notes when it began, as the first of an interaction or a later one.
func (l *leg) begins(in *interaction, at time.Time) {
	l.number, l.zero, l.callID, l.src = len(in.legs)+1, at, l.rs.CallID(), sourceOf(l.rs)
	l.log = in.recorder.cfg.Log.With(append(logFields(l.rs), zap.String("recording", string(in.id)))...)
	l.enter(in)
}

// enter makes it one of the recording sessions of an interaction.
func (l *leg) enter(in *interaction) {
	l.people.sealing = in.sealing
	if l.number > 1 {
		l.people.leg = l.number
	}
	in.legs = append(in.legs, l)
	l.of.Store(in)
	l.seat.Store(&seat{in.resume, l.number})
	if l.number == 2 {
		in.acquaint(in.legs[0])
	}
}

// joins makes it one of the recording sessions of another interaction than before.
func (l *leg) joins(in *interaction) {
	l.number = len(in.legs) + 1
	l.people.docs = nil // they lie with the other
	l.enter(in)
}

// beginning is what the resume log says of a leg.
func (l *leg) beginning(encrypted bool) *beginning {
	return &beginning{
		Version: resumeVersion, Encrypted: encrypted, Zero: l.zero, CallID: l.callID, Source: l.src, Origin: l.rs.Origin(),
		From: l.rs.From(), To: l.rs.To(), RequestURI: l.rs.RequestURI(), UserAgent: l.rs.UserAgent(), Why: l.why,
	}
}

// keepDialog keeps the state of the dialog. It is called by the dialog itself.
func (l *leg) keepDialog(state []byte) {
	s := l.seat.Load()
	if err := s.resume.write(entry{Leg: s.number, Dialog: state}); err != nil {
		l.log.Error("resume log", zap.Error(err))
	}
}

// tellHeld tells the recording session whether the metadata says that nobody sends.
func (l *leg) tellHeld(in *interaction, at time.Time) {
	if held := l.people.held(in.streams.of(l), at); held != l.held {
		l.held = held
		l.rs.Held(held)
	}
}

// marks are the instants at which it changed who is who on a recording session.
func (in *interaction) marks(l *leg) (out []time.Duration) {
	for _, at := range l.people.marks {
		out = append(out, at.Sub(in.zero))
	}
	return out
}

// lastLeg is the recording session that ended last.
func (in *interaction) lastLeg() *leg {
	return slices.MaxFunc(in.legs, func(a, b *leg) int { return a.ended.Compare(b.ended) })
}

// recordingSessions tells of all recording sessions, where there were several.
func (in *interaction) recordingSessions() (out []store.RecordingSession) {
	if len(in.legs) == 1 {
		return nil
	}
	for _, l := range in.legs {
		out = append(out, store.RecordingSession{
			Number: l.number, CallID: l.callID, SRC: l.src, Interval: interval(l.zero.Sub(in.zero), l.ended.Sub(in.zero)),
			EndReason: string(l.reason), Why: l.why,
		})
	}
	return out
}

func (in *interaction) allOddities() []string {
	out := in.oddities
	for _, l := range in.legs {
		for _, o := range l.people.oddities {
			out = appendNew(out, o)
		}
	}
	return out
}

// sourceOf says who asks for the recording.
func sourceOf(rs recordingSession) store.SRC {
	origin := rs.Origin()
	return store.SRC{
		Name: rs.SRC().Name, Address: origin.Source.String(), Transport: origin.Transport,
		UserAgent: rs.UserAgent(), From: rs.From(), To: rs.To(),
	}
}

// traits are what the place of an interaction is found by.
func (l *leg) traits(ev *siprec.Event) policy.Traits {
	origin := l.rs.Origin()
	t := policy.Traits{
		Certificate: origin.Certificate, Listener: cmp.Or(origin.Listener, origin.Local.String()), Address: origin.Source.Addr(), RequestURI: l.rs.RequestURI(),
		Header: make(map[string][]string), Field: make(map[string][]string),
	}
	for _, h := range ev.Headers {
		t.Header[h.Name] = append(t.Header[h.Name], h.Value)
	}
	for _, f := range slices.Concat(l.people.facts(), metadata.HeaderFacts(headerFields(ev.Headers))) {
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
		for _, p := range l.people.current().Participants {
			t.Dialled = append(t.Dialled, p.AORs()...)
		}
	}
	return t
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

// survives handles an event and reports whether the recording session can go on. A
// failure of ours in it ends the interaction at that instant, with what it has so
// far: an engine in doubt records nothing.
func (l *leg) survives(ev *siprec.Event) (fine bool) {
	l.do(func(in *interaction) { fine = in.survives(l, ev) })
	return fine
}

func (in *interaction) survives(l *leg, ev *siprec.Event) (fine bool) {
	if in.broken {
		in.endLeg(l, ev)
		return false
	}
	defer func() {
		v := recover()
		if v == nil {
			return
		}
		// The value may hold what came from the wire: only its type is told.
		l.log.Error("event could not be handled, the recording ends", zap.String("type", fmt.Sprintf("%T", v)), zap.Stack("stack"))
		in.breakOff(ev.At)
		in.endLeg(l, ev)
		fine = false
	}()
	l.handle(ev)
	return true
}

// endLeg notes that a recording session is recorded no more.
func (in *interaction) endLeg(l *leg, ev *siprec.Event) {
	l.ended, l.reason = ev.At, cmp.Or(ev.Reason, siprec.EndLocal)
	in.ended, in.reason = laterOf(in.ended, l.ended), l.reason
}

// breakOff withholds everything from an instant on, and ends what goes on.
func (in *interaction) breakOff(at time.Time) {
	in.broken = true
	in.flag(flagFailed)
	for _, s := range in.streams.list {
		if s.track == nil {
			continue
		}
		in.withhold(s.track.Stop(in.subject, at))
		for _, u := range in.users {
			in.withhold(s.track.Stop(u.subject, at))
		}
	}
	for _, l := range in.legs {
		if l.ended.IsZero() {
			l.rs.End()
		}
	}
}

// leave takes what the ports of a recording session still hold, and closes its gates.
func (l *leg) leave() {
	l.rs.Drain()
	l.do(func(in *interaction) { in.left(l) })
}

// left closes the gates of a recording session.
func (in *interaction) left(l *leg) {
	l.people.end(l.ended)
	in.streams.count(l)
	in.streams.end(l, l.ended)
	for _, s := range in.streams.of(l) {
		if s.track != nil {
			s.track.close()
		}
	}
	l.gone = true
}
