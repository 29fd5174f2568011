package main

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/siprec"
)

// A locatedError knows its file and line.
type locatedError struct {
	path string
	node *yaml.Node
	err  error
}

func (e locatedError) Error() string { return at(e.path, e.node, e.err).Error() }

func (e locatedError) Unwrap() error { return e.err }

func located(f srcFile, node *yaml.Node, err error) error {
	if errors.As(err, new(locatedError)) {
		return err
	}
	return locatedError{f.path, node, err}
}

// ofSRC adds the name of the SRC that an error is about.
func ofSRC(name string, err error) error {
	var where locatedError
	if name != "" && errors.As(err, &where) {
		return locatedError{where.path, where.node, fmt.Errorf("SRC %s: %w", name, where.err)}
	}
	return err
}

// nameIn is the name in a mapping, or empty.
func nameIn(node *yaml.Node) string {
	for i := 0; i+1 < len(node.Content); i += 2 {
		if value := resolved(node.Content[i+1]); node.Content[i].Value == "name" && value.Kind == yaml.ScalarNode {
			return value.Value
		}
	}
	return ""
}

// readKeys reads a mapping. find gives the reader of a key, or the keys there are.
func readKeys(f srcFile, node *yaml.Node, find func(key string) (func(*yaml.Node) error, []string)) error {
	node = resolved(node)
	if node.Kind != yaml.MappingNode {
		return located(f, node, errors.New("has to be a mapping of keys to values"))
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolved(node.Content[i+1])
		read, keys := find(key.Value)
		if read == nil {
			return located(f, key, unknownName(key.Value, keys, "docs/srcs.md has all keys"))
		}
		if seen[key.Value] {
			return located(f, key, fmt.Errorf("key %q stands here a second time", key.Value))
		}
		seen[key.Value] = true
		if err := read(value); errors.As(err, new(locatedError)) {
			return err
		} else if err != nil {
			return located(f, value, fmt.Errorf("%s: %w", key.Value, err))
		}
	}
	return nil
}

func resolved(node *yaml.Node) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		return node.Alias
	}
	return node
}

func namesOf[T any](list []T, name func(T) string) []string {
	var names []string
	for _, x := range list {
		names = append(names, name(x))
	}
	return names
}

// scalar reads one value: text, true or false, or a number.
func scalar[T string | bool | int | float64](node *yaml.Node, to *T) error {
	if node.Kind != yaml.ScalarNode || node.Tag == "!!null" {
		return errors.New("has to be one value")
	}
	if text, ok := any(to).(*string); ok {
		*text = node.Value // a name of digits only is a name
		return nil
	}
	if err := node.Decode(to); err != nil {
		return fmt.Errorf("%q is not what it has to be, %s", node.Value, map[bool]string{true: "true or false", false: "a number"}[any(*to) == any(false)])
	}
	return nil
}

func positive[T int | float64](node *yaml.Node, to *T) error {
	if err := scalar(node, to); err != nil {
		return err
	}
	if !(*to > 0) {
		return fmt.Errorf("%v is not above 0", *to)
	}
	return nil
}

// texts reads a list, or one value for a list of one.
func texts(node *yaml.Node, to *[]string) error {
	entries := []*yaml.Node{node}
	if node.Kind == yaml.SequenceNode {
		entries = node.Content
	}
	for _, entry := range entries {
		var text string
		if err := scalar(resolved(entry), &text); err != nil {
			return err
		}
		if text == "" {
			return errors.New("an empty name")
		}
		*to = append(*to, text)
	}
	return nil
}

func networksOf(node *yaml.Node, to *[]network) error {
	var list []string
	if err := texts(node, &list); err != nil {
		return err
	}
	for _, text := range list {
		var n network
		if err := n.UnmarshalText([]byte(text)); err != nil {
			return err
		}
		*to = append(*to, n)
	}
	return nil
}

func mediaNetworks(node *yaml.Node, p *profile) error {
	var list []network
	if err := networksOf(node, &list); err != nil {
		return err
	}
	for _, n := range list {
		p.MediaNetworks = append(p.MediaNetworks, n.prefixes...)
	}
	return nil
}

// oneOf reads one of some words.
func oneOf[T ~string](node *yaml.Node, to *T, words ...T) error {
	var text string
	if err := scalar(node, &text); err != nil {
		return err
	}
	if !slices.Contains(words, T(text)) {
		return fmt.Errorf("%q is not one of %v", text, words)
	}
	*to = T(text)
	return nil
}

func suites(node *yaml.Node, to *[]string) error {
	if err := texts(node, to); err != nil {
		return err
	}
	for _, name := range *to {
		if known := siprec.SRTPSuites(); !slices.Contains(known, name) {
			return fmt.Errorf("%q is not one of %v", name, known)
		}
	}
	return nil
}

// codecs reads encoding names.
func codecs(node *yaml.Node, to *[]string) error {
	if err := texts(node, to); err != nil {
		return err
	}
	known := siprec.Codecs()
	for _, name := range *to {
		if !slices.ContainsFunc(known, func(k string) bool { return strings.EqualFold(k, name) }) {
			return fmt.Errorf("%q is no encoding name of audio such as PCMA, G722 or opus", name)
		}
	}
	return nil
}

// delay reads a duration that is shorter than an INVITE lasts (RFC 3261 §17.1.1.2).
func delay(node *yaml.Node, to *time.Duration) error {
	var text string
	if err := scalar(node, &text); err != nil {
		return err
	}
	d, err := time.ParseDuration(text)
	if err != nil || d < 0 || d >= 30*time.Second {
		return fmt.Errorf("%q is not a duration from 0s to below 30s", text)
	}
	*to = d
	return nil
}
