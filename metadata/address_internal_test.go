package metadata

import "testing"

// Shows 7865-6.5.1-01.
func TestParseAddress(t *testing.T) {
	for _, c := range []struct{ in, user, host string }{
		{"sip:ann@Example.COM", "ann", "example.com"},
		{" SIPS:ann@example.com:5061;transport=tls?x=y ", "ann", "example.com"},
		{"ann@example.com", "ann", "example.com"},
		{`"A <b>" <sip:ann@example.com>;tag=1`, "ann", "example.com"},
		{"Ann <sip:ann@example.com", "ann", "example.com"},
		{`"Ann`, "", `"ann`},
		{"tel:+1-510-555-0101;ext=1", "+15105550101", ""},
		{"tel:(510) 555.0101", "5105550101", ""},
		{"+15105550101", "+15105550101", ""},
		{"sip:5550101", "5550101", ""},
		{"sip:+1%2D510@example.com", "+1510", "example.com"},
		{"sip:a%zz@example.com", "a%zz", "example.com"},
		{"sip:ann;x=y:secret@example.com", "ann", "example.com"},
		{"sip:ann:secret@[2001:DB8::1]:5060", "ann", "[2001:db8::1]"},
		{"sip:ann@[2001:DB8::1", "ann", "[2001:db8::1"},
		{"sip:@example.com", "", "example.com"},
		{"sip:example.com;lr", "", "example.com"},
		{"urn:service:sos", "", "urn"},
		{"", "", ""},
	} {
		if got := parseAddress(c.in); got != (address{c.user, c.host}) {
			t.Errorf("%q: %+v, want %q at %q", c.in, got, c.user, c.host)
		}
	}
}

func TestAddressBook(t *testing.T) {
	named := func(id ID, aors ...string) Participant {
		p := Participant{ID: id}
		for _, aor := range aors {
			p.NameIDs = append(p.NameIDs, NameID{AOR: aor})
		}
		return p
	}
	b := newAddressBook([]Participant{
		named("A", "sip:201@a.example.com", "sip:201@a.example.com", "sip:anonymous@anonymous.invalid"),
		named("B", "sip:201@b.example.com"), named("C", "sip:5105550103"), named("D", "sip:5105550104@trunk.example.com"),
	})
	for _, c := range []struct {
		in         string
		find, tail ID
	}{
		{"201@A.example.com", "A", "A"},
		{"201", "", ""}, // two have it
		{"5105550103@any.example.com", "C", "C"},
		{"5105550104", "D", "D"},
		{"+15105550104", "", "D"},
		{"+15105550104@x", "", "D"},
		{"0104", "", ""}, // no short tails
		{"5550104", "", ""},
		{"123456789012345105550104", "", ""}, // no number is that long
		{"anonymous@anonymous.invalid", "", ""},
		{"", "", ""},
	} {
		if got := b.find(c.in); got != c.find {
			t.Errorf("%q finds %q, want %q", c.in, got, c.find)
		}
		if got := b.findTail(c.in); got != c.tail {
			t.Errorf("the tail of %q finds %q, want %q", c.in, got, c.tail)
		}
	}
}
