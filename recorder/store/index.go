package store

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"
)

// IndexName is the name of the index within the folder of all recordings. It may be
// removed at any time.
const IndexName = "recordings.index"

// An Index tells what recordings there are below a folder, and which are to be deleted
// when, without their manifests being read. It is a file of lines that is appended to
// when a recording is finished, held, released or erased; the last line about a
// recording counts. Manifests, tombstones and legal holds are the truth: [Index.Entries]
// reads them again wherever the index may not tell it, and who deletes reads them again
// anyway.
//
// It may be used by any number of goroutines, and its file by several processes.
type Index struct {
	dir string

	mu   sync.Mutex
	seen fs.FileInfo // the file that was read last; nil for none
	read int64       // octets of it
}

// OpenIndex makes the index of a folder. Nothing is read or written yet.
func OpenIndex(dir string) *Index { return &Index{dir: dir} }

func (x *Index) path() string { return filepath.Join(x.dir, IndexName) }

// Note writes down how a recording is now.
func (x *Index) Note(id string) error {
	return x.note(id, func() (Entry, error) { return ReadEntry(x.dir, id) })
}

// NoteFinished is Note for a recording whose manifest was just written.
func (x *Index) NoteFinished(m Manifest) error {
	return x.note(m.Recording, func() (Entry, error) {
		folder, err := Folder(x.dir, m.Recording)
		if err != nil {
			return Entry{}, err
		}
		changed, err := changedAt(folder)
		return entryOf(m.Recording, folder, changed, m, nil), err
	})
}

// note appends the entry that read gives. It is read under the lock of the index: the
// last line about a recording is the one that was read last.
func (x *Index) note(id string, read func() (Entry, error)) (err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	unlock, err := lock(x.dir, indexing)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	e, err := read()
	var line []byte
	if err == nil {
		line, err = appendLine(nil, e)
	}
	if err == nil {
		err = x.append(line)
	}
	if err != nil {
		return fmt.Errorf("index: note %s: %w", id, err)
	}
	return nil
}

