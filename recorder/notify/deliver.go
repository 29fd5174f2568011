package notify

import (
	"bytes"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"syscall"
	"time"

	"go.uber.org/zap"
)

const (
	// tryTime is how long one try may take.
	tryTime = 10 * time.Second
	// mostAnswer is how much of an answer is read, in octets.
	mostAnswer = 64 << 10
	// mostRetryAfter is the longest wait that a receiver may ask for.
	mostRetryAfter = time.Hour
)

// An envelope is the body of a delivery.
type envelope struct {
	Version int `json:"version"`
	// Dropped is how many notices are lost of which no earlier delivery told.
	Dropped uint64            `json:"dropped"`
	Notices []json.RawMessage `json:"notices"`
}

// An answer is what came of a try.
type answer struct {
	status int // 0 without an answer
	after  time.Duration
	err    error
}

// What becomes of a delivery.
type fate int

const (
	accepted fate = iota
	later         // the receiver is not there, or not well
	refused       // it does not want this
	gone          // it wants nothing any more
)

// fate says what an answer means for a delivery. Statuses that tell of the receiver, of
// its address and of who may send there are not about what was sent.
func (a answer) fate() fate {
	switch s := a.status; {
	case s >= 200 && s < 300:
		return accepted
	case s == http.StatusGone:
		return gone
	case s < 400 || s >= 500:
		return later
	}
	switch a.status {
	case http.StatusUnauthorized, http.StatusPaymentRequired, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed,
		http.StatusProxyAuthRequired, http.StatusRequestTimeout, http.StatusTooEarly, http.StatusTooManyRequests, http.StatusMisdirectedRequest:
		return later
	}
	return refused
}

func (a answer) String() string {
	if a.err != nil {
		return a.err.Error()
	}
	return fmt.Sprintf("status %d", a.status)
}

// deliver begins the next delivery, if none is under way and one is due. Otherwise it
// sets the timer to when one is.
func (n *Notifier) deliver(due *time.Timer) {
	now := time.Now()
	if n.under != nil || n.enough {
		return
	}
	n.expire(now)
	if now.Before(n.until) {
		due.Reset(n.until.Sub(now))
		return
	}
	list, next := n.pick(now)
	if len(list) == 0 {
		if !next.IsZero() {
			due.Reset(next.Sub(now))
		}
		return
	}
	for _, e := range list {
		e.away = true
	}
	n.under, n.told = list, n.box.lost
	body, err := n.body(list)
	if err != nil {
		n.answers <- answer{err: err} // there is room: nothing else is under way
		return
	}
	secrets := *n.secrets.Load()
	go func() { n.answers <- n.cfg.post(n.ctx, secrets, body) }()
}

// expire gives up what has waited for too long.
func (n *Notifier) expire(now time.Time) {
	var old []*entry
	for _, e := range n.box.waiting {
		if now.Sub(e.taken) < n.cfg.Limit {
			break
		}
		old = append(old, e)
	}
	if len(old) > 0 {
		n.box.giveUp(old)
		n.givenUp(len(old))
		n.save()
	}
}

// pick chooses what is delivered next: the oldest, but of no recording of which an older
// notice has to wait. What was refused by itself is sent alone. Without any it says when
// there may be some; zero is not before something happens.
func (n *Notifier) pick(now time.Time) (list []*entry, next time.Time) {
	octets := 0
	for _, e := range n.box.waiting {
		switch {
		case now.Before(e.lane.until):
			if next.IsZero() || e.lane.until.Before(next) {
				next = e.lane.until
			}
			continue
		case e.lane.refused > 0 && len(list) > 0:
			continue
		}
		if octets += e.size; len(list) > 0 && octets > mostOctets {
			break
		}
		list = append(list, e)
		if len(list) == n.together || e.lane.refused > 0 {
			break
		}
	}
	return list, next
}

func (n *Notifier) body(list []*entry) ([]byte, error) {
	env := envelope{Version: Version, Dropped: n.box.lost}
	for _, e := range list {
		text, err := n.box.text(e)
		if err != nil {
			return nil, err
		}
		env.Notices = append(env.Notices, text)
	}
	return json.Marshal(env)
}

