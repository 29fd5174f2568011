package metadata

// derive returns what is true in a state, as open spans without instants, each
// key once, in a stable order.
func derive(s *state, hist *history, sdp Binding) []Span {
	d := &deriver{s: s, hist: hist, sdp: sdp, shared: s.sharedStreams(), seen: make(map[spanKey]bool), inAny: make(map[ID]bool), stays: make(map[ID]bool)}
	d.comms()
	d.members()
	d.streams()
	d.sendings()
	return d.out
}

type deriver struct {
	s      *state
	hist   *history
	sdp    Binding
	shared map[ID]bool
	seen   map[spanKey]bool
	stays  map[ID]bool // participants named by a membership, open or not
	inAny  map[ID]bool // participants in a communication session that goes on
	out    []Span
}

func (d *deriver) add(s Span) {
	if s.Kind != Streaming {
		s.Index = -1
	}
	if k := s.key(); !d.seen[k] {
		d.seen[k] = true
		d.out = append(d.out, s)
	}
}

// sessions derives which communication sessions go on, in which groups, and
// whether they are recorded here.
func (d *deriver) comms() {
	for id, cs := range d.s.comms.all {
		if cs.Stop.IsSet() {
			continue // M13
		}
		d.add(Span{Kind: Active, CommunicationSession: id, Begin: cs.Start})
		if cs.Group == "" {
			continue
		}
		if g, known := d.s.groups.get(cs.Group); !g.Disassociate.IsSet() {
			d.add(Span{Kind: Grouped, CommunicationSession: id, Group: cs.Group, Unresolved: !known, Begin: g.Associate})
		}
	}
	for id, a := range d.s.recorded.all {
		if a.Disassociate.IsSet() || d.s.isStopped(id) {
			continue
		}
		_, known := d.s.comms.get(id)
		d.add(Span{Kind: Recorded, CommunicationSession: id, Unresolved: !known, Begin: a.Associate})
	}
}

func (d *deriver) members() {
	for key, m := range d.s.members.all {
		d.stays[key.participant] = true
		if m.Disassociate.IsSet() || d.s.isStopped(key.comm) {
			continue // M11, M13
		}
		d.member(key, m.Associate, false)
	}
	if d.s.members.len() == 0 {
		// Layouts without memberships: who is described is there.
		if comm, ok := d.soleComm(); ok {
			for p := range d.s.parts.all {
				d.member(pair{p, comm}, Time{}, true)
			}
		}
		return
	}
	for p, a := range d.s.media.all {
		// Who sends or receives is there, though no membership says so.
		if _, known := d.s.parts.get(p); known && !d.stays[p] {
			d.memberByMedia(p, a)
		}
	}
}

func (d *deriver) member(key pair, begin Time, guessed bool) {
	_, known := d.s.parts.get(key.participant)
	if key.participant == "" {
		return
	}
	d.inAny[key.participant] = true
	d.add(Span{
		Kind: Member, Participant: key.participant, CommunicationSession: key.comm,
		Guessed: guessed, Unresolved: !known, Begin: begin,
	})
}

// soleComm returns the communication session that is meant when none is
// named: the only one that goes on, or "" when there are several or none was
// ever described. It reports false when all are over.
func (d *deriver) soleComm() (ID, bool) {
	var sole ID
	going := 0
	for id, cs := range d.s.comms.all {
		if !cs.Stop.IsSet() {
			sole = id
			going++
		}
	}
	if going > 1 {
		sole = ""
	}
	return sole, going > 0 || d.s.comms.len() == 0
}

func (d *deriver) memberByMedia(p ID, a StreamAssoc) {
	for _, list := range [...][]ID{a.Send, a.Recv} {
		for _, id := range list {
			st, known := d.s.streams.get(id)
			if known && !d.s.isStopped(st.CommunicationSession) {
				d.member(pair{p, st.CommunicationSession}, Time{}, true)
			}
		}
	}
}

func (d *deriver) streams() {
	for id, st := range d.s.streams.all {
		if d.s.isStopped(st.CommunicationSession) && !d.shared[id] {
			continue // M13
		}
		span := Span{Kind: Streaming, Stream: id, CommunicationSession: st.CommunicationSession, Index: -1}
		if st.bound {
			span.Index, span.Generation, span.Guessed = st.line.index, st.line.generation, st.guessed
		}
		d.add(span)
	}
}

func (d *deriver) sendings() {
	if d.s.media.len() > 0 {
		d.add(Span{Kind: directed})
	}
	for p, a := range d.s.media.all {
		if p == "" || a.Disassociate.IsSet() {
			continue
		}
		_, known := d.s.parts.get(p)
		for _, id := range a.Send {
			st, described := d.s.streams.get(id)
			if !d.takesPart(p, st, described) {
				continue
			}
			d.add(Span{Kind: Sending, Participant: p, Stream: id, Unresolved: !known || !described, Begin: a.Associate})
		}
	}
	d.guess()
}

// takesPart reports whether a participant can be sending a stream. Who left the
// communication session of the stream cannot (M11), nor who is in none; who was
// never said to be in it can (RFC 8068 §3.5).
func (d *deriver) takesPart(p ID, st lined, described bool) bool {
	if !described {
		return d.inAny[p] || !d.stays[p]
	}
	cs := st.CommunicationSession
	if d.s.isStopped(cs) {
		return d.shared[st.ID] && d.inAny[p]
	}
	if m, named := d.s.members.get(pair{p, cs}); named && m.Disassociate.IsSet() {
		return false
	}
	return d.inAny[p] || !d.stays[p]
}

// receivings returns the streams a participant receives now.
func (d *deriver) receivings(p ID) []ID {
	a, _ := d.s.media.get(p)
	if a.Disassociate.IsSet() {
		return nil
	}
	var out []ID
	for _, id := range a.Recv {
		if st, described := d.s.streams.get(id); d.takesPart(p, st, described) {
			out = append(out, id)
		}
	}
	return out
}
