package notify

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/zap"
	"go.uber.org/zap/zaptest/observer"

	"github.com/siprecd/siprecd/recorder"
)

// A receiver answers deliveries as a script says, and keeps what it accepted.
type receiver struct {
	t       *testing.T
	reply   func(got []message, dropped uint64) (status int, header http.Header)
	got     []message
	dropped uint64
	tries   []time.Time
	sizes   []int // notices of each try
}

// exchange orders what a receiver does after what its test did before time passed.
var exchange sync.Mutex

func (r *receiver) RoundTrip(req *http.Request) (*http.Response, error) {
	exchange.Lock()
	defer exchange.Unlock()
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil, err
	}
	var e struct {
		Version int
		Dropped uint64
		Notices []message
	}
	if err := json.Unmarshal(body, &e); err != nil || e.Version != 1 || len(e.Notices) == 0 {
		r.t.Errorf("body %s, %v", body, err)
	}
	stamp, _, _ := strings.Cut(strings.TrimPrefix(req.Header.Get(SignatureHeader), "t="), ",")
	if got := req.Header.Get(SignatureHeader); stamp != fmt.Sprint(time.Now().Unix()) || got != sign([]string{secret}, time.Now(), body) {
		r.t.Errorf("signature %s at %d", got, time.Now().Unix())
	}
	if req.Method != http.MethodPost || req.Header.Get("Content-Type") != "application/json" || req.Header.Get("User-Agent") != "siprecd" {
		r.t.Errorf("%s with %v", req.Method, req.Header)
	}
	r.tries, r.sizes = append(r.tries, time.Now()), append(r.sizes, len(e.Notices))
	status, header := r.reply(e.Notices, e.Dropped)
	if status == 0 {
		return nil, errors.New("nobody there")
	}
	if status == 200 {
		r.got = append(r.got, e.Notices...)
		r.dropped += e.Dropped
	}
	return &http.Response{StatusCode: status, Header: header, Body: io.NopCloser(bytes.NewReader(nil)), Request: req}, nil
}

// words are those of what the receiver has, in the order in which it came.
func (r *receiver) words() string {
	var out []string
	for _, m := range r.got {
		out = append(out, m.Words)
	}
	return strings.Join(out, " ")
}

func always(status int) func([]message, uint64) (int, http.Header) {
	return func([]message, uint64) (int, http.Header) { return status, nil }
}

func (r *receiver) config(dir string) Config {
	return Config{URL: "https://cti.example.com/hook", Secrets: []string{secret}, Dir: dir, Client: &http.Client{Transport: r}}
}

func started(t *testing.T, cfg Config) *Notifier {
	t.Helper()
	n, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *Notifier) end(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	if err := n.Close(ctx); err != nil {
		t.Error(err)
	}
}

func say(n *Notifier, recording string, words ...string) {
	for _, w := range words {
		n.Notify(recorder.Notice{At: t0, Type: recorder.NoticeCauseAdded, Recording: recording, Words: w})
	}
}

// All is delivered once, in order, with an id and its place in the sequence of its
// recording.
func TestDelivers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, reply: always(200)}
		n := started(t, r.config(t.TempDir()))
		for i := range 500 {
			say(n, fmt.Sprint("r", i%7), fmt.Sprint(i))
		}
		n.Notify(recorder.Notice{At: t0, Type: recorder.NoticeAlarm, Alarm: recorder.AlarmDisk})
		synctest.Wait()
		n.end(t)
		if len(r.got) != 501 || slices.Max(r.sizes) > mostTogether || len(r.sizes) < 6 {
			t.Fatalf("%d notices in %v", len(r.got), r.sizes)
		}
		ids := make(map[string]bool)
		for i, m := range r.got[:500] {
			ids[m.ID] = true
			if m.Words != fmt.Sprint(i) || m.Recording != fmt.Sprint("r", i%7) || m.Sequence != uint64(i/7+1) || !m.At.Equal(t0) {
				t.Fatalf("notice %d is %+v", i, m)
			}
		}
		if len(ids) != 500 || r.got[500].Sequence != 0 || len(r.got[500].ID) != 32 {
			t.Errorf("%d ids; the last is %+v", len(ids), r.got[500])
		}
	})
}

