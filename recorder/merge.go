package recorder

import (
	"errors"
	"maps"
	"slices"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// endMerged is why a recording ended whose interaction was found to be another one.
const endMerged siprec.EndReason = "merged"

// An absorbed is another interaction that became part of this one: what its resume log
// held. It may have absorbed others before.
type absorbed struct {
	Recording string
	At        time.Time
	Entries   []entry
}

// linkLate looks whether what a recording session told just now makes its interaction
// that of another recording session, too, and has the two become one.
func (in *interaction) linkLate(l *leg, ev *siprec.Event) {
	r := in.recorder
	if len(r.cfg.Links) == 0 || ev.Kind == siprec.Ended || in.apart {
		return
	}
	keys := r.keysOf(l, in.policy.belonging.Account, metadata.HeaderFacts(headerFields(ev.Headers)))
	keys = slices.DeleteFunc(keys, func(k linkKey) bool { return slices.Contains(in.heard, k) })
	if len(keys) == 0 {
		return
	}
	in.heard = append(in.heard, keys...)
	for _, other := range r.links.own(in, keys) {
		r.working.Go(func() { r.merge(in, other, ev.At) })
	}
}

// merge makes one of two interactions, from an instant on. One pair is merged at a
// time: so none waits for another that waits for it.
func (r *Recorder) merge(a, b *interaction, at time.Time) {
	r.merging.Lock()
	defer r.merging.Unlock()
	if b.zero.Before(a.zero) {
		a, b = b, a
	}
	a.do(func() {
		whole := true
		b.do(func() {
			whole = false
			if err := a.absorb(b, at); err != nil {
				a.log.Warn("interactions that share an id are recorded apart", zap.String("other", string(b.id)), zap.Error(err))
			}
			whole = true
		})
		if !whole { // the other was broken off over it
			a.breakOff(at)
		}
	})
}

// errApart says that two interactions are not made one.
var errApart = errors.New("they have nobody in common, are too many, or one is over")

// absorb makes a younger interaction part of this one. Both stand still meanwhile. What
// was recorded of the younger one until then stays a recording of its own.
func (in *interaction) absorb(younger *interaction, at time.Time) error {
	goesOn := func(i *interaction) bool { return i.verdicts != nil && !i.concluded && !i.broken }
	if !goesOn(in) || !goesOn(younger) || len(in.legs)+len(younger.legs) > mostLegs || !slices.ContainsFunc(younger.legs, in.plausible) {
		return errApart
	}
	at = laterOf(at, younger.zero)
	entries, err := younger.resume.entries(younger.secret)
	if err != nil {
		return err
	}
	facts, decisions := in.take(younger.give(at), at, nil)
	absent := in.carryOut(decisions)
	in.enforce(nil)
	in.remember(entry{Absorbed: &absorbed{Recording: string(younger.id), At: at, Entries: entries}, Facts: facts, Decisions: verdictLines(decisions)})
	in.noteMerge(string(younger.id), at, facts, decisions, absent)
	in.tell(at, facts, decisions)
	in.recorder.links.move(younger, in)
	younger.gaveTo(in, at) // last: should the machine fail before, its recording session goes on in one of the two
	return nil
}

// A given is what one interaction gives another.
type given struct {
	subject rules.RecordingID
	zero    time.Time
	verdict *rules.Case
	legs    []*leg
	known   []person
	keys    []map[string]string // of each leg: of each id, the key that its person had
	list    []*stream
	parts   []rules.RecordingID // recordings that become part of the other
	took    took
	heard   *interpreter // nil when whoever is on the call changes nothing
}

// gives is what an interaction has to give.
func (in *interaction) gives() given {
	g := given{
		subject: in.subject, zero: in.zero, verdict: in.verdicts, legs: slices.Clone(in.legs), known: in.known,
		list: slices.Clone(in.streams.list), parts: append(slices.Clone(in.parts), in.id), took: in.asTook(time.Time{}, rules.Names{}), heard: in.interpreter,
	}
	for _, u := range in.users {
		g.parts = append(g.parts, u.id)
	}
	for _, l := range g.legs {
		keys := make(map[string]string)
		for _, d := range l.people.model.Participants() {
			base := l.people.person(d.ID)
			keys[base] = l.key(d.ID)
		}
		g.keys = append(g.keys, keys)
	}
	return g
}

// give ends an interaction at an instant, and gives its recording sessions away. What it
// needs to make its files it keeps as it was.
func (in *interaction) give(at time.Time) given {
	for _, s := range in.streams.list {
		if s.track == nil {
			continue
		}
		in.withhold(s.track.End(in.subject, at))
		for _, u := range in.users {
			in.withhold(s.track.End(u.subject, at))
		}
	}
	g := in.gives()
	frozen := make(map[*leg]*leg)
	for i, l := range in.legs {
		frozen[l] = l.frozen(at)
		in.legs[i] = frozen[l]
	}
	list := make([]*stream, len(g.list))
	for i, s := range g.list {
		one := *s
		one.leg = frozen[s.leg]
		one.end(at.Sub(in.zero))
		list[i] = &one
	}
	in.streams = &streams{recording: in.streams.recording, zero: in.zero, out: in.streams.out, list: list}
	return g
}

// frozen is a recording session as it was up to an instant.
func (l *leg) frozen(at time.Time) *leg {
	p := *l.people
	p.marks, p.docs, p.order, p.oddities = slices.Clone(p.marks), slices.Clone(p.docs), slices.Clone(p.order), slices.Clone(p.oddities)
	p.end(at)
	f := &leg{
		rs: bygone{l.beginning(false)}, people: &p, number: l.number, why: l.why, zero: l.zero, callID: l.callID, src: l.src,
		log: l.log, alias: maps.Clone(l.alias), dates: l.dates, ended: l.ended, reason: l.reason, gone: true,
	}
	if f.ended.IsZero() {
		f.ended, f.reason = at, endMerged
	}
	return f
}

// gaveTo concludes an interaction that is part of another one now.
func (in *interaction) gaveTo(older *interaction, at time.Time) {
	in.concludeInto(older.id, at)
	in.remember(entry{Into: string(older.id), At: at})
	in.decision++
	line := journalLine{At: at.UTC(), Event: lineMerged, Other: string(older.id), Words: "this is another interaction, and the rest is recorded there"}
	if err := in.journal.write(in.decision, line); err != nil {
		in.failed("journal", err)
	}
	in.noteUsers(&journalLine{At: at.UTC(), Event: lineEnded, Reason: string(endMerged)}, nil, nil)
	in.log.Info("interaction is part of another one", zap.String("other", string(older.id)))
}

func (in *interaction) concludeInto(older rules.RecordingID, at time.Time) {
	in.ended, in.reason, in.concluded, in.into = at, endMerged, true, older
	in.verdicts = in.verdicts.Renamed(rules.Names{}) // the other one goes on with it
}

// take makes the recording sessions of another interaction its own, with names by which
// they and people can be told from those that are there, and decides what holds. facts
// are what the interpreter said then in another process; nil to ask it.
func (in *interaction) take(g given, at time.Time, facts []rules.Event) ([]rules.Event, []rules.Decision) {
	names := rules.Names{Streams: make(map[rules.StreamID]rules.StreamID), Parties: make(map[rules.PartyID]rules.PartyID)}
	for _, p := range g.known {
		in.remembered(p.Key, p.AORs)
	}
	for i, l := range g.legs {
		l.alias, l.why = nil, "its interaction was found to be this one"
		l.joins(in)
		in.acquaint(l)
		for base, key := range g.keys[i] {
			if now := l.alias[base]; now != "" {
				names.Parties[rules.PartyID(key)] = rules.PartyID(now)
			}
		}
	}
	shift := g.zero.Sub(in.zero)
	for _, s := range g.list {
		one := s.moved(shift)
		one.number, one.id = len(in.streams.list), streamID(s.leg, s.info)
		names.Streams[s.id] = one.id
		in.streams.list = append(in.streams.list, one)
		if one.track != nil {
			one.track.enter(in.subject, one.id, one.number, shift, in.streams.out)
		}
	}
	in.parts = append(in.parts, g.parts...)
	t := g.took
	t.At, t.Names = at, names
	in.stepped(step{Took: &t})
	if in.interpreter != nil && g.heard != nil {
		in.interpreter.carryOn(g.heard.carriesOn(), names)
		in.interpreter.inactive.adopt(&g.heard.inactive, names)
	}
	decisions := in.verdicts.Merge(g.verdict.Renamed(names), at)
	if in.interpreter != nil {
		ev := &siprec.Event{Kind: siprec.Changed, At: at}
		in.interpreter.hearing(g.legs[0].callID, g.legs[0].source)
		if facts == nil {
			facts = in.interpreter.news(ev, in.told(), in.streams.list)
		} else {
			in.interpreter.recall(ev, in.told(), in.streams.list, facts)
		}
	}
	in.stepped(step{Facts: facts})
	decisions = append(decisions, in.verdicts.Apply(facts...)...)
	return facts, in.sorted(latest(decisions))
}

// latest leaves of the decisions of two steps at one instant the last about each stream
// of each recording: what the second withholds the first may have let through.
func latest(decisions []rules.Decision) (out []rules.Decision) {
	for i, d := range decisions {
		again := slices.ContainsFunc(decisions[i+1:], func(o rules.Decision) bool {
			return o.Verdict != rules.Refused && o.Stream == d.Stream && o.Recording == d.Recording
		})
		if d.Verdict == rules.Refused || !again {
			out = append(out, d)
		}
	}
	return out
}

// moved is a stream in an interaction that began by so much earlier.
func (s *stream) moved(shift time.Duration) *stream {
	one := *s
	one.added, one.removed, one.shift = s.added+shift, s.removed+shift, s.shift+shift
	one.directions = slices.Clone(s.directions)
	for i := range one.directions {
		one.directions[i].FromMS += shift.Milliseconds()
	}
	one.formats = slices.Clone(s.formats)
	for i := range one.formats {
		one.formats[i].From += shift
	}
	return &one
}

// noteMerge writes down that an interaction took another one over.
func (in *interaction) noteMerge(other string, at time.Time, facts []rules.Event, decisions []rules.Decision, absent map[rules.StreamID]time.Time) {
	lines := []journalLine{{At: at.UTC(), Event: lineMerged, Other: other, Words: "it was found to be this interaction: what withholds in one withholds in both"}}
	lines = append(lines, in.factLines(facts)...)
	lines = append(lines, in.decisionLines(decisions, in.subject, absent)...)
	if err := in.journal.write(in.decision, lines...); err != nil {
		in.failed("journal", err)
	}
	in.noteUsers(nil, decisions, absent)
	in.log.Info("interaction takes another one over", zap.String("other", other))
}

// absorbAgain takes an interaction over again that another process did.
func (in *interaction) absorbAgain(e entry) error {
	a := e.Absorbed
	if len(a.Entries) == 0 || a.Entries[0].Begin == nil || in.verdicts == nil {
		return errResumeLog
	}
	was := in.recorder.former(a.Recording, in.folder, a.Entries[0].Begin)
	was.secret, was.sealing = in.secret, in.sealing
	for _, e := range a.Entries {
		if err := was.again(e); err != nil {
			return err
		}
	}
	facts := e.Facts
	if facts == nil {
		facts = []rules.Event{}
	}
	_, decisions := in.take(was.gives(), a.At, facts)
	in.carryOut(decisions)
	in.recalled(a.At, e.Facts, decisions)
	in.lastKnown = laterOf(in.lastKnown, a.At)
	if !slices.EqualFunc(verdictLines(decisions), e.Decisions, verdictLine.equal) {
		return errDecisions
	}
	return nil
}

// intoAgain concludes an interaction again that became part of another one.
func (in *interaction) intoAgain(e entry) {
	in.give(e.At)
	in.concludeInto(rules.RecordingID(e.Into), e.At)
}

// voidParts erases the recordings that are part of an interaction of which nothing may
// be kept, as soon as they are finished.
func (r *Recorder) voidParts(in *interaction) {
	erase := eraseVoid
	if in.verdicts.OnlyWithdrawn() {
		erase = Erase
	}
	for _, id := range in.parts {
		for {
			_, err := erase(r.cfg.Dir, string(id), Erasure{By: "policy " + in.policy.Version(), Reason: reasonVoid, At: r.cfg.Now()})
			if errors.Is(err, store.ErrUnfinished) && wait(r.ctx, firstRetry) {
				continue
			}
			if err != nil {
				in.log.Error("part of a void recording is not erased: erase it", zap.String("part", string(id)), zap.Error(err))
			}
			break
		}
	}
}
