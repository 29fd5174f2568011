package policy

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// largest is how long a file may be; what YAML makes of more is not worth it.
const largest = 4 << 20

// Read reads a policy file. The problems are in the order of their lines; a file
// with any must not be used. They are all there are, but for what parts that could
// not be read contradict: see [File.Unread].
func Read(text []byte) (*File, []Problem) {
	r := &reader{}
	sum := sha256.Sum256(text)
	f := &File{hash: hex.EncodeToString(sum[:6])}
	if root := r.document(text); root != nil {
		r.file(root, f)
	} else {
		r.unread.file = true
	}
	f.unread = len(r.problems) > 0
	if !r.unread.file {
		r.contradictions(f)
	}
	f.national = r.national
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	return f, r.problems
}

// document returns the only document, or nil.
func (r *reader) document(text []byte) *yaml.Node {
	var root yaml.Node
	if len(text) > largest {
		r.fault(1, "the file has more than %d bytes", largest)
	} else if r.legible(text) {
		r.decode(text, &root)
	}
	if len(r.problems) > 0 {
		return nil
	}
	return root.Content[0]
}

// decode reads the only document into root.
func (r *reader) decode(text []byte, root *yaml.Node) {
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	switch err := decoder.Decode(root); {
	case errors.Is(err, io.EOF):
		r.fault(1, "the file is empty")
	case err != nil:
		r.syntax(err)
	case !errors.Is(decoder.Decode(&yaml.Node{}), io.EOF):
		line := 1 + bytes.Count(text[:bytes.LastIndex(text, []byte("\n---"))+1], []byte("\n"))
		r.fault(line, "more than one document; all belongs into the first")
	default:
		r.plain(root)
	}
}

// legible reports whether the text is one that a person can see whole.
func (r *reader) legible(text []byte) bool {
	line := 1
	for rest := text; len(rest) > 0; {
		c, size := utf8.DecodeRune(rest)
		switch {
		case c == utf8.RuneError && size == 1:
			r.fault(line, "this is not UTF-8; save the file as UTF-8")
			return false
		case c != '\n' && c != '\r' && c != '\t' && unicode.IsControl(c):
			r.fault(line, "there is a control character (%U) on this line", c)
			return false
		case c == '\n':
			line++
		}
		rest = rest[size:]
	}
	return true
}

