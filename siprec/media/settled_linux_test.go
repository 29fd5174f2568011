package media

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// settled returns when all that was sent has reached its sockets. On a busy machine the
// kernel may let packets of the loopback interface lie, in a queue for each processor,
// after it was told to send them: a datagram is sent through each of the queues.
func (s *sender) settled() {
	s.t.Helper()
	probe, err := listenRaw(loopback4, 0, 0)
	if err != nil {
		s.t.Fatal(err)
	}
	defer probe.close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	var allowed unix.CPUSet
	if err := unix.SchedGetaffinity(0, &allowed); err != nil {
		s.t.Fatal(err)
	}
	defer func() { _ = unix.SchedSetaffinity(0, &allowed) }()
	for cpu, left := 0, allowed.Count(); left > 0; cpu++ {
		if !allowed.IsSet(cpu) {
			continue
		}
		left--
		var one unix.CPUSet
		one.Set(cpu)
		if err := unix.SchedSetaffinity(0, &one); err != nil {
			continue // not there any more
		}
		if err := probe.send([]byte{1}, probe.local()); err != nil {
			s.t.Fatal(err)
		}
		poll := []unix.PollFd{{Fd: int32(probe.fd), Events: unix.POLLIN}}
		for {
			n, err := unix.Poll(poll, int(patience.Milliseconds()))
			if err == unix.EINTR {
				continue
			}
			if n != 1 {
				s.t.Fatalf("a datagram to oneself did not come: %v", err)
			}
			break
		}
		_, _, _ = unix.Recvfrom(probe.fd, make([]byte, 1), unix.MSG_DONTWAIT)
	}
}
