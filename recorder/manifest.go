package recorder

import (
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
	flagVoid        = "void"                 // all of it was discarded
	flagNothing     = "nothing-was-recorded" // no file
)

// clock is where the instant of finalising comes from.
type clock func() time.Time

// manifest says what became of a recording.
func (in *interaction) manifest(p plan, res render.Result, at time.Time) store.Manifest {
	m := store.Manifest{
		Recording: string(in.id), CallID: in.callID, Policy: in.policy.Version(), EndReason: string(in.reason), SRC: in.src,
		Times: store.Times{
			Invite: in.zero.UTC(), End: in.ended.UTC(), Finalised: at, InviteDate: in.dates.invite, EndDate: in.dates.end,
		},
		Timeline:     store.Timeline{OffsetMS: res.Timeline.From.Milliseconds(), DurationMS: (res.Timeline.To - res.Timeline.From).Milliseconds()},
		Streams:      in.manifestStreams(res),
		Files:        in.manifestFiles(p, res),
		Decisions:    []store.Decision{},
		Metadata:     []store.Document{},
		Participants: []store.Participant{},
		Oddities:     append(in.oddities, in.people.oddities...),
	}
	m.PolicyFile, m.Belonging, m.Void = in.policy.file, in.policy.belongs(), in.void()
	if in.interpreter != nil {
		m.Direction, m.DirectionEvidence = in.interpreter.direction.String(), in.interpreter.evidence
		m.Retention = in.retention()
	}
	if p.timeline.from < p.timeline.to {
		m.Times.FirstPermitted = in.zero.Add(p.timeline.from).UTC()
		m.Times.LastPermitted = in.zero.Add(p.timeline.to).UTC()
	}
	for _, d := range in.decisions {
		m.Decisions = append(m.Decisions, in.manifestDecision(d))
	}
	m.Metadata = append(m.Metadata, in.people.docs...)
	for _, key := range p.people {
		m.Participants = append(m.Participants, in.manifestParticipant(key, p, m.Files))
	}
	for _, f := range m.Files {
		if f.Attribution == store.Guessed {
			in.flag(flagGuessed)
		}
	}
	if len(m.Files) == 0 {
		in.flag(flagNothing)
	}
	m.Flags = in.flags
	return m
}

// retention is what the policy says becomes of the recording.
func (in *interaction) retention() *store.Retention {
	fate := in.policy.Flags().Fate(rules.Finished{
		Start: in.zero, End: in.ended, Direction: in.interpreter.direction,
		Kept: slices.ContainsFunc(in.decisions, func(d rules.Decision) bool { return d.Verdict == rules.Record }), Void: in.void(),
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

func (in *interaction) manifestParticipant(key string, p plan, files []store.File) store.Participant {
	out := p.byKey[key]
	if in.interpreter != nil {
		if id, known := in.interpreter.identity[rules.PartyID(key)]; known {
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
				out.Sent = append(out.Sent, store.Part{Stream: string(in.streams.list[v.stream].id), Interval: interval(v.span.from, v.span.to)})
			}
		}
	}
	return out
}

func (in *interaction) manifestDecision(d rules.Decision) store.Decision {
	return store.Decision{
		FromMS: d.From.Sub(in.zero).Milliseconds(), From: d.From.UTC(), Stream: string(d.Stream),
		Verdict: d.Verdict.String(), Policy: d.Policy, Because: d.Because, Causes: causes(d.Causes, in.policy.Flags()), Words: d.String(),
	}
}

func (in *interaction) manifestFiles(p plan, res render.Result) []store.File {
	out := []store.File{}
	for _, t := range p.takes {
		for _, r := range res.Tracks {
			if r.File != t.file || !r.Heard {
				continue
			}
			f := store.File{
				Name: r.File, Attribution: t.attribution, Participants: []string{}, Streams: []string{},
				Rate: r.Rate, Samples: r.Samples, SHA256: r.SHA256,
			}
			if r.Rate > 0 {
				f.DurationMS = r.Samples * 1000 / int64(r.Rate)
			}
			for _, key := range t.participants {
				f.Participants = append(f.Participants, p.byKey[key].ID)
			}
			for _, n := range t.streams {
				f.Streams = append(f.Streams, string(in.streams.list[n].id))
			}
			out = append(out, f)
		}
	}
	return out
}

func (in *interaction) manifestStreams(res render.Result) []store.Stream {
	out := []store.Stream{}
	for _, s := range in.streams.list {
		m := store.Stream{
			ID: string(s.id), Index: s.info.Index, Generation: s.info.Generation, Label: s.info.Label,
			Media: s.info.Media, Recordable: s.track != nil, Directions: s.directions,
			Packets: store.Packets{Strangers: s.stats.Strangers, Unauthentic: s.stats.AuthFailed, Replayed: s.stats.Replayed},
		}
		m.Content, m.SRTP = s.info.Content, s.info.SRTP
		for _, k := range s.sources {
			m.Sources = append(m.Sources, in.manifestSource(k))
		}
		for _, c := range s.mixed {
			m.Contributors = append(m.Contributors, store.Contributor{CSRC: c.CSRC, Packets: c.Packets, CNAME: c.CNAME, Name: c.Name})
		}
		source := s.stats.Source
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
			n := s.track.count()
			m.Packets.Received, m.Packets.Withheld, m.Packets.Events = n.Received, n.Withheld, n.Events
		}
		for _, sp := range in.spans(s) {
			m.Permitted = append(m.Permitted, interval(sp.from, sp.to))
		}
		for _, r := range res.Streams {
			if r.ID == s.number {
				in.addResult(&m, r)
			}
		}
		out = append(out, m)
	}
	return out
}

func (in *interaction) manifestSource(k media.Source) store.Source {
	return store.Source{
		SSRC: k.SSRC, FromMS: k.At.Sub(in.zero).Milliseconds(), Address: k.Address.String(), Packets: k.Packets,
		CNAME: k.CNAME, Name: k.Name, Bye: k.Bye, Change: string(k.Change),
	}
}

// addResult takes over what was found of a stream in the capture.
func (in *interaction) addResult(m *store.Stream, r render.StreamResult) {
	m.Packets.Kept, m.Packets.Lost, m.Packets.Late, m.Packets.Duplicate = r.Received, r.Lost, r.Late, r.Duplicate
	m.Epochs, m.Undecoded = r.Epochs, r.Undecoded
	for _, g := range r.Gaps {
		gap := store.Gap{Interval: interval(g.From, g.To), Cause: g.Cause}
		if g.Cause == render.CauseWithheld {
			gap.Withheld = in.withheldBy(m.ID, g.Interval)
		}
		m.Gaps = append(m.Gaps, gap)
	}
}

// withheldBy names the causes for which a stream was withheld in an interval,
// each once.
func (in *interaction) withheldBy(stream string, gap render.Interval) []string {
	var out []string
	add := func(d rules.Decision) {
		for _, c := range d.Causes {
			out = appendNew(out, c.Cause.String())
		}
	}
	var before rules.Decision // in force when the gap begins
	for _, d := range in.decisions {
		if string(d.Stream) != stream {
			continue
		}
		switch from := d.From.Sub(in.zero); {
		case from <= gap.From:
			before = d
		case from < gap.To:
			add(d)
		}
	}
	add(before)
	return out
}

func interval(from, to time.Duration) store.Interval {
	return store.Interval{FromMS: from.Milliseconds(), ToMS: to.Milliseconds()}
}
