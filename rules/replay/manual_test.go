package replay_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/replay"
	"github.com/siprecd/siprecd/rules/scenario"
)

// tables are the first words of the rows of each table of a text, by what stands
// above the first column.
func tables(text string) map[string][]string {
	found := make(map[string][]string)
	head, last := "", ""
	for line := range strings.Lines(text) {
		cells := strings.Split(line, "|")
		if len(cells) < 4 {
			continue
		}
		cell := strings.TrimSpace(cells[1])
		word, isCode := strings.CutPrefix(cell, "`")
		switch {
		case strings.HasPrefix(cell, "---"):
			head = last
		case isCode:
			word, _, _ = strings.Cut(word, "`")
			word, _, _ = strings.Cut(word, " ")
			found[head] = append(found[head], word)
		}
		last = cell
	}
	return found
}

// The manual of scenarios names each word that can be read and understood, once,
// and no other one; its examples come true.
func TestManual(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "scenarios.md"))
	if err != nil {
		t.Fatal(err)
	}
	var causes []string
	for _, c := range rules.Causes() {
		if c.Cause != rules.NotLive { // who is not on the call is not withheld
			causes = append(causes, c.Cause.String())
		}
	}
	slices.Sort(causes)
	said := tables(string(text))
	for head, want := range map[string][]string{
		"event": scenario.EventNames(), "flag": replay.FlagNames(), "cause": slices.Compact(causes),
		"line": {"class:", "flags:", "keep", "keep", "listen", "reason:", "record", "refused", "scenario:", "statements:", "title:", "user", "withhold"},
	} {
		got := slices.Sorted(slices.Values(said[head]))
		if !slices.Equal(got, want) {
			t.Errorf("the table of each %s has %q, want %q", head, got, want)
		}
	}
	examples := regexp.MustCompile("(?s)```scenario\n(.*?)```").FindAllStringSubmatch(string(text), -1)
	if len(examples) < 2 {
		t.Fatalf("%d examples", len(examples))
	}
	for _, example := range examples {
		list, err := scenario.Parse(example[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, s := range list {
			if s.Access != nil {
				if replay.Access(*s.Access).Allowed != s.Access.Allowed {
					t.Errorf("%s: wrong access", s.ID)
				}
				continue
			}
			if r, err := replay.Run(s); err != nil || !slices.Equal(r.Outcome.Lines(), s.Want.Lines()) {
				t.Errorf("%s: %q, %v", s.ID, r.Outcome.Lines(), err)
			}
		}
	}
}

// Each example of an event and each value of a flag in the manual can be read.
func TestManualExamples(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "scenarios.md"))
	if err != nil {
		t.Fatal(err)
	}
	_, events, _ := strings.Cut(string(text), "\n| event ")
	events, flags, _ := strings.Cut(events, "\n| flag ")
	row := regexp.MustCompile("(?m)^\\| `([^`]+)` \\|")
	for _, m := range row.FindAllStringSubmatch(events, -1) {
		if m[1] == "end" {
			continue // of each
		}
		if _, err := replay.Run(parse(t, "ours", "0 "+m[1])); err != nil {
			t.Errorf("%s: %v", m[1], err)
		}
	}
	flags, _, _ = strings.Cut(flags, "\n## ")
	value := regexp.MustCompile("`([^` ]+)`")
	tried := 0
	for line := range strings.Lines(flags) {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") {
			continue
		}
		name := strings.Trim(cells[1], " `")
		for _, v := range value.FindAllStringSubmatch(cells[2], -1) {
			if v[1] == "list" || v[1] == "callers" && name == "list" || v[1] == "+" {
				continue // speaks of something else
			}
			tried++
			if _, err := replay.Flags(parse(t, "ours "+name+"="+v[1], "0 in C")); err != nil {
				t.Error(err)
			}
		}
	}
	if tried < 40 {
		t.Errorf("only %d values", tried)
	}
}
