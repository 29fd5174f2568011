package src_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// pair is a model server and an SRC before it.
func pair(t *testing.T, m model.Config, c src.Config) (*model.Server, *src.SRC) {
	t.Helper()
	server, err := model.Start(m)
	if err != nil {
		if m.IP == "::1" {
			t.Skipf("no IPv6 loopback here: %v", err)
		}
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := server.Close(); err != nil {
			t.Error(err)
		}
	})
	c.Target, c.Transport = server.Addr(), m.Network
	if c.T1 == 0 {
		c.T1 = 50 * time.Millisecond
	}
	client, err := src.New(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := client.Close(); err != nil {
			t.Error(err)
		}
	})
	return server, client
}

func deadline(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func invite(t *testing.T, client *src.SRC, r src.Request) *src.Dialog {
	t.Helper()
	if r.Streams == nil {
		r.Streams = src.TwoParties()
	}
	d, err := client.Invite(deadline(t), r)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func status(t *testing.T, want int) func(*src.Message, error) {
	return func(m *src.Message, err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		if m.Status != want {
			t.Fatalf("status %d, want %d", m.Status, want)
		}
	}
}

func TestRecordingSessionOverEachTransport(t *testing.T) {
	for _, c := range []struct{ network, ip string }{
		{"udp", "127.0.0.1"}, {"tcp", "127.0.0.1"}, {"udp", "::1"}, {"tcp", "::1"},
	} {
		t.Run(c.network+" "+c.ip, func(t *testing.T) {
			server, client := pair(t, model.Config{Network: c.network, IP: c.ip}, src.Config{Seed: 3})
			ctx := deadline(t)
			now := time.Date(2030, 5, 1, 12, 0, 0, 0, time.UTC)
			talk := src.NewConversation(client.IDs(), now,
				src.Party{AOR: "sip:ann@example.com", Name: "Ann & <Co>", Label: "1"},
				src.Party{AOR: "sip:ben@example.com", Label: "2"})
			d := invite(t, client, src.Request{Metadata: talk.Complete()})
			if got := d.Final().Status; got != 200 {
				t.Fatalf("status %d", got)
			}
			answer, err := d.Answer()
			if err != nil || len(answer.Media) != 2 || answer.Media[1].Label != "2" || answer.DirectionOf(0) != src.RecvOnly {
				t.Fatalf("answer %+v, %v", answer, err)
			}
			if err := d.Stream(1).Burst(ctx, src.Counter(src.PCMU()), 5, src.PlayOptions{}); err != nil {
				t.Fatal(err)
			}
			checkPackets(t, server, d)
			status(t, 200)(d.Update(ctx, src.Request{Metadata: talk.Hold(0)}))
			status(t, 200)(d.Reinvite(ctx, src.Request{Streams: d.WithDirection(src.Inactive)}))
			if again, err := d.Answer(); err != nil || again.DirectionOf(0) != src.Inactive || again.Version != 2 {
				t.Errorf("answer after hold %+v, %v", again, err)
			}
			status(t, 200)(d.Info(ctx, src.Request{}))
			status(t, 200)(d.Bye(ctx, src.Request{Metadata: talk.Stop(now)}))
			if _, err := server.Wait(ctx, "ACK", 2); err != nil {
				t.Error(err)
			}
			checkNumbers(t, server)
			if u := client.Unexpected(); len(u) > 0 {
				t.Errorf("unexpected: %s", u[0].Raw)
			}
		})
	}
}

// checkPackets compares what arrived with what the stream says it sent.
func checkPackets(t *testing.T, server *model.Server, d *src.Dialog) {
	t.Helper()
	conn := server.Media(1)
	buf := make([]byte, 2048)
	for i, sent := range d.Stream(1).Sent() {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if err != nil {
			t.Fatal(err)
		}
		var p rtp.Packet
		if err := p.Unmarshal(buf[:n]); err != nil {
			t.Fatal(err)
		}
		if p.SequenceNumber != sent.Sequence || p.Timestamp != sent.Timestamp || p.SSRC != sent.SSRC || p.Marker != (i == 0) {
			t.Errorf("packet %d is %v, sent %+v", i, p.Header, sent)
		}
		if src := netip.AddrPortFrom(from.Addr().Unmap(), from.Port()); src != d.Stream(1).Local() {
			t.Errorf("packet came from %s, not from %s", src, d.Stream(1).Local())
		}
		for k, b := range p.Payload {
			if want := src.CounterWord(int64(i*160 + k)); b != want {
				t.Fatalf("packet %d octet %d is %d, want %d", i, k, b, want)
			}
		}
	}
}

// checkNumbers: each request of a dialog has the next CSeq, ACK that of its
// INVITE (RFC 3261 §12.2.1.1).
func checkNumbers(t *testing.T, server *model.Server) {
	t.Helper()
	var last uint32
	for _, m := range server.Received() {
		n, method := m.CSeq()
		if m.Method == "" || method == "ACK" {
			continue
		}
		if n != last+1 {
			t.Errorf("%s has CSeq %d after %d", m.Method, n, last)
		}
		last = n
	}
	if last != 5 {
		t.Errorf("last CSeq %d, want 5", last)
	}
}

func TestRequestIsRetransmittedOverUDP(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp", Drop: func(m *src.Message, nth int) bool {
		return m.Method != "ACK" && nth < 3
	}}, src.Config{T1: 10 * time.Millisecond})
	d := invite(t, client, src.Request{})
	status(t, 200)(d.Bye(deadline(t), src.Request{}))
	var invites []string
	for _, m := range server.Received() {
		if m.Method == "INVITE" {
			invites = append(invites, string(m.Raw))
		}
	}
	if len(invites) < 3 || len(slices.Compact(invites)) != 1 {
		t.Errorf("%d INVITEs, %d of them different", len(invites), len(slices.Compact(invites)))
	}
}

