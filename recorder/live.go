package recorder

import (
	"cmp"
	"slices"
	"sync"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// A liveSet holds the interactions that go on, by the id of the recording. It may be
// used by many goroutines.
type liveSet struct {
	mu sync.Mutex
	by map[rules.RecordingID]*interaction
}

func (s *liveSet) add(in *interaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.by == nil {
		s.by = make(map[rules.RecordingID]*interaction)
	}
	s.by[in.id] = in
}

func (s *liveSet) remove(in *interaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.by, in.id)
}

// all are those that may fit a query, in the order in which they began.
func (s *liveSet) all(q Query) []*interaction {
	s.mu.Lock()
	defer s.mu.Unlock()
	if q.Recording != "" {
		if in := s.by[rules.RecordingID(q.Recording)]; in != nil {
			return []*interaction{in}
		}
		return nil
	}
	out := make([]*interaction, 0, len(s.by))
	for _, in := range s.by {
		out = append(out, in)
	}
	slices.SortFunc(out, func(a, b *interaction) int { return cmp.Compare(a.id, b.id) })
	return out
}

// Find returns the state of each live interaction that fits, the oldest first. A query
// that cannot be meant finds none.
func (r *Recorder) Find(q Query) []State {
	if q.Check() != nil {
		return []State{}
	}
	return fitting(r, q, func(in *interaction) *State { s := in.state(); return &s })
}

// fitting is what the live interactions that fit tell, the oldest first; one that tells
// nil is left out. All are asked at once, so that many that wait for the disk take no
// longer than one, and none waits for another.
func fitting[T any](r *Recorder, q Query, tell func(*interaction) *T) []T {
	all := r.live.all(q)
	told := make([]*T, len(all))
	var asked sync.WaitGroup
	for n, in := range all {
		asked.Go(func() {
			in.do(func() {
				if in.fits(q) {
					told[n] = tell(in)
				}
			})
		})
	}
	asked.Wait()
	out := []T{}
	for _, t := range told {
		if t != nil {
			out = append(out, *t)
		}
	}
	return out
}

// fits reports whether a query means the interaction.
func (in *interaction) fits(q Query) bool {
	if in.verdicts == nil || q.Account != "" && q.Account != in.policy.belonging.Account {
		return false
	}
	if q.CallID != "" && !slices.ContainsFunc(in.legs, func(l *leg) bool { return l.callID == q.CallID }) {
		return false
	}
	if q.Participant != "" && in.partyOf(q.Participant) == "" && !in.isNamed(q.Participant) {
		return false
	}
	if q.Agent != "" && in.agent(q.Agent) == "" && !in.hasFact(q.Agent, metadata.FactAgentID, metadata.FactUserID) {
		return false
	}
	if q.Extension != "" && !in.hasExtension(q.Extension) {
		return false
	}
	if q.Group != "" && !slices.Contains(in.groups(), q.Group) {
		return false
	}
	return q.VendorID == "" || in.hasFact(q.VendorID, vendorIDs()...)
}

func vendorIDs() []metadata.FactKind {
	return []metadata.FactKind{metadata.FactUCID, metadata.FactTrackingID, metadata.FactCallID, metadata.FactTransferID, metadata.FactRecordingID}
}

// allFacts are those of all messages so far.
func (in *interaction) allFacts() []metadata.Fact {
	if in.interpreter == nil {
		return in.told().facts()
	}
	return slices.Concat(in.told().facts(), in.interpreter.headers)
}

func (in *interaction) hasFact(value string, kinds ...metadata.FactKind) bool {
	return slices.ContainsFunc(in.allFacts(), func(f metadata.Fact) bool {
		return f.Value == value && slices.Contains(kinds, f.Kind)
	})
}

// groups are the ids of groups and communication sessions, as they were sent.
func (in *interaction) groups() (out []string) {
	for _, l := range in.legs {
		view := l.people.current()
		for _, g := range view.Groups {
			out = appendNew(out, g.Raw)
		}
		for _, cs := range view.CommunicationSessions {
			out = appendNew(out, cs.Raw)
		}
	}
	return slices.DeleteFunc(out, func(id string) bool { return id == "" })
}

// partyOf finds somebody on the interaction by key, id, address or number, or by the id
// of an agent; empty for nobody.
func (in *interaction) partyOf(ref string) rules.PartyID {
	var found rules.PartyID
	form := in.comparable([]string{ref})
	for _, l := range in.legs {
		for _, d := range l.people.model.Participants() {
			key := rules.PartyID(l.key(d.ID))
			switch {
			case string(key) == ref, d.Raw == ref, slices.Contains(d.AORs(), ref):
				return key
			case found == "" && len(form) > 0 && shares(form, in.comparable(d.AORs())):
				found = key
			}
		}
	}
	for _, p := range in.known {
		if p.Key == ref || found == "" && shares(p.AORs, form) {
			found = rules.PartyID(p.Key)
		}
	}
	return cmp.Or(found, in.agent(ref))
}

