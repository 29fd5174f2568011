package media

import (
	"bytes"
	"fmt"
	"net/netip"
	"time"

	"github.com/pion/rtp"
	"go.uber.org/zap"
)

// reportEvery is the least time between two warnings of one receiver.
const reportEvery = 10 * time.Second

// flow is one recorded stream without its sockets: datagrams with their instants
// go in, packets of the adopted source come out. It is not safe for concurrent
// use; whoever reads the sockets locks it.
type flow struct {
	latch   latch
	waiters waiters
	sink    Sink
	stats   Stats
	log     *zap.Logger
	port    uint16
	keys    *keyring // nil before the first offer of SRTP: most streams have none
	room    []byte   // that the reader lends, to decrypt in; nil for none
	control control
	mixed   contributors
	sources sources

	// One header and one packet serve all datagrams, so that none is allocated.
	header rtp.Header
	packet Packet

	warned *warning // nil before the first
}

// A warning is the last one of a stranger.
type warning struct {
	of netip.AddrPort
	at time.Time
}

func newFlow(log *zap.Logger, port uint16) *flow {
	f := &flow{log: log, port: port, control: newControl()}
	// Room for every CSRC that the four bits of CC can count (RFC 3550 §5.1).
	f.header.CSRC = make([]uint32, 0, sourceCount)
	return f
}

// logger tells of the port too. It is made when it is needed: few ever need one.
func (f *flow) logger() *zap.Logger { return f.log.With(zap.Uint16("port", f.port)) }

// rtp takes a datagram from the RTP port. It changes nothing in b for good and
// keeps no part of it.
func (f *flow) rtp(b []byte, src netip.AddrPort, at time.Time) {
	f.expire(at)
	switch classify(b) {
	case mediaPacket:
		plain, authentic, ok := f.open(b, at, f.keys.rtp)
		if !ok {
			return
		}
		f.media(plain, src, at)
		if authentic {
			clear(plain)
		}
	case controlPacket:
		f.report(b, src, at)
	case malformed:
		f.stats.Malformed++
	}
}

// rtcp takes a datagram from the RTCP port.
func (f *flow) rtcp(b []byte, src netip.AddrPort, at time.Time) {
	f.expire(at)
	if classify(b) != controlPacket {
		f.stats.Malformed++
		return
	}
	f.report(b, src, at)
}

// open takes the protection off. What is not authentic is counted and dropped,
// unless plain packets are what was agreed.
func (f *flow) open(b []byte, at time.Time, with func([]byte, time.Time) ([]byte, outcome)) (plain []byte, authentic, ok bool) {
	if !f.keys.protects() {
		return b, false, true
	}
	if f.room != nil {
		f.keys.buf = f.room
		defer func() { f.keys.buf = nil }()
	}
	plain, came := with(b, at)
	switch {
	case came == opened:
		return plain, true, true
	case !f.keys.required():
		return b, false, true // SRTP gave way to RTP
	case came == replayed:
		f.stats.Replayed++
	default:
		f.stats.AuthFailed++
	}
	return nil, false, false
}

// report takes an RTCP datagram. The port it came from is not compared: RTCP has
// one of its own unless both share one (RFC 5761).
func (f *flow) report(b []byte, src netip.AddrPort, at time.Time) {
	f.stats.RTCP++
	plain, authentic, ok := f.open(b, at, f.keys.rtcp)
	if !ok {
		return
	}
	adopted := f.latch.source.IsValid() && src.Addr() == f.latch.source.Addr()
	if adopted || authentic {
		f.alive(at)
	}
	if adopted || authentic || f.latch.offered && f.latch.rankOf(src) > unannounced {
		h := parseRTCP(plain, at)
		f.control.hear(h, src, &f.stats)
		f.mixed.hear(h.names)
		f.sources.bye(h.byes)
		f.tellReports(h)
	}
	if authentic {
		clear(plain)
	}
}

func (f *flow) media(b []byte, src netip.AddrPort, at time.Time) {
	payload, ok := parse(&f.header, b)
	if !ok {
		f.stats.Malformed++
		return
	}
	switch f.latch.judge(src, f.header.SSRC, f.header.SequenceNumber, at) {
	case deliver:
		f.deliver(payload, src, at)
	case adopt:
		f.adopted(src)
		// What waited was read into the same header.
		payload, _ = parse(&f.header, b)
		f.deliver(payload, src, at)
	case wait:
		f.hold(b, src, at)
	}
}

// deliver hands a packet to the sink. f.header is that of the packet.
func (f *flow) deliver(payload []byte, src netip.AddrPort, at time.Time) {
	f.stats.Packets++
	f.stats.Octets += uint64(len(payload))
	f.stats.LastPayloadType = f.header.PayloadType
	f.stats.Flagged = f.latch.flagged
	collided := f.control.note(&f.header, f.latch.expected.Clocks, at)
	if f.sources.note(f.header.SSRC, src, at, f.latch.expected.At, collided) {
		f.tellChange()
	}
	f.mixed.note(&f.header)
	f.alive(at)
	if f.sink == nil {
		return
	}
	f.packet = Packet{Header: &f.header, Payload: payload, Arrival: at, Source: src}
	f.write()
}

