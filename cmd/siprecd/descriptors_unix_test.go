//go:build linux || darwin

package main

import (
	"testing"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
	"golang.org/x/sys/unix"
)

// TestRaiseDescriptors: a lower limit is raised to the highest, and what is too few is
// said.
func TestRaiseDescriptors(t *testing.T) {
	if got := descriptorsFor(3000); got > 20000 {
		t.Errorf("3,000 recording sessions need %d descriptors", got)
	}
	var before unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &before); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = unix.Setrlimit(unix.RLIMIT_NOFILE, &before) }()
	lower := unix.Rlimit{Cur: before.Cur - 1, Max: before.Max}
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &lower); err != nil {
		t.Skipf("limit cannot be changed: %v", err)
	}
	core, logs := observer.New(zap.InfoLevel)
	raiseDescriptors(zap.New(core), 1)
	var after unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &after); err != nil {
		t.Fatal(err)
	}
	if after.Cur <= lower.Cur {
		t.Errorf("limit %d, it was %d", after.Cur, lower.Cur)
	}
	if n := logs.FilterLevelExact(zap.WarnLevel).Len(); n != 0 || logs.Len() != 1 {
		t.Errorf("lines %v", logs.All())
	}
	raiseDescriptors(zap.New(core), 1<<30)
	if n := logs.FilterMessageSnippet("too few").Len(); n != 1 {
		t.Errorf("lines %v", logs.All())
	}
}
