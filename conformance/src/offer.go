package src

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
)

// PortZero as StreamOffer.Port writes port 0: the stream is removed
// (RFC 7866 §7.1.1.1).
const PortZero = -1

// A StreamOffer is one m-line of an offer. The zero value is refused by no one:
// it becomes RTP/AVP audio with PCMU and PCMA, without label and direction.
type StreamOffer struct {
	Label     string  // a=label (RFC 4574); empty for none
	Media     string  // default "audio"
	Proto     string  // default "RTP/AVP", with Keys "RTP/SAVP"
	Codecs    []Codec // default PCMU, PCMA
	Formats   string  // written instead of the payload types, for m-lines that are not RTP
	Direction string  // SendOnly etc.; None writes no attribute
	Address   string  // a c= line of its own, for example "0.0.0.0"; empty for none
	Port      int     // 0: the port bound for the stream; PortZero: 0; else as given
	// Attributes are further a= lines, without "a=".
	Attributes []string
	// Keys offer SRTP, each with its place, from 1, as tag (RFC 4568 §5.1.1).
	Keys []SRTPKey
}

// plainRTP is the protocol of RTP without protection (RFC 3551).
const plainRTP = "RTP/AVP"

// A Codec is one RTP format of an offer.
type Codec struct {
	Name        string // encoding name: PCMU, PCMA, L16, telephone-event ...
	PayloadType uint8
	ClockRate   int // Hz; 0 is 8000
	Channels    int // 0 is 1
	FMTP        string
}

// PCMU is G.711 mu-law, payload type 0 (RFC 3551 §6).
func PCMU() Codec { return Codec{Name: "PCMU", PayloadType: 0, ClockRate: 8000} }

// PCMA is G.711 A-law, payload type 8 (RFC 3551 §6).
func PCMA() Codec { return Codec{Name: "PCMA", PayloadType: 8, ClockRate: 8000} }

// L16 is linear 16-bit audio at 8 kHz under a dynamic payload type
// (RFC 3551 §4.5.11).
func L16(payloadType uint8) Codec {
	return Codec{Name: "L16", PayloadType: payloadType, ClockRate: 8000}
}

// TelephoneEvent is the format of DTMF events (RFC 4733 §2.4).
func TelephoneEvent(payloadType uint8) Codec {
	return Codec{Name: "telephone-event", PayloadType: payloadType, ClockRate: 8000, FMTP: "0-16"}
}

// TwoParties is the usual offer of RFC 7866 §8.3: one sendonly m-line per party
// with labels 1 and 2.
func TwoParties(codecs ...Codec) []StreamOffer {
	return []StreamOffer{
		{Label: "1", Codecs: codecs, Direction: SendOnly},
		{Label: "2", Codecs: codecs, Direction: SendOnly},
	}
}

func (o StreamOffer) media() string {
	if o.Media == "" {
		return "audio"
	}
	return o.Media
}

func (o StreamOffer) proto() string {
	switch {
	case o.Proto == "" && len(o.Keys) > 0:
		return "RTP/SAVP"
	case o.Proto == "":
		return plainRTP
	}
	return o.Proto
}

func (o StreamOffer) codecs() []Codec {
	if len(o.Codecs) == 0 {
		return []Codec{PCMU(), PCMA()}
	}
	return o.Codecs
}

func (o StreamOffer) isRTP() bool { return strings.Contains(o.proto(), "RTP/") }

// port is what the m-line says when the stream is bound to the given port. An
// m-line that is not RTP has no socket and says 9, the discard port
// (RFC 4145 §4.1).
func (o StreamOffer) port(bound int) int {
	switch {
	case o.Port == PortZero:
		return 0
	case o.Port != 0:
		return o.Port
	case bound == 0:
		return 9
	}
	return bound
}

// clone makes a copy that shares nothing, so that a caller's change to a
// request that was already sent shows nowhere.
func (o StreamOffer) clone() StreamOffer {
	o.Codecs, o.Attributes = slices.Clone(o.Codecs), slices.Clone(o.Attributes)
	o.Keys = slices.Clone(o.Keys)
	return o
}

// description is the text of an offer or answer before it is written.
type description struct {
	id, version uint64
	address     netip.Addr
	lines       []StreamOffer
	ports       []int
}

func family(a netip.Addr) string {
	if a.Is4() || a.Is4In6() {
		return "IP4"
	}
	return "IP6"
}

// familyOf is the address type of a host as written, so that a c= override may
// be of the other family.
func familyOf(host string) string {
	if a, err := netip.ParseAddr(host); err == nil {
		return family(a)
	}
	return "IP4"
}

func (d description) write() []byte {
	var b strings.Builder
	fam := family(d.address)
	fmt.Fprintf(&b, "v=0\r\no=src %d %d IN %s %s\r\ns=-\r\nc=IN %s %s\r\nt=0 0\r\n",
		d.id, d.version, fam, d.address, fam, d.address)
	for i, o := range d.lines {
		o.write(&b, d.ports[i])
	}
	return []byte(b.String())
}

func (o StreamOffer) write(b *strings.Builder, bound int) {
	fmt.Fprintf(b, "m=%s %d %s", o.media(), o.port(bound), o.proto())
	switch {
	case o.Formats != "":
		b.WriteString(" " + o.Formats)
	default:
		for _, c := range o.codecs() {
			fmt.Fprintf(b, " %d", c.PayloadType)
		}
	}
	b.WriteString("\r\n")
	if o.Address != "" {
		fmt.Fprintf(b, "c=IN %s %s\r\n", familyOf(o.Address), o.Address)
	}
	if o.Formats == "" {
		for _, c := range o.codecs() {
			c.write(b)
		}
	}
	if o.Label != "" {
		fmt.Fprintf(b, "a=label:%s\r\n", o.Label)
	}
	if o.Direction != None {
		fmt.Fprintf(b, "a=%s\r\n", o.Direction)
	}
	for i, k := range o.Keys {
		fmt.Fprintf(b, "a=crypto:%s\r\n", k.Attribute(i+1))
	}
	for _, a := range o.Attributes {
		fmt.Fprintf(b, "a=%s\r\n", a)
	}
}

func (c Codec) write(b *strings.Builder) {
	fmt.Fprintf(b, "a=rtpmap:%d %s/%d", c.PayloadType, c.Name, c.rate())
	if c.Channels > 1 {
		fmt.Fprintf(b, "/%d", c.Channels)
	}
	b.WriteString("\r\n")
	if c.FMTP != "" {
		fmt.Fprintf(b, "a=fmtp:%d %s\r\n", c.PayloadType, c.FMTP)
	}
}

func (c Codec) rate() int {
	if c.ClockRate == 0 {
		return 8000
	}
	return c.ClockRate
}

// reversed is the direction that answers another one on the side that only
// sends (RFC 3264 §6.1).
func reversed(direction string) string {
	switch direction {
	case Inactive, SendOnly:
		return Inactive
	default:
		return SendOnly
	}
}
