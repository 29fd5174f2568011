package main

import (
	"bytes"
	"context"
	"encoding/json"
	"encoding/xml"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
)

// TestReports: one run writes every kind of report and the capture.
func TestReports(t *testing.T) {
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	target := echo(t, "405 Method Not Allowed")
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"run", "--target", target, "--json", path("r.json"), "--junit", path("r.xml"), "--html", path("r.html"),
		"--pcap", path("r.pcap"), "--strict", "--repeat", "2", "--parallel", "1", "rfc7866/6.2/1", "rfc7866/12/1"}, &out, &errs)
	if code != exitFailed {
		t.Fatalf("exit code %d\n%s%s", code, &out, &errs)
	}
	for name, want := range map[string][]string{
		"r.json": {`"strict": true`, `"runs": 2`, `"outcome": "fail"`},
		"r.xml":  {`failures="1"`, `skipped="1"`, "405 Method Not Allowed"},
		"r.html": {"The server failed 1 of 2 cases.", "<svg", "405 Method Not Allowed"},
		"r.pcap": {"\x4d\x3c\xb2\xa1", "INVITE sip:", "SIP/2.0 405"},
	} {
		text, err := os.ReadFile(path(name))
		if err != nil {
			t.Fatal(err)
		}
		for _, w := range want {
			if !strings.Contains(string(text), w) {
				t.Errorf("%s does not hold %q", name, w)
			}
		}
	}
	for _, want := range []string{"fail  rfc7866/6.2/1", "0 of 2 runs passed", "rfc7866       0       1       0       0       1", "failed: rfc7866/6.2/1\n"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("standard output does not say %q:\n%s", want, &out)
		}
	}
}

// TestReportsToStandardOutput: nothing else comes there then.
func TestReportsToStandardOutput(t *testing.T) {
	target := echo(t, "405 Method Not Allowed")
	for flag, valid := range map[string]func(b []byte) bool{
		"--json":  json.Valid,
		"--junit": func(b []byte) bool { return xml.Unmarshal(b, &struct{}{}) == nil },
		"--html":  func(b []byte) bool { return bytes.HasPrefix(b, []byte("<!DOCTYPE html>")) },
	} {
		var out, errs bytes.Buffer
		if code := run(t.Context(), []string{"run", "--target", target, flag, "-", "rfc7866/6.2/1"}, &out, &errs); code != exitFailed || !valid(out.Bytes()) {
			t.Errorf("%s: exit code %d\n%s", flag, code, &out)
		}
	}
}

func TestRunUsedWrongly(t *testing.T) {
	target := echo(t, "200 OK")
	missing := filepath.Join(t.TempDir(), "none", "file")
	for _, tt := range []struct{ args, want string }{
		{"--duration 10ms", "duration 10ms is less than 1s"},
		{"--parallel 0", "0 cases at a time"},
		{"--repeat 0", "0 runs of each case"},
		{"--profile most", `there is no profile "most", only core, common, full`},
		{"--features timer,video", `there is no feature "video", only 100rel`},
		{"--features files", "the feature files needs --files"},
		{"--files " + missing, "folder of files"},
		{"--files . --files-url http://192.0.2.1/{call-id}", "can't be used together"},
		{"--files-url ftp://192.0.2.1/{call-id}", "makes no http or https URL"},
		{"--files-url http://192.0.2.1/{n}.wav", "has no {call-id}"},
		{"--files . --files-wait 0s", "wait of 0s for files is not above 0"},
		{"rfc7866/99", `no case is of section "rfc7866/99"`},
		{"--json - --html -", "only one report can go to standard output"},
		{"--json x --html x", "two reports cannot go to the one file x"},
		{"--dry-run --junit x", "a dry run has nothing to report"},
		{"--json " + missing, "no such file or directory"},
		{"--pcap " + missing, "no such file or directory"},
	} {
		var out, errs bytes.Buffer
		code := run(t.Context(), append([]string{"run", "--target", target}, strings.Fields(tt.args)...), &out, &errs)
		if code != exitError || !strings.Contains(errs.String(), tt.want) || strings.Count(errs.String(), "\n") != 1 {
			t.Errorf("%s: exit code %d, %q", tt.args, code, errs.String())
		}
	}
}

func TestDryRun(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"run", "--target", "sip:192.0.2.1", "--dry-run", "--profile", "core", "rfc4028", "rfc7866/6.2/1"}, &out, &errs)
	if code != exitPassed || !strings.Contains(out.String(), "skip  rfc4028/9/1") || !strings.Contains(out.String(), "run   rfc7866/6.2/1") {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
}

func TestListAsJSON(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"list", "--json"}, &out, &errs); code != exitPassed {
		t.Fatalf("exit code %d: %s", code, &errs)
	}
	var list []struct{ ID, Group, Section, Level, Requirement string }
	if err := json.Unmarshal(out.Bytes(), &list); err != nil || len(list) != len(conformance.All()) {
		t.Fatalf("%d cases, %v", len(list), err)
	}
	for _, c := range list {
		if c.Group == "" || !strings.HasPrefix(c.ID, c.Group+"/") || c.Section == "" || c.Level == "" || c.Requirement == "" {
			t.Errorf("%+v", c)
		}
	}
}

