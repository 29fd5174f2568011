package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/account"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
)

// picture is an interaction as a person sees it: what it is, a lane for each participant
// over time with the numbers of events above, what the signs mean, and the events.
func picture(a *account.Account, s style) string {
	var b strings.Builder
	b.WriteString(heading(a, s))
	c := chart{account: a, style: s, signs: signs(s.ascii)}
	b.WriteString("\n" + c.draw())
	if len(a.Events) > 0 {
		b.WriteString("\n")
	}
	clock := 0
	for _, e := range a.Events {
		clock = max(clock, len(account.Clock(e.AtMS)))
	}
	for _, e := range a.Events {
		b.WriteString(eventText(e, clock, s))
	}
	b.WriteString(digitsText(a, clock, s))
	for i, r := range a.Remarks {
		if i == 0 {
			b.WriteString("\n")
		}
		b.WriteString(wrapped("note: "+r, "", "  ", s.width))
	}
	return b.String()
}

// heading says which recording it is and under which policy.
func heading(a *account.Account, s style) string {
	var b strings.Builder
	line := func(words string) { b.WriteString(wrapped(words, "", "  ", s.width)) }
	what := "recording"
	if a.Of != "" {
		what = "user recording"
	}
	b.WriteString(s.strong(graphic(what+" "+a.Recording)) + "\n")
	state := map[account.Progress]string{
		account.Finished: "finished", account.GoingOn: "not finished", account.Ended: "ended, its files are not made yet",
		account.Erased: "erased", account.Void: "void: all of it was discarded",
	}[a.Progress]
	if a.Progress == account.Finished {
		state += ", verdict " + a.Verdict.String()
	}
	line(state)
	for _, r := range a.Reasons {
		line("  " + r)
	}
	began := fmt.Sprintf("began %s, %s long", moment(a.Begun), account.Clock(a.LengthMS))
	if a.Progress == account.GoingOn {
		began = fmt.Sprintf("began %s, told up to %s", moment(a.Begun), account.Clock(a.LengthMS))
	} else if a.EndReason != "" {
		began += ", ended by " + a.EndReason
	}
	line(began)
	for _, l := range a.Legs {
		line(fmt.Sprintf("recording session %d from %s to %s, Call-ID %s, ended by %s%s", l.Number, account.Clock(l.FromMS), account.Clock(l.ToMS), l.CallID, l.EndReason, inBrackets(l.Why)))
	}
	if a.Direction != "" && a.Direction != "unknown" {
		line("direction " + a.Direction + inBrackets(a.Evidence))
	}
	if a.PolicyFile != "" {
		line("policy " + a.PolicyFile)
		if a.Belonging != nil {
			line(account.Belongs(a.Belonging))
		}
	} else if a.Policy != "" {
		line("policy " + a.Policy + ", without a policy file")
	}
	for _, name := range slices.Sorted(maps.Keys(a.Tags)) {
		line("tag " + name + ": " + a.Tags[name])
	}
	if a.Of != "" {
		line("made by one on the call, beside recording " + a.Of)
	}
	return b.String()
}

func inBrackets(words string) string {
	if words == "" {
		return ""
	}
	return " (" + words + ")"
}

// digitsText is a line for each digit that was kept, below the events.
func digitsText(a *account.Account, clock int, s style) string {
	var b strings.Builder
	for i, d := range a.Digits {
		if i == 0 {
			b.WriteString("\ndigits:\n")
		}
		head := fmt.Sprintf("     %*s  ", clock, account.Clock(d.AtMS))
		words := fmt.Sprintf("%s, pressed for %d ms by %s", d.Digit, d.DurationMS, d.Who)
		b.WriteString(wrapped(words, head, strings.Repeat(" ", len(head)+2), s.width))
	}
	return b.String()
}

// eventText is an event with its number and when it was, in so many columns.
func eventText(e account.Event, clock int, s style) string {
	head := fmt.Sprintf("%3d  %*s  ", e.Number, clock, account.Clock(e.AtMS))
	var b strings.Builder
	for i, w := range e.Words {
		first := strings.Repeat(" ", len(head))
		if i == 0 {
			first = head
		}
		b.WriteString(wrapped(w, first, strings.Repeat(" ", len(head)+2), s.width))
	}
	return b.String()
}

