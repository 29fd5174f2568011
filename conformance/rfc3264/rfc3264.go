// Package rfc3264 checks the answers of a Session Recording Server against the
// offer/answer model (RFC 3264).
package rfc3264

import (
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return slices.Concat(section5(), directions(), section6(), unknown(), answers(), audio(), section8(), changes())
}
