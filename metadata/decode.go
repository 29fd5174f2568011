package metadata

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/beevik/etree"
)

// Oddities of Decode.
const (
	oddEncoding     = "not UTF-8 (RFC 7865 §5.1)"
	oddRepaired     = "not well-formed XML, repaired"
	oddSecondRoot   = "more than one root element (RFC 7865 §5.1.2)"
	oddOuterText    = "text outside the root element"
	oddNested       = "recording inside recording (RFC 7865 §5.1.2)"
	oddNamespace    = "namespace is not that of RFC 7865 §5.1.1"
	oddTime         = "time not as in RFC 7865 §6.9"
	oddNoID         = "element without its id (RFC 7865 §9)"
	oddNoReference  = "association without a reference (RFC 7865 §9)"
	oddDuplicate    = "same id twice in one document"
	oddModeSpelling = "datamode spelt otherwise (RFC 7865 §9)"
)

// Decode reads a metadata document in any [Layout]. Elements are recognised by
// their local names without case, in any order; namespace and prefix only tell
// extensions from the rest.
//
// The error wraps one of ErrTooLarge, ErrTooDeep, ErrTooMany, ErrEntity,
// ErrSyntax, ErrNotMetadata and ErrDataMode. Text that is not UTF-8 and XML that
// is not well-formed are read as far as they can be, with an oddity.
func Decode(b []byte) (*Document, error) {
	// Before anything copies or converts what is too large.
	if len(b) > MaxSize {
		return nil, fmt.Errorf("decoding metadata: %w: %d octets", ErrTooLarge, len(b))
	}
	r := &reader{doc: &Document{}}
	b = r.toUTF8(b)
	tree, err := r.parse(b)
	if err != nil {
		return nil, fmt.Errorf("decoding metadata: %w", err)
	}
	if err := r.readTree(tree); err != nil {
		return nil, fmt.Errorf("decoding metadata: %w", err)
	}
	r.tellOddFacts()
	return r.doc, nil
}

// tellOddFacts notes what the facts of the document correct. Only extensions of
// the whole document are ever corrected.
func (r *reader) tellOddFacts() {
	if len(FindExtensions(r.doc.Extensions, "extensiondata/callednumber")) == 0 {
		return
	}
	for _, what := range r.doc.readFacts().oddities {
		r.odd(what)
	}
}

// toUTF8 drops a byte order mark and replaces what is not UTF-8. Declarations of
// another character set are believed only when the octets are not UTF-8: the
// MIME type and RFC 7865 §5.1 say UTF-8, whatever the XML declaration claims.
func (r *reader) toUTF8(b []byte) []byte {
	b = bytes.TrimPrefix(b, []byte("\xef\xbb\xbf"))
	if utf8.Valid(b) {
		return b
	}
	r.odd(oddEncoding)
	head := strings.ToLower(string(b[:min(len(b), 128)]))
	if !strings.Contains(head, "8859-1") && !strings.Contains(head, "1252") && !strings.Contains(head, "latin") {
		return bytes.ToValidUTF8(b, []byte("\uFFFD"))
	}
	out := make([]byte, 0, len(b)+len(b)/8)
	for _, c := range b {
		out = utf8.AppendRune(out, rune(c))
	}
	return out
}

// parse builds the tree, from a repaired copy when the text is not well-formed.
func (r *reader) parse(b []byte) (*etree.Document, error) {
	if err := checkLimits(b); err != nil {
		return nil, err
	}
	tree, err := parseTree(b)
	if err == nil || !errors.Is(err, ErrSyntax) {
		return tree, err
	}
	repaired, ok := repair(b)
	if !ok {
		return nil, err
	}
	tree, again := parseTree(repaired)
	if again != nil {
		return nil, err // the first error is about the text as sent
	}
	r.odd(oddRepaired)
	return tree, nil
}

