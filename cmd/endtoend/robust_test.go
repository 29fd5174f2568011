package endtoend

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"net/textproto"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/conformance/src/srctest"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/siprec"
)

// A siege is a server under attack, while a recording session of an SRC that behaves
// goes on over TCP: its audio is sent all the time, and all of it has to be kept.
type siege struct {
	*testing.T
	l         *lab
	authority srctest.Authority
	witness   *src.Dialog
	client    *src.SRC // of the witness
	audio     chan error
	silence   context.CancelFunc
}

// TestSiege lets attackers at a server, one kind after the other. Each has to be
// answered, or dropped, without cost for the recording session beside it; and when
// all are gone, so is the memory that they took and every goroutine.
// Shows 3261-21.4.1-01, 4475-3-01.
func TestSiege(t *testing.T) {
	s := besiege(t)
	base := heap()
	goroutines := runtime.NumGoroutine()
	for _, attack := range []struct {
		name string
		run  func(*siege)
	}{
		{"nonsense beside a recording session", (*siege).nonsense},
		{"slow loris", (*siege).slowLoris},
		{"half-open handshakes", (*siege).halfOpen},
		{"false lengths", (*siege).falseLengths},
		{"pipelined and in pieces", (*siege).pieces},
		{"documents that are bombs", (*siege).bombs},
		{"a thousand parts", (*siege).parts},
		{"ten thousand sources", (*siege).sources},
	} {
		began := time.Now()
		attack.run(s)
		s.alive()
		t.Logf("%s: %d ms", attack.name, time.Since(began).Milliseconds())
	}
	s.settle(goroutines)
	// What the connections, transactions and buffers of the attackers took is gone; a
	// part stays for as long as transactions last, and in pools.
	const most = 16 << 20
	if grown := heap() - base; grown > most {
		t.Errorf("the heap has grown by %d octets, at most %d are allowed", grown, most)
	} else {
		t.Logf("the heap has grown by %d kB", grown>>10)
	}
	s.complete()
}

// heap is what is in use after a collection, in octets.
func heap() int64 {
	var m runtime.MemStats
	for range 3 { // pools are emptied at the second
		runtime.GC()
	}
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// besiege starts a server that takes calls from 127.0.0.1 only, and the witness.
func besiege(t *testing.T) *siege {
	t.Helper()
	authority := srctest.NewAuthority(t)
	certificate, key, _ := authority.Write(authority.Issue("127.0.0.1"))
	identity, err := siprec.LoadTLS(siprec.TLSFiles{Certificate: certificate, Key: key})
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, "127.0.0.1", func(c *siprec.Config) {
		c.TLS = identity
		c.Listen = append(c.Listen, siprec.Endpoint{Network: "tls", Address: "127.0.0.1:0"})
		c.Admit = func(o siprec.Origin) (siprec.SRC, error) {
			if o.Source.Addr() != netip.AddrFrom4([4]byte{127, 0, 0, 1}) {
				return siprec.SRC{}, errors.New("nobody known")
			}
			return siprec.SRC{Name: "sbc"}, nil
		}
	})
	s := &siege{T: t, l: l, authority: authority, client: l.client("tcp"), audio: make(chan error, 1)}
	s.witness = invite(t, s.client, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(s.client).Complete()})
	ctx, silence := context.WithCancel(t.Context())
	s.silence = silence
	t.Cleanup(silence)
	go func() {
		s.audio <- s.witness.Play(ctx, src.PlayOptions{Codec: src.PCMU(), Count: 20 * 60 * 50}, src.Counter(src.PCMU()), src.Counter(src.PCMU()))
	}()
	return s
}

// alive wants the witness to be served.
func (s *siege) alive() {
	s.Helper()
	do(s.T, s.witness, "OPTIONS", src.Request{})
}

// settle waits until the connections of the attackers are forgotten.
func (s *siege) settle(goroutines int) {
	s.Helper()
	for deadline := time.Now().Add(20 * time.Second); runtime.NumGoroutine() > goroutines; runtime.GC() {
		if time.Now().After(deadline) {
			s.Errorf("%d goroutines, %d before the attacks", runtime.NumGoroutine(), goroutines)
			return
		}
	}
}

