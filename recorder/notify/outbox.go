package notify

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/flock"
	"github.com/siprecd/siprecd/recorder/store"
)

const (
	// mostProcesses may have outboxes in one folder at the same time.
	mostProcesses = 8
	// mostUnwritten is how many octets wait in memory while the disk fails.
	mostUnwritten = 4 << 20
	// worthCompacting is how many octets of what is done with the file may hold.
	worthCompacting = 1 << 20
	// mostLanes is of how many recordings the sequence is known.
	mostLanes = 1 << 16
)

// An outbox is the notices that wait to be delivered, in their order, in a file that is
// appended to. What is written survives the end of the process at once, and that of the
// machine once it is synced. While the disk cannot be written to it keeps what it gets
// in memory, and writes it when it can. It is for one goroutine.
type outbox struct {
	path string
	lock *os.File
	most int64 // octets of what waits

	file  *os.File
	size  int64 // of the file: octets that were written whole
	dirty bool  // something was written since it was synced

	waiting   []*entry // oldest first
	live      int64    // octets of their lines
	unwritten int64    // octets of those that are in memory alone
	owed      []byte   // other lines that are not written yet
	number    uint64   // of the newest
	lost      uint64   // notices that are lost, of which the receiver was not told
	lanes     map[string]*lane
}

// An entry is one notice that waits.
type entry struct {
	number uint64
	taken  time.Time // when it was handed over
	lane   *lane
	line   []byte // nil when it is on disk
	at     int64  // where its line is on disk
	size   int    // octets of its line
	away   bool   // it is being delivered
}

// A lane is what is known of the notices of one recording. They are delivered in their
// order.
type lane struct {
	recording string
	sequence  uint64 // of the newest
	over      bool   // no more come that are counted
	waits     int
	refused   int // times in succession that the oldest was refused by itself
	until     time.Time
}

// A line is one line of the file: a notice, or what became of some.
type line struct {
	Number    uint64            `json:"n,omitempty"`
	Taken     time.Time         `json:"taken,omitzero"`
	Notice    json.RawMessage   `json:"notice,omitempty"`
	Done      []uint64          `json:"done,omitempty"` // wait no more
	Lost      uint64            `json:"lost,omitempty"` // of which so many were not delivered
	Told      uint64            `json:"told,omitempty"` // the receiver was told of so many
	Sequences map[string]uint64 `json:"sequences,omitempty"`
}

// openOutbox opens an outbox in a folder, and takes over what ended processes left.
func openOutbox(dir string, most int64) (o *outbox, err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil && o != nil {
			err = errors.Join(err, o.close())
			o = nil
		}
	}()
	for k := range mostProcesses {
		name := filepath.Join(dir, fmt.Sprintf("outbox-%d", k+1))
		lock, err := os.OpenFile(name+".lock", os.O_RDWR|os.O_CREATE, 0o600)
		if err != nil {
			return o, err
		}
		if !flock.Take(lock) {
			lock.Close()
			continue
		}
		if o == nil {
			o = &outbox{path: name + ".jsonl", lock: lock, most: most, lanes: make(map[string]*lane)}
			err = o.open()
		} else {
			err = errors.Join(o.adopt(name+".jsonl"), lock.Close())
		}
		if err != nil {
			return o, err
		}
	}
	if o == nil {
		return nil, fmt.Errorf("%d other processes have outboxes in %s", mostProcesses, dir)
	}
	return o, nil
}

// put takes a notice, which waits from an instant on. It is on disk when save was
// called.
func (o *outbox) put(m message, taken time.Time) error {
	l := o.laneOf(m.Recording)
	if counted(m.Notice) {
		m.Sequence = l.sequence + 1
	}
	text, err := json.Marshal(m)
	if err != nil {
		return err
	}
	b, err := json.Marshal(line{Number: o.number + 1, Taken: taken.UTC(), Notice: text})
	if err != nil {
		return err
	}
	o.number++
	if m.Sequence > 0 {
		l.sequence = m.Sequence
	}
	l.over = l.over || last(m.Notice)
	l.waits++
	o.add(&entry{number: o.number, taken: taken, lane: l, line: append(b, '\n')})
	return nil
}

func (o *outbox) add(e *entry) {
	if e.line != nil {
		e.size = len(e.line)
		o.unwritten += int64(e.size)
	}
	o.waiting = append(o.waiting, e)
	o.live += int64(e.size)
}

// trim gives up the oldest notices for which there is no room, and returns how many:
// on disk, or in memory when they could not be written.
func (o *outbox) trim() int {
	var drop []*entry
	live, unwritten := o.live, o.unwritten
	for _, e := range o.waiting {
		if live <= o.most && unwritten <= mostUnwritten {
			break
		}
		if e.away || live <= o.most && e.line == nil {
			continue
		}
		live -= int64(e.size)
		unwritten -= int64(len(e.line))
		drop = append(drop, e)
	}
	o.giveUp(drop)
	return len(drop)
}

// lose says that notices are lost that never came to be here.
func (o *outbox) lose(n uint64) {
	o.lost += n
	o.owe(line{Lost: n})
}

// giveUp says that notices are lost.
func (o *outbox) giveUp(list []*entry) {
	if len(list) == 0 {
		return
	}
	o.lost += uint64(len(list))
	o.remove(list, line{Lost: uint64(len(list))})
}

// delivered says that the receiver has notices, and was told of so many that are lost.
func (o *outbox) delivered(list []*entry, told uint64) {
	o.lost -= told
	o.remove(list, line{Told: told})
}

