package recorder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// lingering is linking that remembers what is over, and waits for nothing.
func lingering(t *testing.T, dir, file string) *Recorder {
	t.Helper()
	r := linking(t, dir, file)
	r.cfg.Grace, r.cfg.Linger = 0, time.Minute
	return r
}

// twoCalls serves two recording sessions at once: all of the second after the first
// steps of the first.
func twoCalls(t *testing.T, r *Recorder, first, then []func(*fake) *siprec.Event, late ...func(*fake) *siprec.Event) {
	t.Helper()
	g := newFake(t, append(then, late...)...)
	g.callID = "c2"
	f := newFake(t, append(first, func(*fake) *siprec.Event { r.serve(context.Background(), g); return nil }, ended(9))...)
	r.serve(t.Context(), f)
}

// until waits for a live interaction to be as it should.
func until(t *testing.T, r *Recorder, q Query, is func(State) bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); ; {
		list := r.Find(q)
		if len(list) == 1 && is(list[0]) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("interactions are %+v", list)
		}
	}
}

// TestMergedLate: two recording sessions of which it comes out late that they record one
// call go on as one interaction: what was paused in one is paused in both, the rest goes
// into the recording of the older, and the younger one's stays as far as it came.
func TestMergedLate(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("    control: all\n", ""))
	one, other := inGroup("group-0001", "cs-0000001", alice, customer), inGroup("group-0002", "cs-0000002", carol, again)
	joined := inGroup("group-0001", "cs-0000002", carol, again)
	whole := func(s State) bool { return len(s.CallIDs) == 2 }
	twoCalls(t, r,
		[]func(*fake) *siprec.Event{offered(both, one), talk(1, 2, 0, 1), commanded1(r, Query{CallID: "c1@example.com"}, Command{Action: ActPause, Party: "p1", At: sec(1)})},
		[]func(*fake) *siprec.Event{offeredAt(2, both, other), talk(0, 3, 2, 3), talk(1, 4, 2, 3)},
		changed(3, nil, joined), func(f *fake) *siprec.Event { until(t, r, Query{CallID: "c2"}, whole); return nil },
		talk(0, 3, 3, 4), talk(1, 4, 3, 4),
		commanded1(r, Query{CallID: "c2"}, Command{Action: ActResume, Party: "q1", At: sec(4)}),
		talk(0, 3, 4, 5), talk(1, 4, 4, 5), ended(5))
	made := manifests(t, r)
	if len(made) != 2 {
		t.Fatalf("%d recordings", len(made))
	}
	older, younger := made[0], made[1]
	if younger.Into != older.Recording || !slices.Equal(older.Parts, []string{younger.Recording}) || younger.EndReason != "merged" {
		t.Errorf("%s is part of %s, which has %v; it ended for %s", younger.Recording, younger.Into, older.Parts, younger.EndReason)
	}
	for _, s := range younger.Streams {
		if want := []store.Interval{{FromMS: 0, ToMS: 1000}}; !slices.Equal(s.Permitted, want) || s.Packets.Kept != 50 {
			t.Errorf("of the younger one stream %s: %v, %+v", s.ID, s.Permitted, s.Packets)
		}
	}
	kept := map[string]uint64{}
	for _, s := range older.Streams {
		kept[s.ID] = s.Packets.Kept
		if want := []store.Interval{{FromMS: 4000, ToMS: 5000}}; strings.HasPrefix(s.ID, "2/") && !slices.Equal(s.Permitted, want) {
			t.Errorf("stream %s: %v", s.ID, s.Permitted)
		}
	}
	if want := map[string]uint64{"0.0": 0, "1.0": 50, "2/0.0": 50, "2/1.0": 50}; !mapsEqual(kept, want) {
		t.Errorf("kept of the older one %v", kept)
	}
	// On two streams at once he has a file for each.
	want := []string{"02-4930123456.wav metadata [p2] [1.0]", "03-4930123456.wav metadata [p2] [2/1.0]", "04-carol.wav metadata [q1] [2/0.0]"}
	if got := filesOf(older); !slices.Equal(got, want) {
		t.Errorf("files %v, want %v", got, want)
	}
	folder, _ := store.Folder(r.cfg.Dir, older.Recording)
	if !strings.Contains(journalEvents(t, folder), lineMerged) {
		t.Error("the journal says nothing of it")
	}
}

