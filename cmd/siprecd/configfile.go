package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"go.yaml.in/yaml/v3"
)

// A configFile is the path of a YAML file whose keys are the names of the flags.
// A flag wins over its environment variable, that over the file, and the file
// over the default.
type configFile string

// BeforeResolve reads the file when flags and environment have been looked at,
// but not yet what is left at its default.
func (configFile) BeforeResolve(ctx *kong.Context, trace *kong.Path) error {
	path, ok := ctx.FlagValue(trace.Flag).(configFile)
	if !ok || path == "" {
		return nil
	}
	text, err := os.ReadFile(string(path))
	if err != nil {
		return fmt.Errorf("configuration: %w", err)
	}
	values, err := readConfig(string(path), text, fileFlags(ctx.Selected()))
	if err != nil {
		return err
	}
	ctx.AddResolver(kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		if slices.ContainsFunc(flag.Envs, isSet) {
			return nil, nil
		}
		return values[flag.Name], nil
	}))
	return nil
}

func isSet(variable string) bool {
	_, ok := os.LookupEnv(variable)
	return ok
}

// fileFlags are the flags of a command that may stand in a configuration file:
// all but --help and the one that names the file.
func fileFlags(node *kong.Node) []*kong.Flag {
	var flags []*kong.Flag
	for _, group := range node.AllFlags(true) {
		for _, flag := range group {
			if flag.Name != "help" && flag.Target.Type() != reflect.TypeFor[configFile]() {
				flags = append(flags, flag)
			}
		}
	}
	return flags
}

// readConfig reads the text of a configuration file: a mapping from names of
// flags to values, which come back in a form that kong reads. Errors begin with
// file:line.
func readConfig(path string, text []byte, flags []*kong.Flag) (map[string]any, error) {
	values := make(map[string]any)
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		// The YAML reader says "line 3: ...", without a file.
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return values, nil
	}
	var second yaml.Node
	if err := decoder.Decode(&second); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document; all keys belong into the first", path)
	}
	top := document.Content[0]
	if top.Kind != yaml.MappingNode {
		return nil, at(path, top, errors.New("not a list of keys and values"))
	}
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, node := top.Content[i], top.Content[i+1]
		flag := flagOf(flags, key.Value)
		if flag == nil {
			return nil, at(path, key, unknownKey(key.Value, flags))
		}
		if _, ok := values[key.Value]; ok {
			return nil, at(path, key, fmt.Errorf("key %q stands here a second time", key.Value))
		}
		value, err := readValue(node, flag)
		if err != nil {
			return nil, at(path, node, fmt.Errorf("%s: %w", key.Value, err))
		}
		values[key.Value] = value
	}
	return values, nil
}

func at(path string, node *yaml.Node, err error) error {
	return fmt.Errorf("%s:%d: %w", path, node.Line, err)
}

func flagOf(flags []*kong.Flag, name string) *kong.Flag {
	for _, flag := range flags {
		if flag.Name == name {
			return flag
		}
	}
	return nil
}

// readValue reads one value and tries it, so that a wrong one is reported with
// its line.
func readValue(node *yaml.Node, flag *kong.Flag) (any, error) {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	var value any
	switch {
	case node.Kind == yaml.ScalarNode && node.Tag == "!!null":
		return nil, errors.New("has no value")
	case node.Kind == yaml.ScalarNode && flag.IsSlice():
		value = []any{node.Value}
	case node.Kind == yaml.ScalarNode:
		value = node.Value
	case node.Kind == yaml.SequenceNode && flag.IsSlice():
		elements := make([]any, 0, len(node.Content))
		for _, element := range node.Content {
			if element.Kind != yaml.ScalarNode || element.Tag == "!!null" {
				return nil, errors.New("every element has to be one value")
			}
			elements = append(elements, element.Value)
		}
		value = elements
	case flag.IsSlice():
		return nil, errors.New("has to be a value or a list of values")
	default:
		return nil, errors.New("has to be one value")
	}
	trial := reflect.New(flag.Target.Type()).Elem()
	if err := flag.Parse(kong.Scan().PushTyped(value, kong.FlagValueToken), trial); err != nil {
		return nil, err
	}
	if text, ok := value.(string); ok && flag.Enum != "" && !slices.Contains(flag.EnumSlice(), text) {
		return nil, fmt.Errorf("%q is not one of %s", text, strings.Join(flag.EnumSlice(), ", "))
	}
	return value, nil
}

// unknownKey names the key that was probably meant.
func unknownKey(key string, flags []*kong.Flag) error {
	var names []string
	for _, flag := range flags {
		names = append(names, flag.Name)
	}
	return unknownName(key, names, "siprecd config prints all keys")
}

// unknownName names the key that was probably meant, or where all keys are.
func unknownName(key string, names []string, all string) error {
	best, distance := "", len(key)/2+1
	for _, name := range names {
		if d := editDistance(strings.ToLower(strings.ReplaceAll(key, "_", "-")), name); d < distance {
			best, distance = name, d
		}
	}
	if best == "" {
		return fmt.Errorf("unknown key %q (%s)", key, all)
	}
	return fmt.Errorf("unknown key %q, did you mean %q?", key, best)
}

// editDistance is the number of insertions, deletions and replacements of a byte
// that make b of a (Levenshtein).
func editDistance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			replaced := diagonal
			if a[i-1] != b[j-1] {
				replaced++
			}
			diagonal = row[j]
			row[j] = min(replaced, row[j]+1, row[j-1]+1)
		}
	}
	return row[len(b)]
}