// A receiver that is down is tried again, ever less often, and then gets all that it
// has missed, in order; nobody else is kept waiting.
func TestReceiverIsDown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{0, 500, 503, 404, 401, 301, 429} {
			r := &receiver{t: t, reply: always(status)}
			core, logs := observer.New(zap.InfoLevel)
			cfg := r.config(t.TempDir())
			cfg.Log = zap.New(core)
			n := started(t, cfg)
			begin := time.Now()
			say(n, "a", "1", "2")
			pass(6 * time.Hour)
			say(n, "b", "3")
			synctest.Wait()
			for i := 1; i < len(r.tries); i++ {
				most := min(time.Second<<min(i-1, 20), 10*time.Minute)
				if wait := r.tries[i].Sub(r.tries[i-1]); wait < most/2 || wait > most {
					t.Errorf("status %d: try %d comes after %v, want %v to %v", status, i+1, wait, most/2, most)
				}
			}
			if len(r.tries) < 40 || len(r.tries) > 90 || !r.tries[0].Equal(begin) {
				t.Errorf("status %d: %d tries, the first after %v", status, len(r.tries), r.tries[0].Sub(begin))
			}
			r.reply = always(200)
			pass(10 * time.Minute)
			synctest.Wait()
			if r.words() != "1 2 3" || r.dropped != 0 {
				t.Errorf("status %d: got %s, %d dropped", status, r.words(), r.dropped)
			}
			if down, up := logs.FilterMessageSnippet("does not take").Len(), logs.FilterMessageSnippet("again").Len(); down != 1 || up != 2 {
				t.Errorf("status %d: the log tells %d times that it is down, %v", status, down, logs.All())
			}
			n.end(t)
		}
	})
}

// What could not be delivered for a day is given up, counted, told in the log and in
// the next delivery, once.
func TestGivesUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, reply: always(503)}
		core, logs := observer.New(zap.ErrorLevel)
		cfg := r.config(t.TempDir())
		cfg.Log = zap.New(core)
		n := started(t, cfg)
		say(n, "a", "1", "2")
		pass(12 * time.Hour)
		if waiting, given := n.Figures(); waiting != 2 || given != 0 {
			t.Errorf("after half a day %d wait and %d are given up", waiting, given)
		}
		say(n, "a", "3")
		pass(13 * time.Hour)
		if waiting, given := n.Figures(); waiting != 1 || given != 2 {
			t.Errorf("after a day %d wait and %d are given up", waiting, given)
		}
		r.reply = always(200)
		pass(time.Hour)
		say(n, "a", "4")
		synctest.Wait()
		n.end(t)
		if r.words() != "3 4" || r.dropped != 2 || r.got[0].Sequence != 3 {
			t.Errorf("got %s, %d dropped, %+v", r.words(), r.dropped, r.got)
		}
		given := logs.FilterMessageSnippet("given up").All()
		if len(given) != 1 || given[0].ContextMap()["notices"] != int64(2) {
			t.Errorf("log %v", given)
		}
	})
}

// A receiver may say when it wants to be asked again, up to an hour.
func TestRetryAfterIsHonoured(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t}
		r.reply = func([]message, uint64) (int, http.Header) {
			switch len(r.tries) {
			case 1:
				return 503, http.Header{"Retry-After": {"120"}}
			case 2:
				return 429, http.Header{"Retry-After": {time.Now().Add(10 * time.Minute).UTC().Format(http.TimeFormat)}}
			case 3:
				return 503, http.Header{"Retry-After": {"100000"}}
			}
			return 200, nil
		}
		n := started(t, r.config(t.TempDir()))
		say(n, "a", "1")
		pass(3 * time.Hour)
		n.end(t)
		var waits []time.Duration
		for i := 1; i < len(r.tries); i++ {
			waits = append(waits, r.tries[i].Sub(r.tries[i-1]).Round(time.Second))
		}
		if want := []time.Duration{2 * time.Minute, 10 * time.Minute, time.Hour}; !slices.Equal(waits, want) || r.words() != "1" {
			t.Errorf("waited %v, want %v; got %s", waits, want, r.words())
		}
	})
}

// 410 ends all tries until the next start, which has what waited.
func TestReceiverIsGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, reply: always(410)}
		dir := t.TempDir()
		n := started(t, r.config(dir))
		say(n, "a", "1")
		pass(time.Hour)
		say(n, "a", "2")
		pass(10 * time.Hour)
		if len(r.tries) != 1 {
			t.Errorf("%d tries", len(r.tries))
		}
		n.end(t)
		r.reply = always(200)
		n = started(t, r.config(dir))
		synctest.Wait()
		n.end(t)
		if r.words() != "1 2" {
			t.Errorf("after the start it gets %s", r.words())
		}
	})
}

