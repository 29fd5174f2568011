package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/recorder"
	"github.com/siprecd/siprecd/recorder/internal/flock"
)

var t0 = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

func note(recording, kind, words string) message {
	return message{ID: recording + kind + words, Notice: recorder.Notice{At: t0, Type: kind, Recording: recording, Words: words}}
}

func opened(t *testing.T, dir string, most int64) *outbox {
	t.Helper()
	o, err := openOutbox(dir, most)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := o.close(); err != nil && !errors.Is(err, os.ErrClosed) {
			t.Error(err)
		}
	})
	return o
}

func put(t *testing.T, o *outbox, list ...message) {
	t.Helper()
	for _, m := range list {
		if err := o.put(m, t0); err != nil {
			t.Fatal(err)
		}
	}
	if err := o.save(); err != nil {
		t.Fatal(err)
	}
}

// waits is what waits in short: recording, sequence and words of each.
func waits(t *testing.T, o *outbox) string {
	t.Helper()
	var out []string
	for _, e := range o.waiting {
		text, err := o.text(e)
		if err != nil {
			t.Fatal(err)
		}
		var m message
		if err := json.Unmarshal(text, &m); err != nil {
			t.Fatal(err)
		}
		out = append(out, fmt.Sprintf("%s%d%s", m.Recording, m.Sequence, m.Words))
	}
	return strings.Join(out, " ")
}

// copied is the folder as it is now, without the locks of those who have it.
func copied(t *testing.T, dir string) string {
	t.Helper()
	out := t.TempDir()
	if err := os.CopyFS(out, os.DirFS(dir)); err != nil {
		t.Fatal(err)
	}
	return out
}

// What waits, its order, the sequences and the count of losses outlive the process, at
// whatever octet its last write was cut off.
func TestOutboxOutlives(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, 1<<20)
	put(t, o, note("a", "started", "x"), note("b", "started", "x"), note("a", "cause-added", "y"))
	o.delivered(o.waiting[:1], 0)
	o.giveUp(o.waiting[:1])
	put(t, o, note("a", "stopped", "z"))
	if got, want := waits(t, o), "a2y a3z"; got != want {
		t.Fatalf("waiting %s, want %s", got, want)
	}
	again := opened(t, copied(t, dir), 1<<20)
	if got := waits(t, again); got != "a2y a3z" || again.lost != 1 || again.number != 4 {
		t.Errorf("after a kill %s wait, %d lost, number %d", got, again.lost, again.number)
	}
	put(t, again, note("b", "verdict", "v"), note("b", "erased", "e"), note("a", "verdict", "v"))
	if got, want := waits(t, again), "a2y a3z b2v b0e a4v"; got != want {
		t.Errorf("waiting %s, want %s", got, want)
	}

	b, err := os.ReadFile(o.path)
	if err != nil {
		t.Fatal(err)
	}
	whole := strings.LastIndexByte(strings.TrimSuffix(string(b), "\n"), '\n') + 1
	for cut := whole; cut < len(b); cut++ {
		torn := t.TempDir()
		if err := os.WriteFile(filepath.Join(torn, "outbox-1.jsonl"), b[:cut], 0o600); err != nil {
			t.Fatal(err)
		}
		o, err := openOutbox(torn, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		if got := waits(t, o); got != "a2y" || o.lost != 1 {
			t.Errorf("cut at %d of %d: %s wait, %d lost", cut, len(b), got, o.lost)
		}
		put(t, o, note("a", "stopped", "z"))
		if got := waits(t, o); got != "a2y a3z" {
			t.Errorf("cut at %d, then one more: %s", cut, got)
		}
		if err := o.close(); err != nil {
			t.Fatal(err)
		}
	}
}

// A line that is damaged costs that line, and is counted.
func TestOutboxIsDamaged(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, 1<<20)
	put(t, o, note("a", "started", "x"), note("a", "cause-added", "y"), note("a", "stopped", "z"))
	left := copied(t, dir)
	path := filepath.Join(left, "outbox-1.jsonl")
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b[strings.IndexByte(string(b), '\n')+1] = 'x'
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	if o := opened(t, left, 1<<20); waits(t, o) != "a1x a3z" || o.lost != 1 {
		t.Errorf("%s wait, %d lost", waits(t, o), o.lost)
	}
}