func mapsEqual(a, b map[string]uint64) bool {
	for k, v := range b {
		if a[k] != v {
			return false
		}
	}
	return len(a) == len(b)
}

// TestVoidReachesAllParts: a no erases what was recorded of the same interaction before
// it was known to be that.
func TestVoidReachesAllParts(t *testing.T) {
	r := linking(t, t.TempDir(), trunkFile("", ""))
	twoCalls(t, r,
		[]func(*fake) *siprec.Event{offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(1, 2, 0, 1)},
		[]func(*fake) *siprec.Event{offeredAt(2, both, inGroup("group-0002", "cs-0000002", carol, again)), talk(0, 3, 2, 3)},
		changed(3, nil, inGroup("group-0001", "cs-0000002", carol, again)),
		func(f *fake) *siprec.Event {
			until(t, r, Query{CallID: "c2"}, func(s State) bool { return len(s.CallIDs) == 2 })
			return nil
		},
		commanded1(r, Query{CallID: "c2"}, Command{Action: ActConsentRefused, At: sec(4)}), ended(5))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	list, err := store.List(r.cfg.Dir)
	if err != nil || len(list) != 2 {
		t.Fatalf("%v, %v", list, err)
	}
	for _, l := range list {
		if l.State != store.Erased || !l.Erased.Complete {
			t.Errorf("%s is %v", l.ID, l.State)
		}
	}
}

// snapshot copies a folder in which finalisers are at work, which remove files.
func snapshot(t *testing.T, dir string) string {
	t.Helper()
	for {
		out := t.TempDir()
		err := os.CopyFS(out, os.DirFS(dir))
		if err == nil {
			return out
		}
		if !errors.Is(err, fs.ErrNotExist) {
			t.Fatal(err)
		}
	}
}

// TestMergeIsRecalled: a process that goes on with a merged interaction comes to the same.
func TestMergeIsRecalled(t *testing.T) {
	dir := t.TempDir()
	r := lingering(t, dir, trunkFile("    control: all\n", ""))
	r.cfg.Grace = time.Hour
	left := ""
	save := func(f *fake) *siprec.Event { f.save([]byte(dialogState)); return nil }
	twoCalls(t, r,
		[]func(*fake) *siprec.Event{offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), save, talk(1, 2, 0, 1), commanded1(r, Query{CallID: "c1@example.com"}, Command{Action: ActPause, Party: "p1", At: sec(1)})},
		[]func(*fake) *siprec.Event{offeredAt(2, both, inGroup("group-0002", "cs-0000002", carol, again)), save, talk(0, 3, 2, 3)},
		changed(3, nil, inGroup("group-0001", "cs-0000002", carol, again)),
		func(f *fake) *siprec.Event {
			until(t, r, Query{CallID: "c2"}, func(s State) bool { return len(s.CallIDs) == 2 })
			return nil
		},
		changed(4, both), func(*fake) *siprec.Event {
			left = snapshot(t, dir)
			return nil
		}, ended(5))
	manifests(t, r)
	later, err := New(Config{Dir: left, Rulebook: openBook(t, left, ourPeople), Now: func() time.Time { return sec(100) }, Links: UsualLinks(), Grace: time.Hour, Linger: time.Minute})
	if err != nil {
		t.Fatal(err)
	}
	var legs []int
	if _, err := later.recover(func(_ []byte, l *leg) error {
		legs = append(legs, l.number)
		g := newFake(t, resumed(6, both), talk(0, 9, 6, 7), talk(1, 8, 6, 7), ended(8))
		later.working.Go(func() { later.goOn(context.Background(), g, l) })
		return nil
	}); err != nil || !slices.Equal(legs, []int{1, 2}) {
		t.Errorf("resumed %v, %v", legs, err)
	}
	for _, m := range manifests(t, later) {
		if m.Into == "" && len(m.RecordingSessions) != 2 {
			t.Errorf("recording sessions %+v", m.RecordingSessions)
		}
		for _, s := range m.Streams {
			if m.Into == "" && s.ID != "1.0" && s.Packets.Kept > 0 {
				t.Errorf("stream %s was paused: %+v", s.ID, s.Packets)
			}
		}
	}
}

