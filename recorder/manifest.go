package recorder

import (
	"math"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/render"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec/media"
)

// Flags of a manifest: what a person should know before trusting a recording.
const (
	flagNoMetadata  = "no-metadata"          // none ever came
	flagHeaders     = "from-header-fields"   // header fields named the participants, for want of metadata
	flagUnreadable  = "metadata-unreadable"  // some could not be read
	flagUndecodable = "undecodable"          // some audio is in the capture alone
	flagRestless    = "too-many-sources"     // some audio is in the capture alone: SSRCs without end
	flagTorn        = "capture-torn"         // the end of the capture is missing
	flagDisk        = "disk-failed"          // the disk lost packets, documents or journal lines
	flagSource      = "unannounced-source"   // media came from an address that nobody announced
	flagGuessed     = "attribution-guessed"  // who is heard in a file is a guess
	flagFailed      = "server-failed"        // a failure of ours ended it, or cost packets
	flagKeys        = "unauthentic-media"    // SRTP came that none of the agreed keys opens
	flagAccount     = "account-unknown"      // no rule of the policy file says where it belongs
	flagDown        = "server-was-down"      // the server was not there for a part, or at its end
	flagVoid        = "void"                 // all of it was discarded
	flagNothing     = "nothing-was-recorded" // no file
	flagWithdrawn   = "consent-withdrawn"    // to be erased when the legal hold on it is released
	flagAsDecided   = "as-decided"           // its files are what the journal permits: the rules decide otherwise now
	flagCaptureHeld = "capture-held"         // all is in the files, and the capture stays: a legal hold is on it
)

// clock is where the instant of finalising comes from.
type clock func() time.Time

// manifest says what became of a recording.
func (rec *recording) manifest(p plan, res render.Result, at time.Time) store.Manifest {
	m := store.Manifest{
		Recording: string(rec.id), CallID: rec.in.legs[0].callID, Policy: rec.in.policy.Version(), EndReason: string(rec.in.reason), SRC: rec.in.legs[0].src,
		Times: store.Times{
			Invite: rec.in.zero.UTC(), End: rec.in.ended.UTC(), Finalised: at, InviteDate: rec.in.legs[0].dates.invite, EndDate: rec.in.lastLeg().dates.end,
		},
		Timeline:     store.Timeline{OffsetMS: res.Timeline.From.Milliseconds(), DurationMS: (res.Timeline.To - res.Timeline.From).Milliseconds()},
		Streams:      rec.manifestStreams(res),
		Files:        manifestFiles(rec.describe(p), res),
		Metadata:     []store.Document{},
		Participants: []store.Participant{},
		Oddities:     rec.in.allOddities(),
	}
	m.PolicyFile, m.Belonging, m.Void, m.Storage = rec.in.policy.file, rec.in.policy.belongs(), rec.void(), rec.storage()
	if rec.in.interpreter != nil {
		m.Direction, m.DirectionEvidence = rec.in.interpreter.direction.String(), rec.in.interpreter.evidence
		m.Retention = rec.retention()
	}
	if rec.spared {
		m.Retention = &store.Retention{DeleteAt: rec.in.ended.UTC()}
	}
	if p.timeline.from < p.timeline.to {
		m.Times.FirstPermitted = rec.in.zero.Add(p.timeline.from).UTC()
		m.Times.LastPermitted = rec.in.zero.Add(p.timeline.to).UTC()
	}
	if rec.decided != nil {
		m.Policy = rec.decided.policy
	}
	m.Decisions = rec.manifestDecisions()
	m.Of, m.Maker = string(rec.of), string(rec.maker)
	if rec.of == "" { // documents lie with the policy recording
		m.Metadata = rec.in.documents()
	}
	m.Continues = rec.in.continues()
	m.Into, m.Parts = string(rec.in.into), ids(rec.in.parts)
	m.RecordingSessions, m.Tags = rec.in.recordingSessions(), rec.in.tags
	for _, key := range p.people {
		m.Participants = append(m.Participants, rec.manifestParticipant(key, p, m.Files))
	}
	for _, f := range m.Files {
		if f.Attribution == store.Guessed {
			rec.flag(flagGuessed)
		}
	}
	if len(m.Files) == 0 {
		rec.flag(flagNothing)
	}
	m.Digits = rec.manifestDigits(p, res)
	m.Interruptions = rec.interruptions()
	m.Flags = rec.flags
	m.Verdict, m.Reasons = verdict(&m)
	for _, c := range unheard(&m) {
		rec.alarm(c)
	}
	m.Alarms = rec.alarms
	if rec.in.cut != "" {
		m.Reasons = append(m.Reasons, "the recording session could not be resumed: "+rec.in.cut)
	}
	return m
}

func ids(of []rules.RecordingID) (out []string) {
	for _, id := range of {
		out = append(out, string(id))
	}
	return out
}

