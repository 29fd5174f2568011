package src

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/pion/rtp"
)

// A Stream is one m-line of a dialog with its RTP and RTCP sockets.
type Stream struct {
	dialog *Dialog
	index  int

	mu         sync.Mutex
	offer      StreamOffer
	rtp, rtcp  *net.UDPConn // nil for an m-line that is not RTP
	generation int          // of rtp
	remote     netip.AddrPort
	answer     MediaLine
	next       rtp.Header // of the packet that would come next
	nextAt     time.Time  // when it would; zero before the first
	playing    bool
	packets    uint32 // as a sender report counts them
	octets     uint32
	sent       []Sent

	sending, receiving *Protector // nil: plain RTP
	srtpErr            error      // why the answer's keys cannot be used
}

// Sent is one packet as it left, or did not leave, this side.
type Sent struct {
	Index       int // of the packet within its Play, from 0
	SSRC        uint32
	Sequence    uint16
	Timestamp   uint32
	PayloadType uint8
	Marker      bool
	Offset      time.Duration // planned, from the start of playing
	Began       time.Time     // just before the write; zero for a lost packet
	At          time.Time     // instant of the write, with a monotonic reading; zero for a lost packet
	Octets      int           // of payload
	Hash        uint64        // FNV-1a of the payload
	Fault       string        // FaultLost, FaultReordered, FaultDuplicate or empty
}

// newStream binds the ports of an m-line: an even one for RTP and the next for
// RTCP (RFC 3550 §11).
func newStream(d *Dialog, index int, o StreamOffer) (*Stream, error) {
	st := &Stream{dialog: d, index: index, offer: o.clone()}
	st.next = rtp.Header{
		Version: 2, SSRC: d.src.ids.uint32(),
		SequenceNumber: uint16(d.src.ids.uint32()), Timestamp: d.src.ids.uint32(),
	}
	return st, st.bind()
}

func (st *Stream) bind() error {
	if !st.offer.isRTP() || st.rtp != nil {
		return nil
	}
	ip := st.dialog.src.conn.local.Addr()
	var last error
	for range 64 {
		media, err := listen(ip, 0)
		if err != nil {
			return err
		}
		port := portOf(media)
		if port%2 == 0 && port < 65535 {
			control, err := listen(ip, port+1)
			if err == nil {
				st.rtp, st.rtcp = media, control
				return nil
			}
			last = err
		}
		if err := media.Close(); err != nil {
			return err
		}
	}
	return fmt.Errorf("no free pair of ports: %w", last)
}

func listen(ip netip.Addr, port int) (*net.UDPConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, uint16(port))))
}

func portOf(c *net.UDPConn) int { return int(c.LocalAddr().(*net.UDPAddr).Port) }

// port is the bound RTP port, 0 without one.
func (st *Stream) port() int {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.rtp == nil {
		return 0
	}
	return portOf(st.rtp)
}

// reoffer takes the m-line of a later offer. A slot that turns into RTP is
// bound then; a failure shows as port 9 in the offer.
func (st *Stream) reoffer(o StreamOffer) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.offer = o.clone()
	if err := st.bind(); err != nil {
		st.rtp, st.rtcp = nil, nil
	}
}

// direct takes the answer of the server for this m-line.
func (st *Stream) direct(remote netip.AddrPort, answer MediaLine) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.remote, st.answer = remote, answer
	st.protect(answer)
}

// Local is the address RTP leaves from.
func (st *Stream) Local() netip.AddrPort {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.rtp == nil {
		return netip.AddrPort{}
	}
	return unmap(st.rtp.LocalAddr().(*net.UDPAddr).AddrPort())
}

// Remote is where the answer wants RTP; invalid when it wants none. Answer is
// the m-line of the server.
func (st *Stream) Remote() netip.AddrPort {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.remote
}

// Answer is the m-line with which the server answered.
func (st *Stream) Answer() MediaLine {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.answer
}

// Offer is the m-line as it was offered last.
func (st *Stream) Offer() StreamOffer {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.offer.clone()
}

// Sent lists all packets of the stream in the order of sending.
func (st *Stream) Sent() []Sent {
	st.mu.Lock()
	defer st.mu.Unlock()
	return append([]Sent(nil), st.sent...)
}

// Rebind moves the stream to another port, as a device behind a NAT does.
func (st *Stream) Rebind() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.rebind()
}

func (st *Stream) rebind() error {
	if st.rtp == nil {
		return ErrNoDestination
	}
	fresh, err := listen(st.dialog.src.conn.local.Addr(), 0)
	if err != nil {
		return err
	}
	old := st.rtp
	st.rtp = fresh
	return old.Close()
}

// Codec is the first answered format that was offered and can be encoded: what Play
// sends unless it is told another.
func (st *Stream) Codec() (Codec, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	return st.codec()
}

// Aim has RTP go to an address whatever the answer says, until the next one.
func (st *Stream) Aim(to netip.AddrPort) {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.remote = to
}

// codec is the first answered format that was offered and can be encoded.
func (st *Stream) codec() (Codec, error) {
	for _, format := range st.answer.Formats {
		for _, c := range st.offer.codecs() {
			if _, err := sampleSize(c); err == nil && fmt.Sprint(c.PayloadType) == format {
				return c, nil
			}
		}
	}
	return Codec{}, fmt.Errorf("answer %q holds no format that can be encoded", strings.Join(st.answer.Formats, " "))
}

