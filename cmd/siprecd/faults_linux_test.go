package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/siprecd/siprecd/conformance/src"
	"github.com/siprecd/siprecd/recorder/store"
)

// A strained process is one that runs against limits of the kernel, which a test sets
// and lifts while recording sessions are up.
type strained struct {
	*testing.T
	ctx context.Context
	p   *process
	dir string
	// data is its folder of recordings; empty for data in dir.
	data string
	c    *src.SRC
	up   []*src.Dialog
}

// strain starts a process and some recording sessions.
func strain(t *testing.T, sessions int, args ...string) *strained {
	t.Helper()
	s := &strained{T: t, ctx: deadline(t)}
	s.p, s.dir = serveProcess(t, append([]string{"--min-free", "0B"}, args...)...)
	s.c = client(t, s.p)
	for range sessions {
		s.up = append(s.up, invite(t, s.ctx, s.c))
	}
	return s
}

// limit sets what the process may have of a resource and returns what it had.
func (s *strained) limit(resource int, cur uint64) (before uint64) {
	s.Helper()
	var old unix.Rlimit
	if err := unix.Prlimit(s.p.cmd.Process.Pid, resource, nil, &old); err != nil {
		s.Skipf("limits of another process cannot be read: %v", err)
	}
	fresh := unix.Rlimit{Cur: cur, Max: old.Max}
	if err := unix.Prlimit(s.p.cmd.Process.Pid, resource, &fresh, nil); err != nil {
		s.Fatal(err)
	}
	return old.Cur
}

// descriptors is how many file descriptors the process has open.
func (s *strained) descriptors() uint64 {
	s.Helper()
	entries, err := os.ReadDir(filepath.Join("/proc", strconv.Itoa(s.p.cmd.Process.Pid), "fd"))
	if err != nil {
		s.Fatal(err)
	}
	return uint64(len(entries))
}

// talk has all that are up send for a time.
func (s *strained) talk(length time.Duration) {
	s.Helper()
	done := make(chan error, len(s.up))
	for _, d := range s.up {
		go func() { done <- d.Stream(0).Play(s.ctx, src.Tone(440, false), src.PlayOptions{Duration: length}) }()
	}
	for range s.up {
		if err := <-done; err != nil {
			s.Error(err)
		}
	}
}

// refused wants a new recording session to be refused with 503, at once or soon.
func (s *strained) refused() {
	s.Helper()
	for {
		d, err := s.c.Invite(s.ctx, oneParty(s.c))
		if err != nil {
			s.Fatal(err)
		}
		final := d.Final()
		if final.Status == 503 {
			if final.Get("Warning") == "" {
				s.Error("a 503 without a Warning")
			}
			d.Close()
			return
		}
		if final.Status != 200 {
			s.Fatalf("INVITE was answered %d", final.Status)
		}
		s.up = append(s.up, d)
		s.talk(100 * time.Millisecond)
	}
}

// welcome wants a new recording session to be taken, at once or soon.
func (s *strained) welcome() {
	s.Helper()
	for {
		d, err := s.c.Invite(s.ctx, oneParty(s.c))
		if err != nil {
			s.Fatal(err)
		}
		if d.Final().Status == 200 {
			s.up = append(s.up, d)
			return
		}
		d.Close()
		s.talk(100 * time.Millisecond)
	}
}

// bye ends the first n that are up and gives them.
func (s *strained) bye(n int) []*src.Dialog {
	s.Helper()
	over := s.up[:n]
	s.up = s.up[n:]
	for _, d := range over {
		m, err := d.Bye(s.ctx, src.Request{})
		if err != nil || m.Status != 200 {
			s.Errorf("BYE: %v, %v", m, err)
		}
	}
	return over
}

// finished ends the process and gives the manifests, by Call-ID. There must be no
// recording without one.
func (s *strained) finished() map[string]store.Manifest {
	s.Helper()
	if err := s.p.cmd.Process.Signal(unix.SIGTERM); err != nil {
		s.Fatal(err)
	}
	if code, err := s.p.wait(); err != nil || code != exitOK {
		s.Errorf("exit code %d, %v", code, err)
	}
	data := cmp.Or(s.data, filepath.Join(s.dir, "data"))
	list, err := store.List(data)
	if err != nil {
		s.Fatal(err)
	}
	out := make(map[string]store.Manifest)
	for _, r := range list {
		m, err := store.Load(data, r.ID)
		if err != nil {
			s.Errorf("%v", err)
			continue
		}
		out[m.CallID] = m
	}
	if len(out) != len(list) {
		s.Errorf("%d recordings of %d Call-IDs", len(list), len(out))
	}
	return out
}

