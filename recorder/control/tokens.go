package control

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/recorder"
)

const (
	// minToken is the shortest token that is looked at, in octets: what a person
	// made up is mostly shorter, and what a machine made is not.
	minToken = 32
	maxToken = 256
	// maxTokenFile bounds what is read of a file that is said to hold tokens.
	maxTokenFile = 1 << 20
	// maxTokenName is the longest name of a token, in octets.
	maxTokenName = 64
	// defaultPerSecond is how many requests a token has in a second where its entry
	// says nothing, maxPerSecond how many it may be given.
	defaultPerSecond = 200
	maxPerSecond     = 10000

	allAccounts = "*"
)

// Tokens are whom the control interface knows, and what each of them may. They do
// not change once they are read.
type Tokens struct{ list []token }

// A token is one system or person that may command. The token itself is nowhere
// kept, but for its hash.
type token struct {
	name      string
	sum       [sha256.Size]byte
	accounts  []string // of the policy file; "*" is all, and calls of none
	rights    []right
	perSecond int
}

// mayDo reports whether the token has a right as a whole.
func (t *token) mayDo(r right) bool { return slices.Contains(t.rights, r) }

// may reports whether the token may give a command.
func (t *token) may(a recorder.Action) bool {
	return slices.Contains(t.rights, right(a)) || t.mayDo(rightOf(a))
}

// sees reports whether the token may know of what belongs to an account. Without a
// policy file nothing belongs to any, and only who sees all sees it.
func (t *token) sees(account string) bool {
	return slices.Contains(t.accounts, allAccounts) || account != "" && slices.Contains(t.accounts, account)
}

// NewToken makes a token of 32 random octets, in base64url (RFC 4648 §5) behind
// "siprecd-", and the SHA-256 by which a file of tokens knows it, in hexadecimal.
func NewToken() (text, sum string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails
	text = "siprecd-" + base64.RawURLEncoding.EncodeToString(b[:])
	hash := sha256.Sum256([]byte(text))
	return text, hex.EncodeToString(hash[:])
}

// TokenLine is the entry of a file of tokens for a token of that name and hash. It is
// checked as [ReadTokens] checks it.
func TokenLine(name, sum string, accounts, rights []string) (string, error) {
	line := fmt.Sprintf("- {name: %s, sha256: %s, accounts: [%s], commands: [%s]}\n",
		strconv.Quote(name), sum, quoted(accounts), strings.Join(rights, ", "))
	_, err := parseTokens("token", []byte(line))
	return line, err
}

func quoted(list []string) string {
	var out []string
	for _, s := range list {
		out = append(out, strconv.Quote(s))
	}
	return strings.Join(out, ", ")
}

// ReadTokens reads a file of tokens: a list in YAML of mappings with name, sha256,
// accounts, commands and, if wanted, per-second (docs/control.md). A file that other
// users may read or write is refused, as is one with a key that is not known. Errors
// begin with file and line.
func ReadTokens(path string) (*Tokens, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("control tokens: %w", err)
	}
	if info.Mode().Perm()&0o027 != 0 {
		return nil, fmt.Errorf("control tokens: %s may be read by everybody, or written by others than its owner (mode %#o), make it 0600", path, info.Mode().Perm())
	}
	if info.Size() > maxTokenFile {
		return nil, fmt.Errorf("control tokens: %s is too large", path)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("control tokens: %w", err)
	}
	tokens, err := parseTokens(path, text)
	if err != nil {
		return nil, fmt.Errorf("control tokens: %w", err)
	}
	return tokens, nil
}

func parseTokens(path string, text []byte) (*Tokens, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil, fmt.Errorf("%s: no token in it", path)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document; all tokens belong into the first", path)
	}
	top := document.Content[0]
	if top.Kind != yaml.SequenceNode {
		return nil, fmt.Errorf("%s:%d: not a list of tokens", path, top.Line)
	}
	tokens := &Tokens{}
	for _, node := range top.Content {
		t, at, err := readToken(resolved(node))
		if err == nil {
			err = tokens.add(t)
		}
		if err != nil {
			return nil, fmt.Errorf("%s:%d: %w", path, at.Line, err)
		}
	}
	return tokens, nil
}

// add takes one more token, which none of the others may be.
func (ts *Tokens) add(t token) error {
	for _, other := range ts.list {
		switch {
		case other.name == t.name:
			return fmt.Errorf("a second token of the name %q", t.name)
		case other.sum == t.sum:
			return fmt.Errorf("%s is the token of %s", t.name, other.name)
		}
	}
	ts.list = append(ts.list, t)
	return nil
}

