package endtoend

import (
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/load"
	"github.com/siprecd/siprecd/conformance/src/srctest"
	"github.com/siprecd/siprecd/siprec"
)

// TestGeneratorFindsEveryPacket loads the server a little, and looks for each packet
// in its files.
func TestGeneratorFindsEveryPacket(t *testing.T) {
	for _, tt := range []struct {
		name   string
		change func(*load.Config)
	}{
		{"at a time", func(*load.Config) {}},
		{"one after the other", func(c *load.Config) { c.Total, c.Calls = 20, 5 }},
		{"SRTP", func(c *load.Config) { c.SRTP = true }},
		{"SRTP over TCP", func(c *load.Config) { c.SRTP, c.Target.Transport = true, "tcp" }},
		{"three streams of 10 ms", func(c *load.Config) { c.Streams, c.Ptime = 3, 10*time.Millisecond }},
		{"one stream of 60 ms", func(c *load.Config) { c.Streams, c.Ptime = 1, 60*time.Millisecond }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l := newLab(t, "127.0.0.1", nil)
			cfg := load.Config{
				Target: check.Target{Transport: "udp"}, Calls: 10, Streams: 2, Duration: 1200 * time.Millisecond,
				Rate: 200, EndRate: 100, Files: l.dir, Wait: 30 * time.Second,
			}
			tt.change(&cfg)
			generate(t, l, cfg)
		})
	}
}

// TestGeneratorOverTLSAndIPv6 is the same in the other address family.
func TestGeneratorOverTLSAndIPv6(t *testing.T) {
	authority := srctest.NewAuthority(t)
	certificate, key, ca := authority.Write(authority.Issue("::1"))
	identity, err := siprec.LoadTLS(siprec.TLSFiles{Certificate: certificate, Key: key, CA: ca, Clients: siprec.ClientsOff})
	if err != nil {
		t.Fatal(err)
	}
	l := newLab(t, "[::1]", func(c *siprec.Config) {
		c.TLS, c.Listen = identity, []siprec.Endpoint{{Network: "tls", Address: "[::1]:0"}}
	})
	generate(t, l, load.Config{
		Target: check.Target{Transport: "tls", TLS: authority.Client()},
		Calls:  5, Streams: 2, Duration: time.Second, Rate: 100, SRTP: true, Files: l.dir, Wait: 30 * time.Second,
	})
}

// generate runs a load against the server, and expects every packet.
func generate(t *testing.T, l *lab, cfg load.Config) {
	t.Helper()
	cfg.Target.Address = l.address(cfg.Target.Transport)
	r, err := load.Run(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	f := r.Files
	if f.Sent == 0 || f.Present != f.Sent || f.Twice+f.Foreign+f.Damaged+f.Copies+f.Unread > 0 {
		t.Errorf("%s %q: %+v", r.Outcome, r.Reasons, *f)
	}
	if f.Files != f.Streams || r.Up != r.Total || len(r.Trouble) > 0 {
		t.Errorf("%d files of %d streams, %d of %d up, %v", f.Files, f.Streams, r.Up, r.Total, r.Trouble)
	}
	// The machine of a test may be too busy for a generator that is in time; what is
	// sent late may look like a clock that drifts.
	late := r.Sending.P99MS > r.Sending.AllowedMS || r.Sending.WorstMS > r.Sending.MaxAllowedMS
	if !late && (r.Outcome != check.Pass || f.Shifted > 0) {
		t.Errorf("%s %q, %d not in step", r.Outcome, r.Reasons, f.Shifted)
	}
}
