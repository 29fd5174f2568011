package recorder

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// A teller tells other systems of one recording. It is fed with what the rules were
// told and decided, and finds what is news. The zero teller has told nothing. It is
// owned by who owns the interaction.
type teller struct {
	causes  map[rules.StreamID][]rules.ActiveCause // of the policy recording, as decided last
	inForce []toldCause
	roles   map[rules.PartyID]rules.Identity
	aliases map[string]string
	users   []toldUser
	over    bool
	watch   watch
	recent  []Notice // of the last minute, while a recording is recalled
}

// A toldCause is a pair that withholds, of one stream where it is about one.
type toldCause struct {
	cause  rules.Cause
	owner  string
	stream rules.StreamID
	since  time.Time
}

func (c toldCause) same(o toldCause) bool {
	return c.cause == o.cause && c.owner == o.owner && c.stream == o.stream
}

// A toldUser is a user recording that began.
type toldUser struct {
	id    string
	maker rules.PartyID
	over  bool
}

// step takes one step of the rules, and returns the notices about it: what begins to
// withhold before what ends.
func (t *teller) step(at time.Time, facts []rules.Event, decisions []rules.Decision, subject rules.RecordingID) []Notice {
	var out []Notice
	for _, f := range facts {
		switch f.Kind {
		case rules.InteractionStarted:
			out = append(out, Notice{At: f.At, Type: NoticeStarted})
		case rules.PartyJoined, rules.PartyDialled:
			t.meet(f.Party, f.Identity)
		case rules.Consulted, rules.ConsultDialled, rules.TransferredBlind:
			t.meet(f.Other, f.Identity)
		case rules.PartyIdentified:
			if t.identify(f.Party, f.Identity) {
				out = append(out, Notice{At: f.At, Type: NoticeRoleChanged, Party: t.alias(string(f.Party)), Role: f.Identity.Role.String()})
			}
		}
	}
	if t.causes == nil {
		t.causes = make(map[rules.StreamID][]rules.ActiveCause)
	}
	for _, d := range decisions {
		if d.Recording == subject && d.Verdict != rules.Refused {
			t.causes[d.Stream] = d.Causes
		}
	}
	return append(out, t.difference(at)...)
}

// meet notes who a party is. That stays as it was said first, when it was invited.
func (t *teller) meet(p rules.PartyID, who rules.Identity) {
	if _, known := t.roles[p]; !known {
		t.identify(p, who)
	}
}

// identify notes who a party is, and reports whether it was taken for another.
func (t *teller) identify(p rules.PartyID, who rules.Identity) (changed bool) {
	if t.roles == nil {
		t.roles = make(map[rules.PartyID]rules.Identity)
	}
	t.alias(string(p))
	before, known := t.roles[p]
	t.roles[p] = who
	return known && (before.Role != who.Role || before.Internal() != who.Internal())
}

// difference tells which pairs are new, and which are gone.
func (t *teller) difference(at time.Time) []Notice {
	now := t.pairs()
	var out []Notice
	for _, c := range now {
		if !slices.ContainsFunc(t.inForce, c.same) {
			n := t.noticeOf(NoticeCauseAdded, c)
			n.At = c.since
			out = append(out, n)
		}
	}
	for _, c := range t.inForce {
		if !slices.ContainsFunc(now, c.same) {
			n := t.noticeOf(NoticeCauseRemoved, c)
			n.At = at
			out = append(out, n)
		}
	}
	t.inForce = now
	return out
}

func (t *teller) noticeOf(kind string, c toldCause) Notice {
	return Notice{Type: kind, Cause: c.cause.String(), Owner: t.owner(c.cause, c.owner), Stream: string(c.stream), Words: c.cause.Words()}
}

// Who says that there is nothing to withhold: the stream, or the interaction, is over.
const (
	ownerStream      = "stream"
	ownerInteraction = "interaction"
)