// readToken reads one entry, and where it or what is wrong in it stands.
func readToken(node *yaml.Node) (t token, at *yaml.Node, err error) {
	if node.Kind != yaml.MappingNode {
		return t, node, errors.New("a token has to be a mapping")
	}
	t.perSecond = defaultPerSecond
	keys := map[string]func(*yaml.Node) error{
		"name":       func(n *yaml.Node) error { return t.readName(n) },
		"sha256":     func(n *yaml.Node) error { return t.readSum(n) },
		"accounts":   func(n *yaml.Node) error { return texts(n, &t.accounts) },
		"commands":   func(n *yaml.Node) error { return t.readRights(n) },
		"per-second": func(n *yaml.Node) error { return t.readRate(n) },
	}
	seen := make(map[string]bool)
	for i := 0; i+1 < len(node.Content); i += 2 {
		key, value := node.Content[i], resolved(node.Content[i+1])
		read := keys[key.Value]
		switch {
		case read == nil:
			return t, key, fmt.Errorf("unknown key %q: want name, sha256, accounts, commands or per-second", key.Value)
		case seen[key.Value]:
			return t, key, fmt.Errorf("key %q stands here a second time", key.Value)
		}
		seen[key.Value] = true
		if err := read(value); err != nil {
			return t, value, fmt.Errorf("%s: %w", key.Value, err)
		}
	}
	for _, key := range []string{"name", "sha256", "accounts", "commands"} {
		if !seen[key] {
			return t, node, fmt.Errorf("a token without %s", key)
		}
	}
	return t, node, nil
}

func (t *token) readName(n *yaml.Node) error {
	t.name = n.Value
	if n.Kind != yaml.ScalarNode || t.name == "" || len(t.name) > maxTokenName ||
		strings.ContainsFunc(t.name, func(r rune) bool { return !unicode.IsPrint(r) }) {
		return fmt.Errorf("want 1 to %d characters that can be printed", maxTokenName)
	}
	return nil
}

func (t *token) readSum(n *yaml.Node) error {
	b, err := hex.DecodeString(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || len(b) != len(t.sum) {
		return errors.New("want the SHA-256 of the token, 64 hexadecimal digits (siprecd control token NAME makes both)")
	}
	t.sum = [sha256.Size]byte(b)
	return nil
}

func (t *token) readRights(n *yaml.Node) error {
	var names []string
	if err := texts(n, &names); err != nil {
		return err
	}
	all := rightNames()
	for _, name := range names {
		if !slices.Contains(all, name) {
			return fmt.Errorf("there is no command or group %q: want of %s", name, strings.Join(all, ", "))
		}
		t.rights = append(t.rights, right(name))
	}
	return nil
}

func (t *token) readRate(n *yaml.Node) error {
	rate, err := strconv.Atoi(n.Value)
	if n.Kind != yaml.ScalarNode || err != nil || rate < 1 || rate > maxPerSecond {
		return fmt.Errorf("want a number from 1 to %d", maxPerSecond)
	}
	t.perSecond = rate
	return nil
}

// texts reads a value or a list of values, at least one, none of them empty.
func texts(n *yaml.Node, to *[]string) error {
	nodes := []*yaml.Node{n}
	if n.Kind == yaml.SequenceNode {
		nodes = n.Content
	}
	for _, e := range nodes {
		if e = resolved(e); e.Kind != yaml.ScalarNode || e.Tag == "!!null" || e.Value == "" {
			return errors.New("want a value or a list of values")
		}
		*to = append(*to, e.Value)
	}
	if len(*to) == 0 {
		return errors.New("is empty")
	}
	return nil
}

// resolved follows an alias of YAML.
func resolved(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return n.Alias
	}
	return n
}

// Len is how many tokens there are.
func (ts *Tokens) Len() int { return len(ts.list) }

// find returns whose token a text is, or nil. It compares with all of them, so that
// its time tells nothing.
func (ts *Tokens) find(text string) *token {
	if len(text) < minToken || len(text) > maxToken {
		return nil
	}
	sum := sha256.Sum256([]byte(text))
	var found *token
	for i := range ts.list {
		if subtle.ConstantTimeCompare(ts.list[i].sum[:], sum[:]) == 1 {
			found = &ts.list[i]
		}
	}
	return found
}