// complete ends the recording session of the witness, and looks for each sample that
// it sent.
func (s *siege) complete() {
	s.Helper()
	s.silence()
	if err := <-s.audio; err != nil && !errors.Is(err, context.Canceled) {
		s.Fatal(err)
	}
	do(s.T, s.witness, "BYE", src.Request{})
	var of *store.Manifest
	for _, m := range s.l.manifests() {
		if m.CallID == s.witness.CallID() {
			of = &m
		}
	}
	if of == nil {
		s.Fatal("the recording of the witness is not there")
	}
	for i, who := range []string{"alice", "Bob"} {
		sent := len(s.witness.Stream(i).Sent())
		if st := of.Streams[i]; st.Packets.Lost != 0 || int(st.Packets.Kept) != sent {
			s.Errorf("%s: %d packets sent, %d kept, %d lost", who, sent, st.Packets.Kept, st.Packets.Lost)
		}
		if find(s.l.audio(*of, who), counterSamples(s.T, src.PCMU(), sent*frame)) < 0 {
			s.Errorf("%s: the %d packets sent are not in the file as one piece", who, sent)
		}
	}
}

// A raider is a connection of somebody who does not behave.
type raider struct {
	*siege
	net.Conn
	in      *textproto.Reader
	answers map[string]int // status of final responses not yet wanted, by Call-ID
	gone    func() bool
}

// raid opens a connection from an address of the loopback.
func (s *siege) raid(network, from string) *raider {
	s.Helper()
	d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(from)}}
	target := s.l.address(network)
	if network == "udp" {
		d.LocalAddr = &net.UDPAddr{IP: net.ParseIP(from)}
	} else {
		network = "tcp"
	}
	conn, err := d.DialContext(s.Context(), network, target)
	if err != nil {
		s.Fatalf("from %s: %v", from, err)
	}
	// A cleanup for each of them would be most of what the heap grows by.
	gone := context.AfterFunc(s.Context(), func() { conn.Close() })
	in := textproto.NewReader(bufio.NewReaderSize(conn, 4<<10))
	return &raider{siege: s, Conn: conn, in: in, answers: make(map[string]int), gone: gone}
}

func (r *raider) leave() {
	r.gone()
	r.Close()
}

// send writes what must arrive.
func (r *raider) send(text string) {
	r.Helper()
	if _, err := io.WriteString(r.Conn, text); err != nil {
		r.Fatal(err)
	}
}

// want reads responses up to the final one to a Call-ID, which must have that status.
// Others wait until they are wanted: an INVITE is answered by its own goroutine.
func (r *raider) want(callID string, status int) {
	r.Helper()
	if err := r.SetReadDeadline(time.Now().Add(20 * time.Second)); err != nil {
		r.Fatal(err)
	}
	for r.answers[callID] == 0 {
		if err := r.read(); err != nil {
			r.Fatalf("no answer to %s: %v", callID, err)
		}
	}
	if got := r.answers[callID]; got != status {
		r.Errorf("%s: answered %d, want %d", callID, got, status)
	}
	delete(r.answers, callID)
}

// read notes the next response, if it is a final one.
func (r *raider) read() error {
	line := ""
	for line == "" { // between responses stand those to keep-alives
		var err error
		if line, err = r.in.ReadLine(); err != nil {
			return err
		}
	}
	h, err := r.in.ReadMIMEHeader()
	if err != nil {
		return err
	}
	length, err := strconv.ParseInt(h.Get("Content-Length"), 10, 64)
	if err != nil {
		return err
	}
	if _, err := io.CopyN(io.Discard, r.in.R, length); err != nil {
		return err
	}
	var status int
	if _, err := fmt.Sscanf(line, "SIP/2.0 %d", &status); err != nil {
		return fmt.Errorf("%s: %w", line, err)
	}
	if status >= 200 {
		r.answers[h.Get("Call-Id")] = status
	}
	return nil
}

// request is a whole one but for its body; length stands in Content-Length.
func request(method, callID, via, more string, length any) string {
	return fmt.Sprintf("%s sip:srs@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/%s;branch=z9hG4bK%s;rport\r\nMax-Forwards: 70\r\n"+
		"From: <sip:raider@127.0.0.1>;tag=r\r\nTo: <sip:srs@127.0.0.1>\r\nCall-ID: %s\r\nCSeq: 1 %s\r\n"+
		"Contact: <sip:raider@127.0.0.1>\r\n%sContent-Length: %v\r\n\r\n", method, via, callID, callID, method, more, length)
}

func options(callID string) string { return request("OPTIONS", callID, "TCP 127.0.0.1", "", 0) }

