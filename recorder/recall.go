package recorder

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync/atomic"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
	"github.com/siprecd/siprecd/siprec/media"
)

// errDecisions: the rules decide otherwise now than the journal says that they did.
var errDecisions = errors.New("the rules decide otherwise now")

// remember writes an entry of the resume log.
func (in *interaction) remember(e entry) {
	if err := in.resume.write(e); err != nil {
		in.failed("resume log", err)
	}
}

// rememberEvent keeps an event, so that another process can go through it again.
func (in *interaction) rememberEvent(l *leg, ev *siprec.Event, facts []rules.Event, decisions []rules.Decision, asked bool) {
	e := entry{Leg: l.number, Event: ev, Facts: facts, Decisions: verdictLines(decisions), Asked: asked, Policy: in.policy.file}
	if ev.Kind == siprec.Resumed {
		e.Down = in.lastKnown
	}
	in.remember(e)
}

// wasDown notes that the server was not there for a time.
func (in *interaction) wasDown(from, to time.Time) {
	in.down = append(in.down, span{from.Sub(in.zero), max(to.Sub(in.zero), from.Sub(in.zero))})
	in.flag(flagDown)
}

// Remains are what another process left of an interaction, as it was.
type remains struct {
	*interaction
	behind bool // more may have been withheld than is known
	events int  // that its resume log tells of
}

// recall goes again through what happened to a recording, and comes to the same
// decisions: permits come from the rules, here as in the process before. Nothing is
// written but where a crash tore a file.
func (r *Recorder) recall(id string) (*remains, error) { return r.recallUnder(id, nil) }

// recallUnder is recall. With what a journal says that was decided, that the rules decide
// otherwise is no error, and no gate is moved.
func (r *Recorder) recallUnder(id string, decided *asDecided) (*remains, error) {
	folder, err := store.Folder(r.cfg.Dir, id)
	if err != nil {
		return nil, err
	}
	key, err := r.cfg.Masters.ring().Load(folder, id)
	if err != nil {
		return nil, err
	}
	secret := capture.Secret{Recording: id, Key: key}
	path, behind := filepath.Join(folder, resumeName), false
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		path, behind = filepath.Join(folder, behindName), true
	}
	entries, size, err := readResumeLog(path, secret)
	if err != nil {
		return nil, err
	}
	first := entries[0].Begin
	out := &remains{interaction: r.former(id, folder, first), behind: behind}
	out.secret, out.decided = secret, decided
	if first.Encrypted {
		out.sealing = key
	}
	for i, e := range entries {
		if e.Event != nil {
			out.events++
		}
		if err := out.again(e); err != nil {
			return nil, fmt.Errorf("entry %d of its resume log: %w", i+1, err)
		}
	}
	if out.verdicts == nil {
		return nil, errResumeLog
	}
	if out.resume, err = newResumeLog(path, secret, size); err != nil {
		return nil, err
	}
	return out, nil
}

// former is an interaction before its first event, as it began in another process.
func (r *Recorder) former(id, folder string, b *beginning) *interaction {
	now := r.cfg.Now()
	zero := now.Add(b.Zero.Sub(now)) // the same instant, by the clock of this process
	in := r.blank(rules.RecordingID(id), zero, pinned{Policy: r.cfg.Policy})
	in.log = r.cfg.Log.With(zap.String("call_id", shortened(b.CallID)), zap.String("src", b.Source.Name), zap.String("recording", id))
	in.begun, in.folder, in.lastKnown = true, folder, zero
	in.streams.out = new(laterKeeper)
	return in
}

// again goes through one entry again.
func (in *interaction) again(e entry) error {
	switch {
	case e.Begin != nil:
		return in.legAgain(e)
	case e.Command != nil:
		return in.commandAgain(e)
	case e.Heir != nil:
		return in.heirAgain(e.Heir)
	case e.Absorbed != nil:
		return in.absorbAgain(e)
	case e.Into != "":
		in.intoAgain(e)
		return nil
	}
	l := in.leg(max(e.Leg, 1))
	switch {
	case l == nil:
		return errResumeLog
	case e.Dialog != nil:
		l.dialog = e.Dialog
	case e.Event != nil:
		return in.eventAgain(l, e)
	}
	return nil
}

// leg is the recording session of that number; nil for none.
func (in *interaction) leg(number int) *leg {
	if number < 1 || number > len(in.legs) {
		return nil
	}
	return in.legs[number-1]
}

// legAgain takes a recording session in again.
func (in *interaction) legAgain(e entry) error {
	l := newLeg(bygone{e.Begin})
	if max(e.Leg, 1) != len(in.legs)+1 {
		return errResumeLog
	}
	now := in.recorder.cfg.Now()
	l.why = e.Begin.Why
	l.begins(in, now.Add(e.Begin.Zero.Sub(now)))
	l.src = e.Begin.Source
	return nil
}

// eventAgain goes through one event again.
func (in *interaction) eventAgain(l *leg, e entry) error {
	ev := e.Event
	l.people.name(l.people.read(ev))
	in.acquaint(l)
	if in.verdicts == nil {
		if err := in.beginAgain(l, ev, e.Policy); err != nil {
			return err
		}
	}
	in.dated(l, ev)
	for _, o := range ev.Oddities {
		in.oddities = appendNew(in.oddities, o)
	}
	switch {
	case ev.Kind == siprec.Ended:
		in.endAgain(l, e)
	case ev.Kind == siprec.Resumed:
		in.wasDown(e.Down, ev.At)
		in.streams.update(l, ev.Streams, ev.At)
	case ev.HasOffer || ev.Kind == siprec.Offered:
		in.streams.update(l, ev.Streams, ev.At)
	}
	if in.interpreter != nil {
		in.interpreter.hearing(l.callID, l.source)
		in.interpreter.recall(ev, in.told(), in.streams.list, e.Facts)
	}
	err := in.decideAgain(ev.At, e)
	l.held = l.people.held(in.streams.of(l), ev.At)
	if e.Asked {
		l.asked = ev.At
	}
	in.lastKnown = laterOf(in.lastKnown, ev.At)
	return err
}

