package media

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"runtime"
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

	defaultThreads = 2 // at the most
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
	// Reader is how sockets are read; empty means ReaderSweep.
	Reader Reader
	// Threads is how many processors ReaderSweep may use at a time; 0 means as many
	// as there are, at most 2.
	Threads int
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
	cfg      Config
	own      bool      // the clock is not the system's
	zero     time.Time // when it was made, by the system's clock
	reader   socketReader
	reports  reports
	overruns overruns

	mu        sync.Mutex
	ports     *ports // nil: any free ports of the system
	receivers map[*Receiver]struct{}
	closed    bool
	warnedAt  time.Time // of a port that did not rest
}

// New returns a plane. It fails when the range holds no port pair, a number is
// negative or the reader is not known. Nothing is bound before Open.
func New(cfg Config) (*Plane, error) {
	if cfg.Rest < 0 || cfg.ReadBuffer < 0 || cfg.Threads < 0 {
		return nil, fmt.Errorf("media plane: rest %v, read buffer %d or threads %d is negative", cfg.Rest, cfg.ReadBuffer, cfg.Threads)
	}
	if cfg.Rest == 0 {
		cfg.Rest = DefaultRest
	}
	if cfg.ReadBuffer == 0 {
		cfg.ReadBuffer = DefaultReadBuffer
	}
	if cfg.Threads == 0 {
		cfg.Threads = min(runtime.GOMAXPROCS(0), defaultThreads)
	}
	own := cfg.Now != nil
	if !own {
		cfg.Now = time.Now
	}
	if cfg.After == nil {
		cfg.After = func(d time.Duration, f func()) func() bool { return time.AfterFunc(d, f).Stop }
	}
	if cfg.Log == nil {
		cfg.Log = zap.NewNop()
	}
	p := &Plane{cfg: cfg, own: own, zero: time.Now(), receivers: make(map[*Receiver]struct{})}
	switch cfg.Reader {
	case ReaderSweep, "":
		p.reader = newSweeper(p)
	case ReaderSimple:
		p.reader = simpleReader{p}
	default:
		return nil, fmt.Errorf("media plane: no reader is called %q", cfg.Reader)
	}
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
	pair, leased, former, err := p.bind(ip)
	if err != nil {
		return nil, fmt.Errorf("open rtp port on %v: %w", ip, err)
	}
	return p.begin(pair, leased, former)
}

// OpenAt is Open for the ports that an SRC was told by a process before this one: RTP
// at addr, whose port is even, RTCP at the next. They need not be of the range, nor
// have rested: what comes to them is meant for the same stream. The error is that of
// the system when they cannot be bound, wraps [ErrNoPorts] when a stream of this plane
// has them, and net.ErrClosed after Close.
func (p *Plane) OpenAt(addr netip.AddrPort) (*Receiver, error) {
	leased, err := p.leaseThis(addr.Port())
	if err != nil {
		return nil, fmt.Errorf("open rtp port %v again: %w", addr, err)
	}
	pair, err := p.reader.bind(addr.Addr(), addr.Port())
	if err != nil {
		if leased != 0 {
			p.giveBack(restingPort{port: leased})
		}
		return nil, fmt.Errorf("open rtp port %v again: %w", addr, err)
	}
	return p.begin(pair, leased, formerUse{})
}

// begin makes the receiver of a pair of ports.
func (p *Plane) begin(pair pair, leased uint16, former formerUse) (*Receiver, error) {
	r := newReceiver(p, pair, leased)
	r.flow.latch.former = former
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed {
		pair.close()
		return nil, errClosed
	}
	p.receivers[r] = struct{}{}
	pair.start(r)
	return r, nil
}

// leaseThis takes a port out of the range, if it is of it; 0 when it is not.
func (p *Plane) leaseThis(port uint16) (leased uint16, err error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case port == 0 || port%2 != 0:
		return 0, fmt.Errorf("%d is no port for RTP", port)
	case p.ports == nil || port < p.cfg.PortMin || port >= p.cfg.PortMax:
		return 0, nil
	case !p.ports.takeThis(port):
		return 0, ErrNoPorts
	}
	return port, nil
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
	p.reader.close()
	return nil
}

// clock reads all clocks.
func (p *Plane) clock() instant {
	system := time.Now()
	i := instant{now: system, wall: time.Duration(system.UnixNano()), mono: system.Sub(p.zero)}
	if p.own {
		i.now = p.cfg.Now()
	}
	return i
}

// bind opens a pair of ports. leased is the port to give back, 0 when the system
// chose.
func (p *Plane) bind(ip netip.Addr) (bound pair, leased uint16, former formerUse, err error) {
	if p.ports == nil {
		bound, err = p.reader.bind(ip, 0)
		return bound, 0, former, err
	}
	// A port that cannot be bound goes to the end of the queue: each is tried
	// once.
	for range len(p.ports.free) {
		r, former, ok := p.lease()
		if !ok {
			return nil, 0, former, ErrNoPorts
		}
		bound, bindErr := p.reader.bind(ip, r.port)
		if bindErr == nil {
			return bound, r.port, former, nil
		}
		r.since = p.cfg.Now()
		p.giveBack(r)
		if !portsFault(bindErr) {
			return nil, 0, former, bindErr
		}
		err = bindErr
	}
	return nil, 0, former, fmt.Errorf("%w: %w", ErrNoPorts, err)
}

// lease takes a port out of the range. former is what it was used for when it did not
// rest.
func (p *Plane) lease() (r restingPort, former formerUse, ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	now := p.cfg.Now()
	r, rested, ok := p.ports.take(now)
	if !ok || rested {
		return r, former, ok
	}
	if p.warnedAt.IsZero() || now.Sub(p.warnedAt) >= time.Minute {
		p.warnedAt = now
		p.cfg.Log.Warn("rtp port used again before it rested: the port range is too small",
			zap.Uint16("port", r.port), zap.Duration("rest", p.cfg.Rest))
	}
	return r, p.ports.former(r), ok
}

// giveBack lets a port rest.
func (p *Plane) giveBack(r restingPort) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.ports.put(r)
}

// ended forgets a receiver whose sockets are closed.
func (p *Plane) ended(r *Receiver) {
	if r.leased != 0 {
		ssrc, heard := r.lastHeard()
		p.giveBack(restingPort{port: r.leased, since: p.cfg.Now(), ssrc: ssrc, heard: heard})
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
