package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"
)

// The defaults of [Config].
const (
	// DefaultPortMin and DefaultPortMax hold 8,192 port pairs, below the range
	// from which Linux takes the ports of outgoing connections.
	DefaultPortMin uint16 = 16384
	DefaultPortMax uint16 = 32767

	DefaultRest       = 30 * time.Second
	DefaultReadBuffer = 512 << 10
)

// ErrNoPorts says that every port pair of the range is in use.
var ErrNoPorts = errors.New("no rtp port is free")

// errClosed is what Open returns once the plane was closed.
var errClosed = fmt.Errorf("media plane: %w", net.ErrClosed)

// Config is how a [Plane] is set up.
type Config struct {
	// PortMin and PortMax bound the UDP ports in use, both included: RTP takes
	// even ones, RTCP the next (RFC 3550 §11). Both 0 take any free pair of the
	// system, which is for tests; see DefaultPortMin.
	PortMin, PortMax uint16
	// Rest is how long a port rests after use, so that late packets of one
	// stream do not reach another. When the range has no port that rested for
	// so long, the longest rested is used and a warning logged. 0 means
	// DefaultRest.
	Rest time.Duration
	// ReadBuffer is the wished size of the kernel's receive buffer of an RTP
	// port in octets; the system may grant less. 0 means DefaultReadBuffer.
	ReadBuffer int
	// Now is the clock; nil means time.Now.
	Now func() time.Time
	// After calls f after a time by the same clock, and returns what keeps the call
	// from being made; nil means time.AfterFunc.
	After func(d time.Duration, f func()) (stop func() bool)
	// Log takes warnings about sources and ports; nil means none.
	Log *zap.Logger
}

// A Plane is the media plane of a server: it owns the ports and their readers.
// Its methods may be called by any goroutine.
type Plane struct {
	cfg     Config
	reports reports

	mu        sync.Mutex
	ports     *ports // nil: any free ports of the system
	receivers map[*Receiver]struct{}
	closed    bool
	warnedAt  time.Time // of a port that did not rest
}

// New returns a plane. It fails when the range holds no port pair or a number is
// negative. Nothing is bound before Open.
func New(cfg Config) (*Plane, error) {
	if cfg.Rest < 0 || cfg.ReadBuffer < 0 {
		return nil, fmt.Errorf("media plane: rest %v or read buffer %d is negative", cfg.Rest, cfg.ReadBuffer)
	}
	if cfg.Rest == 0 {
		cfg.Rest = DefaultRest
	}
	if cfg.ReadBuffer == 0 {
		cfg.ReadBuffer = DefaultReadBuffer
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	p := &Plane{cfg: cfg, receivers: make(map[*Receiver]struct{})}
	p.reports.now, p.reports.after = cfg.Now, cfg.After
	if cfg.PortMin != 0 || cfg.PortMax != 0 {
		var err error
		if p.ports, err = newPorts(cfg.PortMin, cfg.PortMax, cfg.Rest); err != nil {
			return nil, fmt.Errorf("media plane: %w", err)
		}
	}
	return p, nil
}

// Open binds an even port for RTP and the next for RTCP on ip and reads from
// this moment on. It returns [ErrNoPorts] when all are in use, and an error that
// wraps net.ErrClosed after Close.
func (p *Plane) Open(ip netip.Addr) (*Receiver, error) {
	rtp, rtcp, leased, err := p.bind(ip)
	if err != nil {
		return nil, fmt.Errorf("open rtp port on %v: %w", ip, err)
	}
	if err := rtp.SetReadBuffer(p.cfg.ReadBuffer); err != nil {
		p.cfg.Log.Warn("receive buffer not set", zap.Error(err))
	}
	r := newReceiver(p, rtp, rtcp, leased)

	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		_ = rtp.Close()
		_ = rtcp.Close()
		return nil, errClosed
	}
	p.receivers[r] = struct{}{}
	r.start()
	return r, nil
}

