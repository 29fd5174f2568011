package policy

import (
	"fmt"
	"strings"
)

// Reference is the table of all named flags for the manual, in Markdown: where
// each may stand, its values and what they mean, and the defaults of the presets.
func Reference() string {
	var b strings.Builder
	b.WriteString("| setting | stands in | value | meaning | needs to be told | default of |\n|---|---|---|---|---|---|\n")
	for _, s := range settings() {
		var places []string
		for _, in := range s.sections {
			places = append(places, in.String())
		}
		for i, v := range s.rows() {
			key, where := "`"+s.key+"`", strings.Join(places, ", ")
			if i > 0 {
				key, where = "", ""
			}
			fmt.Fprintf(&b, "| %s | %s | `%s` | %s | %s | %s |\n", key, where, v.word, v.sentence, list(v.needs), s.defaultOf(v.word))
		}
	}
	return b.String()
}

// rows are the values, and what stands for them where any time is one.
func (s setting) rows() []value {
	if s.amount != nil {
		return s.amount.rows
	}
	return s.values
}

// defaultOf are the presets under which a word holds.
func (s setting) defaultOf(word string) string {
	var presets []string
	for _, p := range []Preset{Vonage, Genesys, Ours} {
		if s.holds != nil && s.holds(p.Flags()) == word {
			presets = append(presets, p.String())
		}
	}
	if s.holds == nil && s.values[0].word == word {
		return "all"
	}
	return strings.Join(presets, ", ")
}

func list(facts []Fact) string {
	var names []string
	for _, f := range facts {
		names = append(names, f.String())
	}
	return strings.Join(names, ", ")
}
