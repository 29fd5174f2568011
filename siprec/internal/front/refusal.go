package front

import (
	"bytes"
	"fmt"
	"hash/fnv"
	"net/netip"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// maxHops bounds the Via header fields that are copied: a request can have come
// through 70 proxies (RFC 3261 §8.1.1.6).
const maxHops = 71

// refusal forms the response to a request that could not be parsed (RFC 3261
// §8.2.6.2), as a stateless server does: the header fields that lead it back are
// copied as they came. It returns the top Via where that is readable, and false
// when the message must not or cannot be answered: an ACK (RFC 3261 §17.1.1.3), a
// response, or octets with nothing of a request in them.
func refusal(h *head, flt *fault, source netip.AddrPort) (b []byte, via *sip.ViaHeader, ok bool) {
	if !answerable(h) {
		return nil, nil, false
	}
	var vias []string
	for _, f := range h.fields {
		if f.name != "Via" || len(vias) >= maxHops {
			continue
		}
		for _, one := range splitList(f.value) {
			if one != "" && len(vias) < maxHops {
				vias = append(vias, one)
			}
		}
	}
	if len(vias) > 0 {
		if v, err := parseVia(vias[0]); err == nil {
			completeVia(v, source)
			via, vias[0] = v, v.Value()
		}
	}
	from, to, callID, cseq := h.first("From"), h.first("To"), h.first("Call-ID"), h.first("CSeq")
	if via == nil && (from == "" || callID == "" || cseq == "") {
		return nil, nil, false
	}
	var buf bytes.Buffer
	fmt.Fprintf(&buf, "SIP/2.0 %d %s\r\n", flt.status, flt.phrase())
	for _, v := range vias {
		writeField(&buf, "Via", v)
	}
	writeField(&buf, "From", from)
	writeField(&buf, "To", tagged(to, from, callID, cseq))
	writeField(&buf, "Call-ID", callID)
	writeField(&buf, "CSeq", cseq)
	fmt.Fprintf(&buf, "Warning: 399 siprecd \"%s\"\r\nContent-Length: 0\r\n\r\n", flt.text)
	return buf.Bytes(), via, true
}

func answerable(h *head) bool {
	if len(h.start) >= 4 && strings.EqualFold(h.start[:4], "SIP/") {
		return false
	}
	method, _, _ := strings.Cut(h.start, " ")
	cseq := strings.TrimSpace(strings.TrimLeft(h.first("CSeq"), "0123456789"))
	return !strings.EqualFold(method, "ACK") && cseq != "ACK"
}

func writeField(buf *bytes.Buffer, name, value string) {
	if value == "" {
		return
	}
	buf.WriteString(name)
	buf.WriteString(": ")
	buf.WriteString(value)
	buf.WriteString("\r\n")
}

// tagged adds a tag to To where it has none. It depends on the request only, so
// that a retransmission gets the same one (RFC 3261 §8.2.7).
func tagged(to, from, callID, cseq string) string {
	if to == "" {
		return ""
	}
	if _, params, _ := strings.Cut(to, ">"); strings.Contains(strings.ToLower(params), "tag=") ||
		(!strings.Contains(to, ">") && strings.Contains(strings.ToLower(to), ";tag=")) {
		return to
	}
	sum := fnv.New64a()
	for _, s := range []string{to, from, callID, cseq} {
		sum.Write([]byte(s))
		sum.Write([]byte{0})
	}
	return to + ";tag=" + strconv.FormatUint(sum.Sum64(), 36)
}
