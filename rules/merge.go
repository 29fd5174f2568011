package rules

import (
	"cmp"
	"slices"
	"time"
)

// Merge takes over what is known of another interaction that turns out to be the same
// one: two that are live, of which c is the older, or an earlier one that is over, of
// which c is the continuation. It returns the decisions that change at that instant,
// as [Case.Apply] does. The other case is not changed; it is to be applied nothing
// more. What is ended takes nothing over.
//
// The stricter wins: what withholds in one of them withholds in both from then on,
// with its owner and with its earlier beginning, until its own end comes.
//
//   - The policy of c decides to record, and its draw counts; only where c has none yet
//     the draw of the other does, and so does a plan that [PlanNamed] told under the
//     same version of the policy file. What the other decided counts for nothing by
//     itself: c decides by all that was told to either (options, numbers, commands,
//     who is on the call), from that instant on. What c decided is not taken back. The
//     policy of the other, where it differs, withholds too; it decides nothing.
//   - What is void in one is void in both, and so is what was recorded of somebody who
//     is never to be recorded. But that nobody answered to the end of an earlier
//     recording session is no answer: the question stays open.
//   - Consent: a no of either is a no. An answer is missing where somebody asked
//     for it in one of them and did not get it there. Otherwise a yes of either is
//     the caller's.
//   - Pauses, payments, flows, queues, holds, withdrawals, a final stop, orders not to
//     record: of both. A hold without its owner ends as always, when one of the own
//     people is in the main call.
//   - The direction is that of c if it is known; if another one was told of the other,
//     what is for inbound calls applies when either was inbound.
//   - Parties are the same by their id. Who is on one of them is on the call, unless
//     that one is over; who is in a consult in one only counts as being in both
//     bridges. Where two identities differ, that of which less is recorded holds, and
//     agreed has who agreed in both. Who the call is with is who c says; the customer of
//     the other becomes a third party where c has another one.
//   - Streams keep their ids, which have to differ, and their user recordings go on
//     under theirs. The first decisions about them are among those returned. Those
//     of an earlier interaction are over, and nobody of it is on the call any more.
func (c *Case) Merge(other *Case, at time.Time) []Decision {
	if c.ended {
		return nil
	}
	if c.opened.IsZero() {
		c.opened = at
	}
	if other.latest.After(c.latest) {
		c.latest = other.latest // no permit reaches back before what was decided there
	}
	c.mergePolicy(other)
	c.mergeTold(other)
	c.mergeAnswers(other)
	c.mergePauses(other)
	c.mergeParties(other)
	c.consider()
	c.mergeBarred(other)
	if !other.ended {
		c.mergeStreams(other)
		c.mergeUsers(other)
	}
	return c.conclude(nil, at)
}

// mergePolicy takes over a plan that was named, and the policies of the other where
// they are not the own.
func (c *Case) mergePolicy(other *Case) {
	switch same := c.pinned == other.pinned; {
	case same && !c.hasPlan():
		c.adoptPlan(other.planName, other.policy) // which may be the own, and no plan
	case !same || other.planName != "":
		c.withhold(other.policy)
	}
	for _, p := range other.also {
		c.withhold(p)
	}
}

// withhold has another policy withhold too. That streams are mixed it says only of
// those that came with it, each of which knows.
func (c *Case) withhold(p Policy) {
	same := func(q Policy) bool { return q.version == p.version }
	if same(c.policy) || slices.ContainsFunc(c.also, same) {
		return
	}
	p.flags.Mixed = false
	c.also = append(c.also, p)
}

// mergeTold takes over what may decide.
func (c *Case) mergeTold(other *Case) {
	c.inboundToo = c.inboundToo || other.inboundToo || other.direction == DirectionInbound
	if c.direction == DirectionUnknown {
		c.direction = other.direction
	}
	if !c.drawn {
		c.drawn, c.share = other.drawn, other.share
	}
	c.ordered = c.ordered || other.ordered
	c.options = union(c.options, other.options)
	c.numbers = union(c.numbers, other.numbers)
}

// mergeAnswers takes over what was said of consent, and what is for good.
func (c *Case) mergeAnswers(other *Case) {
	switch {
	case c.consent == consentNo || other.consent == consentNo:
		c.consent = consentNo
	case c.unanswered() || other.unanswered():
		c.consent = consentNone
	default:
		c.consent = max(c.consent, other.consent)
	}
	c.asked = c.asked || other.asked
	c.answered = c.answered || other.answered
	c.withdrawn = c.withdrawn || other.withdrawn
	c.forbidden = c.forbidden || other.forbidden
	c.stopped = c.stopped || other.stopped
	c.refused = c.refused || other.refused && !other.lapsed()
	if other.void && !other.lapsed() && (!c.void || other.voidSince.Before(c.voidSince)) {
		c.void, c.voidFlag, c.voidSince = true, other.voidFlag, other.voidSince
	}
}

// unanswered reports whether somebody asked for consent and got no answer.
func (c *Case) unanswered() bool { return c.asked && c.consent == consentNone }

// lapsed reports whether all is void only because nobody had answered at the end.
func (c *Case) lapsed() bool {
	return c.voidFlag == Consent.flag() && c.consent == consentNone
}

