package metadata

import (
	"strings"

	"github.com/beevik/etree"
)

// A scope holds the namespace declarations of an element and points to those
// around it, so that a declaration is read once however many elements use it.
type scope struct {
	outer *scope
	uris  map[string]string // by prefix, "" for the default namespace
}

func (s *scope) resolve(prefix string) string {
	for ; s != nil; s = s.outer {
		if uri, ok := s.uris[prefix]; ok {
			return uri
		}
	}
	if prefix == "" {
		return ""
	}
	return prefix + ":"
}

// A node is an element with what is in force around it.
type node struct {
	*etree.Element
	in        *scope
	namespace string
	local     string // local name in lower case
}

func newNode(e *etree.Element, outer *scope) node {
	in := outer
	for _, a := range e.Attr {
		prefix, declares := declaredPrefix(a)
		if !declares {
			continue
		}
		if in == outer {
			in = &scope{outer: outer, uris: make(map[string]string, 1)}
		}
		in.uris[prefix] = a.Value
	}
	return node{Element: e, in: in, namespace: in.resolve(e.Space), local: strings.ToLower(e.Tag)}
}

// declaredPrefix reports whether an attribute is a namespace declaration.
func declaredPrefix(a etree.Attr) (prefix string, ok bool) {
	switch {
	case a.Space == "xmlns":
		return a.Key, true
	case a.Space == "" && a.Key == "xmlns":
		return "", true
	}
	return "", false
}

// children calls f for each element directly inside n.
func (n node) children(f func(node)) {
	for _, t := range n.Child {
		if e, ok := t.(*etree.Element); ok {
			f(newNode(e, n.in))
		}
	}
}

// attr returns the first attribute that has one of the local names, which are in
// lower case and in order of preference.
func (n node) attr(names []string) (string, bool) {
	for _, name := range names {
		for _, a := range n.Attr {
			if strings.EqualFold(a.Key, name) && a.Space != "xmlns" {
				return a.Value, true
			}
		}
	}
	return "", false
}

func (n node) attrNamed(name string) string {
	v, _ := n.attr([]string{name})
	return v
}

// text returns the character data directly inside n, trimmed. Comments do not
// interrupt it.
func (n node) text() string {
	var only string
	var all []string
	for _, t := range n.Child {
		c, ok := t.(*etree.CharData)
		if !ok {
			continue
		}
		if only == "" && all == nil {
			only = c.Data
			continue
		}
		if all == nil {
			all = append(all, only)
		}
		all = append(all, c.Data)
	}
	if all != nil {
		only = strings.Join(all, "")
	}
	return strings.TrimSpace(only)
}

// extension keeps n and all inside it as text. Depth is bounded by MaxDepth.
func (n node) extension() Extension {
	x := Extension{Namespace: n.namespace, Name: n.Tag, Text: n.text()}
	for _, a := range n.Attr {
		if _, declares := declaredPrefix(a); !declares {
			x.Attrs = append(x.Attrs, Attr{Name: a.Key, Value: a.Value})
		}
	}
	n.children(func(c node) { x.Children = append(x.Children, c.extension()) })
	return x
}
