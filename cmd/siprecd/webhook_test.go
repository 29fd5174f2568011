package main

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
)

// A receiver of notices that believes what is signed with a secret.
type noticeReceiver struct {
	*httptest.Server
	down atomic.Bool

	mu     sync.Mutex
	secret string
	got    []receivedNotice
	came   chan struct{} // closed and renewed with each delivery
}

// A receivedNotice is what the tests look at.
type receivedNotice struct {
	ID, Type, Recording, Verdict, Alarm string
	Sequence                            int
}

func newNoticeReceiver(t *testing.T, secret string) *noticeReceiver {
	r := &noticeReceiver{secret: secret, came: make(chan struct{})}
	r.Server = httptest.NewServer(http.HandlerFunc(r.take))
	t.Cleanup(r.Close)
	return r
}

func (r *noticeReceiver) take(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	stamp, sums, _ := strings.Cut(strings.TrimPrefix(req.Header.Get("Siprecd-Signature"), "t="), ",")
	r.mu.Lock()
	defer r.mu.Unlock()
	mac := hmac.New(sha256.New, []byte(r.secret))
	io.WriteString(mac, stamp+"."+string(body))
	var e struct{ Notices []receivedNotice }
	switch {
	case r.down.Load():
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	case err != nil || !slices.Contains(strings.Split(sums, ","), "v1="+hex.EncodeToString(mac.Sum(nil))):
		w.WriteHeader(http.StatusUnauthorized)
		return
	case json.Unmarshal(body, &e) != nil:
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	r.got = append(r.got, e.Notices...)
	close(r.came)
	r.came = make(chan struct{})
}

// await waits until so many verdicts came, and returns each notice once.
func (r *noticeReceiver) await(t *testing.T, verdicts int) []receivedNotice {
	t.Helper()
	for {
		r.mu.Lock()
		came := r.came
		var once []receivedNotice
		n := 0
		for _, g := range r.got {
			if !slices.ContainsFunc(once, func(o receivedNotice) bool { return o.ID == g.ID }) {
				once = append(once, g)
				if g.Type == "verdict" {
					n++
				}
			}
		}
		r.mu.Unlock()
		if n >= verdicts {
			return once
		}
		select {
		case <-came:
		case <-deadline(t).Done():
			t.Fatalf("%d verdicts came: %+v", n, once)
		}
	}
}

func typesOf(list []receivedNotice) string {
	var out []string
	for _, n := range list {
		out = append(out, n.Type)
	}
	return strings.Join(out, " ")
}

const webhookSecret = "a secret of the webhook of the tests"

func secretFile(t *testing.T, lines ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(path, []byte(strings.Join(lines, "\n")+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestWebhook: what happens to a recording is posted, signed. While the receiver is down
// no call is kept waiting, a killed server loses nothing of it, and a graceful end
// delivers what waits.
func TestWebhook(t *testing.T) {
	r := newNoticeReceiver(t, webhookSecret)
	file := secretFile(t, webhookSecret)
	args := []string{"--listen", "udp:127.0.0.1:0", "--webhook", r.URL + "/hook", "--webhook-secret", file}
	dir := t.TempDir()
	p, err := startProcess(dir, args...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.kill() })
	record(t, p, dir)
	got := r.await(t, 1)
	if types := typesOf(got); types != "started stopped verdict" || got[2].Verdict != "ok" || got[2].Sequence != 3 || got[2].Recording == "" {
		t.Errorf("got %+v", got)
	}

	r.down.Store(true)
	record(t, p, dir)
	p.kill()
	r.down.Store(false)
	if p, err = startProcess(dir, args...); err != nil {
		t.Fatal(err)
	}
	got = r.await(t, 2)[3:]
	if types := typesOf(got); types != "started stopped verdict" || got[0].Sequence != 1 {
		t.Errorf("after a kill: got %+v", got)
	}

	// The secret is exchanged without a restart.
	if err := os.WriteFile(file, []byte("another secret of the tests\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	if err := p.log.await(deadline(t), "secret of the webhook in force"); err != nil {
		t.Fatal(err)
	}
	r.mu.Lock()
	r.secret = "another secret of the tests"
	r.mu.Unlock()
	ctx := deadline(t)
	d := invite(t, ctx, client(t, p))
	if _, err := d.Bye(ctx, src.Request{}); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); code != exitOK || err != nil {
		t.Errorf("exit %d, %v\n%s", code, err, p.log.String())
	}
	if types := typesOf(r.await(t, 3)[6:]); types != "started stopped verdict" {
		t.Errorf("at the end: got %s", types)
	}
	if log := p.log.String(); strings.Contains(log, "/hook") || strings.Contains(log, webhookSecret) {
		t.Errorf("the log tells the URL or the secret:\n%s", log)
	}
}

// TestWebhookRefused: what cannot be, or would be sent in the clear, stops the start.
func TestWebhookRefused(t *testing.T) {
	good := secretFile(t, webhookSecret)
	open := secretFile(t, webhookSecret)
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--webhook", "https://cti.example.com/"}, "there has to be a webhook-secret"},
		{[]string{"--webhook-secret", good}, "there is no webhook"},
		{[]string{"--webhook", "http://cti.example.com/", "--webhook-secret", good}, "not encrypted"},
		{[]string{"--webhook", "https://a:b@cti.example.com/", "--webhook-secret", good}, "user or password"},
		{[]string{"--webhook", "https://cti.example.com/", "--webhook-secret", open}, "may be read by everybody"},
		{[]string{"--webhook", "https://cti.example.com/", "--webhook-secret", secretFile(t, "short")}, "less than 16 octets"},
		{[]string{"--webhook", "https://cti.example.com/", "--webhook-secret", good + "x"}, "no such file"},
		{[]string{"--alarm-after", "0"}, "alarm-after: 0 is not from 1"},
	} {
		p, err := startProcess(t.TempDir(), append([]string{"--listen", "udp:127.0.0.1:0"}, tt.args...)...)
		if err == nil {
			p.kill()
			t.Errorf("%q: started", tt.args)
			continue
		}
		if !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "goroutine") {
			t.Errorf("%q: %v, want %q", tt.args, err, tt.want)
		}
	}
}
