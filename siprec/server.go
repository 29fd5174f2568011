package siprec

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec/internal/front"
	"github.com/siprecd/siprecd/siprec/media"
)

// An Endpoint is where the server listens.
type Endpoint struct {
	Name    string // for Origin.Listener; several may have one
	Network string // udp, tcp or tls
	Address string // host:port, IPv4 or IPv6; port 0 takes a free one
	// Advertise is host or host:port as SRCs reach it when that is not Address, for
	// Via and Contact: behind NAT, or in a container. When the host is an IP address,
	// recorded streams are told to come there as well.
	Advertise string
	// AdvertiseMedia is the IP address that recorded streams are told to come to;
	// invalid means that of Advertise, or the address of ours that routes to the SRC.
	AdvertiseMedia netip.Addr
}

// media is the address of ours in SDP; invalid for the one that routes to the SRC.
func (e Endpoint) media() netip.Addr {
	if e.AdvertiseMedia.IsValid() {
		return e.AdvertiseMedia.Unmap()
	}
	host := e.Advertise
	if h, _, err := net.SplitHostPort(host); err == nil {
		host = h
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	if err != nil {
		return netip.Addr{} // a name, or nothing
	}
	return addr.Unmap()
}

// Config is what a Server needs. Listen, Handler and Log must be set.
type Config struct {
	Listen  []Endpoint
	Handler Handler
	// TLS is needed for endpoints of network tls.
	TLS *TLS
	// Admit says whether a source may open recording sessions, and as which
	// SRC. The text of its error goes into the Warning of the 403. Nil admits
	// every source. It must not block, and is asked without a Certificate too, of
	// whoever opens a connection.
	Admit func(Origin) (SRC, error)
	// Redirect are SIP URIs of other recording servers. When there are some, an
	// INVITE that this one cannot take now is answered 302 with them (RFC 3261
	// §21.3.3), not 503.
	Redirect []string
	// Idle is how long a connection without a recording session may carry neither a
	// message nor a keep-alive before it is closed; 0 means 5 min.
	Idle time.Duration
	// StrangerConnections is how many TCP and TLS connections may be open at once from
	// one address that Admit knows nobody at, 1 to 256; 0 means 32.
	StrangerConnections int
	// Unavailable, when set, says in words why no recording session can be begun now,
	// or is empty. Until it is, an INVITE is answered as one too many is, and OPTIONS
	// outside of dialogs 503. It must not block.
	Unavailable func() string
	// Media is the media plane. Its Log is that of the server, and so is its clock
	// unless it has one of its own.
	Media media.Config
	// MaxRecordingSessions is how many may be up at once; a further INVITE is
	// answered 503. 0 means 2000.
	MaxRecordingSessions int
	// Vanish is how long neither RTP nor SIP may come before the SRC is asked,
	// by OPTIONS, whether the recording session still exists. 0 means 90 s;
	// below 0 it is never asked.
	Vanish time.Duration
	// T1 and T2 are the timers of RFC 3261 §17.1.1.1 for what the dialog layer
	// repeats; 0 means 500 ms and 4 s.
	T1, T2    time.Duration
	Clock     Clock     // of SIP, RTP and RTCP; nil means the system's
	Random    io.Reader // nil means crypto/rand
	Log       *zap.Logger
	UserAgent string // Server and User-Agent header field; empty means siprecd
}

func (c *Config) complete() {
	if c.MaxRecordingSessions == 0 {
		c.MaxRecordingSessions = 2000
	}
	if c.Vanish == 0 {
		c.Vanish = 90 * time.Second
	}
	if c.T1 == 0 {
		c.T1 = 500 * time.Millisecond
	}
	if c.T2 == 0 {
		c.T2 = 4 * time.Second
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.Random == nil {
		c.Random = rand.Reader
	}
	if c.Log == nil {
		c.Log = zap.NewNop()
	}
	if c.UserAgent == "" {
		c.UserAgent = "siprecd"
	}
	if c.Unavailable == nil {
		c.Unavailable = func() string { return "" }
	}
	if c.Admit == nil {
		c.Admit = func(Origin) (SRC, error) { return SRC{}, nil }
	}
}

// A Server is a Session Recording Server (RFC 7866 §6.2).
type Server struct {
	cfg   Config
	log   *zap.Logger
	front *front.Front
	plane *media.Plane
	tx    *transactions
	// quiet is the log for what strangers cause.
	quiet *front.Quiet
	// busyLog is the same for what SRCs cause: a flood of strangers must not hide it.
	busyLog *front.Quiet
	nonces  *nonces
	rates   *rates
	ports   *ports
	exposed exposed
	counts  *inviteCounts

	mu       sync.Mutex
	dialogs  map[dialogKey]*RecordingSession
	invites  map[string]*RecordingSession // initial INVITEs by Call-ID, From tag and CSeq
	draining bool
	ended    chan struct{} // closed and renewed when a recording session ends
	handlers sync.WaitGroup
	outgoing sync.WaitGroup // requests of ours that wait for their response
}

// dialogKey finds a dialog: Call-ID and our tag (RFC 3261 §12).
type dialogKey struct{ callID, localTag string }

// Listen binds every endpoint, or none. Nothing is read before Serve.
func Listen(cfg Config) (*Server, error) {
	if cfg.Handler == nil {
		return nil, errors.New("siprec: no handler")
	}
	cfg.complete()
	s := &Server{
		cfg: cfg, log: cfg.Log, tx: newTransactions(),
		dialogs: make(map[dialogKey]*RecordingSession),
		invites: make(map[string]*RecordingSession),
		ended:   make(chan struct{}),
		rates:   newRates(cfg.Clock.Now),
		ports:   &ports{taken: make(map[string]int)},
		counts:  newInviteCounts(),
	}
	after := func(d time.Duration, f func()) func() bool { return cfg.Clock.AfterFunc(d, f).Stop }
	s.quiet, s.busyLog = front.NewQuiet(cfg.Log, cfg.Clock.Now, after), front.NewQuiet(cfg.Log, cfg.Clock.Now, after)
	s.nonces = newNonces([]byte(s.random(32)), cfg.Clock.Now)
	mediaCfg := cfg.Media
	mediaCfg.Log = cfg.Log
	// Left to itself the plane reads the system's clocks together.
	if _, system := cfg.Clock.(systemClock); !system && mediaCfg.Now == nil {
		mediaCfg.Now = cfg.Clock.Now
	}
	if mediaCfg.After == nil {
		mediaCfg.After = func(d time.Duration, f func()) func() bool { return cfg.Clock.AfterFunc(d, f).Stop }
	}
	plane, err := media.New(mediaCfg)
	if err != nil {
		return nil, fmt.Errorf("siprec: media: %w", err)
	}
	s.plane = plane
	ends := make([]front.Endpoint, len(cfg.Listen))
	for i, e := range cfg.Listen {
		ends[i] = front.Endpoint{Network: strings.ToLower(e.Network), Address: e.Address, Advertise: e.Advertise}
	}
	s.front, err = front.Listen(front.Config{
		Listen: ends, Handle: s.receive, Known: s.known, Busy: s.busy, TLS: cfg.TLS.front(), Log: cfg.Log,
		Limits: front.Limits{Idle: cfg.Idle, MaxStrangersPerSource: cfg.StrangerConnections}, Now: cfg.Clock.Now, AfterFunc: after,
	})
	if err != nil {
		return nil, errors.Join(fmt.Errorf("siprec: %w", err), plane.Close())
	}
	return s, nil
}

// Endpoints are the bound endpoints, in the order of Config.Listen.
func (s *Server) Endpoints() []Endpoint {
	bound := s.front.Endpoints()
	out := make([]Endpoint, len(bound))
	for i, e := range bound {
		out[i] = s.cfg.Listen[i]
		out[i].Network, out[i].Address = e.Network, e.Address
	}
	return out
}

// Serve receives until ctx is done or Shutdown has ended. Recording sessions
// that are up when ctx is done are ended with BYE. It returns when everything it
// started has ended.
func (s *Server) Serve(ctx context.Context) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The front outlives ctx: what is said at the end needs it.
	frontCtx, stopFront := context.WithCancel(context.WithoutCancel(ctx))
	served := make(chan error, 1)
	go func() { served <- s.front.Serve(frontCtx) }()

	var err error
	select {
	case <-ctx.Done():
		hurry, done := context.WithCancel(context.Background())
		done()
		s.drain(hurry)
		stopFront()
		err = <-served
	case err = <-served: // Shutdown closed the front
	}
	stopFront()
	s.tx.close()
	s.outgoing.Wait()
	s.quiet.Close()
	s.busyLog.Close()
	return errors.Join(err, s.plane.Close())
}

// Shutdown refuses new recording sessions with 503 and waits for the present
// ones to end. When ctx is done first, it ends them with BYE. It then lets Serve
// return.
func (s *Server) Shutdown(ctx context.Context) error {
	s.drain(ctx)
	return s.front.Close()
}

// drain returns when no recording session is left and the last BYEs are answered
// or were given 4*T1 for it.
func (s *Server) drain(ctx context.Context) {
	s.mu.Lock()
	s.draining = true
	s.mu.Unlock()
	hurried := false
	for {
		s.mu.Lock()
		up := make([]*RecordingSession, 0, len(s.dialogs))
		for _, rs := range s.dialogs {
			up = append(up, rs)
		}
		ended := s.ended
		s.mu.Unlock()
		if len(up) == 0 {
			break
		}
		if hurried {
			<-ended
			continue
		}
		select {
		case <-ended:
		case <-ctx.Done():
			hurried = true
			for _, rs := range up {
				rs.inbox.post(endNote{EndShutdown})
			}
		}
	}
	s.handlers.Wait()
	said := make(chan struct{})
	go func() { s.outgoing.Wait(); close(said) }()
	waited := make(chan struct{})
	timer := s.cfg.Clock.AfterFunc(4*s.cfg.T1, func() { close(waited) })
	defer timer.Stop()
	select {
	case <-said:
	case <-waited:
	}
}

// Up is how many recording sessions are up.
func (s *Server) Up() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.dialogs)
}

