package main

import (
	"errors"
	"net"
	"path/filepath"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/conformance/src"
)

func TestSize(t *testing.T) {
	for text, want := range map[string]struct {
		octets size
		text   string
	}{
		"0": {0, "0B"}, "1023B": {1023, "1023B"}, "1GiB": {1 << 30, "1GiB"}, "1.5 KiB": {1536, "1.5KiB"}, "500MB": {500_000_000, "476.83MiB"},
		"3TB": {3_000_000_000_000, "2.72TiB"}, "4kB": {4000, "3.9KiB"}, "2GB": {2_000_000_000, "1.86GiB"}, "7MiB": {7 << 20, "7MiB"}, "2TiB": {2 << 40, "2TiB"},
	} {
		var s size
		if err := s.UnmarshalText([]byte(text)); err != nil || s != want.octets || s.String() != want.text {
			t.Errorf("%q is %d, written %s, %v, want %d, %s", text, uint64(s), s, err, uint64(want.octets), want.text)
		}
	}
	for _, text := range []string{"", "GiB", "-1GiB", "1 gigabyte", "NaN", "Inf", "9e19", "1GiBB"} {
		if err := new(size).UnmarshalText([]byte(text)); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

// TestFreeSpace: one line when it becomes low and one when it is over, a little above
// the mark; a measurement that fails changes nothing and is told once.
func TestFreeSpace(t *testing.T) {
	core, logs := observer.New(zap.DebugLevel)
	var free uint64
	var fails error
	f := &freeSpace{dir: "data", least: 1000, log: zap.New(core), measure: func(dir string) (uint64, error) {
		if dir != "data" {
			t.Errorf("measured %q", dir)
		}
		return free, fails
	}}
	for i, tt := range []struct {
		free  uint64
		fails error
		low   bool
		line  string
	}{
		{free: 1000},
		{free: 999, low: true, line: "disk is nearly full: no new recording session is taken, those that are up go on"},
		{free: 0, low: true},
		{fails: errors.New("gone"), low: true, line: "free space cannot be measured"},
		{fails: errors.New("gone"), low: true},
		{free: 1049, low: true},
		{free: 1050, line: "disk has room again: new recording sessions are taken"},
		{free: 1000},
		{fails: errors.New("gone"), line: "free space cannot be measured"},
	} {
		free, fails = tt.free, tt.fails
		if !f.look() {
			t.Error("gave up")
		}
		if low := f.low() != ""; low != tt.low {
			t.Errorf("step %d: low = %v", i, low)
		}
		var line string
		for _, e := range logs.TakeAll() {
			line += e.Message
			if level := map[bool]string{true: "info", false: "warn"}[tt.line == "disk has room again: new recording sessions are taken"]; e.Level.String() != level {
				t.Errorf("step %d: %q at %s", i, e.Message, e.Level)
			}
		}
		if line != tt.line {
			t.Errorf("step %d: logged %q, want %q", i, line, tt.line)
		}
	}
	fails = errors.ErrUnsupported
	if f.look() || logs.Len() != 1 {
		t.Errorf("goes on where it cannot be measured, %d lines", logs.Len())
	}
	if (*freeSpace)(nil).low() != "" {
		t.Error("low without a mark")
	}
}

// TestSpaceIsMeasuredAtEachTick, and by nobody after close.
func TestSpaceIsMeasuredAtEachTick(t *testing.T) {
	measured := make(chan struct{})
	f := &freeSpace{least: 1, log: zap.NewNop(), measure: func(string) (uint64, error) {
		measured <- struct{}{}
		return 1, nil
	}}
	ticks := make(chan time.Time)
	f.begin(func() (<-chan time.Time, func()) { return ticks, func() {} })
	for range 3 {
		ticks <- time.Time{}
		<-measured
	}
	f.close()
	select {
	case ticks <- time.Time{}:
		t.Error("a tick was taken after close")
	default:
	}
	if free, err := freeAt(t.TempDir()); !errors.Is(err, errors.ErrUnsupported) && (err != nil || free == 0) {
		t.Errorf("free: %d, %v", free, err)
	}
	if _, err := freeAt(filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("free space of nothing")
	}
}

// TestMinFree: the program refuses when there is less room than it is told to keep, and
// sends away when it is told where to.
// Shows 3261-20.33-01.
func TestMinFree(t *testing.T) {
	if _, err := freeAt(t.TempDir()); errors.Is(err, errors.ErrUnsupported) {
		t.Skip("free space cannot be measured on this system")
	}
	for _, tt := range []struct {
		args   []string
		status int
		header string
	}{
		{[]string{"--min-free", "8000000TiB"}, 503, "Retry-After"},
		{[]string{"--min-free", "8000000TiB", "--redirect", "sip:other.example"}, 302, "Contact"},
		{[]string{"--min-free", "0"}, 200, "Contact"},
	} {
		ctx := deadline(t)
		p, _ := serveProcess(t, tt.args...)
		c := client(t, p)
		d, err := c.Invite(ctx, oneParty(c))
		if err != nil {
			t.Fatal(err)
		}
		if m := d.Final(); m.Status != tt.status || m.Get(tt.header) == "" {
			t.Errorf("%q: answered %d, %s %q", tt.args, m.Status, tt.header, m.Get(tt.header))
		}
		if d.Final().Status == 200 {
			if _, err := d.Bye(ctx, src.Request{}); err != nil {
				t.Error(err)
			}
		} else if err := p.log.await(ctx, "disk is nearly full"); err != nil {
			t.Error(err)
		}
		d.Close()
		p.kill()
	}
}

// TestMaxUnknownConnections: one too many of an address that nobody knows is closed.
func TestMaxUnknownConnections(t *testing.T) {
	p, _ := serveProcess(t, "--accept", "192.0.2.1", "--max-unknown-connections", "2")
	for i := range 3 {
		c, err := net.Dial("tcp", p.tcp)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
			t.Fatal(err)
		}
		_, err = c.Write([]byte("\r\n\r\n")) // RFC 5626 §3.5.1
		n := 0
		if err == nil {
			n, err = c.Read(make([]byte, 2))
		}
		if open := err == nil && n > 0; open != (i < 2) {
			t.Errorf("connection %d: open = %v, %v", i, open, err)
		}
	}
}