// A notice that the receiver cannot stand costs its own recording a wait, and no other.
func TestOneNoticeIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t}
		bad := true
		r.reply = func(got []message, _ uint64) (int, http.Header) {
			if bad && slices.ContainsFunc(got, func(m message) bool { return m.Words == "bad" }) {
				return 422, nil
			}
			return 200, nil
		}
		n := started(t, r.config(t.TempDir()))
		say(n, "b", "b1")
		say(n, "a", "a1", "bad", "a3")
		for i := range 300 {
			say(n, "b", fmt.Sprint("x", i))
		}
		pass(30 * time.Minute)
		say(n, "b", "b2")
		pass(2 * time.Second)
		if len(r.got) != 303 || strings.Contains(r.words(), "a3") || !strings.HasPrefix(r.words(), "b1 a1 x0 x1 ") || !strings.HasSuffix(r.words(), " b2") {
			t.Errorf("%d got: %s", len(r.got), r.words())
		}
		if len(r.tries) > 40 {
			t.Errorf("%d tries", len(r.tries))
		}
		bad = false
		pass(11 * time.Minute)
		synctest.Wait()
		n.end(t)
		if !strings.HasSuffix(r.words(), " b2 bad a3") {
			t.Errorf("got at last %s", r.words()[len(r.words())-40:])
		}
	})
}

// The outbox is bounded while the receiver is down: the newest stay, and the count of
// what is lost is told once.
func TestOutboxOverflows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, reply: always(0)}
		cfg := r.config(t.TempDir())
		cfg.Size = 20_000
		n := started(t, cfg)
		for i := range 1000 {
			say(n, "a", fmt.Sprint(i))
			synctest.Wait()
		}
		r.reply = always(200)
		pass(time.Hour)
		say(n, "a", "end")
		synctest.Wait()
		n.end(t)
		if len(r.got)+int(r.dropped) != 1001 || r.dropped < 800 || r.got[len(r.got)-2].Words != "999" {
			t.Errorf("%d got, %d dropped", len(r.got), r.dropped)
		}
		for i, m := range r.got[:len(r.got)-1] {
			if want := fmt.Sprint(int(r.dropped) + i); m.Words != want {
				t.Fatalf("notice %d is %s, want %s", i, m.Words, want)
			}
		}
	})
}

// What is handed over faster than it can be written is counted too, and nobody waits.
func TestHandedOverTooFast(t *testing.T) {
	n := &Notifier{handed: make(chan recorder.Notice, 3)}
	say(n, "a", "1", "2", "3", "4", "5")
	if len(n.handed) != 3 || n.overflow.Load() != 2 {
		t.Errorf("%d handed over, %d too many", len(n.handed), n.overflow.Load())
	}
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, reply: always(200)}
		n := started(t, r.config(t.TempDir()))
		n.overflow.Store(7)
		say(n, "a", "1")
		synctest.Wait()
		n.end(t)
		if r.dropped != 7 {
			t.Errorf("%d dropped", r.dropped)
		}
	})
}

// A process that is killed at any time leaves what the receiver does not have to the
// next: each notice comes at least once, in the order of its recording, under one id.
func TestKilled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &receiver{t: t, reply: always(200)}
		n := started(t, r.config(dir))
		var images []string
		var had []int // of the receiver at each image
		for i := range 60 {
			r.reply = always([]int{200, 0, 500}[i/7%3])
			say(n, fmt.Sprint("r", i%3), fmt.Sprint(i))
			pass(time.Duration(i%5) * 300 * time.Millisecond)
			synctest.Wait()
			images, had = append(images, copied(t, dir)), append(had, len(r.got))
		}
		r.reply = always(200)
		pass(time.Minute)
		n.end(t)
		first := slices.Clone(r.got)
		for i, image := range images {
			second := &receiver{t: t, reply: always(200)}
			n := started(t, second.config(image))
			synctest.Wait()
			n.end(t)
			all := append(slices.Clone(first[:had[i]]), second.got...)
			ids := make(map[string]string)
			sequence := make(map[string]uint64)
			for _, m := range all {
				if w, known := ids[m.ID]; known && w != m.Words {
					t.Fatalf("one id for %s and %s", w, m.Words)
				} else if !known && m.Sequence != sequence[m.Recording]+1 {
					t.Fatalf("killed after %d: %s has %d after %d", i+1, m.Recording, m.Sequence, sequence[m.Recording])
				}
				ids[m.ID] = m.Words
				sequence[m.Recording] = max(m.Sequence, sequence[m.Recording])
			}
			if len(ids) != i+1 {
				t.Fatalf("killed after %d notices: %d came", i+1, len(ids))
			}
		}
	})
}

