// Package front stands before the SIP transactions: it owns the sockets of the
// transport layer (RFC 3261 §18), frames and repairs what arrives, limits it,
// answers 400 itself to what cannot be read, and hands each message on in the
// order in which it arrived.
//
// Two rules guide it. Accept first: a message whose meaning is clear is handed
// on, with a note of what was odd about it. And silence is never an answer: a
// request that is refused gets a response whenever its header fields, or the
// address it came from, say where that response goes.
//
//	f, err := front.Listen(front.Config{Listen: endpoints, Handle: handle})
//	...
//	err = f.Serve(ctx)
//
// A [Flow] is a sip.Connection, so that sip.NewServerTx and sip.NewClientTx work
// on it without the transport layer of that package.
package front

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"
)

// An Endpoint is an address to listen on.
type Endpoint struct {
	Network string // "udp", "tcp" or "tls"
	// Address is host:port. The host may be an IPv4 address, an IPv6 address in
	// brackets, a name, or empty for all addresses of both families; port 0
	// takes any free port.
	Address string
	// Advertise is host or host:port as others reach the endpoint, behind NAT or
	// in a container. Empty, or without a port: that of the socket.
	Advertise string
}

// A Message is one SIP message that arrived and could be read.
type Message struct {
	// Exactly one of Request and Response is set.
	Request  *sip.Request
	Response *sip.Response
	Flow     *Flow     // where it came from, and where answers go
	At       time.Time // taken right after the read that completed it
	// Oddities are the repairs that were made, at most 16, without any text of
	// the message but names of header fields.
	Oddities []string
}

// Limits bound what one peer may use. A zero field takes its default.
type Limits struct {
	MaxMessage              int           // octets of a whole message; 1 MiB + 64 KiB
	MaxHeaderBytes          int           // octets of start line and header fields; 256 KiB
	MaxHeaders              int           // header field lines; 500
	MaxConnections          int           // connections at a time; 4096
	MaxConnectionsPerSource int           // connections of one IP address; 256
	MaxStrangers            int           // connections of sources that are not known; 512
	MaxStrangersPerSource   int           // those of one IP address that is not known; 32
	MaxHandshakes           int           // TLS handshakes at a time; 512
	Handshake               time.Duration // time a TLS handshake may take; 10 s
	PartialMessage          time.Duration // time a started message may take on a connection; 30 s
	Write                   time.Duration // time a peer has to take one message of ours; 5 s
	// Idle is how long a connection may carry neither a message nor a keep-alive
	// before it is closed, unless Config.Busy says it is used; 5 min.
	Idle time.Duration
}

// Config says what a [Front] listens on and whom it tells.
type Config struct {
	Listen []Endpoint
	// Handle is called for each message, in the order of arrival of its UDP
	// socket or TCP connection, by the goroutine that reads from it: it must not
	// block and must not call Close. It owns the message.
	Handle func(*Message)
	// Known, when set, says whether somebody may be expected to call from source
	// to the endpoint of that index. Connections of others are taken too, but only
	// a few, and the oldest of them makes room for the next.
	Known func(endpoint int, source netip.Addr) bool
	// Busy, when set, says whether the peer at that address has business over its
	// connection even when it is silent.
	Busy func(remote netip.AddrPort) bool
	// TLS is needed for endpoints of network tls.
	TLS    *TLS
	Log    *zap.Logger // nil: no log
	Limits Limits
	Now    func() time.Time // nil: time.Now
	// AfterFunc calls f after d and returns what keeps it from that; nil:
	// time.AfterFunc.
	AfterFunc func(d time.Duration, f func()) (stop func() bool)
}

// Counters are what a [Front] has counted since it was made.
type Counters struct {
	Messages    uint64 // messages that were framed, good or bad; keep-alives are not
	Repaired    uint64 // handed on with at least one oddity
	Refused400  uint64 // requests answered by the front: 400, 413, 416, 505
	Dropped     uint64 // neither handed on nor answered
	Connections uint64 // connections accepted or opened
	Refused     uint64 // connections closed because of a limit on their number
}

type counters struct {
	messages, repaired, refused, dropped, connections, turnedAway atomic.Uint64
}

// A Front owns the sockets of a SIP element. Make one with [Listen].
type Front struct {
	cfg     Config
	log     *zap.Logger
	quiet   *Quiet    // for what strangers cause
	buffers sync.Pool // of *bytes.Buffer, for what is written
	count   counters

	udp     []*udpSocket
	tcp     []*tcpListener
	ordered []net.Addr // bound addresses in the order of Config.Listen

	ctx    context.Context // ends when the front is closed
	cancel context.CancelFunc
	wg     sync.WaitGroup // every goroutine of the front

	mu     sync.Mutex
	closed bool
	conns  map[*tcpConn]struct{}
	opened uint64 // connections so far; their order
}

// Listen binds every endpoint of cfg. It binds all of them, or none and returns
// an error that names the one that failed. Nothing is read before [Front.Serve].
func Listen(cfg Config) (*Front, error) {
	f, err := newFront(cfg)
	if err != nil {
		return nil, err
	}
	for i, ep := range cfg.Listen {
		if err := f.bind(i, ep); err != nil {
			return nil, errors.Join(fmt.Errorf("listen on %s %s: %w", ep.Network, ep.Address, err), f.Close())
		}
	}
	return f, nil
}

