package recorder

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"
)

// TestInTime: what the machine lacks for a while is waited for, at longer and longer
// intervals, and said once; any other failure is final, and so is the stop of the
// server after one more attempt.
func TestInTime(t *testing.T) {
	full := fmt.Errorf("write: %w", syscall.ENOSPC)
	for _, tt := range []struct {
		name     string
		err      error
		failures int           // before it works
		stop     time.Duration // 0: the server goes on
		attempts int
		took     time.Duration
		want     error
		lines    int
	}{
		{name: "at once", attempts: 1},
		{name: "after some time", err: full, failures: 4, attempts: 5, took: 15 * time.Second, lines: 1},
		{name: "after a day", err: syscall.EMFILE, failures: 1440, attempts: 1441, took: 24*time.Hour - 297*time.Second, lines: 1},
		{name: "never", err: errors.ErrUnsupported, failures: 9, attempts: 1, want: errors.ErrUnsupported},
		{name: "the server stops", err: full, failures: 9, stop: 5 * time.Second, attempts: 4, took: 5 * time.Second, want: full, lines: 1},
		{name: "it works as the server stops", err: full, failures: 3, stop: 5 * time.Second, attempts: 4, took: 5 * time.Second, lines: 1},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				core, logs := observer.New(zap.ErrorLevel)
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				if tt.stop > 0 {
					time.AfterFunc(tt.stop, stop)
				}
				r, in := &Recorder{stopping: ctx}, &recording{log: zap.New(core)}
				attempts, began := 0, time.Now()
				err := r.inTime(in, func() error {
					if attempts++; attempts <= tt.failures {
						return tt.err
					}
					return nil
				})
				if took := time.Since(began); err != tt.want || attempts != tt.attempts || took != tt.took || logs.Len() != tt.lines {
					t.Errorf("%v after %d attempts and %v, %d lines", err, attempts, took, logs.Len())
				}
			})
		})
	}
}
