package policy

import (
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// A call is the call of a scenario as its SRC knows it: a recording session of one
// communication session, in which each party has an m-line of its own; further ones
// where the dialect has them.
type call struct {
	scenario scenario.Scenario
	dialect  Dialect
	suite    string // of SRTP; empty for plain RTP
	mixed    bool   // all parties are on one m-line
	ids      *src.IDs
	group    string
	parties  []*party // in the order in which they came
	legs     []*leg
	updates  int // documents that were written
}

// A leg is one recording session of a call.
type leg struct {
	number int // from 1
	cs     src.CommunicationSession
	offers []src.StreamOffer
	news   news
	dialog *src.Dialog // nil before it is opened
	guest  *party      // of a further leg: whom of the others its metadata names
	over   bool

	playing context.Context // of its voices
	stop    context.CancelFunc
}

// news is what changed since the last document, and whether the m-lines did.
type news struct {
	came, gone []*party
	streams    bool // who sends, or hears, what
	offer      bool
}

func newCall(s scenario.Scenario, d Dialect, suite string, ids *src.IDs, at time.Time) *call {
	c := &call{scenario: s, dialect: d, suite: suite, ids: ids, group: ids.ID()}
	c.leg(at)
	return c
}

// leg adds a recording session.
func (c *call) leg(at time.Time) *leg {
	l := &leg{number: len(c.legs) + 1, cs: c.communication(at)}
	c.legs = append(c.legs, l)
	for _, p := range c.parties {
		if p.present && (l.guest == nil || isOwn(l.guest.name) && !isOwn(p.name)) {
			l.guest = p
		}
	}
	return l
}

// communication is a new communication session of the group.
func (c *call) communication(at time.Time) src.CommunicationSession {
	return src.CommunicationSession{
		ID: c.ids.ID(), GroupRef: c.group, Start: at, SIPSessionIDs: []string{c.ids.UUID() + ";remote=" + c.ids.UUID()},
	}
}

// known is a party that came before; nil for one that did not.
func (c *call) known(name string) *party {
	i := slices.IndexFunc(c.parties, func(p *party) bool { return p.name == name })
	if i < 0 {
		return nil
	}
	return c.parties[i]
}

func (c *call) present(name string) bool {
	p := c.known(name)
	return p != nil && p.present
}

// joins has a party come, or come back as who it was.
func (c *call) joins(name string, at time.Time) error {
	p := c.known(name)
	if p == nil {
		l := c.legs[0]
		if c.dialect == Legs && isOwn(name) && l.dialog != nil {
			l = c.leg(at)
		}
		p = &party{
			name: name, number: len(c.parties), aors: []string{aorOf(c.scenario, name)},
			id: c.ids.ID(), stream: c.ids.ID(), leg: l, line: len(l.offers),
		}
		c.parties = append(c.parties, p)
		if c.mixed && p.number > 0 {
			p.stream, p.line = c.parties[0].stream, 0
		} else if err := c.offer(l, name); err != nil {
			return err
		}
	}
	if !p.present {
		p.present, p.muted, p.joined, p.left = true, false, at, time.Time{}
		p.leg.news.came, p.leg.news.streams = append(p.leg.news.came, p), true
	}
	return nil
}

// offer adds the m-line of a party.
func (c *call) offer(l *leg, name string) error {
	o := src.StreamOffer{Label: c.label(l, name), Codecs: []src.Codec{src.PCMU()}, Direction: src.SendOnly}
	if c.suite != "" {
		key, err := c.ids.SRTPKey(c.suite)
		if err != nil {
			return err
		}
		o.Keys = []src.SRTPKey{key}
	}
	l.offers, l.news.offer = append(l.offers, o), true
	return nil
}

// label is that of a new m-line: its number, but with BroadWorks 1 is that of the user
// who is recorded.
func (c *call) label(l *leg, name string) string {
	if c.dialect != BroadWorks {
		return strconv.Itoa(len(l.offers) + 1)
	}
	free := func(label string) bool {
		return !slices.ContainsFunc(l.offers, func(o src.StreamOffer) bool { return o.Label == label })
	}
	n := 2
	if isOwn(name) {
		n = 1
	}
	for !free(strconv.Itoa(n)) {
		n++
	}
	return strconv.Itoa(n)
}

// leaves has a party go. Its m-line stays, and goes on sending.
func (c *call) leaves(name string, at time.Time) {
	if p := c.known(name); p != nil && p.present {
		p.present, p.left, p.talk, p.by = false, at, nil, nil
		p.leg.news.gone, p.leg.news.streams = append(p.leg.news.gone, p), true
		for _, l := range c.legs {
			l.news.streams = l.news.streams || l.guest == p && !l.over
		}
	}
}

// consults begins a communication session of two beside the call.
func (c *call) consults(by, with string, at time.Time) error {
	err := c.joins(with, at)
	if p := c.known(with); err == nil {
		p.by = c.known(by)
		talk := c.communication(at)
		p.talk = &talk
	}
	return err
}

// unites brings whom a party consulted into the main communication session, or all who
// are consulted where by is empty. Their streams are others there.
func (c *call) unites(by string, at time.Time) {
	for _, p := range c.parties {
		if p.talk != nil && p.present && (by == "" || p.by.name == by) {
			p.talk, p.by, p.stream, p.joined = nil, nil, c.ids.ID(), at
			p.leg.news.streams = true
		}
	}
}

// holds mutes or unmutes everybody from outside: nobody hears them any more.
func (c *call) holds(on bool) {
	for _, p := range c.parties {
		if p.present && !isOwn(p.name) {
			p.muted, p.leg.news.streams = on, true
		}
	}
}

// numbered tells a further address of a party.
func (c *call) numbered(name, number string) {
	if p := c.known(name); p != nil && !slices.Contains(p.aors, numberAOR(number)) {
		p.aors = append(p.aors, numberAOR(number))
		p.leg.news.came = append(p.leg.news.came, p)
	}
}

// direct offers the m-line of a party, or of all, with a direction.
func (c *call) direct(name, direction string) {
	for _, p := range c.parties {
		if name == "" || p.name == name {
			p.leg.offers[p.line].Direction, p.leg.news.offer = direction, true
		}
	}
}

// tell takes what is to be sent for the news of a leg: an offer if m-lines changed,
// metadata if anything else did. Both are empty when nothing did.
func (c *call) tell(l *leg) (offers []src.StreamOffer, document []byte) {
	n := l.news
	l.news = news{}
	if n.offer {
		offers = slices.Clone(l.offers)
	}
	if len(n.came)+len(n.gone) > 0 || n.streams {
		c.updates++
		document = c.dialect.write(c, l, n)
	}
	return offers, document
}

// complete is the snapshot of what is (RFC 7866 §9.1).
func (c *call) complete(l *leg) src.Document {
	d := src.Document{Groups: []src.Group{{ID: c.group, Start: c.legs[0].cs.Start}}, CSs: []src.CommunicationSession{l.cs}}
	for _, p := range c.parties {
		if p.present && p.leg == l {
			describe(&d, p)
		}
	}
	d.Associations = c.associations(l)
	if g := l.guest; g != nil && g.present {
		d.Participants = append(d.Participants, src.Participant{ID: g.id, AOR: g.aors[len(g.aors)-1]})
		d.Memberships = append(d.Memberships, src.Membership{Participant: g.id, CS: l.cs.ID, Joined: l.cs.Start})
	}
	return d
}

// partial is what changed (RFC 7865 §5.1.2).
func (c *call) partial(l *leg, n news) src.Document {
	d := src.Document{Partial: true}
	for _, p := range n.came {
		describe(&d, p)
	}
	d.Associations = c.associations(l)
	for _, p := range n.gone {
		if !p.present {
			d.Memberships = append(d.Memberships, src.Membership{Participant: p.id, CS: l.cs.ID, Left: p.left})
			d.Associations = append(d.Associations, src.Association{Participant: p.id})
		}
	}
	return d
}

func describe(d *src.Document, p *party) {
	cs := p.leg.cs.ID
	if p.talk != nil {
		cs, d.CSs = p.talk.ID, append(d.CSs, *p.talk)
		d.Memberships = append(d.Memberships, src.Membership{Participant: p.by.id, CS: cs, Joined: p.joined})
	}
	d.Participants = append(d.Participants, src.Participant{ID: p.id, AOR: p.aors[len(p.aors)-1], Name: ""})
	if !slices.ContainsFunc(d.Streams, func(s src.MediaStream) bool { return s.ID == p.stream }) {
		d.Streams = append(d.Streams, src.MediaStream{ID: p.stream, CS: cs, Label: p.leg.offers[p.line].Label})
	}
	d.Memberships = append(d.Memberships, src.Membership{Participant: p.id, CS: cs, Joined: p.joined})
}

// associations say who sends and who hears what: each hears all others.
func (c *call) associations(l *leg) (out []src.Association) {
	for _, p := range c.parties {
		if !p.present || p.leg != l {
			continue
		}
		a := src.Association{Participant: p.id}
		for _, other := range c.parties {
			switch {
			case !other.present || other.muted || other.leg != l:
			case other != p && other.stream == p.stream: // all are in it
			case other == p:
				a.Send = append(a.Send, p.stream)
			default:
				a.Recv = append(a.Recv, other.stream)
			}
		}
		out = append(out, a)
	}
	return out
}