// decideAgain decides by what the rules were told, and carries it out; that it is not what
// was decided is an error, but where it is decided already.
func (in *interaction) decideAgain(at time.Time, e entry) error {
	decisions := in.decide(e.Facts)
	in.recalled(at, e.Facts, decisions)
	if in.decided != nil {
		return nil
	}
	in.carryOut(decisions)
	if !slices.EqualFunc(verdictLines(decisions), e.Decisions, verdictLine.equal) {
		return errDecisions
	}
	return nil
}

// endAgain ends a recording session again.
func (in *interaction) endAgain(l *leg, e entry) {
	in.endLeg(l, e.Event)
	in.concluded = slices.ContainsFunc(e.Facts, func(f rules.Event) bool { return f.Kind == rules.InteractionEnded })
	if !in.concluded {
		in.streams.over(l, e.Event.At)
	}
}

// beginAgain opens the case under the version of the policy file that decided.
func (in *interaction) beginAgain(l *leg, ev *siprec.Event, version string) error {
	if in.rulebook == nil && version != "" {
		return fmt.Errorf("it was decided by version %s of a policy file, and there is none now", version)
	}
	// What is decided already, and not by a file, needs none.
	if in.rulebook != nil && (version != "" || in.decided == nil) {
		var err error
		if in.heir != nil {
			in.policy = in.heir.policy
		} else if in.policy, err = in.rulebook.pinAs(version, l.traits(ev)); err != nil {
			return err
		}
		in.interpreter = newInterpreter(in.policy)
		if in.policy.belonging.Alarm != "" {
			in.flag(flagAccount)
		}
	}
	in.verdicts = rules.Open(in.policy.Policy, in.subject)
	in.inherit(in.zero)
	return nil
}

func (l verdictLine) equal(o verdictLine) bool {
	same := l.From.Equal(o.From)
	l.From, o.From = time.Time{}, time.Time{}
	return same && l == o
}

func laterOf(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

func without(list []rules.PartyID, p rules.PartyID) []rules.PartyID {
	return slices.DeleteFunc(slices.Clone(list), func(o rules.PartyID) bool { return o == p })
}

// reopen opens the files of a recording that was recalled, to go on with them.
func (in *interaction) reopen(r *Recorder) error {
	path := filepath.Join(in.folder, captureName)
	if err := in.survey(path); err != nil {
		return err
	}
	if err := in.reopenFiles(); err != nil {
		return err
	}
	if k, ok := in.streams.out.(*laterKeeper); ok {
		k.w.Store(in.capture)
	}
	in.reopenUsers()
	return nil
}

// survey counts what a capture holds, and finds when its last packet came.
func (in *interaction) survey(path string) error {
	c, err := capture.Open(path, in.secret, nil)
	if err != nil {
		return err
	}
	defer c.Close()
	kept := make(map[int]uint64)
	var p capture.Packet
	for {
		err := c.Next(&p)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		if p.IsRTP() {
			kept[p.Stream]++
		}
		in.lastKnown = laterOf(in.lastKnown, in.zero.Add(p.Arrival))
	}
	for _, s := range in.streams.list {
		if s.track != nil {
			s.track.kept(kept[s.number])
		}
	}
	return nil
}

// kept tells the track how many packets of it another process has kept. How many it
// withheld is not known any more.
func (t *Track) kept(n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts.Received += n
}

// A laterKeeper is the capture of a recording that is not open yet. Until it is, there
// is nothing to keep, and what is withheld again was taken back before.
type laterKeeper struct {
	w atomic.Pointer[capture.Writer]
}

// Append is that of the capture.
func (k *laterKeeper) Append(p *capture.Packet) {
	if w := k.w.Load(); w != nil {
		w.Append(p)
	}
}

// Cut is that of the capture.
func (k *laterKeeper) Cut(stream int, from time.Duration) (absent time.Duration, err error) {
	if w := k.w.Load(); w != nil {
		return w.Cut(stream, from)
	}
	return from, nil
}

// A bygone is a recording session that another process had, of which only the recording
// is left.
type bygone struct{ b *beginning }

func (s bygone) CallID() string                            { return s.b.CallID }
func (s bygone) SRC() siprec.SRC                           { return siprec.SRC{Name: s.b.Source.Name} }
func (s bygone) Origin() siprec.Origin                     { return s.b.Origin }
func (s bygone) From() string                              { return s.b.From }
func (s bygone) To() string                                { return s.b.To }
func (s bygone) RequestURI() string                        { return s.b.RequestURI }
func (s bygone) UserAgent() string                         { return s.b.UserAgent }
func (bygone) Next(context.Context) (*siprec.Event, error) { return nil, io.EOF }
func (bygone) Attach(int, media.Sink)                      {}
func (bygone) Stats(int) media.Stats                       { return media.Stats{} }
func (bygone) Contributors(int) []media.Contributor        { return nil }
func (bygone) Sources(int) []media.Source                  { return nil }
func (bygone) Drain()                                      {}
func (bygone) Held(bool)                                   {}
func (bygone) RequestSnapshot(string) error                { return siprec.ErrNoUpdate }
func (bygone) Pause(...int)                                {}
func (bygone) Resume()                                     {}
func (bygone) Later(func())                                {}
func (bygone) End()                                        {}
func (bygone) Keep(func([]byte))                           {}
