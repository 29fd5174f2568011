package media

import (
	"errors"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

func TestNewRefuses(t *testing.T) {
	tests := []struct {
		name string
		cfg  Config
		ok   bool
	}{
		{"nothing set", Config{}, true},
		{"the default range", Config{PortMin: DefaultPortMin, PortMax: DefaultPortMax}, true},
		{"range without pair", Config{PortMin: 10001, PortMax: 10002}, false},
		{"range upside down", Config{PortMin: 10010, PortMax: 10000}, false},
		{"only a lower bound", Config{PortMin: 10000}, false},
		{"negative rest", Config{Rest: -1}, false},
		{"negative buffer", Config{ReadBuffer: -1}, false},
		{"negative threads", Config{Threads: -1}, false},
		{"unknown reader", Config{Reader: "epoll"}, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := New(tt.cfg); (err == nil) != tt.ok {
				t.Errorf("error %v", err)
			}
		})
	}
}

// freeRange finds pairs of neighbouring free ports and returns the lowest. They
// are free when it returns and, as nobody else asks for these, soon after.
func freeRange(t *testing.T, pairs uint16) uint16 {
	t.Helper()
	for range 200 {
		first, err := listenUDP(loopback4, 0)
		if err != nil {
			t.Fatal(err)
		}
		lowest := first.local().Port() &^ 1
		first.close()
		if int(lowest)+2*int(pairs) > 65535 {
			continue
		}
		if allFree(lowest, 2*pairs) {
			return lowest
		}
	}
	t.Skip("no range of free ports found")
	return 0
}

func allFree(lowest, n uint16) bool {
	for port := lowest; port < lowest+n; port++ {
		c, err := listenUDP(loopback4, port)
		if err != nil {
			return false
		}
		defer c.close()
	}
	return true
}

func TestPlaneRange(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		lowest := freeRange(t, 2)
		clock := newFakeClock()
		core, logs := observer.New(zap.WarnLevel)
		cfg.PortMin, cfg.PortMax, cfg.Now, cfg.Log = lowest, lowest+3, clock.now, zap.New(core)
		p := newPlane(t, cfg)
		one, two := open(t, p, loopback4), open(t, p, loopback4)
		if one.RTPAddr().Port() != lowest || two.RTPAddr().Port() != lowest+2 {
			t.Errorf("ports %v and %v, want %d and the next pair", one.RTPAddr(), two.RTPAddr(), lowest)
		}
		if _, err := p.Open(loopback4); !errors.Is(err, ErrNoPorts) {
			t.Errorf("error %v, want ErrNoPorts", err)
		}
		two.Close()
		clock.advance(time.Second)
		one.Drain()
		clock.advance(DefaultRest)
		if r := open(t, p, loopback4); r.RTPAddr() != two.RTPAddr() {
			t.Errorf("port %v, want the longest rested %v", r.RTPAddr(), two.RTPAddr())
		} else {
			r.Close()
		}
		if n := logs.Len(); n != 0 {
			t.Errorf("%d warnings: %v", n, logs.All())
		}
		open(t, p, loopback4).Close()
		open(t, p, loopback4).Close()
		if n := logs.FilterMessageSnippet("too small").Len(); n != 1 {
			t.Errorf("%d warnings of a port that did not rest, want 1", n)
		}
	})
}

func TestPlaneSkipsPortsOfOthers(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		lowest := freeRange(t, 3)
		for _, taken := range []uint16{lowest, lowest + 3} { // an RTP and an RTCP port
			c, err := listenUDP(loopback4, taken)
			if err != nil {
				t.Skip(err)
			}
			defer c.close()
		}
		cfg.PortMin, cfg.PortMax = lowest, lowest+5
		p := newPlane(t, cfg)
		if r := open(t, p, loopback4); r.RTPAddr().Port() != lowest+4 {
			t.Errorf("port %v, want %d", r.RTPAddr(), lowest+4)
		}
		_, err := p.Open(loopback4)
		if !errors.Is(err, ErrNoPorts) {
			t.Errorf("error %v, want ErrNoPorts", err)
		}
	})
}

func TestOpenOnAForeignAddress(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		cfg.PortMin, cfg.PortMax = DefaultPortMin, DefaultPortMax
		p := newPlane(t, cfg)
		_, err := p.Open(netip.MustParseAddr("198.51.100.77"))
		if err == nil || errors.Is(err, ErrNoPorts) {
			t.Errorf("error %v, want that of the address", err)
		}
		if p.ports.count != len(p.ports.free) {
			t.Error("a port was lost")
		}
	})
}

func TestPlaneClose(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		p := newPlane(t, cfg)
		var opened []*Receiver
		for range 20 {
			opened = append(opened, open(t, p, loopback4))
		}
		if err := p.Close(); err != nil {
			t.Fatal(err)
		}
		for _, r := range opened {
			c, err := listenUDP(loopback4, r.RTPAddr().Port())
			if err != nil {
				t.Errorf("port %v is still in use: %v", r.RTPAddr(), err)
				continue
			}
			c.close()
		}
		if _, err := p.Open(loopback4); !errors.Is(err, net.ErrClosed) {
			t.Errorf("error %v, want net.ErrClosed", err)
		}
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if n := len(p.receivers); n != 0 {
			t.Errorf("%d receivers are left", n)
		}
	})
}

func TestPlaneTogether(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		p := newPlane(t, cfg)
		var wg sync.WaitGroup
		for i := range 8 {
			wg.Go(func() {
				for range 25 {
					r, err := p.Open(loopback4)
					if errors.Is(err, net.ErrClosed) {
						return
					}
					if err != nil {
						t.Error(err)
						return
					}
					if i%2 == 0 {
						wg.Go(r.Drain)
					}
					r.Close()
				}
			})
		}
		_ = p.Close()
		wg.Wait()
		if n := len(p.receivers); n != 0 {
			t.Errorf("%d receivers are left", n)
		}
	})
}