// What was handed over before Settle returns outlives the process; Settle never waits for
// long, also when there is nobody to settle anything.
func TestSettle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &receiver{t: t, reply: always(500)}
		n := started(t, r.config(dir))
		for i := range 50 {
			say(n, "a", fmt.Sprint(i))
			n.Settle()
			o := opened(t, copied(t, dir), 1<<20)
			if got := strings.Fields(waits(t, o)); len(got) != i+1 {
				t.Fatalf("%d notices outlive, want %d", len(got), i+1)
			}
		}
		n.end(t)
		n.Settle()
		begin := time.Now()
		(&Notifier{settling: make(chan chan struct{}), stopped: make(chan struct{})}).Settle()
		if d := time.Since(begin); d != settleTime {
			t.Errorf("settling takes %v", d)
		}
	})
}

// Close delivers what waits, also when it was about to wait before the next try, and
// gives up at once when that fails.
func TestCloseFlushes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, status := range []int{200, 500} {
			r := &receiver{t: t, reply: always(500)}
			dir := t.TempDir()
			n := started(t, r.config(dir))
			for i := range 250 {
				say(n, "a", fmt.Sprint(i))
			}
			pass(time.Hour)
			tries, begin := len(r.tries), time.Now()
			r.reply = always(status)
			say(n, "a", "end")
			n.end(t)
			switch {
			case time.Since(begin) != 0:
				t.Errorf("status %d: closing takes %v", status, time.Since(begin))
			case status == 200 && (len(r.got) != 251 || r.got[250].Words != "end"):
				t.Errorf("%d came", len(r.got))
			case status == 500 && len(r.tries) != tries+1:
				t.Errorf("%d tries at the end", len(r.tries)-tries)
			}
		}
	})
}

// Close ends when its time is over, also when the receiver does not answer, and what
// was not accepted is there at the next start.
func TestCloseIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := &receiver{t: t, reply: always(200)}
		cfg := r.config(dir)
		cfg.Client = &http.Client{Transport: silent{}}
		n := started(t, cfg)
		say(n, "a", "1")
		synctest.Wait()
		begin := time.Now()
		n.end(t)
		if d := time.Since(begin); d != 5*time.Second {
			t.Errorf("closing takes %v", d)
		}
		n = started(t, r.config(dir))
		synctest.Wait()
		n.end(t)
		if r.words() != "1" {
			t.Errorf("got %s", r.words())
		}
	})
}

// silent is a receiver that never answers.
type silent struct{}

func (silent) RoundTrip(req *http.Request) (*http.Response, error) {
	<-req.Context().Done()
	return nil, req.Context().Err()
}

// A receiver that never answers is given 10 s for each try.
func TestReceiverDoesNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := &receiver{t: t, reply: always(200)}
		cfg := r.config(t.TempDir())
		cfg.Client = &http.Client{Transport: silent{}}
		core, logs := observer.New(zap.InfoLevel)
		cfg.Log = zap.New(core)
		n := started(t, cfg)
		say(n, "a", "1")
		pass(tryTime - 1)
		synctest.Wait()
		if logs.Len() > 0 {
			t.Errorf("too early: %v", logs.All())
		}
		pass(time.Nanosecond)
		synctest.Wait()
		if got := logs.FilterMessageSnippet("does not take").All(); len(got) != 1 || got[0].ContextMap()["answer"] != context.DeadlineExceeded.Error() {
			t.Errorf("log %v", logs.All())
		}
		n.end(t)
	})
}

func TestNewRefuses(t *testing.T) {
	dir := t.TempDir()
	for name, cfg := range map[string]Config{
		"no URL":       {Secrets: []string{secret}, Dir: dir},
		"plain http":   {URL: "http://cti.example.com", Secrets: []string{secret}, Dir: dir},
		"no secret":    {URL: "https://cti.example.com", Dir: dir},
		"short secret": {URL: "https://cti.example.com", Secrets: []string{"short"}, Dir: dir},
		"no folder":    {URL: "https://cti.example.com", Secrets: []string{secret}, Dir: filepath.Join(dir, "file", "x")},
	} {
		if name == "no folder" {
			writeFile(t, filepath.Join(dir, "file"))
		}
		if n, err := New(cfg); err == nil {
			t.Errorf("%s: taken", name)
			n.end(t)
		}
	}
}

// pass lets time pass, and all happen that is due then.
func pass(d time.Duration) {
	exchange.Lock() // what the test did comes before what happens now
	defer synctest.Wait()
	exchange.Unlock()
	time.Sleep(d)
}
