package src

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// Values of the direction attribute (RFC 8866 §6.7). None says that the
// attribute is absent.
const (
	SendRecv = "sendrecv"
	SendOnly = "sendonly"
	RecvOnly = "recvonly"
	Inactive = "inactive"
	None     = ""
)

// An SDP is a session description as the server wrote it (RFC 8866).
type SDP struct {
	Raw        []byte
	OriginID   string // second field of o=
	Version    uint64 // third field of o=
	Origin     string // the whole o= value
	Connection string // address of the c= line before the first m-line
	Attributes []string
	Media      []MediaLine
}

// A MediaLine is one m-line with what belongs to it, in the order of the text.
type MediaLine struct {
	Kind       string // audio, video, ...
	Port       int
	Proto      string
	Formats    []string
	Connection string   // its own c= address; empty when it has none
	Direction  string   // its own direction attribute, or None
	Label      string   // a=label (RFC 4574)
	Attributes []string // values of all a= lines, without "a="
}

// ParseSDP reads a session description. Lines it does not know are skipped.
func ParseSDP(raw []byte) (*SDP, error) {
	d := &SDP{Raw: raw}
	seen := false
	for line := range strings.SplitSeq(string(raw), "\n") {
		line = strings.TrimRight(line, "\r ")
		if len(line) < 2 || line[1] != '=' {
			continue
		}
		seen = true
		if err := d.line(line[0], line[2:]); err != nil {
			return nil, err
		}
	}
	if !seen {
		return nil, errors.New("no SDP line in the body")
	}
	return d, nil
}

func (d *SDP) line(kind byte, value string) error {
	switch kind {
	case 'o':
		return d.origin(value)
	case 'c':
		f := strings.Fields(value)
		if len(f) != 3 {
			return fmt.Errorf("c= line %q has not three fields", clip(value))
		}
		addr, _, _ := strings.Cut(f[2], "/")
		if n := len(d.Media); n > 0 {
			d.Media[n-1].Connection = addr
		} else {
			d.Connection = addr
		}
	case 'm':
		return d.media(value)
	case 'a':
		d.attribute(value)
	}
	return nil
}

func (d *SDP) origin(value string) error {
	f := strings.Fields(value)
	if len(f) != 6 {
		return fmt.Errorf("o= line %q has not six fields", clip(value))
	}
	v, err := strconv.ParseUint(f[2], 10, 64)
	if err != nil {
		return fmt.Errorf("o= version %q is not a number", clip(f[2]))
	}
	d.Origin, d.OriginID, d.Version = value, f[1], v
	return nil
}

func (d *SDP) media(value string) error {
	f := strings.Fields(value)
	if len(f) < 3 {
		return fmt.Errorf("m= line %q has less than three fields", clip(value))
	}
	port, _, _ := strings.Cut(f[1], "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return fmt.Errorf("m= port %q is not a port", clip(f[1]))
	}
	d.Media = append(d.Media, MediaLine{Kind: f[0], Port: int(n), Proto: f[2], Formats: f[3:]})
	return nil
}

func (d *SDP) attribute(value string) {
	if len(d.Media) == 0 {
		d.Attributes = append(d.Attributes, value)
		return
	}
	m := &d.Media[len(d.Media)-1]
	m.Attributes = append(m.Attributes, value)
	switch value {
	case SendRecv, SendOnly, RecvOnly, Inactive:
		m.Direction = value
	}
	if label, ok := strings.CutPrefix(value, "label:"); ok {
		m.Label = label
	}
}

// DirectionOf is the direction in force for m-line i: its own, else that of the
// whole description, else sendrecv (RFC 8866 §6.7).
func (d *SDP) DirectionOf(i int) string {
	if dir := d.Media[i].Direction; dir != None {
		return dir
	}
	for _, a := range d.Attributes {
		switch a {
		case SendRecv, SendOnly, RecvOnly, Inactive:
			return a
		}
	}
	return SendRecv
}

// AddressOf is where m-line i wants its RTP; it is invalid for port 0 or
// without a usable c= line.
func (d *SDP) AddressOf(i int) netip.AddrPort {
	m := d.Media[i]
	host := m.Connection
	if host == "" {
		host = d.Connection
	}
	ip, err := netip.ParseAddr(host)
	if err != nil || m.Port == 0 {
		return netip.AddrPort{}
	}
	return netip.AddrPortFrom(ip, uint16(m.Port))
}

// Attribute is the value of the first a=name:value line of an m-line.
func (m MediaLine) Attribute(name string) (value string, found bool) {
	for _, a := range m.Attributes {
		if a == name {
			return "", true
		}
		if v, ok := strings.CutPrefix(a, name+":"); ok {
			return v, true
		}
	}
	return "", false
}
