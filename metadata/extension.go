package metadata

import (
	"encoding/xml"
	"strings"
)

// An Extension is an element that RFC 7865 does not define, kept as text: one of
// a foreign namespace, or an unknown one of the recording namespace.
type Extension struct {
	// Namespace is the URI; when the prefix was never declared, the prefix and
	// a colon.
	Namespace string
	Name      string // local name, as sent
	Attrs     []Attr
	Text      string // trimmed character data directly inside
	Children  []Extension
}

// An Attr is an attribute of an Extension, without its prefix.
type Attr struct{ Name, Value string }

// Attr returns the value of the attribute of that name, without case, or "".
func (x Extension) Attr(name string) string {
	for _, a := range x.Attrs {
		if strings.EqualFold(a.Name, name) {
			return a.Value
		}
	}
	return ""
}

// Find returns the elements at a path of local names below x, without case and
// namespace: "callType/termCall/callingPartyNumber".
func (x Extension) Find(path string) []Extension { return FindExtensions(x.Children, path) }

// FindExtensions returns the elements at a path whose first name is one of xs.
func FindExtensions(xs []Extension, path string) []Extension {
	first, rest, deeper := strings.Cut(path, "/")
	var out []Extension
	for _, x := range xs {
		if !strings.EqualFold(x.Name, first) {
			continue
		}
		if deeper {
			out = append(out, x.Find(rest)...)
		} else {
			out = append(out, x)
		}
	}
	return out
}

// String returns the extension as XML. Character data comes before the children,
// prefixes are replaced by declarations of the default namespace.
func (x Extension) String() string {
	var b strings.Builder
	x.write(&b, "")
	return b.String()
}

func (x Extension) write(b *strings.Builder, outer string) {
	b.WriteString("<" + x.Name)
	if x.Namespace != outer {
		writeAttr(b, "xmlns", x.Namespace)
	}
	for _, a := range x.Attrs {
		writeAttr(b, a.Name, a.Value)
	}
	if x.Text == "" && len(x.Children) == 0 {
		b.WriteString("/>")
		return
	}
	b.WriteString(">")
	escape(b, x.Text)
	for _, c := range x.Children {
		c.write(b, x.Namespace)
	}
	b.WriteString("</" + x.Name + ">")
}

func writeAttr(b *strings.Builder, name, value string) {
	b.WriteString(" " + name + `="`)
	escape(b, value)
	b.WriteString(`"`)
}

func escape(b *strings.Builder, s string) {
	// A strings.Builder does not fail, and that is the only error of EscapeText.
	_ = xml.EscapeText(b, []byte(s))
}

// mergeExtensions lays those of a partial document over those known: elements of
// a qualified name that was sent replace all of that name (M22).
func mergeExtensions(known, sent []Extension) []Extension {
	if len(sent) == 0 {
		return known
	}
	type name struct{ namespace, local string }
	replaced := make(map[name]bool, len(sent))
	for _, x := range sent {
		replaced[name{x.Namespace, x.Name}] = true
	}
	var out []Extension
	for _, x := range known {
		if !replaced[name{x.Namespace, x.Name}] {
			out = append(out, x)
		}
	}
	return append(out, sent...)
}
