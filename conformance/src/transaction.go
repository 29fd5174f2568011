package src

import (
	"context"
	"fmt"
	"sync"
	"time"
)

// transaction is one client transaction (RFC 3261 §17.1), or several of them, the one
// after the other, where a challenge was answered. Its state changes under mu by the
// reader of the socket and by run.
type transaction struct {
	src     *SRC
	key     string // under the mutex of src
	method  string
	renewed chan struct{} // has one when the attempt became another

	mu          sync.Mutex
	attempt              // the last
	former      []string // keys of those before, under the mutex of src
	provisional []*Message
	final       *Message
	repeats     []*Message
	news        chan struct{} // closed and renewed by each response but the first final one
	err         error
	done        chan struct{}
	proceeding  chan struct{} // closed by the first provisional response
}

// newTransaction makes one that is not yet registered.
func (s *SRC) newTransaction(method string, a attempt) *transaction {
	return &transaction{
		src: s, key: a.branch + " " + method, method: method, attempt: a, renewed: make(chan struct{}, 1),
		done: make(chan struct{}), proceeding: make(chan struct{}), news: make(chan struct{}),
	}
}

// begin registers a transaction, sends the request and starts its goroutine.
// The goroutine ends with the final response, with ctx, or with the SRC.
func (s *SRC) begin(ctx context.Context, method string, first attempt) (*transaction, error) {
	tx := s.newTransaction(method, first)
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil, ErrClosed
	}
	s.transactions[tx.key] = tx
	// Under mu, so that no goroutine starts after Close began to wait.
	s.wg.Add(1)
	s.mu.Unlock()
	if err := s.Send(first.raw); err != nil {
		s.wg.Done()
		s.forget(tx)
		return nil, err
	}
	go func() {
		defer s.wg.Done()
		tx.run(ctx)
	}()
	return tx, nil
}

// forget drops a transaction; later responses to it are unexpected.
func (s *SRC) forget(tx *transaction) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.transactions, tx.key)
	for _, key := range tx.former {
		delete(s.transactions, key)
	}
}

// receive takes one response from the reader.
func (tx *transaction) receive(m *Message) {
	if tx.challenged(m) {
		return
	}
	tx.mu.Lock()
	repeated := false
	switch {
	case m.Status < 200:
		if tx.provisional == nil {
			close(tx.proceeding)
		}
		if len(tx.provisional) < maxKept {
			tx.provisional = append(tx.provisional, m)
		}
		close(tx.news)
		tx.news = make(chan struct{})
		tx.mu.Unlock()
		return
	case tx.final != nil:
		if len(tx.repeats) < maxKept {
			tx.repeats = append(tx.repeats, m)
		}
		close(tx.news)
		tx.news = make(chan struct{})
		repeated = true
	default:
		tx.final = m
	}
	onFinal := tx.onFinal
	tx.mu.Unlock()
	if onFinal != nil {
		onFinal(m, repeated)
	}
	if !repeated {
		tx.finish(nil)
	}
}

func (tx *transaction) finish(err error) {
	tx.mu.Lock()
	defer tx.mu.Unlock()
	select {
	case <-tx.done:
	default:
		tx.err = err
		close(tx.done)
	}
}

// run retransmits over UDP (timers A and E) and gives up after 64*T1 (timers B
// and F, RFC 3261 §17.1.1.2 and §17.1.2.2).
func (tx *transaction) run(ctx context.Context) {
	const t2 = 4 * time.Second
	invite := tx.method == "INVITE"
	interval := tx.src.cfg.T1
	giveUp := time.NewTimer(64 * interval)
	defer giveUp.Stop()
	again := time.NewTimer(interval)
	defer again.Stop()
	if tx.src.conn.reliable() {
		again.Stop()
	}
	raw, proceeding := tx.current()
	for {
		select {
		case <-tx.done:
			return
		case <-tx.renewed:
			raw, proceeding = tx.current()
			interval = tx.src.cfg.T1
			giveUp.Reset(64 * interval)
			if !tx.src.conn.reliable() {
				again.Reset(interval)
			}
		case <-ctx.Done():
			tx.finish(fmt.Errorf("%s: %w: %w", tx.method, ErrNoResponse, ctx.Err()))
			return
		case <-giveUp.C:
			tx.finish(fmt.Errorf("%s: %w within %s", tx.method, ErrNoResponse, 64*tx.src.cfg.T1))
			return
		case <-tx.src.broken:
			tx.finish(fmt.Errorf("%s: %w", tx.method, tx.src.brokenErr))
			return
		case <-proceeding:
			proceeding = nil
			if invite { // RFC 3261 §17.1.1.2: no timer in state Proceeding
				again.Stop()
				giveUp.Stop()
			}
		case <-again.C:
			if err := tx.src.Send(raw); err != nil {
				tx.finish(err)
				return
			}
			if interval *= 2; !invite {
				interval = min(interval, t2)
			}
			again.Reset(interval)
		}
	}
}

// wait returns the final response.
func (tx *transaction) wait(ctx context.Context) (*Message, error) {
	select {
	case <-tx.done:
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w: %w", tx.method, ErrNoResponse, ctx.Err())
	}
	tx.mu.Lock()
	defer tx.mu.Unlock()
	return tx.final, tx.err
}

// repeated waits until the final response came again n times, and says how
// often it did.
func (tx *transaction) repeated(ctx context.Context, n int) (int, error) {
	for {
		tx.mu.Lock()
		count, news := len(tx.repeats), tx.news
		tx.mu.Unlock()
		if count >= n {
			return count, nil
		}
		select {
		case <-news:
		case <-ctx.Done():
			return count, fmt.Errorf("final response came again %d times: %w", count, ctx.Err())
		case <-tx.src.broken:
			return count, tx.src.brokenErr
		}
	}
}

// ringing waits for a provisional response above 100; nil says that the final one
// came without.
func (tx *transaction) ringing(ctx context.Context) (*Message, error) {
	for {
		tx.mu.Lock()
		news, err := tx.news, tx.err
		for _, m := range tx.provisional {
			if m.Status > 100 {
				tx.mu.Unlock()
				return m, nil
			}
		}
		tx.mu.Unlock()
		select {
		case <-tx.done:
			return nil, err
		default:
		}
		select {
		case <-news:
		case <-tx.done:
		case <-ctx.Done():
			return nil, fmt.Errorf("%s: %w: %w", tx.method, ErrNoResponse, ctx.Err())
		}
	}
}

// rang waits until n responses of 101 to 199 came, and says how many did.
func (tx *transaction) rang(ctx context.Context, n int) (int, error) {
	for {
		tx.mu.Lock()
		count, news := 0, tx.news
		for _, m := range tx.provisional {
			if m.Status > 100 {
				count++
			}
		}
		tx.mu.Unlock()
		if count >= n {
			return count, nil
		}
		select {
		case <-news:
		case <-tx.done:
			return count, fmt.Errorf("final response came after %d others", count)
		case <-ctx.Done():
			return count, fmt.Errorf("%d provisional responses came: %w", count, ctx.Err())
		case <-tx.src.broken:
			return count, tx.src.brokenErr
		}
	}
}
