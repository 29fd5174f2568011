package check

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/siprecd/siprecd/conformance/src"
)

// The bounds of a trace. Of more messages than that the first and the last are kept.
const (
	maxMessages = 200     // of SIP, half of them the first ones
	maxStreams  = 64      // of RTP and RTCP
	maxText     = 1 << 16 // octets of a message
)

// A Message is one SIP message of a case, or a summary of the RTP or RTCP that went
// one way between two ports.
type Message struct {
	At        time.Time      `json:"at"`
	Direction string         `json:"direction"` // "sent" or "received"
	Protocol  src.Protocol   `json:"protocol"`
	Transport string         `json:"transport"` // "UDP", "TCP" or "TLS"
	Local     netip.AddrPort `json:"local"`
	Remote    netip.AddrPort `json:"remote"`
	Text      string         `json:"text"` // the message, or what the packets were in words
	// Last, Packets and Octets are of media: the instant of the last packet, how many
	// there were, and the octets of their payloads in UDP.
	Last    time.Time `json:"last,omitzero"`
	Packets int       `json:"packets,omitempty"`
	Octets  int       `json:"octets,omitempty"`
}

// The directions of a Message.
const (
	Sent     = "sent"
	Received = "received"
)

// trace is what one case sent and received.
type trace struct {
	mu       sync.Mutex
	messages []Message
	streams  []*stream
	leftOut  int
}

// stream sums up the packets that went one way between two ports.
type stream struct {
	Message
	ssrc        uint32
	payloadType uint8
	first, last uint16
}

func (t *trace) add(p src.Packet) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.Protocol != src.SIP {
		t.addMedia(p)
		return
	}
	if len(t.messages) == maxMessages {
		t.messages = slices.Delete(t.messages, maxMessages/2, maxMessages/2+1)
		t.leftOut++
	}
	m := messageOf(p)
	m.Text = textOf(p.Data)
	t.messages = append(t.messages, m)
}

func messageOf(p src.Packet) Message {
	direction := Received
	if p.Direction == src.Out {
		direction = Sent
	}
	return Message{At: p.At.UTC(), Direction: direction, Protocol: p.Protocol, Transport: p.Transport, Local: p.Local, Remote: p.Remote}
}

// textOf is a message as JSON and pages can hold it: octets that are no UTF-8 are
// written as \x and two digits.
func textOf(raw []byte) string {
	cut := raw[:min(len(raw), maxText)]
	text := string(cut)
	if !utf8.Valid(cut) {
		var b strings.Builder
		for i := 0; i < len(text); {
			r, n := utf8.DecodeRuneInString(text[i:])
			if r == utf8.RuneError && n == 1 {
				fmt.Fprintf(&b, `\x%02x`, text[i])
			} else {
				b.WriteString(text[i : i+n])
			}
			i += n
		}
		text = b.String()
	}
	if left := len(raw) - len(cut); left > 0 {
		text += fmt.Sprintf("\r\n[%d more octets]", left)
	}
	return text
}

func (t *trace) addMedia(p src.Packet) {
	m := messageOf(p)
	i := slices.IndexFunc(t.streams, func(s *stream) bool {
		return s.Direction == m.Direction && s.Protocol == m.Protocol && s.Local == m.Local && s.Remote == m.Remote &&
			(m.Protocol != src.RTP || s.ssrc == ssrcOf(p.Data))
	})
	if i < 0 && len(t.streams) == maxStreams {
		t.leftOut++
		return
	}
	if i < 0 {
		i = len(t.streams)
		s := &stream{Message: m, ssrc: ssrcOf(p.Data)}
		if len(p.Data) >= 12 {
			s.payloadType, s.first = p.Data[1]&0x7f, binary.BigEndian.Uint16(p.Data[2:])
		}
		t.streams = append(t.streams, s)
	}
	s := t.streams[i]
	if len(p.Data) >= 12 {
		s.last = binary.BigEndian.Uint16(p.Data[2:])
	}
	s.Packets++
	s.Octets += len(p.Data)
	s.Last = m.At
}

// ssrcOf is that of an RTP packet, 0 for what is none (RFC 3550 §5.1).
func ssrcOf(raw []byte) uint32 {
	if len(raw) < 12 {
		return 0
	}
	return binary.BigEndian.Uint32(raw[8:])
}

// list is everything in the order of time, media at its first packet, and how many
// packets are not in it.
func (t *trace) list() ([]Message, int) {
	t.mu.Lock()
	defer t.mu.Unlock()
	all := slices.Clone(t.messages)
	for _, s := range t.streams {
		all = append(all, s.summary())
	}
	slices.SortStableFunc(all, func(a, b Message) int { return a.At.Compare(b.At) })
	return all, t.leftOut
}

// summary says in words what the packets were.
func (s *stream) summary() Message {
	m := s.Message
	m.Text = fmt.Sprintf("%d %s, %d octets", s.Packets, map[bool]string{true: "packet", false: "packets"}[s.Packets == 1], s.Octets)
	if s.Protocol == src.RTP {
		m.Text += fmt.Sprintf(", SSRC %08x, payload type %d, sequence %d to %d", s.ssrc, s.payloadType, s.first, s.last)
	}
	if s.Packets > 1 {
		m.Text += fmt.Sprintf(", within %s", s.Last.Sub(s.At).Round(time.Millisecond))
	}
	return m
}