// remove says that notices wait no more. Those of a list are in their order.
func (o *outbox) remove(list []*entry, why line) {
	done := make(map[*entry]bool, len(list))
	for _, e := range list {
		done[e] = true
		o.live -= int64(e.size)
		if e.line != nil {
			o.unwritten -= int64(e.size)
		} else {
			why.Done = append(why.Done, e.number)
		}
		o.leave(e.lane)
	}
	if n := len(list); slices.Equal(o.waiting[:n], list) {
		clear(o.waiting[:n])
		o.waiting = o.waiting[n:]
	} else {
		o.waiting = slices.DeleteFunc(o.waiting, func(e *entry) bool { return done[e] })
	}
	o.owe(why)
}

// owe keeps a line that says what became of notices, for save.
func (o *outbox) owe(l line) {
	b, _ := json.Marshal(l) // numbers and texts
	o.owed = append(append(o.owed, b...), '\n')
}

// save writes what is in memory alone.
func (o *outbox) save() error {
	b := slices.Clone(o.owed)
	first := len(o.waiting)
	for first > 0 && o.waiting[first-1].line != nil {
		first-- // what is not written is the newest
	}
	for _, e := range o.waiting[first:] {
		e.at = o.size + int64(len(b))
		b = append(b, e.line...)
	}
	if len(b) == 0 {
		return nil
	}
	if _, err := o.file.WriteAt(b, o.size); err != nil {
		return errors.Join(fmt.Errorf("write notices: %w", err), o.file.Truncate(o.size))
	}
	o.size += int64(len(b))
	o.owed, o.unwritten, o.dirty = nil, 0, true
	for _, e := range o.waiting[first:] {
		e.line = nil
	}
	if o.size-o.live > o.live+worthCompacting {
		return o.compact()
	}
	return nil
}

// sync makes durable what was written.
func (o *outbox) sync() error {
	if !o.dirty {
		return nil
	}
	if err := o.file.Sync(); err != nil {
		return fmt.Errorf("write notices: %w", err)
	}
	o.dirty = false
	return nil
}

// settle writes what was not, and makes it durable.
func (o *outbox) settle() error {
	if err := o.save(); err != nil {
		return err
	}
	return o.sync()
}

// text is the JSON of a notice.
func (o *outbox) text(e *entry) (json.RawMessage, error) {
	b := e.line
	if b == nil {
		b = make([]byte, e.size)
		if _, err := o.file.ReadAt(b, e.at); err != nil {
			return nil, fmt.Errorf("read notices: %w", err)
		}
	}
	var l line
	if err := json.Unmarshal(b, &l); err != nil || l.Number != e.number {
		return nil, fmt.Errorf("read notices: line at %d is not what was written", e.at)
	}
	return l.Notice, nil
}

// compact writes the file anew without what is done with.
func (o *outbox) compact() (err error) {
	tmp := o.path + ".tmp"
	f, err := os.OpenFile(tmp, os.O_RDWR|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("compact notices: %w", err)
	}
	places, size, err := o.copyTo(f)
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(tmp, o.path)
	}
	if err != nil {
		return errors.Join(fmt.Errorf("compact notices: %w", err), f.Close(), os.Remove(tmp))
	}
	err = errors.Join(o.file.Close(), store.SyncDir(filepath.Dir(o.path)))
	o.file, o.size, o.dirty = f, size, false
	for i, e := range o.waiting {
		e.at = places[i]
	}
	return err
}

// copyTo writes what is not done with, and says where each notice then is. All of them
// are on disk.
func (o *outbox) copyTo(f *os.File) (places []int64, size int64, err error) {
	head := line{Lost: o.lost, Sequences: make(map[string]uint64)}
	for recording, l := range o.lanes {
		if l.sequence > 0 {
			head.Sequences[recording] = l.sequence
		}
	}
	b, err := json.Marshal(head)
	if err != nil {
		return nil, 0, err
	}
	b = append(b, '\n')
	for _, e := range o.waiting {
		at := len(b)
		b = slices.Grow(b, e.size)[:at+e.size]
		if _, err := o.file.ReadAt(b[at:], e.at); err != nil {
			return nil, 0, err
		}
		places = append(places, size+int64(at))
		if len(b) > 1<<16 {
			if _, err := f.Write(b); err != nil {
				return nil, 0, err
			}
			size += int64(len(b))
			b = b[:0]
		}
	}
	_, err = f.Write(b)
	return places, size + int64(len(b)), err
}

// close makes durable what is not, and leaves the outbox to other processes.
func (o *outbox) close() error {
	var err error
	if o.file != nil {
		err = errors.Join(o.settle(), o.file.Close())
	}
	if o.lock != nil {
		err = errors.Join(err, o.lock.Close())
	}
	return err
}

// laneOf is the lane of a recording.
func (o *outbox) laneOf(recording string) *lane {
	l := o.lanes[recording]
	if l == nil {
		if len(o.lanes) >= mostLanes {
			o.forget()
		}
		l = &lane{recording: recording}
		o.lanes[recording] = l
	}
	return l
}

// refused is of how many recordings the oldest notice was refused by itself.
func (o *outbox) refused() (n int) {
	for _, l := range o.lanes {
		if l.refused > 0 {
			n++
		}
	}
	return n
}

// forget makes room: of recordings of which nothing waits the sequence is not known any
// more.
func (o *outbox) forget() {
	for recording, l := range o.lanes {
		if l.waits == 0 && len(o.lanes) > mostLanes/2 {
			delete(o.lanes, recording)
		}
	}
}

// leave says that one notice of a lane waits no more.
func (o *outbox) leave(l *lane) {
	if l.waits--; l.waits == 0 && (l.over || l.sequence == 0) {
		delete(o.lanes, l.recording)
	}
}
