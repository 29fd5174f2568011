package main

import (
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
)

// keepFor records all, and says what becomes of it.
func keepFor(t *testing.T, rule string) (file string) {
	t.Helper()
	file = filepath.Join(t.TempDir(), "policy.yaml")
	text := strings.Replace(keepAll, "trunks:", "retention: ["+rule+"], trunks:", 1)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// A command is run, and its exit code and what it prints compared.
type commandCase struct {
	args []string
	code int
	says string // within what is printed
}

func runCases(t *testing.T, data string, cases ...commandCase) {
	t.Helper()
	for _, c := range cases {
		out, errs, code := program(t, append(append([]string{"recordings"}, c.args...), "--data", data)...)
		if code != c.code || !strings.Contains(out+errs, c.says) {
			t.Errorf("%q: exit %d, want %d; %q%q does not say %q", c.args, code, c.code, out, errs, c.says)
		}
	}
}

// stopped stops a server.
func stopped(t *testing.T, p *process) {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if code, err := p.wait(); err != nil || code != 0 {
		t.Fatalf("exit code %d, %v\n%s", code, err, p.log.String())
	}
}

// TestRetention: what the policy has kept for 30 days is listed, held, released, and
// erased when it is due, by a command where no server is.
func TestRetention(t *testing.T) {
	p, dir := serveProcess(t, "--policy", keepFor(t, "{keep: 30 days}, {evaluate: yes}"))
	record(t, p, dir)
	data := filepath.Join(dir, "data")
	list, err := store.List(data)
	if err != nil || len(list) != 1 {
		t.Fatal(list, err)
	}
	id, later := list[0].ID, time.Now().AddDate(0, 0, 31).UTC().Format(time.DateOnly)
	runCases(t, data,
		commandCase{[]string{"list", "--evaluate"}, exitOK, list[0].DeleteAt.Format(time.DateTime) + ", evaluate"},
		commandCase{[]string{"list", "--held"}, exitOK, "there are no recordings"},
		commandCase{[]string{"list", "--limit", "-1"}, exitUsage, "limit"},
		commandCase{[]string{"sweep", "--dry-run"}, exitOK, "nothing is due"},
		commandCase{[]string{"sweep", "--dry-run", "--at", later}, exitOK, "would erase " + id + ", due "},
		commandCase{[]string{"sweep", "--dry-run", "--at", later}, exitOK, ": recordings are kept for 30 days\n"},
		commandCase{[]string{"sweep"}, exitFailed, "is a server's"},
		commandCase{[]string{"hold", id}, exitUsage, "reason"},
		commandCase{[]string{"hold", id, "--reason", " "}, exitUsage, "reason"},
		commandCase{[]string{"hold", id, "--reason", "a\nb"}, exitUsage, "printable"},
		commandCase{[]string{"hold", "20260102T030405Z-abcdefghij", "--reason", "r"}, exitFailed, "there is no recording"},
		commandCase{[]string{"release", id, "--reason", "r"}, exitFailed, "there is no such legal hold"},
		commandCase{[]string{"hold", id, "--reason", "request 7", "--by", "Ann"}, exitOK, "held " + id},
		commandCase{[]string{"list", "--held"}, exitOK, "held, evaluate"},
		commandCase{[]string{"sweep", "--dry-run", "--at", later}, exitOK, "nothing is due"},
		commandCase{[]string{"erase", id, "--reason", "r"}, exitFailed, "legal hold"},
		commandCase{[]string{"release", id, "--reason", "over", "--matter", "8"}, exitFailed, "there is no such legal hold"},
		commandCase{[]string{"release", id, "--reason", "over", "--by", "Ann"}, exitOK, "released " + id},
	)
	stopped(t, p)
	m, err := store.Load(data, id)
	if err != nil {
		t.Fatal(err)
	}
	m.Times.End = m.Times.End.AddDate(0, 0, -30)
	m.Retention.DeleteAt = m.Retention.DeleteAt.AddDate(0, 0, -30)
	if err := store.Write(list[0].Folder, m); err != nil {
		t.Fatal(err)
	}
	runCases(t, data,
		commandCase{[]string{"sweep", "--at", later}, exitUsage, "has not come"},
		commandCase{[]string{"sweep", "--at", "soon"}, exitUsage, "neither an instant"},
		commandCase{[]string{"sweep", "--at", "2020-01-01T00:00:00Z"}, exitOK, "nothing is due"},
		commandCase{[]string{"sweep"}, exitOK, "erased " + id},
		commandCase{[]string{"sweep"}, exitOK, "nothing is due"},
		commandCase{[]string{"list"}, exitOK, "erased"},
		commandCase{[]string{"show", id}, exitOK, "erased by retention"},
		commandCase{[]string{"hold", id, "--reason", "r"}, exitFailed, "erased"},
	)
	runCases(t, filepath.Join(dir, "none"), commandCase{[]string{"sweep"}, exitFailed, "none"})
}

// TestRetentionOfServe: a server erases by itself what is to be deleted with the call, and
// with --sweep 0s it does not.
func TestRetentionOfServe(t *testing.T) {
	file := keepFor(t, "{delete-after: the call}")
	p, dir := serveProcess(t, "--policy", file, "--sweep", "100ms")
	record(t, p, dir)
	if err := p.log.await(deadline(t), "recording is erased: its time has come"); err != nil {
		t.Fatalf("%v\n%s", err, p.log.String())
	}
	if sounds, err := filepath.Glob(filepath.Join(dir, "data", "*", "*", "*", "*", "*.wav")); err != nil || len(sounds) > 0 {
		t.Errorf("left is %v, %v", sounds, err)
	}
	p, dir = serveProcess(t, "--policy", file, "--sweep", "0s")
	record(t, p, dir)
	stopped(t, p)
	list, err := store.List(filepath.Join(dir, "data"))
	if err != nil || len(list) != 1 || list[0].State != store.Finished {
		t.Errorf("without sweeping: %+v, %v", list, err)
	}
}

// TestListNewest: a long list is cut, and says so.
func TestListNewest(t *testing.T) {
	data := t.TempDir()
	for _, id := range []string{"20260102T030405Z-abcdefghij", "20260103T030405Z-abcdefghij", "20260104T030405Z-abcdefghij"} {
		if _, err := store.Create(data, id); err != nil {
			t.Fatal(err)
		}
	}
	out, errs, code := program(t, "recordings", "--data", data, "--limit", "2")
	if code != exitOK || strings.Count(out, "unfinished") != 2 || strings.Contains(out, "20260102") || !strings.Contains(errs, "newest 2 of 3") {
		t.Errorf("exit %d, %q, %q", code, out, errs)
	}
	for _, limit := range []string{"0", "3"} {
		out, errs, code := program(t, "recordings", "--data", data, "--limit", limit, "--json")
		if code != exitOK || strings.Count(out, "unfinished") != 3 || errs != "" {
			t.Errorf("limit %s: exit %d, %q, %q", limit, code, out, errs)
		}
	}
}

// TestFinaliseAsDecided: a server that was killed, and started again under a policy that
// records nothing, leaves the recording; a command makes its files.
func TestFinaliseAsDecided(t *testing.T) {
	ctx := deadline(t)
	p, dir := serveProcess(t, "--hold-back", "0s")
	invite(t, ctx, client(t, p))
	p.kill()
	file := filepath.Join(dir, "policy.yaml")
	if err := os.WriteFile(file, []byte(keepNothing), 0o600); err != nil {
		t.Fatal(err)
	}
	p, err := startProcess(dir, "--listen", "udp:127.0.0.1:0", "--listen", "tcp:127.0.0.1:0", "--policy", file)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.kill)
	if err := p.log.await(ctx, "recording was left unfinished"); err != nil {
		t.Fatalf("%v\n%s", err, p.log.String())
	}
	data := filepath.Join(dir, "data")
	ids, err := store.WithoutManifest(data)
	if err != nil || len(ids) != 1 {
		t.Fatal(ids, err)
	}
	runCases(t, data,
		commandCase{[]string{"finalise", ids[0]}, exitFailed, "not finished"},
		commandCase{[]string{"finalise", ids[0], "--as-decided"}, exitFailed, "a server has this folder"},
	)
	stopped(t, p)
	runCases(t, data,
		commandCase{[]string{"finalise", "20260102T030405Z-abcdefghij", "--as-decided"}, exitFailed, "there is no recording"},
		commandCase{[]string{"finalise", "..", "--as-decided"}, exitUsage, "not the id"},
		commandCase{[]string{"finalise", ids[0], "--as-decided"}, exitOK, "file 01-"},
		commandCase{[]string{"finalise", ids[0], "--as-decided"}, exitFailed, "is finished"},
	)
	m, err := store.Load(data, ids[0])
	if err != nil || len(m.Files) != 1 || m.Files[0].DurationMS < 200 || !strings.Contains(strings.Join(m.Flags, " "), "as-decided") {
		t.Errorf("%+v, %v", m, err)
	}
}
