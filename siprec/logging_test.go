package siprec

import (
	"errors"
	"net/netip"
	"reflect"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/icholy/digest"
	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
)

// watched is a desk whose log the test reads.
func watched(t *testing.T, act func(*RecordingSession, *Event), change ...func(*Config)) (*desk, *observer.ObservedLogs) {
	t.Helper()
	core, logs := observer.New(zapcore.DebugLevel)
	return newDesk(t, act, append(change, func(c *Config) {
		c.Log = zap.New(core)
		c.Listen[0].Name = "edge"
	})...), logs
}

// one is the only line of a message since the test looked last.
func one(t *testing.T, logs *observer.ObservedLogs, message string) observer.LoggedEntry {
	t.Helper()
	lines := logs.FilterMessage(message).All()
	logs.TakeAll()
	if len(lines) != 1 {
		t.Fatalf("%d lines %q", len(lines), message)
	}
	return lines[0]
}

// TestEachLineTellsItsSRC: whoever reads one line about a recording session need not
// look for another.
func TestEachLineTellsItsSRC(t *testing.T) {
	d, logs := watched(t, nil, func(c *Config) { c.Admit = func(Origin) (SRC, error) { return SRC{Name: "branch"}, nil } })
	dialog := d.invite(src.Request{})
	d.want(Offered)
	for _, r := range []src.Request{{Metadata: []byte("<recording/>")}, {Headers: header("Require", "unheard-of")}} {
		if _, err := dialog.Update(t.Context(), r); err != nil {
			t.Fatal(err)
		}
	}
	d.want(Changed)
	if _, err := dialog.Bye(t.Context(), src.Request{}); err != nil {
		t.Fatal(err)
	}
	d.want(Ended)
	seen := make(map[string]bool)
	for _, e := range logs.All() {
		m := e.ContextMap()
		seen[e.Message] = true
		if source, err := netip.ParseAddrPort(m["source"].(string)); err != nil || !source.Addr().IsLoopback() || source.Port() == 0 {
			t.Errorf("%q: source %v", e.Message, m["source"])
		}
		if m["call_id"] != dialog.CallID() || m["src"] != "branch" || m["listener"] != "edge" || m["transport"] != "UDP" {
			t.Errorf("%q tells %v", e.Message, m)
		}
	}
	for _, message := range []string{"recording session changed", "recording session ended", "request refused"} {
		if !seen[message] {
			t.Errorf("no line %q", message)
		}
	}
	got := zapcore.NewMapObjectEncoder()
	for _, f := range (Origin{Transport: "TLS", Source: netip.MustParseAddrPort("192.0.2.1:7"), Certificate: []string{"sbc", "sip:sbc"}}).LogFields() {
		f.AddTo(got)
	}
	want := map[string]any{"transport": "TLS", "source": "192.0.2.1:7", "certificate": []any{"sbc", "sip:sbc"}}
	if !reflect.DeepEqual(got.Fields, want) {
		t.Errorf("an origin is told as %v, want %v", got.Fields, want)
	}
}

// TestRefusalIsLoggedAsSent: also when it became a redirection.
func TestRefusalIsLoggedAsSent(t *testing.T) {
	for _, tt := range []struct {
		redirect []string
		status   int
	}{{nil, 503}, {[]string{"sip:two.example"}, 302}} {
		d, logs := watched(t, nil, func(c *Config) {
			c.Redirect = tt.redirect
			c.Unavailable = func() string { return "no room" }
		})
		if f := d.invite(src.Request{}).Final(); f.Status != tt.status {
			t.Fatalf("answered %d, want %d", f.Status, tt.status)
		}
		if e := one(t, logs, "invite refused"); e.ContextMap()["status"] != int64(tt.status) || e.ContextMap()["why"] != "no room" || e.Level != zapcore.WarnLevel {
			t.Errorf("logged %s %v", e.Level, e.ContextMap())
		}
	}
	d, logs := watched(t, nil)
	if f := d.invite(src.Request{Headers: header("Require", "unheard-of")}).Final(); f.Status != 420 {
		t.Fatalf("answered %d", f.Status)
	}
	if e := one(t, logs, "invite refused"); e.ContextMap()["status"] != int64(420) || e.Level != zapcore.WarnLevel {
		t.Errorf("logged %s %v", e.Level, e.ContextMap())
	}
}

// TestChallengesAreUsual: asking for a password is no warning, a wrong one is.
func TestChallengesAreUsual(t *testing.T) {
	d, logs := watched(t, nil, func(c *Config) { c.Admit = func(Origin) (SRC, error) { return SRC{Digest: aDigest()}, nil } })
	ask := func(headers ...src.Header) (*digest.Challenge, zapcore.Level) {
		t.Helper()
		c := challenges(t, d.invite(src.Request{Headers: headers}).Final())[0]
		return c, one(t, logs, "invite refused").Level
	}
	c, level := ask()
	if level != zapcore.DebugLevel {
		t.Errorf("a first challenge is %s", level)
	}
	if _, level = ask(answerTo(t, c, digest.Options{Password: "wrong"})); level != zapcore.WarnLevel {
		t.Errorf("a wrong password is %s", level)
	}
	if _, level = ask(src.Header{Name: "Authorization", Value: "Basic c2JjOnJpZ2h0"}); level != zapcore.WarnLevel {
		t.Errorf("no digest is %s", level)
	}
	d.clock.advance(nonceAge + time.Second)
	if _, level = ask(answerTo(t, c, digest.Options{Password: "right"})); level != zapcore.DebugLevel {
		t.Errorf("an old nonce is %s", level)
	}
}

// TestFloodIsCounted: of many lines about strangers the number is told, and they hide
// none about an SRC.
func TestFloodIsCounted(t *testing.T) {
	var known atomic.Bool
	d, logs := watched(t, nil, func(c *Config) {
		c.Admit = func(Origin) (SRC, error) {
			if known.Load() {
				return SRC{Name: "branch", Strict: true}, nil
			}
			return SRC{}, errors.New("not on the list")
		}
	})
	for range 14 {
		if f := d.invite(src.Request{}).Final(); f.Status != 403 {
			t.Fatalf("answered %d", f.Status)
		}
	}
	known.Store(true)
	d.invite(src.Request{Headers: header("Require", "unheard-of")})
	if n := logs.FilterMessage("invite refused").FilterField(zap.String("src", "branch")).Len(); n != 1 {
		t.Errorf("%d lines about the SRC", n)
	}
	strangers := logs.FilterMessage("invite refused").FilterField(zap.String("why", "not on the list"))
	for _, e := range strangers.All() {
		if m := e.ContextMap(); m["listener"] != "edge" || !strings.HasPrefix(m["source"].(string), "127.0.0.1:") || m["call_id"] == nil {
			t.Errorf("told %v", m)
		}
	}
	if n := strangers.Len(); n != 10 {
		t.Errorf("%d lines about strangers, want 10", n)
	}
	d.clock.advance(time.Second)
	if e := one(t, logs, "lines left out"); e.ContextMap()["lines"] != int64(4) || e.ContextMap()["of"] != "invite refused" {
		t.Errorf("told %v", e.ContextMap())
	}
}
