package sdp

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// attribute reads a= of either level. Names are matched without case.
func (r *reader) attribute(line string) {
	if r.skip {
		return
	}
	name, value, _ := strings.Cut(line, ":")
	a := Attribute{strings.TrimSpace(name), strings.TrimSpace(value)}
	r.keep(a)
	name = strings.ToLower(a.Name)
	switch name {
	case SendRecv, SendOnly, RecvOnly, Inactive:
		r.direction(name)
	case "crypto":
		level := r.level()
		level.crypto = append(level.crypto, a.Value)
	case "fingerprint":
		first(&r.level().fingerprint, a.Value)
	case "setup":
		first(&r.level().setup, a.Value)
	default:
		if r.cur != nil {
			r.mediaAttribute(name, a.Value)
		}
	}
}

func (r *reader) keep(a Attribute) {
	switch {
	case r.attributes == MaxAttributes:
		r.odd("more than %d attributes, the rest is not kept", MaxAttributes)
	case r.attributes > MaxAttributes:
	case r.cur != nil:
		r.cur.m.Attributes = append(r.cur.m.Attributes, a)
	default:
		r.d.Attributes = append(r.d.Attributes, a)
	}
	r.attributes++
}

// direction sets the direction of a level. Of two that contradict each other
// the one that sends less counts: doubt never helps recording.
func (r *reader) direction(value string) {
	level := r.level()
	if level.direction == "" || level.direction == value {
		level.direction = value
		return
	}
	r.odd("more than one direction")
	order := []string{Inactive, RecvOnly, SendOnly, SendRecv}
	if slices.Index(order, value) < slices.Index(order, level.direction) {
		level.direction = value
	}
}

// mediaAttribute reads the attributes that only an m-line has.
func (r *reader) mediaAttribute(name, value string) {
	m := &r.cur.m
	switch name {
	case "rtpmap":
		r.payload(&r.cur.rtpmap, value)
	case "fmtp":
		r.payload(&r.cur.fmtp, value)
	case "label":
		if m.Label != "" && m.Label != value {
			r.odd("more than one label")
		}
		first(&m.Label, value)
	case "mid":
		first(&m.Mid, value)
	case "content":
		first(&m.Content, value)
	case "ptime":
		m.Ptime = r.millis(value)
	case "maxptime":
		m.MaxPtime = r.millis(value)
	case "rtcp":
		r.rtcp(value)
	case "rtcp-mux":
		m.RTCPMux = true
	}
}

func first(to *string, value string) {
	if *to == "" {
		*to = value
	}
}

// payload notes the value of a=rtpmap or a=fmtp under its payload type.
func (r *reader) payload(table *[128]string, value string) {
	number, rest, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(strings.TrimSpace(number), 10, 7)
	switch {
	case err != nil:
		r.odd("rtpmap or fmtp without a payload type")
	case table[n] != "":
		r.odd("payload type %d is described twice", n)
	default:
		table[n] = strings.TrimSpace(rest)
	}
}

// millis reads a packet time in ms (RFC 8866 §6.4, §6.5). A fraction is cut off.
func (r *reader) millis(value string) int {
	whole, _, _ := strings.Cut(value, ".")
	n, err := strconv.Atoi(whole)
	if err != nil || n < 0 || n > 10_000 {
		r.odd("unreadable packet time")
		return 0
	}
	return n
}

// rtcp reads `port [net type address]` (RFC 3605 §2.1).
func (r *reader) rtcp(value string) {
	number, rest, _ := strings.Cut(value, " ")
	n, err := strconv.ParseUint(number, 10, 16)
	if err != nil {
		r.odd("unreadable port of a=rtcp")
		return
	}
	r.cur.m.RTCPPort = int(n)
	if rest = strings.TrimSpace(rest); rest != "" {
		r.cur.m.RTCPAddr = readConnection(rest).addr
	}
}

// formats resolves the formats of an RTP m-line into codecs.
func (r *reader) formats() {
	var used [128]bool
	m := &r.cur.m
	for _, format := range m.Formats {
		n, err := strconv.ParseUint(format, 10, 7)
		if err != nil {
			r.odd("format is no payload type, left out")
			continue
		}
		if used[n] {
			r.odd("payload type %d is offered twice", n)
			continue
		}
		used[n] = true
		if m.Codecs == nil {
			m.Codecs = make([]Codec, 0, min(len(m.Formats), len(used)))
		}
		m.Codecs = append(m.Codecs, r.codec(uint8(n)))
	}
}

// codec is the format of a payload type, by its rtpmap or else by RFC 3551 §6.
func (r *reader) codec(pt uint8) Codec {
	c, known := static(pt)
	value := r.cur.rtpmap[pt]
	if value != "" {
		described, oddity := mapped(pt, value, r.cur.m.IsAudio())
		if oddity != "" {
			r.odd("payload type %d: %s", pt, oddity)
		}
		if described.Name != "" {
			c, known = described, true
		}
	}
	if !known {
		if value == "" {
			r.odd("payload type %d has no rtpmap", pt)
		}
		c = Codec{PayloadType: pt, Channels: 1}
	}
	if !r.cur.m.IsAudio() {
		c.Channels = 1 // only audio has more (RFC 8866 §6.6)
	}
	c.Params = r.cur.fmtp[pt]
	return c
}

// A connection is what a c= line says.
type connection struct {
	addr netip.Addr // invalid when there is none
	null bool
}

// readConnection reads `net type address[/ttl[/count]]`, of which the first two
// may be missing.
func readConnection(value string) connection {
	f := strings.Fields(value)
	if len(f) == 0 {
		return connection{}
	}
	text, _, _ := strings.Cut(f[min(len(f), 3)-1], "/")
	addr, err := netip.ParseAddr(text)
	switch {
	case err != nil:
		return connection{null: isInvalidName(text)}
	case addr.IsUnspecified() || addr.Unmap().IsUnspecified():
		return connection{null: true}
	}
	return connection{addr: addr.Unmap().WithZone("")}
}

// isInvalidName reports whether a name is in the top-level domain .invalid,
// which stands for the null address of IPv6 (RFC 6157 §5.1).
func isInvalidName(name string) bool {
	name = strings.ToLower(strings.TrimSuffix(name, "."))
	return name == "invalid" || strings.HasSuffix(name, ".invalid")
}
