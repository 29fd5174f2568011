package robustness

import (
	"slices"
	"testing"
)

func TestEdits(t *testing.T) {
	const text = "INVITE sip:x@y SIP/2.0\r\nTo: <sip:x@y>\r\nContent-Length: {length}\r\n\r\nbody"
	for _, c := range []struct {
		name string
		edit edit
		want string
	}{
		{"value", field("To", "{};a"), "INVITE sip:x@y SIP/2.0\r\nTo: <sip:x@y>;a\r\nContent-Length: {length}\r\n\r\nbody"},
		{"no field", field("To", ""), "INVITE sip:x@y SIP/2.0\r\nContent-Length: {length}\r\n\r\nbody"},
		{"unknown field", field("From", "x"), text},
		{"more", add("A: 1", "B: 2"), "INVITE sip:x@y SIP/2.0\r\nTo: <sip:x@y>\r\nA: 1\r\nB: 2\r\nContent-Length: {length}\r\n\r\nbody"},
		{"start line", startLine("BYE <{uri}> SIP/3.0"), "BYE <sip:x@y> SIP/3.0\r\nTo: <sip:x@y>\r\nContent-Length: {length}\r\n\r\nbody"},
		{"behind", behind("more"), "INVITE sip:x@y SIP/2.0\r\nTo: <sip:x@y>\r\nContent-Length: 4\r\n\r\nbodymore"},
		{"two", edits(before("\r\n"), matched(`x(@)y`, "z${1}z")), "\r\nINVITE sip:z@z SIP/2.0\r\nTo: <sip:z@z>\r\nContent-Length: {length}\r\n\r\nbody"},
	} {
		if got := c.edit(text); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// TestProbesFitIntoDatagrams: what goes over UDP has to.
func TestProbesFitIntoDatagrams(t *testing.T) {
	for _, class := range classes() {
		for _, p := range class.probes {
			text := "INVITE sip:srs@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.2:5060;branch=b;rport\r\nMax-Forwards: 70\r\nFrom: <sip:src@192.0.2.2>;tag=t\r\nTo: <sip:srs@192.0.2.1>\r\n" +
				"Call-ID: c\r\nCSeq: 1 INVITE\r\nContact: <sip:src@192.0.2.2:5060>;+sip.src\r\nRequire: siprec\r\nContent-Type: multipart/mixed;boundary=src-boundary\r\nContent-Length: {length}\r\n\r\n"
			text += "--src-boundary\r\nContent-Type: application/sdp\r\n\r\n" + p.request.SDP + string(p.request.Metadata) + string(p.request.Body)
			edited := text
			if p.request.Edit != nil {
				edited = p.request.Edit(text)
			}
			if len(edited) > 62000 {
				t.Errorf("%s has %d octets", p.id, len(edited))
			}
			if p.request.Edit != nil && edited == text && p.method == "" {
				t.Errorf("%s changes nothing", p.id)
			}
			if len(p.want) == 0 || slices.Contains(p.want, 0) {
				t.Errorf("%s wants nothing", p.id)
			}
		}
	}
}