// register makes a recording session known; a refusal says why it may not be.
func (s *Server) register(rs *RecordingSession, inviteKey string) *refusal {
	unavailable := s.cfg.Unavailable()
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.invites[inviteKey] != nil {
		// The same request came over another path (RFC 3261 §8.2.2.2).
		return refuse(482, "this INVITE arrived before on another path")
	}
	switch ref := s.closed(unavailable); {
	case ref != nil:
		return ref
	case rs.src.MaxRecordingSessions > 0 && s.of(rs.src.Name) >= rs.src.MaxRecordingSessions:
		return refuse(503, "this client has as many recording sessions as it may have", retryAfter()).because(RefusedLimit)
	}
	s.dialogs[rs.key()] = rs
	s.invites[inviteKey] = rs
	s.handlers.Add(1)
	return nil
}

// closed says why nobody may begin a recording session now; s.mu is held. unavailable
// is what Config.Unavailable says.
func (s *Server) closed(unavailable string) *refusal {
	switch {
	case s.draining:
		return refuse(503, "the recording server is stopping", retryAfter()).because(RefusedStopping)
	case unavailable != "":
		return refuse(503, unavailable, retryAfter())
	case len(s.dialogs) >= s.cfg.MaxRecordingSessions:
		return refuse(503, "the recording server is full", retryAfter()).because(RefusedFull)
	}
	return nil
}

func (s *Server) forget(rs *RecordingSession) {
	s.mu.Lock()
	delete(s.dialogs, rs.key())
	delete(s.invites, rs.inviteKey)
	close(s.ended)
	s.ended = make(chan struct{})
	s.mu.Unlock()
}

func (s *Server) dialog(key dialogKey) *RecordingSession {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.dialogs[key]
}
