package recorder

import (
	"context"
	"errors"
	"sync"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
)

// What fails for want of something that the machine may have again later is tried again
// after firstRetry, and then each time twice as late, up to lastRetry.
const (
	firstRetry = time.Second
	lastRetry  = time.Minute
)

// passing are failures of the machine that pass: no room on the disk, no file
// descriptors, no memory, a file system that is away.
var passing = [...]error{
	syscall.ENOSPC, syscall.EDQUOT, syscall.EFBIG, syscall.EROFS, syscall.EIO, syscall.ESTALE,
	syscall.EMFILE, syscall.ENFILE, syscall.ENOMEM, syscall.EAGAIN,
}

// mayPass finds which of passing an error is; nil for none.
func mayPass(err error) error {
	for _, e := range passing {
		if errors.Is(err, e) {
			return e
		}
	}
	return nil
}

// inTime does something for a recording that has ended, again and again while it fails
// for want of what may come back, and once more when Close is called. Pages or the
// capture have all of it meanwhile.
func (r *Recorder) inTime(rec *recording, do func() error) error {
	last := false
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		err := do()
		want := mayPass(err)
		if want == nil || last {
			return err
		}
		if wait == firstRetry { // the whole error may name a file, and that a person
			rec.log.Error("recording cannot be finalised now, it is tried again", zap.Error(want))
		}
		last = !r.rest(wait)
	}
}

// finaliseOnce is one attempt, when there is a free place.
func (r *Recorder) finaliseOnce(rec *recording) (store.Manifest, error) {
	by := r.finishing
	select {
	case r.slots <- struct{}{}:
		by.free = sync.OnceFunc(func() { <-r.slots })
		defer by.free()
	case <-r.ctx.Done():
	}
	return rec.finaliseSafely(r.ctx, by)
}

// rest waits, and reports whether it was long enough: false when Close was called.
func (r *Recorder) rest(d time.Duration) bool { return wait(r.stopping, d) }

// wait waits, and reports whether it was long enough.
func wait(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
