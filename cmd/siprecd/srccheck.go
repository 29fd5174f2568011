package main

import (
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// distinct refuses an SRC that could be mistaken for one before it: of two that fit
// equally well nobody could say which is meant, and one may need no password.
func distinct(f srcFile, before []profile, p profile) error {
	for _, q := range before {
		if !p.sharedListeners(q) {
			continue
		}
		prefix, same := p.sharedPrefix(q)
		same = same || p.fromAnywhere() && q.fromAnywhere()
		switch byCertificate := len(p.certificates) > 0; {
		case !same, byCertificate != (len(q.certificates) > 0):
		case !byCertificate:
			return ofSRC(p.Name, located(f, p.at["addresses"], fmt.Errorf("addresses: SRC %s has %s too", q.Name, prefix)))
		case sharesName(p.certificates, q.certificates):
			return ofSRC(p.Name, located(f, p.at["certificates"], fmt.Errorf("certificates: SRC %s has one of the same name", q.Name)))
		}
	}
	return nil
}

// fromAnywhere reports whether the address of an SRC tells nothing: it has none, which
// only an SRC with certificates may, or every address fits.
func (p profile) fromAnywhere() bool {
	every := 0
	for _, n := range p.addresses {
		for _, prefix := range n.prefixes {
			if prefix.Bits() == 0 {
				every++
			}
		}
	}
	return len(p.addresses) == 0 || every > 1
}

// sharedListeners reports whether there may be a listener that both come to.
func (p profile) sharedListeners(q profile) bool {
	return len(p.listeners) == 0 || len(q.listeners) == 0 ||
		slices.ContainsFunc(p.listeners, func(name string) bool { return slices.Contains(q.listeners, name) })
}

// sharedPrefix is a network that both have. Of a network within another the longer
// prefix is meant, so only equal ones count.
func (p profile) sharedPrefix(q profile) (netip.Prefix, bool) {
	for _, a := range p.addresses {
		for _, b := range q.addresses {
			for _, prefix := range a.prefixes {
				if slices.Contains(b.prefixes, prefix) {
					return prefix, true
				}
			}
		}
	}
	return netip.Prefix{}, false
}

// checkSRCs refuses what the settings make impossible for an SRC.
func (s *settings) checkSRCs(f srcFile, list []profile) error {
	for _, p := range list {
		if err := s.checkListeners(p); err != nil {
			return ofSRC(p.Name, located(f, p.at["listeners"], err))
		}
		if err := s.checkCertificates(p); err != nil {
			return ofSRC(p.Name, located(f, p.at["certificates"], err))
		}
		if p.RequireTLS {
			if err := s.checkSecure(p); err != nil {
				return ofSRC(p.Name, located(f, p.at["tls"], fmt.Errorf("tls: %w", err)))
			}
		}
	}
	return nil
}

func (s *settings) checkListeners(p profile) error {
	names := namesOf(s.Listen, func(l listener) string { return l.name })
	for _, name := range p.listeners {
		if !slices.Contains(names, name) {
			known := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" })
			if len(known) == 0 {
				return fmt.Errorf("listeners: no listener has the name %q, nor any (--listen NAME=ADDRESS)", name)
			}
			return fmt.Errorf("listeners: no listener has the name %q, there are %s", name, strings.Join(known, ", "))
		}
	}
	return nil
}

// checkCertificates: an SRC that is known by its certificate has to be able to show it.
func (s *settings) checkCertificates(p profile) error {
	if len(p.certificates) == 0 {
		return nil
	}
	switch err := s.checkSecure(p); {
	case err != nil:
		return fmt.Errorf("certificates: %w", err)
	case s.TLSClients == "off" || s.TLSClients == "":
		return errors.New("certificates: SRCs are not asked for one (--tls-clients optional or required)")
	}
	return nil
}

// checkSecure: an SRC that has to come over TLS has to have a listener for it.
func (s *settings) checkSecure(p profile) error {
	secure := slices.ContainsFunc(s.Listen, func(l listener) bool {
		return l.network == "tls" && (len(p.listeners) == 0 || slices.Contains(p.listeners, l.name))
	})
	switch {
	case !secure && len(p.listeners) > 0:
		return errors.New("none of its listeners is of TLS (--listen NAME=tls:ADDRESS)")
	case !secure:
		return errors.New("nothing listens on TLS (--listen tls:ADDRESS)")
	}
	return nil
}
