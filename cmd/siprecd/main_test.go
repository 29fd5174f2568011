package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/siprecd/siprecd/recorder/store"
)

// TestMain makes the test binary stand in for siprecd: it is put into the PATH
// of the tests under that name.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"siprecd": main})
}

// patience is how long a process may take for what it does at once.
const patience = 60 * time.Second

// life is how long a process may be needed, with a run of the suite over each transport.
const life = 8 * time.Minute

// TestScripts runs the program as a shell would. Besides the usual commands of
// testscript a script has
//
//	exits CODE PROGRAM ARGS...      run it and compare the exit code
//	serve ARGS...                   start "siprecd serve"; sets $udp and $tcp
//	signal NAME                     send it INT or TERM
//	ended CODE                      wait for its end and compare the exit code
//	wav FILE HZ SECONDS RATE        write a mono tone
//	sounding FILE                   the WAV file is not silent
//	latest                          sets $id and $folder to those of the newest recording
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/script",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			env.Values["server"] = &scriptServer{}
			return nil
		},
		Cmds: map[string]func(ts *testscript.TestScript, neg bool, args []string){
			"exits":    cmdExits,
			"serve":    cmdServe,
			"signal":   cmdSignal,
			"ended":    cmdEnded,
			"wav":      cmdWAV,
			"sounding": cmdSounding,
			"latest":   cmdLatest,
		},
	})
}

type scriptServer struct{ process *process }

func runningServer(ts *testscript.TestScript) *process {
	server, ok := ts.Value("server").(*scriptServer)
	if !ok || server.process == nil {
		ts.Fatalf("no server was started")
	}
	return server.process
}

func cmdExits(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: exits CODE PROGRAM ARGS...")
	}
	want, err := strconv.Atoi(args[0])
	ts.Check(err)
	err = ts.Exec(args[1], args[2:]...)
	got := 0
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		got = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if got != want {
		ts.Fatalf("exit code %d, want %d", got, want)
	}
}

func cmdServe(ts *testscript.TestScript, neg bool, args []string) {
	server, ok := ts.Value("server").(*scriptServer)
	if neg || !ok || server.process != nil {
		ts.Fatalf("usage: serve ARGS..., once in a script")
	}
	p, err := startProcess(ts.MkAbs("."), args...)
	ts.Check(err)
	server.process = p
	ts.Defer(p.kill)
	ts.Setenv("udp", p.udp)
	ts.Setenv("tcp", p.tcp)
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"INT": os.Interrupt, "TERM": syscall.SIGTERM}
	if neg || len(args) != 1 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal INT|TERM")
	}
	ts.Check(runningServer(ts).cmd.Process.Signal(signals[args[0]]))
}

func cmdEnded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: ended CODE")
	}
	p := runningServer(ts)
	code, err := p.wait()
	ts.Check(err)
	// What it logged can be looked at with the command stderr.
	_, err = io.WriteString(ts.Stderr(), p.log.String())
	ts.Check(err)
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s\n%s", code, args[0], p.log.String())
	}
}

func cmdWAV(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: wav FILE HZ SECONDS RATE")
	}
	var n [3]int
	for i := range n {
		v, err := strconv.Atoi(args[i+1])
		ts.Check(err)
		n[i] = v
	}
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), toneWAV(n[0], n[1], n[2]), 0o600))
}

func cmdSounding(ts *testscript.TestScript, neg bool, args []string) {
	if len(args) != 1 {
		ts.Fatalf("usage: sounding FILE")
	}
	matches, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(matches) != 1 {
		ts.Fatalf("%s: %d files", args[0], len(matches))
	}
	text, err := os.ReadFile(matches[0])
	ts.Check(err)
	if sounds := len(text) > 44 && bytes.Trim(text[44:], "\x00") != nil; sounds == neg {
		ts.Fatalf("%s: sounding = %v", args[0], sounds)
	}
}

func cmdLatest(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 0 {
		ts.Fatalf("usage: latest")
	}
	list, err := store.List(ts.MkAbs("data"))
	ts.Check(err)
	if len(list) == 0 {
		ts.Fatalf("there is no recording")
	}
	ts.Setenv("id", list[0].ID)
	ts.Setenv("folder", list[0].Folder)
}

