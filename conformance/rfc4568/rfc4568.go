// Package rfc4568 checks how a Session Recording Server answers offers of SRTP with
// keys in the description (RFC 4568).
package rfc4568

import (
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
)

// Cases lists the cases in the order of the sections.
func Cases() []check.Case { return slices.Concat(section5(), section6(), audio(), section7()) }
