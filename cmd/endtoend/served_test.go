package endtoend

import (
	"bufio"
	"bytes"
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// A served is a process of siprecd serve, as an operator starts it.
type served struct {
	t       testing.TB
	data    string
	cmd     *exec.Cmd
	listens map[string]string // address, by network
	log     safeBuffer
	exited  chan error
	down    bool
}

// safeBuffer takes what a process logs while a test reads it.
type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

// Write appends.
func (b *safeBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

// String is all of it.
func (b *safeBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

// buildProgram builds siprecd, with tags for a build that is only for a test, and
// returns the path.
func buildProgram(t testing.TB, tags string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "siprecd")
	args := []string{"build", "-tags", tags, "-o", path}
	if raced {
		args = append(args, "-race") // a race that it finds makes the server end with an error
	}
	out, err := exec.Command("go", append(args, "github.com/siprecd/siprecd/cmd/siprecd")...).CombinedOutput()
	if err != nil {
		t.Fatalf("go build: %v\n%s", err, out)
	}
	return path
}

// startServed starts a server on any free ports and waits until it is ready.
func startServed(t testing.TB, program string, args ...string) *served {
	t.Helper()
	s := &served{t: t, data: t.TempDir(), listens: make(map[string]string), exited: make(chan error, 1)}
	s.cmd = exec.Command(program, append([]string{"serve", "--data", s.data, "--rtp-ports", "0-0", "--min-free", "0", "--drain", "1s"}, args...)...)
	s.cmd.Stderr = &s.log
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := s.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ready := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			if f := strings.Fields(lines.Text()); len(f) == 3 && f[0] == "listening" {
				s.listens[f[1]] = f[2]
			} else if lines.Text() == "ready" {
				ready <- true
			}
		}
		close(ready)
		s.exited <- s.cmd.Wait()
	}()
	t.Cleanup(func() { s.stop() })
	select {
	case ok := <-ready:
		if !ok {
			t.Fatalf("the server did not start: %s", s.log.String())
		}
	case <-time.After(30 * time.Second):
		t.Fatalf("the server is not ready: %s", s.log.String())
	}
	return s
}

// stop has the server finish all files and end.
func (s *served) stop() {
	s.t.Helper()
	if s.down {
		return
	}
	s.down = true
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		s.t.Errorf("stop the server: %v", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), 60*time.Second)
	defer cancel()
	select {
	case err := <-s.exited:
		if err != nil {
			s.t.Errorf("the server ended with %v: %s", err, s.log.String())
		}
	case <-ctx.Done():
		s.t.Errorf("the server does not end; it is killed: %s", s.log.String())
		if err := s.cmd.Process.Kill(); err != nil {
			s.t.Error(err)
		}
		<-s.exited
	}
}

// writeFile writes a file that only its owner may read, into a folder of the test.
func writeFile(t testing.TB, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
