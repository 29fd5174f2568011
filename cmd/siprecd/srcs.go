package main

import (
	"bytes"
	"cmp"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/siprecd/siprecd/siprec"
)

// A profile is one Session Recording Client as its operator declares it.
type profile struct {
	siprec.SRC
	addresses    []network
	certificates []string
	listeners    []string
}

// srcFile is where a profile stands, for what it names.
type srcFile struct {
	path string
	dir  string
}

// A srcKey is one key of a profile. The table of them is the reader of the file and
// the words of its documentation.
type srcKey struct {
	name, value, help string
	read              func(f srcFile, node *yaml.Node, p *profile) error
}

// srcKeys are the keys of a profile, in the order of docs/srcs.md.
func srcKeys() []srcKey {
	return []srcKey{
		{"name", "text", "What the SRC is called in logs, manifests and limits. Required, and different for each.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.Name) }},
		{"addresses", "list of addresses or networks", "Where it signals from, or `any`. Of several SRCs the one with the longest prefix is meant.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return networksOf(n, &p.addresses) }},
		{"certificates", "list of names", "Names of its TLS certificate: common name, DNS name or URI, one is enough. Such an SRC is known by its certificate only, and before all that are known by address; with `addresses` both have to fit.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return texts(n, &p.certificates) }},
		{"listeners", "list of names", "Listeners it may come to (`--listen NAME=ADDRESS`). Empty: all.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return texts(n, &p.listeners) }},
		{"plain-invite", "true or false", "Whether an INVITE opens a recording session although nothing in it says so. Default false.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.PlainInvite) }},
		{"strict", "true or false", "Whether both marks of RFC 7866 are needed, `+sip.src` in Contact and `siprec` in Require; else one sign is enough. Default false.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.Strict) }},
		{"media-networks", "list of addresses or networks", "Further networks its RTP may come from, beside the address of the SDP and that of the SIP peer.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return mediaNetworks(n, p) }},
		{"max-recording-sessions", "number", "Recording sessions of it at the same time; one more is answered 503, or 302 with `--redirect`. Default: no limit of its own.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return positive(n, &p.MaxRecordingSessions) }},
		{"invites-per-second", "number", "Recording sessions it may ask for in a second, on average; further ones are answered as above. Default: no limit.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return positive(n, &p.InvitesPerSecond) }},
		{"srtp", "preferred, required or off", "Whether SRTP is taken where it is offered, has to be offered, or is refused. Default preferred.",
			func(_ srcFile, n *yaml.Node, p *profile) error {
				return oneOf(n, &p.SRTP, siprec.SRTPPreferred, siprec.SRTPRequired, siprec.SRTPOff)
			}},
		{"srtp-suites", "list of names", "The crypto-suites that are accepted, the preferred first. Default: all that are understood.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return suites(n, &p.SRTPSuites) }},
		{"codecs", "list of names", "Encodings that come first in answers, in this order; none is excluded.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return texts(n, &p.Codecs) }},
		{"refuse-unrecorded", "true or false", "Whether media that is not recorded is answered with port 0, not with a bound port and inactive. Default false.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return scalar(n, &p.RefuseUnrecorded) }},
		{"answer-delay", "duration", "How long after an INVITE its 200 leaves at the earliest, below 30s. Default 0s.",
			func(_ srcFile, n *yaml.Node, p *profile) error { return delay(n, &p.AnswerDelay) }},
		{"enforce", "off or source", "`source` asks it by re-INVITE to send nothing while nothing may be kept; what it sends all the same is withheld, as it is with `off`. Default off.",
			func(_ srcFile, n *yaml.Node, p *profile) error {
				var word string
				err := oneOf(n, &word, "off", "source")
				p.EnforceAtSource = word == "source"
				return err
			}},
		{"digest", "mapping, see below", "Passwords it has to say (RFC 3261 §22, RFC 7616). Default: none.",
			func(f srcFile, n *yaml.Node, p *profile) error {
				p.Digest = &siprec.Digest{}
				return readDigest(f, n, p.Digest)
			}},
	}
}

// digestKeys are the keys below digest.
func digestKeys() []digestKey {
	return []digestKey{
		{"realm", "text", "The realm. Default `siprecd`.",
			func(_ srcFile, n *yaml.Node, d *siprec.Digest) error { return scalar(n, &d.Realm) }},
		{"md5", "true or false", "Whether MD5 may be used by an SRC that cannot do SHA-256. Default false.",
			func(_ srcFile, n *yaml.Node, d *siprec.Digest) error { return scalar(n, &d.MD5) }},
		{"users", "list of mappings", "Each has a `name`, and either a `password-file`, whose first line is the password, or `sha256`, or `md5`, or both: the hash in hexadecimal of `name:realm:password`. A path is relative to this file.",
			func(f srcFile, n *yaml.Node, d *siprec.Digest) error { return readUsers(f, n, d) }},
	}
}

type digestKey struct {
	name, value, help string
	read              func(f srcFile, node *yaml.Node, d *siprec.Digest) error
}

// readSRCs reads the file of the SRCs. Errors begin with file:line.
func readSRCs(path string) ([]profile, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("srcs: %w", err)
	}
	list, err := parseSRCs(srcFile{path, filepath.Dir(path)}, text)
	if err != nil {
		return nil, fmt.Errorf("srcs: %w", err)
	}
	return list, nil
}

func parseSRCs(f srcFile, text []byte) ([]profile, error) {
	var document yaml.Node
	decoder := yaml.NewDecoder(bytes.NewReader(text))
	if err := decoder.Decode(&document); err != nil && !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: %s", f.path, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(document.Content) == 0 {
		return nil, fmt.Errorf("%s: no SRC in it", f.path)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return nil, fmt.Errorf("%s: more than one document; all SRCs belong into the first", f.path)
	}
	top := document.Content[0]
	if top.Kind != yaml.SequenceNode {
		return nil, at(f.path, top, errors.New("not a list of SRCs"))
	}
	var list []profile
	for _, node := range top.Content {
		p, err := readProfile(f, resolved(node))
		if err != nil {
			return nil, err
		}
		if slices.ContainsFunc(list, func(q profile) bool { return q.Name == p.Name }) {
			return nil, at(f.path, node, fmt.Errorf("a second SRC of the name %q", p.Name))
		}
		list = append(list, p)
	}
	return list, nil
}

func readProfile(f srcFile, node *yaml.Node) (profile, error) {
	var p profile
	keys := srcKeys()
	err := readKeys(f, node, func(key string) (func(*yaml.Node) error, []string) {
		for _, k := range keys {
			if k.name == key {
				return func(n *yaml.Node) error { return k.read(f, n, &p) }, nil
			}
		}
		return nil, namesOf(keys, func(k srcKey) string { return k.name })
	})
	switch {
	case err != nil:
		return profile{}, err
	case p.Name == "":
		return profile{}, at(f.path, node, errors.New("an SRC without a name"))
	case len(p.addresses)+len(p.certificates) == 0:
		return profile{}, at(f.path, node, fmt.Errorf("nothing says who %s is: it needs addresses or certificates", p.Name))
	}
	return p, nil
}

func readDigest(f srcFile, node *yaml.Node, d *siprec.Digest) error {
	keys := digestKeys()
	err := readKeys(f, node, func(key string) (func(*yaml.Node) error, []string) {
		for _, k := range keys {
			if k.name == key {
				return func(n *yaml.Node) error { return k.read(f, n, d) }, nil
			}
		}
		return nil, namesOf(keys, func(k digestKey) string { return k.name })
	})
	if err != nil {
		return err
	}
	d.Realm = cmp.Or(d.Realm, "siprecd")
	if strings.ContainsAny(d.Realm, "\"\\\r\n") {
		return errors.New("realm: no quotes, backslashes or line ends")
	}
	if len(d.Users) == 0 {
		return errors.New("no users")
	}
	return nil
}

func readUsers(f srcFile, node *yaml.Node, d *siprec.Digest) error {
	if node.Kind != yaml.SequenceNode {
		return errors.New("has to be a list of users")
	}
	for _, entry := range node.Content {
		var u siprec.User
		var file string
		words := map[string]*string{"name": &u.Name, "password-file": &file, "sha256": &u.SHA256, "md5": &u.MD5}
		entry = resolved(entry)
		err := readKeys(f, entry, func(key string) (func(*yaml.Node) error, []string) {
			if to := words[key]; to != nil {
				return func(n *yaml.Node) error { return scalar(n, to) }, nil
			}
			return nil, []string{"name", "password-file", "sha256", "md5"}
		})
		if err == nil {
			err = complete(f, &u, file)
		}
		if err != nil {
			return located(f, entry, err)
		}
		d.Users = append(d.Users, u)
	}
	return nil
}

// complete checks a user and reads its password.
func complete(f srcFile, u *siprec.User, file string) error {
	u.SHA256, u.MD5 = strings.ToLower(u.SHA256), strings.ToLower(u.MD5)
	switch {
	case u.Name == "" || strings.ContainsAny(u.Name, "\":\\\r\n"):
		return fmt.Errorf("%q cannot be the name of a user", u.Name)
	case (file != "") == (u.SHA256+u.MD5 != ""):
		return fmt.Errorf("user %s needs a password-file or hashes, not both", u.Name)
	case !isHash(u.SHA256, 32) || !isHash(u.MD5, 16):
		return fmt.Errorf("user %s: a hash is not of the right length in hexadecimal", u.Name)
	case file == "":
		return nil
	}
	if !filepath.IsAbs(file) {
		file = filepath.Join(f.dir, file)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("user %s: %w", u.Name, err)
	}
	line, _, _ := strings.Cut(string(text), "\n")
	if u.Password = strings.TrimSuffix(line, "\r"); u.Password == "" {
		return fmt.Errorf("user %s: %s has no password in its first line", u.Name, file)
	}
	return nil
}

// isHash accepts no hash, or one of so many octets.
func isHash(s string, octets int) bool {
	b, err := hex.DecodeString(s)
	return s == "" || err == nil && len(b) == octets
}

// A locatedError has its file and line already.
type locatedError struct{ error }

func (e locatedError) Unwrap() error { return e.error }

func located(f srcFile, node *yaml.Node, err error) error {
	if errors.As(err, new(locatedError)) {
		return err
	}
	return locatedError{at(f.path, node, err)}
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

// find gives the profile of an origin: by certificate first, then by the longest
// prefix of its address; the first of equals.
func find(list []profile, origin siprec.Origin) (siprec.SRC, bool) {
	best, length := -1, -1
	for i, p := range list {
		if len(p.listeners) > 0 && !slices.Contains(p.listeners, origin.Listener) {
			continue
		}
		bits := p.prefix(origin.Source.Addr())
		if len(p.certificates) > 0 {
			if !sharesName(p.certificates, origin.Certificate) || bits < 0 && len(p.addresses) > 0 {
				continue
			}
			bits += 1000 // before all that are known by address
		}
		if bits > length {
			best, length = i, bits
		}
	}
	if best < 0 {
		return siprec.SRC{}, false
	}
	return list[best].SRC, true
}

// prefix is the length of the longest of its networks with an address, or -1.
func (p profile) prefix(addr netip.Addr) int {
	longest := -1
	addr = addr.Unmap().WithZone("")
	for _, n := range p.addresses {
		for _, prefix := range n.prefixes {
			if prefix.Contains(addr) {
				longest = max(longest, prefix.Bits())
			}
		}
	}
	return longest
}

func sharesName(configured, shown []string) bool {
	return slices.ContainsFunc(configured, func(c string) bool {
		return slices.ContainsFunc(shown, func(s string) bool { return strings.EqualFold(c, s) })
	})
}
