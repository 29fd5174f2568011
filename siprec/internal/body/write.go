package body

import (
	"bytes"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// Write makes a multipart/mixed body (RFC 2046 §5.1.3) of the parts and returns
// its Content-Type, with the boundary parameter, and its bytes. Type, Params,
// Disposition and Handling become header fields; of Headers only the others are
// written, without those that tell of a length or a transfer encoding.
//
// The boundary is used without characters that would need quoting, and with a
// number behind it when a part holds it. Without parts the body is empty.
func Write(parts []Part, boundary string) (contentType string, raw []byte) {
	if len(parts) == 0 {
		return "", nil
	}
	boundary = freeBoundary(parts, boundary)
	var b bytes.Buffer
	for _, p := range parts {
		b.WriteString("--" + boundary + "\r\n")
		writePart(&b, p)
	}
	b.WriteString("--" + boundary + "--\r\n")
	return typeMixed + ";boundary=" + boundary, b.Bytes()
}

func writePart(b *bytes.Buffer, p Part) {
	if p.Type != "" {
		writeHeader(b, "Content-Type", p.Type+formatParams(p.Params))
	}
	if p.Disposition != "" {
		value := p.Disposition
		if p.Handling != "" {
			value += ";handling=" + p.Handling
		}
		writeHeader(b, "Content-Disposition", value)
	}
	for _, h := range p.Headers {
		switch strings.ToLower(h.Name) {
		case "content-type", "content-disposition", "content-length", "content-transfer-encoding":
			continue
		}
		if isToken(h.Name) {
			writeHeader(b, h.Name, h.Value)
		}
	}
	b.WriteString("\r\n")
	b.Write(p.Body)
	b.WriteString("\r\n")
}

// writeHeader keeps a value on its line, so that it cannot begin another field.
func writeHeader(b *bytes.Buffer, name, value string) {
	b.WriteString(name + ": " + strings.NewReplacer("\r", " ", "\n", " ").Replace(value) + "\r\n")
}

func formatParams(params map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(params)) {
		b.WriteString(";" + name + "=" + quote(params[name]))
	}
	return b.String()
}

// freeBoundary makes a boundary that occurs in no part.
func freeBoundary(parts []Part, wanted string) string {
	base := strings.Map(func(r rune) rune {
		if r < 0x80 && (isAlnum(byte(r)) || r == '-' || r == '_' || r == '.') {
			return r
		}
		return -1
	}, wanted)
	base = base[:min(len(base), 60)]
	if base == "" {
		base = "part"
	}
	boundary := base
	for n := 1; occurs(parts, boundary); n++ {
		boundary = base + strconv.Itoa(n)
	}
	return boundary
}

func occurs(parts []Part, boundary string) bool {
	return slices.ContainsFunc(parts, func(p Part) bool {
		return bytes.Contains(p.Body, []byte("--"+boundary))
	})
}