// isNamed reports whether somebody on the interaction has that name.
func (in *interaction) isNamed(name string) bool {
	return slices.ContainsFunc(in.legs, func(l *leg) bool {
		return slices.ContainsFunc(l.people.model.Participants(), func(d metadata.Participant) bool {
			return slices.Contains(d.Names(), name)
		})
	})
}

// agent finds one of the own people by the id that the SRC tells of him, or by the user
// part of an address; empty for nobody.
func (in *interaction) agent(id string) rules.PartyID {
	for _, f := range in.allFacts() {
		if (f.Kind == metadata.FactAgentID || f.Kind == metadata.FactUserID) && f.Value == id && f.Of == metadata.ParticipantKind {
			return rules.PartyID(in.told().person(f.About))
		}
	}
	if key := in.insider(func(user, _ string) bool { return user == id }); key != "" {
		return key
	}
	return ""
}

func (in *interaction) hasExtension(extension string) bool {
	return in.insider(func(user, number string) bool { return user == extension || number == extension }) != ""
}

// insider finds one of the own people by an address.
func (in *interaction) insider(is func(user, number string) bool) rules.PartyID {
	if in.interpreter == nil {
		return ""
	}
	for _, l := range in.legs {
		for _, d := range l.people.model.Participants() {
			key := rules.PartyID(l.key(d.ID))
			if !in.interpreter.identity[key].Internal() {
				continue
			}
			for _, aor := range d.AORs() {
				if a := in.policy.numbering.Address(aor); is(a.User, a.Number) {
					return key
				}
			}
		}
	}
	return ""
}

// state is what holds now.
func (in *interaction) state() State {
	s := State{
		Recording: string(in.id), Account: in.policy.belonging.Account, Trunk: in.policy.belonging.Trunk, Plan: in.policy.belonging.Plan,
		CallIDs: []string{}, Groups: in.groups(), Begun: in.zero.UTC(), Direction: in.verdicts.Direction().String(),
		Policy: in.policy.Version(), PolicyFile: in.policy.file, ConsentStep: in.policy.Flags().Consent == rules.ConsentAsk,
		Void: in.verdicts.Void(), Ended: in.concluded || !in.goesOn(), Parties: in.partyStates(), Streams: []StreamState{}, Causes: []store.Cause{}, Tags: in.tags,
	}
	for _, l := range in.legs {
		s.CallIDs = append(s.CallIDs, l.callID)
	}
	for _, f := range in.allFacts() {
		if slices.Contains(vendorIDs(), f.Kind) {
			s.VendorIDs = appendNew(s.VendorIDs, f.Value)
		}
	}
	for _, st := range in.streams.list {
		if !st.live || st.track == nil {
			continue
		}
		one := in.streamState(st)
		s.Kept = s.Kept || one.Verdict == rules.Record.String()
		for _, c := range one.Causes {
			if !slices.Contains(s.Causes, c) {
				s.Causes = append(s.Causes, c)
			}
		}
		s.Streams = append(s.Streams, one)
	}
	for _, u := range in.users {
		if in.runs(u) {
			s.UserRecordings = append(s.UserRecordings, UserRecordingState{Recording: string(u.id), Maker: string(u.maker)})
		}
	}
	return s
}

// runs reports whether a user recording is not over.
func (in *interaction) runs(u *recording) bool {
	last := make(map[rules.StreamID]rules.Decision)
	for _, d := range u.decisions {
		last[d.Stream] = d
	}
	for _, d := range last {
		if !slices.ContainsFunc(d.Causes, func(a rules.ActiveCause) bool { return a.Owner == string(u.subject) }) {
			return true
		}
	}
	return false
}

func (in *interaction) streamState(s *stream) StreamState {
	d := in.verdicts.Decision(s.id)
	out := StreamState{ID: string(s.id), Label: s.info.Label, Verdict: d.Verdict.String(), Causes: causes(d.Causes, in.policy.Flags())}
	if in.interpreter != nil {
		for _, p := range in.interpreter.senders[s.id] {
			out.Parties = append(out.Parties, in.sentID(p))
		}
	}
	return out
}

// sentID is the id of a party as it was sent, by which answers call it.
func (in *interaction) sentID(p rules.PartyID) string {
	for _, l := range in.legs {
		for _, d := range l.people.model.Participants() {
			if l.key(d.ID) == string(p) && d.Raw != "" {
				return d.Raw
			}
		}
	}
	return string(p)
}

func (in *interaction) partyStates() []PartyState {
	out := []PartyState{}
	keys, byKey := in.everybody(nil)
	known := in.verdicts.Parties()
	for _, p := range known { // of some only a command told
		keys = appendNew(keys, string(p.Party))
	}
	for _, key := range keys {
		p := PartyState{ID: cmp.Or(byKey[key].ID, key), AORs: byKey[key].AORs, Names: byKey[key].Names}
		if i := slices.IndexFunc(known, func(k rules.PartyState) bool { return string(k.Party) == key }); i >= 0 {
			p.Role, p.Present, p.Consult = roleOf(known[i].Identity), known[i].Present, known[i].Consult
		}
		out = append(out, p)
	}
	return out
}