// complete ends the process and wants every packet of the dialogs in a finished file.
func (s *strained) complete(all []*src.Dialog) {
	s.Helper()
	finished := s.finished()
	for _, d := range all {
		m, ok := finished[d.CallID()]
		if !ok {
			s.Errorf("%s has no recording", d.CallID())
			continue
		}
		if len(m.Files) != 1 || m.Capture != "" {
			s.Errorf("recording %s: files %v, capture %q, flags %v", m.Recording, m.Files, m.Capture, m.Flags)
		}
		p, sent := m.Streams[0].Packets, uint64(len(d.Stream(0).Sent()))
		if p.Kept != sent || p.Lost > 0 {
			s.Errorf("recording %s: %d packets sent, %+v", m.Recording, sent, p)
		}
	}
	if len(finished) != len(all) {
		s.Errorf("%d recordings of %d", len(finished), len(all))
	}
	if s.Failed() {
		s.Log(s.p.log.String())
	}
}

// TestNoDescriptors: when the process may open no more files, new recording sessions
// are refused, those that are up lose nothing, and all is as before when it may again.
func TestNoDescriptors(t *testing.T) {
	t.Parallel()
	s := strain(t, 4)
	before := s.limit(unix.RLIMIT_NOFILE, s.descriptors())
	s.talk(300 * time.Millisecond)
	s.refused()
	s.talk(300 * time.Millisecond)
	over := s.bye(1)
	s.talk(300 * time.Millisecond)
	s.limit(unix.RLIMIT_NOFILE, 8) // not even for what is written
	s.refused()
	s.talk(time.Second)
	over = append(over, s.bye(1)...)
	s.talk(500 * time.Millisecond)
	s.limit(unix.RLIMIT_NOFILE, before)
	s.welcome()
	s.talk(time.Second)
	s.complete(append(over, s.bye(len(s.up))...))
	if !strings.Contains(s.p.log.String(), "too many open files") {
		t.Error("no alarm was raised")
	}
}

// TestNoRoomOnDisk: while no file can grow, new recording sessions are refused, and
// what those that are up bring waits; one that ends meanwhile is finished when there is
// room again.
func TestNoRoomOnDisk(t *testing.T) {
	t.Parallel()
	s := strain(t, 3)
	before := s.limit(unix.RLIMIT_FSIZE, 1)
	s.talk(2 * time.Second)
	s.refused()
	over := s.bye(1)
	s.talk(time.Second)
	s.limit(unix.RLIMIT_FSIZE, before)
	if err := s.p.log.await(s.ctx, "disk is well again"); err != nil {
		t.Error(err)
	}
	s.welcome()
	s.talk(time.Second)
	s.complete(append(over, s.bye(len(s.up))...))
	if !strings.Contains(s.p.log.String(), "disk fails") {
		t.Error("no alarm was raised")
	}
}

