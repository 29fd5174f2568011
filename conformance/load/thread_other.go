//go:build !linux

package load

import "time"

func sleepUntil(at time.Time) { time.Sleep(time.Until(at)) }

// threadTime is not known here.
func threadTime() (time.Duration, bool) { return 0, false }

// preferThread changes nothing here.
func preferThread() {}