// tellChange logs that the SSRC changed, and why as far as is known by now.
func (f *flow) tellChange() {
	all := f.sources.all(f.mixed.said)
	last := all[len(all)-1]
	f.logger().Info("ssrc changed", zap.Uint32("before", all[len(all)-2].SSRC), zap.Uint32("ssrc", last.SSRC),
		zap.Stringer("source", last.Address), zap.String("why", string(last.Change)))
}

// write calls the sink. One that panics loses its place, not the process.
func (f *flow) write() {
	defer f.caught()
	f.sink.WriteRTP(&f.packet)
}

// tellReports hands the sender reports about the SSRC whose packets come to a sink
// that takes them.
func (f *flow) tellReports(h heard) {
	defer f.caught()
	for i := range h.reports {
		r := &h.reports[i]
		if !f.control.reception.started || r.SSRC != f.control.reception.ssrc {
			continue
		}
		if s, takes := f.sink.(ReportSink); takes {
			s.WriteSenderReport(r, f.nameOf(r.SSRC, h))
		}
	}
}

// nameOf is the CNAME of an SSRC: as the report says that tells of it, else as was said
// before.
func (f *flow) nameOf(ssrc uint32, h heard) string {
	if said := h.names[ssrc].cname; said != "" {
		return said
	}
	return f.mixed.said[ssrc].cname
}

// caught is deferred around calls of the sink.
func (f *flow) caught() {
	v := recover()
	if v == nil {
		return
	}
	f.sink = nil
	f.stats.Panics++
	// The value may hold what the sink was working on: only its type is told.
	f.logger().Error("sink panicked and was detached",
		zap.String("type", fmt.Sprintf("%T", v)), zap.Stack("stack"))
}

// adopted counts the source that the latch adopted and delivers what it sent
// while it waited.
func (f *flow) adopted(src netip.AddrPort) {
	if f.stats.Source.IsValid() {
		f.stats.Rebinds++
	}
	f.stats.Source = src
	if f.latch.rank == unannounced {
		f.logger().Warn("rtp taken from a source that was not announced", zap.Stringer("source", src))
	}
	if len(f.waiters.list) > 0 {
		f.waiters.release(src, f.deliverWaiter)
	}
}

func (f *flow) deliverWaiter(w *waiter) {
	if payload, ok := parse(&f.header, w.datagram); ok {
		f.deliver(payload, w.source, w.at)
	}
}

// hold lets a packet wait for its source to be adopted. Without a sink nothing
// is held.
func (f *flow) hold(b []byte, src netip.AddrPort, at time.Time) {
	if f.sink == nil {
		f.stats.Strangers++
		return
	}
	f.waiters.add(waiter{
		at:       at,
		source:   src,
		rank:     f.latch.rankOf(src),
		ssrc:     f.header.SSRC,
		sequence: f.header.SequenceNumber,
		datagram: bytes.Clone(b),
	}, f.stranger)
}

// stranger counts a packet that waited in vain and warns of its source.
func (f *flow) stranger(w *waiter) {
	f.stats.Strangers++
	if f.warned != nil && (w.source == f.warned.of || w.at.Sub(f.warned.at) < reportEvery) {
		return
	}
	f.warned = &warning{w.source, w.at}
	f.logger().Warn("rtp from a second source was dropped",
		zap.Stringer("source", w.source), zap.Stringer("adopted", f.latch.source))
}

// expire wipes what has waited too long.
func (f *flow) expire(now time.Time) {
	if len(f.waiters.list) > 0 {
		f.waiters.expire(now, f.stranger)
	}
}

// settle judges those that wait by the present instant, as the last packet of a
// source has no later one to bring its adoption.
func (f *flow) settle(now time.Time) {
	f.expire(now)
	for k := announced; k >= unannounced; k-- {
		for i := range f.waiters.list {
			w := &f.waiters.list[i]
			if w.rank == k && f.latch.review(w, now) {
				f.adopted(w.source)
				return
			}
		}
	}
}

// expect renews what is announced.
func (f *flow) expect(e Expected) {
	if e.CNAME != "" {
		f.control.cname = e.CNAME
	}
	plain := !f.keys.required()
	if f.keys == nil && e.SRTP != nil {
		f.keys = &keyring{}
	}
	if f.keys != nil && e.Rollovers != nil { // a later offer does not know them, and need not
		f.keys.hints = e.Rollovers[:min(len(e.Rollovers), mostHints)]
	}
	if err := f.keys.renew(e.SRTP, e.At); err != nil {
		f.logger().Error("srtp keys cannot be used, nothing will be taken", zap.Error(err))
	}
	if plain && f.keys.required() {
		f.forget() // nobody vouches for what waits
	}
	f.latch.expect(e)
	for i := range f.waiters.list {
		f.waiters.list[i].rank = f.latch.rankOf(f.waiters.list[i].source)
	}
}

// attach gives the flow another sink. What waited was meant for the one before.
func (f *flow) attach(s Sink) {
	f.forget()
	f.sink = s
}

// forget wipes what waits.
func (f *flow) forget() {
	f.waiters.wipe(func(*waiter) { f.stats.Strangers++ })
}

// alive notes the arrival of a packet of the adopted source.
func (f *flow) alive(at time.Time) {
	if at.After(f.stats.Last) {
		f.stats.Last = at
	}
}