// A chart is the part of a picture with the lanes.
type chart struct {
	account *account.Account
	style   style
	signs   map[account.State]rune
	cells   int
	label   int // columns of the names
	used    []rune
	causes  map[rune]store.Cause // by letter
}

// signs are what the states look like; a cause has a letter.
func signs(ascii bool) map[account.State]rune {
	if ascii {
		return map[account.State]rune{
			account.Kept: '#', account.Allowed: '#', account.Fresh: '?', account.Missing: '_', account.Down: '!',
			account.Gone: '-', account.Stuck: '@', account.Away: '.', partly: '=',
		}
	}
	return map[account.State]rune{
		account.Kept: '█', account.Allowed: '█', account.Fresh: '?', account.Missing: '_', account.Down: '!',
		account.Gone: '░', account.Stuck: '@', account.Away: '·', partly: '▓',
	}
}

// partly is a cell that is kept and not whole.
const partly account.State = "partly"

// draw draws events, axis, lanes and legend.
func (c *chart) draw() string {
	c.causes = make(map[rune]store.Cause)
	for _, l := range c.account.Lanes {
		c.label = max(c.label, columns(laneName(l)))
	}
	c.label = min(c.label, max(12, c.style.width/4))
	c.cells = c.style.width - c.label - 1
	var b strings.Builder
	margin := strings.Repeat(" ", c.label+1)
	b.WriteString(strings.TrimRight(margin+c.numbers(), " ") + "\n")
	labels, marks := c.axis()
	b.WriteString(strings.TrimRight(margin+labels, " ") + "\n")
	b.WriteString(margin + marks + "\n")
	for _, l := range c.account.Lanes {
		b.WriteString(padded(laneName(l), c.label) + " " + c.lane(l) + "\n")
	}
	if len(c.account.Lanes) == 0 {
		b.WriteString("nobody and no stream is known\n")
	}
	b.WriteString("\n" + c.legend())
	return b.String()
}

// laneName is what stands before a lane.
func laneName(l account.Lane) string {
	name := graphic(l.Title)
	if l.Role != "" && l.Role != "unknown" {
		name += ", " + l.Role
	}
	switch l.Attribution {
	case store.Mixed:
		name += " (mixed)"
	case store.Guessed:
		name += " (guess)"
	}
	return name
}

// cell is the cell in which an offset lies.
func (c *chart) cell(ms int64) int {
	if c.account.LengthMS == 0 {
		return 0
	}
	return int(ms * int64(c.cells) / c.account.LengthMS)
}

// starts is the first offset of a cell.
func (c *chart) starts(cell int) int64 {
	n := int64(c.cells)
	return (int64(cell)*c.account.LengthMS + n - 1) / n
}

// lane is one lane. A cell shows what fills the most of it; what would be in none takes
// the one in which it begins, unless it is only lost audio.
func (c *chart) lane(l account.Lane) string {
	shown := make([]int, c.cells) // number of a span
	for i := range shown {
		shown[i] = c.most(l.Spans, i)
	}
	for n, s := range l.Spans {
		if s.State == account.Away || s.State == account.Missing || slices.Contains(shown, n) {
			continue
		}
		if i := c.cell(s.FromMS); i < len(shown) {
			shown[i] = n
		}
	}
	var b strings.Builder
	for i, n := range shown {
		if n < 0 {
			b.WriteRune(' ')
			continue
		}
		b.WriteString(c.sign(l.Spans, n, i))
	}
	return b.String()
}

// most is the number of the span that fills the most of a cell; -1 for none.
func (c *chart) most(spans []account.Span, cell int) int {
	from, to := c.starts(cell), max(c.starts(cell)+1, c.starts(cell+1))
	best, length := -1, int64(0)
	for n, s := range spans {
		if d := min(s.ToMS, to) - max(s.FromMS, from); d > length {
			best, length = n, d
		}
	}
	return best
}

// sign is the sign of a span in a cell. Of several causes each has its turn.
func (c *chart) sign(spans []account.Span, n, cell int) string {
	s := &spans[n]
	if s.State == account.Withheld && len(s.Causes) > 0 {
		cause := s.Causes[cell%len(s.Causes)]
		letter := c.letter(cause)
		c.causes[letter] = cause
		return c.style.colour(colourOf(s.State), letter)
	}
	state := s.State
	if state == account.Kept && c.lossy(spans, cell) {
		state = partly
	}
	sign := c.signs[state]
	if state == account.Withheld {
		sign = '*'
	}
	if !slices.Contains(c.used, sign) {
		c.used = append(c.used, sign)
	}
	return c.style.colour(colourOf(state), sign)
}