func parseTree(b []byte) (*etree.Document, error) {
	tree := etree.NewDocument()
	tree.ReadSettings.MaxDepth = MaxDepth
	switch err := tree.ReadFromBytes(b); {
	case errors.Is(err, etree.ErrMaxDepth):
		return nil, fmt.Errorf("%w: more than %d", ErrTooDeep, MaxDepth)
	case err != nil:
		// The parser's own words may quote the document, which is personal data.
		return nil, ErrSyntax
	case tree.Root() == nil:
		return nil, fmt.Errorf("%w: no element", ErrSyntax)
	}
	return tree, nil
}

// A reader turns one tree into a Document.
type reader struct {
	doc  *Document
	seen sign
	err  error
	ids  map[kindedID]bool
}

type kindedID struct {
	kind Kind
	id   ID
}

func (r *reader) odd(what string) {
	if !slices.Contains(r.doc.Oddities, what) {
		r.doc.Oddities = append(r.doc.Oddities, what)
	}
}

func (r *reader) readTree(tree *etree.Document) error {
	root, err := r.findRoot(tree)
	if err != nil {
		return err
	}
	r.seen.root, r.seen.namespace = root.local, root.namespace
	if !knownNamespace(root.namespace) || root.namespace == "" {
		r.odd(oddNamespace)
	}
	r.ids = make(map[kindedID]bool)
	r.readBody(root, root.namespace)
	r.doc.Layout = layoutOf(r.seen)
	return r.err
}

// findRoot returns the first root element that is metadata. A second one and
// text around it, such as a left-over MIME boundary, are passed over.
func (r *reader) findRoot(tree *etree.Document) (node, error) {
	var found *etree.Element
	roots := 0
	for _, t := range tree.Child {
		switch t := t.(type) {
		case *etree.Element:
			roots++
			name := strings.ToLower(t.Tag)
			if found == nil && (name == rootRecording || name == rootOlder) {
				found = t
			}
		case *etree.CharData:
			if !t.IsWhitespace() {
				r.odd(oddOuterText)
			}
		}
	}
	if found == nil {
		return node{}, fmt.Errorf("%w: no recording element", ErrNotMetadata)
	}
	if roots > 1 {
		r.odd(oddSecondRoot)
	}
	return newNode(found, nil), nil
}

// readBody reads the children of the root. own is the root's namespace: its
// elements are read whatever that is, so that a wrong one does not empty the
// document.
func (r *reader) readBody(root node, own string) {
	root.children(func(c node) {
		if c.namespace != own && !knownNamespace(c.namespace) {
			r.doc.Extensions = append(r.doc.Extensions, c.extension())
			return
		}
		switch c.local {
		case "datamode":
			r.readMode(c)
		case "group":
			r.readGroup(c)
		case "session":
			r.readCommunicationSession(c)
		case "participant":
			r.readParticipant(c)
		case "stream":
			r.readStream(c)
		case "sessionrecordingassoc":
			r.readRecordingAssoc(c)
		case "participantsessionassoc", "participantsessassoc":
			// RFC 8068 §3.2.3 uses the second spelling once.
			r.readMembership(c)
		case "participantstreamassoc":
			r.readStreamAssoc(c)
		default:
			r.readOther(c, root, own)
		}
	})
}

// readOther keeps what the standard does not name. A recording inside the root
// is read as if it were the root, except in the layout that has such an element
// for the recording session itself.
func (r *reader) readOther(c, root node, own string) {
	if c.local == rootRecording && root.local == rootRecording {
		r.odd(oddNested)
		r.readBody(c, own)
		return
	}
	r.doc.Extensions = append(r.doc.Extensions, c.extension())
}

// readMode reads datamode (RFC 7865 §5.1.2). The prose of the standard spells it
// dataMode, the schema does not.
func (r *reader) readMode(c node) {
	if c.Tag != "datamode" {
		r.odd(oddModeSpelling)
	}
	switch strings.ToLower(c.text()) {
	case "complete", "":
		r.doc.Mode = Complete
	case "partial":
		r.doc.Mode = Partial
	default:
		// Neither guess is safe: one forgets participants, the other keeps them.
		r.err = ErrDataMode
	}
}
