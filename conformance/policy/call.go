package policy

import (
	"slices"
	"strconv"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/rules/scenario"
)

// A call is the call of a scenario as its SRC knows it: one recording session of one
// communication session, in which each party has an m-line of its own.
type call struct {
	scenario scenario.Scenario
	dialect  Dialect
	suite    string // of SRTP; empty for plain RTP
	mixed    bool   // all parties are on one m-line
	ids      *src.IDs
	group    string
	cs       src.CommunicationSession
	parties  []*party // in the order in which they came
	offers   []src.StreamOffer
	updates  int // documents that were written after the first
	news     news
}

// news is what changed since the last document, and whether the m-lines did.
type news struct {
	came, gone []*party
	streams    bool // who sends, or hears, what
	offer      bool
}

func newCall(s scenario.Scenario, d Dialect, suite string, ids *src.IDs, at time.Time) *call {
	c := &call{scenario: s, dialect: d, suite: suite, ids: ids, group: ids.ID()}
	c.cs = src.CommunicationSession{
		ID: ids.ID(), GroupRef: c.group, Start: at, SIPSessionIDs: []string{ids.UUID() + ";remote=" + ids.UUID()},
	}
	return c
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
		p = &party{
			name: name, number: len(c.parties), aors: []string{aorOf(c.scenario, name)},
			id: c.ids.ID(), stream: c.ids.ID(), line: len(c.offers),
		}
		c.parties = append(c.parties, p)
		if c.mixed && p.number > 0 {
			p.stream, p.line = c.parties[0].stream, 0
		} else if err := c.offer(name); err != nil {
			return err
		}
	}
	if !p.present {
		p.present, p.muted, p.joined, p.left = true, false, at, time.Time{}
		c.news.came, c.news.streams = append(c.news.came, p), true
	}
	return nil
}

// offer adds the m-line of a party.
func (c *call) offer(name string) error {
	o := src.StreamOffer{Label: c.label(name), Codecs: []src.Codec{src.PCMU()}, Direction: src.SendOnly}
	if c.suite != "" {
		key, err := c.ids.SRTPKey(c.suite)
		if err != nil {
			return err
		}
		o.Keys = []src.SRTPKey{key}
	}
	c.offers, c.news.offer = append(c.offers, o), true
	return nil
}

// label is that of a new m-line: its number, but with BroadWorks 1 is that of the user
// who is recorded.
func (c *call) label(name string) string {
	if c.dialect != BroadWorks {
		return strconv.Itoa(len(c.offers) + 1)
	}
	free := func(label string) bool {
		return !slices.ContainsFunc(c.offers, func(o src.StreamOffer) bool { return o.Label == label })
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
		c.news.gone, c.news.streams = append(c.news.gone, p), true
	}
}

// consults begins a communication session of two beside the call.
func (c *call) consults(by, with string, at time.Time) error {
	err := c.joins(with, at)
	if p := c.known(with); err == nil {
		p.by = c.known(by)
		p.talk = &src.CommunicationSession{
			ID: c.ids.ID(), GroupRef: c.group, Start: at, SIPSessionIDs: []string{c.ids.UUID() + ";remote=" + c.ids.UUID()},
		}
	}
	return err
}

// unites brings whom a party consulted into the main communication session, or all who
// are consulted where by is empty. Their streams are others there.
func (c *call) unites(by string, at time.Time) {
	for _, p := range c.parties {
		if p.talk != nil && p.present && (by == "" || p.by.name == by) {
			p.talk, p.by, p.stream, p.joined = nil, nil, c.ids.ID(), at
			c.news.streams = true
		}
	}
}

// holds mutes or unmutes everybody from outside: nobody hears them any more.
func (c *call) holds(on bool) {
	for _, p := range c.parties {
		if p.present && !isOwn(p.name) {
			p.muted, c.news.streams = on, true
		}
	}
}

// numbered tells a further address of a party.
func (c *call) numbered(name, number string) {
	if p := c.known(name); p != nil && !slices.Contains(p.aors, numberAOR(number)) {
		p.aors = append(p.aors, numberAOR(number))
		c.news.came = append(c.news.came, p)
	}
}

// direct offers the m-line of a party, or of all, with a direction.
func (c *call) direct(name, direction string) {
	for _, p := range c.parties {
		if name == "" || p.name == name {
			c.offers[p.line].Direction, c.news.offer = direction, true
		}
	}
}

// tell takes what is to be sent for the news: an offer if m-lines changed, metadata if
// anything else did. Both are empty when nothing did.
func (c *call) tell() (offers []src.StreamOffer, document []byte) {
	n := c.news
	c.news = news{}
	if n.offer {
		offers = make([]src.StreamOffer, len(c.offers))
		copy(offers, c.offers)
	}
	if len(n.came)+len(n.gone) > 0 || n.streams {
		c.updates++
		document = c.dialect.write(c, n)
	}
	return offers, document
}

// complete is the snapshot of what is (RFC 7866 §9.1).
func (c *call) complete() src.Document {
	d := src.Document{Groups: []src.Group{{ID: c.group, Start: c.cs.Start}}, CSs: []src.CommunicationSession{c.cs}}
	for _, p := range c.parties {
		if p.present {
			c.describe(&d, p)
		}
	}
	d.Associations = c.associations()
	return d
}

// partial is what changed (RFC 7865 §5.1.2).
func (c *call) partial(n news) src.Document {
	d := src.Document{Partial: true}
	for _, p := range n.came {
		c.describe(&d, p)
	}
	d.Associations = c.associations()
	for _, p := range n.gone {
		if !p.present {
			d.Memberships = append(d.Memberships, src.Membership{Participant: p.id, CS: c.cs.ID, Left: p.left})
			d.Associations = append(d.Associations, src.Association{Participant: p.id})
		}
	}
	return d
}

func (c *call) describe(d *src.Document, p *party) {
	cs := c.cs.ID
	if p.talk != nil {
		cs, d.CSs = p.talk.ID, append(d.CSs, *p.talk)
		d.Memberships = append(d.Memberships, src.Membership{Participant: p.by.id, CS: cs, Joined: p.joined})
	}
	d.Participants = append(d.Participants, src.Participant{ID: p.id, AOR: p.aors[len(p.aors)-1], Name: ""})
	if !slices.ContainsFunc(d.Streams, func(s src.MediaStream) bool { return s.ID == p.stream }) {
		d.Streams = append(d.Streams, src.MediaStream{ID: p.stream, CS: cs, Label: c.offers[p.line].Label})
	}
	d.Memberships = append(d.Memberships, src.Membership{Participant: p.id, CS: cs, Joined: p.joined})
}

// associations say who sends and who hears what: each hears all others.
func (c *call) associations() (out []src.Association) {
	for _, p := range c.parties {
		if !p.present {
			continue
		}
		a := src.Association{Participant: p.id}
		for _, other := range c.parties {
			switch {
			case !other.present || other.muted:
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
