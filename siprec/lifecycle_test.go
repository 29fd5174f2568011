package siprec

import (
	"context"
	"net"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

func newIdle(t *testing.T) *Server {
	t.Helper()
	s, err := Listen(Config{
		Listen:  []Endpoint{{Network: "udp", Address: "127.0.0.1:0"}, {Network: "tcp", Address: "127.0.0.1:0"}},
		Handler: HandlerFunc(func(context.Context, *RecordingSession) {}),
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// wantFree wants the endpoints of a server that has ended to be free.
func wantFree(t *testing.T, s *Server) {
	t.Helper()
	for _, e := range s.Endpoints() {
		again, err := Listen(Config{Listen: []Endpoint{e}, Handler: s.cfg.Handler})
		if err != nil {
			t.Errorf("%s %s is still taken: %v", e.Network, e.Address, err)
			continue
		}
		if err := again.Shutdown(t.Context()); err != nil {
			t.Error(err)
		}
	}
}

func TestShutdownBeforeServe(t *testing.T) {
	s := newIdle(t)
	if err := s.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := s.Serve(t.Context()); err != nil {
		t.Errorf("Serve after Shutdown: %v", err)
	}
	wantFree(t, s)
}

func TestServeUnderADoneContext(t *testing.T) {
	s := newIdle(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := s.Serve(ctx); err != nil {
		t.Error(err)
	}
	if err := s.Shutdown(t.Context()); err != nil {
		t.Errorf("Shutdown after Serve: %v", err)
	}
	wantFree(t, s)
}

// TestShutdownTwice has two of them wait for one recording session, which the
// SRC ends.
func TestShutdownTwice(t *testing.T) {
	d := newDesk(t, nil)
	dialog := d.invite(src.Request{})
	d.want(Offered)
	done := make(chan error, 2)
	for range 2 {
		go func() { done <- d.server.Shutdown(t.Context()) }()
	}
	for { // until one of them has begun
		other := d.invite(src.Request{})
		if f := other.Final(); f.Status == 503 && f.Has("Retry-After") {
			break
		}
		d.want(Offered)
		if _, err := other.Bye(t.Context(), src.Request{}); err != nil {
			t.Fatal(err)
		}
		d.want(Ended)
	}
	if m, err := dialog.Bye(t.Context(), src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v, %v", m, err)
	}
	d.want(Ended)
	for range 2 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	if err := d.server.Shutdown(t.Context()); err != nil {
		t.Errorf("a third time: %v", err)
	}
}

// TestListenBindsAllOrNothing: the endpoint before the one that fails is free
// again, and the error names the one that failed.
func TestListenBindsAllOrNothing(t *testing.T) {
	taken, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	free := newIdle(t)
	endpoints := free.Endpoints()
	if err := free.Shutdown(t.Context()); err != nil {
		t.Fatal(err)
	}
	_, err = Listen(Config{
		Listen:  append(endpoints, Endpoint{Network: "udp", Address: taken.LocalAddr().String()}),
		Handler: free.cfg.Handler,
	})
	if err == nil {
		t.Fatal("a port was bound twice")
	}
	wantFree(t, free)
}
