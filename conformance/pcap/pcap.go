// Package pcap writes what a run of the suite sent and received as a capture that
// packet analysers read.
//
// The packets are made again from what the suite handed to its sockets and got from
// them; below that nothing is known. Datagrams are whole, however large. A TCP
// connection has a handshake in front of its first message, sequence numbers that fit,
// and no end. What went over TLS stands there decrypted.
package pcap

import (
	"bufio"
	"encoding/binary"
	"io"
	"net/netip"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/src"
)

// The header of a capture: nanoseconds, and packets that begin with IP.
const (
	magicNano = 0xa1b23c4d
	linkRaw   = 101
	snapLen   = 1 << 18
)

// maxConnections bounds what is remembered of TCP; the oldest is forgotten first, and
// begins anew if it goes on.
const maxConnections = 4096

// A Writer writes a capture. Its methods may be called by several goroutines.
type Writer struct {
	mu    sync.Mutex
	out   *bufio.Writer
	conns map[endpoints]*connection
	order []endpoints // of conns, oldest first
	err   error       // the first of out; nothing is written after it
}

// endpoints are the two ends of a connection.
type endpoints struct{ local, remote netip.AddrPort }

// connection has the next sequence number of each side.
type connection struct{ local, remote uint32 }

// New writes the header of a capture. What is written afterwards reaches w with each
// SIP message, and all of it with Flush.
func New(w io.Writer) (*Writer, error) {
	c := &Writer{out: bufio.NewWriterSize(w, 64<<10), conns: make(map[endpoints]*connection)}
	h := binary.LittleEndian.AppendUint32(nil, magicNano)
	h = binary.LittleEndian.AppendUint16(h, 2)
	h = binary.LittleEndian.AppendUint16(h, 4)
	h = append(h, make([]byte, 8)...) // times are UTC
	h = binary.LittleEndian.AppendUint32(h, snapLen)
	h = binary.LittleEndian.AppendUint32(h, linkRaw)
	c.write(h)
	return c, c.Flush()
}

// Write adds one packet.
func (w *Writer) Write(p src.Packet) {
	w.mu.Lock()
	defer w.mu.Unlock()
	from, to := p.Local, p.Remote
	if p.Direction == src.In {
		from, to = to, from
	}
	if p.Transport == "UDP" {
		w.packet(p.At, from, to, protocolUDP, udp(from, to, p.Data))
	} else {
		w.stream(p, from, to)
	}
	if p.Protocol == src.SIP {
		w.flush()
	}
}

// Flush hands on what is held back. The error is the first one of all writing.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.flush()
	return w.err
}

func (w *Writer) flush() {
	if err := w.out.Flush(); w.err == nil {
		w.err = err
	}
}

func (w *Writer) write(b []byte) {
	if _, err := w.out.Write(b); w.err == nil {
		w.err = err
	}
}

// packet writes one record.
func (w *Writer) packet(at time.Time, from, to netip.AddrPort, protocol byte, payload []byte) {
	head := ip(from.Addr(), to.Addr(), protocol, len(payload))
	n := uint32(len(head) + len(payload))
	r := binary.LittleEndian.AppendUint32(nil, uint32(at.Unix()))
	r = binary.LittleEndian.AppendUint32(r, uint32(at.Nanosecond()))
	r = binary.LittleEndian.AppendUint32(r, n)
	r = binary.LittleEndian.AppendUint32(r, n)
	w.write(r)
	w.write(head)
	w.write(payload)
}