// TestHeir: a recording session that comes when its interaction is over begins a
// recording of its own, as paused as the other ended, also in the eyes of the next
// process; one of another call does not.
func TestHeir(t *testing.T) {
	for _, tt := range []struct {
		group string
		kept  uint64
	}{{"group-0001", 0}, {"group-0002", 50}} {
		t.Run(tt.group, func(t *testing.T) {
			dir := t.TempDir()
			r := lingering(t, dir, trunkFile("    control: all\n", ""))
			f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(1, 2, 0, 1),
				commanded1(r, Query{CallID: "c1@example.com"}, Command{Action: ActPause, Party: "p1", At: sec(1)}), ended(2))
			r.serve(t.Context(), f)
			for len(r.Find(Query{})) > 0 {
				runtime.Gosched()
			}
			left := ""
			g := newFake(t, offeredAt(3, both, inGroup(tt.group, "cs-0000002", carol, again)), talk(1, 4, 3, 4), func(f *fake) *siprec.Event {
				f.save([]byte(dialogState))
				left = snapshot(t, dir)
				return nil
			}, ended(5))
			g.callID = "c2"
			r.serve(t.Context(), g)
			made := manifests(t, r)
			if len(made) != 2 || made[1].Streams[1].Packets.Kept != tt.kept || (made[1].Continues == made[0].Recording) != (tt.kept == 0) {
				t.Errorf("%d recordings, %+v", len(made), made[len(made)-1].Streams)
			}
			later, err := New(Config{Dir: left, Rulebook: openBook(t, left, ourPeople), Now: func() time.Time { return sec(100) }, Links: UsualLinks(), Linger: time.Minute})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := later.recover(func(_ []byte, l *leg) error {
				if kept := l.of.Load().verdicts.Decision("1.0").Verdict == rules.Record; kept != (tt.kept > 0) {
					t.Errorf("after a restart it is kept: %v", kept)
				}
				return errors.New("its port is taken")
			}); err != nil {
				t.Error(err)
			}
			if err := later.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// TestHeirOfAHold: a hold that metadata told of the interaction before is over when the
// next recording session shows that nobody is held, and goes on when it shows that.
func TestHeirOfAHold(t *testing.T) {
	silent := again
	silent.sends = nil
	for _, tt := range []struct {
		name string
		they party
		kept uint64
	}{{"retrieved meanwhile", again, 50}, {"still held", silent, 0}} {
		t.Run(tt.name, func(t *testing.T) {
			r := lingering(t, t.TempDir(), trunkFile("", ""))
			held := customer
			held.sends = nil
			f := newFake(t, offered(both, inGroup("group-0001", "cs-0000001", alice, customer)), talk(1, 2, 0, 1),
				changed(1, nil, inGroup("group-0001", "cs-0000001", alice, held)), ended(2))
			r.serve(t.Context(), f)
			for len(r.Find(Query{})) > 0 {
				runtime.Gosched()
			}
			another(r, "c2", offeredAt(3, both, inGroup("group-0001", "cs-0000002", carol, tt.they)), talk(0, 4, 3, 4), ended(5))(f)
			made := manifests(t, r)
			if len(made) != 2 || made[1].Continues != made[0].Recording || made[1].Streams[0].Packets.Kept != tt.kept {
				t.Errorf("%d recordings, continues %q, %+v", len(made), made[len(made)-1].Continues, made[len(made)-1].Streams[0].Packets)
			}
		})
	}
}

// Of two steps at one instant the second counts: what it withholds the first let through.
func TestLatestDecision(t *testing.T) {
	d := func(v rules.Verdict, s rules.StreamID, r rules.RecordingID) rules.Decision {
		return rules.Decision{Verdict: v, Stream: s, Recording: r}
	}
	got := latest([]rules.Decision{
		d(rules.Record, "0", "r"), d(rules.Record, "1", "r"), d(rules.Withhold, "2", "r"), d(rules.Refused, "", "r"),
		d(rules.Withhold, "0", "r"), d(rules.Record, "0", "u"), d(rules.Record, "2", "r"),
	})
	want := []rules.Decision{
		d(rules.Record, "1", "r"), d(rules.Refused, "", "r"), d(rules.Withhold, "0", "r"), d(rules.Record, "0", "u"), d(rules.Record, "2", "r"),
	}
	if !slices.EqualFunc(got, want, func(a, b rules.Decision) bool {
		return a.Verdict == b.Verdict && a.Stream == b.Stream && a.Recording == b.Recording
	}) {
		t.Errorf("left are %v", got)
	}
}
