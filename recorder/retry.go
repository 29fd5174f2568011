package recorder

import (
	"errors"
	"syscall"
	"time"

	"go.uber.org/zap"

	"github.com/siprecd/siprecd/recorder/store"
)

// A finaliser that fails for want of something that the machine may have again later
// tries again after firstRetry, and then each time twice as late, up to lastRetry.
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

// finaliseInTime finalises a recording, again and again while that fails for want of
// what may come back, and once more when Close is called. The capture has all of it
// meanwhile.
func (r *Recorder) finaliseInTime(in *interaction) (store.Manifest, error) {
	last := false
	for wait := firstRetry; ; wait = min(2*wait, lastRetry) {
		m, err := r.finaliseOnce(in)
		want := mayPass(err)
		if want == nil || last {
			return m, err
		}
		if wait == firstRetry { // the whole error may name a file, and that a person
			in.log.Error("recording cannot be finalised now, it is tried again", zap.Error(want))
		}
		last = !r.rest(wait)
	}
}

// finaliseOnce is one attempt, when there is a free place.
func (r *Recorder) finaliseOnce(in *interaction) (store.Manifest, error) {
	select {
	case r.slots <- struct{}{}:
		defer func() { <-r.slots }()
	case <-r.ctx.Done():
	}
	return in.finaliseSafely(r.ctx, r.finishing)
}

// rest waits, and reports whether it was long enough: false when Close was called.
func (r *Recorder) rest(d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-r.stopping.Done():
		return false
	}
}
