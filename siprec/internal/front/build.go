package front

import (
	"strconv"

	"github.com/emiago/sipgo/sip"
)

// A builder appends the header fields of a head to a message: in their order,
// one element per header, and typed where sipgo has a type and the value can be
// written again as it was read.
type builder struct {
	head *head
	msg  sip.Message
	left int // headers that may still be appended: a line can be a long list

	via                    bool
	from, to, callID, cseq string // as first seen
}

func (b *builder) append(h sip.Header) {
	b.left--
	b.msg.AppendHeader(h)
}

// fields appends all header fields.
func (b *builder) fields() *fault {
	for _, f := range b.head.fields {
		if flt := b.field(f); flt != nil {
			return flt
		}
		if b.left < 0 {
			return badRequest("too many header fields")
		}
	}
	for _, must := range []struct {
		name string
		ok   bool
	}{
		{"Via", b.via}, {"From", b.from != ""}, {"To", b.to != ""},
		{"Call-ID", b.callID != ""}, {"CSeq", b.cseq != ""},
	} {
		if !must.ok { // RFC 3261 §8.1.1
			return badRequest("no " + must.name)
		}
	}
	return nil
}

func (b *builder) field(f field) *fault {
	switch f.name {
	case "Via":
		return b.vias(f.value)
	case "From", "To", "Call-ID", "CSeq":
		return b.mandatory(f)
	case "Content-Length":
		return nil // written anew with the body
	case "Contact", "Route", "Record-Route", "Refer-To", "Referred-By":
		b.addresses(f.name, splitList(f.value))
	case "Max-Forwards":
		b.maxForwards(f.value)
	case "Content-Type":
		b.contentType(f.value)
	default:
		b.append(sip.NewHeader(f.name, f.value))
	}
	return nil
}

// vias takes the elements of one Via line. Only the top one of the message must
// be readable: the others are only copied.
func (b *builder) vias(value string) *fault {
	for _, one := range splitList(value) {
		if one == "" {
			b.head.odd("empty Via element")
			continue
		}
		v, err := parseVia(one)
		switch {
		case err == nil:
			b.append(v)
		case !b.via:
			return badRequest("bad Via")
		default:
			b.head.odd("unreadable Via below the top one")
			b.append(sip.NewHeader("Via", one))
		}
		b.via = true
	}
	return nil
}

// mandatory takes From, To, Call-ID and CSeq, each of which stands once in a
// message. One that is repeated with the same value does no harm; with another
// one nobody knows which counts (RFC 4475 §3.3.8).
func (b *builder) mandatory(f field) *fault {
	var seen *string
	switch f.name {
	case "From":
		seen = &b.from
	case "To":
		seen = &b.to
	case "Call-ID":
		seen = &b.callID
	case "CSeq":
		seen = &b.cseq
	}
	switch {
	case f.value == "":
		return badRequest("empty " + f.name)
	case *seen == f.value:
		b.head.odd(f.name + " repeated")
		return nil
	case *seen != "":
		return badRequest("more than one " + f.name)
	}
	*seen = f.value
	header, ok := b.typed(f)
	if !ok {
		return badRequest("bad " + f.name)
	}
	b.append(header)
	return nil
}

func (b *builder) typed(f field) (sip.Header, bool) {
	switch f.name {
	case "Call-ID":
		id := sip.CallIDHeader(f.value)
		return &id, true
	case "CSeq":
		cseq, ok := parseCSeq(f.value)
		return cseq, ok
	}
	one := splitList(f.value)
	a, err := parseAddress(one[0])
	if len(one) > 1 {
		// RFC 4475 §3.3.9: a display name with a comma should have been quoted.
		if whole, errWhole := parseAddress(f.value); errWhole == nil && (err != nil || whole.display != a.display) {
			a, err = whole, nil
		}
		b.head.odd(f.name + ": comma")
	}
	if err != nil || a.uri.Wildcard {
		return nil, false
	}
	b.note(f.name, a)
	if f.name == "From" {
		return &sip.FromHeader{DisplayName: a.display, Address: a.uri, Params: a.params}, true
	}
	return &sip.ToHeader{DisplayName: a.display, Address: a.uri, Params: a.params}, true
}

func (b *builder) note(name string, a address) {
	for _, r := range a.repairs {
		b.head.odd(name + ": " + r)
	}
}

// addresses leaves out empty elements, but not an empty header field.
func (b *builder) addresses(name string, values []string) {
	for _, v := range values {
		if b.left < 0 {
			return
		}
		if v != "" || len(values) == 1 {
			b.address(name, v)
		}
	}
}

// address takes one element of a header field that holds addresses. A value that
// cannot be read, or not be written again without loss, is kept as text:
// Record-Route must be copied with all its parameters (RFC 3261 §12.1.1).
func (b *builder) address(name, value string) {
	a, err := parseAddress(value)
	if err != nil {
		b.head.odd(name + " cannot be read")
		b.append(sip.NewHeader(name, value))
		return
	}
	b.note(name, a)
	plain := a.display == "" && len(a.params) == 0
	switch {
	case name == "Contact":
		b.append(&sip.ContactHeader{DisplayName: a.display, Address: a.uri, Params: a.params})
	case name == "Referred-By":
		b.append(&sip.ReferredByHeader{DisplayName: a.display, Address: a.uri, Params: a.params})
	case name == "Route" && plain:
		b.append(&sip.RouteHeader{Address: a.uri})
	case name == "Record-Route" && plain:
		b.append(&sip.RecordRouteHeader{Address: a.uri})
	case name == "Refer-To" && plain:
		b.append(&sip.ReferToHeader{Address: a.uri})
	default:
		b.append(sip.NewHeader(name, value))
	}
}

func (b *builder) maxForwards(value string) {
	n, err := strconv.ParseUint(value, 10, 32)
	if err != nil {
		b.head.odd("Max-Forwards cannot be read")
		b.append(sip.NewHeader("Max-Forwards", value))
		return
	}
	m := sip.MaxForwardsHeader(n)
	b.append(&m)
}

// contentType keeps an empty Content-Type as text, which says that there is one.
func (b *builder) contentType(value string) {
	if value == "" {
		b.head.odd("empty Content-Type")
		b.append(sip.NewHeader("Content-Type", value))
		return
	}
	c := sip.ContentTypeHeader(value)
	b.append(&c)
}
