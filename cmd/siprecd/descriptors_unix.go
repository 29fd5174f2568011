//go:build linux || darwin

package main

import (
	"go.uber.org/zap"
	"golang.org/x/sys/unix"
)

// raiseDescriptors raises the limit of open files (RLIMIT_NOFILE) to what the system
// allows this process, and warns when that is less than so many recording sessions of
// two streams need.
func raiseDescriptors(log *zap.Logger, recordingSessions int) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		log.Warn("limit of open files not known", zap.Error(err))
		return
	}
	if limit.Cur < limit.Max {
		raised := unix.Rlimit{Cur: limit.Max, Max: limit.Max}
		if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &raised); err != nil {
			log.Warn("limit of open files not raised", zap.Uint64("to", limit.Max), zap.Error(err))
		} else {
			limit = raised
		}
	}
	needed := descriptorsFor(recordingSessions)
	if limit.Cur < needed {
		log.Warn("too few open files are allowed for max-recording-sessions: beyond the limit no port can be opened",
			zap.Uint64("limit", limit.Cur), zap.Uint64("needed", needed))
		return
	}
	log.Info("limit of open files", zap.Uint64("limit", limit.Cur), zap.Uint64("needed", needed))
}
