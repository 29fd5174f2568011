package main

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"go.uber.org/zap"

	"github.com/siprecd/siprecd/siprec"
)

// A target is the URI of an SRC that waits to be asked for a recording session.
type target struct {
	uri sip.Uri
}

// UnmarshalText reads a sip or sips URI.
func (t *target) UnmarshalText(text []byte) error {
	if err := sip.ParseUri(string(text), &t.uri); err != nil || t.uri.Host == "" || t.uri.Scheme != "sip" && t.uri.Scheme != "sips" {
		return fmt.Errorf("%q is no URI such as sip:sbc.example.com", text)
	}
	switch network := t.network(); {
	case network == "", network == "tcp", network == "tls", network == "udp" && t.uri.Scheme == "sip":
		return nil
	case network == "udp":
		return fmt.Errorf("%q: sips is not over UDP (RFC 3261 section 26.2.2)", text)
	default:
		return fmt.Errorf("%q: transport %q is none of udp, tcp and tls", text, network)
	}
}

// network is the transport that the URI names, in lower case, or empty.
func (t *target) network() string {
	named, _ := t.uri.UriParams.Get("transport")
	return strings.ToLower(named)
}

// checkTargets refuses a target that no listener can reach: a request of ours leaves
// from the address of one, and TLS needs the certificate.
func (s *settings) checkTargets() error {
	has := func(network string) bool {
		return slices.ContainsFunc(s.Listen, func(l listener) bool { return slices.Contains(l.networks(), network) })
	}
	for _, t := range s.RecordFrom {
		network := t.network()
		switch {
		case (network == "tls" || t.uri.Scheme == "sips") && !has("tls"):
			return fmt.Errorf("record-from: %s needs a certificate, but nothing listens on TLS (--listen tls:ADDRESS)", t.uri.String())
		case network == "udp" && !has("udp"):
			return fmt.Errorf("record-from: %s is over UDP, but nothing listens there (--listen udp:ADDRESS)", t.uri.String())
		}
	}
	return nil
}

// A standing keeps a recording session open with each SRC of a list: it asks for
// one (RFC 7866 §6.2), and again when that is refused or has ended.
type standing struct {
	siprec.Handler
	log *zap.Logger
	// soonest is the wait before it asks again, doubled after each failure in a row
	// up to latest.
	soonest, latest time.Duration
	wait            func(context.Context, time.Duration)

	mu    sync.Mutex
	ended map[string]chan struct{} // by target; gets a value when one ended

	asking sync.WaitGroup
	stop   context.CancelFunc
}

func newStanding(h siprec.Handler, log *zap.Logger) *standing {
	return &standing{Handler: h, log: log, soonest: 5 * time.Second, latest: 5 * time.Minute, wait: pause, ended: make(map[string]chan struct{})}
}

// pause returns after a time, or when ctx is done.
func pause(ctx context.Context, d time.Duration) {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

// ServeRecording hands the recording session on, and notes its end.
func (s *standing) ServeRecording(ctx context.Context, rs *siprec.RecordingSession) {
	s.serve(ctx, rs, s.Handler)
}

// serve has a handler serve a recording session, and notes its end.
func (s *standing) serve(ctx context.Context, rs *siprec.RecordingSession, h siprec.Handler) {
	h.ServeRecording(ctx, rs)
	s.mu.Lock()
	ended := s.ended[rs.RequestURI()]
	s.mu.Unlock()
	if ended != nil {
		select {
		case ended <- struct{}{}:
		default:
		}
	}
}

// expect has the ends of recording sessions with targets be noted from now on.
func (s *standing) expect(targets []target) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, t := range targets {
		s.ended[t.uri.String()] = make(chan struct{}, 1)
	}
}

// resume is that of a server, for what goes on of an earlier process.
func (s *standing) resume(server *siprec.Server) func(state []byte, h siprec.Handler) error {
	return func(state []byte, h siprec.Handler) error {
		return server.Resume(state, siprec.HandlerFunc(func(ctx context.Context, rs *siprec.RecordingSession) { s.serve(ctx, rs, h) }))
	}
}

// begin asks every target that was expected, until close. One with which a recording
// session is up, of an earlier process, is asked when that has ended.
func (s *standing) begin(server *siprec.Server, targets []target, src func(sip.Uri) siprec.SRC) {
	ctx, stop := context.WithCancel(context.Background())
	s.stop = stop
	up := server.Initiated()
	for _, t := range targets {
		s.mu.Lock()
		ended := s.ended[t.uri.String()]
		s.mu.Unlock()
		s.asking.Go(func() {
			if slices.Contains(up, t.uri.String()) {
				select {
				case <-ended:
				case <-ctx.Done():
				}
			}
			s.keep(ctx, server, t.uri, src(t.uri), ended)
		})
	}
}

func (s *standing) keep(ctx context.Context, server *siprec.Server, uri sip.Uri, src siprec.SRC, ended <-chan struct{}) {
	delay := s.soonest
	for ctx.Err() == nil {
		err := server.Initiate(ctx, uri.String(), src)
		switch {
		case err == nil:
			s.log.Info("recording session opened", zap.String("uri", uri.String()), zap.String("src", src.Name))
			delay = s.soonest
			select {
			case <-ended:
			case <-ctx.Done():
			}
		case ctx.Err() == nil:
			s.log.Warn("no recording session with an SRC that was asked for one", zap.String("uri", uri.String()), zap.String("src", src.Name), zap.Duration("again_in", delay), zap.Error(err))
		}
		s.wait(ctx, delay)
		if err != nil {
			delay = min(2*delay, s.latest)
		}
	}
}

// close asks nobody any more.
func (s *standing) close() {
	if s.stop != nil {
		s.stop()
	}
	s.asking.Wait()
}

// asked is as which SRC a target counts: the configured one at its address, or
// else one that is named like its host.
func (a *admission) asked(uri sip.Uri) siprec.SRC {
	addr, err := netip.ParseAddr(strings.Trim(uri.Host, "[]"))
	if err == nil {
		if src, err := a.admit(siprec.Origin{Source: netip.AddrPortFrom(addr, 0)}); err == nil {
			return src
		}
	}
	return siprec.SRC{Name: uri.Host}
}
