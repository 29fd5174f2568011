package main

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// pageWidth is the most columns of a line.
const pageWidth = 100

// A page is text of hanging rows: an indented name and, behind it, words that are
// wrapped in their own column.
type page struct{ b strings.Builder }

func (p *page) line(text string) {
	p.b.WriteString(strings.TrimRight(text, " "))
	p.b.WriteByte('\n')
}

// row writes a name and its text. Text comes from the wire: what is not to be
// seen does not reach the terminal.
func (p *page) row(indent, column int, name, text string) {
	lead := strings.Repeat(" ", indent) + name
	for i, line := range folded(visible(text), pageWidth-column) {
		if i > 0 {
			lead = ""
		}
		line = strings.ReplaceAll(line, string(glue), " ")
		p.line(lead + strings.Repeat(" ", max(column-utf8.RuneCountInString(lead), 1)) + line)
	}
}

// glue is a blank at which no line is broken; it is written as any other.
const glue = '\u00a0'

// folded breaks text at blanks, and words that are too long anywhere.
func folded(text string, width int) []string {
	var lines []string
	line := ""
	for word := range strings.FieldsFuncSeq(text, func(r rune) bool { return unicode.IsSpace(r) && r != glue }) {
		if line != "" && utf8.RuneCountInString(line)+1+utf8.RuneCountInString(word) > width {
			lines, line = append(lines, line), ""
		}
		if runes := []rune(word); line == "" && len(runes) > width {
			for ; len(runes) > width; runes = runes[width:] {
				lines = append(lines, string(runes[:width]))
			}
			word = string(runes)
		}
		line = strings.TrimLeft(line+" "+word, " ")
	}
	if line != "" || len(lines) == 0 {
		lines = append(lines, line)
	}
	return lines
}

func visible(text string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsGraphic(r) {
			return r
		}
		return unicode.ReplacementChar
	}, text)
}

// explainText is an explanation for people.
func explainText(x *explanation) string {
	p := &page{}
	for i := range x.RecordingSessions {
		if i > 0 {
			p.line("")
			p.line("")
		}
		d := &x.RecordingSessions[i]
		title := "Recording session"
		if len(x.RecordingSessions) > 1 {
			title += fmt.Sprintf(" %d of %d", i+1, len(x.RecordingSessions))
		}
		p.row(0, 2, title, orElse(d.CallID, "without Call-ID"))
		for j := range d.Messages {
			p.message(d, &d.Messages[j])
		}
		p.direction(d)
		for j := range d.Participants {
			p.participant(d, &d.Participants[j])
		}
		p.calls(d)
		p.facts(d)
		p.oddities(d)
	}
	return p.b.String()
}

// The columns of what stands below a message, a participant, a heading.
const (
	inner = 5
	value = 17
)

func (p *page) message(d *explainedDialog, m *explainedMessage) {
	p.line("")
	what := "metadata document"
	if m.Start != "" {
		what = orElse(strings.TrimSpace(m.Method+" "+strconv.FormatUint(uint64(m.CSeq), 10)), m.Start)
	}
	if m.Method == "" && m.Start != "" {
		what = m.Start
	}
	p.row(2, inner, strconv.Itoa(m.Number), what+strings.Repeat(string(glue), 3)+m.File)
	if m.Note != "" {
		p.row(inner, value, "note", m.Note)
	}
	if answer := answerText(m); answer != "" {
		p.row(inner, value, "answer", answer)
	}
	for i := range m.Documents {
		p.row(inner, value, "metadata", documentText(&m.Documents[i]))
	}
	if len(m.Parts) > 0 {
		p.row(inner, value, "other parts", strings.Join(m.Parts, ", "))
	}
	texts, moved := d.changeTexts(m)
	for i := range m.Lines {
		if m.Offer || moved {
			p.mline(d, &m.Lines[i])
		}
	}
	for i, text := range texts {
		p.row(inner, value, once(i, "changes"), text)
	}
}

func (p *page) mline(d *explainedDialog, l *explainedLine) {
	p.row(inner, value, "m-line "+strconv.Itoa(l.Line), lineText(l))
	if l.Answer != "refused" {
		p.row(inner, value, "", d.sendersText(l))
	}
}

func answerText(m *explainedMessage) string {
	switch {
	case m.Status == 0:
		return ""
	case m.PlainInvite:
		return "403: nothing says that it is a recording session; 200 to a source listed under plain-invite"
	case m.Status >= 300:
		return fmt.Sprintf("%d: %s", m.Status, m.Warning)
	case m.Evidence != "" && strings.HasPrefix(m.Method, "INVITE"):
		return fmt.Sprintf("%d, a recording session by %s", m.Status, m.Evidence)
	}
	return strconv.Itoa(m.Status)
}

func documentText(doc *explainedDocument) string {
	if doc.Error != "" {
		return "cannot be read, the recording goes on without it: " + doc.Error
	}
	text := fmt.Sprintf("%s, layout %s, %s, %s", doc.Mode, doc.Layout, counted(doc.Participants, "participant"), counted(doc.Streams, "stream"))
	if doc.FromHeaders {
		text = "none; header fields name " + counted(doc.Participants, "participant")
	}
	return text
}

func lineText(l *explainedLine) string {
	text := l.Media
	if l.Label != "" {
		text += ", label " + l.Label
	}
	text += ", " + orElse(l.Offered, "sendrecv") + " answered " + l.Answer
	if l.Why != "" && l.Why != "offered "+l.Offered {
		text += " (" + l.Why + ")"
	}
	if len(l.Codecs) > 0 {
		text += ", " + strings.Join(l.Codecs, " ")
	}
	return text
}

func (d *explainedDialog) sendersText(l *explainedLine) string {
	var from []string
	for _, n := range l.Senders {
		from = append(from, d.name(n))
	}
	text := "from " + strings.Join(from, ", ")
	switch {
	case len(from) == 0 && l.Held:
		text = "from nobody: held, as the metadata says"
	case len(from) == 0:
		text = "from nobody who is known"
	}
	if l.Guessed {
		text += " (guessed)"
	}
	return text
}

// nameWidth is the most columns of a name within a sentence.
const nameWidth = 40

// name is a participant for people: the number and a name or address.
func (d *explainedDialog) name(n int) string {
	for _, p := range d.Participants {
		if p.Number != n {
			continue
		}
		for _, name := range append(slices.Clone(p.Names), p.AORs...) {
			if name = strings.Trim(strings.TrimSpace(name), `"`); name != "" {
				return strconv.Itoa(n) + string(glue) + short(name)
			}
		}
	}
	return "participant " + strconv.Itoa(n)
}

// short is a name or address without scheme and parameters.
func short(name string) string {
	if at := strings.Index(name, "@"); at >= 0 || strings.HasPrefix(name, "tel:") {
		name, _, _ = strings.Cut(name, ";")
	}
	for _, scheme := range []string{"sip:", "sips:", "tel:"} {
		name = strings.TrimPrefix(name, scheme)
	}
	if runes := []rune(name); len(runes) > nameWidth {
		name = string(runes[:nameWidth-1]) + "\u2026"
	}
	return strings.ReplaceAll(name, " ", string(glue))
}

func streamText(label string, line int) string {
	text := "a stream without label"
	if label != "" {
		text = "label " + label
	}
	if line > 0 {
		text += " on m-line " + strconv.Itoa(line)
	}
	return text
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return strconv.Itoa(n) + " " + what + "s"
}

func orElse(s, other string) string {
	if s == "" {
		return other
	}
	return s
}
