package media

import (
	"testing"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zapcore"
)

// A reader that lets packets lie dates them by their real age, while the clock of the
// tests stands still: their instants are up to longestSweep earlier than it shows.
func TestReceiverLatches(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		clock := newFakeClock()
		cfg.Now = clock.now
		r := open(t, newPlane(t, cfg), loopback4)
		announcedSrc := newSender(t, "127.0.0.1")
		otherPort := newSender(t, "127.0.0.1")
		otherHost := newSender(t, "127.0.0.2")
		box := newMailbox()
		r.Attach(box)
		r.Expect(Expected{RTP: announcedSrc.addr(), At: clock.instant()})

		// Nobody who is announced sends, so after a second a stranger is taken.
		clock.dated(t, func() { otherHost.rtp(r, 9, 1) })
		clock.advance(600 * time.Millisecond)
		clock.dated(t, func() { otherHost.rtp(r, 9, 2) })
		clock.advance(700 * time.Millisecond)
		otherHost.rtp(r, 9, 3)
		box.want(t, 9, 2, 3) // the first is too old by now
		if st := r.Stats(); !st.Flagged || st.Source != otherHost.addr() {
			t.Errorf("stats %+v", st)
		}

		// Until the announced source comes, although the stranger is live.
		clock.advance(10 * time.Second)
		otherHost.rtp(r, 9, 4)
		announcedSrc.rtp(r, 1, 100)
		otherHost.rtp(r, 9, 5)
		announcedSrc.rtp(r, 1, 101)
		box.want(t, 9, 4)
		box.want(t, 1, 100, 101)

		// Another port of its host waits until it is silent.
		otherPort.rtp(r, 2, 500)
		announcedSrc.rtp(r, 1, 102)
		box.want(t, 1, 102)
		clock.advance(600 * time.Millisecond)
		otherPort.rtp(r, 2, 501)
		box.want(t, 2, 500, 501)
		if st := r.Stats(); st.Source != otherPort.addr() || st.Rebinds != 2 || st.Strangers != 1 {
			t.Errorf("stats %+v", st)
		}

		// SSRC and sequence go on: at once.
		announcedSrc.rtp(r, 2, 502)
		box.want(t, 2, 502)
		r.Drain()
		if st := r.Stats(); st.Source != announcedSrc.addr() || st.Rebinds != 3 || len(box) != 0 {
			t.Errorf("stats %+v, %d too many", st, len(box))
		}
	})
}

func TestReceiverFollowsAnOfferAfterHold(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		clock := newFakeClock()
		cfg.Now = clock.now
		r := open(t, newPlane(t, cfg), loopback4)
		before, after := newSender(t, "127.0.0.1"), newSender(t, "127.0.0.1")
		box := newMailbox()
		r.Attach(box)
		r.Expect(Expected{RTP: before.addr(), At: clock.instant()})
		before.rtp(r, 1, 1)
		box.want(t, 1, 1)

		// On hold, then resumed from another port, while the tail of the first is
		// still on its way.
		clock.advance(time.Minute)
		before.rtp(r, 1, 2)
		r.Expect(Expected{At: clock.instant()})
		clock.advance(100 * time.Millisecond)
		before.rtp(r, 1, 3)
		after.rtp(r, 2, 50)
		box.want(t, 1, 2, 3)
		r.Expect(Expected{RTP: after.addr(), At: clock.instant()})
		after.rtp(r, 2, 51)
		before.rtp(r, 1, 4)
		after.rtp(r, 2, 52)
		box.want(t, 2, 50, 51, 52)
		r.Drain()
		if st := r.Stats(); st.Rebinds != 1 || st.Flagged || len(box) != 0 {
			t.Errorf("stats %+v, %d too many", st, len(box))
		}
	})
}

func TestReaderWipesWhatWaitsWithoutTraffic(t *testing.T) {
	eachReader(t, func(t *testing.T, cfg Config) {
		w := warnings{zapcore.NewNopCore(), make(chan string, 10)}
		cfg.Log = zap.New(w)
		r := open(t, newPlane(t, cfg), loopback4)
		src, stranger := newSender(t, "127.0.0.1"), newSender(t, "127.0.0.2")
		box := newMailbox()
		r.Attach(box)
		r.Expect(Expected{RTP: src.addr()})
		src.rtp(r, 1, 1)
		stranger.rtp(r, 2, 1)
		box.want(t, 1, 1)
		select {
		case <-w.seen: // the reader woke by itself
		case <-time.After(patience):
			t.Fatal("what waits was not wiped")
		}
		if st := r.Stats(); st.Strangers != 1 {
			t.Errorf("stats %+v", st)
		}
		src.rtp(r, 1, 2) // and reads on
		box.want(t, 1, 2)
	})
}
