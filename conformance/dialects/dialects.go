// Package dialects checks that a server takes recording sessions as clients in the
// field write them: each layout of the metadata there was before RFC 7865, and each
// peculiarity that SBCs, gateways and platforms are known for. What RFCs allow is a
// must; what only the field demands is a should. A case is a whole small call. The
// documents are our own, of the shape that the field has.
package dialects

import (
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
)

// Cases lists the cases, layout by layout and vendor by vendor.
func Cases() []check.Case {
	var cases []check.Case
	for _, c := range calls() {
		cases = append(cases, c.asCase())
	}
	return append(cases, recordings()...)
}

func calls() []call {
	return slices.Concat(layouts(), cisco(), oracle(), audioCodes(), avaya(), broadWorks(), metaswitch(), platforms(),
		marks(), multipart(), contents(), labels(), streams(), later())
}
