package main

import (
	"fmt"
	"strconv"
	"strings"
)

func (p *page) direction(d *explainedDialog) {
	p.line("")
	p.line("Direction")
	p.row(2, value, d.Direction.Value, orElse(d.Direction.Evidence, "nothing says which"))
	if d.RolesUnknown {
		p.row(2, value, "roles unknown", "nobody of the first pair can be placed inside")
	}
	p.line("")
	p.line("Participants")
	if len(d.Participants) == 0 {
		p.row(2, inner, "", "none is known")
	}
}

func (p *page) participant(d *explainedDialog, who *explainedParticipant) {
	if who.Number > 1 {
		p.line("")
	}
	p.row(2, inner, strconv.Itoa(who.Number), title(who))
	p.row(inner, value, "id", who.ID)
	p.row(inner, value, "role", roleText(who))
	for i, text := range who.Considered {
		p.row(inner, value, once(i, "also"), text)
	}
	if who.SamePersonAs > 0 {
		p.row(inner, value, "same person", "as "+d.name(who.SamePersonAs))
	}
	for i, s := range who.Sends {
		text := streamText(s.Label, s.Line) + ", " + d.during(s.From, s.To)
		if s.Guessed {
			text += " (guessed)"
		}
		p.row(inner, value, once(i, "sends"), text)
	}
	if len(who.Sends) == 0 {
		p.row(inner, value, "sends", "nothing that is known")
	}
	if len(who.Receives) > 0 {
		p.row(inner, value, "receives", "label "+strings.Join(who.Receives, ", "))
	}
	for i, pr := range who.Present {
		text := d.during(pr.From, pr.To)
		if pr.Call > 0 {
			text = "call " + strconv.Itoa(pr.Call) + ", " + text
		}
		p.row(inner, value, once(i, "present"), text)
	}
	for i := range who.Facts {
		f, from, to := &who.Facts[i], 1, 0
		if n := len(who.Present); n > 0 {
			from, to = who.Present[0].From, who.Present[n-1].To
		}
		p.row(inner, value, once(i, "facts"), f.name()+" "+d.factText(f, from, to))
	}
}

func title(who *explainedParticipant) string {
	var words []string
	for _, name := range who.Names {
		if strings.TrimSpace(name) != "" {
			words = append(words, name)
		}
	}
	for _, aor := range who.AORs {
		words = append(words, "<"+aor+">")
	}
	if len(words) == 0 {
		words = append(words, "without name and address")
	}
	if !who.Described {
		return "never described"
	}
	return strings.Join(words, " ")
}

func roleText(who *explainedParticipant) string {
	text := who.Role
	switch who.IdentifiedBy {
	case "", "unknown":
	default:
		text += ", identified by " + who.IdentifiedBy
	}
	if who.Evidence != "" {
		text += ": " + who.Evidence
	}
	return text
}

// once names the first of several rows only.
func once(i int, name string) string {
	if i > 0 {
		return ""
	}
	return name
}

// during says a span in numbers of messages.
func (d *explainedDialog) during(from, to int) string {
	ends := to > 0 && to <= len(d.Messages) && d.Messages[to-1].Method == "BYE"
	switch {
	case from <= 1 && ends:
		return "all the time"
	case ends:
		return fmt.Sprintf("from message %d to the end", from)
	case to > 0:
		return fmt.Sprintf("from message %d until message %d", from, to)
	}
	return fmt.Sprintf("from message %d on", from)
}

// factText is the value of a fact and where it stood. From and to are when all
// that it belongs to was there; only what differs from that is said.
func (d *explainedDialog) factText(f *explainedFact, from, to int) string {
	text := strings.TrimSpace(f.Value + " (" + strings.TrimSpace(f.Dialect+" "+lastSteps(f.Field)) + ")")
	if f.From != from || f.To > 0 && f.To != to {
		text += ", " + d.during(f.From, f.To)
	}
	return text
}