// pairs are what withholds anything now, each once.
func (t *teller) pairs() []toldCause {
	var out []toldCause
	for _, stream := range slices.Sorted(maps.Keys(t.causes)) {
		for _, a := range t.causes[stream] {
			c := toldCause{cause: a.Cause, owner: a.Owner, since: a.Since}
			if ofOneStream(a) {
				c.stream = stream
			}
			over := a.Cause == rules.NotLive && (a.Owner == ownerStream || a.Owner == ownerInteraction)
			if !over && !slices.ContainsFunc(out, c.same) {
				out = append(out, c)
			}
		}
	}
	// What is void stays so, whatever else withholds now.
	for _, c := range t.inForce {
		if c.cause == rules.Void && !slices.ContainsFunc(out, c.same) {
			out = append(out, c)
		}
	}
	slices.SortStableFunc(out, func(a, b toldCause) int { return a.since.Compare(b.since) })
	return out
}

// legOwner is how the owner of a hold that is about some streams begins.
const legOwner = "leg of "

// ofOneStream reports whether a cause is about some streams and not others.
func ofOneStream(a rules.ActiveCause) bool {
	if a.Cause == rules.Hold {
		return strings.HasPrefix(a.Owner, legOwner)
	}
	return !slices.ContainsFunc(rules.Causes(), func(r rules.CauseRule) bool { return r.Cause == a.Cause && r.Scope == rules.ScopeAll })
}

// owner is the owner of a cause as it may be told.
func (t *teller) owner(cause rules.Cause, owner string) string {
	if cause == rules.IVR || cause == rules.Queue {
		return owner // the name of a flow or queue
	}
	if cause == rules.Secure {
		owner = tokenOf(owner)
	}
	if leg, ok := strings.CutPrefix(owner, legOwner); ok {
		return legOwner + t.alias(leg)
	}
	return t.alias(owner)
}

// alias is what a participant is called to others: its id, and where that is an
// address or a number its place in the order in which they became known.
func (t *teller) alias(id string) string {
	if !names(id) {
		return id
	}
	a, ok := t.aliases[id]
	if !ok {
		if t.aliases == nil {
			t.aliases = make(map[string]string)
		}
		a = fmt.Sprintf("participant-%d", len(t.aliases)+1)
		t.aliases[id] = a
	}
	return a
}

// names reports whether an id is an address or a telephone number.
func names(id string) bool {
	scheme, _, _ := strings.Cut(strings.ToLower(id), ":")
	if strings.Contains(id, "@") || scheme == "sip" || scheme == "sips" || scheme == "tel" {
		return true
	}
	digits := strings.NewReplacer("+", "", "-", "", ".", "", "(", "", ")", "", " ", "").Replace(id)
	return len(digits) > 2 && strings.Trim(digits, "0123456789") == ""
}

// begins tells that a user recording began, once.
func (t *teller) begins(at time.Time, id string, maker rules.PartyID) []Notice {
	if slices.ContainsFunc(t.users, func(u toldUser) bool { return u.id == id }) {
		return nil
	}
	t.users = append(t.users, toldUser{id: id, maker: maker})
	return []Notice{{At: at, Type: NoticeStarted, Recording: id, Party: t.alias(string(maker))}}
}

// reasonUserOver is why a user recording stopped while the call went on.
const reasonUserOver = "user-recording-over"

// ends tells which user recordings are over by what happened.
func (t *teller) ends(facts []rules.Event) []Notice {
	var out []Notice
	for _, f := range facts {
		var gone rules.PartyID
		switch f.Kind {
		case rules.UserRecordingStopped, rules.PartyLeft, rules.Transferred, rules.TransferredBlind, rules.TransferredToQueue:
			gone = f.Party
		case rules.ConsultEnded:
			gone = f.Other
		}
		for i, u := range t.users {
			if gone != "" && u.maker == gone && !u.over {
				t.users[i].over = true
				out = append(out, t.stopped(f.At, u, reasonUserOver))
			}
		}
	}
	return out
}

func (t *teller) stopped(at time.Time, u toldUser, reason string) Notice {
	return Notice{At: at, Type: NoticeStopped, Recording: u.id, Party: t.alias(string(u.maker)), Reason: reason}
}

// tell tells other systems what came of a step of the rules, and raises alarms.
func (in *interaction) tell(at time.Time, facts []rules.Event, decisions []rules.Decision) {
	for _, n := range in.news(at, facts, decisions) {
		in.say(n)
	}
	for _, c := range in.alarmsOf(at, facts, decisions) {
		in.alarm(c)
	}
	in.ring(at)
}