func TestSilentServerIsNoResponse(t *testing.T) {
	_, client := pair(t, model.Config{Network: "udp", Drop: func(*src.Message, int) bool { return true }},
		src.Config{T1: time.Millisecond})
	_, err := client.Invite(deadline(t), src.Request{Streams: src.TwoParties()})
	if err == nil || !strings.Contains(err.Error(), src.ErrNoResponse.Error()) {
		t.Errorf("error %v", err)
	}
}

func TestACKWithheld(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	ctx := deadline(t)
	d := invite(t, client, src.Request{WithholdACK: true})
	if _, err := d.AwaitRepeats(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if slices.ContainsFunc(server.Received(), func(m *src.Message) bool { return m.Method == "ACK" }) {
		t.Fatal("ACK was sent although it is withheld")
	}
	if err := d.Ack(); err != nil {
		t.Fatal(err)
	}
	ack, err := server.Wait(ctx, "ACK", 1)
	if err != nil {
		t.Fatal(err)
	}
	if n, _ := ack.CSeq(); n != 1 {
		t.Errorf("ACK has CSeq %d", n)
	}
}

func TestOfferlessReinviteIsAnsweredInACK(t *testing.T) {
	server, client := pair(t, model.Config{Network: "tcp"}, src.Config{})
	ctx := deadline(t)
	d := invite(t, client, src.Request{})
	status(t, 200)(d.Reinvite(ctx, src.Request{}))
	ack, err := server.Wait(ctx, "ACK", 2)
	if err != nil {
		t.Fatal(err)
	}
	sdp, err := ack.SDP()
	if err != nil || sdp == nil || len(sdp.Media) != 2 || sdp.DirectionOf(0) != src.SendOnly || sdp.Media[0].Port == 0 {
		t.Errorf("answer in ACK %+v, %v", sdp, err)
	}
}

// request writes a request of the server in the dialog of d.
func request(d *src.Dialog, client *src.SRC, method string, cseq int, body string) []byte {
	local, remote := d.Tags()
	text := fmt.Sprintf("%s sip:src@%s SIP/2.0\r\nVia: SIP/2.0/X 192.0.2.9:5060;branch=z9hG4bK%s%d\r\n"+
		"From: <sip:srs@example.com>;tag=%s\r\nTo: <sip:src@example.com>;tag=%s\r\nCall-ID: %s\r\nCSeq: %d %s\r\n",
		method, client.Local(), method, cseq, remote, local, d.CallID(), cseq, method)
	if body != "" {
		text += "Content-Type: application/sdp\r\n"
	}
	return fmt.Appendf(nil, "%sContent-Length: %d\r\n\r\n%s", text, len(body), body)
}

func TestRequestsOfTheServer(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	ctx := deadline(t)
	d := invite(t, client, src.Request{})
	offer := "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
		"m=audio 9000 RTP/AVP 0\r\na=inactive\r\nm=audio 9002 RTP/AVP 0\r\na=recvonly\r\n"
	steps := []struct {
		name, method, body string
		handler            src.Handler
		want               int
	}{
		{"options", "OPTIONS", "", nil, 200},
		{"re-INVITE", "INVITE", offer, nil, 200},
		{"unknown method", "PUBLISH", "", nil, 405},
		{"handler of the test", "UPDATE", "", func(*src.Message) *src.Reply { return &src.Reply{Status: 491} }, 491},
		{"bye", "BYE", "", nil, 200},
	}
	for i, s := range steps {
		d.Handle(s.handler)
		raw := request(d, client, s.method, i+1, s.body)
		for range 2 { // the second is a retransmission
			if err := server.Send(raw); err != nil {
				t.Fatal(err)
			}
		}
		first, err := server.Wait(ctx, "", 2*i+1)
		if err != nil {
			t.Fatal(err)
		}
		second, err := server.Wait(ctx, "", 2*i+2)
		if err != nil {
			t.Fatal(err)
		}
		if first.Status != s.want || string(first.Raw) != string(second.Raw) {
			t.Errorf("%s: answered %d, again %d", s.name, first.Status, second.Status)
		}
		if s.body != "" {
			sdp, err := first.SDP()
			if err != nil || sdp == nil || sdp.DirectionOf(0) != src.Inactive || sdp.DirectionOf(1) != src.SendOnly {
				t.Errorf("%s: answer %+v, %v", s.name, sdp, err)
			}
			if got := d.Stream(1).Remote().Port(); got != 9002 {
				t.Errorf("stream 1 sends to port %d", got)
			}
		}
		if m, err := d.NextRequest(ctx, s.method); err != nil || m.Method != s.method {
			t.Errorf("%s: next request %v, %v", s.name, m, err)
		}
	}
	if n := len(d.Requests()); n != len(steps) {
		t.Errorf("%d requests are listed, want %d", n, len(steps))
	}
}

func TestCancel(t *testing.T) {
	_, client := pair(t, model.Config{Network: "udp", Ring: true}, src.Config{})
	ctx := deadline(t)
	d, err := client.Start(ctx, src.Request{Streams: src.TwoParties()})
	if err != nil {
		t.Fatal(err)
	}
	status(t, 200)(d.Cancel(ctx))
	status(t, 487)(d.Wait(ctx))
	if len(d.Provisional()) != 1 {
		t.Errorf("%d provisional responses", len(d.Provisional()))
	}
}

func TestLongBodyOverTCP(t *testing.T) {
	server, client := pair(t, model.Config{Network: "tcp"}, src.Config{})
	d := invite(t, client, src.Request{Metadata: []byte("<recording/>"), Quirks: src.Quirks{PadTo: 200_000, Compact: true, Folded: true}})
	if d.Final().Status != 200 {
		t.Fatalf("status %d", d.Final().Status)
	}
	m := server.Received()[0]
	if parts := m.Parts(); len(parts) != 2 || len(parts[1].Body) < 200_000 {
		t.Errorf("%d parts", len(parts))
	}
	if !strings.Contains(string(m.Raw), "\r\nv: SIP") || strings.Contains(string(m.Raw), "Via:") {
		t.Error("header names are not compact")
	}
}

// TestWithheldACKOfRefusal: a refusal stays without its ACK until it is sent, and is
// acknowledged from then on.
func TestWithheldACKOfRefusal(t *testing.T) {
	server, client := pair(t, model.Config{Network: "udp"}, src.Config{})
	d := invite(t, client, src.Request{Require: []string{"x-unheard-of"}, WithholdACK: true})
	if d.Final().Status != 420 {
		t.Fatalf("status %d", d.Final().Status)
	}
	if _, err := client.Options(deadline(t), src.Request{}); err != nil {
		t.Fatal(err)
	}
	for _, m := range server.Received() {
		if m.Method == "ACK" {
			t.Error("an ACK was sent")
		}
	}
	if err := d.Ack(); err != nil {
		t.Fatal(err)
	}
	m, err := server.Wait(deadline(t), "ACK", 1)
	if err != nil {
		t.Fatal(err)
	}
	if m.Branch() != server.Received()[0].Branch() || m.Get("To") != d.Final().Get("To") {
		t.Errorf("came as\n%s", m.Raw)
	}
}
