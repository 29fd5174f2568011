package recorder

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/siprec"
)

// A Link is a kind of id by which recording sessions are found to be of one
// interaction. Only ids that an SRC sends on purpose link; who is on the call never
// does by itself.
type Link string

// The links.
const (
	LinkGroup                Link = "group"                 // of communication sessions (RFC 7865 §6.2)
	LinkCommunicationSession Link = "communication-session" // id of one (RFC 7865 §6.3)
	LinkSIPSessionID         Link = "sip-session-id"        // either half (RFC 7865 §6.3.1, RFC 7989 §6)
	LinkUCID                 Link = "ucid"                  // universal call id of vendors
	LinkTrackingID           Link = "tracking-id"           // of vendors, that stays over transfers
	LinkCallID               Link = "call-id"               // other ids of the call that vendors send
)

// Links are all links.
func Links() []Link {
	return []Link{LinkGroup, LinkCommunicationSession, LinkSIPSessionID, LinkUCID, LinkTrackingID, LinkCallID}
}

// UsualLinks are those that are safe with every SRC that follows the standards: all but
// LinkCallID, which some SRCs fill with what two calls of one customer share.
func UsualLinks() []Link { return Links()[:5] }

// leastLink is the length of the shortest id that links: shorter ones are counters,
// which two calls may share.
const leastLink = 8

// mostLegs bounds the recording sessions of one interaction: an id that so many share is
// no id of a call.
const mostLegs = 32

// A linkKey is one id of an interaction. Those of two accounts are never equal.
type linkKey struct {
	account string
	link    Link
	id      string
}

// keysOf are the ids that a recording session tells of the call it records.
func (r *Recorder) keysOf(l *leg, account string, facts []metadata.Fact) (out []linkKey) {
	add := func(link Link, id string) {
		k := linkKey{account, link, id}
		if len(id) >= leastLink && slices.Contains(r.cfg.Links, link) && !slices.Contains(out, k) {
			out = append(out, k)
		}
	}
	view := l.people.current()
	for _, g := range view.Groups {
		if g.Raw != "" {
			add(LinkGroup, string(g.ID))
		}
	}
	for _, cs := range view.CommunicationSessions {
		if cs.Raw != "" {
			add(LinkCommunicationSession, string(cs.ID))
		}
		for _, pair := range cs.SIPSessionIDs {
			for _, half := range halves(pair) {
				add(LinkSIPSessionID, half)
			}
		}
	}
	for _, f := range slices.Concat(l.people.facts(), facts) {
		switch f.Kind {
		case metadata.FactUCID:
			add(LinkUCID, f.Value)
		case metadata.FactTrackingID:
			add(LinkTrackingID, f.Value)
		case metadata.FactCallID, metadata.FactTransferID:
			add(LinkCallID, f.Value)
		}
	}
	return out
}

// halves are the UUIDs of a session identifier (RFC 7989 §5), without that which says
// that one is not known yet.
func halves(pair string) (out []string) {
	for _, part := range strings.FieldsFunc(pair, func(r rune) bool { return r == ';' || r == ',' }) {
		_, value, named := strings.Cut(part, "=")
		if !named {
			value = part
		}
		value = strings.ToLower(strings.ReplaceAll(strings.TrimSpace(value), "-", ""))
		if strings.Trim(value, "0") != "" {
			out = append(out, value)
		}
	}
	return out
}

// links knows which interaction has which ids. It may be used by many goroutines.
type links struct {
	mu     sync.Mutex
	at     map[linkKey]*interaction
	former map[linkKey]*legacy
	order  []*legacy // in which they are forgotten
}

// claim finds the interaction that has one of the ids; without any, they become those
// of a new one, which may continue one that is over.
func (ls *links) claim(keys []linkKey, now time.Time, begin func(left *legacy) (*interaction, error)) (in *interaction, by linkKey, err error) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	ls.forget(now)
	var left *legacy
	for _, k := range keys {
		if in := ls.at[k]; in != nil {
			return in, k, nil
		}
		if left == nil {
			left = ls.former[k]
		}
	}
	if in, err = begin(left); err == nil {
		ls.take(in, keys)
	}
	return in, linkKey{}, err
}

// own gives an interaction more ids, and returns the others that have some of them.
func (ls *links) own(in *interaction, keys []linkKey) (others []*interaction) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, k := range keys {
		if o := ls.at[k]; o != nil && o != in && !slices.Contains(others, o) {
			others = append(others, o)
		}
	}
	ls.take(in, keys)
	return others
}