// nextBell tells after what time the next alarm is due for which only time has to pass;
// ring is false for none.
func (in *interaction) nextBell() (after time.Duration, ring bool) {
	if in.verdicts != nil {
		if at, ok := in.verdicts.Until(); ok {
			return at.Sub(in.recorder.cfg.Now()), true
		}
	}
	return 0, false
}

// ring raises the alarms for which only time has to pass, and lifts them: after each
// step, and when the bell says so.
func (in *interaction) ring(at time.Time) {
	in.verdicts.Alarm(at) // it tells of them no more
	for _, c := range in.overdue(at) {
		in.alarm(c)
	}
}

func (in *interaction) news(at time.Time, facts []rules.Event, decisions []rules.Decision) []Notice {
	t := &in.teller
	out := t.step(at, facts, decisions, in.subject)
	out = append(out, t.ends(facts)...)
	for _, u := range in.users {
		i := slices.IndexFunc(decisions, func(d rules.Decision) bool { return d.Recording == u.subject })
		if i >= 0 {
			out = append(out, t.begins(decisions[i].From, string(u.id), u.maker)...)
		}
	}
	return out
}

// retold is how far back notices are told again after a crash: longer than the process
// may have held them before they lay on disk.
const retold = time.Minute

// recalled takes a step of another process, which has told it.
func (in *interaction) recalled(at time.Time, facts []rules.Event, decisions []rules.Decision) {
	t := &in.teller
	t.recent = append(t.recent, in.news(at, facts, decisions)...)
	for _, c := range append(in.alarmsOf(at, facts, decisions), in.overdue(at)...) {
		if in.raised(c) {
			t.recent = append(t.recent, t.alarmNotice(c))
		}
	}
	t.recent = slices.DeleteFunc(t.recent, func(n Notice) bool { return n.At.Before(at.Add(-retold)) })
}

// tellAgain tells again what another process may not have brought to disk before it
// was killed. Who got it knows it by its id, which is made of what it says.
func (in *interaction) tellAgain() {
	for _, n := range in.teller.recent {
		in.say(n)
	}
	in.teller.recent = nil
}

// tellStopped tells that the recording and its user recordings are over, once.
func (in *interaction) tellStopped() {
	t := &in.teller
	if t.over {
		return
	}
	t.over = true
	for _, c := range in.atEnd() { // what one raised another one ends
		in.raised(c)
		in.sound(c)
	}
	for _, u := range t.users {
		if !u.over {
			in.say(t.stopped(in.ended, u, string(in.reason)))
		}
	}
	in.say(Notice{At: in.ended, Type: NoticeStopped, Reason: string(in.reason)})
}

// tellVerdict tells what came of a recording. It returns when that is noted: what tells
// the next process of the recording goes only then.
func (r *Recorder) tellVerdict(m store.Manifest) {
	n := noticeOf(NoticeVerdict, m.Times.Finalised, m)
	n.Verdict, n.Words = m.Verdict.String(), strings.Join(m.Reasons, "; ")
	if m.Void {
		n.Verdict, n.Words = "void", rules.Void.Words()
	}
	r.notify(n)
	r.noted()
}

// tellVerdictAgain tells what came of a recording that another process finished, and may
// not have told.
func (r *Recorder) tellVerdictAgain(id string) {
	if m, err := store.Load(r.cfg.Dir, id); err == nil {
		r.tellVerdict(m)
	}
}

// notice is what is told of a command.
func (done commanded) notice() Notice {
	return Notice{At: done.At, Type: NoticeCommand, Action: string(done.Command.Action), Owner: tokenOf(done.By), Reason: done.Refused}
}

// tokenOf is who commanded without the person that he vouches for: see [Command.By].
func tokenOf(by string) string {
	token, _, _ := strings.Cut(by, " for ")
	return token
}

// say hands a notice on, with what it is about.
func (rec *recording) say(n Notice) {
	in := rec.in
	n.Recording, n.CallID = cmp.Or(n.Recording, string(rec.id)), in.legs[0].callID
	n.Account, n.Trunk = in.policy.belonging.Account, in.policy.belonging.Trunk
	in.recorder.notify(n)
}
