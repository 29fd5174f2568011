package siprec

import (
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