// Close closes all receivers without delivering what they have not read, and
// returns when their goroutines have ended. It always returns nil.
func (p *Plane) Close() error {
	p.mu.Lock()
	p.closed = true
	open := make([]*Receiver, 0, len(p.receivers))
	for r := range p.receivers {
		open = append(open, r)
	}
	p.mu.Unlock()
	p.reports.close()
	for _, r := range open {
		r.Close()
	}
	return nil
}

// bind opens a pair of ports. leased is the port to give back, 0 when the system
// chose.
func (p *Plane) bind(ip netip.Addr) (rtp, rtcp *net.UDPConn, leased uint16, err error) {
	if p.ports == nil {
		rtp, rtcp, err = bindAny(ip)
		return rtp, rtcp, 0, err
	}
	// A port that cannot be bound goes to the end of the queue: each is tried
	// once.
	for range len(p.ports.free) {
		port, ok := p.lease()
		if !ok {
			return nil, nil, 0, ErrNoPorts
		}
		rtp, rtcp, bindErr := bindPair(ip, port)
		if bindErr == nil {
			return rtp, rtcp, port, nil
		}
		p.giveBack(port)
		if !portsFault(bindErr) {
			return nil, nil, 0, bindErr
		}
		err = bindErr
	}
	return nil, nil, 0, fmt.Errorf("%w: %w", ErrNoPorts, err)
}

// lease takes a port out of the range.
func (p *Plane) lease() (uint16, bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	port, rested, ok := p.ports.take(now)
	if ok && !rested && (p.warnedAt.IsZero() || now.Sub(p.warnedAt) >= time.Minute) {
		p.warnedAt = now
		p.cfg.Log.Warn("rtp port used again before it rested: the port range is too small",
			zap.Uint16("port", port), zap.Duration("rest", p.cfg.Rest))
	}
	return port, ok
}

// giveBack lets a port rest.
func (p *Plane) giveBack(port uint16) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ports.put(port, p.cfg.Now())
}

// ended forgets a receiver whose sockets are closed.
func (p *Plane) ended(r *Receiver) {
	if r.leased != 0 {
		p.giveBack(r.leased)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.receivers, r)
}

// portsFault says that another port may do: it is in use or forbidden, while the
// address is ours and there are file descriptors left.
func portsFault(err error) bool {
	for _, fatal := range []error{syscall.EADDRNOTAVAIL, syscall.EAFNOSUPPORT, syscall.EMFILE, syscall.ENFILE} {
		if errors.Is(err, fatal) {
			return false
		}
	}
	return true
}

// bindPair binds an even port and the next.
func bindPair(ip netip.Addr, port uint16) (rtp, rtcp *net.UDPConn, err error) {
	if rtp, err = listen(ip, port); err != nil {
		return nil, nil, err
	}
	if rtcp, err = listen(ip, port+1); err != nil {
		_ = rtp.Close()
		return nil, nil, err
	}
	return rtp, rtcp, nil
}

// anyTries is how often the system is asked for a port whose neighbour is free.
const anyTries = 64

// bindAny binds a pair that the system chooses: one port, even or odd, and its
// neighbour.
func bindAny(ip netip.Addr) (rtp, rtcp *net.UDPConn, err error) {
	for range anyTries {
		one, listenErr := listen(ip, 0)
		if listenErr != nil {
			return nil, nil, listenErr
		}
		port := localPort(one)
		other, listenErr := listen(ip, port^1)
		switch {
		case listenErr != nil:
			err = listenErr
			_ = one.Close()
		case port%2 == 0:
			return one, other, nil
		default:
			return other, one, nil
		}
	}
	return nil, nil, fmt.Errorf("%w: %w", ErrNoPorts, err)
}

func listen(ip netip.Addr, port uint16) (*net.UDPConn, error) {
	return net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(ip, port)))
}

func localPort(c *net.UDPConn) uint16 { return localAddr(c).Port() }

func localAddr(c *net.UDPConn) netip.AddrPort {
	a, ok := c.LocalAddr().(*net.UDPAddr)
	if !ok {
		return netip.AddrPort{}
	}
	ap := a.AddrPort()
	return netip.AddrPortFrom(ap.Addr().Unmap(), ap.Port())
}