func (rec *recording) manifestDecisions() []store.Decision {
	out := []store.Decision{}
	if rec.decided != nil {
		return append(out, rec.decided.decisions...)
	}
	for _, d := range rec.decisions {
		out = append(out, rec.manifestDecision(d))
	}
	return out
}

// retention is what the policy says becomes of the recording. Those that users make have
// a period of their own.
func (rec *recording) retention() *store.Retention {
	fateOf := rec.in.policy.Flags().Fate
	if rec.of != "" {
		fateOf = rec.in.policy.Flags().UserFate
	}
	fate := fateOf(rules.Finished{
		Start: rec.in.zero, End: rec.in.ended, Direction: rec.in.interpreter.direction,
		Kept: rec.permitted(), Void: rec.void(),
	})
	if !fate.Kept {
		return nil
	}
	out := &store.Retention{Held: fate.Held, Evaluate: fate.Evaluate}
	if fate.Delete {
		out.DeleteAt = fate.DeleteAt.UTC()
	}
	return out
}

// permitted reports whether audio was permitted at any time.
func (rec *recording) permitted() bool {
	if rec.decided != nil {
		return rec.decided.kept()
	}
	return slices.ContainsFunc(rec.decisions, func(d rules.Decision) bool { return d.Verdict == rules.Record })
}

func (rec *recording) manifestParticipant(key string, p plan, files []store.File) store.Participant {
	out := p.byKey[key]
	if rec.in.interpreter != nil {
		if id, known := rec.in.interpreter.identity[rules.PartyID(key)]; known {
			out.Role = roleOf(id)
		}
	}
	for _, f := range files {
		for _, id := range f.Participants {
			if id == out.ID {
				out.Files = append(out.Files, f.Name)
			}
		}
	}
	for _, v := range p.voices {
		for _, s := range v.senders {
			if s == key {
				out.Sent = append(out.Sent, store.Part{Stream: string(rec.in.streams.list[v.stream].id), Interval: interval(v.span.from, v.span.to)})
			}
		}
	}
	return out
}

func (rec *recording) manifestDecision(d rules.Decision) store.Decision {
	return store.Decision{
		FromMS: d.From.Sub(rec.in.zero).Milliseconds(), From: d.From.UTC(), Stream: string(d.Stream),
		Verdict: d.Verdict.String(), Policy: d.Policy, Because: d.Because, Causes: causes(d.Causes, rec.in.policy.Flags()), Words: d.String(),
	}
}

// manifestFiles are the files that were written, as the manifest tells of them.
func manifestFiles(described []store.File, res render.Result) []store.File {
	out := []store.File{}
	for _, f := range described {
		for _, r := range res.Tracks {
			if r.File != f.Name || !r.Heard {
				continue
			}
			f.Rate, f.Samples, f.SHA256 = r.Rate, r.Samples, r.SHA256
			if r.Rate > 0 {
				f.DurationMS = r.Samples * 1000 / int64(r.Rate)
			}
			f.Map = mapped(r.Map)
			out = append(out, f)
		}
	}
	return out
}

// mapped tells at which place of a file each part of the timeline begins.
func mapped(parts []render.Interval) []store.Mapped {
	var out []store.Mapped
	var at time.Duration
	for _, p := range parts {
		out = append(out, store.Mapped{FileMS: at.Milliseconds(), Interval: interval(p.From, p.To)})
		at += p.To - p.From
	}
	return out
}

// describe tells of the files to be made what is known before.
func (rec *recording) describe(p plan) []store.File {
	out := []store.File{}
	for _, t := range p.takes {
		f := store.File{Name: t.file, Attribution: t.attribution, Participants: []string{}, Streams: []string{}}
		for _, key := range t.participants {
			f.Participants = append(f.Participants, p.byKey[key].ID)
		}
		for _, n := range t.streams {
			f.Streams = append(f.Streams, string(rec.in.streams.list[n].id))
		}
		out = append(out, f)
	}
	return out
}

func (rec *recording) manifestStreams(res render.Result) []store.Stream {
	out := []store.Stream{}
	for _, s := range rec.in.streams.list {
		m := store.Stream{
			ID: string(s.id), Index: s.info.Index, Generation: s.info.Generation, Label: s.info.Label,
			Media: s.info.Media, Recordable: s.track != nil, Directions: s.directions,
			Packets: store.Packets{Strangers: s.counted().Strangers, Unauthentic: s.counted().AuthFailed, Replayed: s.counted().Replayed, Overrun: s.counted().Overrun},
		}
		m.Content, m.SRTP = s.info.Content, s.info.SRTP
		for _, k := range s.sources {
			m.Sources = append(m.Sources, rec.manifestSource(k))
		}
		for _, c := range s.mixed {
			m.Contributors = append(m.Contributors, store.Contributor{CSRC: c.CSRC, Packets: c.Packets, CNAME: c.CNAME, Name: c.Name})
		}
		source := s.counted().Source
		if !source.IsValid() && s.track != nil {
			source = s.track.from() // the port was gone before it could be asked
		}
		if source.IsValid() {
			m.Source = source.String()
		}
		for _, f := range s.formats {
			m.Formats = append(m.Formats, store.Format{
				FromMS: f.From.Milliseconds(), PayloadType: f.PayloadType, Name: f.Name,
				ClockRate: f.ClockRate, Channels: f.Channels, Params: f.Params,
			})
		}
		if s.track != nil {
			n := s.track.count(rec.subject)
			m.Packets.Received, m.Packets.Withheld, m.Packets.Events = n.Received, n.Withheld, n.Events
		}
		for _, sp := range rec.spans(s) {
			m.Permitted = append(m.Permitted, interval(sp.from, sp.to))
		}
		for _, r := range res.Streams {
			if r.ID == s.number {
				addResult(&m, r, rec.manifestDecisions(), rec.interruptions(), func(n int) string { return string(rec.in.streams.list[n].id) })
			}
		}
		out = append(out, m)
	}
	return out
}

