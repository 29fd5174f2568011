package account

import (
	"cmp"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/recorder/store"
)

// draw lays out the lanes: what each sends alone, those who never send, and streams that
// several or nobody is known to send.
func (a *Account) draw() {
	d := drawing{account: a, parts: a.parts()}
	for _, p := range a.parties() {
		d.own(p)
	}
	own := len(d.lanes)
	for _, s := range a.streams() {
		d.shared(s)
	}
	var silent []Lane
	for _, p := range a.parties() {
		if !slices.ContainsFunc(d.lanes, func(l Lane) bool { return l.Party == p.id }) {
			silent = append(silent, d.lane(p, store.File{}))
		}
	}
	for _, l := range slices.Insert(d.lanes, own, silent...) {
		l.Spans = whole(l.Spans, a.LengthMS)
		a.Lanes = append(a.Lanes, l)
	}
}

// streams are those about which something was decided, in the order of their ids.
func (a *Account) streams() []string {
	var out []string
	for _, d := range a.decisions {
		if !slices.Contains(out, d.stream) {
			out = append(out, d.stream)
		}
	}
	return out
}

// A part is a part of a stream and who is known to send it.
type part struct {
	store.Interval
	stream string
	party  string // as in the manifest
}

// parts are what the manifest says of who sent, or, while there is none, what the rules
// were told.
func (a *Account) parts() []part {
	var out []part
	for _, p := range a.evidence.Manifest.Participants {
		for _, s := range p.Sent {
			out = append(out, part{s.Interval, s.Stream, p.ID})
		}
	}
	if a.evidence.Finished {
		return out
	}
	for _, l := range a.facts() {
		f := l.Fact
		if nobody(f.Party) {
			continue
		}
		id := a.id(f.Party)
		open := func(p part) bool { return p.stream == f.Stream && p.party == id && p.ToMS == a.LengthMS }
		switch f.Kind {
		case "stream-sends":
			out = append(out, part{store.Interval{FromMS: a.offset(l.At), ToMS: a.LengthMS}, f.Stream, id})
		case "stream-sends-not":
			if i := slices.IndexFunc(out, open); i >= 0 {
				out[i].ToMS = a.offset(l.At)
			}
		}
	}
	return out
}

// facts are the lines of what the rules were told; of a user recording those of the
// policy recording.
func (a *Account) facts() []Line {
	var out []Line
	for _, lines := range [][]Line{a.evidence.Beside, a.evidence.Journal} {
		for _, l := range lines {
			if l.Event == lineFact && l.Fact != nil {
				out = append(out, l)
			}
		}
	}
	return out
}

// id is what the manifest calls a party of the journal.
func (a *Account) id(key string) string {
	if p, ok := a.people[key]; ok {
		return p.ID
	}
	return key
}

// A party is somebody on the call.
type party struct {
	id   string
	aors []string
	role *store.Role
}

// parties are the participants of the manifest, or those of whom the journal tells who
// sends what.
func (a *Account) parties() []party {
	var out []party
	for _, p := range a.evidence.Manifest.Participants {
		out = append(out, party{p.ID, p.AORs, p.Role})
	}
	if a.evidence.Finished {
		return out
	}
	for _, l := range a.facts() {
		if l.Fact.Who == nil || l.Fact.Party == "" || nobody(l.Fact.Party) {
			continue
		}
		i := slices.IndexFunc(out, func(p party) bool { return p.id == a.id(l.Fact.Party) })
		if i < 0 {
			i = len(out)
			out = append(out, party{id: a.id(l.Fact.Party), aors: a.people[l.Fact.Party].AORs})
		}
		out[i].role = l.Fact.Who
	}
	return out
}

// nobody reports whether a party of the journal stands for a stream of which nothing says
// who sends on it.
func nobody(key string) bool { return strings.HasPrefix(key, "stream ") }

// A drawing is lanes being laid out.
type drawing struct {
	account *Account
	parts   []part
	lanes   []Lane
}

// own lays out what a party sends alone: a lane for each of its files, and for what has
// none the first that is free then.
func (d *drawing) own(p party) {
	first := len(d.lanes)
	for _, stream := range d.account.streams() {
		spans := d.sent(stream, func(senders []string) bool { return len(senders) == 1 && senders[0] == p.id })
		if len(spans) == 0 {
			continue
		}
		file, found := d.account.file(func(f store.File) bool {
			return f.Attribution != store.Mixed && slices.Equal(f.Participants, []string{p.id}) && slices.Contains(f.Streams, stream)
		})
		d.put(first, d.lane(p, file), spans, found)
	}
}

