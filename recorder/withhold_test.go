package recorder

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/seal"
	"github.com/siprecd/siprecd/recorder/store"
	"github.com/siprecd/siprecd/rules"
	"github.com/siprecd/siprecd/siprec"
)

// begun is a recording session whose events a test hands on itself.
func begun(t testing.TB, r *Recorder, f *fake) *interaction {
	t.Helper()
	in, err := unattended(r, offered(both, twoParties)(f), f)
	if err != nil {
		t.Fatal(err)
	}
	in.accept = func(*siprec.Event) {}
	return in
}

// pass lets time pass in a bubble.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// stalling is a journal whose disk waits for a test before a line is durable.
type stalling struct {
	journalFile
	gate chan struct{}
}

func (s stalling) Sync() error {
	<-s.gate
	return s.journalFile.Sync()
}

// A journal that stalls for a second when a call begins, and when it is resumed,
// costs no permitted packet; and while it stalls nothing of them is on disk.
func TestJournalStalls(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newRecorder(t, dir)
		f := newFake(t)
		in := begun(t, r, f)
		gate := make(chan struct{})
		open := in.journal.open
		in.journal.open = func() (journalFile, error) {
			file, err := open()
			return stalling{file, gate}, err
		}
		hold := []siprec.Stream{mline(0, "1", siprec.Inactive), mline(1, "2", siprec.Inactive)}
		handle := func(ev *siprec.Event, while func(*fake) *siprec.Event, onDisk int) {
			t.Helper()
			done := make(chan struct{})
			go func() { defer close(done); in.legs[0].handle(ev) }()
			synctest.Wait() // the line is being written
			while(f)
			pass(time.Second)
			if got := strings.Count(inCapture(t, in.folder), tone); got != onDisk {
				t.Errorf("%d packets are on disk before the line that permits the next", got)
			}
			gate <- struct{}{}
			<-done
			pass(time.Second)
		}
		nothing := func(*fake) *siprec.Event { return nil }
		handle(offered(both, twoParties)(f), talk(0, 1, 0, 1), 0)
		handle(changed(1, hold)(f), nothing, 50)
		handle(changed(2, both)(f), talk(0, 1, 2, 3), 50)
		handle(ended(3)(f), nothing, 100)
		close(gate)
		in.finish()
		r.finalise(in.recording)
		m, err := store.Load(dir, string(in.id))
		if err != nil || m.Streams[0].Packets.Kept != 100 || m.Streams[0].Packets.Lost != 0 {
			t.Errorf("%v, packets %+v", err, m.Streams)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// A journal that cannot be written for some seconds is written afterwards, whole
// and in order, and then what it permits is.
func TestJournalIsWrittenLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		r := newRecorder(t, dir)
		f := newFake(t)
		in := begun(t, r, f)
		open := in.journal.open
		var broken atomic.Bool
		broken.Store(true)
		in.journal.open = func() (journalFile, error) {
			if broken.Load() {
				return nil, syscall.ENOSPC
			}
			return open()
		}
		in.legs[0].handle(offered(both, twoParties)(f))
		talk(0, 1, 0, 1)(f)
		pass(5 * time.Second)
		if inCapture(t, in.folder) != "" {
			t.Error("audio is on disk without a line that permits it")
		}
		broken.Store(false)
		pass(5 * time.Second)
		if got := strings.Count(inCapture(t, in.folder), tone); got != 50 {
			t.Errorf("%d packets on disk once the journal is written", got)
		}
		in.legs[0].handle(ended(1)(f))
		in.finish()
		r.finalise(in.recording)
		if _, err := store.Load(dir, string(in.id)); err != nil {
			t.Error(err)
		}
		if got := journalEvents(t, in.folder); !strings.HasPrefix(got, "started metadata allowed(0.0) allowed(1.0) stopped(0.0) stopped(1.0) ended") {
			t.Errorf("journal: %s", got)
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// What a torn write left of lines is overwritten by them.
func TestJournalIsTorn(t *testing.T) {
	folder := t.TempDir()
	j, err := createJournal(folder, nil)
	if err != nil {
		t.Fatal(err)
	}
	open := j.open
	j.open = func() (journalFile, error) {
		f, err := open()
		return torn{f}, err
	}
	if err := j.write(1, journalLine{Event: lineStarted}, journalLine{Event: lineChanged}); !errors.Is(err, syscall.ENOSPC) {
		t.Errorf("a torn write: %v", err)
	}
	j.open = open
	if err := j.append(journalLine{Event: lineEnded}); err != nil {
		t.Fatal(err)
	}
	if err := j.close(); err != nil {
		t.Fatal(err)
	}
	if got := journalEvents(t, folder); got != "started changed ended" {
		t.Errorf("journal: %s", got)
	}
	if _, err := createJournal(folder, nil); err == nil {
		t.Error("a journal is begun twice")
	}
}

// torn writes half of what it is given.
type torn struct{ journalFile }

func (f torn) WriteAt(b []byte, at int64) (int, error) {
	n, _ := f.journalFile.WriteAt(b[:len(b)/2], at)
	return n, syscall.ENOSPC
}

// A pause that reaches back takes with it what was kept since, in memory or on
// disk, of that stream; one that comes when the recording is finished is refused.
func TestStopReachesBack(t *testing.T) {
	for _, written := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			dir := t.TempDir()
			var now atomic.Int64 // seconds
			r, err := New(Config{Dir: dir, Policy: rules.RecordAll(), HoldBack: time.Second, Now: func() time.Time { return sec(float64(now.Load())) }})
			if err != nil {
				t.Fatal(err)
			}
			f := newFake(t)
			in := begun(t, r, f)
			in.legs[0].handle(offered(both, twoParties)(f))
			talk(0, 1, 0, 2)(f)
			talk(1, 2, 0, 2)(f)
			if written {
				now.Store(10)
			}
			pass(time.Second)
			if got := len(inCapture(t, in.folder)) / 160; (got == 200) != written {
				t.Fatalf("%d packets are on disk", got)
			}
			tr := f.sinks[0].(*Track)
			if absent, err := tr.Stop(in.id, sec(0.5)); err != nil || !absent.Equal(sec(0.5)) {
				t.Errorf("absent from %v, %v", absent, err)
			}
			now.Store(20)
			pass(time.Second)
			if got := len(inCapture(t, in.folder)) / 160; got != 125 {
				t.Errorf("%d packets are left, want 25 of one stream and 100 of the other", got)
			}
			in.legs[0].handle(ended(2)(f))
			in.finish()
			r.finalise(in.recording)
			if absent, err := tr.Stop(in.id, sec(0.1)); !errors.Is(err, ErrTrackClosed) || !absent.IsZero() {
				t.Errorf("after the end: absent from %v, %v", absent, err)
			}
			m, err := store.Load(dir, string(in.id))
			if err != nil || m.Streams[0].Packets.Kept != 25 || m.Streams[1].Packets.Kept != 100 {
				t.Errorf("%v, streams %+v", err, m.Streams)
			}
			if err := r.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// While there is no memory for what waits for the disk, new recording sessions are
// refused; and taken again when there is.
func TestRefusalWhileTheDiskIsBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r, err := New(Config{
			Dir: t.TempDir(), Policy: rules.RecordAll(), HoldBack: MaxHoldBack, PageMemory: MinPageMemory,
			Now: func() time.Time { return sec(0) }, // nothing is ever due
		})
		if err != nil {
			t.Fatal(err)
		}
		fakes := []*fake{newFake(t), newFake(t)} // one alone may not take all
		var ins []*interaction
		for _, f := range fakes {
			in := begun(t, r, f)
			in.legs[0].handle(offered(both, twoParties)(f))
			talk(0, 1, 0, 240)(f)
			ins = append(ins, in)
		}
		if r.Failing() == "" {
			t.Error("all is said to be well")
		}
		other := newFake(t, offered(both), ended(1))
		r.serve(t.Context(), other)
		if len(other.sinks) != 0 {
			t.Error("a recording session was taken")
		}
		for i, f := range fakes {
			if _, err := f.sinks[0].(*Track).Stop(ins[i].id, sec(0)); err != nil {
				t.Error(err)
			}
		}
		talk(1, 2, 0, 1)(fakes[0])
		pass(time.Second)
		if why := r.Failing(); why != "" {
			t.Error(why)
		}
		for i, in := range ins {
			in.legs[0].handle(ended(240)(fakes[i]))
			in.finish()
			r.finalise(in.recording)
		}
		if got := ins[1].capture.Dropped(); got == 0 {
			t.Error("nothing is said to be lost")
		}
		if err := r.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// With a master key, the key of a recording never lies in the clear.
func TestMasterKey(t *testing.T) {
	masters, err := ParseMasterKey(strings.Repeat("5a", seal.Size))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	r, err := New(Config{Dir: dir, Policy: rules.RecordAll(), Masters: masters, Now: func() time.Time { return sec(100) }})
	if err != nil {
		t.Fatal(err)
	}
	looked := false
	r.serve(t.Context(), newFake(t, offered(both, twoParties), talk(0, 1, 0, 1), func(*fake) *siprec.Event {
		keys, err := filepath.Glob(filepath.Join(dir, "*", "*", "*", "*", seal.FileName))
		if err != nil || len(keys) != 1 {
			t.Fatal(keys, err)
		}
		folder := filepath.Dir(keys[0])
		if wrapped, err := seal.Wrapped(folder); err != nil || !wrapped {
			t.Errorf("wrapped %v, %v", wrapped, err)
		}
		if _, err := seal.NewRing().Load(folder, filepath.Base(folder)); !errors.Is(err, seal.ErrMaster) {
			t.Errorf("without the master key: %v", err)
		}
		looked = true
		return nil
	}, ended(1)))
	if err := r.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	if list, err := store.List(dir); err != nil || len(list) != 1 || list[0].State != store.Finished || !looked {
		t.Errorf("recordings %v, %v", list, err)
	}
}

// A capture that is torn gives what is whole, and says so; one without its key, or
// that is none, gives nothing.
func TestCaptured(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	f := newFake(t)
	in := begun(t, r, f)
	in.legs[0].handle(offered(both, twoParties)(f))
	talk(0, 1, 0, 1)(f)
	in.legs[0].handle(ended(1)(f))
	in.finish()
	if err := in.capture.Close(); err != nil {
		t.Fatal(err)
	}
	count := func(id string) (n int, last error) {
		for p, err := range Captured(dir, id, nil) {
			if last = err; p != nil {
				n++
			}
		}
		return n, last
	}
	id := string(in.id)
	if n, err := count(id); n != 50 || err != nil {
		t.Errorf("whole: %d packets, %v", n, err)
	}
	for range Captured(dir, id, nil) {
		break
	}
	path := filepath.Join(in.folder, captureName)
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(path, info.Size()-1); err != nil {
		t.Fatal(err)
	}
	if n, err := count(id); n == 0 || n >= 50 || !errors.Is(err, ErrTorn) {
		t.Errorf("torn: %d packets, %v", n, err)
	}
	if _, err := count("../../etc"); !errors.Is(err, store.ErrID) {
		t.Errorf("not an id: %v", err)
	}
	if err := seal.Destroy(in.folder); err != nil {
		t.Fatal(err)
	}
	if n, err := count(id); n != 0 || !errors.Is(err, seal.ErrDestroyed) {
		t.Errorf("without its key: %d packets, %v", n, err)
	}
}

// What a decision permits that never got into the journal, for a failure of ours, is
// given up when the recording ends; nothing waits for it.
func TestDecisionThatIsNotWrittenDown(t *testing.T) {
	dir := t.TempDir()
	r := newRecorder(t, dir)
	f := newFake(t)
	in := begun(t, r, f)
	in.legs[0].handle(offered(both, twoParties)(f))
	talk(0, 1, 0, 1)(f)
	tr := f.sinks[0].(*Track)
	if err := tr.Allow(in.verdicts.Decision("0.0").Permit, 99); err != nil {
		t.Fatal(err)
	}
	talk(0, 1, 1, 2)(f)
	in.legs[0].handle(ended(2)(f))
	in.finish()
	r.finalise(in.recording)
	m, err := store.Load(dir, string(in.id))
	if err != nil || m.Streams[0].Packets.Kept != 50 || in.capture.Dropped() != 50 || !slices.Contains(m.Flags, flagDisk) {
		t.Errorf("%v, %d dropped, %+v, flags %v", err, in.capture.Dropped(), m.Streams[0].Packets, m.Flags)
	}
}
