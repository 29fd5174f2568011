package src

import (
	"net"
	"net/netip"
	"testing"
)

// TestStrayedSIP: a request of the server for a socket that had the port before is no
// media, whichever port it comes from. What is no SIP and comes from elsewhere, or looks
// like media, is never passed over.
func TestStrayedSIP(t *testing.T) {
	loopback := netip.MustParseAddr("127.0.0.1")
	sockets := make([]*net.UDPConn, 3)
	for i := range sockets {
		c, err := listen(loopback, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { c.Close() })
		sockets[i] = c
	}
	media, sip, other := sockets[0], sockets[1], sockets[2]
	to := netip.AddrPortFrom(loopback, uint16(portOf(media)))
	st := &Stream{dialog: &Dialog{src: &SRC{conn: &conn{target: netip.AddrPortFrom(loopback, uint16(portOf(sip)))}}}}
	for _, send := range []struct {
		from *net.UDPConn
		text string
	}{
		{sip, "BYE sip:src@192.0.2.7 SIP/2.0\r\n\r\n"}, {sip, ""}, {other, "odd"}, {other, "OPTIONS sip:src@192.0.2.7 SIP/2.0\r\n\r\n"}, {sip, "SIP/2.0 200 OK\r\n\r\n"}, {sip, "\x80\xc9"},
	} {
		if _, err := send.from.WriteToUDPAddrPort([]byte(send.text), to); err != nil {
			t.Fatal(err)
		}
	}
	for _, want := range []string{"odd", "\x80\xc9"} {
		if got, _, err := st.readDatagram(t.Context(), media); err != nil || string(got) != want {
			t.Errorf("read %q, %v, want %q", got, err, want)
		}
	}
}
