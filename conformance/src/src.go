package src

import (
	"context"
	crand "crypto/rand"
	"crypto/tls"
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"
)

// Errors that a caller tells apart.
var (
	// ErrNoResponse: the server gave no final response before 64*T1 or the
	// deadline of the context passed (RFC 3261 §17.1).
	ErrNoResponse = errors.New("no final response")
	// ErrClosed: the SRC or its connection was closed.
	ErrClosed = errors.New("connection closed")
	// ErrNoDestination: the answer holds no address for the stream.
	ErrNoDestination = errors.New("stream has no destination")
	// ErrNoKey: the answer to an offer of SRTP accepts none of its keys (RFC 4568 §5.1.2).
	ErrNoKey = errors.New("the answer accepts no key")
)

// Direction says whether a traced message was sent or received.
type Direction int

// The directions of a trace.
const (
	Out Direction = iota + 1
	In
)

// String is "->" for a sent and "<-" for a received message.
func (d Direction) String() string {
	if d == Out {
		return "->"
	}
	return "<-"
}

// Config configures an SRC.
type Config struct {
	Target    string        // host:port of the server; required
	Transport string        // "udp" (default), "tcp" or "tls"
	TLS       *tls.Config   // for tls: the client certificate and whom to believe; default: the authorities of the system
	Local     string        // IP address to send from; default: the one that routes to Target
	T1        time.Duration // RFC 3261 §17.1.1.1; default 500 ms
	UserAgent string        // default "siprec-src"
	// Credentials answer challenges (RFC 3261 §22); nil: a 401 or 407 is a refusal like
	// others.
	Credentials *Credentials
	// Trace sees every message that is sent or received. It is called from
	// several goroutines, one at a time, and must not block.
	Trace func(dir Direction, at time.Time, text string)
	// Packets sees every SIP message and every datagram of media that is sent, and
	// those that are received; RTP and RTCP of the server when they are read. It is
	// called from several goroutines, also at a time, and must not block.
	Packets func(Packet)
	Now     func() time.Time // default time.Now
	Seed    uint64           // of tags, branches and SSRCs; 0 takes a random one
	// Linger keeps the ports of media for that long after the end of a dialog, so that
	// what the server still sends there meets no other stream; 0 gives them back at once.
	Linger time.Duration
	// Handler answers requests that belong to no dialog, or to one without a
	// handler of its own; default AutoReply.
	Handler Handler
}

// An SRC is one Session Recording Client with one SIP socket or connection, on
// which any number of dialogs may run. Its methods may be called by several
// goroutines.
type SRC struct {
	cfg  Config
	conn *conn
	ids  *IDs

	mu           sync.Mutex
	transactions map[string]*transaction
	dialogs      map[string]*Dialog // by Call-ID
	unexpected   []*Message
	news         chan struct{}     // closed and renewed by each of these
	answered     map[string][]byte // branch of a request outside dialogs -> response
	closed       bool
	broken       chan struct{} // closed when the connection is gone
	brokenErr    error

	traceMu sync.Mutex
	wg      sync.WaitGroup
}

// maxKept bounds the lists of received messages that were not asked for.
const maxKept = 1024

// New opens the socket, or the connection. The context bounds the connect.
func New(ctx context.Context, cfg Config) (*SRC, error) {
	if cfg.T1 == 0 {
		cfg.T1 = 500 * time.Millisecond
	}
	if cfg.UserAgent == "" {
		cfg.UserAgent = "siprec-src"
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.Handler == nil {
		cfg.Handler = AutoReply
	}
	if cfg.Transport == "" {
		cfg.Transport = "udp"
	}
	ids, err := newIDs(cfg.Seed)
	if err != nil {
		return nil, err
	}
	c, err := dial(ctx, cfg)
	if err != nil {
		return nil, fmt.Errorf("open %s to %s: %w", cfg.Transport, cfg.Target, err)
	}
	s := &SRC{
		cfg: cfg, conn: c, ids: ids,
		transactions: make(map[string]*transaction),
		dialogs:      make(map[string]*Dialog),
		answered:     make(map[string][]byte),
		broken:       make(chan struct{}),
		news:         make(chan struct{}),
	}
	s.wg.Go(func() { s.read() })
	return s, nil
}

// Local is the address from which SIP leaves.
func (s *SRC) Local() netip.AddrPort { return s.conn.local }

// IDs is the source of random identifiers of this SRC.
func (s *SRC) IDs() *IDs { return s.ids }

// Unexpected holds received messages that belong to no transaction and no
// dialog, at most the first 1024.
func (s *SRC) Unexpected() []*Message {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]*Message(nil), s.unexpected...)
}