func (rec *recording) manifestSource(k media.Source) store.Source {
	return store.Source{
		SSRC: k.SSRC, FromMS: k.At.Sub(rec.in.zero).Milliseconds(), Address: k.Address.String(), Packets: k.Packets,
		CNAME: k.CNAME, Name: k.Name, Bye: k.Bye, Change: string(k.Change),
	}
}

// addResult takes over what was found of a stream in the capture; name gives the ids of
// others.
func addResult(m *store.Stream, r render.StreamResult, decisions []store.Decision, down []store.Interruption, name func(stream int) string) {
	m.Packets.Kept, m.Packets.Lost, m.Packets.Late, m.Packets.Duplicate = r.Received, r.Lost, r.Late, r.Duplicate
	m.Epochs, m.Undecoded, m.Gaps = r.Epochs, r.Undecoded, nil
	for _, g := range r.Gaps {
		gap := store.Gap{Interval: interval(g.From, g.To), Cause: causeOf(g, down)}
		if g.Cause == render.CauseWithheld {
			gap.Withheld = withheldBy(decisions, m.ID, gap.Interval)
		}
		m.Gaps = append(m.Gaps, gap)
	}
	m.DriftPPM, m.Corrections = math.Round(r.Drift*1e7)/10, nil
	for _, c := range r.Corrections {
		m.Corrections = append(m.Corrections, store.Correction{AtMS: c.At.Milliseconds(), ByMS: milliseconds(c.By)})
	}
	m.Reports = senderReports(r.Reports, name)
	m.Quality = quality(m, r)
}

// senderReports tells what the reports of a stream did; name gives the ids of others.
func senderReports(r render.Reports, name func(stream int) string) *store.SenderReports {
	if r.Count == 0 {
		return nil
	}
	out := &store.SenderReports{Count: r.Count, Rate: r.Rate}
	for _, m := range r.Moves {
		out.Moves = append(out.Moves, store.Move{Interval: interval(m.From, m.To), ByMS: milliseconds(m.By), With: name(m.With)})
	}
	for _, i := range r.Ignored {
		told := store.Ignored{Why: i.Why, ByMS: milliseconds(i.By)}
		if i.With >= 0 {
			told.With = name(i.With)
		}
		out.Ignored = append(out.Ignored, told)
	}
	return out
}

// CauseDown is the cause of a gap in which the server was not there.
const CauseDown = "server-down"

func (rec *recording) interruptions() (out []store.Interruption) {
	for _, d := range rec.in.down {
		out = append(out, store.Interruption{Interval: interval(d.from, d.to), Cause: CauseDown})
	}
	return out
}

// causeOf is why there is a gap: what is missing around a time in which the server was
// down is missing for that.
func causeOf(g render.Gap, down []store.Interruption) string {
	missing := g.Cause == render.CauseLost || g.Cause == render.CauseNoPackets || g.Cause == render.CauseLateStart
	from, to := g.From.Milliseconds(), g.To.Milliseconds()
	if missing && slices.ContainsFunc(down, func(d store.Interruption) bool { return from <= d.ToMS && d.FromMS <= to }) {
		return CauseDown
	}
	return g.Cause
}

// withheldBy names the causes for which a stream was withheld in an interval,
// each once.
func withheldBy(decisions []store.Decision, stream string, gap store.Interval) []string {
	var out []string
	add := func(d store.Decision) {
		for _, c := range d.Causes {
			out = appendNew(out, c.Cause)
		}
	}
	var before store.Decision // in force when the gap begins
	for _, d := range decisions {
		if d.Stream != stream {
			continue
		}
		switch {
		case d.FromMS <= gap.FromMS:
			before = d
		case d.FromMS < gap.ToMS:
			add(d)
		}
	}
	add(before)
	return out
}

func interval(from, to time.Duration) store.Interval {
	return store.Interval{FromMS: from.Milliseconds(), ToMS: to.Milliseconds()}
}
