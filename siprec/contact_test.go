package siprec

import (
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// TestNoContact: an INVITE without a Contact that can be used is a recording session
// all the same. What the server asks of it goes to where the INVITE came from, and is
// addressed there, until the SRC says where it is.
// Shows 3261-8.1.1.8-01.
func TestNoContact(t *testing.T) {
	contact := regexp.MustCompile("\r\nContact: [^\r]*")
	for _, tt := range []struct {
		network, listen, contact, params string
		port                             bool // of the source, in the Request-URI
	}{
		{"udp", "127.0.0.1:0", "", "", true},
		{"udp", "[::1]:0", "", "", true},
		{"udp", "127.0.0.1:0", "\r\nContact: <tel:+15550100>", "", true},
		{"udp", "127.0.0.1:0", "\r\nContact: *", "", true},
		{"udp", "127.0.0.1:0", "\r\nContact: <h323:rec@gk.example>", "", true},
		{"tcp", "127.0.0.1:0", "", ";transport=tcp", false},
	} {
		t.Run(tt.network+" "+tt.listen+" "+tt.contact, func(t *testing.T) {
			ready := make(chan *RecordingSession, 1)
			d := newDesk(t, func(rs *RecordingSession, ev *Event) {
				if ev.Kind == Offered {
					ready <- rs
				}
			}, func(c *Config) { c.Listen[0] = Endpoint{Network: tt.network, Address: tt.listen} })
			client := newBareSRC(t, tt.network, d.server.Endpoints()[0].Address, 10)
			if err := client.conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
				t.Fatal(err)
			}
			say := func(method, tag string, cseq int, contactLine string) {
				t.Helper()
				if _, err := client.conn.Write(contact.ReplaceAll(client.text(method, "bare", tag, cseq, bareSDP), []byte(contactLine))); err != nil {
					t.Fatal(err)
				}
			}
			say("INVITE", "", 1, tt.contact)
			m, err := client.final("INVITE")
			if err != nil {
				t.Fatal(err)
			}
			say("ACK", tagOf(m), 1, tt.contact)
			ev := d.want(Offered)
			if !strings.Contains(strings.Join(ev.Oddities, "\n"), "no Contact that can be used") {
				t.Errorf("oddities are %q", ev.Oddities)
			}
			rs := <-ready
			rs.End()
			bye, err := client.next()
			if err != nil {
				t.Fatal(err)
			}
			source := netip.MustParseAddrPort(client.conn.LocalAddr().String())
			host := "127.0.0.1"
			if source.Addr().Is6() {
				host = "[::1]"
			}
			if tt.port {
				_, port, _ := net.SplitHostPort(source.String())
				host += ":" + port
			}
			if want := "BYE sip:src@" + host + tt.params + " SIP/2.0\r\n"; !strings.HasPrefix(bye, want) {
				t.Errorf("%q came, want %q", bye, want)
			}
			d.want(Ended)
		})
	}
}

// TestContactComesLater: once the SRC says where it is, that counts.
func TestContactComesLater(t *testing.T) {
	rs := &RecordingSession{target: sip.Uri{Scheme: "sip", Host: "192.0.2.1"}, noContact: true}
	req := sip.NewRequest(sip.UPDATE, sip.Uri{Scheme: "sip", Host: "srs.example"})
	req.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "src", Host: "192.0.2.9", Port: 5070}, Params: sip.NewParams()})
	rs.learnTarget(req)
	if got := rs.target.String(); got != "sip:src@192.0.2.9:5070" || rs.noContact {
		t.Errorf("the target is %s", got)
	}
}
