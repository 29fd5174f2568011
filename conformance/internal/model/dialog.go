package model

import (
	"crypto/rand"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// dialog is what the server knows of one Call-ID.
type dialog struct {
	callID  string
	tag     string
	remote  string     // tag of the SRC; may be empty (RFC 3261 §12.1.1)
	from    netip.Addr // where its INVITE came from
	cseq    uint32
	version int
	last    string // the description without its version
	timing  string // the t= lines of the last offer
	lines   []line
	acked   chan struct{} // closed by the first ACK
	tracks  []*Track
	names   map[string]string // by label, of whose voice a stream is

	// For requests of the server's own.
	local, peer, target, contact string
	routes                       []string
	asked                        int
	write                        func([]byte) error

	whole         bool // a whole metadata document came
	lacking       bool // and a partial one before it
	snapshotAsked bool
	timer         *time.Timer // of RFC 4028
}

// line is one m-line of the dialog.
type line struct {
	text string // everything after the port
	kind string
	port int
	// receiver takes what comes to the port; nil without Reports and Record.
	receiver *receiver
	// accepted is the a=crypto that was, answered what answers it; empty without SRTP.
	accepted, answered string
}

// end stops receiving.
func (l *line) end() {
	if l.receiver != nil {
		l.receiver.end()
		l.receiver = nil
	}
}

// open makes the dialog of an INVITE. The caller holds mu.
func (s *Server) open(m *src.Message, write func([]byte) error) *dialog {
	d := &dialog{
		callID: m.Get("Call-ID"), from: m.Source.Addr(), tag: s.tagFor(m), remote: tagOf(m.Get("From")),
		local: m.Get("To"), peer: m.Get("From"), routes: m.List("Record-Route"), contact: s.contact(m), write: write,
		acked: make(chan struct{}), names: make(map[string]string),
	}
	s.dialogs[d.callID] = d
	return d
}

// tagFor is the tag of all responses to one INVITE, provisional ones included (RFC 3261
// §8.2.6.2). The caller holds mu.
func (s *Server) tagFor(m *src.Message) string {
	id := m.Get("Call-ID")
	if s.tags[id] == "" || s.dialogs[id] != nil {
		s.tags[id] = rand.Text()
		if s.cfg.Tag != nil {
			s.tags[id] = s.cfg.Tag()
		}
	}
	return s.tags[id]
}

// forget ends a dialog. The caller holds mu.
func (s *Server) forget(d *dialog) {
	delete(s.dialogs, d.callID)
	s.close(d)
	delete(s.tags, d.callID)
	if d.timer != nil {
		d.timer.Stop()
	}
}

// matches says that a request belongs to the dialog: its Call-ID and both tags do
// (RFC 3261 §12.2.2).
func (d *dialog) matches(m *src.Message) bool {
	return d != nil && tagOf(m.Get("To")) == d.tag && tagOf(m.Get("From")) == d.remote
}

// tagOf is the tag of a From or To; empty when there is none.
func tagOf(value string) string {
	a, err := src.ParseAddr(value)
	if err != nil {
		return ""
	}
	tag, _ := a.Param("tag")
	return tag
}

// cut reads a CSeq.
func cut(value string) (number, method string, ok bool) {
	f := strings.Fields(value)
	if len(f) != 2 {
		return "", "", false
	}
	_, err := strconv.ParseUint(f[0], 10, 32)
	return f[0], f[1], err == nil
}

// way is where responses to a request go: over a stream back on it, else to the source
// port if rport asks for that, else to the port of sent-by (RFC 3261 §18.2.2, RFC 3581 §4).
func (s *Server) way(m *src.Message, write func([]byte) error) func([]byte) error {
	if s.udp == nil {
		return write
	}
	to := m.Source
	via, _, _ := strings.Cut(m.Get("Via"), ",")
	if !strings.Contains(via, ";rport") {
		_, port := sentBy(via)
		to = netip.AddrPortFrom(to.Addr(), port)
	}
	if s.cfg.Destination != nil {
		to = s.cfg.Destination(m, to)
	}
	return func(raw []byte) error {
		_, err := s.udp.WriteToUDPAddrPort(raw, to)
		return err
	}
}

// sentBy is the host and port of a Via; the port is 5060 when there is none.
func sentBy(via string) (host string, port uint16) {
	_, rest, _ := strings.Cut(via, " ")
	rest, _, _ = strings.Cut(rest, ";")
	rest = strings.TrimSpace(rest)
	if at := strings.LastIndexByte(rest, ':'); at > strings.LastIndexByte(rest, ']') {
		if n, err := strconv.ParseUint(rest[at+1:], 10, 16); err == nil {
			return rest[:at], uint16(n)
		}
	}
	return rest, 5060
}

// routed is the topmost Via as it goes back: with the address and port that the request
// came from (RFC 3261 §18.2.1, RFC 3581 §4).
func routed(via string, from netip.AddrPort) string {
	host, _ := sentBy(via)
	if !strings.Contains(via, ";rport") && host == from.Addr().String() {
		return via
	}
	via = strings.Replace(via, ";rport", fmt.Sprintf(";rport=%d", from.Port()), 1)
	return via + ";received=" + from.Addr().String()
}