// TestStandstill: the process stands still for a second, as on an overloaded host.
// What came meanwhile lies in its sockets.
func TestStandstill(t *testing.T) {
	t.Parallel()
	s := strain(t, 3)
	for range 3 {
		if err := s.p.cmd.Process.Signal(unix.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		s.talk(time.Second)
		if err := s.p.cmd.Process.Signal(unix.SIGCONT); err != nil {
			t.Fatal(err)
		}
		s.talk(200 * time.Millisecond)
	}
	s.welcome()
	s.talk(200 * time.Millisecond)
	s.complete(s.bye(len(s.up)))
}

// TestFullFileSystem is TestNoRoomOnDisk on a real file system, where that may be
// mounted: somebody else fills it, and makes room again.
func TestFullFileSystem(t *testing.T) {
	t.Parallel()
	data := filepath.Join(t.TempDir(), "data")
	if err := os.Mkdir(data, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := unix.Mount("tmpfs", data, "tmpfs", 0, "size=8m"); err != nil {
		t.Skipf("no file system can be mounted here: %v", err)
	}
	t.Cleanup(func() {
		if err := unix.Unmount(data, 0); err != nil {
			t.Error(err)
		}
	})
	s := strain(t, 3, "--data", data)
	s.data = data
	ballast := filepath.Join(data, "ballast")
	if err := os.WriteFile(ballast, make([]byte, 16<<20), 0o600); !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("it is not full: %v", err)
	}
	s.talk(3 * time.Second)
	s.refused()
	over := s.bye(1)
	s.talk(time.Second)
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	if err := s.p.log.await(s.ctx, "disk is well again"); err != nil {
		t.Error(err)
	}
	s.welcome()
	s.talk(time.Second)
	s.complete(append(over, s.bye(len(s.up))...))
}

// TestNoRoomForFiles: a recording whose capture has room, but not its files, keeps the
// server from nothing, and is finished when there is room.
func TestNoRoomForFiles(t *testing.T) {
	t.Parallel()
	s := strain(t, 2)
	s.talk(4 * time.Second)
	before := s.limit(unix.RLIMIT_FSIZE, 56<<10) // a capture of 5 s is shorter, 5 s of samples are not
	over := s.bye(2)
	if err := s.p.log.awaitTimes(s.ctx, "cannot be finalised now", 2); err != nil {
		t.Error(err)
	}
	s.welcome()
	s.talk(time.Second)
	s.limit(unix.RLIMIT_FSIZE, before)
	if err := s.p.log.awaitTimes(s.ctx, "recording finalised", 2); err != nil {
		t.Error(err)
	}
	s.complete(append(over, s.bye(len(s.up))...))
}

// TestHoldWithoutRoom: a hold takes effect, and is answered, while nothing can be
// written; afterwards the journal says so.
func TestHoldWithoutRoom(t *testing.T) {
	t.Parallel()
	s := strain(t, 1)
	d := s.up[0]
	active := d.Offers()
	before := s.limit(unix.RLIMIT_FSIZE, 1)
	s.talk(1500 * time.Millisecond)
	for _, offer := range [][]src.StreamOffer{d.WithDirection(src.Inactive), active} {
		m, err := d.Reinvite(s.ctx, src.Request{Streams: offer})
		if err != nil || m.Status != 200 {
			t.Fatalf("re-INVITE: %v, %v", m, err)
		}
		s.talk(500 * time.Millisecond)
	}
	s.limit(unix.RLIMIT_FSIZE, before)
	if err := s.p.log.await(s.ctx, "disk is well again"); err != nil {
		t.Error(err)
	}
	s.bye(1)
	m := s.finished()[d.CallID()]
	sent := uint64(len(d.Stream(0).Sent()))
	if p := m.Streams[0].Packets; p.Withheld < 24 || p.Withheld > 27 || p.Kept+p.Withheld != sent || p.Lost > 0 {
		t.Errorf("%d packets sent, 25 of them on hold: %+v", sent, p)
	}
	permitted := m.Streams[0].Permitted
	if len(permitted) != 2 {
		t.Errorf("permitted %+v", permitted)
	}
}

// TestKilledWithoutRoom: the process is killed while nothing can be written. A hold that
// it answered meanwhile is unknown to the next one, which therefore does not go on with
// that recording session; it goes on with the other. Both keep what was on disk.
func TestKilledWithoutRoom(t *testing.T) {
	t.Parallel()
	s := &strained{T: t, ctx: deadline(t), dir: t.TempDir()}
	first := 16000 + 100*rand.IntN(100)
	args := []string{"--min-free", "0B", "--rtp-ports", fmt.Sprintf("%d-%d", first, first+99), "--listen"}
	start := func(listen string) {
		t.Helper()
		p, err := startProcess(s.dir, append(args, listen)...)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(p.kill)
		s.p = p
	}
	start("udp:127.0.0.1:0")
	s.c = client(t, s.p)
	for range 2 {
		s.up = append(s.up, invite(t, s.ctx, s.c))
	}
	s.talk(2 * time.Second)
	s.limit(unix.RLIMIT_FSIZE, 1)
	held, other := s.up[0], s.up[1]
	if m, err := held.Reinvite(s.ctx, src.Request{Streams: held.WithDirection(src.Inactive)}); err != nil || m.Status != 200 {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
	if m, err := other.Reinvite(s.ctx, src.Request{Streams: other.Offers()}); err != nil || m.Status != 200 {
		t.Fatalf("re-INVITE: %v, %v", m, err)
	}
	before := len(held.Stream(0).Sent())
	s.talk(500 * time.Millisecond)
	s.p.kill()
	start("udp:" + s.p.udp)
	s.talk(time.Second)
	s.up = s.up[1:]
	s.bye(1)
	finished := s.finished()
	m := finished[held.CallID()]
	if p := m.Streams[0].Packets; p.Kept == 0 || p.Kept > uint64(before) || m.EndReason == "bye" {
		t.Errorf("on hold: ended by %s, %+v, %d were sent before", m.EndReason, p, before)
	}
	m = finished[other.CallID()]
	const risked, late = 75, 25 // packets of 1.5 s before the kill and of 0.5 s after the start
	if p := m.Streams[0].Packets; p.Kept < uint64(before-risked+50-late) || m.EndReason != "bye" {
		t.Errorf("not on hold: ended by %s, %+v, %d were sent before", m.EndReason, p, before)
	}
	if !strings.Contains(s.p.log.String(), "what was withheld could not be written down") {
		t.Error("nothing was said of it")
	}
	if s.Failed() {
		s.Log(s.p.log.String())
	}
}
