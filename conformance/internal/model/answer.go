package model

import (
	"cmp"
	"crypto/rand"
	"fmt"
	"net"
	"strconv"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

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
	d.timing = timing(offer)
	for i, m := range offer.Media {
		if i == len(d.lines) {
			d.lines = append(d.lines, line{})
		}
		l := &d.lines[i]
		l.kind = m.Kind
		direction := "recvonly"
		if dir := offer.DirectionOf(i); dir == src.Inactive || dir == src.RecvOnly || cmp.Or(m.Connection, offer.Connection) == "0.0.0.0" {
			direction = "inactive"
		}
		label := ""
		if m.Label != "" {
			label = "a=label:" + m.Label + "\r\n"
		}
		if !s.cfg.ProtectedKeys || s.cfg.Network == "tls" {
			l.protect(m)
		}
		valid := l.accepted != ""
		crypto, mux := "", ""
		if valid {
			crypto = "a=crypto:" + l.answered + "\r\n"
		}
		if _, offered := m.Attribute("rtcp-mux"); offered && s.cfg.Reports {
			mux = "a=rtcp-mux\r\n"
		}
		l.text = fmt.Sprintf("%s %s\r\n%s%s%s%sa=%s\r\n", m.Proto, strings.Join(m.Formats, " "), mapped(m), label, crypto, mux, direction)
		switch {
		case !valid && strings.HasPrefix(m.Proto, "RTP/SAVP"), m.Port == 0 || !strings.HasPrefix(m.Proto, "RTP/"):
			l.port = 0
			if s.track(d, i, m, ""); !l.recorded() {
				l.end()
			}
		case l.port == 0:
			s.bind(l)
		}
		if l.receiver != nil && l.port != 0 {
			l.receiver.expect(offer, i, l.accepted, l.answered)
			s.track(d, i, m, direction)
		}
	}
	return d.describe(s.addr.Addr().String())
}

// mapped are the a=rtpmap and a=fmtp lines of an m-line, which keep their numbers in an
// answer (RFC 3264 §6.1).
func mapped(m src.MediaLine) string {
	var b strings.Builder
	for _, a := range m.Attributes {
		if strings.HasPrefix(a, "rtpmap:") || strings.HasPrefix(a, "fmtp:") {
			b.WriteString("a=" + a + "\r\n")
		}
	}
	return b.String()
}

// timing are the t= lines of an offer, which an answer repeats (RFC 3264 §6).
func timing(offer *src.SDP) string {
	var b strings.Builder
	for line := range strings.Lines(string(offer.Raw)) {
		if strings.HasPrefix(line, "t=") {
			b.WriteString(strings.TrimSpace(line) + "\r\n")
		}
	}
	return b.String()
}

// protect accepts the first crypto attribute that is understood (RFC 4568 §5.1.2), with
// a key that is drawn for it (§6.1) and stays while it is offered.
func (l *line) protect(m src.MediaLine) {
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
		if value != l.accepted {
			ours := src.SRTPKey{Suite: key.Suite, Key: make([]byte, len(key.Key)), Salt: make([]byte, len(key.Salt))}
			_, _ = rand.Read(ours.Key) // never fails, says its documentation
			_, _ = rand.Read(ours.Salt)
			n, _ := strconv.Atoi(tag)
			l.accepted, l.answered = value, ours.Attribute(n)+negotiated
		}
		return
	}
	l.accepted, l.answered = "", ""
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

// describe gives the description a new version only when it changed (RFC 3264 §8).
func (d *dialog) describe(ip string) string {
	fam := "IP4"
	if strings.Contains(ip, ":") {
		fam = "IP6"
	}
	var b strings.Builder
	fmt.Fprintf(&b, "s=-\r\nc=IN %s %s\r\n%s", fam, ip, cmp.Or(d.timing, "t=0 0\r\n"))
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
	if s.cfg.Reports || s.cfg.Record != nil {
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
