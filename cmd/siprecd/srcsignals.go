package main

import (
	"errors"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/rules/policy"
)

// A signalKey is one key of a signal, with the words of its documentation.
type signalKey struct {
	name, value, help string
	to                func(*recorder.Signal) *string
}

// signalKeys are the keys of a signal, in the order of docs/srcs.md.
func signalKeys() []signalKey {
	return []signalKey{
		{"header", "name", "A header field of its INVITE, UPDATE and INFO requests. Either this or `field` is needed.",
			func(s *recorder.Signal) *string { return &s.Header }},
		{"field", "name or path", "An element of extension data, by its last name or by the path of local names with `/`; `@name` is an attribute.",
			func(s *recorder.Signal) *string { return &s.Field }},
		{"value", "pattern", "Which values are meant: `*` is any text, `?` one character, case does not count. Default: any.",
			func(s *recorder.Signal) *string { return &s.Value }},
		{"means", "one of the actions below", "What it means. Required.", nil},
		{"name", "text", "The name of a flow, a queue, a menu option or a payment; `*` stands for what the first `*` of `value` matched, or for the whole value when it has none.",
			func(s *recorder.Signal) *string { return &s.Name }},
		{"party", "text", "Id, address, number or agent id of the participant whom it is about; `*` as in `name`. Default: the participant in whose description the field stands, if it does.",
			func(s *recorder.Signal) *string { return &s.Party }},
	}
}

// readSignals reads the signals of an SRC.
func readSignals(f srcFile, node *yaml.Node, to *recorder.Signals) error {
	if node.Kind != yaml.SequenceNode {
		return errors.New("has to be a list")
	}
	for _, entry := range node.Content {
		s, err := readSignal(f, resolved(entry))
		if err != nil {
			return err
		}
		to.List = append(to.List, s)
	}
	return to.Check()
}

func readSignal(f srcFile, node *yaml.Node) (s recorder.Signal, err error) {
	keys, at := signalKeys(), make(map[string]*yaml.Node)
	err = readKeys(f, node, func(key string) (func(*yaml.Node) error, []string) {
		i := slices.IndexFunc(keys, func(k signalKey) bool { return k.name == key })
		if i < 0 {
			return nil, namesOf(keys, func(k signalKey) string { return k.name })
		}
		return func(n *yaml.Node) error {
			at[key] = n
			if keys[i].to == nil {
				return oneOf(n, &s.Means, recorder.SignalActions()...)
			}
			return scalar(n, keys[i].to(&s))
		}, nil
	})
	if err != nil {
		return s, err
	}
	if err := s.Check(); err != nil {
		where := node
		if key, _, _ := strings.Cut(err.Error(), ":"); at[key] != nil {
			where = at[key]
		}
		return s, located(f, where, err)
	}
	return s, nil
}

func inactiveMeans(node *yaml.Node, to *recorder.Signals) error {
	var word string
	if err := oneOf(node, &word, "src-pause", "hold", "manual"); err != nil {
		return err
	}
	means := map[string]rules.InactiveMeans{"src-pause": rules.InactivePause, "hold": rules.InactiveHold, "manual": rules.InactiveManual}[word]
	to.InactiveMeans = &means
	return nil
}

func consultWindow(node *yaml.Node, to *recorder.Signals) error {
	var d time.Duration
	if err := delay(node, &d); err != nil {
		return err
	}
	if d == 0 {
		d = -1 // none: the same update only
	}
	to.ConsultWindow = d
	return nil
}

// facts are those of a policy that any SRC of the file signals.
func (a *admission) facts() (out []policy.Fact) {
	if list := a.srcs.Load(); list != nil {
		for _, p := range *list {
			out = append(out, p.signals.Facts()...)
		}
	}
	return out
}

// signalling is the name of an SRC of the file of which something is said that counts
// under a policy only; empty for none.
func (a *admission) signalling() string {
	if list := a.srcs.Load(); list != nil {
		for _, p := range *list {
			if s := p.signals; s.InactiveMeans != nil || s.NoConsult || s.ConsultWindow != 0 || len(s.List) > 0 {
				return p.Name
			}
		}
	}
	return ""
}

// signals are those of an SRC of the file, as it is now.
func (a *admission) signals(src string) recorder.Signals {
	if list := a.srcs.Load(); list != nil {
		for _, p := range *list {
			if p.Name == src {
				return p.signals
			}
		}
	}
	return recorder.Signals{}
}