// append writes a line behind the others, and behind the end of a line that was torn. It
// is not made durable: what is missing is found by its folder.
func (x *Index) append(line []byte) (err error) {
	f, err := os.OpenFile(x.path(), os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	var last [1]byte
	if info.Size() > 0 {
		if _, err := f.ReadAt(last[:], info.Size()-1); err != nil {
			return err
		}
		if last[0] != '\n' {
			line = append([]byte{'\n'}, line...)
		}
	}
	if _, err := f.WriteAt(line, info.Size()); err != nil {
		return errors.Join(err, f.Truncate(info.Size()))
	}
	return nil
}

// A Listing is what an index tells.
type Listing struct {
	Entries []Entry // newest first
	// Read counts the recordings whose folders had to be looked into, for want of a line
	// that tells how they are.
	Read int
	// Unsaved is why what was read could not be written to the index, if it could not.
	Unsaved error
}

// Entries tells of all recordings. It looks into the folder of each recording that the
// index does not know, or that has changed since, and leaves out those that are gone.
// When there is something to mend, the index is written anew.
func (x *Index) Entries(ctx context.Context) (Listing, error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	known, lines, sound, err := x.load()
	if err != nil {
		return Listing{}, fmt.Errorf("index: %w", err)
	}
	out := Listing{}
	found := make(map[string]Entry, len(known))
	mended := 0
	err = walk(x.dir, func(folder string) {
		if ctx.Err() != nil {
			return
		}
		id := filepath.Base(folder)
		changed, err := changedAt(folder)
		if err != nil {
			return // gone meanwhile
		}
		if e, ok := known[id]; ok && e.Changed == changed && e.State != Unfinished {
			found[id] = e
			return
		}
		e, err := ReadEntry(x.dir, id)
		if err != nil {
			return
		}
		out.Read++
		if e.State != Unfinished {
			mended++
		}
		found[id] = e
	})
	if err = errors.Join(err, ctx.Err()); err != nil {
		return Listing{}, fmt.Errorf("index: %w", err)
	}
	for id := range known {
		if _, ok := found[id]; !ok {
			mended++
		}
	}
	if !sound || mended > 0 || lines > 2*len(found)+most {
		out.Unsaved = x.rewrite(found)
	}
	out.Entries = slices.SortedFunc(maps.Values(found), func(a, b Entry) int {
		return cmp.Or(b.Start.Compare(a.Start), cmp.Compare(b.ID, a.ID))
	})
	return out, nil
}

// most is how many lines that do not count any more an index may have beside as many as
// there are recordings.
const most = 1000

// load reads the whole file. It is not sound where lines are damaged.
func (x *Index) load() (known map[string]Entry, lines int, sound bool, err error) {
	x.seen, x.read = nil, 0
	known = make(map[string]Entry)
	sound = true
	_, err = x.follow(func(e Entry, ok bool) {
		lines++
		if sound = sound && ok; ok {
			known[e.ID] = e
		}
	})
	return known, lines, sound, err
}

// follow reads what was appended since it was last called. It is another file when the
// one that was read is not there any more, or is shorter; then nothing is read.
func (x *Index) follow(line func(e Entry, ok bool)) (another bool, err error) {
	f, err := os.Open(x.path())
	if errors.Is(err, fs.ErrNotExist) {
		return x.seen != nil, nil
	}
	if err != nil {
		return false, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return false, err
	}
	if x.seen != nil && (!os.SameFile(x.seen, info) || info.Size() < x.read) {
		return true, nil
	}
	x.seen = info
	in := bufio.NewReaderSize(io.NewSectionReader(f, x.read, info.Size()-x.read), 64<<10)
	for {
		text, err := in.ReadSlice('\n')
		if errors.Is(err, bufio.ErrBufferFull) { // no line of ours is so long
			line(Entry{}, false)
			x.read += int64(len(text))
			continue
		}
		if errors.Is(err, io.EOF) { // the rest is being written, or torn
			return false, nil
		}
		if err != nil {
			return false, err
		}
		x.read += int64(len(text))
		line(parseLine(bytes.TrimSuffix(text, []byte("\n"))))
	}
}

// Since tells what was written to the index since it was read last, by this Index. whole
// says that the file is another one than was read: then [Index.Entries] tells.
func (x *Index) Since() (entries []Entry, whole bool, err error) {
	x.mu.Lock()
	defer x.mu.Unlock()
	sound := true
	whole, err = x.follow(func(e Entry, ok bool) {
		if sound = sound && ok; ok {
			entries = append(entries, e)
		}
	})
	if err != nil {
		return nil, false, fmt.Errorf("index: %w", err)
	}
	return entries, whole || !sound, nil
}

// rewrite writes the index anew, as one file or not at all. What others wrote down
// meanwhile is read from where it is true.
func (x *Index) rewrite(found map[string]Entry) (err error) {
	unlock, err := lock(x.dir, indexing)
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	defer func() { err = errors.Join(err, unlock()) }()
	var later []string
	another, err := x.follow(func(e Entry, ok bool) { later = append(later, e.ID) })
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	if another {
		return nil // somebody else has just written it
	}
	for _, id := range later {
		if e, err := ReadEntry(x.dir, id); err == nil {
			found[id] = e
		}
	}
	var b []byte
	for _, id := range slices.Sorted(maps.Keys(found)) {
		if found[id].State == Unfinished {
			continue
		}
		if b, err = appendLine(b, found[id]); err != nil {
			return fmt.Errorf("index: %w", err)
		}
	}
	if err := WriteFile(x.path(), b); err != nil {
		return fmt.Errorf("index: %w", err)
	}
	x.seen, err = os.Stat(x.path())
	x.read = int64(len(b))
	if err != nil {
		return fmt.Errorf("index: %w", err)
	}
	return nil
}

// Duration is that of the timeline.
func (e Entry) Duration() time.Duration { return time.Duration(e.Length) * time.Millisecond }
