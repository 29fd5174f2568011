package recorder

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/siprecd/siprecd/metadata"
	"github.com/siprecd/siprecd/siprec"
)

// readHeaders merges what the header fields of a request say of participants:
// devices that record without RFC 7865 name them there (Cisco CUBE, built-in
// bridge; see [metadata.FromHeaders]). It returns the lines to be kept, when they
// are others than before, and whether it merged. Once metadata came, readable or
// not, header fields say nothing any more.
//
// The lines are remembered: they also hold for m-lines that a later message
// brings, such as the ACK of an INVITE without an offer (RFC 3261 §13.2.1).
func (p *people) readHeaders(ev *siprec.Event, b metadata.Binding) (docs []rawDocument, merged bool) {
	if p.documented || ev.Kind == siprec.Ended {
		return nil, false
	}
	told := false
	err := guarded(func() error {
		hs := telling(ev.Headers)
		told = len(hs) > 0 && !slices.Equal(hs, p.headers)
		if told {
			p.headers = hs
		}
		if len(p.headers) == 0 || !told && b == nil {
			return nil
		}
		p.merge(metadata.FromHeaders(p.headers, b), ev.At, b)
		merged = true
		return nil
	})
	if told {
		docs = append(docs, p.keep(ev.At, headersForm, linesOf(p.headers), err))
	}
	return docs, merged
}

// telling leaves the header fields that name participants.
func telling(hs []siprec.Header) []metadata.HeaderField {
	var out []metadata.HeaderField
	for _, h := range hs {
		one := []metadata.HeaderField{{Name: h.Name, Value: h.Value}}
		if metadata.FromHeaders(one, nil) != nil {
			out = append(out, one...)
		}
	}
	return out
}

// linesOf is header fields as they are kept.
func linesOf(hs []metadata.HeaderField) []byte {
	var b bytes.Buffer
	for _, h := range hs {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	return b.Bytes()
}

const headersForm = "headers-%s.txt"
