package store

import (
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// An Entry is what the index says of one recording: nothing of people.
type Entry struct {
	ID     string    `json:"id"`
	State  State     `json:"state"`
	Start  time.Time `json:"start"`               // arrival of the INVITE
	Length int64     `json:"length_ms,omitempty"` // of the timeline
	// DeleteAt is when it is deleted, unless it is held; zero when it is kept without end.
	DeleteAt time.Time `json:"delete_at,omitzero"`
	Held     bool      `json:"held,omitempty"`     // a legal hold is on it
	Evaluate bool      `json:"evaluate,omitempty"` // an evaluation is assigned
	Of       string    `json:"user_recording_of,omitempty"`
	Storage  Storage   `json:"storage,omitempty"`
	// Changed is when a name in its folder changed last, as the file system says, in
	// nanoseconds since 1970: an entry counts while that stays so.
	Changed int64 `json:"changed"`
}

// ReadEntry reads what the index should say of a recording below dir: from its
// manifest, tombstone and legal holds. The error is fs.ErrNotExist when there is no such
// recording.
func ReadEntry(dir, id string) (Entry, error) {
	folder, err := Folder(dir, id)
	if err != nil {
		return Entry{}, err
	}
	changed, err := changedAt(folder)
	if err != nil {
		return Entry{}, fmt.Errorf("read recording: %w", err)
	}
	m, err := Load(dir, id)
	return entryOf(id, folder, changed, m, err), nil
}

// changedAt is when a name in a folder changed last.
func changedAt(folder string) (int64, error) {
	info, err := os.Lstat(folder)
	if err != nil {
		return 0, err
	}
	return info.ModTime().UnixNano(), nil
}

// entryOf is the entry of a manifest that was loaded, with or without an error.
func entryOf(id, folder string, changed int64, m Manifest, loaded error) Entry {
	e := Entry{ID: id, State: Finished, Changed: changed}
	stamp, _, _ := strings.Cut(id, "-")
	e.Start, _ = time.Parse(idTime, stamp) // Folder has parsed it before
	switch {
	case errors.Is(loaded, ErrUnfinished):
		e.State = Unfinished
	case errors.Is(loaded, ErrErased):
		e.State = Erased
	case loaded != nil:
		e.State = Unreadable
	}
	holds, err := LoadHolds(folder)
	e.Held = err != nil || len(holds.InForce(m.Retention)) > 0
	if e.State == Unfinished || e.State == Unreadable {
		return e
	}
	if !m.Times.Invite.IsZero() {
		e.Start = m.Times.Invite.UTC()
	}
	e.Length, e.Of, e.Storage = m.Timeline.DurationMS, m.Of, m.Storage
	if e.State == Erased {
		e.Held = false
		return e
	}
	if m.Retention != nil {
		e.DeleteAt, e.Evaluate = m.Retention.DeleteAt.UTC(), m.Retention.Evaluate
	}
	return e
}

// sums is the polynomial of the sum before each line.
const sums = crc32.Castagnoli

// appendLine appends the line of an entry: 8 hexadecimal digits of the CRC-32C of what
// follows, a blank, the entry as JSON.
func appendLine(b []byte, e Entry) ([]byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return b, err
	}
	b = fmt.Appendf(b, "%08x ", crc32.Checksum(text, crc32.MakeTable(sums)))
	return append(append(b, text...), '\n'), nil
}

// parseLine reads a line without its end; false when it is damaged.
func parseLine(line []byte) (e Entry, ok bool) {
	if len(line) < 10 || line[8] != ' ' {
		return e, false
	}
	sum, err := strconv.ParseUint(string(line[:8]), 16, 32)
	if err != nil || uint32(sum) != crc32.Checksum(line[9:], crc32.MakeTable(sums)) {
		return e, false
	}
	return e, json.Unmarshal(line[9:], &e) == nil && e.ID != ""
}

// walk calls do for the folder of each recording below dir, oldest day first. It reads
// the names of days alone, and no folder of a recording.
func walk(dir string, do func(folder string)) error {
	days, err := filepath.Glob(filepath.Join(Literal(dir), "[0-9]*", "[0-9]*", "[0-9]*"))
	if err != nil {
		return err
	}
	for _, day := range days {
		names, err := namesIn(day)
		if err != nil {
			return err
		}
		for _, name := range names {
			if want, err := Folder(dir, name); err == nil && want == filepath.Join(day, name) {
				do(want)
			}
		}
	}
	return nil
}

// namesIn lists what is in a folder; one that is none holds nothing.
func namesIn(folder string) ([]string, error) {
	f, err := os.Open(folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if info, err := f.Stat(); err != nil || !info.IsDir() {
		return nil, err
	}
	return f.Readdirnames(-1)
}