// lastSteps is the end of a path, which is enough to find the element.
func lastSteps(path string) string {
	steps := strings.Split(path, "/")
	return strings.Join(steps[max(len(steps)-2, 0):], "/")
}

func (f *explainedFact) name() string { return strings.ReplaceAll(f.Kind, "-", " ") }

func (p *page) calls(d *explainedDialog) {
	p.line("")
	p.line("Calls (communication sessions)")
	if len(d.Calls) == 0 {
		p.row(2, inner, "", "none is known")
	}
	for i := range d.Calls {
		c := &d.Calls[i]
		text := c.ID + ", " + d.during(c.From, c.To)
		if c.Group > 0 {
			text += ", group " + strconv.Itoa(c.Group)
		}
		p.row(2, inner, strconv.Itoa(c.Number), text)
		for _, id := range c.SIPSessionIDs {
			p.row(inner, value, "Session-ID", id)
		}
		for _, r := range c.Reasons {
			p.row(inner, value, "reason", r)
		}
		if times := strings.TrimSpace(prefixed("start ", c.Start) + prefixed(" stop ", c.Stop)); times != "" {
			p.row(inner, value, "times", times+", as sent")
		}
	}
	for i, g := range d.Groups {
		p.row(2, value, once(i, "groups"), strconv.Itoa(g.Number)+": "+g.ID)
	}
	for i, r := range d.Unresolved {
		p.row(2, value, once(i, "missing"), r+" is referred to and not described")
	}
}

// facts lists what is about no participant, by what it is about.
func (p *page) facts(d *explainedDialog) {
	if len(d.Facts) == 0 {
		return
	}
	p.line("")
	p.line("What the SRC says beyond the standard")
	p.factsAbout(d, "", 1, 0, func(f *explainedFact) bool { return f.Call == 0 && f.Group == 0 })
	for _, c := range d.Calls {
		p.factsAbout(d, "call "+strconv.Itoa(c.Number), c.From, c.To, func(f *explainedFact) bool { return f.Call == c.Number })
	}
	for _, g := range d.Groups {
		p.factsAbout(d, "group "+strconv.Itoa(g.Number), 1, 0, func(f *explainedFact) bool { return f.Group == g.Number })
	}
}

func (p *page) factsAbout(d *explainedDialog, what string, from, to int, about func(*explainedFact) bool) {
	for i := range d.Facts {
		f := &d.Facts[i]
		if !about(f) {
			continue
		}
		if what != "" {
			p.line("  " + what)
			what = ""
		}
		p.row(4, factColumn, f.name(), d.factText(f, from, to))
	}
}

// factColumn leaves room for the longest kind of fact.
const factColumn = 22

func prefixed(prefix, text string) string {
	if text == "" {
		return ""
	}
	return prefix + text
}

// oddities lists what was tolerated, each once with the messages it was in.
func (p *page) oddities(d *explainedDialog) {
	var order []string
	in := make(map[string][]int)
	for _, m := range d.Messages {
		for _, o := range m.Oddities {
			order = appendOnce(order, o)
			in[o] = append(in[o], m.Number)
		}
	}
	p.line("")
	p.line("Oddities tolerated")
	if len(order) == 0 {
		p.row(2, inner, "", "none")
	}
	for _, o := range order {
		p.row(2, value, messagesText(in[o]), o)
	}
}

// messagesText names messages by number, several in a row as a range.
func messagesText(numbers []int) string {
	var ranges []string
	for i := 0; i < len(numbers); {
		j := i
		for j+1 < len(numbers) && numbers[j+1] == numbers[j]+1 {
			j++
		}
		text := strconv.Itoa(numbers[i])
		if j > i {
			text += "-" + strconv.Itoa(numbers[j])
		}
		ranges, i = append(ranges, text), j+1
	}
	if len(numbers) == 1 {
		return "message " + ranges[0]
	}
	return "messages " + strings.Join(ranges, ",")
}