// The oldest go when there is no room, but for what is under way.
func TestOutboxIsBounded(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, 2000)
	for i := range 100 {
		put(t, o, note("a", "cause-added", fmt.Sprintf("/%d", i)))
		if i == 0 {
			o.waiting[0].away = true
		}
		o.trim()
		if err := o.save(); err != nil {
			t.Fatal(err)
		}
		if o.live > 2000 {
			t.Fatalf("%d octets wait", o.live)
		}
	}
	got := strings.Fields(waits(t, o))
	if got[0] != "a1/0" || got[len(got)-1] != "a100/99" || len(got) < 5 || int(o.lost)+len(got) != 100 {
		t.Errorf("%v wait, %d lost", got, o.lost)
	}
	if again := opened(t, copied(t, dir), 2000); waits(t, again) != strings.Join(got, " ") || again.lost != o.lost {
		t.Errorf("after a kill %s wait, %d lost", waits(t, again), again.lost)
	}
}

// The file does not grow with what was delivered, and what waits is found in it again.
func TestOutboxIsCompacted(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, 64<<20)
	long := strings.Repeat("w", 10_000)
	put(t, o, note("keep", "started", long+"-first"))
	for i := range 1000 {
		put(t, o, note("b", "cause-added", fmt.Sprintf("%s-%d", long, i)))
		o.delivered(o.waiting[len(o.waiting)-1:], 0)
		if err := o.save(); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(o.path); err != nil || info.Size() > 3*worthCompacting {
			t.Fatalf("after %d deliveries the file is %v, %v", i, info, err)
		}
	}
	o.lose(3)
	put(t, o, note("b", "stopped", "end"))
	want := "keep1" + long + "-first b1001end"
	if got := waits(t, o); got != want {
		t.Errorf("%.40q... wait", got)
	}
	if again := opened(t, copied(t, dir), 64<<20); waits(t, again) != want || again.lost != 3 {
		t.Errorf("after a kill %.40q... wait, %d lost", waits(t, again), again.lost)
	}
}

// Two processes have outboxes of their own; who comes later takes over what is left.
func TestOutboxOfTwoProcesses(t *testing.T) {
	if !flock.Works {
		t.Skip("no locks on this system")
	}
	dir := t.TempDir()
	first, second := opened(t, dir, 1<<20), opened(t, dir, 1<<20)
	put(t, first, note("a", "started", "x"))
	put(t, second, note("b", "started", "x"), note("b", "stopped", "y"))
	second.giveUp(second.waiting[:1])
	if err := second.close(); err != nil {
		t.Fatal(err)
	}
	third := opened(t, dir, 1<<20)
	put(t, third, note("c", "started", "x"))
	if waits(t, first) != "a1x" || waits(t, third) != "b2y c1x" || third.lost != 1 {
		t.Errorf("%s and %s wait, %d lost", waits(t, first), waits(t, third), third.lost)
	}
	if err := errors.Join(first.close(), third.close()); err != nil {
		t.Fatal(err)
	}
	last := opened(t, dir, 1<<20)
	if got := waits(t, last); got != "a1x b2y c1x" || last.lost != 1 {
		t.Errorf("at last %s wait, %d lost", got, last.lost)
	}
	if left, err := filepath.Glob(filepath.Join(dir, "*.jsonl")); err != nil || len(left) != 1 {
		t.Errorf("files %v, %v", left, err)
	}
	for range mostProcesses - 1 {
		opened(t, dir, 1<<20)
	}
	if _, err := openOutbox(dir, 1<<20); err == nil || !strings.Contains(err.Error(), "8 other processes") {
		t.Errorf("a ninth process: %v", err)
	}
}

// What cannot be written waits in bounded memory, and is written when it can be.
func TestOutboxCannotWrite(t *testing.T) {
	dir := t.TempDir()
	o := opened(t, dir, 64<<20)
	put(t, o, note("a", "started", "x"))
	writable := o.file
	var err error
	if o.file, err = os.Open(o.path); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("w", 40_000)
	for i := range 100 {
		if err := o.put(note("a", "cause-added", fmt.Sprintf("%s-%d", long, i)), t0); err != nil {
			t.Fatal(err)
		}
		if o.save() == nil {
			t.Fatal("what cannot be written is written")
		}
		o.trim()
		if o.unwritten > mostUnwritten {
			t.Fatalf("%d octets wait in memory", o.unwritten)
		}
	}
	if err := o.file.Close(); err != nil {
		t.Fatal(err)
	}
	o.file = writable
	if err := o.save(); err != nil || o.unwritten != 0 {
		t.Fatalf("%v, %d in memory", err, o.unwritten)
	}
	got := strings.Fields(waits(t, o))
	if got[0] != "a1x" || !strings.HasSuffix(got[len(got)-1], "-99") || len(got)+int(o.lost) != 101 || len(got) < 30 {
		t.Errorf("%d wait, %d lost", len(got), o.lost)
	}
	if again := opened(t, copied(t, dir), 64<<20); waits(t, again) != strings.Join(got, " ") || again.lost != o.lost {
		t.Errorf("after a kill %d wait, %d lost", len(again.waiting), again.lost)
	}
}
