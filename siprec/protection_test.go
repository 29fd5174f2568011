package siprec

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/siprec/internal/front"
)

// TestRequireTLS: who has to come over TLS is refused elsewhere, in words, and is let in
// there.
// Shows 7866-12.3-01.
func TestRequireTLS(t *testing.T) {
	s := newSafe(t, ClientsOff)
	d := secured(t, s, nil, neverAsk, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) { return SRC{Name: "sbc", RequireTLS: true}, nil }
	})
	if f := d.invite(src.Request{}).Final(); f.Status != 403 || !strings.Contains(f.Get("Warning"), "over TLS") {
		t.Errorf("over UDP answered %d, Warning %q", f.Status, f.Get("Warning"))
	}
	c, err := d.overTLS(s.shown(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	dialog, err := c.Invite(t.Context(), src.Request{Streams: src.TwoParties()})
	if err != nil || dialog.Final().Status != 200 {
		t.Fatalf("over TLS: %v, %v", dialog.Final(), err)
	}
	d.want(Offered)
	// Its dialog goes on over TLS alone too.
	local, remote := dialog.Tags()
	if err := d.client.Send([]byte("BYE sip:siprecd@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP " + d.client.Local().String() +
		";branch=z9hG4bKelsewhere\r\nFrom: <sip:src@127.0.0.1>;tag=" + local + "\r\nTo: <sip:srs@127.0.0.1>;tag=" + remote +
		"\r\nCall-ID: " + dialog.CallID() + "\r\nCSeq: 99 BYE\r\nMax-Forwards: 70\r\nContent-Length: 0\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	if f := d.invite(src.Request{}).Final(); f.Status != 403 { // the BYE was read before
		t.Errorf("over UDP answered %d", f.Status)
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Errorf("BYE: %v, %v", m, err)
	}
	if ev := d.want(Ended); ev.CSeq == 99 {
		t.Error("a BYE over UDP ended the recording session")
	}
}

// TestExposedMetadata: an SRC whose metadata can be read on the way is warned of once.
// Shows 7866-12.3-01.
func TestExposedMetadata(t *testing.T) {
	core, logs := observer.New(zap.WarnLevel)
	s := &Server{log: zap.New(core)}
	req := sip.NewRequest(sip.UPDATE, sip.Uri{Host: "srs.example.com"})
	req.AppendHeader(&sip.CSeqHeader{SeqNo: 2, MethodName: sip.UPDATE})
	comes := func(name, transport, source string, documents ...[]byte) {
		rs := &RecordingSession{
			server: s, src: SRC{Name: name},
			origin: Origin{Transport: transport, Source: netip.MustParseAddrPort(source)},
		}
		rs.event(Changed, loose(&front.Message{Request: req}), &content{metadata: documents})
	}
	document := []byte("<recording/>")
	comes("secure", "TLS", "192.0.2.1:5061", document)
	comes("here", "UDP", "127.0.0.1:5060", document)
	comes("here", "TCP", "[::ffff:127.0.0.1]:5060", document)
	comes("silent", "UDP", "192.0.2.1:5060")
	for range 3 {
		comes("open", "UDP", "192.0.2.1:5060", document)
		comes("other", "TCP", "[2001:db8::1]:5060", document)
	}
	var warned []string
	for _, e := range logs.All() {
		warned = append(warned, e.ContextMap()["src"].(string))
	}
	if got := strings.Join(warned, " "); got != "open other" {
		t.Errorf("warned of %q", got)
	}
}
