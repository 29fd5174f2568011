package sdp

import (
	"bytes"
	"cmp"
	"net/netip"
	"strconv"
	"strings"
)

// Write makes a session description with one m-line per slot, in order
// (RFC 8866 §5, RFC 3264 §6). It never holds a=record or a=recordpref, which
// are for the communication session (RFC 7866 §6.3), and no other direction
// than recvonly or inactive (RFC 7866 §7.2).
func Write(l Local, slots []Slot) []byte {
	b := make([]byte, 0, 128+320*len(slots))
	b = append(b, "v=0\r\no="...)
	b = append(b, token(strings.Join(strings.Fields(l.User), "_"), "-")...)
	b = append(b, ' ')
	b = strconv.AppendUint(b, l.ID, 10)
	b = append(b, ' ')
	b = strconv.AppendUint(b, l.Version, 10)
	b = append(b, ' ')
	b = appendAddr(b, l.Addr)
	b = append(b, "\r\ns=-\r\nc="...)
	b = appendAddr(b, l.Addr)
	b = append(b, "\r\nt="...)
	b = append(b, cmp.Or(l.Time, "0 0")...)
	b = append(b, "\r\n"...)
	for i := range slots {
		b = slots[i].append(b, l.Addr)
	}
	return bytes.Clone(b) // it is kept for as long as the agreement
}

// Offer makes an offer (RFC 3264 §5), for an INVITE that held none.
func Offer(l Local, slots []Slot) []byte { return Write(l, slots) }

// append writes the m-line and its attributes.
func (s *Slot) append(b []byte, top netip.Addr) []byte {
	b = append(b, "m="...)
	b = append(b, token(s.Media, "application")...)
	b = append(b, ' ')
	b = strconv.AppendUint(b, uint64(s.Port), 10)
	b = append(b, ' ')
	b = append(b, token(s.Proto, "RTP/AVP")...)
	b = s.appendFormats(b)
	b = append(b, "\r\n"...)
	if s.Port != 0 {
		b = s.appendStream(b, top)
	}
	// RFC 4574 §4 asks for no label in an answer, but some SRCs send no RTP
	// without it.
	b = appendAttribute(b, "label", s.Label)
	return appendAttribute(b, "mid", s.Mid)
}

func (s *Slot) appendFormats(b []byte) []byte {
	start := len(b)
	for _, c := range s.Codecs {
		b = append(b, ' ')
		b = strconv.AppendUint(b, uint64(c.PayloadType), 10)
	}
	if len(s.Codecs) == 0 {
		for _, f := range s.Formats {
			b = append(b, ' ')
			b = append(b, token(f, "0")...)
		}
	}
	if len(b) == start {
		b = append(b, " 0"...) // RFC 8866 §9: at least one format
	}
	return b
}

// appendStream writes what a stream has that is not refused.
func (s *Slot) appendStream(b []byte, top netip.Addr) []byte {
	if s.Addr.IsValid() && s.Addr != top {
		b = append(b, "c="...)
		b = appendAddr(b, s.Addr)
		b = append(b, "\r\n"...)
	}
	for _, c := range s.Codecs {
		b = c.append(b)
	}
	b = appendMillis(b, "ptime", s.Ptime)
	b = appendMillis(b, "maxptime", s.MaxPtime)
	if s.Direction == RecvOnly {
		b = append(b, "a=recvonly\r\n"...)
	} else {
		b = append(b, "a=inactive\r\n"...)
	}
	b = appendAttribute(b, "crypto", s.Crypto)
	b = appendAttribute(b, "content", s.Content)
	if s.RTCPMux {
		b = append(b, "a=rtcp-mux\r\n"...)
	}
	if s.RTCPPort != 0 && int(s.RTCPPort) != int(s.Port)+1 {
		b = append(b, "a=rtcp:"...)
		b = strconv.AppendUint(b, uint64(s.RTCPPort), 10)
		b = append(b, "\r\n"...)
	}
	return b
}

// append writes a=rtpmap, when the name is known, and a=fmtp (RFC 8866 §6.6,
// §6.15).
func (c *Codec) append(b []byte) []byte {
	if c.Name != "" {
		b = append(b, "a=rtpmap:"...)
		b = strconv.AppendUint(b, uint64(c.PayloadType), 10)
		b = append(b, ' ')
		b = append(b, clean(c.spelling())...)
		b = append(b, '/')
		b = strconv.AppendInt(b, int64(c.ClockRate), 10)
		if c.Channels > 1 {
			b = append(b, '/')
			b = strconv.AppendInt(b, int64(c.Channels), 10)
		}
		b = append(b, "\r\n"...)
	}
	if c.Params != "" {
		b = append(b, "a=fmtp:"...)
		b = strconv.AppendUint(b, uint64(c.PayloadType), 10)
		b = append(b, ' ')
		b = append(b, clean(c.Params)...)
		b = append(b, "\r\n"...)
	}
	return b
}

// appendMillis writes a packet time unless it is 0.
func appendMillis(b []byte, name string, ms int) []byte {
	if ms <= 0 {
		return b
	}
	b = append(b, "a="...)
	b = append(b, name...)
	b = append(b, ':')
	b = strconv.AppendInt(b, int64(ms), 10)
	return append(b, "\r\n"...)
}

// appendAttribute writes an attribute unless its value is empty.
func appendAttribute(b []byte, name, value string) []byte {
	if value = clean(value); value == "" {
		return b
	}
	b = append(b, "a="...)
	b = append(b, name...)
	b = append(b, ':')
	b = append(b, value...)
	return append(b, "\r\n"...)
}

// appendAddr writes `IN IP4 address` or its IPv6 form; 0.0.0.0 for no address.
func appendAddr(b []byte, a netip.Addr) []byte {
	a = a.Unmap().WithZone("")
	switch {
	case !a.IsValid():
		return append(b, "IN IP4 0.0.0.0"...)
	case a.Is4():
		b = append(b, "IN IP4 "...)
	default:
		b = append(b, "IN IP6 "...)
	}
	return a.AppendTo(b)
}

// clean cuts a value before the first octet that would end its line.
func clean(s string) string {
	if i := strings.IndexAny(s, lineEnds); i >= 0 {
		return s[:i]
	}
	return s
}

// token is the first field of s, or instead when there is none.
func token(s, instead string) string {
	if i := strings.IndexAny(s, " \t"+lineEnds); i >= 0 {
		s = s[:i]
	}
	if s == "" {
		return instead
	}
	return s
}

// SameExceptVersion reports whether two descriptions made by Write differ at
// most in the version of o=. When they differ in more, the version of the newer
// must be one higher (RFC 3264 §8).
func SameExceptVersion(a, b []byte) bool {
	beforeA, afterA := cutVersion(a)
	beforeB, afterB := cutVersion(b)
	return bytes.Equal(beforeA, beforeB) && bytes.Equal(afterA, afterB)
}

// cutVersion returns what stands before and after the third field of o=. Without
// such a field all of b stands before it.
func cutVersion(b []byte) (before, after []byte) {
	start := bytes.Index(b, []byte("\no="))
	if start < 0 {
		return b, nil
	}
	for range 2 {
		blank := bytes.IndexByte(b[start+1:], ' ')
		if blank < 0 {
			return b, nil
		}
		start += 1 + blank
	}
	end := bytes.IndexByte(b[start+1:], ' ')
	if end < 0 {
		return b, nil
	}
	return b[:start], b[start+1+end:]
}
