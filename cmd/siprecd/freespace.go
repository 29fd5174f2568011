package main

import (
	"context"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.uber.org/zap"
)

// A size is a number of octets.
type size uint64

type sizeUnit struct {
	name   string
	octets uint64
}

// binaryUnits are those that a size is written in, the largest first.
func binaryUnits() []sizeUnit {
	return []sizeUnit{{"TiB", 1 << 40}, {"GiB", 1 << 30}, {"MiB", 1 << 20}, {"KiB", 1 << 10}}
}

// sizeUnits are those that it may be given in; none ends like one before it.
func sizeUnits() []sizeUnit {
	return append(binaryUnits(), sizeUnit{"kB", 1e3}, sizeUnit{"MB", 1e6}, sizeUnit{"GB", 1e9}, sizeUnit{"TB", 1e12}, sizeUnit{"B", 1}, sizeUnit{"", 1})
}

// UnmarshalText reads 0, 500MB, 1GiB or 1.5GiB.
func (s *size) UnmarshalText(text []byte) error {
	for _, u := range sizeUnits() {
		number, ok := strings.CutSuffix(string(text), u.name)
		if !ok {
			continue
		}
		n, err := strconv.ParseFloat(strings.TrimSpace(number), 64)
		if octets := n * float64(u.octets); err == nil && octets >= 0 && octets < math.MaxInt64 {
			*s = size(octets)
			return nil
		}
		break
	}
	return fmt.Errorf("%q is no size such as 500MB or 1GiB", text)
}

// String writes it in the largest unit of which there is one, with two digits after
// the point.
func (s size) String() string {
	for _, u := range binaryUnits() {
		if uint64(s) >= u.octets {
			hundredths := uint64(float64(s) / float64(u.octets) * 100)
			return strconv.FormatFloat(float64(hundredths)/100, 'f', -1, 64) + u.name
		}
	}
	return strconv.FormatUint(uint64(s), 10) + "B"
}

// A freeSpace watches the space that is left where the recordings go. One that is nil
// is never low.
type freeSpace struct {
	dir     string
	least   size
	measure func(dir string) (uint64, error)
	log     *zap.Logger

	isLow   atomic.Bool
	failing bool // the last measurement failed; of the goroutine that looks

	stop    context.CancelFunc
	looking sync.WaitGroup
}

// watchSpace watches the free space where the recordings go: at once, and then each
// second until close. It is nil without a mark.
func (s settings) watchSpace(log *zap.Logger) *freeSpace {
	if s.MinFree == 0 {
		return nil
	}
	f := &freeSpace{dir: s.Data, least: s.MinFree, measure: freeAt, log: log}
	if f.look() {
		f.begin(everySecond)
	}
	return f
}

func everySecond() (<-chan time.Time, func()) {
	ticker := time.NewTicker(time.Second)
	return ticker.C, ticker.Stop
}

// begin looks again at each tick until close.
func (f *freeSpace) begin(ticker func() (ticks <-chan time.Time, stop func())) {
	ctx, stop := context.WithCancel(context.Background())
	f.stop = stop
	ticks, stopTicks := ticker()
	f.looking.Go(func() {
		defer stopTicks()
		f.watch(ctx, ticks)
	})
}

func (f *freeSpace) watch(ctx context.Context, ticks <-chan time.Time) {
	for {
		select {
		case <-ticks:
			f.look()
		case <-ctx.Done():
			return
		}
	}
}

// look measures; false where that cannot be done. What cannot be measured changes
// nothing. It is over a twentieth above the mark only, so that it does not begin and
// end each second.
func (f *freeSpace) look() bool {
	free, err := f.measure(f.dir)
	switch low := f.isLow.Load(); {
	case errors.Is(err, errors.ErrUnsupported):
		f.log.Info("free space cannot be measured on this system: min-free has no effect")
		return false
	case err != nil:
		if !f.failing {
			f.log.Warn("free space cannot be measured", zap.String("data", f.dir), zap.Error(err))
		}
		f.failing = true
		return true
	case !low && free < uint64(f.least):
		f.isLow.Store(true)
		f.log.Warn("disk is nearly full: no new recording session is taken, those that are up go on",
			zap.String("data", f.dir), zap.Stringer("free", size(free)), zap.Stringer("min_free", f.least))
	case low && free >= uint64(f.least)+uint64(f.least)/20:
		f.isLow.Store(false)
		f.log.Info("disk has room again: new recording sessions are taken",
			zap.String("data", f.dir), zap.Stringer("free", size(free)), zap.Stringer("min_free", f.least))
	}
	f.failing = false
	return true
}

// low is the Unavailable of siprec.Config.
func (f *freeSpace) low() string {
	if f != nil && f.isLow.Load() {
		return "the recording server is short of disk space"
	}
	return ""
}

// close ends the watch.
func (f *freeSpace) close() {
	if f != nil && f.stop != nil {
		f.stop()
		f.looking.Wait()
	}
}
