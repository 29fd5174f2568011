package rules

import (
	"fmt"
	"net/netip"
	"strings"
)

// A Book is a Directory made ready for being looked things up in. It does not
// change and may be used by many goroutines.
type Book struct {
	numbering  Numbering
	insideRole Role
	aors       map[string]listing
	numbers    map[string]listing // by numberKey
	extensions map[string]listing
	patterns   []patternListing
	domains    []domainListing
	inside     []domain
	realms     []string
	ranges     []numberRange
}

// A listing is an entry found.
type listing struct {
	role Role
	who  string // name, or what was configured
	how  string // by what
	bare bool   // by nothing but digits
}

func (l listing) words() string {
	return fmt.Sprintf("%v %s of the directory, by %s", l.role, l.who, l.how)
}

type patternListing struct {
	pattern string
	listing
}

type domainListing struct {
	domain
	listing
}

// Compile makes a directory ready. Entries that cannot be read are left out; see
// [Directory.Check].
func Compile(d Directory) *Book {
	b := &Book{
		numbering: d.Numbering, insideRole: d.insideRole(), realms: d.Inside.Realms,
		aors: make(map[string]listing), numbers: make(map[string]listing), extensions: make(map[string]listing),
	}
	for _, s := range d.sections() {
		for _, e := range s.entries {
			b.add(s.role, e)
		}
	}
	for _, s := range d.Inside.Domains {
		if dom, ok := parseDomain(s); ok {
			b.inside = append(b.inside, dom)
		}
	}
	for _, s := range d.Inside.Numbers {
		if r, ok := parseRange(s); ok {
			b.ranges = append(b.ranges, r)
		}
	}
	return b
}

func (b *Book) add(role Role, e Entry) {
	found := func(what, how string, bare bool) listing {
		l := listing{role: role, who: e.Name, how: how, bare: bare}
		if l.who == "" {
			l.who = what
		}
		return l
	}
	put := func(m map[string]listing, key string, l listing) {
		if _, have := m[key]; !have {
			m[key] = l
		}
	}
	for _, s := range e.AORs {
		a := b.numbering.Address(s)
		if key := a.aor(); key != "" {
			put(b.aors, key, found(s, "AOR", false))
		} else if a.Number != "" {
			put(b.numbers, numberKey(a.Number), found(s, "number", true))
		}
	}
	for _, s := range e.Numbers {
		if a := b.numbering.Address(s); a.Number != "" {
			put(b.numbers, numberKey(a.Number), found(s, "number", true))
		}
	}
	for _, s := range e.Extensions {
		put(b.extensions, digitsOf(s, true), found(s, "extension", true))
	}
	for _, s := range e.Patterns {
		b.patterns = append(b.patterns, patternListing{strings.ToLower(s), found(s, "pattern", false)})
	}
	for _, s := range e.Domains {
		if dom, ok := parseDomain(s); ok {
			b.domains = append(b.domains, domainListing{dom, found(s, "domain", false)})
		}
	}
}

// lookUp returns the entry for an address, the most particular one: AOR, number,
// extension, pattern, domain, number range.
func (b *Book) lookUp(a Address) (listing, bool) {
	if l, ok := b.aors[a.aor()]; ok {
		l.bare = a.Phone // a telephone number, whatever the host (RFC 3261 §19.1.6)
		return l, true
	}
	if a.Number != "" {
		if l, ok := b.numbers[numberKey(a.Number)]; ok {
			return l, true
		}
		if l, ok := b.extensions[a.Number]; ok && a.isShort() {
			return l, true
		}
	}
	for _, p := range b.patterns {
		of := strings.ToLower(a.User)
		if strings.Contains(p.pattern, "@") {
			of = a.aor()
		}
		if of == "" || !glob(p.pattern, of) {
			continue
		}
		l := p.listing
		l.bare = a.Phone || a.Number != "" && !strings.Contains(p.pattern, "@")
		return l, true
	}
	for _, d := range b.domains {
		if d.has(a.Host) && !a.Phone {
			return d.listing, true
		}
	}
	if r, ok := b.inRange(a); ok {
		return listing{role: b.insideRole, who: r, how: "number range", bare: true}, true
	}
	return listing{}, false
}

// NameOf is what the directory calls whom an address belongs to: the name of the
// entry, or what of it fits; empty for an address that it does not list.
func (b *Book) NameOf(address string) string {
	l, _ := b.lookUp(b.numbering.Address(address))
	return l.who
}

func (b *Book) inRange(a Address) (string, bool) {
	for _, r := range b.ranges {
		if r.has(a.Number) {
			return r.text, true
		}
	}
	return "", false
}

// insideDomain returns the inside domain that a host is in.
func (b *Book) insideDomain(host string) (string, bool) {
	for _, d := range b.inside {
		if d.has(host) {
			return d.text, true
		}
	}
	return "", false
}

func (b *Book) insideRealm(realm string) bool {
	for _, r := range b.realms {
		if r != "" && glob(strings.ToLower(r), strings.ToLower(realm)) {
			return true
		}
	}
	return false
}

// A domain is a host name, all names below one, or a network.
type domain struct {
	text    string
	network netip.Prefix
}

func parseDomain(s string) (domain, bool) {
	s = strings.TrimSpace(s)
	if prefix, err := netip.ParsePrefix(s); err == nil {
		return domain{s, prefix.Masked()}, true
	}
	host := cleanHost(s)
	if addr, err := netip.ParseAddr(host); err == nil {
		return domain{host, netip.PrefixFrom(addr, addr.BitLen())}, true
	}
	below := strings.TrimPrefix(host, "*.")
	return domain{text: host}, below != "" && !strings.ContainsAny(below, "*?/ @")
}

func (d domain) has(host string) bool {
	if d.network.IsValid() {
		addr, _ := netip.ParseAddr(host) // what is none is in no network
		return d.network.Contains(addr)
	}
	if below, ok := strings.CutPrefix(d.text, "*"); ok {
		return strings.HasSuffix(host, below)
	}
	return host == d.text
}

// A numberRange is all numbers from low to high, which are equally long, or all
// that begin with a prefix.
type numberRange struct {
	text, low, high string
	prefix          string
}

func parseRange(s string) (numberRange, bool) {
	s = strings.TrimSpace(s)
	if prefix, ok := strings.CutSuffix(s, "*"); ok {
		digits := digitsOf(prefix, true)
		return numberRange{text: s, prefix: digits}, digits != ""
	}
	// Hyphens are separators, too: the one before + or in the middle parts.
	low, high, ok := strings.Cut(s, "-+")
	if ok {
		high = "+" + high
	} else {
		low, high, _ = strings.Cut(s, "-")
	}
	r := numberRange{text: s, low: digitsOf(low, true), high: digitsOf(high, true)}
	same := len(r.low) == len(r.high) && strings.HasPrefix(r.low, "+") == strings.HasPrefix(r.high, "+")
	return r, same && r.low != "" && r.low <= r.high
}

func (r numberRange) has(number string) bool {
	if r.prefix != "" {
		return strings.HasPrefix(number, r.prefix)
	}
	return len(number) == len(r.low) && number >= r.low && number <= r.high
}

// glob matches * with any text and ? with one octet. It goes back to the last *
// only, so that it takes no more than the product of both lengths.
func glob(pattern, s string) bool {
	var p, i, mark int
	star := -1
	for i < len(s) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, i
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == s[i]):
			p++
			i++
		case star >= 0:
			mark++
			p, i = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}
