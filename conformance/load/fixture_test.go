package load

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// wavFile is a file of 16-bit or, with format 7, mu-law samples at 8 kHz.
func wavFile(format, channels int, samples []byte) []byte {
	bits := 16
	if format == observe.FormatMuLaw {
		bits = 8
	}
	b := append([]byte("RIFF"), 0, 0, 0, 0)
	b = append(b, "WAVEjunk"...)
	b = append(b, 3, 0, 0, 0, 1, 2, 3, 0) // an odd chunk has an octet more
	b = append(b, "fmt "...)
	b = binary.LittleEndian.AppendUint32(b, 16)
	b = binary.LittleEndian.AppendUint16(b, uint16(format))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels))
	b = binary.LittleEndian.AppendUint32(b, 8000)
	b = binary.LittleEndian.AppendUint32(b, uint32(8000*channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(channels*bits/8))
	b = binary.LittleEndian.AppendUint16(b, uint16(bits))
	b = append(b, "data"...)
	b = binary.LittleEndian.AppendUint32(b, uint32(len(samples)))
	return append(b, samples...)
}

// pcmOf decodes mu-law to little-endian samples.
func pcmOf(t testing.TB, words []byte) []byte {
	t.Helper()
	pcm, err := src.Decode(src.PCMU(), words)
	if err != nil {
		t.Fatal(err)
	}
	var out []byte
	for _, s := range pcm {
		out = binary.LittleEndian.AppendUint16(out, uint16(s))
	}
	return out
}

// payloads are packets of a stream, one after the other, as mu-law.
func (c *code) payloads(stream int, packets ...int) []byte {
	var out []byte
	for _, p := range packets {
		b := make([]byte, c.words)
		c.write(b, stream, p)
		out = append(out, b...)
	}
	return out
}

func testCode(t testing.TB) *code {
	t.Helper()
	c, err := newCode(77, 160)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// upTo are the numbers below n without some.
func upTo(n int, without ...int) []int {
	var out []int
	for i := range n {
		if !slices.Contains(without, i) {
			out = append(out, i)
		}
	}
	return out
}

// An srs is a Session Recording Server of a few lines, which can be wrong.
type srs struct {
	t    testing.TB
	dir  string
	sip  *net.UDPConn
	wg   sync.WaitGroup
	mu   sync.Mutex
	open map[string][]*track // by Call-ID
	n    int

	// spoil may change the mu-law that goes into a file.
	spoil func(file int, words []byte) []byte
	// answer may change a response; empty sends none.
	answer func(req *src.Message, response string) string
	// hangUp sends a BYE when the first packet of a stream comes.
	hangUp bool
}

// A track is one socket, and the payloads that came, by sequence number.
type track struct {
	conn *net.UDPConn
	got  []arrived // to be read after done
	done chan struct{}
	// first is called for every packet.
	first func()
}

type arrived struct {
	sequence uint16
	payload  []byte
}

func newSRS(t testing.TB, change func(*srs)) *srs {
	t.Helper()
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	s := &srs{t: t, dir: t.TempDir(), sip: c, open: make(map[string][]*track)}
	if change != nil {
		change(s)
	}
	s.wg.Go(s.serve)
	t.Cleanup(func() {
		c.Close()
		s.wg.Wait()
		for _, list := range s.open {
			for _, tr := range list {
				tr.conn.Close()
				<-tr.done
			}
		}
	})
	return s
}

func (s *srs) address() string { return s.sip.LocalAddr().String() }

func (s *srs) serve() {
	buf := make([]byte, 65536)
	for {
		n, from, err := s.sip.ReadFromUDPAddrPort(buf)
		if err != nil {
			return
		}
		m, err := src.Parse(slices.Clone(buf[:n]))
		if err == nil {
			m.Source = from
		}
		if err != nil || m.Method == "ACK" || m.Method == "" {
			continue
		}
		s.respond(m, from)
	}
}

func (s *srs) respond(m *src.Message, from netip.AddrPort) {
	body := ""
	switch m.Method {
	case "INVITE":
		body = s.invite(m)
	case "BYE":
		s.bye(m.Get("Call-ID"))
	}
	text := "SIP/2.0 200 OK\r\n"
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		value := m.Get(name)
		if name == "To" && !strings.Contains(value, "tag=") {
			value += ";tag=few"
		}
		text += name + ": " + value + "\r\n"
	}
	text += "Contact: <sip:few@" + s.address() + ">\r\n"
	if body != "" {
		text += "Content-Type: application/sdp\r\n"
	}
	text += fmt.Sprintf("Content-Length: %d\r\n\r\n%s", len(body), body)
	if s.answer != nil {
		if text = s.answer(m, text); text == "" {
			return
		}
	}
	_, _ = s.sip.WriteToUDPAddrPort([]byte(text), from) // a peer that is gone shows in the test
}

