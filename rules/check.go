package rules

import (
	"fmt"
	"strings"
)

// A Problem is something in a Directory that cannot be meant.
type Problem struct {
	Where string // as in the configuration: agents[2].numbers[0]
	Words string
}

// String returns where and what.
func (p Problem) String() string { return p.Where + ": " + p.Words }

// Check returns what is contradictory, unreadable or without effect, in the order
// of the configuration; nothing when all is well.
func (d Directory) Check() []Problem {
	c := &checker{numbering: d.Numbering, seen: make(map[string]claim)}
	for _, s := range d.sections() {
		for i, e := range s.entries {
			c.entry(s.role, fmt.Sprintf("%s[%d]", s.name, i), e)
		}
	}
	c.list("inside.domains", d.Inside.Domains, func(s string) bool { _, ok := parseDomain(s); return ok }, "no domain, address or network")
	c.list("inside.numbers", d.Inside.Numbers, func(s string) bool { _, ok := parseRange(s); return ok }, "no number range: want low-high, equally long, or prefix*")
	c.list("inside.realms", d.Inside.Realms, func(s string) bool { return strings.Trim(s, "*? ") != "" }, "names no realm")
	if d.InsideRole != RoleUnknown && !d.InsideRole.own() {
		c.add("inside_role", "%v is none of the own people", d.InsideRole)
	}
	c.prefixes(d.Numbering)
	names := make(map[string]bool)
	for i, p := range d.Profiles {
		where := fmt.Sprintf("profiles[%d]", i)
		if p.Name == "" || names[p.Name] {
			c.add(where+".name", "a profile needs a name of its own")
		}
		names[p.Name] = true
		c.profile(where, p)
	}
	return c.problems
}

type checker struct {
	numbering Numbering
	seen      map[string]claim
	problems  []Problem
}

// A claim is the first place that says something of an address.
type claim struct {
	role  Role
	where string
}

func (c *checker) add(where, format string, args ...any) {
	c.problems = append(c.problems, Problem{where, fmt.Sprintf(format, args...)})
}

func (c *checker) list(where string, values []string, ok func(string) bool, words string) {
	for i, s := range values {
		if !ok(s) {
			c.add(fmt.Sprintf("%s[%d]", where, i), "%q: %s", s, words)
		}
	}
}

// claim notes what an address is said to be, once per role.
func (c *checker) claim(role Role, where, key string) {
	first, taken := c.seen[key]
	switch {
	case !taken:
		c.seen[key] = claim{role, where}
	case first.role != role:
		c.add(where, "contradicts %s: %v there, %v here", first.where, first.role, role)
	default:
		c.add(where, "is in %s already", first.where)
	}
}

func (c *checker) entry(role Role, where string, e Entry) {
	if len(e.AORs)+len(e.Numbers)+len(e.Extensions)+len(e.Patterns)+len(e.Domains) == 0 {
		c.add(where, "lists nothing")
	}
	each := func(name string, values []string, key func(string) string, words string) {
		for i, s := range values {
			at := fmt.Sprintf("%s.%s[%d]", where, name, i)
			if k := key(s); k != "" {
				c.claim(role, at, k)
			} else {
				c.add(at, "%q: %s", s, words)
			}
		}
	}
	each("aors", e.AORs, func(s string) string {
		a := c.numbering.Address(s)
		if key := a.aor(); key != "" {
			return "aor " + key
		}
		return c.number(a)
	}, "no address with user and host")
	each("numbers", e.Numbers, func(s string) string { return c.number(c.numbering.Address(s)) }, "no number")
	each("extensions", e.Extensions, func(s string) string {
		if a := (Address{Number: digitsOf(s, true)}); a.isShort() {
			return "extension " + a.Number
		}
		return ""
	}, "no extension: want 3 to 6 digits, and no emergency number")
	each("patterns", e.Patterns, func(s string) string {
		if strings.Trim(s, "*?@. ") == "" {
			return ""
		}
		return "pattern " + strings.ToLower(s)
	}, "the pattern is for everybody")
	each("domains", e.Domains, func(s string) string {
		if dom, ok := parseDomain(s); ok {
			return "domain " + dom.text
		}
		return ""
	}, "no domain, address or network")
}

func (c *checker) number(a Address) string {
	if a.Number == "" {
		return ""
	}
	return "number " + numberKey(a.Number)
}

func (c *checker) prefixes(n Numbering) {
	for _, f := range [...]struct{ name, value string }{
		{"country_code", n.CountryCode}, {"trunk", n.Trunk}, {"international", n.International},
	} {
		if f.value != "" && (digitsOf(f.value, false) != f.value || f.value[0] == '+') {
			c.add("numbering."+f.name, "%q: want digits", f.value)
		}
	}
	if n.CountryCode == "" && (n.Trunk != "" || n.National != 0) {
		c.add("numbering", "trunk and national_length have no effect without country_code")
	}
	if n.National < 0 || n.National > longest {
		c.add("numbering.national_length", "want 0 to %d", longest)
	}
}

func (c *checker) profile(where string, p Profile) {
	if p.RecordedLabel != "" && p.RecordedOrder != OrderNone {
		c.add(where, "recorded_label and recorded_order contradict each other: set one")
	}

	if p.RecordedOrder != OrderNone && p.Caller != OrderNone &&
		(p.Direction == DirectionInbound || p.Direction == DirectionOutbound) {
		// The recorded user is called when the call comes in, and calls otherwise.
		if recordedCalls := p.RecordedOrder == p.Caller; recordedCalls != (p.Direction == DirectionOutbound) {
			c.add(where, "recorded_order, caller and direction %v contradict each other", p.Direction)
		}
	}
	for i, s := range p.Placeholders {
		if c.numbering.Address(s).aor() == "" {
			c.add(fmt.Sprintf("%s.placeholders[%d]", where, i), "%q: no address with user and host", s)
		}
	}
}
