package main

import (
	"cmp"
	"os"
	"strconv"
	"strings"
	"unicode"

	"github.com/siprecd/siprecd/recorder/account"
)

// A style is how a picture is drawn.
type style struct {
	width    int // columns
	ascii    bool
	coloured bool
}

// styleOf is the style for where the output goes: lookup is the environment, width and
// ascii what was asked for.
func styleOf(out streams, lookup func(string) (string, bool), width int, ascii bool) style {
	get := func(name string) string {
		v, _ := lookup(name)
		return v
	}
	columns, terminal := 0, false
	if f, ok := out.stdout.(*os.File); ok {
		columns, terminal = terminalColumns(f)
	}
	told, err := strconv.Atoi(get("COLUMNS"))
	if err != nil {
		told = 0
	}
	s := style{width: max(leastWidth, min(mostWidth, cmp.Or(width, max(told, 0), columns, 80)))}
	locale := strings.ToLower(cmp.Or(get("LC_ALL"), get("LC_CTYPE"), get("LANG")))
	s.ascii = ascii || !strings.Contains(locale, "utf-8") && !strings.Contains(locale, "utf8")
	// NO_COLOR counts when it is there and not empty (no-color.org).
	s.coloured = terminal && get("NO_COLOR") == "" && get("TERM") != "dumb"
	return s
}

// The colours, as the numbers of ANSI escape sequences (ECMA-48 SGR).
const (
	green   = 32
	yellow  = 33
	magenta = 35
	red     = 31
	grey    = 90
	bold    = 1
)

// colourOf is the colour of a state.
func colourOf(s account.State) int {
	switch s {
	case account.Kept, account.Allowed:
		return green
	case account.Withheld:
		return yellow
	case account.Missing, partly, account.Fresh:
		return magenta
	case account.Down, account.Stuck:
		return red
	default:
		return grey
	}
}

func (s style) colour(number int, sign rune) string { return s.in(number, string(sign)) }

// strong is a text that stands out on a terminal.
func (s style) strong(text string) string { return s.in(bold, text) }

func (s style) in(number int, text string) string {
	if !s.coloured {
		return text
	}
	return "\x1b[" + strconv.Itoa(number) + "m" + text + "\x1b[0m"
}

// graphic is a text with what is not to be seen replaced: names come from the wire.
func graphic(text string) string { return dash([]string{text}) }

// columns are those that a text takes on a terminal.
func columns(text string) int {
	n := 0
	for _, r := range text {
		n += columnsOf(r)
	}
	return n
}

// columnsOf is 2 for the wide letters of East Asia and 0 for what stands on the letter
// before.
func columnsOf(r rune) int {
	switch {
	case unicode.In(r, unicode.Mn, unicode.Me):
		return 0
	case unicode.In(r, unicode.Han, unicode.Hangul, unicode.Hiragana, unicode.Katakana), r >= 0xFF01 && r <= 0xFF60, r >= 0x1F300 && r <= 0x1FAFF:
		return 2
	default:
		return 1
	}
}

// padded is a text in so many columns, cut where it is longer.
func padded(text string, width int) string {
	if columns(text) <= width {
		return text + strings.Repeat(" ", width-columns(text))
	}
	n := 0
	for i, r := range text {
		if n+columnsOf(r) > width-1 {
			return text[:i] + "~" + strings.Repeat(" ", width-1-n)
		}
		n += columnsOf(r)
	}
	return text
}

// wrapped is a text in lines of at most so many columns, each but the first behind rest.
// A word that is longer stands alone.
func wrapped(text, first, rest string, width int) string {
	var b strings.Builder
	line, empty := first, true
	for _, word := range strings.Fields(graphic(text)) {
		if !empty && columns(line)+1+columns(word) > width {
			b.WriteString(line + "\n")
			line, empty = rest, true
		}
		if !empty {
			line += " "
		}
		line += word
		empty = false
	}
	return b.String() + line + "\n"
}
