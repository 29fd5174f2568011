package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder"
)

const (
	keepAll = `accounts:
  - {name: main, hold: record, owner: {continue-after-transfer: on}, trunks: [{name: all, record: on}]}
mapping:
  - {address: 127.0.0.0/8, account: main, trunk: all}
`
	keepNothing = "accounts: [{name: main, hold: record, owner: {continue-after-transfer: on}}]\nmapping: [{address: 127.0.0.0/8, account: main}]\n"
)

// record has the server take one call and returns the number of its files.
func record(t *testing.T, p *process, dir string) int {
	t.Helper()
	ctx := deadline(t)
	before := len(manifests(t, dir))
	d := invite(t, ctx, client(t, p))
	if _, err := d.Bye(ctx, src.Request{}); err != nil {
		t.Fatal(err)
	}
	if err := p.log.awaitTimes(ctx, "recording finalised", before+1); err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(dir, "data", "*", "*", "*", "*", "*.wav"))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// program runs the program within the test.
func program(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, errs strings.Builder
	code = run(t.Context(), args, streams{&out, &errs})
	return out.String(), errs.String(), code
}

// TestServePolicy: the policy file decides; at SIGHUP it is read again, for calls
// that begin later, and one that cannot be read changes nothing.
func TestServePolicy(t *testing.T) {
	file := filepath.Join(t.TempDir(), "policy.yaml")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(keepNothing)
	p, dir := serveProcess(t, "--policy", file)
	if strings.Contains(p.log.String(), "records everything") {
		t.Error("says that it records everything")
	}
	reload := func(want string) {
		t.Helper()
		if err := p.cmd.Process.Signal(syscall.SIGHUP); err != nil {
			t.Fatal(err)
		}
		if err := p.log.await(deadline(t), want); err != nil {
			t.Fatal(err)
		}
	}
	if n := record(t, p, dir); n != 0 {
		t.Errorf("%d files under a policy that records nothing", n)
	}
	write("accounts: [{name: main, hodl: record}]\n")
	reload("policy stays as it was")
	if n := record(t, p, dir); n != 0 {
		t.Errorf("%d files after a file that cannot be read", n)
	}
	write(keepAll)
	reload("(reload)")
	if n := record(t, p, dir); n != 1 {
		t.Errorf("%d files under a policy that records all, want 1", n)
	}
	versions, err := recorder.Versions(filepath.Join(dir, "data"))
	if err != nil || len(versions) != 2 {
		t.Fatalf("versions %v, %v", versions, err)
	}
	out, errs, code := program(t, "policy", "versions", "--data", filepath.Join(dir, "data"))
	if code != exitOK || strings.Count(out, "\n") != 2 || !strings.Contains(out, versions[1].Hash()) {
		t.Errorf("policy versions: exit %d, %q, %q", code, out, errs)
	}
	out, errs, code = program(t, "policy", "versions", "--data", filepath.Join(dir, "data"), versions[1].Hash()[:12])
	if code != exitOK || out != keepAll {
		t.Errorf("policy versions HASH: exit %d, %q, %q", code, out, errs)
	}
	for _, args := range [][]string{{"--data", filepath.Join(dir, "data"), "0000"}, {"--data", t.TempDir()}} {
		if _, errs, code := program(t, append([]string{"policy", "versions"}, args...)...); code != exitFailed || errs == "" {
			t.Errorf("policy versions %q: exit %d, %q", args, code, errs)
		}
	}
}

// TestServeRefusesPolicy: a server does not start with a policy or a directory
// that it cannot read.
func TestServeRefusesPolicy(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good.yaml", keepAll)
	bad := write("bad.yaml", "accounts:\n  - {name: main, hodl: record}\n")
	badDirectory := write("directory.yaml", "agents: [{name: x, aors: [\"\"]}]\nagentz: 1\n")
	for _, tt := range []struct {
		args []string
		want string
	}{
		{[]string{"--policy", filepath.Join(dir, "none.yaml")}, "no such file"},
		{[]string{"--policy", bad}, "bad.yaml:line 2"},
		{[]string{"--policy", good, "--directory", badDirectory}, "directory.yaml:2"},
		{[]string{"--directory", badDirectory}, "without a policy file everything is recorded"},
	} {
		p, err := startProcess(dir, append([]string{"--listen", "udp:127.0.0.1:0"}, tt.args...)...)
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
