package pcap_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"net/netip"
	"regexp"
	"strconv"
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/internal/modeltest"
	"github.com/siprecd/siprecd/conformance/pcap"
	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/conformance/src/srctest"
)

// TestCaptureOfARun: what a reader finds in the capture of a run is what went over the
// wire, over TLS in the clear.
func TestCaptureOfARun(t *testing.T) {
	for _, network := range []string{"udp", "tcp", "tls"} {
		t.Run(network, func(t *testing.T) {
			target := start(t, network)
			var out bytes.Buffer
			w, err := pcap.New(&out)
			if err != nil {
				t.Fatal(err)
			}
			target.Packets = w.Write
			one := check.Case{ID: "call/1", Level: check.Must, Run: call}
			r, err := conformance.Run(t.Context(), target, conformance.Options{Cases: []check.Case{one, one, one}})
			if err != nil || r.Passed != 3 {
				t.Fatalf("%+v, %v", r, err)
			}
			if err := w.Flush(); err != nil {
				t.Fatal(err)
			}
			records := read(t, out.Bytes())
			sent, received := messages(t, records, netip.MustParseAddrPort(target.Address))
			if sent["OPTIONS"] < 1 || sent["INVITE"] < 3 || received["200 INVITE"] < 3 || sent["ACK"] < 3 || sent["BYE"] < 3 || received["200 BYE"] < 3 {
				t.Errorf("sent %v, received %v", sent, received)
			}
			rtp, rtcp := media(records, target.Address)
			if rtp != 30 || rtcp < 3 {
				t.Errorf("%d packets of RTP and %d of RTCP", rtp, rtcp)
			}
		})
	}
}

// call is a recording session with audio, and a report about it.
func call(ctx context.Context, t *check.T) {
	d := t.Open(ctx, src.Request{})
	stream := d.Streams()[0]
	t.Check(stream.Play(ctx, src.Silence(), src.PlayOptions{Count: 10}), "play")
	_, _, err := stream.ReadRTCP(ctx)
	t.Check(err, "wait for RTCP")
}

func start(t *testing.T, network string) check.Target {
	t.Helper()
	cfg := model.Config{Network: network, Reports: true}
	var believed *tls.Config
	if network == "tls" {
		authority := srctest.NewAuthority(t)
		cert := authority.Issue("127.0.0.1")
		cfg.TLS = &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
		believed = authority.Client()
	}
	s := modeltest.Start(t, cfg)
	return check.Target{Address: s.Addr(), Transport: network, TLS: believed}
}

// messages counts the SIP messages to and from a server, by method, and by status and
// method.
func messages(t *testing.T, records []record, server netip.AddrPort) (sent, received map[string]int) {
	t.Helper()
	sent, received = make(map[string]int), make(map[string]int)
	count := func(into map[string]int, raw []byte) {
		m, err := src.Parse(raw)
		if err != nil {
			t.Fatalf("%q: %v", raw, err)
		}
		if m.Status == 0 {
			into[m.Method]++
			return
		}
		_, method := m.CSeq()
		into[string(raw[8:11])+" "+method]++
	}
	clients := make(map[netip.AddrPort]bool)
	for _, r := range records {
		switch {
		case r.protocol == 6 && r.to == server:
			clients[r.from] = true
		case r.protocol == 17 && r.to == server:
			count(sent, r.data)
		case r.protocol == 17 && r.from == server:
			count(received, r.data)
		}
	}
	for client := range clients {
		out, in := follow(t, records, client, server)
		for _, raw := range split(t, out) {
			count(sent, raw)
		}
		for _, raw := range split(t, in) {
			count(received, raw)
		}
	}
	return sent, received
}

var contentLength = regexp.MustCompile(`\r\nContent-Length: ([0-9]+)\r\n`)

// split cuts a stream into messages by their Content-Length.
func split(t *testing.T, stream []byte) [][]byte {
	t.Helper()
	var out [][]byte
	for len(stream) > 0 {
		end := bytes.Index(stream, []byte("\r\n\r\n"))
		if end < 0 {
			t.Fatalf("a message has no end: %q", stream)
		}
		length := 0
		if m := contentLength.FindSubmatch(stream[:end+4]); m != nil {
			var err error
			if length, err = strconv.Atoi(string(m[1])); err != nil {
				t.Fatal(err)
			}
		}
		if end+4+length > len(stream) {
			t.Fatalf("a body of %d octets is not there", length)
		}
		out = append(out, stream[:end+4+length])
		stream = stream[end+4+length:]
	}
	return out
}

// media counts datagrams that are not to or from the port of SIP.
func media(records []record, server string) (rtp, rtcp int) {
	for _, r := range records {
		switch {
		case r.protocol != 17 || r.from.String() == server || r.to.String() == server:
		case len(r.data) > 1 && r.data[1] >= 192 && r.data[1] <= 223:
			rtcp++
		default:
			rtp++
		}
	}
	return rtp, rtcp
}
