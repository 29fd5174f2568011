package metadata

// A LabelAt is one m-line of the recording session.
type LabelAt struct {
	Label             string // a=label (RFC 4574); empty when it has none
	Index, Generation int    // as in the SDP; see siprec.Stream
}

// A Binding is the m-lines of the SDP that came in the same message as the
// metadata, in order and without those of port 0. It is nil when the message had
// no SDP; then labels are looked up in the last one (M18).
type Binding []LabelAt

// Oddities of Apply.
const (
	oddLabelNoSDP  = "label in a message without SDP (RFC 7866 §9.1)"
	oddTwoOneLabel = "two streams with one label"
	oddKinds       = "one id for elements of two kinds (RFC 7865 §6.10)"
	oddLeftItself  = "participant disassociated from itself, taken as from everything"
	oddEarly       = "partial document before a complete one (RFC 7866 §9.1)"
)

// A resolver finds the m-lines of streams by their labels.
type resolver struct {
	s       *state
	before  *state
	sameSDP bool            // the message had SDP
	sdp     Binding         // that one, or the last
	byLabel map[string]line // first m-line of each label
	byIndex map[int]line
	fixed   map[ID]int
	live    map[line]bool
	claimed map[line]ID
	sent    map[ID]bool // streams of the document
	odd     func(string)
}

// resolveLines binds streams to m-lines. A stream keeps the m-line it was once
// resolved to while that exists: labels renumbered by a later SDP move nothing
// (M17). A new stream on the m-line of an old one takes its place (M16).
func resolveLines(s, before *state, d *Document, b, last Binding, odd func(string)) {
	r := &resolver{
		s: s, before: before, sameSDP: b != nil, sdp: b, odd: odd,
		byLabel: make(map[string]line), live: make(map[line]bool),
		byIndex: make(map[int]line), fixed: d.fixed,
		claimed: make(map[line]ID), sent: make(map[ID]bool),
	}
	if b == nil {
		r.sdp = last
	}
	for _, l := range r.sdp {
		at := line{l.Index, l.Generation}
		r.live[at] = true
		r.byIndex[l.Index] = at
		if _, twice := r.byLabel[l.Label]; !twice && l.Label != "" {
			r.byLabel[l.Label] = at
		}
	}
	for _, st := range d.Streams {
		if _, ok := s.streams.get(st.ID); ok {
			r.resolveSent(st)
		}
	}
	r.resolveRest()
	r.guess()
}

// resolveSent binds a stream of this document.
func (r *resolver) resolveSent(sent Stream) {
	if r.sent[sent.ID] {
		return
	}
	r.sent[sent.ID] = true
	if sent.Label != "" && !r.sameSDP {
		r.odd(oddLabelNoSDP)
	}
	st, _ := r.s.streams.get(sent.ID)
	old, known := r.before.streams.get(sent.ID)
	kept := known && old.bound && !old.guessed && old.Label == st.Label
	at, found := r.find(st.Stream)
	if kept && (!r.sameSDP || !found && r.live[old.line]) {
		at, found = old.line, true
	}
	st.bound, st.guessed = false, false
	if found {
		if _, taken := r.claimed[at]; taken {
			r.odd(oddTwoOneLabel)
		} else {
			st.line, st.bound = at, true
			r.claimed[at] = sent.ID
		}
	}
	r.s.streams.put(sent.ID, st)
}

// find returns the m-line of a stream: by its label, or by the number that a
// header field gave.
func (r *resolver) find(st Stream) (line, bool) {
	if index, fixed := r.fixed[st.ID]; fixed {
		at, found := r.byIndex[index]
		return at, found
	}
	at, found := r.byLabel[st.Label]
	return at, found
}

// resolveRest goes through the streams that the document does not hold. One
// whose m-line was taken by a new stream is over. One whose m-line is gone
// follows its label into another slot, if no stream is there: a device closed
// and reopened it.
func (r *resolver) resolveRest() {
	evicted := make(map[ID]bool)
	var lost []ID
	for id, st := range r.s.streams.all {
		if r.sent[id] {
			continue
		}
		_, taken := r.claimed[st.line]
		switch {
		case st.bound && taken && !st.guessed:
			evicted[id] = true
		case st.bound && !taken && r.live[st.line]:
			r.claimed[st.line] = id
		default:
			lost = append(lost, id)
		}
	}
	for _, id := range lost {
		st, _ := r.s.streams.get(id)
		st = r.follow(st)
		r.s.streams.put(id, st)
		if st.bound {
			r.claimed[st.line] = id
		}
	}
	r.evict(evicted)
}

// follow looks the label of a stream up again. A stream that was bound by its
// label stays with an m-line that is gone.
func (r *resolver) follow(st lined) lined {
	at, found := r.byLabel[st.Label]
	if _, taken := r.claimed[at]; found && !taken {
		st.line, st.bound, st.guessed = at, true, false
	} else if st.guessed {
		st.bound, st.guessed = false, false
	}
	return st
}

// evict removes streams whose m-line another took, and what was sent on them.
func (r *resolver) evict(gone map[ID]bool) {
	if len(gone) == 0 {
		return
	}
	r.s.streams.drop(gone)
	for p, a := range r.s.media.all {
		a.Send, a.Recv = without(a.Send, gone), without(a.Recv, gone)
		r.s.media.put(p, a)
	}
}

func without(ids []ID, gone map[ID]bool) []ID {
	var out []ID
	for _, id := range ids {
		if !gone[id] {
			out = append(out, id)
		}
	}
	return out
}

// guess pairs streams and m-lines by order when no label matched at all.
func (r *resolver) guess() {
	if r.s.provisional {
		return
	}
	var free []ID
	for id, st := range r.s.streams.all {
		if st.bound && !st.guessed {
			return
		}
		if !st.bound {
			free = append(free, id)
		}
	}
	for _, l := range r.sdp {
		at := line{l.Index, l.Generation}
		if _, taken := r.claimed[at]; taken {
			continue
		}
		if len(free) == 0 {
			return
		}
		st, _ := r.s.streams.get(free[0])
		st.line, st.bound, st.guessed = at, true, true
		r.s.streams.put(free[0], st)
		r.claimed[at], free = free[0], free[1:]
	}
}