func newFront(cfg Config) (*Front, error) {
	if cfg.Handle == nil {
		return nil, errors.New("front: no handler")
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.AfterFunc == nil {
		cfg.AfterFunc = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	cfg.Limits = cfg.Limits.withDefaults()
	f := &Front{cfg: cfg, log: cfg.Log, quiet: NewQuiet(cfg.Log, cfg.Now, cfg.AfterFunc), conns: make(map[*tcpConn]struct{})}
	f.buffers.New = func() any { return new(bytes.Buffer) }
	f.ctx, f.cancel = context.WithCancel(context.Background())
	return f, nil
}

func (l Limits) withDefaults() Limits {
	orInt := func(v *int, d int) {
		if *v <= 0 {
			*v = d
		}
	}
	orInt(&l.MaxMessage, 1<<20+64<<10)
	orInt(&l.MaxHeaderBytes, 256<<10)
	orInt(&l.MaxHeaders, 500)
	orInt(&l.MaxConnections, 4096)
	orInt(&l.MaxConnectionsPerSource, 256)
	orInt(&l.MaxStrangers, 512)
	orInt(&l.MaxStrangersPerSource, 32)
	orInt(&l.MaxHandshakes, 512)
	orTime := func(v *time.Duration, d time.Duration) {
		if *v <= 0 {
			*v = d
		}
	}
	orTime(&l.Handshake, 10*time.Second)
	orTime(&l.PartialMessage, 30*time.Second)
	orTime(&l.Write, 5*time.Second)
	orTime(&l.Idle, 5*time.Minute)
	return l
}

func (f *Front) bind(index int, ep Endpoint) error {
	said, err := parseAdvertised(ep.Advertise)
	if err != nil {
		return err
	}
	switch ep.Network {
	case "udp":
		pc, err := net.ListenPacket(family("udp", ep.Address), ep.Address)
		if err != nil {
			return err
		}
		u := newUDPSocket(f, pc.(*net.UDPConn))
		u.index, u.said = index, said
		f.udp = append(f.udp, u)
		f.ordered = append(f.ordered, pc.LocalAddr())
	case "tcp", "tls":
		if ep.Network == "tls" && f.cfg.TLS == nil {
			return errors.New("no certificate")
		}
		l, err := net.Listen(family("tcp", ep.Address), ep.Address)
		if err != nil {
			return err
		}
		f.tcp = append(f.tcp, &tcpListener{
			front: f, listener: l, bound: addrPortOf(l.Addr()), index: index, secure: ep.Network == "tls", said: said,
		})
		f.ordered = append(f.ordered, l.Addr())
	default:
		return fmt.Errorf("unknown network %q", ep.Network)
	}
	return nil
}

// family narrows network to the family of the address. Without it 0.0.0.0 would
// take the IPv6 port as well, and [::] beside it could not be bound.
func family(network, address string) string {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return network
	}
	ip, err := netip.ParseAddr(host)
	switch {
	case err != nil:
		return network
	case ip.Unmap().Is4():
		return network + "4"
	default:
		return network + "6"
	}
}

// Addrs returns the bound addresses in the order of Config.Listen.
func (f *Front) Addrs() []net.Addr { return append([]net.Addr(nil), f.ordered...) }

// Endpoints returns the bound endpoints, with real ports, in the order of
// Config.Listen.
func (f *Front) Endpoints() []Endpoint {
	eps := make([]Endpoint, len(f.ordered))
	for i, a := range f.ordered {
		eps[i] = Endpoint{Network: f.cfg.Listen[i].Network, Address: a.String(), Advertise: f.cfg.Listen[i].Advertise}
	}
	return eps
}

// Counters returns what was counted so far.
func (f *Front) Counters() Counters {
	return Counters{
		Messages:    f.count.messages.Load(),
		Repaired:    f.count.repaired.Load(),
		Refused400:  f.count.refused.Load(),
		Dropped:     f.count.dropped.Load(),
		Connections: f.count.connections.Load(),
		Refused:     f.count.turnedAway.Load(),
	}
}

// Serve reads from all sockets until ctx is done or the front is closed, and
// returns when all goroutines have ended. What is still to be sent must be sent
// before ctx ends. A failing read or accept never ends a listener: it is tried
// again after a pause. Serve may be called once.
func (f *Front) Serve(ctx context.Context) error {
	for _, u := range f.udp {
		if !f.start(u.serve) {
			break
		}
	}
	for _, l := range f.tcp {
		if !f.start(l.serve) {
			break
		}
	}
	select {
	case <-ctx.Done():
	case <-f.ctx.Done():
	}
	return f.Close()
}

// Close closes every socket and returns when all goroutines have ended. It may
// be called more than once, but not by Config.Handle.
func (f *Front) Close() error {
	f.mu.Lock()
	first := !f.closed
	f.closed = true
	if first {
		for c := range f.conns {
			f.wg.Go(c.close) // saying goodbye on TLS may take its time
		}
	}
	f.mu.Unlock()

	var errs []error
	if first {
		f.cancel()
		for _, u := range f.udp {
			errs = append(errs, u.conn.Close())
		}
		for _, l := range f.tcp {
			errs = append(errs, l.listener.Close())
		}
	}
	f.wg.Wait()
	f.quiet.Close()
	return errors.Join(errs...)
}

// start runs run in a goroutine that Close waits for; false once closed.
func (f *Front) start(run func()) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return false
	}
	f.wg.Go(run)
	return true
}

// pause waits before a failed read or accept is tried again: 5 ms, doubled with
// each further failure up to 1 s. It returns false once the front is closed.
func (f *Front) pause(failures int) bool {
	d := 5 * time.Millisecond << min(failures-1, 8)
	t := time.NewTimer(min(d, time.Second))
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-f.ctx.Done():
		return false
	}
}
