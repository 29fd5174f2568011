// Package rfc3261 checks what SIP (RFC 3261) asks of a Session Recording Server
// as a user agent server.
package rfc3261

import (
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return slices.Concat(section7(), section8(), requests(), section9(), section11(), section12(), routes(),
		section13(), section14(), section15(), audio(), section17(), section18())
}
