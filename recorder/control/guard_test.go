package control

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siprecd/siprecd/recorder"
)

func sumOf(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func TestWrongTokens(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"*"}, "read"))
	r := b.ask("", "GET", "/v1/interactions", "")
	b.wantProblem(r, 401, "unauthorised")
	if got := r.Header.Get("WWW-Authenticate"); got != `Bearer realm="siprecd"` {
		t.Errorf("challenge %q", got)
	}
	for _, values := range [][]string{{"Bearer " + secret("crn")}, {"Basic " + secret("crm")}, {"Bearer"}, {secret("crm")}, {"Bearer " + secret("crm"), "Bearer " + secret("crm")}, {"Bearer " + strings.Repeat("x", 300)}} {
		r := b.request("", "GET", "/v1/interactions", "")
		r.Header["Authorization"] = values
		got := b.send(r)
		b.wantProblem(got, 401, "unauthorised")
		if !strings.Contains(got.Header.Get("WWW-Authenticate"), `error="invalid_token"`) {
			t.Errorf("%v: %v", values, got.Header)
		}
	}
	// The scheme is written in any case (RFC 9110 §11.1).
	ok := b.request("", "GET", "/v1/interactions", "")
	ok.Header.Set("Authorization", "bearer  "+secret("crm"))
	b.wantFine(b.send(ok))
}

// What a person made up is not looked at, even if somebody put its hash into the file.
func TestShortToken(t *testing.T) {
	b := newBench(t, "- {name: weak, sha256: "+sumOf("secret")+", accounts: '*', commands: read}\n")
	r := b.request("", "GET", "/v1/interactions", "")
	r.Header.Set("Authorization", "Bearer secret")
	b.wantProblem(b.send(r), 401, "unauthorised")
}

// Too many wrong tokens from an address are told to wait; a right one passes.
func TestManyWrongTokens(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"*"}, "read"))
	wrong := func(address string) reply {
		r := b.request("wrong", "GET", "/v1/interactions", "")
		r.RemoteAddr = address
		return b.send(r)
	}
	for range wrongPerMinute {
		b.wantProblem(wrong("192.0.2.1:1000"), 401, "unauthorised")
	}
	r := wrong("192.0.2.1:2000")
	b.wantProblem(r, 429, "too-many-wrong-tokens")
	if r.Header.Get("Retry-After") != "6" {
		t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
	}
	b.wantProblem(wrong("192.0.2.2:1000"), 401, "unauthorised")
	right := b.request("crm", "GET", "/v1/interactions", "")
	right.RemoteAddr = "192.0.2.1:1000"
	b.wantFine(b.send(right))
	b.clock = b.clock.Add(6 * time.Second)
	b.wantProblem(wrong("192.0.2.1:1000"), 401, "unauthorised")
	b.wantProblem(wrong("192.0.2.1:1000"), 429, "too-many-wrong-tokens")
	for range wrongPerMinute {
		b.wantProblem(wrong("[2001:db8::1]:1000"), 401, "unauthorised")
	}
	b.wantProblem(wrong("[2001:db8::ffff]:1000"), 429, "too-many-wrong-tokens") // of one subscriber
	b.wantProblem(wrong("[2001:db8:0:1::1]:1000"), 401, "unauthorised")
	if n := b.log.FilterMessage("control request with a token that is not known").Len(); n == 0 || n > 16 {
		t.Errorf("%d lines of the log", n)
	}
}

// Strangers from everywhere leave no memory behind.
func TestManyAddresses(t *testing.T) {
	b := newBench(t, entry(t, "crm", []string{"*"}, "read"))
	for i := range 3 * maxAddresses {
		b.guard.wrongToken(fmt.Sprintf("10.%d.%d.1:5", i/256, i%256))
		if len(b.guard.wrong) > maxAddresses {
			t.Fatalf("%d addresses", len(b.guard.wrong))
		}
		if i == maxAddresses {
			b.clock = b.clock.Add(2 * time.Minute)
		}
	}
}