// put adds spans to the lane of the file, or of what has no file to the first lane from
// one on that has nothing then.
func (d *drawing) put(first int, lane Lane, spans []Span, hasFile bool) {
	for i := first; i < len(d.lanes); i++ {
		l := &d.lanes[i]
		same := l.File == lane.File
		if hasFile && same || (!hasFile || l.File == "") && !overlap(l.Spans, spans) {
			if l.File == "" {
				l.File, l.Attribution, l.mapped = lane.File, lane.Attribution, lane.mapped
			}
			l.Spans = append(l.Spans, spans...)
			return
		}
	}
	lane.Spans = spans
	d.lanes = append(d.lanes, lane)
}

// shared lays out what several send on a stream at once, and what nobody is known to
// have sent.
func (d *drawing) shared(stream string) {
	var together []string
	for _, p := range d.parts {
		if p.stream == stream && !slices.Contains(together, p.party) {
			together = append(together, p.party)
		}
	}
	file, _ := d.account.file(func(f store.File) bool { return f.Attribution == store.Mixed && slices.Contains(f.Streams, stream) })
	for _, p := range d.account.parties() {
		if !slices.Contains(together, p.id) {
			continue
		}
		spans := d.sent(stream, func(senders []string) bool { return len(senders) > 1 && slices.Contains(senders, p.id) })
		if len(spans) > 0 {
			lane := d.lane(p, file)
			lane.Attribution, lane.Spans = store.Mixed, spans
			d.lanes = append(d.lanes, lane)
		}
	}
	spans := d.sent(stream, func(senders []string) bool { return len(senders) == 0 })
	if slices.ContainsFunc(spans, func(s Span) bool { return s.State != Away }) {
		file, _ := d.account.file(func(f store.File) bool {
			return f.Attribution == store.Unattributed && slices.Contains(f.Streams, stream)
		})
		d.lanes = append(d.lanes, Lane{
			Title: d.account.streamTitle(stream), File: file.Name, Attribution: store.Unattributed, Spans: spans, mapped: file.Map,
		})
	}
}

func (d *drawing) lane(p party, f store.File) Lane {
	l := Lane{Party: p.id, Title: d.account.title(p.id), AORs: p.aors, File: f.Name, Attribution: f.Attribution, mapped: f.Map}
	if p.role != nil {
		l.Role, l.Evidence = p.role.Role, p.role.Evidence
	}
	return l
}

// file finds a file of the manifest.
func (a *Account) file(fits func(store.File) bool) (store.File, bool) {
	files := a.evidence.Manifest.Files
	if i := slices.IndexFunc(files, fits); i >= 0 {
		return files[i], true
	}
	return store.File{}, false
}

// streamTitle is what to call a stream.
func (a *Account) streamTitle(id string) string {
	for _, s := range a.evidence.Manifest.Streams {
		if s.ID == id && s.Label != "" {
			return "stream " + id + ", label " + s.Label
		}
	}
	return "stream " + id
}