// mergePauses takes over what withholds until its own end.
func (c *Case) mergePauses(other *Case) {
	c.manual = c.manual || other.manual
	if other.manualSince.After(c.manualSince) {
		c.manualSince = other.manualSince
	}
	c.foreign.holds, c.foreign.pauses = union(c.foreign.holds, other.foreign.holds), union(c.foreign.pauses, other.foreign.pauses)
	c.secure = union(c.secure, other.secure)
	c.flows = union(c.flows, other.flows)
	c.queues = union(c.queues, other.queues)
	c.pairs = earlier(c.pairs, other.pairs)
	c.alarmed = append(c.alarmed, other.alarmed...)
}

// mergeParties takes over who is on the call, and who holds it.
func (c *Case) mergeParties(other *Case) {
	known := slices.ContainsFunc(c.members, func(m *member) bool { return m.outsider() && m.customer() })
	for _, their := range other.members {
		x := *their
		if other.ended {
			x.leave()
		}
		if m := c.member(x.id); m != nil {
			m.merge(&x)
			continue
		}
		if known && x.outsider() {
			x.identity = x.identity.third()
		}
		c.members = append(c.members, &x)
	}
	for _, m := range c.members {
		m.barred = m.barred || slices.ContainsFunc(m.numbers, c.listed)
	}
	c.sawInternal = c.sawInternal || other.sawInternal
	c.sawOutsider = c.sawOutsider || other.sawOutsider
	if other.legHeld && (!c.legHeld || c.on(c.legBy) == nil) {
		c.legHeld, c.legBy = true, other.legBy
	}
}

// merge takes over what another case knows of the same party.
func (m *member) merge(x *member) {
	if x.strictness() > m.strictness() {
		m.identity = x.identity
	}
	m.agreed = m.agreed && x.agreed
	m.barred = m.barred || x.barred
	m.numbers = union(m.numbers, x.numbers)
	if x.holds {
		m.holds, m.orphan = true, x.orphan && (m.orphan || !m.holds)
	}
	switch here := m.joined || m.dialled; {
	case here && (x.joined || x.dialled):
		m.astride = m.astride || x.astride || m.consult != x.consult
		m.consult = m.consult || x.consult
	case !here:
		m.consult, m.astride = x.consult, x.astride
	}
	m.partner = cmp.Or(m.partner, x.partner)
	m.joined = m.joined || x.joined
	m.dialled = (m.dialled || x.dialled) && !m.joined
}

// third is who a customer is on a call with somebody else.
func (i Identity) third() Identity {
	i.FirstPair = false
	if i.Role == RoleCustomer {
		i.Role = RoleExternal
	}
	return i
}

// strictness orders identities: the higher, the less is recorded.
func (m *member) strictness() int {
	switch {
	case m.internal():
		return 0
	case !m.outsider():
		return 1
	case m.customer():
		return 2
	default:
		return 3
	}
}

// mergeBarred takes over that somebody is never to be recorded. What was recorded of
// him in either is void.
func (c *Case) mergeBarred(other *Case) {
	c.barred = c.barred || other.barred
	if c.barred && (c.decided || other.decided || len(c.users)+len(other.users) > 0) {
		c.discard(DoNotRecord.flag())
	}
}

// mergeStreams takes over the streams, of which nothing is decided here yet.
func (c *Case) mergeStreams(other *Case) {
	for _, s := range other.streams {
		if c.find(s.id) == nil {
			c.streams = append(c.streams, &stream{
				id: s.id, added: s.added, mixed: s.mixed || other.flags.Mixed, senders: slices.Clone(s.senders),
				former: slices.Clone(s.former), sdp: slices.Clone(s.sdp), causes: slices.Clone(s.causes),
			})
		}
	}
}

// mergeUsers takes over the user recordings that go on, with what was decided for
// them.
func (c *Case) mergeUsers(other *Case) {
	for _, u := range other.users {
		known := slices.ContainsFunc(c.users, func(v *userRecording) bool { return v.id == u.id })
		if u.over || known {
			continue
		}
		own := &userRecording{id: u.id, maker: u.maker}
		for _, s := range c.streams {
			l := &ledger{}
			i := slices.IndexFunc(other.streams, func(t *stream) bool { return t.id == s.id })
			if i >= 0 {
				l.last, l.past = u.ledgers[i].last, slices.Clone(u.ledgers[i].past)
			}
			own.ledgers = append(own.ledgers, l)
		}
		c.users = append(c.users, own)
	}
}

// union are the names of both.
func union(names, others []string) []string {
	for _, n := range others {
		names = with(names, n)
	}
	return names
}

// earlier are the causes of both, in the order in which they began.
func earlier(causes, others []ActiveCause) []ActiveCause {
	for _, a := range others {
		i := slices.IndexFunc(causes, func(b ActiveCause) bool { return b.Cause == a.Cause && b.Owner == a.Owner })
		switch {
		case i < 0:
			causes = append(causes, a)
		case a.Since.Before(causes[i].Since):
			causes[i].Since = a.Since
		}
	}
	slices.SortStableFunc(causes, func(a, b ActiveCause) int { return a.Since.Compare(b.Since) })
	return causes
}
