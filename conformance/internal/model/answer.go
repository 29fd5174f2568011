package model

import (
	"cmp"
	"encoding/base64"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// dialog is what the server knows of one Call-ID.
type dialog struct {
	tag     string
	cseq    uint32
	version int
	last    string // the description without its version
	lines   []line
	acked   chan struct{} // closed by the ACK of the first INVITE
	asks    string        // an UPDATE for a snapshot, sent after the ACK
}

// line is one m-line of the dialog.
type line struct {
	text string // everything after the port
	kind string
	port int
	// receiver takes what comes to the port; nil without Reports.
	receiver *receiver
}

// end stops receiving.
func (l *line) end() {
	if l.receiver != nil {
		l.receiver.end()
		l.receiver = nil
	}
}

const (
	allow  = "INVITE, ACK, BYE, CANCEL, UPDATE, PRACK, OPTIONS, INFO"
	accept = "application/sdp, application/rs-metadata+xml, application/rs-metadata, multipart/mixed"
)

func (s *Server) handle(raw []byte, from netip.AddrPort, write func([]byte) error) {
	m, err := src.Parse(raw)
	if err != nil {
		return
	}
	m.Source = from
	s.mu.Lock()
	defer s.mu.Unlock()
	s.last = write
	s.received = append(s.received, m)
	close(s.news)
	s.news = make(chan struct{})
	if m.Method == "" {
		return
	}
	key := m.Branch() + " " + m.Method
	s.arrivals[key]++
	if s.cfg.Drop != nil && s.cfg.Drop(m, s.arrivals[key]) {
		return
	}
	d := s.dialogs[m.Get("Call-ID")]
	if m.Method == "ACK" {
		if d != nil {
			select {
			case <-d.acked:
			default:
				close(d.acked)
				s.ask(d, write)
			}
		}
		return
	}
	if out := s.stored[key]; out != nil && !s.cfg.Forget {
		_ = write(out) // a peer that is gone shows in the test
		return
	}
	if s.cfg.Ring && m.Method == "INVITE" && d == nil {
		s.ringing = m
		_ = write(s.compose(m, &Response{Status: 180, ToTag: "model-ring"}))
		return
	}
	if s.early(m, write) {
		return
	}
	if m.Method == "INVITE" && d == nil && m.Lists("Require", "100rel") && s.ring(m, write) {
		return
	}
	s.settle(m, d, key, write)
}

// settle sends the final response.
func (s *Server) settle(m *src.Message, d *dialog, key string, write func([]byte) error) {
	out := s.compose(m, s.respond(m, d))
	if out == nil {
		return
	}
	s.stored[key] = out
	_ = write(out)
	if m.Method == "CANCEL" && s.ringing != nil {
		_ = write(s.compose(s.ringing, &Response{Status: 487, ToTag: "model-ring"}))
	}
	if opened := s.dialogs[m.Get("Call-ID")]; m.Method == "INVITE" && d == nil && opened != nil {
		s.repeat(opened, out, write)
	}
}

// repeat sends a 200 again until its ACK comes (RFC 3261 §13.3.1.4).
func (s *Server) repeat(d *dialog, out []byte, write func([]byte) error) {
	s.wg.Go(func() {
		t := time.NewTicker(s.cfg.T1)
		defer t.Stop()
		for range 50 {
			select {
			case <-t.C:
				_ = write(out)
			case <-d.acked:
				return
			case <-s.stop:
				return
			}
		}
	})
}

// respond decides the response; the caller holds mu.
func (s *Server) respond(m *src.Message, d *dialog) *Response {
	r := &Response{Status: 200}
	cseq, _ := m.CSeq()
	to, err := src.ParseAddr(m.Get("To"))
	if err != nil {
		r.Status = 400
		return s.altered(m, r)
	}
	tag, inDialog := to.Param("tag")
	if d != nil {
		r.ToTag = d.tag
	}
	var unknown []string
	for _, option := range m.List("Require") {
		if option != "siprec" && option != "100rel" {
			unknown = append(unknown, option)
		}
	}
	switch {
	case len(unknown) > 0 && m.Method != "CANCEL":
		r.Status = 420
		r.Set("Unsupported", strings.Join(unknown, ", "))
	case !slices.Contains(strings.Split(allow, ", "), m.Method):
		r.Status = 405
		r.Set("Allow", allow)
	case m.Method == "OPTIONS":
		r.Headers = append(r.Headers, src.Header{Name: "Allow", Value: allow}, src.Header{Name: "Accept", Value: accept})
	case m.Method == "CANCEL":
		if s.ringing == nil && d == nil {
			r.Status = 481
		}
	case inDialog && (d == nil || d.tag != tag):
		r.Status = 481
	case inDialog && cseq <= d.cseq:
		r.Status = 500
	case m.Has("Content-Encoding"):
		r.Status = 415
		r.Set("Accept-Encoding", "identity")
	case tooShort(m):
		r.Status = 422
		r.Set("Min-SE", "90")
	case !known(m):
		r.Status = 415
		r.Set("Accept", accept)
	default:
		if d == nil {
			d = s.open(m)
			r.ToTag = d.tag
		}
		d.cseq = cseq
		s.accepted(m, d, r)
	}
	return s.altered(m, r)
}

func (s *Server) altered(m *src.Message, r *Response) *Response {
	if s.cfg.Alter != nil {
		s.cfg.Alter(m, r)
	}
	return r
}

func known(m *src.Message) bool {
	if len(m.Body) == 0 {
		return true
	}
	t := m.ContentType()
	return strings.HasPrefix(t, "multipart/") || slices.Contains(strings.Split(accept, ", "), t)
}

// accepted fills a 200 of a request in a dialog.
func (s *Server) accepted(m *src.Message, d *dialog, r *Response) {
	if m.Method == "BYE" {
		// Its own retransmission is answered from the stored response.
		delete(s.dialogs, m.Get("Call-ID"))
		for i := range d.lines {
			d.lines[i].end()
		}
	}
	if m.Method != "INVITE" && m.Method != "UPDATE" {
		return
	}
	r.Set("Contact", s.contact(m))
	r.Set("Allow", allow)
	grant(m, r)
	for _, route := range m.All("Record-Route") {
		r.Headers = append(r.Headers, src.Header{Name: "Record-Route", Value: route})
	}
	offer, err := m.SDP()
	switch {
	case err != nil:
		r.Status = 400
	case offer != nil:
		r.SDP = s.answer(d, offer)
	case m.Method == "INVITE":
		r.SDP = d.write(s.addr.Addr().String())
	}
}

// contact is where the server is reached (RFC 3261 §12.1.1).
func (s *Server) contact(m *src.Message) string {
	switch {
	case strings.HasPrefix(m.RequestURI, "sips:"):
		return fmt.Sprintf("<sips:srs@%s>;+sip.srs", s.addr)
	case s.cfg.Network == "tls":
		return fmt.Sprintf("<sip:srs@%s;transport=tls>;+sip.srs", s.addr)
	}
	return fmt.Sprintf("<sip:srs@%s>;+sip.srs", s.addr)
}

// answer takes one m-line after the other (RFC 3264 §6, RFC 7866 §7.2).
func (s *Server) answer(d *dialog, offer *src.SDP) string {
	for i, m := range offer.Media {
		if i == len(d.lines) {
			d.lines = append(d.lines, line{})
		}
		l := &d.lines[i]
		l.kind = m.Kind
		direction := "recvonly"
		if dir := offer.DirectionOf(i); dir == src.Inactive || dir == src.RecvOnly || m.Connection == "0.0.0.0" {
			direction = "inactive"
		}
		label := ""
		if m.Label != "" {
			label = "a=label:" + m.Label + "\r\n"
		}
		accepted, answered := cryptoFor(i, m)
		valid := accepted != ""
		crypto, mux := "", ""
		if valid {
			crypto = "a=crypto:" + answered + "\r\n"
		}
		if _, offered := m.Attribute("rtcp-mux"); offered && s.cfg.Reports {
			mux = "a=rtcp-mux\r\n"
		}
		l.text = fmt.Sprintf("%s %s\r\n%s%s%sa=%s\r\n", m.Proto, strings.Join(m.Formats, " "), label, crypto, mux, direction)
		switch {
		case !valid && strings.HasPrefix(m.Proto, "RTP/SAVP"), m.Port == 0 || !strings.HasPrefix(m.Proto, "RTP/"):
			l.port = 0
			l.end()
		case l.port == 0:
			s.bind(l)
		}
		if l.receiver != nil && l.port != 0 {
			l.receiver.expect(offer, i, accepted, answered)
		}
	}
	return d.write(s.addr.Addr().String())
}

// cryptoFor accepts the first crypto attribute that is understood, with a key made of the
// place of the m-line (RFC 4568 §5.1.2); both are empty when there is none.
func cryptoFor(i int, m src.MediaLine) (accepted, answered string) {
	for _, a := range m.Attributes {
		value, ok := strings.CutPrefix(a, "crypto:")
		if !ok {
			continue
		}
		tag, key, err := src.ParseSRTPKey(value)
		if err != nil {
			continue
		}
		negotiated, understood := parameters(strings.Fields(value)[3:])
		if !understood {
			continue
		}
		// Octets whose base64 is one letter.
		letters, _ := base64.StdEncoding.DecodeString(strings.Repeat(string(rune('A'+i)), 64))
		ours := src.SRTPKey{Suite: key.Suite, Key: letters[:len(key.Key)], Salt: letters[len(key.Key):][:len(key.Salt)]}
		n, _ := strconv.Atoi(tag)
		return value, ours.Attribute(n) + negotiated
	}
	return "", ""
}

// parameters are those of the SRTP that an answer repeats; understood is false when one
// is not, nor begins with a dash (RFC 4568 §6.3).
func parameters(fields []string) (negotiated string, understood bool) {
	for _, f := range fields {
		name, _, _ := strings.Cut(f, "=")
		switch {
		case name == "UNENCRYPTED_SRTCP":
			negotiated += " " + f
		case name != "WSH" && name != "FEC_ORDER" && !strings.HasPrefix(name, "-"):
			return "", false
		}
	}
	return negotiated, true
}

// write gives the description a new version only when it changed (RFC 3264 §8).
func (d *dialog) write(ip string) string {
	fam := "IP4"
	if strings.Contains(ip, ":") {
		fam = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "s=-\r\nc=IN %s %s\r\nt=0 0\r\n", fam, ip)
	for _, l := range d.lines {
		fmt.Fprintf(&b, "m=%s %d %s", l.kind, l.port, l.text)
	}
	if b.String() != d.last {
		d.version++
		d.last = b.String()
	}
	return fmt.Sprintf("v=0\r\no=model 77 %d IN %s %s\r\n%s", d.version, fam, ip, d.last)
}

// bind takes a port for a line, with Reports one that is read; it stays 0 when none was
// free.
func (s *Server) bind(l *line) {
	if s.cfg.Reports {
		if l.receiver = s.receive(); l.receiver != nil {
			l.port = l.receiver.rtp.LocalAddr().(*net.UDPAddr).Port
		}
		return
	}
	c, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.ParseIP(s.cfg.IP)})
	if err != nil {
		return
	}
	l.port = c.LocalAddr().(*net.UDPAddr).Port
	s.media = append(s.media, c)
}

