package main

import (
	"errors"
	"net/netip"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/siprec"
)

// find gives the profile of an origin: by certificate first, then by the longest
// prefix of its address. Of equals the first: there are none but for a certificate with
// the names of two.
func find(list []profile, origin siprec.Origin) (siprec.SRC, bool) {
	best, length := -1, -1
	for i, p := range list {
		if len(p.listeners) > 0 && !slices.Contains(p.listeners, origin.Listener) {
			continue
		}
		bits := p.prefix(origin.Source.Addr())
		if len(p.certificates) > 0 {
			if !sharesName(p.certificates, origin.Certificate) || bits < 0 && len(p.addresses) > 0 {
				continue
			}
			bits += 1000 // before all that are known by address
		}
		if bits > length {
			best, length = i, bits
		}
	}
	if best < 0 {
		return siprec.SRC{}, false
	}
	return list[best].SRC, true
}

// prefix is the length of the longest of its networks with an address, or -1.
func (p profile) prefix(addr netip.Addr) int {
	longest := -1
	addr = addr.Unmap().WithZone("")
	for _, n := range p.addresses {
		for _, prefix := range n.prefixes {
			if prefix.Contains(addr) {
				longest = max(longest, prefix.Bits())
			}
		}
	}
	return longest
}

// sharesName reports whether two lists have a name in common. A dot at the end says
// only that a DNS name is whole (RFC 1034 §3.1).
func sharesName(configured, shown []string) bool {
	return slices.ContainsFunc(configured, func(c string) bool {
		return slices.ContainsFunc(shown, func(s string) bool {
			return strings.EqualFold(strings.TrimSuffix(c, "."), strings.TrimSuffix(s, "."))
		})
	})
}

// What an SRC that is not let in reads in the Warning of its 403. None says anything
// of the others.
var (
	errNotAccepted   = errors.New("this address is not accepted")
	errNoCertificate = errors.New("a certificate that can be believed is needed, over TLS")
	errCertificate   = errors.New("the certificate has none of the names that are accepted")
	errListener      = errors.New("this client is not accepted on this listener")
)

// whyNot says what was missing of an origin that is none of the SRCs: what it is let in
// by elsewhere comes before its address.
func whyNot(list []profile, origin siprec.Origin) error {
	why := errNotAccepted
	for _, p := range list {
		address := p.prefix(origin.Source.Addr()) >= 0
		certified := sharesName(p.certificates, origin.Certificate)
		asked := address || len(p.addresses) == 0 && origin.Transport == "TLS"
		switch here := len(p.listeners) == 0 || slices.Contains(p.listeners, origin.Listener); {
		case !here && (certified || address && len(p.certificates) == 0):
			return errListener
		case !here || !asked || len(p.certificates) == 0 || certified:
		case len(origin.Certificate) > 0:
			why = errCertificate
		default:
			why = errNoCertificate
		}
	}
	return why
}