// A token has so many requests in a second, and another token its own.
func TestRequestsPerSecond(t *testing.T) {
	b := newBench(t, "- {name: slow, sha256: "+sumOf(secret("slow"))+", accounts: '*', commands: read, per-second: 2}\n", entry(t, "crm", []string{"*"}, "read"))
	for range 2 {
		b.wantFine(b.ask("slow", "GET", "/v1/interactions", ""))
	}
	r := b.ask("slow", "GET", "/v1/interactions", "")
	b.wantProblem(r, 429, "too-many-requests")
	if r.Header.Get("Retry-After") != "1" {
		t.Errorf("Retry-After %q", r.Header.Get("Retry-After"))
	}
	b.wantFine(b.ask("crm", "GET", "/v1/interactions", ""))
	b.clock = b.clock.Add(500 * time.Millisecond)
	b.wantFine(b.ask("slow", "GET", "/v1/interactions", ""))
	b.clock = b.clock.Add(-time.Hour) // a clock that is set back takes nothing
	b.wantProblem(b.ask("slow", "GET", "/v1/interactions", ""), 429, "too-many-requests")
}

// However many requests a token has at a time, others pass; and its own wait for their
// turn, or for as long as they may.
func TestRequestsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := newBench(t, entry(t, "many", []string{"*"}, "control"), entry(t, "crm", []string{"*"}, "control"))
		var atOnce, most int
		var mu sync.Mutex
		stalled := make(chan struct{})
		b.rec.command = func(ctx context.Context, _ recorder.Query, c recorder.Command) (recorder.Answer, error) {
			if c.By == "crm" {
				return recorder.Answer{}, nil
			}
			mu.Lock()
			atOnce++
			most = max(most, atOnce)
			mu.Unlock()
			defer func() {
				mu.Lock()
				atOnce--
				mu.Unlock()
			}()
			select {
			case <-stalled:
				return recorder.Answer{}, nil
			case <-ctx.Done():
				return recorder.Answer{}, ctx.Err()
			}
		}
		answers := make(chan int, 100)
		begun := time.Now()
		for range 100 {
			go func() {
				r := b.ask("many", "POST", "/v1/interactions/one/commands", pauseAgent)
				answers <- r.StatusCode
			}()
		}
		synctest.Wait()
		b.wantFine(b.ask("crm", "POST", "/v1/interactions/one/commands", pauseAgent))
		mu.Lock()
		if most != mostOfToken {
			t.Errorf("%d at once, want %d", most, mostOfToken)
		}
		mu.Unlock()
		for range 100 {
			if status := <-answers; status != 503 {
				t.Errorf("answered %d", status)
			}
		}
		if took := time.Since(begun); took != commandTime {
			t.Errorf("after %v", took)
		}
		close(stalled)
		b.wantFine(b.ask("many", "POST", "/v1/interactions/one/commands", pauseAgent))
	})
}

func TestSetTokens(t *testing.T) {
	b := newBench(t, entry(t, "old", []string{"*"}, "read"), entry(t, "both", []string{"*"}, "read"))
	b.wantFine(b.ask("old", "GET", "/v1/interactions", ""))
	b.wantFine(b.ask("both", "GET", "/v1/interactions", ""))
	ts, err := parseTokens("f", []byte(entry(t, "both", []string{"*"}, "facts")+entry(t, "new", []string{"*"}, "read")))
	if err != nil {
		t.Fatal(err)
	}
	b.SetTokens(ts)
	b.wantProblem(b.ask("old", "GET", "/v1/interactions", ""), 401, "unauthorised")
	b.wantProblem(b.ask("both", "GET", "/v1/interactions", ""), 403, "forbidden")
	b.wantFine(b.ask("new", "GET", "/v1/interactions", ""))
	if n := len(b.guard.clients); n != 2 {
		t.Errorf("%d clients are remembered", n)
	}
}

func TestTokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "tokens.yaml")
	text := entry(t, "a", []string{"*"}, "read")
	if _, err := ReadTokens(path); err == nil {
		t.Error("there is no file")
	}
	for mode, fine := range map[os.FileMode]bool{0o600: true, 0o640: true, 0o400: true, 0o644: false, 0o660: false, 0o602: false, 0o604: false, 0o601: false} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		if _, err := ReadTokens(path); (err == nil) != fine {
			t.Errorf("mode %o: %v", mode, err)
		}
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(path, []byte(strings.Repeat("#", maxTokenFile+1)), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTokens(path); err == nil || !strings.Contains(err.Error(), "too large") {
		t.Errorf("%v", err)
	}
	if err := os.WriteFile(path, []byte("- {}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := ReadTokens(path); err == nil || !strings.HasPrefix(err.Error(), "control tokens: "+path+":1: ") {
		t.Errorf("%v", err)
	}
}
