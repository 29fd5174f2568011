package load

import (
	"context"
	"time"
)

// look waits for the files and searches them.
func (r *runner) look(ctx context.Context, began time.Time) error {
	if r.cfg.Files == "" || ctx.Err() != nil {
		return nil
	}
	// The clock of a file system may be a little behind.
	s := &shelf{dir: r.cfg.Files, since: began.Add(-2 * time.Second), code: r.code, hauls: make(map[string]*haul)}
	want := 0
	for _, st := range r.streams {
		if st != nil && st.next > 0 {
			want++
		}
	}
	r.say("waiting for the files of %d streams", want)
	end := time.Now().Add(r.cfg.Wait)
	for {
		if err := r.settle(ctx, s, want, end); err != nil {
			return err
		}
		r.server.mark("settled")
		paths, err := s.list()
		if err != nil {
			return err
		}
		news := s.news(paths)
		r.say("reading %d files", len(news))
		if err := s.read(ctx, news); err != nil {
			return err
		}
		found := s.sum(r.streams)
		r.report.Files = &found
		if found.Missing == 0 || !time.Now().Before(end) {
			return nil
		}
	}
}

// settle waits until there are as many new files as streams, or nothing new has come
// for some seconds, or the time is over. Listing is all it does: reading would take
// the processor from the server.
func (r *runner) settle(ctx context.Context, s *shelf, want int, end time.Time) error {
	const patience = 5 * time.Second
	last, since := -1, time.Now()
	for {
		paths, err := s.list()
		if err != nil {
			return err
		}
		news := s.news(paths)
		if len(news) != last {
			last, since = len(news), time.Now()
		}
		now := time.Now()
		if len(s.hauls) == 0 && len(news) >= want || now.Sub(since) >= patience && len(news) > 0 || !now.Before(end) {
			return nil
		}
		if !pause(ctx, 250*time.Millisecond) {
			return ctx.Err()
		}
	}
}
