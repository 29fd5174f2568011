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

	"go.yaml.in/yaml/v3"
)

// largest is how long a file may be; what YAML makes of more is not worth it.
const largest = 4 << 20

// Read reads a policy file. The problems are all there are, in the order of their
// lines; a file with any must not be used.
func Read(text []byte) (*File, []Problem) {
	r := &reader{}
	sum := sha256.Sum256(text)
	f := &File{hash: hex.EncodeToString(sum[:6])}
	if root := r.document(text); root != nil {
		r.file(root, f)
	}
	if len(r.problems) == 0 {
		r.contradictions(f)
	}
	slices.SortStableFunc(r.problems, func(a, b Problem) int { return a.Line - b.Line })
	return f, r.problems
}

// document returns the only document, or nil.
func (r *reader) document(text []byte) *yaml.Node {
	if len(text) > largest {
		r.fault(1, "the file has more than %d bytes", largest)
		return nil
	}
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	var root, second yaml.Node
	if err := decoder.Decode(&root); errors.Is(err, io.EOF) {
		r.fault(1, "the file is empty")
		return nil
	} else if err != nil {
		r.syntax(err)
		return nil
	}
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		r.fault(1, "more than one document; all belongs into the first")
		return nil
	}
	return plain(root.Content[0])
}

// syntax takes the line out of "yaml: line 3: ...".
func (r *reader) syntax(err error) {
	words := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(words, "line "); ok {
		if digits, rest, ok := strings.Cut(rest, ": "); ok {
			if n, err := strconv.Atoi(digits); err == nil {
				line, words = n, rest
			}
		}
	}
	r.fault(line, "%s", words)
}

func (r *reader) file(root *yaml.Node, f *File) {
	// Accounts take the preset of the file wherever it stands in it.
	if root.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(root.Content); i += 2 {
			if root.Content[i].Value == "preset" {
				f.Preset = Preset(slices.Index(presetWords(), plain(root.Content[i+1]).Value))
			}
		}
	}
	f.Preset = max(f.Preset, Ours)
	r.mapping(root, "the file", map[string]func(*yaml.Node){
		"preset": func(n *yaml.Node) { r.oneOf(n, "preset", presetWords()) },
		"accounts": func(n *yaml.Node) {
			r.list(n, func(n *yaml.Node) { f.Accounts = append(f.Accounts, r.account(n, f.Preset)) })
		},
		"profiles": func(n *yaml.Node) { r.list(n, func(n *yaml.Node) { f.Profiles = append(f.Profiles, r.profile(n)) }) },
		"mapping":  func(n *yaml.Node) { r.list(n, func(n *yaml.Node) { f.Mapping = append(f.Mapping, r.rule(n)) }) },
	})
}

func (r *reader) account(node *yaml.Node, preset Preset) Account {
	a := Account{Line: node.Line, Preset: preset, Settings: make(Settings)}
	keys := r.settingKeys(inAccount, a.Settings)
	keys["name"] = r.text(&a.Name, "name")
	keys["preset"] = func(n *yaml.Node) { a.Preset = Preset(r.oneOf(n, "preset", presetWords())) }
	keys["owner"] = func(n *yaml.Node) { r.mapping(n, "owner: of an account", r.settingKeys(inOwner, a.Settings)) }
	keys["do-not-record"] = r.texts(&a.DoNotRecord, "do-not-record")
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
	keys["acknowledge"] = r.texts(&t.Acknowledged, "acknowledge")
	keys["owner"] = func(n *yaml.Node) { r.mapping(n, "owner: of a trunk", r.settingKeys(inTrunkOwner, t.Settings)) }
	r.mapping(node, "a trunk", keys)
	r.named(t.Name, node.Line, "a trunk")
	return t
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
			case key == "pause-alarm":
				r.fault(n.Line, "%s: %q is neither a time such as 10m nor never", key, text)
			default:
				r.oneOf(n, key, set.words())
			}
		}
	}
	return keys
}
