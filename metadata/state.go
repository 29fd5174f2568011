package metadata

import "slices"

// A pair is the key of a membership (M3).
type pair struct{ participant, comm ID }

// A line is an m-line of the recording session: its place in the SDP and the
// generation of that slot.
type line struct{ index, generation int }

// A lined stream is a stream with the m-line it was resolved to (M17).
type lined struct {
	Stream
	line    line
	bound   bool
	guessed bool // by order, not by label
}

// A state is what the documents declare to be true now. Keys are those of M3.
// What it means, who sends and who is in, is derived from it by [derive].
type state struct {
	groups     table[ID, Group]
	comms      table[ID, CommunicationSession]
	parts      table[ID, Participant]
	streams    table[ID, lined]
	recorded   table[ID, RecordingAssoc]
	members    table[pair, Membership]
	media      table[ID, StreamAssoc]
	extensions []Extension
	// provisional: no complete document came yet (M2). What is missing may be
	// missing from the documents only, so that nothing is guessed.
	provisional bool
}

func (s *state) clone() *state {
	return &state{
		groups:     s.groups.clone(),
		comms:      s.comms.clone(),
		parts:      s.parts.clone(),
		streams:    s.streams.clone(),
		recorded:   s.recorded.clone(),
		members:    s.members.clone(),
		media:      s.media.clone(),
		extensions: s.extensions, provisional: s.provisional,
	}
}

// merge folds a document into the state: into an empty one when it is complete
// (M1), into the known one when it is partial. The order matters: who left is
// known before the lists of the same document are laid over it.
func (s *state) merge(d *Document, admit func(Kind, ID) bool) {
	for _, g := range d.Groups {
		if admit(GroupKind, g.ID) {
			old, _ := s.groups.get(g.ID)
			s.groups.put(g.ID, mergeGroup(old, g))
		}
	}
	for _, cs := range d.CommunicationSessions {
		if admit(CommunicationSessionKind, cs.ID) {
			old, _ := s.comms.get(cs.ID)
			s.comms.put(cs.ID, mergeComm(old, cs))
		}
	}
	for _, p := range d.Participants {
		if admit(ParticipantKind, p.ID) {
			old, _ := s.parts.get(p.ID)
			s.parts.put(p.ID, mergeParticipant(old, p))
		}
	}
	for _, st := range d.Streams {
		if admit(StreamKind, st.ID) {
			old, _ := s.streams.get(st.ID)
			old.Stream = mergeStream(old.Stream, st)
			s.streams.put(st.ID, old)
		}
	}
	for _, a := range d.RecordingAssocs {
		old, known := s.recorded.get(a.CommunicationSession)
		s.recorded.put(a.CommunicationSession, mergeRecording(old, a, known))
	}
	s.mergeMembers(d)
	s.endMedia(d)
	for _, a := range d.StreamAssocs {
		old, _ := s.media.get(a.Participant)
		s.media.put(a.Participant, mergeMedia(old, a))
	}
	s.extensions = mergeExtensions(s.extensions, d.Extensions)
}

func mergeGroup(old, sent Group) Group {
	sent.Associate, sent.Disassociate = again(old.Associate, old.Disassociate, sent.Associate, sent.Disassociate)
	sent.Extensions = mergeExtensions(old.Extensions, sent.Extensions)
	return sent
}

// mergeComm overwrites what was sent (M5), keeps what was not (M6), and
// replaces lists as a whole (M7, M8).
func mergeComm(old, sent CommunicationSession) CommunicationSession {
	if len(sent.SIPSessionIDs) == 0 {
		sent.SIPSessionIDs = old.SIPSessionIDs
	}
	if len(sent.Reasons) == 0 {
		sent.Reasons = old.Reasons
	}
	if sent.Group == "" {
		sent.Group = old.Group
	}
	sent.Start, sent.Stop = orTime(sent.Start, old.Start), orTime(sent.Stop, old.Stop)
	sent.Extensions = mergeExtensions(old.Extensions, sent.Extensions)
	return sent
}

func mergeParticipant(old, sent Participant) Participant {
	if len(sent.NameIDs) == 0 {
		sent.NameIDs = old.NameIDs
	}
	sent.Extensions = mergeExtensions(old.Extensions, sent.Extensions)
	return sent
}

func mergeStream(old, sent Stream) Stream {
	if sent.CommunicationSession == "" {
		sent.CommunicationSession = old.CommunicationSession
	}
	if sent.Label == "" {
		sent.Label = old.Label
	}
	if sent.Mode == "" {
		sent.Mode = old.Mode
	}
	sent.Extensions = mergeExtensions(old.Extensions, sent.Extensions)
	return sent
}

func mergeRecording(old, sent RecordingAssoc, known bool) RecordingAssoc {
	if known {
		sent.Associate, sent.Disassociate = again(old.Associate, old.Disassociate, sent.Associate, sent.Disassociate)
	}
	sent.Extensions = mergeExtensions(old.Extensions, sent.Extensions)
	return sent
}

// mergeMedia replaces the lists of a participant as a whole (M9): a list that is
// absent is empty, and an end that is not repeated is undone.
func mergeMedia(old, sent StreamAssoc) StreamAssoc {
	sent.Associate = orTime(sent.Associate, old.Associate)
	sent.Extensions = mergeExtensions(old.Extensions, sent.Extensions)
	return sent
}

