package siprec

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
)

// TestBound: what may send within a dialog, by what it shows.
func TestBound(t *testing.T) {
	from := func(addr, transport, listener string, names ...string) Origin {
		return Origin{Transport: transport, Source: netip.AddrPortFrom(netip.MustParseAddr(addr), 40000), Listener: listener, Certificate: names}
	}
	s := &Server{cfg: Config{Admit: func(o Origin) (SRC, error) {
		switch {
		case o.Listener != "edge":
			return SRC{}, errors.New("not there")
		case len(o.Certificate) > 0:
			return SRC{Name: "of " + o.Certificate[len(o.Certificate)-1]}, nil
		case o.Source.Addr().Is6():
			return SRC{Name: o.Source.Addr().String(), Cluster: "six"}, nil
		case o.Source.Addr().As4()[3] > 9:
			return SRC{}, errors.New("not on the list")
		}
		return SRC{Name: "by address"}, nil
	}}}
	v4, v6 := from("192.0.2.1", "UDP", "edge"), from("2001:db8::1", "UDP", "edge")
	certified := from("192.0.2.1", "TLS", "edge", "a", "sbc")
	for _, tt := range []struct {
		name   string
		opened Origin
		by     SRC
		from   Origin
		ours   bool
	}{
		{"the same way", v4, SRC{Name: "by address"}, from("192.0.2.1", "UDP", "edge"), true},
		{"the same way, renamed meanwhile", v4, SRC{Name: "as it was called"}, v4, true},
		{"another of its addresses", v4, SRC{Name: "by address"}, from("192.0.2.2", "TCP", "edge"), true},
		{"an address that is not listed", v4, SRC{Name: "by address"}, from("192.0.2.10", "UDP", "edge"), false},
		{"another SRC", v4, SRC{Name: "by address"}, v6, false},
		{"another listener", v4, SRC{Name: "by address"}, from("192.0.2.1", "UDP", "inner"), false},
		{"one of its cluster", v6, SRC{Name: "2001:db8::1", Cluster: "six"}, from("2001:db8::2", "TCP", "edge"), true},
		{"no cluster is not one", from("2001:db8::9", "UDP", "edge"), SRC{Name: "x"}, v4, false},
		{"another certificate of it", certified, SRC{Name: "of sbc"}, from("192.0.2.2", "TLS", "edge", "b", "sbc"), true},
		{"a certificate of another", certified, SRC{Name: "of sbc"}, from("192.0.2.1", "TLS", "edge", "b", "pbx"), false},
		{"no certificate", certified, SRC{Name: "of sbc"}, from("192.0.2.1", "TLS", "edge"), false},
		{"in the clear", certified, SRC{Name: "of sbc"}, v4, false},
	} {
		rs := &RecordingSession{origin: tt.opened, src: tt.by}
		if err := s.bound(rs, tt.from); (err == nil) != tt.ours {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	asked := &RecordingSession{origin: v4, src: SRC{Name: "sbc.example"}, initiated: true}
	if err := s.bound(asked, from("192.0.2.1", "UDP", "inner")); err != nil {
		t.Errorf("who was asked by us, at another listener: %v", err)
	}
}

// bareAt is a bareSRC at a loopback address.
func bareAt(t *testing.T, d *desk, addr string) *bareSRC {
	t.Helper()
	target := net.UDPAddrFromAddrPort(netip.MustParseAddrPort(d.server.Endpoints()[0].Address))
	conn, err := net.DialUDP("udp", &net.UDPAddr{IP: net.ParseIP(addr)}, target)
	if errors.Is(err, syscall.EADDRNOTAVAIL) {
		t.Skip("only one loopback address here")
	}
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return &bareSRC{conn: conn, contact: conn.LocalAddr().String(), via: "UDP", metadata: "<recording/>", buf: make([]byte, 1<<16)}
}

// status sends a request and gives the status of its final response.
func (c *bareSRC) status(t *testing.T, method, tag string, cseq int, sdp string) (string, string) {
	t.Helper()
	if _, err := c.conn.Write(c.text(method, "bound", tag, cseq, sdp)); err != nil {
		t.Fatal(err)
	}
	for {
		m, err := c.next()
		if err != nil {
			t.Fatal(err)
		}
		if cseqOf := field(m, "CSeq"); strings.HasPrefix(m, "SIP/2.0 1") || cseqOf != fmt.Sprintf("%d %s", cseq, method) {
			continue
		}
		return m[8:11], m
	}
}

// TestDialogsStayWithTheirSRC: whatever has the right tags but comes from elsewhere is
// answered 403 and changes nothing; the SRC goes on, also from its other address.
// Shows 7866-12.1-03.
func TestDialogsStayWithTheirSRC(t *testing.T) {
	core, logged := observer.New(zapcore.WarnLevel)
	d := newDesk(t, nil, func(c *Config) {
		c.Log = zap.New(core)
		c.Admit = func(o Origin) (SRC, error) {
			switch o.Source.Addr().As4()[3] {
			case 3:
				return SRC{Name: "another"}, nil
			case 4:
				return SRC{}, errors.New("not on the list")
			}
			return SRC{Name: "sbc"}, nil
		}
	})
	client, standby := bareAt(t, d, "127.0.0.1"), bareAt(t, d, "127.0.0.2")
	_, m := client.status(t, "INVITE", "", 1, string(offerText("sendonly")))
	tag := tagOf(m)
	if _, err := client.conn.Write(client.text("ACK", "bound", tag, 1, "")); err != nil {
		t.Fatal(err)
	}
	remote := d.want(Offered).Streams[0].Remote
	elsewhere := strings.ReplaceAll(string(offerText("sendonly")), "127.0.0.1", "127.0.0.4")
	foreign := 0
	for _, addr := range []string{"127.0.0.3", "127.0.0.4"} {
		stranger := bareAt(t, d, addr)
		for i, method := range []string{"INVITE", "UPDATE", "INFO", "PRACK", "OPTIONS", "BYE"} {
			foreign++
			if status, m := stranger.status(t, method, tag, 100+i, elsewhere); status != "403" || !strings.Contains(m, "\r\nWarning: ") {
				t.Errorf("%s from %s got\n%s", method, addr, m)
			}
		}
	}
	if n := logged.FilterMessage("request of a foreign source refused").FilterField(zap.String("src", "sbc")).Len(); n == 0 || n > foreign { // repetitions are left out
		t.Errorf("%d lines about %d requests", n, foreign)
	}
	if status, _ := standby.status(t, "UPDATE", tag, 2, string(offerText("inactive"))); status != "200" {
		t.Errorf("UPDATE from its other address got %s", status)
	}
	if ev := d.want(Changed); ev.CSeq != 2 || ev.Streams[0].Remote != remote {
		t.Errorf("the next event is of CSeq %d, stream from %s, before from %s", ev.CSeq, ev.Streams[0].Remote, remote)
	}
	if status, _ := client.status(t, "BYE", tag, 3, ""); status != "200" {
		t.Errorf("BYE got %s", status)
	}
	if ev := d.want(Ended); ev.Reason != EndBye {
		t.Errorf("ended by %s", ev.Reason)
	}
}

// TestForeignAckAndCancel: an ACK with an answer, and a CANCEL, count from the SRC
// only.
func TestForeignAckAndCancel(t *testing.T) {
	release := make(chan struct{})
	d := newDesk(t, func(_ *RecordingSession, ev *Event) {
		if ev.Kind == Offered {
			<-release
		}
	}, func(c *Config) {
		c.Admit = func(o Origin) (SRC, error) { return SRC{Name: o.Source.Addr().String()}, nil }
	})
	client, stranger := bareAt(t, d, "127.0.0.1"), bareAt(t, d, "127.0.0.4")
	invite := client.text("INVITE", "bound", "", 1, "")
	if _, err := client.conn.Write(invite); err != nil {
		t.Fatal(err)
	}
	d.want(Offered)
	overheard := strings.NewReplacer("INVITE sip:", "CANCEL sip:", "1 INVITE", "1 CANCEL").Replace(string(invite))
	if _, err := stranger.conn.Write([]byte(overheard)); err != nil {
		t.Fatal(err)
	}
	if m, err := stranger.next(); err != nil || !strings.HasPrefix(m, "SIP/2.0 403") {
		t.Errorf("a foreign CANCEL got %q, %v", m, err)
	}
	close(release)
	m, err := client.final("INVITE")
	if err != nil {
		t.Fatalf("the INVITE was cancelled by another: %v", err)
	}
	tag := tagOf(m)
	for _, from := range []struct {
		c    *bareSRC
		port string
	}{{stranger, "6666"}, {client, "4444"}} {
		answer := head + "m=audio " + from.port + " RTP/AVP 0\r\na=sendonly\r\n"
		if _, err := from.c.conn.Write(from.c.text("ACK", "bound", tag, 1, answer)); err != nil {
			t.Fatal(err)
		}
		if _, m := from.c.status(t, "OPTIONS", "", 10, ""); m == "" { // the ACK was read
			t.Fatal("no answer")
		}
	}
	if ev := d.want(Changed); ev.Streams[0].Remote.Port() != 4444 {
		t.Errorf("the answer was that of port %d", ev.Streams[0].Remote.Port())
	}
}

// TestSRTPRequiredOfEachOffer: an SRC that has to offer SRTP has to do so each time.
// One that does not is refused, and what was agreed stays (RFC 3261 §14.2).
// Shows 7866-12.2-03.
func TestSRTPRequiredOfEachOffer(t *testing.T) {
	d := newDesk(t, nil, as(SRC{Name: "sbc", SRTP: SRTPRequired}))
	secure := savp(cryptoLine(t, 1, 1, "AES_CM_128_HMAC_SHA1_80"))
	plain := src.Request{ContentType: "application/sdp", Body: []byte(head + "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\na=label:1\r\n")}
	if f := d.invite(plain).Final(); f.Status != 488 || !strings.Contains(f.Get("Warning"), "SRTP is required") {
		t.Errorf("a plain INVITE got %d %s", f.Status, f.Get("Warning"))
	}
	dialog := d.invite(src.Request{ContentType: "application/sdp", Body: []byte(secure)})
	d.want(Offered)
	for _, again := range []func() (*src.Message, error){
		func() (*src.Message, error) { return dialog.Update(t.Context(), plain) },
		func() (*src.Message, error) { return dialog.Reinvite(t.Context(), plain) },
	} {
		if m, err := again(); err != nil || m.Status != 488 || !strings.Contains(m.Get("Warning"), "SRTP is required") {
			t.Errorf("a plain offer got %v, %v", m, err)
		}
	}
	body := strings.Replace(secure, "a=sendonly", "a=inactive", 1)
	if m, err := dialog.Update(t.Context(), src.Request{ContentType: "application/sdp", Body: []byte(body)}); err != nil || m.Status != 200 {
		t.Fatalf("an offer of SRTP got %v, %v", m, err)
	}
	if ev := d.want(Changed); ev.Streams[0].Closed || ev.Streams[0].SRTP == "" {
		t.Errorf("stream %+v", ev.Streams[0])
	}
}

// TestSRTPRequiredOfAnAnswer: an offerless INVITE is answered with an offer of SRTP.
// When the ACK answers it with plain RTP, or not at all, nothing can be recorded: BYE
// says so, and so does the log. What is agreed later is held to it, too.
// Shows DRV3264-6-01, 7866-12.2-03.
func TestSRTPRequiredOfAnAnswer(t *testing.T) {
	const plain = head + "m=audio 4000 RTP/AVP 0\r\na=sendonly\r\n"
	const savpHead = head + "m=audio 4000 RTP/SAVP 0\r\na=sendonly\r\n"
	secure := savpHead + cryptoLine(t, 9, 1, "AES_CM_128_HMAC_SHA1_80")
	for _, tt := range []struct {
		name    string
		answers []string // of the ACK to the INVITE, and to re-INVITEs, each without an offer
	}{
		{"plain", []string{plain}},
		{"none", []string{""}},
		{"plain later", []string{secure, plain}},
		{"not encrypted", []string{strings.TrimSuffix(secure, "\r\n") + " UNENCRYPTED_SRTP\r\n"}},
		{"RTCP not encrypted, later", []string{secure, strings.TrimSuffix(secure, "\r\n") + " UNENCRYPTED_SRTCP\r\n"}},
		{"a suite that was not offered", []string{savpHead + cryptoLine(t, 9, 1, "AES_CM_128_HMAC_SHA1_32")}},
		{"a tag that was not offered", []string{savpHead + cryptoLine(t, 9, 9, "AES_CM_128_HMAC_SHA1_80")}},
		{"port 0", []string{strings.Replace(secure, "4000", "0", 1)}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			core, logged := observer.New(zapcore.WarnLevel)
			d := newDesk(t, nil, as(SRC{Name: "sbc", SRTP: SRTPRequired}), func(c *Config) { c.Log = zap.New(core) })
			client, tag := bareAt(t, d, "127.0.0.1"), ""
			for i, answer := range tt.answers {
				status, m := client.status(t, "INVITE", tag, i+1, "")
				if status != "200" || !strings.Contains(m, "RTP/SAVP") {
					t.Fatalf("INVITE got\n%s", m)
				}
				tag = tagOf(m)
				if _, err := client.conn.Write(client.text("ACK", "bound", tag, i+1, answer)); err != nil {
					t.Fatal(err)
				}
			}
			d.want(Offered)
			ev := <-d.events
			for ; ev.Kind == Changed; ev = <-d.events {
				if st := ev.Streams[0]; st.Receiving && st.SRTP == "" {
					t.Errorf("a plain stream is taken: %+v", st)
				}
			}
			if ev.Reason != EndNoAnswer {
				t.Errorf("ended by %s", ev.Reason)
			}
			bye, err := client.next()
			if err != nil || !strings.HasPrefix(bye, "BYE ") || !strings.HasPrefix(field(bye, "Reason"), "SIP;cause=488;") {
				t.Errorf("%v came\n%s", err, bye)
			}
			if n := logged.FilterMessage("answer cannot be taken").Len() + logged.FilterMessage("ack without a readable answer").Len(); n != 1 {
				t.Errorf("the log is %v", logged.All())
			}
		})
	}
}
