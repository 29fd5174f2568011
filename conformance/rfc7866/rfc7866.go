// Package rfc7866 checks the Session Recording Protocol (RFC 7866) from the
// side of the Session Recording Client.
package rfc7866

import (
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case {
	return slices.Concat(section6(), marks(), section7(), pauses(), streams(), section8(), audio(), networks(), reports(), section9(), carriers(), snapshots(), section12(), course(), asking())
}
