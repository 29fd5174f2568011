package recorder

import (
	"path/filepath"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/internal/vault"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// note writes down what happened and why, before it is answered.
func (in *interaction) note(l *leg, ev *siprec.Event, docs []rawDocument, events []rules.Event, decisions []rules.Decision, absent map[rules.StreamID]time.Time) {
	lines := in.eventLines(l, ev)
	for _, d := range docs {
		if err := vault.WriteFile(filepath.Join(in.folder, d.File), d.body, in.sealing); err != nil {
			in.failed("keep metadata", err)
		}
		lines = append(lines, journalLine{At: ev.At.UTC(), Event: lineMetadata, Leg: l.numbered(), File: d.File, Error: d.Error})
	}
	lines = append(lines, in.factLines(events)...)
	lines = append(lines, in.sourceLines(l)...)
	lines = append(lines, in.decisionLines(decisions, in.subject, absent)...)
	if ev.Kind == siprec.Ended {
		lines = append(lines, journalLine{At: ev.At.UTC(), Event: lineEnded, Leg: l.numbered(), Method: ev.Method, CSeq: ev.CSeq, Reason: string(ev.Reason)})
	}
	if err := in.journal.write(in.decision, lines...); err != nil {
		in.failed("journal", err)
	}
	var over *journalLine
	if in.concluded {
		over = &journalLine{At: ev.At.UTC(), Event: lineEnded, Method: ev.Method, CSeq: ev.CSeq, Reason: string(ev.Reason)}
	}
	in.noteUsers(over, decisions, absent)
	l.log.Info("recording session "+eventName(ev.Kind), in.about(l, ev, len(docs), len(decisions))...)
}

// eventLines are the lines of what happened to a recording session.
func (in *interaction) eventLines(l *leg, ev *siprec.Event) []journalLine {
	at := ev.At.UTC()
	switch ev.Kind {
	case siprec.Offered:
		if l.number > 1 {
			return []journalLine{{At: at, Event: lineJoined, Leg: l.number, CallID: l.callID, Method: ev.Method, CSeq: ev.CSeq, Words: l.why}}
		}
		return []journalLine{{At: at, Event: lineStarted, CallID: l.callID, Policy: in.policy.Version(), PolicyFile: in.policy.file, Belonging: in.policy.belongs(), Method: ev.Method, CSeq: ev.CSeq, Other: in.continues()}}
	case siprec.Resumed:
		since := in.lastKnown.UTC()
		return []journalLine{{At: at, Event: lineResumed, Leg: l.numbered(), Down: &since}}
	case siprec.Changed:
		return []journalLine{{At: at, Event: lineChanged, Leg: l.numbered(), Method: ev.Method, CSeq: ev.CSeq}}
	}
	return nil
}

// numbered is the number by which lines tell it from the first; 0 for that.
func (l *leg) numbered() int {
	if l.number == 1 {
		return 0
	}
	return l.number
}

// factLines are the lines of what the rules were told.
func (in *interaction) factLines(events []rules.Event) (lines []journalLine) {
	if in.interpreter == nil {
		return nil
	}
	for _, e := range events {
		lines = append(lines, eventLine(e))
	}
	return lines
}

// noteConclusion writes down that an interaction is over to which no recording session
// came any more. It becomes durable with the finished files.
func (in *interaction) noteConclusion(events []rules.Event, decisions []rules.Decision) {
	lines := append(in.factLines(events), in.decisionLines(decisions, in.subject, nil)...)
	lines = append(lines, journalLine{At: in.ended.UTC(), Event: lineOver})
	if err := in.journal.append(lines...); err != nil {
		in.failed("journal", err)
	}
	in.noteUsers(&journalLine{At: in.ended.UTC(), Event: lineEnded, Reason: string(in.reason)}, decisions, nil)
}

// decisionLines are the lines of what was decided about a recording. A refused
// command is noted with the policy recording.
func (in *interaction) decisionLines(decisions []rules.Decision, about rules.RecordingID, absent map[rules.StreamID]time.Time) (lines []journalLine) {
	for _, d := range decisions {
		if d.Recording != about {
			continue
		}
		line := decisionLine(d, in.policy.Flags())
		if d.Verdict == rules.Withhold {
			line.Absent = absent[d.Stream]
		}
		lines = append(lines, line)
	}
	return lines
}

// about is what the log says of an event: nothing of whom it is about.
func (in *interaction) about(l *leg, ev *siprec.Event, docs, decisions int) []zap.Field {
	fields := []zap.Field{
		zap.String("method", ev.Method), zap.Uint32("cseq", ev.CSeq), zap.Int("streams", len(ev.Streams)),
		zap.Int("metadata", docs), zap.Int("decisions", decisions),
	}
	if l.number > 1 {
		fields = append(fields, zap.Int("leg", l.number))
	}
	switch ev.Kind {
	case siprec.Offered:
		fields = append(fields, zap.String("evidence", ev.Evidence))
	case siprec.Changed:
		fields = append(fields, zap.Bool("held", l.held))
	case siprec.Ended:
		fields = append(fields, zap.String("reason", string(ev.Reason)))
	}
	return fields
}

func eventName(k siprec.EventKind) string {
	switch k {
	case siprec.Offered:
		return "offered"
	case siprec.Resumed:
		return "resumed"
	case siprec.Changed:
		return "changed"
	case siprec.Ended:
		return "ended"
	default:
		return "unknown"
	}
}