// sent are the spans of a stream while those who send are as asked for.
func (d *drawing) sent(stream string, asked func(senders []string) bool) []Span {
	cuts := []int64{0, d.account.LengthMS}
	for _, p := range d.parts {
		if p.stream == stream {
			cuts = append(cuts, p.FromMS, p.ToMS)
		}
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	all := d.account.spans(stream)
	var out []Span
	for i := range cuts[1:] {
		from, to := cuts[i], cuts[i+1]
		var senders []string
		for _, p := range d.parts {
			if p.stream == stream && p.FromMS <= from && from < p.ToMS && !slices.Contains(senders, p.party) {
				senders = append(senders, p.party)
			}
		}
		if asked(senders) {
			out = append(out, clipped(all, from, to)...)
		}
	}
	return out
}

// clipped is what of spans lies in an interval.
func clipped(all []Span, from, to int64) []Span {
	var out []Span
	for _, s := range all {
		s.FromMS, s.ToMS = max(s.FromMS, from), min(s.ToMS, to)
		if s.FromMS < s.ToMS {
			out = append(out, s)
		}
	}
	return out
}

// overlap reports whether both have something at the same time. Where somebody is away
// there is nothing.
func overlap(a, b []Span) bool {
	return slices.ContainsFunc(a, func(x Span) bool {
		return x.State != Away && slices.ContainsFunc(b, func(y Span) bool {
			return y.State != Away && x.FromMS < y.ToMS && y.FromMS < x.ToMS
		})
	})
}

// whole puts spans in order, fills the holes between them, and joins what is alike. Of
// two at one time, where one is away, the other counts.
func whole(spans []Span, length int64) []Span {
	cuts := []int64{0, length}
	for _, s := range spans {
		cuts = append(cuts, s.FromMS, s.ToMS)
	}
	slices.Sort(cuts)
	cuts = slices.Compact(cuts)
	out := []Span{}
	for i := range cuts[1:] {
		from, to := cuts[i], cuts[i+1]
		if from < 0 || to > length {
			continue
		}
		now := Span{State: Away, decision: -1}
		for _, s := range spans {
			if s.FromMS <= from && from < s.ToMS && (now.decision < 0 || now.State == Away) {
				now = s
			}
		}
		now.FromMS, now.ToMS = from, to
		if n := len(out); n > 0 && out[n-1].same(now) {
			out[n-1].ToMS = to
			continue
		}
		out = append(out, now)
	}
	return out
}

// same reports whether two spans differ in their place alone.
func (s *Span) same(o Span) bool {
	return s.State == o.State && s.Stream == o.Stream && s.decision == o.decision && s.Lack == o.Lack
}

// spans say what became of a stream, in order.
func (a *Account) spans(stream string) []Span {
	var out []Span
	for _, f := range inForce(a.decisions, stream, a.LengthMS) {
		out = append(out, a.became(f)...)
	}
	return out
}

// A forced is a decision with the interval in which it is in force.
type forced struct {
	store.Interval
	decision
	number int
}

// inForce lays decisions about a stream out in time: each holds from its instant on,
// also over what was decided before for later.
func inForce(all []decision, stream string, end int64) []forced {
	var out []forced
	for n, d := range all {
		if d.stream != stream {
			continue
		}
		for len(out) > 0 && out[len(out)-1].FromMS >= d.from {
			out = out[:len(out)-1]
		}
		if len(out) > 0 {
			out[len(out)-1].ToMS = d.from
		}
		out = append(out, forced{store.Interval{FromMS: d.from, ToMS: max(end, d.from)}, d, n})
	}
	return slices.DeleteFunc(out, func(f forced) bool { return f.FromMS >= f.ToMS })
}

// became says what became of a part of a stream in which one decision holds.
func (a *Account) became(f forced) []Span {
	s := Span{Interval: f.Interval, Stream: f.stream, Causes: f.causes, Because: f.because, decision: f.number}
	m := a.stream(f.stream)
	destroyed := a.evidence.Erased != nil
	switch {
	case !f.record && notLive(f.causes):
		s.State = Away
		return []Span{s}
	case !f.record:
		s.State = Withheld
		stuck := []store.Interval{{FromMS: f.from, ToMS: f.absent}}
		if a.evidence.Finished {
			stuck = m.Permitted
		}
		return over([]Span{s}, stuck, func(s *Span) { s.State = Stuck })
	case destroyed:
		s.State = Gone
		return []Span{s}
	case a.evidence.Finished:
		s.State, s.Lack = Missing, "no-permit"
		out := over([]Span{s}, m.Permitted, func(s *Span) { s.State, s.Lack = Kept, "" })
		for _, g := range m.Gaps {
			if g.Cause != string(Withheld) {
				out = over(out, []store.Interval{g.Interval}, func(s *Span) { s.lacks(g.Cause) })
			}
		}
		return a.withDown(out)
	default:
		s.State = Allowed
		out := []Span{s}
		if a.Progress == GoingOn {
			out = over(out, []store.Interval{{FromMS: a.seen, ToMS: a.LengthMS}}, func(s *Span) { s.State = Fresh })
		}
		return a.withDown(out)
	}
}

// lacks says why something that was permitted is not there.
func (s *Span) lacks(cause string) {
	if s.State != Kept {
		return
	}
	s.State, s.Lack = Missing, cause
	if cause == string(Down) {
		s.State, s.Lack = Down, ""
	}
}

// withDown marks the times in which the server was down.
func (a *Account) withDown(spans []Span) []Span {
	for _, i := range a.Interruptions {
		spans = over(spans, []store.Interval{i.Interval}, func(s *Span) { s.State, s.Lack = Down, "" })
	}
	return spans
}

// stream is what the manifest tells of a stream.
func (a *Account) stream(id string) store.Stream {
	all := a.evidence.Manifest.Streams
	if i := slices.IndexFunc(all, func(s store.Stream) bool { return s.ID == id }); i >= 0 {
		return all[i]
	}
	return store.Stream{}
}

// over changes what of spans lies in intervals.
func over(spans []Span, intervals []store.Interval, change func(*Span)) []Span {
	for _, i := range intervals {
		var out []Span
		for _, s := range spans {
			in := clipped([]Span{s}, i.FromMS, i.ToMS)
			if len(in) == 0 {
				out = append(out, s)
				continue
			}
			change(&in[0])
			out = append(append(append(out, clipped([]Span{s}, s.FromMS, i.FromMS)...), in...), clipped([]Span{s}, i.ToMS, s.ToMS)...)
		}
		spans = out
	}
	return slices.SortedStableFunc(slices.Values(spans), func(a, b Span) int { return cmp.Compare(a.FromMS, b.FromMS) })
}

// notLive reports whether a stream is withheld because it, or whoever sends on it, is not
// there.
func notLive(causes []store.Cause) bool {
	return slices.ContainsFunc(causes, func(c store.Cause) bool { return c.Cause == "not-live" })
}