// invite opens a socket for each m-line.
func (s *srs) invite(m *src.Message) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	id := m.Get("Call-ID")
	if s.open[id] == nil {
		for range strings.Count(string(m.Body), "m=audio") {
			c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
			if err != nil {
				s.t.Error(err)
				return ""
			}
			tr := &track{conn: c, done: make(chan struct{}), first: func() {}}
			if s.hangUp {
				tr.first = sync.OnceFunc(func() { s.end(m) })
			}
			go tr.read()
			s.open[id] = append(s.open[id], tr)
		}
	}
	sdp := "v=0\r\no=few 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
	for _, tr := range s.open[id] {
		sdp += fmt.Sprintf("m=audio %d RTP/AVP 0\r\na=recvonly\r\n", portOf(tr.conn))
	}
	return sdp
}

func (tr *track) read() {
	defer close(tr.done)
	b := make([]byte, 2048)
	for {
		n, err := tr.conn.Read(b)
		if err != nil {
			return
		}
		if n == 4 && string(b[:4]) == "over" {
			return
		}
		tr.first()
		tr.got = append(tr.got, arrived{binary.BigEndian.Uint16(b[2:]), slices.Clone(b[headerOctets:n])})
	}
}

// end sends a BYE in the dialog of an INVITE.
func (s *srs) end(m *src.Message) {
	text := "BYE sip:src SIP/2.0\r\nVia: SIP/2.0/UDP " + s.address() + ";branch=z9hG4bKend" + m.Branch() + "\r\nMax-Forwards: 70\r\n" +
		"From: " + m.Get("To") + ";tag=few\r\nTo: " + m.Get("From") + "\r\nCall-ID: " + m.Get("Call-ID") +
		"\r\nCSeq: 1 BYE\r\nContent-Length: 0\r\n\r\n"
	_, _ = s.sip.WriteToUDPAddrPort([]byte(text), m.Source) // a peer that is gone shows in the test
}

// bye writes a file for each m-line.
func (s *srs) bye(id string) {
	s.mu.Lock()
	list := s.open[id]
	delete(s.open, id)
	s.mu.Unlock()
	for _, tr := range list {
		// What is queued comes before this.
		if _, err := tr.conn.WriteToUDP([]byte("over"), tr.conn.LocalAddr().(*net.UDPAddr)); err != nil {
			s.t.Error(err)
		}
		<-tr.done
		tr.conn.Close()
		slices.SortStableFunc(tr.got, func(a, b arrived) int { return cmp.Compare(int16(a.sequence-b.sequence), 0) })
		var words []byte
		for _, a := range tr.got {
			words = append(words, a.payload...)
		}
		if s.spoil != nil {
			words = s.spoil(s.n, words)
		}
		name := filepath.Join(s.dir, fmt.Sprintf("file-%d.wav", s.n))
		s.n++
		if words == nil {
			continue
		}
		if err := os.WriteFile(name, wavFile(observe.FormatPCM, 1, pcmOf(s.t, words)), 0o600); err != nil {
			s.t.Error(err)
		}
	}
}