// AwaitUnexpected waits for the first of the messages of Unexpected that fits.
func (s *SRC) AwaitUnexpected(ctx context.Context, fits func(*Message) bool) (*Message, error) {
	over := false // the connection is gone, and what came before is all there is
	for seen := 0; ; {
		s.mu.Lock()
		kept, news := s.unexpected, s.news
		s.mu.Unlock()
		for ; seen < len(kept); seen++ {
			if fits(kept[seen]) {
				return kept[seen], nil
			}
		}
		if over {
			return nil, s.brokenErr
		}
		select {
		case <-news:
		case <-ctx.Done():
			return nil, fmt.Errorf("wait for a message: %w", ctx.Err())
		case <-s.broken:
			over = true
		}
	}
}

// Close ends all dialogs without a BYE, closes the socket and waits for every
// goroutine of the SRC.
func (s *SRC) Close() error {
	s.mu.Lock()
	s.closed = true
	dialogs := make([]*Dialog, 0, len(s.dialogs))
	for _, d := range s.dialogs {
		dialogs = append(dialogs, d)
	}
	s.mu.Unlock()
	for _, d := range dialogs {
		d.Close()
	}
	err := s.conn.close()
	s.wg.Wait()
	return err
}

// read is the one reader of the socket.
func (s *SRC) read() {
	err := s.conn.read(func(raw []byte, from netip.AddrPort) {
		at := s.cfg.Now()
		s.sip(In, from, at, raw)
		m, err := Parse(raw)
		if err != nil {
			m = &Message{Raw: raw}
		}
		m.At, m.Source = at, from
		switch {
		case err != nil:
			s.keep(m)
		case m.Status != 0:
			s.response(m)
		default:
			s.request(m)
		}
	})
	s.mu.Lock()
	s.brokenErr = fmt.Errorf("%w: %w", ErrClosed, err)
	close(s.broken)
	s.mu.Unlock()
}

func (s *SRC) keep(m *Message) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.unexpected) < maxKept {
		s.unexpected = append(s.unexpected, m)
		close(s.news)
		s.news = make(chan struct{})
	}
}

func (s *SRC) response(m *Message) {
	_, method := m.CSeq()
	s.mu.Lock()
	tx := s.transactions[m.Branch()+" "+method]
	s.mu.Unlock()
	if tx == nil {
		s.keep(m)
		return
	}
	tx.receive(m)
}

// Send writes raw text to the server, as it is.
func (s *SRC) Send(raw []byte) error {
	s.sip(Out, s.conn.target, s.cfg.Now(), raw)
	err := s.conn.write(raw)
	switch {
	case err != nil && s.conn.reliable():
		return fmt.Errorf("send %d octets: %w: %w", len(raw), ErrClosed, err)
	case err != nil:
		return fmt.Errorf("send %d octets: %w", len(raw), err)
	}
	return nil
}

func (s *SRC) trace(dir Direction, at time.Time, raw []byte) {
	if s.cfg.Trace == nil {
		return
	}
	s.traceMu.Lock()
	defer s.traceMu.Unlock()
	s.cfg.Trace(dir, at, string(raw))
}

// IDs makes identifiers from one seeded generator.
type IDs struct {
	mu  sync.Mutex
	rng *rand.Rand
}

func newIDs(seed uint64) (*IDs, error) {
	if seed == 0 {
		var b [8]byte
		if _, err := crand.Read(b[:]); err != nil {
			return nil, fmt.Errorf("read randomness: %w", err)
		}
		seed = binary.BigEndian.Uint64(b[:])
	}
	return NewIDs(seed), nil
}

// NewIDs makes a generator that repeats itself for the same seed.
func NewIDs(seed uint64) *IDs {
	return &IDs{rng: rand.New(rand.NewPCG(seed, 0x5349505245430001))}
}

func (g *IDs) uint64() uint64 {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.rng.Uint64()
}

// token is 16 hexadecimal digits, for tags and branches.
func (g *IDs) token() string { return fmt.Sprintf("%016x", g.uint64()) }

func (g *IDs) uint32() uint32 { return uint32(g.uint64() >> 32) }
