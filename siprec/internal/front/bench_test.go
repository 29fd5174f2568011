package front

import (
	"strings"
	"testing"
)

// BenchmarkDeliver is what an INVITE of 5 kB costs from the datagram to the
// handler.
func BenchmarkDeliver(b *testing.B) {
	handled := 0
	f, err := Listen(Config{Handle: func(*Message) { handled++ }, Listen: []Endpoint{{Network: "udp", Address: "127.0.0.1:0"}}})
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	text := []byte(wire{start: "INVITE sip:srs@rec.example.com SIP/2.0", fields: []string{
		"Require: siprec", "Supported: timer, 100rel", "Allow: INVITE, ACK, BYE, CANCEL, UPDATE, INFO",
		"Content-Type: multipart/mixed;boundary=b1", "Session-Expires: 1800",
	}, body: strings.Repeat("x", 4500)}.String())
	b.SetBytes(int64(len(text)))
	b.ReportAllocs()
	for b.Loop() {
		f.udp[0].datagram(text, source)
	}
	if handled == 0 {
		b.Fatal("nothing was handed on")
	}
}
