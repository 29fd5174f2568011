package control

import (
	"net/http"
	"net/netip"
	"sync"
	"time"
)

const (
	// wrongPerMinute is how many requests with a wrong token an address has in a
	// minute before it is told to wait. One with a right token always passes: an
	// attempt costs nothing but its answer, since nobody guesses 32 random octets.
	wrongPerMinute = 10
	// maxAddresses bounds of how many addresses that is remembered.
	maxAddresses = 4096
	// mostAtOnce is how many requests are worked on at a time, mostOfToken how many
	// of one token. Further ones wait.
	mostAtOnce  = 64
	mostOfToken = 32
)

// A bucket allows so many things in a time, and what was not used is not lost for as
// many.
type bucket struct {
	left float64
	last time.Time
}

// take reports whether there is one left, or when there will be.
func (b *bucket) take(now time.Time, most, perSecond float64) (ok bool, wait time.Duration) {
	if b.last.IsZero() {
		b.left = most
	} else if now.After(b.last) {
		b.left = min(most, b.left+now.Sub(b.last).Seconds()*perSecond)
	}
	b.last = now
	if b.left >= 1 {
		b.left--
		return true, 0
	}
	return false, time.Duration((1 - b.left) / perSecond * float64(time.Second))
}

// A guard keeps one client from costing another anything.
type guard struct {
	now     func() time.Time
	atOnce  chan struct{}
	mu      sync.Mutex
	wrong   map[netip.Prefix]*bucket // by address
	logged  bucket                   // lines about wrong tokens
	clients map[string]*client       // by the name of the token
}

// A client is what is known of a token while the server runs.
type client struct {
	bucket
	atOnce chan struct{}
}

func newGuard(now func() time.Time) *guard {
	return &guard{
		now: now, atOnce: make(chan struct{}, mostAtOnce),
		wrong: make(map[netip.Prefix]*bucket), clients: make(map[string]*client),
	}
}

// network is what counts as one address: of IPv6 what one subscriber has.
func network(remote string) netip.Prefix {
	addr, err := netip.ParseAddrPort(remote)
	if err != nil {
		return netip.Prefix{}
	}
	bits := 32
	ip := addr.Addr().Unmap().WithZone("")
	if ip.Is6() {
		bits = 64
	}
	return netip.PrefixFrom(ip, bits).Masked()
}

// wrongToken notes a wrong token of an address: whether there were too many of them,
// and whether it is worth a line in the log.
func (g *guard) wrongToken(remote string) (tooMany *problem, log bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	now, from := g.now(), network(remote)
	b := g.wrong[from]
	if b == nil {
		if len(g.wrong) >= maxAddresses {
			g.forget(now)
		}
		b = &bucket{}
		g.wrong[from] = b
	}
	ok, wait := b.take(now, wrongPerMinute, wrongPerMinute/60.0)
	if !ok {
		return newProblem(http.StatusTooManyRequests, "too-many-wrong-tokens", "Too many wrong tokens", "they came from this address").retryAfter(wait), false
	}
	log, _ = g.logged.take(now, 10, 1)
	return nil, log
}

// forget makes room: those that were let off are as good as new, and if there are
// none, all of them are.
func (g *guard) forget(now time.Time) {
	for from, b := range g.wrong {
		if now.Sub(b.last) > time.Minute {
			delete(g.wrong, from)
		}
	}
	if len(g.wrong) >= maxAddresses {
		clear(g.wrong)
	}
}

// admit lets a request of a token in. It waits for others that are worked on, as long
// as the request may take; done has to be called in the end.
func (g *guard) admit(r *http.Request, t *token) (done func(), err error) {
	g.mu.Lock()
	c := g.clients[t.name]
	if c == nil {
		c = &client{atOnce: make(chan struct{}, mostOfToken)}
		g.clients[t.name] = c
	}
	rate := float64(t.perSecond)
	ok, wait := c.take(g.now(), rate, rate)
	g.mu.Unlock()
	if !ok {
		return nil, newProblem(http.StatusTooManyRequests, "too-many-requests", "Too many requests", "the token has used up its share of this second").retryAfter(wait)
	}
	for i, slots := range []chan struct{}{c.atOnce, g.atOnce} {
		select {
		case slots <- struct{}{}:
		case <-r.Context().Done():
			if i > 0 {
				<-c.atOnce
			}
			return nil, newProblem(http.StatusServiceUnavailable, "busy", "The server is busy", "nothing was done").retryAfter(time.Second)
		}
	}
	return func() { <-g.atOnce; <-c.atOnce }, nil
}

// keep forgets the clients whose tokens are gone.
func (g *guard) keep(ts *Tokens) {
	g.mu.Lock()
	defer g.mu.Unlock()
	names := make(map[string]bool)
	for _, t := range ts.list {
		names[t.name] = true
	}
	for name := range g.clients {
		if !names[name] {
			delete(g.clients, name)
		}
	}
}
