package notify

import (
	"bytes"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/siprecd/siprecd/recorder/store"
)

// open takes what waits in the file, and goes on behind its last whole line.
func (o *outbox) open() error {
	b, err := os.ReadFile(o.path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if o.file, err = os.OpenFile(o.path, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return err
	}
	b = b[:bytes.LastIndexByte(b, '\n')+1] // a crash may tear the last line
	for _, e := range o.read(b) {
		o.number = max(o.number, e.number)
		o.add(e)
	}
	o.size = int64(len(b))
	return errors.Join(o.file.Truncate(o.size), store.SyncDir(filepath.Dir(o.path)))
}

// adopt takes over the outbox of a process that has ended.
func (o *outbox) adopt(path string) error {
	b, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	lost := o.lost
	for _, e := range o.read(b[:bytes.LastIndexByte(b, '\n')+1]) {
		var l line
		if err := json.Unmarshal(b[e.at:e.at+int64(e.size)], &l); err != nil {
			return err
		}
		o.number++
		l.Number = o.number
		text, err := json.Marshal(l)
		if err != nil {
			return err
		}
		e.number, e.line = o.number, append(text, '\n')
		o.add(e)
	}
	if o.lost > lost {
		o.owe(line{Lost: o.lost - lost})
	}
	if err := o.settle(); err != nil {
		return err
	}
	return os.Remove(path)
}

// read returns the notices of a file that wait, in their order. A line that is damaged
// counts as one that is lost.
func (o *outbox) read(b []byte) []*entry {
	waits := make(map[uint64]*entry)
	var order []*entry
	at := int64(0)
	for text := range bytes.Lines(b) {
		var l line
		if json.Unmarshal(text, &l) != nil {
			o.lost++
		}
		if e := o.readLine(l); e != nil && waits[e.number] == nil {
			e.at, e.size = at, len(text)
			waits[e.number] = e
			order = append(order, e)
		}
		for _, n := range l.Done {
			if e := waits[n]; e != nil {
				delete(waits, n)
				e.size = 0
				o.leave(e.lane)
			}
		}
		at += int64(len(text))
	}
	var out []*entry
	for _, e := range order {
		if e.size > 0 {
			out = append(out, e)
		}
	}
	return out
}

// readLine takes one line, and returns the notice that it is, if it is one.
func (o *outbox) readLine(l line) *entry {
	o.lost += l.Lost
	o.lost -= min(l.Told, o.lost)
	for recording, sequence := range l.Sequences {
		o.laneOf(recording).sequence = sequence
	}
	var m message
	if l.Number == 0 || json.Unmarshal(l.Notice, &m) != nil {
		return nil
	}
	e := &entry{number: l.Number, taken: l.Taken, lane: o.laneOf(m.Recording)}
	e.lane.waits++
	e.lane.sequence = max(e.lane.sequence, m.Sequence)
	e.lane.over = e.lane.over || last(m.Notice)
	return e
}
