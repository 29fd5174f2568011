package observe

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"
)

// again is how long to wait before files are looked at once more.
const again = 100 * time.Millisecond

// A Recorded is a recording session that is over, as it was on the wire.
type Recorded struct {
	CallID  string
	Began   time.Time // before its INVITE
	Parties []Party
}

// Found is what was heard of a recording session.
type Found struct {
	Parties  []Party
	Channels []*Channel // those in which one of the parties is heard
	Unread   []string   // files that cannot be read, and why
	// Took is how long it took until everything was there, or until it was waited for
	// no longer.
	Took time.Duration
}

// Look waits until every part that has to be in a file is in one, or the wait of the
// observer or the time of ctx is over, and says what is heard. An error says that files could not be
// looked for.
func (o *Observer) Look(ctx context.Context, r Recorded) (*Found, error) {
	codes, err := bothCodes()
	if err != nil {
		return nil, err
	}
	s := &search{observer: o, recorded: r, codes: codes, read: make(map[string]reading)}
	start := time.Now()
	timer := time.NewTimer(again)
	defer timer.Stop()
	var last *Found
	for {
		begin := time.Now()
		late := begin.Sub(start) >= o.wait
		f, err := s.once(ctx, late)
		if f != nil {
			last = f
		}
		if f != nil && (late || len(f.missing()) == 0) {
			f.Took = time.Since(start)
			return f, nil
		}
		if err != nil && late {
			return nil, fmt.Errorf("look for files: %w", err)
		}
		timer.Reset(max(again, time.Since(begin))) // a great folder is not looked through all the time
		select {
		case <-timer.C:
		case <-ctx.Done():
			if last != nil && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				last.Took = time.Since(start)
				return last, nil
			}
			return nil, fmt.Errorf("look for files: %w", errors.Join(ctx.Err(), err))
		}
	}
}

// search is one Look.
type search struct {
	observer *Observer
	recorded Recorded
	codes    map[string]*Code
	read     map[string]reading // by name
}

// reading is what a file held when it was read.
type reading struct {
	mark     string
	channels []*Channel
	problem  string
}

// missingIn says whether a channel holds some of what a party said, and not all.
func (f *Found) missingIn(c *Channel) bool {
	return slices.ContainsFunc(f.Parties, func(p Party) bool {
		return c.holds(p) && slices.ContainsFunc(p.kept(), func(part Part) bool { return len(c.places(part)) == 0 })
	})
}

// once looks at the files that are there. With effort it looks also for packets that are
// only alike.
func (s *search) once(ctx context.Context, effort bool) (*Found, error) {
	files, err := s.observer.files(ctx, s.recorded.CallID, s.recorded.Began)
	if err != nil {
		return nil, err
	}
	f := &Found{Parties: s.recorded.Parties}
	for _, one := range files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		known, seen := s.read[one.name]
		if seen = seen && known.mark == one.mark; !seen {
			if known, err = s.open(one); errors.Is(err, fs.ErrNotExist) {
				continue
			} else if err != nil {
				return nil, err
			}
			s.read[one.name] = known
		}
		if known.problem != "" {
			f.Unread = append(f.Unread, known.problem)
		}
		for _, c := range known.channels {
			if effort || c.Rate != rate || seen && f.missingIn(c) {
				c.listenWell(s.codes, s.recorded.Parties)
			}
			for _, p := range s.recorded.Parties {
				if c.holds(p) {
					f.Channels = append(f.Channels, c)
					break
				}
			}
		}
	}
	return f, nil
}

func (s *search) open(one file) (reading, error) {
	content, err := one.read()
	if err != nil {
		return reading{}, err
	}
	list, err := channels(one.name, content)
	out := reading{mark: one.mark, channels: list}
	if err != nil {
		out.problem = one.name + ": " + err.Error()
	}
	for _, c := range list {
		c.listen(s.codes)
	}
	return out, nil
}