// compose writes a response; nil when there is none.
func (s *Server) compose(m *src.Message, r *Response) []byte {
	if r.Status == 0 {
		return nil
	}
	var b strings.Builder
	fmt.Fprintf(&b, "SIP/2.0 %d Model\r\n", r.Status)
	for i, via := range m.All("Via") {
		if i == 0 {
			via = strings.Replace(via, ";rport", fmt.Sprintf(";rport=%d", m.Source.Port()), 1)
		}
		if r.Via != nil {
			via = r.Via(i, via)
		}
		if via != "" {
			fmt.Fprintf(&b, "Via: %s\r\n", via)
		}
	}
	to := m.Get("To")
	if !strings.Contains(to, ";tag=") {
		tag := r.ToTag
		if tag == "" {
			tag = "model-none"
		}
		to += ";tag=" + tag
	}
	callID := m.Get("Call-ID")
	if r.CallID != "" {
		callID = r.CallID
	}
	fmt.Fprintf(&b, "From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: %s\r\n", m.Get("From"), to, callID, m.Get("CSeq"))
	for _, h := range r.Headers {
		fmt.Fprintf(&b, "%s: %s\r\n", h.Name, h.Value)
	}
	if r.SDP != "" {
		fmt.Fprintf(&b, "Content-Type: %s\r\n", cmp.Or(r.Type, "application/sdp"))
	}
	fmt.Fprintf(&b, "Content-Length: %d\r\n\r\n%s", len(r.SDP), r.SDP)
	return []byte(b.String())
}
