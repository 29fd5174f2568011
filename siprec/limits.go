package siprec

import (
	"errors"
	"sync"
	"time"
)

// rates bounds how many INVITEs an SRC may send in a second. There is one bucket
// for each configured SRC that has a limit, so strangers leave nothing here.
type rates struct {
	now func() time.Time

	mu      sync.Mutex
	buckets map[string]*bucket // by the name of the SRC
}

// A bucket holds tokens, at most those of one second, or one.
type bucket struct {
	tokens float64
	at     time.Time
}

func newRates(now func() time.Time) *rates {
	return &rates{now: now, buckets: make(map[string]*bucket)}
}

// take takes a token of an SRC with perSecond of them; false when there is none. 0
// is no limit.
func (r *rates) take(name string, perSecond float64) bool {
	if perSecond <= 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	most := max(perSecond, 1)
	now := r.now()
	b := r.buckets[name]
	if b == nil {
		b = &bucket{tokens: most, at: now}
		r.buckets[name] = b
	}
	b.tokens = min(most, b.tokens+max(0, now.Sub(b.at).Seconds())*perSecond)
	b.at = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}

// of counts the recording sessions of an SRC; s.mu is held.
func (s *Server) of(name string) int {
	n := 0
	for _, rs := range s.dialogs {
		if rs.src.Name == name {
			n++
		}
	}
	return n
}

// errTooManyStreams: an SRC has as many ports as it may have.
var errTooManyStreams = errors.New("this client has as many streams as it may have")

// ports counts the streams that have ports, by the name of their SRC.
type ports struct {
	mu    sync.Mutex
	taken map[string]int
}

// take counts one stream more; false when that is more than most. 0 is no limit.
func (p *ports) take(name string, most int) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if most > 0 && p.taken[name] >= most {
		return false
	}
	p.taken[name]++
	return true
}

// give counts n streams less.
func (p *ports) give(name string, n int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.taken[name] -= n; p.taken[name] == 0 {
		delete(p.taken, name)
	}
}

// A share is what one SRC may have of the ports, by its name. The zero value is all.
type share struct {
	of   *ports // nil does not count
	name string
	most int // streams; 0 is no limit
}

func (s share) take() bool { return s.of == nil || s.of.take(s.name, s.most) }

// force counts one stream more, whatever the limit.
func (s share) force() {
	if s.of != nil {
		s.of.take(s.name, 0)
	}
}

func (s share) give(n int) {
	if s.of != nil && n > 0 {
		s.of.give(s.name, n)
	}
}