// answered takes what came of the delivery that is under way.
func (n *Notifier) answered(a answer) {
	list := n.under
	n.under = nil
	for _, e := range list {
		e.away = false
	}
	if a.fate() == accepted {
		n.delivered(list)
		return
	}
	if n.failures == 0 {
		n.cfg.Log.Warn("webhook does not take notices: they wait, and are tried again", zap.Stringer("answer", a), zap.Int("waiting", len(n.box.waiting)))
	}
	n.failures++
	if a.fate() == refused {
		// One that nobody would take keeps the others waiting no longer than the first
		// failure does; many that are refused are a fault of the receiver.
		if len(list) == 1 {
			list[0].lane.refused++
		}
		n.failures = max(n.box.refused(), 1)
		n.together = 1
	}
	now := time.Now()
	n.until = now.Add(max(n.cfg.wait(n.failures), a.after))
	if l := list[0].lane; a.fate() == refused && len(list) == 1 {
		l.until = n.until.Add(n.cfg.wait(l.refused)) // others go first
	}
	if a.fate() == gone {
		n.enough = true
		n.cfg.Log.Error("webhook is gone (410): nothing is sent to it until this server is started again", zap.Int("waiting", len(n.box.waiting)))
	}
	n.enough = n.enough || n.hurry
}

// delivered takes note that the receiver has a delivery.
func (n *Notifier) delivered(list []*entry) {
	if n.failures > 0 {
		n.cfg.Log.Info("webhook takes notices again", zap.Int("waiting", len(n.box.waiting)-len(list)))
	}
	n.failures, n.until = 0, time.Time{}
	n.together = min(2*n.together, mostTogether)
	for _, e := range list {
		e.lane.refused, e.lane.until = 0, time.Time{}
	}
	n.box.delivered(list, n.told)
	n.save()
}

// post makes one try.
func (cfg *Config) post(ctx context.Context, secrets []string, body []byte) answer {
	ctx, cancel := context.WithTimeout(ctx, tryTime)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, cfg.URL, bytes.NewReader(body))
	if err != nil {
		return answer{err: errors.New("no request can be made of the URL")}
	}
	now := time.Now()
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("User-Agent", cfg.Agent)
	req.Header.Set(SignatureHeader, sign(secrets, now, body))
	res, err := cfg.Client.Do(req)
	if err != nil {
		var whole *url.Error // has the URL in it, and that may be a secret
		if errors.As(err, &whole) {
			err = whole.Err
		}
		return answer{err: err}
	}
	defer res.Body.Close()
	// What is read to its end leaves the connection for the next delivery.
	_, _ = io.CopyN(io.Discard, res.Body, mostAnswer)
	return answer{status: res.StatusCode, after: retryAfter(res.Header.Get("Retry-After"), now)}
}

// retryAfter reads the header field (RFC 9110 §10.2.3): seconds, or an instant.
func retryAfter(value string, now time.Time) time.Duration {
	if s, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(s)*time.Second, mostRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), mostRetryAfter)
}

// newClient makes a client that keeps one connection, verifies certificates, follows no
// redirects, and speaks unencrypted to this machine alone.
func newClient() *http.Client {
	dialer := &net.Dialer{Timeout: tryTime}
	plain := &net.Dialer{Timeout: tryTime, Control: onlyLoopback}
	return &http.Client{
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &schemes{
			https: &http.Transport{
				Proxy: http.ProxyFromEnvironment, DialContext: dialer.DialContext, TLSHandshakeTimeout: tryTime, ForceAttemptHTTP2: true,
				TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12},
				MaxConnsPerHost: 1, MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: mostAnswer, DisableCompression: true,
			},
			http: &http.Transport{
				DialContext:     plain.DialContext,
				MaxConnsPerHost: 1, MaxIdleConns: 1, IdleConnTimeout: 30 * time.Second, MaxResponseHeaderBytes: mostAnswer, DisableCompression: true,
			},
		},
	}
}

// schemes sends by a way of its own for each scheme.
type schemes struct{ https, http *http.Transport }

// RoundTrip sends a request.
func (s *schemes) RoundTrip(req *http.Request) (*http.Response, error) {
	if req.URL.Scheme == "http" {
		return s.http.RoundTrip(req)
	}
	return s.https.RoundTrip(req)
}

// CloseIdleConnections closes what is kept for the next delivery.
func (s *schemes) CloseIdleConnections() {
	s.https.CloseIdleConnections()
	s.http.CloseIdleConnections()
}

// errNotHere: a name that stands for this machine was resolved to another.
var errNotHere = errors.New("http is for loopback addresses only")

// onlyLoopback refuses connections to other machines, whatever a name was resolved to.
func onlyLoopback(_, address string, _ syscall.RawConn) error {
	a, err := netip.ParseAddrPort(address)
	if err != nil || !a.Addr().Unmap().IsLoopback() {
		return errNotHere
	}
	return nil
}

// loopback reports whether a host is this machine.
func loopback(host string) bool {
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.Unmap().IsLoopback()
}