// lossy reports whether something is missing in a cell.
func (c *chart) lossy(spans []account.Span, cell int) bool {
	from, to := c.starts(cell), c.starts(cell+1)
	return slices.ContainsFunc(spans, func(s account.Span) bool {
		return s.State == account.Missing && s.FromMS < to && from < s.ToMS
	})
}

// letter is that of a cause.
func (c *chart) letter(cause store.Cause) rune {
	known := map[rules.Cause]rune{
		rules.NoDecision: 'n', rules.SDP: 's', rules.NotLive: 'l', rules.Consent: 'c', rules.Withdrawn: 'w', rules.Manual: 'm',
		rules.Secure: 'p', rules.Hold: 'h', rules.External: 'e', rules.IVR: 'i', rules.Queue: 'q', rules.NoAgent: 'a',
		rules.Stopped: 'f', rules.InternalOnly: 'o', rules.ConsultLeg: 't', rules.RoleFilter: 'r', rules.Mixed: 'x',
		rules.PartyConsent: 'y', rules.Void: 'v', rules.DoNotRecord: 'd',
	}
	if named, ok := rules.CauseNamed(cause.Cause); ok && known[named] != 0 {
		return known[named]
	}
	return '*'
}

// legend says what the signs mean that were drawn.
func (c *chart) legend() string {
	meanings := []struct {
		state account.State
		words string
	}{
		{account.Kept, c.keptWords()}, {partly, "kept, some of it missing"}, {account.Missing, "to be recorded, nothing came"},
		{account.Down, "server down"}, {account.Gone, "kept then, erased since"}, {account.Stuck, "withheld too late, in the file"},
		{account.Fresh, "may be recorded, not seen on disk yet"}, {account.Away, "not on the call, or silent by the metadata"},
	}
	var b strings.Builder
	line := func(state account.State, sign rune, words string) {
		text := wrapped(words, string(sign)+" ", "  ", c.style.width)
		b.WriteString(c.style.colour(colourOf(state), sign) + strings.TrimPrefix(text, string(sign)))
	}
	for _, m := range meanings {
		if sign := c.signs[m.state]; slices.Contains(c.used, sign) {
			line(m.state, sign, m.words)
		}
	}
	for _, r := range slices.Sorted(maps.Keys(c.causes)) {
		words := c.causes[r].Cause
		if named, ok := rules.CauseNamed(words); ok {
			words = named.Words() + " (" + words + ")"
		}
		line(account.Withheld, r, "withheld: "+words)
	}
	if slices.Contains(c.used, '*') {
		line(account.Withheld, '*', "withheld, for causes that are not left")
	}
	if c.together() {
		b.WriteString(wrapped("(letters in turn: each of those causes withholds it)", "", "  ", c.style.width))
	}
	if c.account.LengthMS > 0 {
		column := time.Duration(c.account.LengthMS) * time.Millisecond / time.Duration(c.cells)
		b.WriteString(wrapped(fmt.Sprintf("(a column is %s; what is shorter takes a whole one)", spell(column)), "", "  ", c.style.width))
	}
	return b.String()
}

func (c *chart) keptWords() string {
	for _, l := range c.account.Lanes {
		if slices.ContainsFunc(l.Spans, func(s account.Span) bool { return s.State == account.Allowed }) {
			return "allowed: what comes is kept"
		}
	}
	return "kept"
}

// together reports whether a part is withheld for several causes.
func (c *chart) together() bool {
	for _, l := range c.account.Lanes {
		if slices.ContainsFunc(l.Spans, func(s account.Span) bool { return s.State == account.Withheld && len(s.Causes) > 1 }) {
			return true
		}
	}
	return false
}

// spell is a duration with two digits that count.
func spell(d time.Duration) string {
	switch {
	case d >= 10*time.Second:
		return d.Round(time.Second).String()
	case d >= time.Second:
		return d.Round(100 * time.Millisecond).String()
	default:
		return d.Round(time.Millisecond).String()
	}
}
