package main

import (
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/siprecd/siprecd/conformance/src"
)

// scrape reads the metrics of a process, line by line.
func scrape(t *testing.T, p *process) (lines []string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+p.metrics+"/metrics", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := (&http.Client{Transport: &http.Transport{DisableKeepAlives: true}}).Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("%d, %v: %s", answer.StatusCode, err, text)
	}
	wrong, err := promlint.New(strings.NewReader(string(text))).Lint()
	if err != nil {
		t.Fatalf("not the text format: %v", err)
	}
	for _, w := range wrong {
		if strings.HasPrefix(w.Metric, "siprecd_") {
			t.Errorf("%s: %s", w.Metric, w.Text)
		}
	}
	return strings.Split(string(text), "\n")
}

// TestMetrics: what a scrape says of a server before, during and after a call, and that
// each metric it shows of its own stands in docs/metrics.md.
func TestMetrics(t *testing.T) {
	ctx := deadline(t)
	p, _ := serveProcess(t, "--metrics", "127.0.0.1:0", "--max-recording-sessions", "1", "--grace", "0s")
	want := func(got []string, lines ...string) {
		t.Helper()
		for _, l := range lines {
			if !slices.Contains(got, l) {
				t.Errorf("no %q in\n%s", l, strings.Join(got, "\n"))
			}
		}
	}
	want(scrape(t, p), "siprecd_recording_sessions 0", "siprecd_interactions 0", "siprecd_disk_failing 0", "siprecd_page_memory_limit_bytes 5.36870912e+08")

	c := client(t, p)
	d := invite(t, ctx, c)
	more, err := c.Invite(ctx, oneParty(c))
	if err != nil || more.Final().Status != 503 {
		t.Fatalf("one more: %v, %+v", err, more.Final())
	}
	want(scrape(t, p), "siprecd_recording_sessions 1", "siprecd_interactions 1", `siprecd_invites_accepted_total{src="loopback"} 1`,
		`siprecd_invites_refused_total{reason="full",status="503"} 1`)
	if m, err := d.Bye(ctx, src.Request{}); err != nil || m.Status != 200 {
		t.Fatalf("BYE: %v, %v", m, err)
	}
	const finalised = `siprecd_recordings_finalised_total{account="",maker="policy",verdict="ok"} 1`
	got := scrape(t, p)
	for !slices.Contains(got, finalised) {
		pause(ctx, 50*time.Millisecond)
		if ctx.Err() != nil {
			t.Fatalf("never %q in\n%s", finalised, strings.Join(got, "\n"))
		}
		got = scrape(t, p)
	}
	want(got, "siprecd_recording_sessions 0", `siprecd_rtp_packets_total{account="",outcome="kept"} 20`,
		`siprecd_rtp_packets_total{account="",outcome="received"} 20`, `siprecd_rtp_packets_total{account="",outcome="lost"} 0`,
		`siprecd_streams_finalised_total{account="",verdict="ok"} 1`, "siprecd_stream_jitter_seconds_count 1", "siprecd_finalise_duration_seconds_count 1")

	page, err := os.ReadFile(filepath.Join(moduleRoot(t), "docs", "metrics.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, l := range got {
		name, ours := strings.CutPrefix(l, "# TYPE siprecd_")
		if name, _, _ = strings.Cut(name, " "); ours && !strings.Contains(string(page), "| `siprecd_"+name+"` |") {
			t.Errorf("docs/metrics.md does not tell of siprecd_%s", name)
		}
		if regexp.MustCompile(`dave|example\.com|127\.0\.0\.1`).MatchString(l) {
			t.Errorf("a person or an address: %s", l)
		}
	}
}

// TestMetricsReach: other machines read only where that was said.
func TestMetricsReach(t *testing.T) {
	for _, tt := range []struct {
		s  settings
		ok bool
	}{
		{settings{}, true},
		{settings{Metrics: "127.0.0.1:9470"}, true},
		{settings{Metrics: ":9470"}, false},
		{settings{Metrics: "192.0.2.1:9470"}, false},
		{settings{Metrics: "192.0.2.1:9470", MetricsAccept: make([]network, 1)}, true},
	} {
		if err := tt.s.checkMetricsReach(context.Background(), lookupHost); (err == nil) != tt.ok {
			t.Errorf("%q: %v", tt.s.Metrics, err)
		}
	}
	for _, s := range []settings{{MetricsAccept: make([]network, 1)}, {Metrics: "localhost"}, {Metrics: "localhost:http"}} {
		if s.validateMetrics() == nil {
			t.Errorf("%+v was taken", s.Metrics)
		}
	}
}