// nonsense is what cannot be read, on the connection of the witness itself.
func (s *siege) nonsense() {
	for i, text := range []string{
		"\x00\x01\x02\xff\xfe no message at all\r\n",
		"GET / HTTP/1.1\r\nHost: srs\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\xaa", 500) + "\n",
		"INVITE\r\n\r\n",
		"INVITE sip:x SIP/9.9\r\nVia: x\r\n\r\n",
		"SIP/2.0 99999 Never\r\nCall-ID: x\r\n\r\n",
		"SIP/2.0 200 OK\r\n\r\n",
		"OPTIONS sip:x@y SIP/2.0\r\nNo colon here\r\n: no name\r\n\r\n",
		request("INVITE", "n1", "TCP 127.0.0.1", "", "nonsense") + "v=0\r\no=x\r\n",
		request("INVITE", "n2", "TCP 127.0.0.1", "", -5) + "some body",
		request("INVITE", "n3", "TCP 127.0.0.1", "Content-Length: 7\r\n", 8) + "12345678",
		request("INVITE", "n4", "TCP 127.0.0.1", strings.Repeat("X-Many: y\r\n", 5000), 0),
		request("INVITE", "n5", "TCP 127.0.0.1", "X-Long: "+strings.Repeat("long ", 100_000)+"\r\n", 0),
		request("INVITE", "n6", "TCP 127.0.0.1", "", 2<<20) + strings.Repeat("\r\nBYE sip:x@y SIP/2.0\r\n", 2<<20/23) + strings.Repeat("!", 2<<20%23),
		strings.Repeat("no line end ", 50_000) + "\r\n",
		strings.Repeat("\r\n\r\n", 2000),
	} {
		if err := s.client.Send([]byte(text)); err != nil {
			s.Fatalf("message %d: %v", i, err)
		}
		s.alive()
	}
}

// slowLoris is many connections on which an octet comes now and then.
func (s *siege) slowLoris() {
	text := options("loris")
	var all []*raider
	for i := range 700 {
		all = append(all, s.raid("tcp", fmt.Sprintf("127.66.%d.%d", i/20, i%250+1)))
	}
	for at := range 20 {
		for _, r := range all {
			_, _ = io.WriteString(r.Conn, text[at:at+1]) // whoever made room for others cannot
		}
		s.alive()
	}
	patient := all[len(all)-1]
	patient.send(text[20:])
	patient.want("loris", 200)
	for _, r := range all {
		r.leave()
	}
}

// halfOpen is many TLS handshakes that do not get on, and one that does.
func (s *siege) halfOpen() {
	hello := "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + strings.Repeat("\xaa", 100)
	var all []*raider
	for i := range 600 {
		r := s.raid("tls", fmt.Sprintf("127.67.%d.%d", i/20, i%250+1))
		switch i % 3 {
		case 0:
			r.send(hello)
		case 1:
			r.send(options("plain")) // is no handshake at all
		}
		all = append(all, r)
	}
	c, err := src.New(s.Context(), src.Config{
		Target: s.l.address("tls"), Transport: "tls",
		TLS: s.authority.Client(),
	})
	if err != nil {
		s.Fatal(err)
	}
	d := invite(s.T, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete()})
	do(s.T, d, "BYE", src.Request{})
	s.dismiss(c)
	for _, r := range all {
		r.leave()
	}
}

// dismiss closes an SRC of the attackers.
func (s *siege) dismiss(c *src.SRC) {
	s.Helper()
	if err := c.Close(); err != nil {
		s.Error(err)
	}
}

// falseLengths is bodies that are longer, shorter and larger than is said, or can be.
func (s *siege) falseLengths() {
	const via = "TCP 127.0.0.1"
	for i := range 20 {
		r := s.raid("tcp", "127.0.0.1")
		id := func(what string) string { return fmt.Sprintf("%s%d", what, i) }
		// The rest of the body is no message.
		r.send(request("OPTIONS", id("short"), via, "", 4) + "body that is longer\r\n" + options(id("a")))
		r.want(id("short"), 200)
		r.want(id("a"), 200)
		// It is thrown away as it comes.
		r.send(request("INVITE", id("large"), via, "", 3<<20))
		r.want(id("large"), 413)
		r.send(strings.Repeat("x", 3<<20) + options(id("b")))
		r.want(id("b"), 200)
		// It is no length.
		r.send(request("INVITE", id("huge"), via, "", 2<<30-1) + "body\r\n" + options(id("c")))
		r.want(id("huge"), 413)
		r.want(id("c"), 200)
		r.send(request("INVITE", id("more"), via, "", "18446744073709551617") + "body" + options(id("d")))
		r.want(id("more"), 400)
		r.want(id("d"), 200)
		// It never comes.
		r.send(request("INVITE", id("cut"), via, "Content-Type: application/sdp\r\n", 1<<20) + strings.Repeat("x", 1<<19))
		r.leave()
	}
}