// plain refuses what makes a file say something that cannot be read aloud from
// where it stands.
func (r *reader) plain(n *yaml.Node) {
	switch {
	case n.Kind == yaml.AliasNode:
		r.fault(n.Line, "*%s: what stands elsewhere cannot be referred to; write it out here", n.Value)
	case n.Anchor != "":
		r.fault(n.Line, "&%s: a part of the file cannot have a name to refer to; write it out where it is needed", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		r.fault(n.Line, "%s: a value cannot have a tag", n.Tag)
	}
	for _, child := range n.Content {
		r.plain(child)
	}
}

// hints say in other words what YAML says of a mistake that people make often.
func hints() [][2]string {
	return [][2]string{
		{"tab character", "indent with spaces, not with tabs"},
		{"cannot start any token", "indent with spaces, not with tabs; what begins with @, ` or % has to stand in quotes"},
		{"mapping values are not allowed", "a value with a colon in it has to stand in quotes, and keys of one part have to begin in one column"},
		{"alphabetic or numeric character", "what begins with * or & has to stand in quotes"},
		{"expected '-' indicator", "the elements of a list, and the keys of one element, have to begin in one column"},
		{"did not find expected key", "keys of one part have to begin in one column"},
		{"end of stream", "a quote or bracket is not closed"},
		{"expected node content", "a bracket is not closed, or a value is missing"},
		{"',' or ", "a comma or a closing bracket is missing"},
	}
}

// syntax takes the line out of "yaml: line 3: ...".
func (r *reader) syntax(err error) {
	words := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	digits, rest, _ := strings.Cut(strings.TrimPrefix(words, "line "), ": ")
	if n, err := strconv.Atoi(digits); err == nil {
		line, words = n, rest
	}
	for _, hint := range hints() {
		if strings.Contains(words, hint[0]) {
			words += ": " + hint[1]
		}
	}
	r.fault(line, "%s", words)
}

func (r *reader) file(root *yaml.Node, f *File) {
	var accounts, profiles, mapping yaml.Node
	r.mapping(root, "the file", map[string]func(*yaml.Node){
		"preset":   func(n *yaml.Node) { f.Preset = Preset(r.oneOf(n, "preset", presetWords())) },
		"accounts": func(n *yaml.Node) { accounts = *n },
		"profiles": func(n *yaml.Node) { profiles = *n },
		"mapping":  func(n *yaml.Node) { mapping = *n },
	})
	r.unread.file = len(r.problems) > 0
	// Accounts take the preset of the file wherever it stands in it.
	r.unread.accounts = r.parts(&accounts, func(n *yaml.Node) { f.Accounts = append(f.Accounts, r.account(n, f.Preset)) })
	r.unread.profiles = slices.Contains(r.parts(&profiles, func(n *yaml.Node) { f.Profiles = append(f.Profiles, r.profile(n)) }), true)
	r.unread.mapping = slices.Contains(r.parts(&mapping, func(n *yaml.Node) { f.Mapping = append(f.Mapping, r.rule(n)) }), true)
}

// parts is list for what may be missing. It says of which elements something could
// not be read.
func (r *reader) parts(node *yaml.Node, read func(*yaml.Node)) []bool {
	if node.IsZero() {
		return nil
	}
	var unread []bool
	r.list(node, func(n *yaml.Node) {
		before := len(r.problems)
		read(n)
		unread = append(unread, len(r.problems) > before)
	})
	return unread
}

func (r *reader) account(node *yaml.Node, preset Preset) Account {
	a := Account{Line: node.Line, Preset: preset, Settings: make(Settings)}
	keys := r.settingKeys(inAccount, a.Settings)
	keys["name"] = r.text(&a.Name, "name")
	keys["preset"] = func(n *yaml.Node) { a.Preset = Preset(r.oneOf(n, "preset", presetWords())) }
	keys["owner"] = func(n *yaml.Node) { r.mapping(n, "owner: of an account", r.settingKeys(inOwner, a.Settings)) }
	keys["do-not-record"] = r.numbers(&a.DoNotRecord, "do-not-record")
	keys["acknowledge"] = r.acknowledged(&a.Acknowledged)
	keys["trunks"] = func(n *yaml.Node) { r.list(n, func(n *yaml.Node) { a.Trunks = append(a.Trunks, r.trunk(n)) }) }
	keys["plans"] = func(n *yaml.Node) { r.list(n, func(n *yaml.Node) { a.Plans = append(a.Plans, r.plan(n)) }) }
	keys["queues"] = func(n *yaml.Node) {
		r.list(n, func(n *yaml.Node) { a.Queues = append(a.Queues, Queue(r.part(n, inQueue))) })
	}
	keys["flows"] = func(n *yaml.Node) {
		r.list(n, func(n *yaml.Node) { a.Flows = append(a.Flows, Flow(r.part(n, inFlow))) })
	}
	keys["users"] = func(n *yaml.Node) {
		r.list(n, func(n *yaml.Node) { a.Users = append(a.Users, User(r.part(n, inUser))) })
	}
	keys["retention"] = func(n *yaml.Node) {
		r.list(n, func(n *yaml.Node) { a.Retention = append(a.Retention, r.retention(n)) })
	}
	r.mapping(node, "an account", keys)
	r.named(a.Name, node.Line, "an account")
	return a
}

func (r *reader) trunk(node *yaml.Node) Trunk {
	t := Trunk{Line: node.Line, Settings: make(Settings)}
	keys := r.settingKeys(inTrunk, t.Settings)
	keys["name"] = r.text(&t.Name, "name")
	keys["profile"] = r.text(&t.Profile, "profile")
	keys["acknowledge"] = r.acknowledged(&t.Acknowledged)
	keys["owner"] = func(n *yaml.Node) { r.mapping(n, "owner: of a trunk", r.settingKeys(inTrunkOwner, t.Settings)) }
	r.mapping(node, "a trunk", keys)
	r.named(t.Name, node.Line, "a trunk")
	return t
}

// acknowledged reads the settings of which the file knows that nothing feeds them.
func (r *reader) acknowledged(into *[]string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		r.each(n, "acknowledge", func(n *yaml.Node) {
			word := r.scalar(n, "acknowledge")
			if known := fedSettings(); word != "" && !slices.Contains(known, word) {
				r.fault(n.Line, "acknowledge: there is no setting %s that has to be told anything%s", quoted(word), r.suggestion(word, known))
			}
			*into = append(*into, word)
		})
	}
}

// A part is a queue, a flow or a user.
type part struct {
	Name     string
	Line     int
	Settings Settings
}

func (r *reader) part(node *yaml.Node, in section) part {
	p := part{Line: node.Line, Settings: make(Settings)}
	keys := r.settingKeys(in, p.Settings)
	keys["name"] = r.text(&p.Name, "name")
	r.mapping(node, in.String(), keys)
	r.named(p.Name, node.Line, in.String())
	return p
}

func (r *reader) profile(node *yaml.Node) Profile {
	p := Profile{Line: node.Line}
	facts := func(into *[]Fact) func(*yaml.Node) {
		return func(n *yaml.Node) {
			r.list(n, func(n *yaml.Node) { *into = append(*into, Fact(r.oneOf(n, "fact", factWords()))) })
		}
	}
	r.mapping(node, "a profile", map[string]func(*yaml.Node){
		"name": r.text(&p.Name, "name"), "wire": facts(&p.Wire), "extension": facts(&p.Extension), "api": facts(&p.API),
	})
	r.named(p.Name, node.Line, "a profile")
	return p
}

func (r *reader) named(name string, line int, what string) {
	if name == "" {
		r.fault(line, "%s without a name", what)
	}
}

// settingKeys read the settings of a section into s.
func (r *reader) settingKeys(in section, s Settings) map[string]func(*yaml.Node) {
	keys := make(map[string]func(*yaml.Node))
	for _, key := range keysOf(in) {
		set, _ := settingOf(key)
		keys[key] = func(n *yaml.Node) {
			text := r.scalar(n, key)
			if text == "" {
				return
			}
			word, ok := set.word(text)
			switch {
			case ok:
				s[key] = Given{word, n.Line}
			case set.amount != nil:
				r.fault(n.Line, "%s: %s is %s", key, quoted(text), set.amount.want)
			default:
				r.oneOf(n, key, set.words())
			}
		}
	}
	return keys
}
