// Package media is the media plane of a recording session (RFC 7866 section 8):
// it owns the UDP ports on which recorded streams arrive, decides whose packets
// belong to a stream (latching), and hands each RTP packet, with the instant at
// which it arrived, to a [Sink].
//
// A [Plane] gives out port pairs, RTP on an even port and RTCP on the next one
// (RFC 3550 section 11). Each [Receiver] is one pair and reads from the moment it
// is opened, so that ports are open before an answer names them:
//
//	r, err := plane.Open(ip)
//	r.Expect(media.Expected{RTP: offered, At: now})
//	r.Attach(sink)
//	...
//	r.Drain() // everything that had arrived was delivered
//
// It decides nothing about recording. Packets of a stream without a sink are
// counted and forgotten, and what was read is wiped before the next read.
package media

import (
	"net/netip"
	"time"

	"github.com/pion/rtp"
)

// A Packet is one RTP packet as it arrived (RFC 3550 section 5.1).
// A Sink must not keep Header or Payload after it returns; Payload is wiped then.
type Packet struct {
	// Header is without padding and header extensions: both were taken off, and
	// Padding, Extension and Extensions do not tell of them.
	Header  *rtp.Header
	Payload []byte
	// Arrival is the instant the packet reached this machine: the kernel's
	// stamp where the system gives one, else the instant it was read. It
	// carries a monotonic reading, so a clock step moves no edge.
	Arrival time.Time
	Source  netip.AddrPort
}

// A Sink takes the packets of one recorded stream. WriteRTP is called by one
// goroutine at a time, must not block and must not call its [Receiver]. A Sink
// that panics is detached.
type Sink interface {
	WriteRTP(p *Packet)
}

// A ReportSink is a [Sink] that takes the sender reports of the adopted source too,
// those about the SSRC whose packets come (RFC 3550 §6.4.1). WriteSenderReport is
// called under the rules of WriteRTP. cname is what the SSRC calls itself (§6.5.1), at
// most 255 octets; empty when it was never said.
type ReportSink interface {
	Sink
	WriteSenderReport(r *SenderReport, cname string)
}

// Expected says from where, and in which form, the packets of a stream are
// announced to come. It is renewed by each offer.
type Expected struct {
	// RTP is the address of the m-line (RFC 8866 section 5.7, 5.14); invalid
	// when the offer held none, for example c=0.0.0.0.
	RTP netip.AddrPort
	// Candidates are further addresses that may send: the signalling peer and
	// the media networks configured for the SRC.
	Candidates []netip.Prefix
	// RTCP is the address of a=rtcp (RFC 3605); invalid without one, which means
	// the port after that of RTP.
	RTCP netip.AddrPort
	// Mux says that a=rtcp-mux was agreed on (RFC 5761).
	Mux bool
	// Clocks is the clock rate in Hz of the payload types whose RTP time tells
	// their instant, for jitter. It must not be changed afterwards.
	Clocks map[uint8]uint32
	// SRTP is how packets are protected; nil is plain RTP. With it only what is
	// authentic counts, and that from any address.
	SRTP *SRTP
	// Rollovers are what the rollover counter of the sender may be, beside 0, when an
	// earlier process received the stream (RFC 3711 §3.3.1). At most 256 are tried.
	Rollovers []uint32
	// CNAME is what reports call this server. It is the same for all streams of a
	// recording session (RFC 3550 §6.5.1); empty takes a random one for the receiver.
	CNAME string
	// At is the instant of the offer; zero means the instant of the call.
	At time.Time
}

// Stats is what a receiver counted since it was opened. Packets of sources that
// were not adopted are in Strangers only; those that still wait for a decision,
// for at most 1 s, are in neither.
type Stats struct {
	Packets   uint64 // RTP packets handed to the sink or, without one, forgotten
	Octets    uint64 // payload octets of those
	Strangers uint64 // RTP packets from sources that were not adopted
	// Malformed counts datagrams that are neither RTP nor RTCP, that came to the
	// RTCP port and are not RTCP, or that are too long: over 4,096 octets on the
	// RTP port, over 1,500 on the RTCP port.
	Malformed uint64
	// Overrun counts datagrams that came and were lost, because the receive buffer of a
	// port was full: the machine is too busy, or somebody floods it. The kernel tells
	// with a later datagram, and only where ReaderSweep can be had.
	Overrun uint64
	RTCP    uint64 // RTCP datagrams, on either port and of any source
	// AuthFailed counts SRTP and SRTCP datagrams that are not authentic under the
	// keys in force, Replayed those that came before. None of them is delivered.
	AuthFailed, Replayed uint64
	Reports              uint64 // RTCP datagrams that were sent
	Byes                 uint64 // RTCP BYEs of the source (RFC 3550 §6.6); they end nothing
	Rebinds              uint64 // times another source than the first was adopted
	Panics               uint64 // sinks that were detached because they panicked
	// Flagged says that packets came from an address that was neither announced
	// nor configured and were taken because no announced one sent.
	Flagged bool
	// Source is the adopted source; invalid before the first packet.
	Source netip.AddrPort
	// Last is the arrival of the last RTP or RTCP packet of the adopted source, or
	// of any authentic one; zero before the first.
	Last time.Time
	// SenderReport is the last one of the adopted source, CNAME the name it gave
	// itself (RFC 3550 §6.4.1, §6.5.1).
	SenderReport SenderReport
	CNAME        string
	// LastPayloadType is the payload type of the last RTP packet handed on.
	LastPayloadType uint8
}
