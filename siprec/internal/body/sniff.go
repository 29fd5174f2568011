package body

import "bytes"

const typeMixed = "multipart/mixed"

// sniff tells from the first octets what a body is: TypeSDP, TypeMetadata,
// multipart/mixed, or empty for anything else.
func sniff(b []byte) string {
	b = trimStart(b)
	switch {
	case bytes.HasPrefix(b, []byte("v=0")):
		return TypeSDP
	case bytes.HasPrefix(b, []byte("<?xml")):
		return TypeMetadata
	case bytes.HasPrefix(b, []byte("<")):
		return sniffRoot(b[1:])
	case bytes.HasPrefix(b, []byte("--")):
		return sniffMultipart(b)
	}
	return ""
}

// sniffRoot looks at the name of the first element, with any prefix. It covers
// the roots of RFC 7865 §6.1, of its drafts, and of a request for a snapshot.
func sniffRoot(b []byte) string {
	end := bytes.IndexAny(b[:min(len(b), 128)], " \t\r\n/>")
	if end < 0 {
		return ""
	}
	name := b[:end]
	name = name[bytes.IndexByte(name, ':')+1:]
	if bytes.HasPrefix(bytes.ToLower(name), []byte("recording")) ||
		bytes.EqualFold(name, []byte("requestsnapshot")) {
		return TypeMetadata
	}
	return ""
}

// sniffMultipart wants a delimiter line and after it part headers or nothing
// but a blank line.
func sniffMultipart(b []byte) string {
	line, rest := cutLine(b)
	if !isBoundary(bytes.TrimRight(line[2:], " \t")) {
		return ""
	}
	line, _ = cutLine(rest)
	if _, isHeader := cutHeader(line); isHeader || (len(rest) > 0 && isBlank(line)) {
		return typeMixed
	}
	return ""
}

// settle gives a part the media type its content shows when it has none or
// when the declared one, description or metadata, is contradicted by it.
func (s *splitter) settle(p *Part) {
	found := sniff(p.Body)
	declared := p.Type == TypeSDP || p.IsMetadata()
	switch {
	case p.Type == "" && found != "":
		s.odd("no media type, taken for %s", found)
		p.Type, p.Params = found, nil
	case p.Type == "" && p.Disposition == DispositionRecording:
		s.odd("no media type, taken for %s", TypeMetadata)
		p.Type = TypeMetadata
	case p.Type == TypeSDP && (found == TypeMetadata || found == typeMixed),
		declared && p.Type != TypeSDP && (found == TypeSDP || found == typeMixed):
		s.odd("labelled %s, holds %s", p.Type, found)
		p.Type, p.Params = found, nil
	}
	if p.Type != TypeSDP && !p.IsMetadata() {
		return
	}
	if trimmed := trimStart(p.Body); len(trimmed) > 0 && len(trimmed) < len(p.Body) {
		// A reader of XML refuses a declaration that is not at the very start.
		s.odd("blank lines before the content of a part")
		p.Body = trimmed
	}
}

// relabel gives a part that is called multipart but could not be split the type
// its content shows, and reports whether it shows one.
func (s *splitter) relabel(p *Part) bool {
	found := sniff(p.Body)
	if found != TypeSDP && found != TypeMetadata {
		return false
	}
	s.odd("labelled multipart, holds %s", found)
	p.Type, p.Params, p.Body = found, nil, trimStart(p.Body)
	return true
}

// trimStart takes off blanks, line ends and a byte order mark.
func trimStart(b []byte) []byte {
	b = bytes.TrimLeft(b, " \t\r\n")
	if cut, ok := bytes.CutPrefix(b, []byte("\xef\xbb\xbf")); ok {
		b = bytes.TrimLeft(cut, " \t\r\n")
	}
	return b
}

func isBlank(line []byte) bool { return len(bytes.Trim(line, " \t\r\n")) == 0 }