// ReadRTCP waits for one RTCP datagram of the server on the RTCP port.
func (st *Stream) ReadRTCP(ctx context.Context) ([]byte, netip.AddrPort, error) {
	st.mu.Lock()
	c := st.rtcp
	st.mu.Unlock()
	return st.readDatagram(ctx, c)
}

// ReadRTP waits for one datagram of the server on the RTP port, where multiplexed
// RTCP comes too (RFC 5761).
func (st *Stream) ReadRTP(ctx context.Context) ([]byte, netip.AddrPort, error) {
	st.mu.Lock()
	c := st.rtp
	st.mu.Unlock()
	return st.readDatagram(ctx, c)
}

func (st *Stream) readDatagram(ctx context.Context, c *net.UDPConn) ([]byte, netip.AddrPort, error) {
	if c == nil {
		return nil, netip.AddrPort{}, ErrNoDestination
	}
	stop := context.AfterFunc(ctx, func() {
		// A failure means that the socket is closed, which ends the read too.
		_ = c.SetReadDeadline(time.Unix(1, 0))
	})
	buf := make([]byte, 2048)
	n, from, err := c.ReadFromUDPAddrPort(buf)
	for err == nil && st.strayed(buf[:n], unmap(from)) {
		n, from, err = c.ReadFromUDPAddrPort(buf)
	}
	if !stop() {
		if reset := c.SetReadDeadline(time.Time{}); reset != nil {
			err = errors.Join(err, reset)
		}
		if err != nil {
			return nil, netip.AddrPort{}, fmt.Errorf("wait for a datagram: %w", ctx.Err())
		}
	}
	if err != nil {
		return nil, netip.AddrPort{}, err
	}
	st.dialog.src.media(In, c, unmap(from), buf[:n])
	return buf[:n], unmap(from), nil
}

// strayed says that a datagram is SIP of the server, for a socket that had this port
// before: it comes from where SIP goes, and is no RTP or RTCP of version 2; or it comes
// from another port of the server, which it has for another transport, and is SIP by its
// first line.
func (st *Stream) strayed(b []byte, from netip.AddrPort) bool {
	if from == st.dialog.src.conn.target {
		return len(b) == 0 || b[0]>>6 != 2
	}
	line, _, _ := bytes.Cut(b, []byte("\r\n"))
	return from.Addr() == st.dialog.src.conn.target.Addr() && bytes.Contains(line, []byte("SIP/2.0"))
}

// close ends reading and writing, and gives the ports back: at once, or after a while in
// which nobody else gets them.
func (st *Stream) close() {
	st.mu.Lock()
	defer st.mu.Unlock()
	for _, c := range []*net.UDPConn{st.rtp, st.rtcp} {
		if c == nil {
			continue
		}
		// The socket holds nothing that could be lost.
		if linger := st.dialog.src.cfg.Linger; linger > 0 {
			_ = c.SetDeadline(time.Unix(1, 0))
			time.AfterFunc(linger, func() { _ = c.Close() })
		} else {
			_ = c.Close()
		}
	}
}

// send writes one emission and notes it. It runs in the scheduler's goroutine.
func (st *Stream) send(e emission, now func() time.Time) error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if e.report {
		return st.sendReport(e.header, now())
	}
	s := Sent{
		Index: e.index, SSRC: e.header.SSRC, Sequence: e.header.SequenceNumber,
		Timestamp: e.header.Timestamp, PayloadType: e.header.PayloadType, Marker: e.header.Marker,
		Offset: e.offset, Octets: len(e.payload), Hash: hashOf(e.payload), Fault: e.fault,
	}
	if e.fault != FaultLost {
		s.Began = now()
		if err := st.write(e); err != nil {
			return err
		}
		s.At = now()
		st.packets++
		st.octets += uint32(len(e.payload))
	}
	st.sent = append(st.sent, s)
	return nil
}

// write sends a packet from the socket of its generation or a later one.
func (st *Stream) write(e emission) error {
	for st.generation < e.socket {
		if err := st.rebind(); err != nil {
			return err
		}
		st.generation++
	}
	raw := e.raw
	if raw == nil {
		head, err := e.header.Marshal()
		if err != nil {
			return err
		}
		raw = append(head, e.payload...)
		if st.srtpErr != nil {
			return fmt.Errorf("stream %d: %w", st.index, st.srtpErr)
		}
		if st.sending != nil {
			raw = st.sending.RTP(raw, len(head))
		}
	}
	return st.datagram(st.rtp, raw, st.remote)
}

// datagram writes one datagram.
func (st *Stream) datagram(c *net.UDPConn, raw []byte, to netip.AddrPort) error {
	if c == nil || !to.IsValid() {
		return fmt.Errorf("stream %d: %w", st.index, ErrNoDestination)
	}
	st.dialog.src.media(Out, c, to, raw)
	_, err := c.WriteToUDPAddrPort(raw, to)
	return err
}

func hashOf(b []byte) uint64 {
	h := fnv.New64a()
	h.Write(b) // never fails, says its documentation
	return h.Sum64()
}