// toneWAV is a mono file of 16 bits per sample.
func toneWAV(hz, seconds, rate int) []byte {
	samples := seconds * rate
	var b bytes.Buffer
	b.WriteString("RIFF")
	le := func(v any) { _ = binary.Write(&b, binary.LittleEndian, v) }
	le(uint32(36 + 2*samples))
	b.WriteString("WAVEfmt ")
	le(uint32(16))
	le([]uint16{1, 1})
	le([]uint32{uint32(rate), uint32(2 * rate)})
	le([]uint16{2, 16})
	b.WriteString("data")
	le(uint32(2 * samples))
	for i := range samples {
		le(int16(12000 * math.Sin(2*math.Pi*float64(hz)*float64(i)/float64(rate))))
	}
	return b.Bytes()
}

// A process is a running "siprecd serve".
type process struct {
	cmd *exec.Cmd
	// Where it listens.
	udp, tcp, tls string
	control       string
	metrics       string
	log           *watchedLog
	cancel        context.CancelFunc
	done          chan struct{}
	err           error
}

// startProcess starts the program and waits until it says that it is ready.
func startProcess(dir string, args ...string) (*process, error) {
	ctx, cancel := context.WithTimeout(context.Background(), life)
	p := &process{cancel: cancel, done: make(chan struct{}), log: newWatchedLog()}
	p.cmd = exec.CommandContext(ctx, "siprecd", append([]string{"serve"}, args...)...)
	p.cmd.Dir = dir
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		cancel()
		return nil, err
	}
	if err := p.cmd.Start(); err != nil {
		cancel()
		return nil, err
	}
	ready := false
	lines := bufio.NewScanner(out)
	for !ready && lines.Scan() {
		network, address, _ := strings.Cut(strings.TrimPrefix(lines.Text(), "listening "), " ")
		switch network {
		case "udp":
			p.udp = address
		case "tcp":
			p.tcp = address
		case "tls":
			p.tls = address
		case "control":
			p.control = address
		case "metrics":
			p.metrics = address
		case "ready":
			ready = true
		}
	}
	go func() {
		defer close(p.done)
		defer cancel()
		p.err = p.cmd.Wait()
	}()
	if !ready {
		<-p.done
		return nil, fmt.Errorf("not ready: %w\n%s", p.err, p.log.String())
	}
	return p, nil
}

func (p *process) wait() (code int, err error) {
	<-p.done
	var exit *exec.ExitError
	if errors.As(p.err, &exit) && exit.ExitCode() >= 0 {
		return exit.ExitCode(), nil
	}
	return 0, p.err
}

func (p *process) kill() {
	p.cancel()
	<-p.done
}

// A watchedLog keeps what is written to it and lets a test wait for a text.
type watchedLog struct {
	mu      sync.Mutex
	text    strings.Builder
	written chan struct{} // closed and renewed at each write
}

func newWatchedLog() *watchedLog { return &watchedLog{written: make(chan struct{})} }

func (l *watchedLog) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	close(l.written)
	l.written = make(chan struct{})
	return l.text.Write(b)
}

func (l *watchedLog) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}

// await returns when the text was written.
func (l *watchedLog) await(ctx context.Context, text string) error { return l.awaitTimes(ctx, text, 1) }

// awaitTimes returns when the text was written so often.
func (l *watchedLog) awaitTimes(ctx context.Context, text string, times int) error {
	for {
		l.mu.Lock()
		found, written := strings.Count(l.text.String(), text) >= times, l.written
		l.mu.Unlock()
		if found {
			return nil
		}
		select {
		case <-written:
		case <-ctx.Done():
			return fmt.Errorf("%q was not logged: %w", text, ctx.Err())
		}
	}
}

// needTool skips a test without the program, naming the Debian package; on the
// build server, where the package was to be installed, it fails.
func needTool(t *testing.T, program, debian string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err == nil {
		return path
	}
	message := fmt.Sprintf("%s is missing: install the Debian package %s", program, debian)
	if os.Getenv("SIPRECD_CI") != "" {
		t.Fatal(message)
	}
	t.Skip(message)
	return ""
}
