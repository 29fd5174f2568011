package notify

import (
	"context"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/recorder"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func writeFile(t *testing.T, path string) {
	t.Helper()
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
}

// hook is a receiver on a loopback port.
type hook struct {
	*httptest.Server
	bodies chan string
	opened atomic.Int64 // connections
}

func newHook(t *testing.T, tls bool, handle func(w http.ResponseWriter, r *http.Request)) *hook {
	h := &hook{bodies: make(chan string, 1000)}
	h.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b, err := io.ReadAll(r.Body)
		if err != nil {
			return // the client went away
		}
		h.bodies <- string(b)
		handle(w, r)
	}))
	h.Config.ErrorLog = zap.NewStdLog(zap.NewNop())
	h.Config.ConnState = func(_ net.Conn, s http.ConnState) {
		if s == http.StateNew {
			h.opened.Add(1)
		}
	}
	if tls {
		h.StartTLS()
	} else {
		h.Start()
	}
	t.Cleanup(h.Close)
	return h
}

func (h *hook) config(t *testing.T) Config {
	return Config{URL: h.URL + "/hook?key=hidden", Secrets: []string{secret}, Dir: t.TempDir(), FirstWait: time.Millisecond, MostWait: 2 * time.Millisecond}
}

// next is the next body that came.
func (h *hook) next(t *testing.T) string {
	t.Helper()
	select {
	case b := <-h.bodies:
		return b
	case <-t.Context().Done():
		t.Fatal("nothing came")
	}
	return ""
}

// Over a real socket: one connection for all, and no redirect is followed.
func TestOverHTTP(t *testing.T) {
	var elsewhere atomic.Int64
	other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere.Add(1) }))
	defer other.Close()
	var tries atomic.Int64
	h := newHook(t, false, func(w http.ResponseWriter, r *http.Request) {
		switch tries.Add(1) {
		case 1:
			http.Redirect(w, r, other.URL, http.StatusTemporaryRedirect)
		case 2:
			w.WriteHeader(http.StatusBadGateway)
		default:
			w.WriteHeader(http.StatusNoContent)
			if r.URL.RawQuery != "key=hidden" {
				t.Errorf("query %s", r.URL.RawQuery)
			}
		}
	})
	n := started(t, h.config(t))
	for i, w := range []string{"one", "two", "three"} {
		say(n, "a", w)
		for range []int{3, 1, 1}[i] {
			if b := h.next(t); !strings.Contains(b, w) {
				t.Errorf("%s came, want %s", b, w)
			}
		}
	}
	n.end(t)
	if elsewhere.Load() > 0 {
		t.Error("a redirect was followed")
	}
	if c := h.opened.Load(); c != 1 {
		t.Errorf("%d connections", c)
	}
}

// A certificate that nobody vouches for is not believed.
func TestCertificateIsVerified(t *testing.T) {
	h := newHook(t, true, func(http.ResponseWriter, *http.Request) {})
	cfg := h.config(t)
	core, logs := observer.New(zap.InfoLevel)
	told := make(chan struct{})
	var once sync.Once
	cfg.Log = zap.New(core, zap.Hooks(func(zapcore.Entry) error {
		once.Do(func() { close(told) })
		return nil
	}))
	n := started(t, cfg)
	say(n, "a", "one")
	<-told
	n.end(t)
	if len(h.bodies) > 0 {
		t.Error("something was sent")
	}
	first := logs.All()[0]
	if text := first.ContextMap()["answer"].(string); !strings.Contains(text, "certificate") || strings.Contains(text, "hidden") {
		t.Errorf("log %v", first)
	}
	for _, l := range logs.All() {
		for _, v := range l.ContextMap() {
			if s, ok := v.(string); ok && strings.Contains(s, "hidden") {
				t.Errorf("the log tells the URL: %v", l)
			}
		}
	}
}

// A receiver that takes its time keeps nobody waiting, and gets one connection.
func TestSlowReceiver(t *testing.T) {
	hold := make(chan struct{})
	h := newHook(t, false, func(w http.ResponseWriter, r *http.Request) {
		select {
		case <-hold:
		case <-r.Context().Done():
		}
	})
	n := started(t, h.config(t))
	say(n, "a", "first")
	h.next(t)
	for range 3000 {
		say(n, "a", "more")
	}
	n.Notify(recorder.Notice{At: t0, Type: recorder.NoticeStopped, Recording: "a", Words: "last"})
	if len(h.bodies) > 0 || h.opened.Load() != 1 {
		t.Errorf("%d more deliveries under way, %d connections", len(h.bodies), h.opened.Load())
	}
	close(hold)
	got := 0
	for done := false; !done; {
		b := h.next(t)
		got += strings.Count(b, `"words":"more"`)
		done = strings.Contains(b, "last")
	}
	if got != 3000 || h.opened.Load() != 1 {
		t.Errorf("%d came, over %d connections", got, h.opened.Load())
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
}

// The secrets may be exchanged while it runs.
func TestSetSecrets(t *testing.T) {
	signatures := make(chan string, 10)
	h := newHook(t, false, func(_ http.ResponseWriter, r *http.Request) { signatures <- r.Header.Get(SignatureHeader) })
	n := started(t, h.config(t))
	say(n, "a", "one")
	if s := <-signatures; strings.Count(s, "v1=") != 1 {
		t.Errorf("signature %s", s)
	}
	if err := n.SetSecrets([]string{"short"}); err == nil {
		t.Error("a short secret is taken")
	}
	if err := n.SetSecrets([]string{secret, "another secret of enough"}); err != nil {
		t.Fatal(err)
	}
	say(n, "a", "two")
	if s := <-signatures; strings.Count(s, "v1=") != 2 {
		t.Errorf("signature %s", s)
	}
	n.end(t)
}