// pieces is many messages in one segment, and one in segments of an octet.
func (s *siege) pieces() {
	r := s.raid("tcp", "127.0.0.1")
	var all bytes.Buffer
	const n = 200
	for i := range n {
		all.WriteString(options(fmt.Sprintf("pipelined%d", i)))
	}
	r.send(all.String())
	for i := range n {
		r.want(fmt.Sprintf("pipelined%d", i), 200)
	}
	text := request("INVITE", "octets", "TCP 127.0.0.1", "Content-Type: text/plain\r\n", 4) + "body" + options("next")
	for i := range len(text) {
		r.send(text[i : i+1])
	}
	r.want("octets", 415)
	r.want("next", 200)
	// Cut in two at every place.
	for i := 1; i < len(text); i++ {
		mine := strings.NewReplacer("octets", fmt.Sprintf("%06d", i), "next", fmt.Sprintf("%04d", i)).Replace(text)
		r.send(mine[:i])
		r.send(mine[i:])
		r.want(fmt.Sprintf("%04d", i), 200)
	}
	r.leave()
}

// bombs is metadata that costs more to read than it can be worth. The recording
// session it came with is up all the same.
func (s *siege) bombs() {
	entities := `<?xml version="1.0"?><!DOCTYPE recording [<!ENTITY a0 "aaaaaaaaaa">`
	for i := range 30 {
		entities += fmt.Sprintf(`<!ENTITY a%d "%s">`, i+1, strings.Repeat(fmt.Sprintf("&a%d;", i), 10))
	}
	entities += `]><recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>&a30;</datamode></recording>`
	const deep = 1000 << 10 / 7
	open := `<recording xmlns="urn:ietf:params:xml:ns:recording:1"><datamode>complete</datamode>`
	c := s.l.client("tcp")
	defer s.dismiss(c)
	for name, text := range map[string]string{
		"entities":            entities,
		"depth":               strings.Repeat("<a>", deep) + strings.Repeat("</a>", deep),
		"depth without end":   strings.Repeat("<a>", 1000<<10/3),
		"a megabyte":          open + "<!--" + strings.Repeat("x", 1000<<10) + "--></recording>",
		"elements":            open + strings.Repeat("<x/>", 1000<<10/4) + "</recording>",
		"participants":        open + strings.Repeat(`<participant participant_id="x"><nameID aor="sip:x@y"/></participant>`, 9000) + "</recording>",
		"attributes":          open + "<x" + strings.Repeat(` a="b"`, 1000<<10/6) + "/></recording>",
		"namespaces":          open + strings.Repeat(`<x xmlns:a="b">`, 60) + strings.Repeat("</x>", 60) + "</recording>",
		"a quote without end": open + `<x a="` + strings.Repeat("<", 1000<<10),
		"NULs":                strings.Repeat("\x00", 1000<<10),
	} {
		began := time.Now()
		d := invite(s.T, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: []byte(text)})
		if m := do(s.T, d, "UPDATE", src.Request{Metadata: []byte(text)}); m.Status != 200 {
			s.Errorf("%s: UPDATE answered %d", name, m.Status)
		}
		do(s.T, d, "BYE", src.Request{})
		d.Close()
		if took := time.Since(began); took > 5*time.Second {
			s.Errorf("%s: took %v", name, took)
		}
	}
}

// parts is a body of a thousand parts, and one of nested ones.
func (s *siege) parts() {
	c := s.l.client("tcp")
	defer s.dismiss(c)
	var many []src.Part
	for i := range 1000 {
		many = append(many, src.Part{Type: "text/plain", Body: fmt.Appendf(nil, "part %d", i)})
	}
	d := invite(s.T, c, src.Request{Streams: src.TwoParties(src.PCMU()), Metadata: conversation(c).Complete(), Parts: many})
	do(s.T, d, "BYE", src.Request{})
	nested := ""
	for i := range 5000 {
		nested += fmt.Sprintf("--b%d\r\nContent-Type: multipart/mixed;boundary=b%d\r\n\r\n", i, i+1)
	}
	r := s.raid("tcp", "127.0.0.1")
	r.send(request("INVITE", "nested", "TCP 127.0.0.1", "Require: siprec\r\nContent-Type: multipart/mixed;boundary=b0\r\n", len(nested)) + nested + options("behind"))
	r.want("behind", 200)
	r.leave()
}

// sources is INVITEs that each come from another address. Strangers are answered
// and leave nothing behind.
func (s *siege) sources() {
	up := s.l.server.Up()
	for i := range 10_000 {
		from := fmt.Sprintf("127.%d.%d.%d", 70+i/5000, i/200%25, i%200+1)
		id := fmt.Sprintf("stranger%d", i)
		r := s.raid("udp", from)
		r.send(request("INVITE", id, "UDP "+r.LocalAddr().String(), "Require: siprec\r\nContent-Type: application/sdp\r\n", 0))
		if i%10 == 0 { // the others do not wait for it, nor could they if they were forged
			r.want(id, 403)
		}
		r.leave()
	}
	if now := s.l.server.Up(); now > up {
		s.Errorf("%d recording sessions are up, %d before", now, up)
	}
}
