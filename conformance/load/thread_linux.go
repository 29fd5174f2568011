package load

import (
	"time"

	"golang.org/x/sys/unix"
)

// sleepUntil holds the thread. It may be woken early by a signal, and goes on.
func sleepUntil(at time.Time) {
	for d := time.Until(at); d > 0; d = time.Until(at) {
		ts := unix.NsecToTimespec(int64(d))
		_ = unix.Nanosleep(&ts, nil) // EINTR is a signal
	}
}

// threadTime is what the calling thread has used of the processor.
func threadTime() (time.Duration, bool) {
	var u unix.Rusage
	if unix.Getrusage(unix.RUSAGE_THREAD, &u) != nil {
		return 0, false
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), true
}

// threadNice is the priority of threads that send (setpriority(2)).
const threadNice = -10

// preferThread has the calling thread run before others when it is due, so that it is
// late less often on a machine it shares. Without the privilege it changes nothing.
func preferThread() { _ = unix.Setpriority(unix.PRIO_PROCESS, 0, threadNice) }
