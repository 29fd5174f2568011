package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/rules"
)

// A directory is what explain was told about addresses, and the profile of the
// SRC.
type directory struct {
	book    *rules.Book
	profile rules.Profile
}

// readDirectory reads the YAML file of a rules.Directory and picks a profile. No
// file is the empty directory.
func readDirectory(path, profile string) (directory, error) {
	if path == "" {
		return directory{book: rules.Compile(rules.Directory{})}, nil
	}
	d, err := loadDirectory(path)
	if err != nil {
		return directory{}, err
	}
	who := directory{book: rules.Compile(d)}
	if profile == "" {
		return who, nil
	}
	p, ok := d.Profile(profile)
	if !ok {
		var names []string
		for _, p := range d.Profiles {
			names = append(names, p.Name)
		}
		return directory{}, fmt.Errorf("%s: there is no profile %q, only [%s]", path, profile, strings.Join(names, ", "))
	}
	who.profile = p
	return who, nil
}

// loadDirectory reads the YAML file of a rules.Directory.
func loadDirectory(path string) (rules.Directory, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return rules.Directory{}, fmt.Errorf("directory: %w", err)
	}
	return parseDirectory(path, text)
}

// A directoryError is all that is wrong with a directory, each with file:line.
type directoryError []string

// Error says what is wrong first.
func (e directoryError) Error() string {
	if more := len(e) - 1; more > 0 {
		return fmt.Sprintf("%s (and %d more)", e[0], more)
	}
	return e[0]
}

// parseDirectory reads the text of the file. Errors begin with file:line.
func parseDirectory(path string, text []byte) (rules.Directory, error) {
	var d rules.Directory
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	decoder.KnownFields(true)
	if err := decoder.Decode(&d); err != nil && !errors.Is(err, io.EOF) {
		return d, yamlError(path, text, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return d, fmt.Errorf("%s: more than one document", path)
	}
	problems := d.Check()
	if len(problems) == 0 {
		return d, nil
	}
	var root yaml.Node
	if err := yaml.Unmarshal(text, &root); err != nil {
		return d, yamlError(path, text, err)
	}
	var wrong directoryError
	for _, p := range problems {
		wrong = append(wrong, fmt.Sprintf("%s:%d: %v", path, lineOf(&root, p.Where), p))
	}
	return d, wrong
}

// yamlError writes "yaml: line 3: ..." as file:3: ..., in one line.
func yamlError(path string, text []byte, err error) error {
	words := strings.TrimPrefix(err.Error(), "yaml: ")
	var typed *yaml.TypeError
	if errors.As(err, &typed) && len(typed.Errors) > 0 {
		words = typed.Errors[0]
	}
	if rest, ok := strings.CutPrefix(words, "line "); ok {
		if line, rest, ok := strings.Cut(rest, ": "); ok {
			return fmt.Errorf("%s:%s: %s", path, line, rest)
		}
	}
	// What our own types refuse comes without a line, but quotes the value.
	var root yaml.Node
	if yaml.Unmarshal(text, &root) == nil {
		if line := lineQuoted(&root, words); line > 0 {
			return fmt.Errorf("%s:%d: %s", path, line, words)
		}
	}
	return fmt.Errorf("%s: %s", path, words)
}

// lineQuoted is the line of the first value that a text quotes, or 0.
func lineQuoted(node *yaml.Node, text string) int {
	if node.Kind == yaml.ScalarNode && strings.Contains(text, strconv.Quote(node.Value)) {
		return node.Line
	}
	for _, c := range node.Content {
		if line := lineQuoted(c, text); line > 0 {
			return line
		}
	}
	return 0
}

// lineOf finds the line of a place such as agents[2].numbers[0], or of the last
// part of it that stands in the file.
func lineOf(node *yaml.Node, where string) int {
	if node.Kind == yaml.DocumentNode && len(node.Content) > 0 {
		node = node.Content[0]
	}
	line := max(node.Line, 1)
	for _, step := range strings.FieldsFunc(where, func(r rune) bool { return r == '.' || r == '[' || r == ']' }) {
		next := child(node, step)
		if next == nil {
			break
		}
		node, line = next, next.Line
	}
	return line
}

func child(node *yaml.Node, step string) *yaml.Node {
	if node.Kind == yaml.AliasNode {
		node = node.Alias
	}
	if i, err := strconv.Atoi(step); err == nil && node.Kind == yaml.SequenceNode && i < len(node.Content) {
		return node.Content[i]
	}
	if node.Kind == yaml.MappingNode {
		for i := 0; i+1 < len(node.Content); i += 2 {
			if node.Content[i].Value == step {
				return node.Content[i+1]
			}
		}
	}
	return nil
}
