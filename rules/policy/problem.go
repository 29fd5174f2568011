package policy

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"
)

// A Problem is what is wrong with a file, and on which line.
type Problem struct {
	Line int
	Text string
}

func (p Problem) String() string { return fmt.Sprintf("%d: %s", p.Line, p.Text) }

// most is of how many problems a reading tells; nobody reads more.
const most = 100

// A reader collects what is wrong, so that one reading tells of everything.
type reader struct {
	problems []Problem
	national []national
	unread   unread
}

// unread are the parts in which something could not be read: what they contradict
// cannot be known.
type unread struct {
	file, profiles, mapping bool
	accounts                []bool // each of them
}

func (r *reader) fault(line int, format string, args ...any) {
	if !r.full() {
		r.problems = append(r.problems, Problem{line, fmt.Sprintf(format, args...)})
	}
}

func (r *reader) full() bool { return len(r.problems) >= most }

// quoted is a word of the file for a person, who need not see all of a long one.
func quoted(word string) string {
	const enough = 60
	if runes := []rune(word); len(runes) > enough {
		word = string(runes[:enough]) + "..."
	}
	return strconv.Quote(word)
}

// dates are keys by which people try to say since when a file holds.
func dates() []string {
	return []string{"date", "published", "published-at", "valid-from", "since", "version", "effective", "author"}
}

// mapping calls for each key of a mapping what reads its value.
func (r *reader) mapping(node *yaml.Node, where string, keys map[string]func(*yaml.Node)) {
	if node.Kind != yaml.MappingNode {
		r.fault(node.Line, "%s has to be a list of keys and values", where)
		return
	}
	seen := make(map[string]bool)
	for i := 0; i < len(node.Content); i += 2 {
		key, val := node.Content[i], node.Content[i+1]
		read, known := keys[key.Value]
		switch {
		case key.Kind != yaml.ScalarNode:
			r.fault(key.Line, "a key has to be a word")
		case !known:
			r.unknown(key, where, keys)
		case seen[key.Value]:
			r.fault(key.Line, "key %s stands here a second time", quoted(key.Value))
		default:
			seen[key.Value] = true
			read(val)
		}
	}
}

// unknown says of a key that nobody knows which one may be meant.
func (r *reader) unknown(key *yaml.Node, where string, keys map[string]func(*yaml.Node)) {
	if slices.Contains(dates(), key.Value) {
		r.fault(key.Line, "%q: a file cannot say since when or by whom it holds; the server writes that down when it is published", key.Value)
		return
	}
	if s, ok := settingOf(key.Value); ok {
		var places []string
		for _, place := range s.sections {
			places = append(places, place.String())
		}
		r.fault(key.Line, "%s cannot be set for %s; it belongs to %s", key.Value, where, strings.Join(places, " or "))
		return
	}
	var known []string
	for k := range keys {
		known = append(known, k)
	}
	r.fault(key.Line, "unknown key %s%s", quoted(key.Value), r.suggestion(key.Value, known))
}

// list calls read for each element. One value alone is a list of one.
func (r *reader) list(node *yaml.Node, read func(*yaml.Node)) {
	if node.Kind != yaml.SequenceNode {
		read(node)
		return
	}
	for _, n := range node.Content {
		read(n)
	}
}

// each is list for what has to be there: an empty list is none.
func (r *reader) each(node *yaml.Node, where string, read func(*yaml.Node)) {
	if node.Kind == yaml.SequenceNode && len(node.Content) == 0 {
		r.fault(node.Line, "%s: the list is empty", where)
	}
	r.list(node, read)
}

// scalar returns the text of a value.
func (r *reader) scalar(node *yaml.Node, where string) string {
	if node.Value == "" || node.ShortTag() == "!!null" { // no value, or more than one
		r.fault(node.Line, "%s has to be a word or number", where)
		return ""
	}
	if node.Value != strings.TrimSpace(node.Value) || strings.ContainsFunc(node.Value, unicode.IsControl) {
		r.fault(node.Line, "%s: %s begins or ends with a space, or goes over a line", where, quoted(node.Value))
		return ""
	}
	return node.Value
}

// text puts the text of a value somewhere.
func (r *reader) text(into *string, where string) func(*yaml.Node) {
	return func(n *yaml.Node) { *into = r.scalar(n, where) }
}

// texts puts a list of texts somewhere.
func (r *reader) texts(into *[]string, where string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.each(n, where, func(n *yaml.Node) {
			*into = append(*into, r.scalar(n, where))
		})
	}
}

// oneOf returns the index of a word.
func (r *reader) oneOf(node *yaml.Node, where string, words []string) int {
	text := r.scalar(node, where)
	i := slices.Index(words, text)
	if i < 0 && text != "" {
		r.fault(node.Line, "%s: %s is not one of %s%s", where, quoted(text), strings.Join(words, ", "), r.suggestion(text, words))
	}
	return max(i, 0)
}

// suggestion is the known word that is nearest to a wrong one, if any is near. It is
// not looked for where nobody is told of it.
func (r *reader) suggestion(wrong string, known []string) string {
	const longest = 60 // of a word that somebody mistyped
	if r.full() || len(wrong) > longest {
		return ""
	}
	known = slices.Sorted(slices.Values(known))
	best, least := "", max(2, len(wrong)/3)+1
	for _, k := range known {
		if d := distance(wrong, k); d < least {
			best, least = k, d
		}
	}
	if best == "" {
		return ""
	}
	return fmt.Sprintf(": did you mean %s?", best)
}

// distance is the number of letters to add, drop or change. Hyphens and
// underscores are alike.
func distance(a, b string) int {
	a, b = strings.ReplaceAll(strings.ToLower(a), "_", "-"), strings.ToLower(b)
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
