// Package robustness checks what becomes of messages that are odd, wrong, too large, too
// slow or too many, in the classes of RFC 4475 and beyond: what is valid is taken,
// however it looks; what is not gets an answer that says so; and nothing costs a
// recording session beside it, or the next one. The messages are our own.
package robustness

import (
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
)

// Cases lists the cases, class by class.
func Cases() []check.Case {
	var cases []check.Case
	for _, class := range classes() {
		for _, p := range class.probes {
			cases = append(cases, p.asCase())
		}
		cases = append(cases, class.survival())
	}
	return slices.Concat(cases, connections(), handshakes(), datagrams(), floods())
}

// A class is a list of probes of one kind.
type class struct {
	name   string // of the IDs, behind "robustness/"
	what   string // its messages, in the plural
	probes []probe
}

func classes() []class {
	return []class{
		{"valid", "messages that are valid however odd they look", valid()},
		{"start-line", "bad start lines", startLines()},
		{"fields", "bad header fields", fields()},
		{"numbers", "bad numbers", numbers()},
		{"size", "messages of unusual size", sizes()},
		{"body", "bad bodies", bodies()},
		{"xml", "documents that are meant to hurt", documents()},
		{"sdp", "bad session descriptions", descriptions()},
	}
}
