package body

import (
	"bytes"
	"errors"
	"fmt"
)

// Limits of what Split reads.
const (
	MaxSize  = 4 << 20 // octets of a whole body
	MaxParts = 64      // parts of a whole body; further ones are left out
	MaxDepth = 4       // multiparts within each other; deeper ones stay whole
)

// maxOddities bounds the list that a hostile body can make us write.
const maxOddities = 64

// Errors of Split.
var (
	// ErrTooLarge: the body has more than MaxSize octets.
	ErrTooLarge = errors.New("body is larger than 4 MiB")
	// ErrNoParts: the body is called multipart, holds no delimiter, and its
	// content is neither a session description nor metadata.
	ErrNoParts = errors.New("multipart body without parts")
)

// Split returns the parts of a body in order, nested multiparts flattened. The
// arguments are the Content-Type and Content-Disposition of the message and its
// body. A body that is not multipart is one part, a blank one is none.
//
// Oddities are deviations from the standards that were tolerated; they hold
// nothing of the content. The error is ErrTooLarge or ErrNoParts.
func Split(contentType, disposition string, raw []byte) (parts []Part, oddities []string, err error) {
	if len(raw) > MaxSize {
		return nil, nil, ErrTooLarge
	}
	s := &splitter{}
	if isBlank(raw) {
		if contentType != "" {
			s.odd("media type without a body")
		}
		return nil, s.oddities, nil
	}
	whole := Part{Body: raw}
	whole.setType(contentType)
	whole.setDisposition(disposition)
	s.settle(&whole)
	if !whole.isMultipart() {
		return []Part{whole}, s.oddities, nil
	}
	if !s.multipart(whole, 1) {
		if !s.relabel(&whole) {
			return nil, s.oddities, ErrNoParts
		}
		s.parts = append(s.parts, whole)
	}
	return s.parts, s.oddities, nil
}

// A splitter collects the parts of one body.
type splitter struct {
	parts    []Part
	oddities []string
}

func (s *splitter) odd(format string, args ...any) {
	if len(s.oddities) < maxOddities {
		s.oddities = append(s.oddities, fmt.Sprintf(format, args...))
	}
}

// full says that no further part is taken.
func (s *splitter) full() bool { return len(s.parts) >= MaxParts }

// multipart adds the parts of one multipart (RFC 2046 §5.1.1) and reports
// whether there were any.
func (s *splitter) multipart(whole Part, depth int) bool {
	text := whole.Body
	ds, boundary := s.delimiters(text, whole.Params["boundary"])
	if len(ds) == 0 {
		return false
	}
	before := len(s.parts)
	s.preamble(text[:ds[0].start], depth)
	for i, d := range ds {
		if d.closing {
			s.epilogue(ds[i+1:])
			return len(s.parts) > before
		}
		end := len(text)
		if i+1 < len(ds) {
			end = ds[i+1].start
		} else if len(ds) == maxDelimiters {
			s.odd("more than %d delimiters, the rest is left out", maxDelimiters-1)
			break
		}
		content := text[d.end:end]
		if i+1 == len(ds) {
			content = s.unclosed(content, boundary)
		}
		if isBlank(content) {
			continue
		}
		if s.full() {
			s.odd("more than %d parts, the rest is left out", MaxParts)
			break
		}
		s.part(content, depth)
	}
	return len(s.parts) > before
}

// preamble is to be ignored (RFC 2046 §5.1.1), but it is the first part when the
// first delimiter line was forgotten.
func (s *splitter) preamble(text []byte, depth int) {
	start := bytes.TrimLeft(text, " \t\r\n")
	line, _ := cutLine(start)
	name, isHeader := cutHeader(line)
	if found := sniff(start); found == TypeSDP || found == TypeMetadata ||
		isHeader && isContentName(name) {
		s.odd("no delimiter before the first part")
		s.part(start, depth)
	}
}

// epilogue is what follows the closing delimiter: to be ignored.
func (s *splitter) epilogue(ds []delimiter) {
	for _, d := range ds {
		if !d.closing {
			s.odd("parts after the closing delimiter are left out")
			return
		}
	}
}

// unclosed takes a closing delimiter off that stands at the end of the last
// line of the content instead of on a line of its own.
func (s *splitter) unclosed(content []byte, boundary string) []byte {
	s.odd("no closing delimiter")
	trimmed := bytes.TrimRight(content, " \t\r\n")
	if cut, ok := bytes.CutSuffix(trimmed, []byte("--"+boundary+"--")); ok {
		return cut
	}
	return content
}

// part adds one part, or the parts of a nested multipart. The content reaches
// from the end of its delimiter line to the start of the next.
func (s *splitter) part(content []byte, depth int) {
	p := Part{}
	p.Headers, content = s.headers(content)
	p.Body = s.extent(p, content)
	p.setType(p.header("content-type"))
	p.setDisposition(p.header("content-disposition"))
	s.decode(&p)
	s.settle(&p)
	if p.Type == "" {
		p.Type = "text/plain" // RFC 2046 §5.1
	}
	if p.isMultipart() {
		if depth == MaxDepth {
			s.odd("multiparts nested deeper than %d stay whole", MaxDepth)
		} else if s.multipart(p, depth+1) {
			return
		} else if !s.relabel(&p) {
			s.odd("nested multipart without parts")
		}
	}
	s.parts = append(s.parts, p)
}
