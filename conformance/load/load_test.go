package load

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

func small(s *srs) Config {
	return Config{
		Target: check.Target{Address: s.address(), Transport: "udp"}, Calls: 3, Streams: 2, Duration: 200 * time.Millisecond,
		Rate: 1000, Files: s.dir, Wait: 10 * time.Second,
	}
}

// runs gives what a run came to, where the machine let the generator be in time.
func runs(t *testing.T, cfg Config) *Report {
	t.Helper()
	for range 5 {
		r, err := Run(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if r.Outcome != check.Error || r.Sending.P99MS <= r.Sending.AllowedMS && r.Sending.WorstMS <= r.Sending.MaxAllowedMS {
			return r
		}
		t.Log("late itself: ", r.Reasons)
	}
	t.Skip("this machine is too busy for a generator that is in time")
	return nil
}

func TestEveryPacketIsLookedFor(t *testing.T) {
	s := newSRS(t, nil)
	r := runs(t, small(s))
	f := r.Files
	if r.Outcome != check.Pass || f.Missing != 0 || f.Present != f.Sent || f.Streams != 6 || r.Up != 3 || int64(f.Sent) != r.Sending.Packets {
		t.Errorf("%s %q: %+v of %+v", r.Outcome, r.Reasons, f, r.Sending)
	}
	if f.Sent < 6*9 || r.SetUp.P99 <= 0 {
		t.Errorf("%d packets, set-up %+v", f.Sent, r.SetUp)
	}
}

func TestCallsFollowEachOther(t *testing.T) {
	s := newSRS(t, nil)
	cfg := small(s)
	cfg.Total, cfg.Calls, cfg.Streams, cfg.Ptime = 12, 4, 1, 10*time.Millisecond
	r := runs(t, cfg)
	if r.Outcome != check.Pass || r.Up != 12 || r.Files.Sent != 12*20 || r.Files.Present != 12*20 {
		t.Errorf("%s %q: %+v", r.Outcome, r.Reasons, r.Files)
	}
}

func TestAServerThatIsWrongFails(t *testing.T) {
	replace := func(method, from, to string) func(*src.Message, string) string {
		return func(m *src.Message, text string) string {
			if m.Method == method {
				text = strings.ReplaceAll(text, from, to)
			}
			return text
		}
	}
	for _, tt := range []struct {
		name   string
		spoil  func(file int, words []byte) []byte
		answer func(*src.Message, string) string
		want   string
	}{
		{name: "a packet is missing", want: "1 packets of",
			spoil: func(file int, words []byte) []byte {
				if file == 2 {
					return slices.Delete(words, 320, 480)
				}
				return words
			}},
		{name: "a packet is twice", want: "1 packets are twice in a file",
			spoil: func(file int, words []byte) []byte {
				if file == 2 {
					return slices.Concat(words, words[:160])
				}
				return words
			}},
		{name: "a file is missing", want: "of 1 streams there is nothing",
			spoil: func(file int, words []byte) []byte {
				if file == 2 {
					return nil
				}
				return words
			}},
		{name: "a packet is damaged", want: "1 packets are not as they were sent",
			spoil: func(file int, words []byte) []byte {
				if file == 2 {
					words[150] ^= 0x10
				}
				return words
			}},
		{name: "the INVITE is refused", want: "3 times: 503 ", answer: replace("INVITE", "200 OK", "503 Full")},
		{name: "a password is asked for", want: "3 times: 401 OK: the server asks for a password, check --user and --password-file", answer: replace("INVITE", "200 OK", "401 OK")},
		{name: "a stream is refused", want: "3 times: m-line 1 is inactive", answer: replace("INVITE", "recvonly", "inactive")},
		{name: "there is no answer", want: "3 times: 200 without an answer", answer: replace("INVITE", "application/sdp", "text/plain")},
		{name: "an m-line is missing", want: "3 times: 1 m-lines in the answer to 2",
			answer: func(m *src.Message, text string) string {
				if m.Method == "INVITE" {
					text = strings.Replace(text, "m=audio", "x=audio", 1)
				}
				return text
			}},
		{name: "the BYE is refused", want: "3 times: BYE: 481", answer: replace("BYE", "200 OK", "481 No")},
	} {
		t.Run(tt.name, func(t *testing.T) {
			s := newSRS(t, func(s *srs) { s.spoil, s.answer = tt.spoil, tt.answer })
			cfg := small(s)
			cfg.Wait = time.Second
			r := runs(t, cfg)
			if r.Outcome != check.Fail || !slices.ContainsFunc(r.Reasons, func(x string) bool { return strings.Contains(x, tt.want) }) {
				t.Errorf("%s %q, want %q", r.Outcome, r.Reasons, tt.want)
			}
		})
	}
}

func TestAServerThatDoesNotRespond(t *testing.T) {
	s := newSRS(t, func(s *srs) { s.answer = func(*src.Message, string) string { return "" } })
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if _, err := Run(ctx, small(s)); !errors.Is(err, src.ErrNoResponse) {
		t.Errorf("%v", err)
	}
}

func TestAServerThatEndsCalls(t *testing.T) {
	s := newSRS(t, func(s *srs) { s.hangUp = true })
	cfg := small(s)
	cfg.Files = "" // it makes none without a BYE
	r := runs(t, cfg)
	if r.Outcome != check.Fail || r.Trouble["ended by the server"] != 3 {
		t.Errorf("%s %q", r.Outcome, r.Reasons)
	}
}

// TestItsOwnFaultsAreNoFailure: what is wrong with the generator is an error, also when
// packets are missing.
func TestItsOwnFaultsAreNoFailure(t *testing.T) {
	missing := &Found{Sent: 10, Missing: 1}
	good := Sending{Packets: 10, AllowedMS: 50, MaxAllowedMS: 500, P99MS: 50, WorstMS: 500}
	late, worst, unsent := good, good, good
	late.P99MS, worst.WorstMS, unsent.Unsent = 51, 501, 1
	up := []*call{{streams: []*stream{{}}}}
	dropped := int64(1)
	for _, tt := range []struct {
		name   string
		report Report
		calls  []*call
		cut    error
		want   check.Outcome
	}{
		{"all is well", Report{Sending: good, Files: &Found{}}, up, nil, check.Pass},
		{"nobody looked", Report{Sending: good}, up, nil, check.Pass},
		{"a packet is missing", Report{Sending: good, Files: missing, Dropped: &dropped}, up, nil, check.Fail},
		{"late, and a packet is missing", Report{Sending: late, Files: missing}, up, nil, check.Error},
		{"late", Report{Sending: late, Files: &Found{}}, up, nil, check.Error},
		{"once very late", Report{Sending: worst}, up, nil, check.Error},
		{"could not send", Report{Sending: unsent, Files: missing}, up, nil, check.Error},
		{"interrupted", Report{Sending: good, Files: missing}, up, context.Canceled, check.Error},
		{"of its own making", Report{Sending: good}, append(up, &call{trouble: broken, why: "x"}), nil, check.Error},
		{"no call at all", Report{Sending: good}, nil, nil, check.Error},
		{"all were refused", Report{Sending: good}, []*call{{trouble: refused, why: "503"}}, nil, check.Fail},
		{"the server cannot be measured", Report{Sending: good, Server: &Server{Problem: "gone"}}, up, nil, check.Error},
	} {
		r := tt.report
		r.judge(tt.calls, tt.cut)
		if r.Outcome != tt.want || (tt.want != check.Pass) != (len(r.Reasons) > 0) {
			t.Errorf("%s: %s %q, want %s", tt.name, r.Outcome, r.Reasons, tt.want)
		}
		var text strings.Builder
		if err := r.Table(&text); err != nil || !strings.Contains(text.String(), "outcome        "+tt.want.String()) {
			t.Errorf("%s: %v\n%s", tt.name, err, &text)
		}
	}
}

func TestConfigurationsThatCannotBe(t *testing.T) {
	good := Config{Calls: 1, Streams: 1, Duration: time.Second, Rate: 1}
	if c := good; c.check() != nil || c.Ptime != 20*time.Millisecond {
		t.Errorf("%v: %v", c.Ptime, c.check())
	}
	for i, change := range []func(*Config){
		func(c *Config) { c.Calls = 0 },
		func(c *Config) { c.Total = -1 },
		func(c *Config) { c.Streams = 17 },
		func(c *Config) { c.Total, c.Streams = maxNumber/2, 3 },
		func(c *Config) { c.Ptime = 61 * time.Millisecond },
		func(c *Config) { c.Ptime = 20*time.Millisecond + 1 },
		func(c *Config) { c.Duration = 19 * time.Millisecond },
		func(c *Config) { c.Duration = 100 * time.Hour },
		func(c *Config) { c.Rate = 0 },
		func(c *Config) { c.EndRate = -1 },
		func(c *Config) { c.Wait = -1 },
	} {
		c := good
		change(&c)
		if _, err := Run(t.Context(), c); err == nil {
			t.Errorf("configuration %d is taken", i)
		}
	}
}

func TestSpread(t *testing.T) {
	var list []time.Duration
	for i := range 100 {
		list = append(list, time.Duration(100-i)*time.Millisecond)
	}
	if got := spread(list); got != (Spread{51, 100, 100}) {
		t.Errorf("%+v", got)
	}
	if got := spread(nil); got != (Spread{}) {
		t.Errorf("of nothing %+v", got)
	}
}

func TestTally(t *testing.T) {
	got := tally([]string{"a", "b", "b"})
	if !slices.Equal(got, []string{"2 times: b", "a"}) {
		t.Errorf("%q", got)
	}
	var many []string
	for i := range 12 {
		many = append(many, strings.Repeat("x", i+1))
	}
	if got := tally(many); len(got) != maxReasons+1 || got[maxReasons] != "and 2 other reasons" {
		t.Errorf("%q", got)
	}
}

func TestInterruptedRun(t *testing.T) {
	s := newSRS(t, nil)
	cfg := small(s)
	cfg.Duration = time.Hour
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cfg.Progress = func(line string) {
		if strings.HasPrefix(line, "all are up") {
			cancel()
		}
	}
	r, err := Run(ctx, cfg)
	if err != nil || r.Outcome != check.Error || !slices.Contains(r.Reasons, "interrupted") {
		t.Fatalf("%+v, %v", r, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.open) != 0 {
		t.Errorf("%d recording sessions got no BYE", len(s.open))
	}
}

func TestAFolderThatIsNotThere(t *testing.T) {
	s := newSRS(t, nil)
	cfg := small(s)
	cfg.Files = filepath.Join(s.dir, "nowhere")
	if _, err := Run(t.Context(), cfg); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func TestReportsFindAnOpenPort(t *testing.T) {
	c := testCode(t)
	s := startSender(t, c, 1)
	out, _ := catcher(t)
	if _, err := out.WriteToUDP([]byte("report"), s.lanes[0].rtcp.LocalAddr().(*net.UDPAddr)); err != nil {
		t.Fatal(err)
	}
	for s.reports.Load() == 0 {
		runtime.Gosched()
	}
	if rtp, rtcp := portOf(s.lanes[0].conn), portOf(s.lanes[0].rtcp); rtp%2 != 0 || rtcp != rtp+1 {
		t.Errorf("ports %d and %d", rtp, rtcp)
	}
	s.close()
}