func TestProfiles(t *testing.T) {
	var out, errs bytes.Buffer
	if code := run(t.Context(), []string{"profiles"}, &out, &errs); code != exitPassed || !strings.Contains(out.String(), "core         RFC 7866") {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
	for _, f := range conformance.Features() {
		if !strings.Contains(out.String(), "\n  "+f.Name+" ") {
			t.Errorf("feature %s is not listed", f.Name)
		}
	}
	out.Reset()
	var got struct {
		Profiles []conformance.Profile
		Features []conformance.Feature
	}
	if code := run(t.Context(), []string{"profiles", "--json"}, &out, &errs); code != exitPassed || json.Unmarshal(out.Bytes(), &got) != nil ||
		len(got.Profiles) != len(conformance.Profiles()) || len(got.Features) != len(conformance.Features()) {
		t.Errorf("exit code %d\n%s", code, &out)
	}
}

// TestInterruptedRunIsReported: what was done until then stands in the reports.
func TestInterruptedRunIsReported(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	path := filepath.Join(t.TempDir(), "report.json")
	var out bytes.Buffer
	c := runCommand{reportFlags: reportFlags{JSON: path}}
	target, err := parseTarget(echo(t, "200 OK"), "udp")
	if err != nil {
		t.Fatal(err)
	}
	nothing := func(context.Context, *check.T) {}
	opt := conformance.Options{Parallel: 1, Cases: []check.Case{
		{ID: "a/1", Level: check.Must, Run: nothing},
		{ID: "a/2", Level: check.Must, Run: func(context.Context, *check.T) { cancel() }},
	}}
	code, err := c.perform(ctx, target, opt, &out)
	if code != exitError || err != nil || !strings.Contains(out.String(), "interrupted: 1 of 2 cases were done") {
		t.Errorf("exit code %d, %v\n%s", code, err, &out)
	}
	if text, err := os.ReadFile(path); err != nil || !strings.Contains(string(text), `"passed": 1`) {
		t.Errorf("%v: %s", err, text)
	}
}

// TestNothingToReport: when no case could be run there is no report, not an empty one.
func TestNothingToReport(t *testing.T) {
	path := filepath.Join(t.TempDir(), "report.xml")
	var out, errs bytes.Buffer
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if code := run(ctx, []string{"run", "--target", echo(t, "200 OK"), "--junit", path}, &out, &errs); code != exitError {
		t.Errorf("exit code %d", code)
	}
	if _, err := os.Stat(path); !os.IsNotExist(err) {
		t.Errorf("a report is there: %v", err)
	}
}

// TestProgress: on a terminal passed cases are a number on a line that changes.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	p := &progress{w: &out, columns: 40, total: 3}
	p.begin(check.Case{ID: "rfc7866/7.2/1"})
	p.begin(check.Case{ID: "rfc7866/9.1/12-with-a-long-name"})
	p.result(check.Result{ID: "rfc7866/7.2/1", Outcome: check.Pass, Requirement: "It is so."})
	p.result(check.Result{ID: "rfc7866/9.1/12-with-a-long-name", Outcome: check.Fail, Duration: 5 * time.Millisecond, Messages: []string{"one\ntwo"}, Requirement: "It is not."})
	lines := strings.Split(out.String(), eraseLine)
	want := []string{
		"", "0 of 3: rfc7866/7.2/1", "0 of 3: rfc7866/7.2/1 rfc7866/9.1/12-wi", "1 of 3: rfc7866/9.1/12-with-a-long-name"[:39],
		"\x1b[31mfail \x1b[0m rfc7866/9.1/12-with-a-long-name      5 ms  It is not.\n      one\n      two\n", "2 of 3, 1 bad",
	}
	if strings.Join(lines, "|") != strings.Join(want, "|") {
		t.Errorf("%q\nwant %q", lines, want)
	}
	out.Reset()
	if err := p.end(&conformance.Report{Results: make([]check.Result, 2)}); err != nil || !strings.HasPrefix(out.String(), eraseLine+"interrupted: 2 of 3") {
		t.Errorf("%v: %q", err, &out)
	}
	if got := columnsOf(io.Discard); got != 0 {
		t.Errorf("a writer that is no file has %d columns", got)
	}
}

// TestNoSRS: who tests a server that is none reads that, and the server has failed.
func TestNoSRS(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"run", "--target", echo(t, "404 Not Found"), "rfc7866/6.2"}, &out, &errs)
	const want = "The server accepted no INVITE, and refused 3 of them with \"404 Not Found\": check that it is a Session Recording Server"
	if code != exitFailed || !strings.Contains(out.String(), want) || errs.Len() > 0 {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
}

// TestServerIsDown: one line, and no report.
func TestServerIsDown(t *testing.T) {
	var out, errs bytes.Buffer
	code := run(t.Context(), []string{"run", "--target", "sip:srs.invalid", "--json", filepath.Join(t.TempDir(), "r.json")}, &out, &errs)
	if code != exitError || out.Len() > 0 || !strings.HasPrefix(errs.String(), "siprec-conformance: reach srs.invalid:5060 over udp: the host srs.invalid has no address") ||
		strings.Count(errs.String(), "\n") != 1 {
		t.Errorf("exit code %d\n%s%s", code, &out, &errs)
	}
}
