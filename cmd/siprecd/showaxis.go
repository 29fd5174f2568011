package main

import (
	"fmt"
	"strings"

	"github.com/siprecd/siprecd/recorder/account"
)

// steps are the distances that marks of an axis may have, in milliseconds.
func steps() []int64 {
	const s, m, h = 1000, 60_000, 3_600_000
	return []int64{
		10, 20, 50, 100, 200, 500, s, 2 * s, 5 * s, 10 * s, 15 * s, 30 * s, m, 2 * m, 5 * m, 10 * m, 15 * m, 30 * m,
		h, 2 * h, 6 * h, 12 * h, 24 * h, 72 * h, 240 * h,
	}
}

// axis is the labels of the time marks and the line below them.
func (c *chart) axis() (labels, marks string) {
	line, tick := '─', '┬'
	if c.style.ascii {
		line, tick = '-', '+'
	}
	length := c.account.LengthMS
	step := (length/1000 + 1) * 1000 // the beginning alone
	for _, s := range steps() {
		room := int64(len(mark(length-length%s, s)) + 2)
		if length > 0 && s*int64(c.cells)/length >= room {
			step = s
			break
		}
	}
	text := []rune(strings.Repeat(" ", c.cells))
	below := []rune(strings.Repeat(string(line), c.cells))
	for at := int64(0); at <= length; at += step {
		i := c.cell(at)
		if i >= c.cells {
			break
		}
		below[i] = tick
		if label := []rune(mark(at, step)); i+len(label) <= c.cells {
			copy(text[i:], label)
		}
	}
	return string(text), string(below)
}

// mark is the label of a time mark, as exact as the step asks for.
func mark(ms, step int64) string {
	clock := account.Clock(ms)
	switch {
	case step%1000 == 0:
		return clock[:len(clock)-4]
	case step%100 == 0:
		return clock[:len(clock)-2]
	default:
		return clock[:len(clock)-1]
	}
}

// numbers are the numbers of the events above their columns. Those that have no room of
// their own stand as a range.
func (c *chart) numbers() string {
	type group struct{ column, first, last int }
	label := func(g group) string {
		if g.first == g.last {
			return fmt.Sprint(g.first)
		}
		return fmt.Sprintf("%d-%d", g.first, g.last)
	}
	column := func(g group) int { return max(0, min(g.column, c.cells-len(label(g)))) }
	var groups []group
	for _, e := range c.account.Events {
		if e.AtMS < 0 || e.AtMS > c.account.LengthMS {
			continue
		}
		groups = append(groups, group{c.cell(e.AtMS), e.Number, e.Number})
		// The last may have come too near to the one before, and both to that before.
		for n := len(groups); n > 1; n = len(groups) {
			before, last := groups[n-2], groups[n-1]
			if column(before)+len(label(before)) < column(last) {
				break
			}
			groups = append(groups[:n-2], group{before.column, before.first, last.last})
		}
	}
	text := []rune(strings.Repeat(" ", c.cells))
	for _, g := range groups {
		copy(text[column(g):], []rune(label(g)))
	}
	return string(text)
}
