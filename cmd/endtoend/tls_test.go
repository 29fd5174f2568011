package endtoend

import (
	"net"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/conformance/src/srctest"
	"github.com/siprecd/siprecd/siprec"
)

// TestTLSWithAClientCertificate: signalling over mutual TLS, from a listener that says
// nothing else, and media plain or under each crypto-suite; each sample that was sent
// is recorded, and a connection that says nothing sensible beside it costs none of them.
// Shows 7866-12.1-01, 7866-12.2-01.
func TestTLSWithAClientCertificate(t *testing.T) {
	t.Parallel()
	t.Run("IPv4", func(t *testing.T) { recordOverTLS(t, "127.0.0.1", "") })
	for _, suite := range src.SRTPSuites() {
		t.Run("IPv6 "+suite, func(t *testing.T) { recordOverTLS(t, "::1", suite) })
	}
}

// recordOverTLS records both parties of a conversation whose SRC shows a certificate.
func recordOverTLS(t *testing.T, host, suite string) {
	t.Parallel()
	authority := srctest.NewAuthority(t)
	certificate, key, ca := authority.Write(authority.Issue(host))
	identity, err := siprec.LoadTLS(siprec.TLSFiles{Certificate: certificate, Key: key, CA: ca, Clients: siprec.ClientsRequired})
	if err != nil {
		t.Fatal(err)
	}
	origins := make(chan siprec.Origin, 64)
	l := newLab(t, host, func(c *siprec.Config) {
		c.TLS = identity
		c.Listen = []siprec.Endpoint{{Name: "edge", Network: "tls", Address: net.JoinHostPort(host, "0")}}
		c.Admit = func(o siprec.Origin) (siprec.SRC, error) {
			origins <- o
			return siprec.SRC{Name: "sbc"}, nil
		}
	})
	c, err := src.New(t.Context(), src.Config{
		Target: l.address("tls"), Transport: "tls",
		TLS: authority.Client(authority.Issue("sbc.example")),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	offers := src.TwoParties(src.PCMU())
	if suite != "" {
		offerSRTP(t, c, offers, suite)
	}
	d := invite(t, c, src.Request{Streams: offers, Metadata: conversation(c).Complete()})
	for o := <-origins; len(o.Certificate) == 0; o = <-origins { // it is asked of the connection first
	}
	// Two messages that cannot be read, on the connection of this recording session.
	if err := c.Send([]byte("INVITE sip:x SIP/2.0\r\nContent-Length: nonsense\r\n\r\n\x00\x01\x02\r\nNOTIFY\r\n\r\n")); err != nil {
		t.Fatal(err)
	}
	const packets = 100
	play(t, d, src.PlayOptions{Codec: src.PCMU(), Count: packets}, src.Counter(src.PCMU()), src.Counter(src.PCMU()))
	do(t, d, "BYE", src.Request{})
	m := l.manifest()
	if m.SRC.Transport != "TLS" || m.SRC.Name != "sbc" {
		t.Errorf("recorded from %+v", m.SRC)
	}
	for _, st := range m.Streams {
		if st.SRTP != suite {
			t.Errorf("stream %s came under %q, want %q", st.ID, st.SRTP, suite)
		}
	}
	want := counterSamples(t, src.PCMU(), packets*frame)
	for _, who := range []string{"alice", "Bob"} {
		if find(l.audio(m, who), want) < 0 {
			t.Errorf("%s: the samples sent are not in the file as one piece: %s", who, streamsOf(m))
		}
	}
}