// take gives those of the ids to an interaction that none has.
func (ls *links) take(in *interaction, keys []linkKey) {
	if ls.at == nil {
		ls.at = make(map[linkKey]*interaction)
	}
	for _, k := range keys {
		if ls.at[k] == nil {
			ls.at[k] = in
			in.keys = append(in.keys, k)
		}
	}
}

// move gives the ids of an interaction to the one that it is part of.
func (ls *links) move(from, to *interaction) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, k := range from.keys {
		ls.at[k] = to
	}
	to.keys, from.keys = append(to.keys, from.keys...), nil
}

// leave forgets an interaction that is over, but for its legacy, if it has one.
func (ls *links) leave(in *interaction, left *legacy) {
	ls.mu.Lock()
	defer ls.mu.Unlock()
	for _, k := range in.keys {
		delete(ls.at, k)
	}
	if left == nil || len(in.keys) == 0 {
		return
	}
	if ls.former == nil {
		ls.former = make(map[linkKey]*legacy)
	}
	left.keys = in.keys
	for _, k := range left.keys {
		ls.former[k] = left
	}
	ls.order = append(ls.order, left)
}

// forget forgets legacies whose time is over.
func (ls *links) forget(now time.Time) {
	for len(ls.order) > 0 && !now.Before(ls.order[0].until) {
		for _, k := range ls.order[0].keys {
			if ls.former[k] == ls.order[0] {
				delete(ls.former, k)
			}
		}
		ls.order = ls.order[1:]
	}
}

// place finds the interaction of a recording session or begins one.
func (r *Recorder) place(l *leg, ev *siprec.Event) error {
	l.peek(ev)
	p := pinned{Policy: r.cfg.Policy}
	if r.cfg.Rulebook != nil {
		p = r.cfg.Rulebook.pin(ev.At, l.traits(ev))
	}
	keys := r.keysOf(l, p.belonging.Account, metadata.HeaderFacts(headerFields(ev.Headers)))
	apart := false
	for {
		began := false
		in, by, err := r.links.claim(keys, r.cfg.Now(), func(left *legacy) (*interaction, error) {
			began = true
			if left == nil || !left.fits(l) {
				return r.found(ev.At, p)
			}
			in, err := r.found(ev.At, left.policy)
			if err == nil {
				in.heir = left
			}
			return in, err
		})
		if err != nil {
			return err
		}
		if began {
			in.apart = apart
			return r.openFor(l, ev, in)
		}
		var took taken
		if !in.do(func() { took = in.admit(l, ev, by) }) {
			continue // it ended meanwhile, and has no ids any more
		}
		switch took {
		case tookIn:
			return nil
		case isOver:
			<-in.over
		case isAnother:
			r.cfg.Log.Warn("recording session has the ids of an interaction with which it has nobody in common: it is recorded apart",
				append(logFields(l.rs), zap.String("other", string(in.id)), zap.String("link", string(by.link)))...)
			keys, apart = nil, true
		}
	}
}

// openFor opens an interaction for its first recording session.
func (r *Recorder) openFor(l *leg, ev *siprec.Event, in *interaction) error {
	in.heard = slices.Clone(in.keys)
	if err := in.open(l, ev.At); err != nil {
		r.links.leave(in, nil)
		in.end()
		return err
	}
	in.start()
	return nil
}

// taken is what becomes of a recording session that has an id of an interaction.
type taken int

const (
	tookIn taken = iota
	isOver
	isAnother
)

// admit makes a recording session one of the interaction, unless the two have nobody in
// common, or the interaction is over.
func (in *interaction) admit(l *leg, ev *siprec.Event, by linkKey) taken {
	switch {
	case in.concluded || in.broken:
		return isOver
	case len(in.legs) >= mostLegs || !in.plausible(l):
		return isAnother
	}
	l.why = fmt.Sprintf("it has the same %s", by.link)
	in.takeIn(l, ev.At)
	return tookIn
}

// plausible reports whether nothing speaks against a recording session being of the
// interaction: they have somebody in common, or one of them does not say who is there.
func (in *interaction) plausible(l *leg) bool {
	addresses := func(l *leg) (out []string) {
		for _, d := range l.people.model.Participants() {
			out = append(out, in.comparable(d.AORs())...)
		}
		return out
	}
	theirs := addresses(l)
	var ours []string
	for _, known := range in.legs {
		ours = append(ours, addresses(known)...)
	}
	return len(theirs) == 0 || len(ours) == 0 || shares(ours, theirs)
}
