package front

import (
	"strings"
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// A quietTime is a clock that the test moves, with the calls that are due.
type quietTime struct {
	now   time.Time
	after []func()
}

func (q *quietTime) later(d time.Duration, f func()) func() bool {
	due, done := q.now.Add(d), false
	q.after = append(q.after, func() {
		if !done && !q.now.Before(due) {
			done = true
			f()
		}
	})
	return func() bool { was := done; done = true; return !was }
}

func (q *quietTime) move(d time.Duration) {
	q.now = q.now.Add(d)
	for _, f := range q.after {
		f()
	}
}

// TestQuiet: of a flood the first lines are logged, and then how many it had more; one
// kind of line does not hide another.
func TestQuiet(t *testing.T) {
	core, logs := observer.New(zap.InfoLevel)
	clock := &quietTime{now: time.Unix(1, 0)}
	q := NewQuiet(zap.New(core), func() time.Time { return clock.now }, clock.later)
	flood := func(n int) {
		for range n {
			q.Warn("flood", zap.Int("n", n))
		}
	}
	count := func(message string) int { return logs.FilterMessage(message).Len() }
	left := func(want ...int64) {
		t.Helper()
		var got []int64
		for _, e := range logs.FilterMessage("lines left out").All() {
			if e.Level != zap.WarnLevel || e.ContextMap()["of"] != "flood" {
				t.Errorf("%s %v", e.Level, e.ContextMap())
			}
			got = append(got, e.ContextMap()["lines"].(int64))
		}
		if len(got) != len(want) || len(got) > 0 && got[len(got)-1] != want[len(want)-1] {
			t.Errorf("left out %v, want %v", got, want)
		}
	}
	flood(linesPerSecond)
	clock.move(time.Second)
	left()
	flood(25)
	q.Debug("flood") // is not logged anyway, and does not count
	q.Info("other")
	if count("flood") != 2*linesPerSecond || count("other") != 1 {
		t.Errorf("%d and %d lines", count("flood"), count("other"))
	}
	clock.move(time.Second - 1)
	left()
	clock.move(1)
	left(15)
	clock.move(time.Hour)
	left(15)
	q.With(zap.Bool("more", true)).Warn("flood")
	flood(13)
	q.Close()
	left(15, 4)
	clock.move(time.Hour)
	left(15, 4)
	flood(linesPerSecond + 1)
	if n := count("flood"); n != 4*linesPerSecond+1 {
		t.Errorf("%d lines in all", n)
	}
}

// TestRefusedIsTold: the line about a message that cannot be taken names it where it
// can be read.
func TestRefusedIsTold(t *testing.T) {
	for name, tt := range map[string]struct {
		text           string
		status         int64
		method, callID any
	}{
		"bad Via":    {wire{start: "INVITE sip:x@example.com SIP/2.0", without: "Via", fields: []string{"Via: ?"}}.String(), 400, "INVITE", callID},
		"version":    {strings.Replace(options("x"), "com SIP/2.0", "com SIP/9.9", 1), 505, "OPTIONS", callID},
		"no Call-ID": {wire{without: "Call-ID"}.String(), 400, "OPTIONS", nil},
		"long": {wire{without: "Call-ID", fields: []string{"Call-ID: " + strings.Repeat("y", 500), "Content-Length: many"}}.String(), 400, "OPTIONS",
			strings.Repeat("y", mostLogged) + "..."},
	} {
		t.Run(name, func(t *testing.T) {
			core, logs := observer.New(zap.InfoLevel)
			f, _ := serve(t, Config{Log: zap.New(core)}, Endpoint{Network: "udp", Address: "127.0.0.1:0"})
			c := dialTo(t, f, 0)
			write(t, c, tt.text)
			readResponse(t, packets(c))
			lines := logs.FilterMessage("request refused").All()
			if len(lines) != 1 {
				t.Fatalf("%d lines", len(lines))
			}
			m := lines[0].ContextMap()
			if m["status"] != tt.status || m["method"] != tt.method || m["call_id"] != tt.callID || m["source"] != c.LocalAddr().String() || m["transport"] != "UDP" {
				t.Errorf("told %v", m)
			}
		})
	}
}
