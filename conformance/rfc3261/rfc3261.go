// Package rfc3261 checks what SIP (RFC 3261) asks of a Session Recording Server
// as a user agent server.
package rfc3261

import (
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return slices.Concat(section7(), spellings(), section8(), requests(), inspections(), responses(), section9(), cancelling(),
		section11(), section12(), routes(), identities(), requestsOfTheServer(), section13(), repetitions(),
		section14(), changes(), section15(), audio(), section17(), section18(), datagrams(), streams(), strays())
}
