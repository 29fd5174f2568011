package robustness

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// octets are so many of them, the same in each run.
func octets(n int, seed uint64) string {
	rng := rand.New(rand.NewPCG(seed, 0x4f435445))
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(rng.Uint32())
	}
	return string(b)
}

// datagrams are what comes to the port of SIP over UDP and is no SIP, or not what anybody
// waits for.
func datagrams() []check.Case {
	const section = "RFC 3261 §18"
	response := func(start string) string {
		return start + "\r\nVia: SIP/2.0/UDP 192.0.2.77:5060;branch=z9hG4bKnobody\r\nFrom: <sip:srs@example.com>;tag=1\r\nTo: <sip:src@example.com>;tag=2\r\n" +
			"Call-ID: nobody@example.com\r\nCSeq: 7 INVITE\r\nContact: <sip:x@192.0.2.77>\r\nContent-Length: 0\r\n\r\n"
	}
	all := func(texts ...string) func(context.Context, *check.T, *src.SRC) {
		return func(_ context.Context, t *check.T, c *src.SRC) {
			for _, text := range texts {
				put(t, c, text)
			}
		}
	}
	return []check.Case{
		datagram(1, check.Derived, section, "Datagrams of nothing, of one octet and of empty lines cost nothing.", all("", "\x00", "x", "\r\n", "\r\n\r\n", " ")),
		datagram(2, check.Derived, section, "STUN, RTP and RTCP on the port of SIP cost nothing.", all(
			"\x00\x01\x00\x00\x21\x12\xa4\x42twelve-octet", "\x80\x00\x00\x01\x00\x00\x00\xa0\x00\x00\x00\x07"+strings.Repeat("\xff", 160),
			"\x80\xc8\x00\x06\x00\x00\x00\x07"+strings.Repeat("\x00", 20), "\x81\xcb\x00\x01\x00\x00\x00\x07")),
		datagram(3, check.Derived, section, "Octets of any kind and length cost nothing.", func(_ context.Context, t *check.T, c *src.SRC) {
			for i, n := range []int{3, 12, 100, 576, 1500, 9000, 65000} {
				put(t, c, octets(n, uint64(i)))
				put(t, c, strings.Repeat("\x00", n))
				put(t, c, "INVITE "+octets(n, uint64(n))+" SIP/2.0\r\n\r\n")
			}
		}),
		datagram(4, check.Derived, "RFC 3261 §17.1.1.2, RFC 4475 §3.1.1.12", "Responses that nobody waits for, with codes and reason phrases of any kind, are passed over.", all(
			response("SIP/2.0 200 = 2**3 * 5**2 \xd0\xbd\xd0\xbe \x01"), response("SIP/2.0 4294967301 better not"), response("SIP/2.0 100 "), response("SIP/2.0 100"),
			response("SIP/2.0 -200 OK"), response("SIP/2.0 999 OK"), response("SIP/2.0 OK"), response("SIP/2.0 200 OK")+"v=0\r\n")),
		datagram(5, check.Derived, "RFC 3261 §18.1.2", "A response whose Via names another host, and one without Via, are passed over.", func(_ context.Context, t *check.T, c *src.SRC) {
			put(t, c, strings.Replace(response("SIP/2.0 200 OK"), "192.0.2.77", "255.255.255.255", 1))
			put(t, c, matched(`Via: [^\r]*\r\n`, "")(response("SIP/2.0 200 OK")))
		}),
		datagram(6, check.Derived, "RFC 3261 §18.3", "Messages that were cut off anywhere cost nothing.", func(ctx context.Context, t *check.T, c *src.SRC) {
			whole := strings.ReplaceAll(message(t, c, "INVITE", 1), "{length}", "300") + strings.Repeat("x", 20)
			for n := 1; n < len(whole); n += 1 + len(whole)/40 {
				put(t, c, whole[:n])
			}
		}),
		datagram(7, check.Derived, "RFC 3261 §17.2.3", "Fifty ACKs, BYEs and CANCELs of dialogs that nobody knows cost nothing.", func(_ context.Context, t *check.T, c *src.SRC) {
			for i := range 50 {
				for _, method := range []string{"ACK", "BYE", "CANCEL"} {
					put(t, c, strings.ReplaceAll(message(t, c, method, i), "{length}", "0"))
				}
			}
		}),
	}
}

// message is a request outside any dialog, without body, with {length} to be filled.
func message(t *check.T, c *src.SRC, method string, n int) string {
	uri := t.RequestURI()
	if uri == "" {
		uri = "sip:srs@" + t.Address()
	}
	id := fmt.Sprintf("%d-%d", n, time.Now().UnixNano())
	return fmt.Sprintf("%s %s SIP/2.0\r\nVia: SIP/2.0/%s %s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\nFrom: <sip:src@%s>;tag=m%d\r\nTo: <%s>\r\nCall-ID: %s@%s\r\nCSeq: 1 %s\r\n"+
		"Contact: <sip:src@%s>;+sip.src\r\nContent-Length: {length}\r\n\r\n", method, uri, strings.ToUpper(t.Transport()), c.Local(), id, c.Local(), n, uri, id, c.Local().Addr(), method, c.Local())
}