func orTime(sent, old Time) Time {
	if sent.IsSet() {
		return sent
	}
	return old
}

// again merges the begin and end of an association. An end alone keeps the begin
// (M6); a begin alone, after an end, opens it again and clears the end (M12,
// M14); neither keeps both.
func again(oldBegin, oldEnd, begin, end Time) (Time, Time) {
	switch {
	case end.IsSet():
		return orTime(begin, oldBegin), end
	case begin.IsSet():
		return begin, Time{}
	}
	return oldBegin, oldEnd
}

func (s *state) mergeMembers(d *Document) {
	for _, m := range d.Memberships {
		key := pair{m.Participant, m.CommunicationSession}
		old, _ := s.members.get(key)
		m.Associate, m.Disassociate = again(old.Associate, old.Disassociate, m.Associate, m.Disassociate)
		if len(m.Params) == 0 {
			m.Params = old.Params
		}
		m.Extensions = mergeExtensions(old.Extensions, m.Extensions)
		s.members.put(key, m)
	}
	leaving := leaversOfAll(d)
	if len(leaving) == 0 {
		return
	}
	for key, m := range s.members.all {
		if end, leaves := leaving[key.participant]; leaves && !m.Disassociate.IsSet() {
			m.Disassociate = end
			s.members.put(key, m)
		}
	}
}

// leaversOfAll returns the participants of disassociations that name, in the
// place of the communication session, the participant itself, as one maker's
// devices send it on transfer: they left every communication session.
func leaversOfAll(d *Document) map[ID]Time {
	var out map[ID]Time
	for _, m := range d.Memberships {
		if m.CommunicationSession == m.Participant && m.Disassociate.IsSet() {
			if out == nil {
				out = make(map[ID]Time)
			}
			out[m.Participant] = m.Disassociate
		}
	}
	return out
}

// endMedia ends what participants who left, or whose communication session
// stopped, sent and received on its streams, though no association says so
// (M11, M13). It does not come back when they return: the SRC states it anew.
func (s *state) endMedia(d *Document) {
	stopped := make(map[ID]bool)
	for _, cs := range d.CommunicationSessions {
		if cs.Stop.IsSet() {
			stopped[cs.ID] = true
		}
	}
	left, stops := make(map[ID]map[ID]bool), make(map[ID]map[ID]bool)
	for _, m := range d.Memberships {
		if m.Disassociate.IsSet() {
			addPair(left, m.Participant, m.CommunicationSession)
		}
	}
	elsewhere := s.membersElsewhere()
	for key := range s.members.all {
		switch {
		case stopped[key.comm] && elsewhere[key.participant]:
			addPair(stops, key.participant, key.comm)
		case stopped[key.comm]:
			addPair(left, key.participant, key.comm)
		}
	}
	if len(left) == 0 && len(stops) == 0 {
		return
	}
	shared, all := s.sharedStreams(), leaversOfAll(d)
	for p, a := range s.media.all {
		if _, leaves := all[p]; leaves {
			s.media.put(p, StreamAssoc{Participant: p, Associate: a.Associate})
			continue
		}
		if left[p] == nil && stops[p] == nil {
			continue
		}
		ended := func(id ID) bool {
			st, known := s.streams.get(id)
			cs := st.CommunicationSession
			return known && (left[p][cs] || stops[p][cs] && !shared[id])
		}
		// Copies: the lists may still be those of an older model.
		a.Send = slices.DeleteFunc(slices.Clone(a.Send), ended)
		a.Recv = slices.DeleteFunc(slices.Clone(a.Recv), ended)
		s.media.put(p, a)
	}
}

func addPair(to map[ID]map[ID]bool, p, comm ID) {
	if to[p] == nil {
		to[p] = make(map[ID]bool)
	}
	to[p][comm] = true
}

// membersElsewhere returns the participants who are in a communication session
// that goes on.
func (s *state) membersElsewhere() map[ID]bool {
	out := make(map[ID]bool)
	for key, m := range s.members.all {
		if !m.Disassociate.IsSet() && !s.isStopped(key.comm) {
			out[key.participant] = true
		}
	}
	return out
}

// isStopped reports whether a communication session is known to be over (M13).
func (s *state) isStopped(id ID) bool {
	cs, known := s.comms.get(id)
	return known && cs.Stop.IsSet()
}

// sharedStreams returns the streams that carry more than the communication
// session they are bound to: somebody sends on them who is only in another one
// that goes on. This is how a mixed stream of several communication sessions
// looks (RFC 8068 §3.5).
func (s *state) sharedStreams() map[ID]bool {
	out := make(map[ID]bool)
	elsewhere := s.membersElsewhere()
	for p, a := range s.media.all {
		if !elsewhere[p] {
			continue
		}
		for _, id := range a.Send {
			st, known := s.streams.get(id)
			if !known || st.CommunicationSession == "" {
				continue
			}
			if _, member := s.members.get(pair{p, st.CommunicationSession}); !member {
				out[id] = true
			}
		}
	}
	return out
}
