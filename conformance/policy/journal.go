package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
	"github.com/siprecd/siprecd/conformance/src"
)

// A Voice is who is heard in a packet.
type Voice = observe.Voice

// A Recording is what a server wrote of an interaction, or of a user recording beside
// one: its folder as anybody can read it.
type Recording struct {
	Folder   string
	ID       string
	CallID   string
	Of       string // the recording beside which a user recording was made
	Maker    string // of a user recording
	Journal  []Line
	Manifest *Manifest // nil before it is finished
	Erased   bool      // there is a tombstone
	// Files is how many WAV files it has, Found what is heard in them: packets by
	// voice, and whether they are whole.
	Files int
	Found map[Voice]map[int]bool
	// Over is when it ended, of user recordings, which end while the call goes on.
	Over []time.Time
}

// A Line is what is needed of a line of the journal.
type Line struct {
	At     time.Time `json:"at"`
	Event  string    `json:"event"`
	CallID string    `json:"call_id"`
	Of     string    `json:"user_recording_of"`
	Maker  string    `json:"maker"`
	Stream string    `json:"stream"`
	Causes []Cause   `json:"causes"`
	Words  string    `json:"words"`
	Fact   *Fact     `json:"fact"`
}

// A Cause is why audio is withheld, and who says so.
type Cause struct {
	Cause string `json:"cause"`
	Owner string `json:"owner"`
}

// A Fact is an event as the rules took it.
type Fact struct {
	Kind      string   `json:"kind"`
	Stream    string   `json:"stream"`
	Owner     string   `json:"owner"`
	Party     string   `json:"party"`
	Other     string   `json:"other"`
	Name      string   `json:"name"`
	Direction string   `json:"direction"`
	Draw      *float64 `json:"draw"`
}

// A Manifest is what is needed of a manifest.
type Manifest struct {
	Void  bool `json:"void"`
	Times struct {
		End time.Time `json:"end"`
	} `json:"times"`
	Retention    *Retention `json:"retention"`
	Participants []struct {
		ID   string   `json:"id"`
		AORs []string `json:"aors"`
	} `json:"participants"`
}

// A Retention is what becomes of a recording.
type Retention struct {
	DeleteAt time.Time `json:"delete_at"`
	Held     bool      `json:"held"`
}

// journals are the paths of all journals below a data folder.
func journals(data string) ([]string, error) {
	return filepath.Glob(filepath.Join(data, "*", "*", "*", "*", "journal.jsonl"))
}

// readJournal reads a journal; a last line without end is not there yet.
func readJournal(path string) (lines []Line, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	text = text[:bytes.LastIndexByte(text, '\n')+1]
	for i, raw := range bytes.Split(bytes.TrimSpace(text), []byte("\n")) {
		var l Line
		if err := json.Unmarshal(raw, &l); err != nil {
			return nil, fmt.Errorf("%s, line %d: %w", path, i+1, err)
		}
		lines = append(lines, l)
	}
	return lines, nil
}

// journalDraw is what was drawn for a recording session whose INVITE was answered.
func journalDraw(data, callID string) (float64, error) {
	paths, err := journals(data)
	if err != nil {
		return 0, err
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil || !bytes.Contains(text, []byte(callID)) {
			continue
		}
		lines, err := readJournal(path)
		if err != nil {
			return 0, err
		}
		for _, l := range lines {
			if l.Fact != nil && l.Fact.Draw != nil {
				return *l.Fact.Draw, nil
			}
		}
	}
	return 0, fmt.Errorf("no journal has a draw for Call-ID %s", callID)
}

// Collect reads all recordings below a data folder, those of one Call-ID together. The
// server has to have finished them.
func Collect(data string) (map[string][]*Recording, error) {
	paths, err := journals(data)
	if err != nil {
		return nil, err
	}
	c, err := observe.NewCode(src.PCMU())
	if err != nil {
		return nil, err
	}
	all := make(map[string][]*Recording)
	var users []*Recording
	calls := make(map[string]string) // of recordings
	for _, path := range paths {
		r, err := open(c, filepath.Dir(path))
		if err != nil {
			return nil, err
		}
		if r.Of != "" {
			users = append(users, r)
			continue
		}
		calls[r.ID] = r.CallID
		all[r.CallID] = append(all[r.CallID], r)
	}
	for _, u := range users {
		u.CallID = calls[u.Of]
		all[u.CallID] = append(all[u.CallID], u)
	}
	return all, nil
}

// open reads the folder of a recording.
func open(c *observe.Code, folder string) (*Recording, error) {
	r := &Recording{Folder: folder, ID: filepath.Base(folder), Found: make(map[Voice]map[int]bool)}
	var err error
	if r.Journal, err = readJournal(filepath.Join(folder, "journal.jsonl")); err != nil {
		return nil, err
	}
	for _, l := range r.Journal {
		if l.Event == "started" {
			r.CallID, r.Of, r.Maker = l.CallID, l.Of, l.Maker
		}
	}
	text, err := os.ReadFile(filepath.Join(folder, "manifest.json"))
	if err == nil {
		r.Manifest = new(Manifest)
		err = json.Unmarshal(text, r.Manifest)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%s: %w", folder, err)
	}
	_, err = os.Stat(filepath.Join(folder, "erased.json"))
	r.Erased = err == nil
	files, err := filepath.Glob(filepath.Join(folder, "*.wav"))
	if err != nil {
		return nil, err
	}
	r.Files = len(files)
	for _, name := range files {
		if err := hear(c, name, r.take); err != nil {
			return nil, err
		}
	}
	return r, nil
}

func (r *Recording) take(s observe.Sighting) {
	if r.Found[s.Voice] == nil {
		r.Found[s.Voice] = make(map[int]bool)
	}
	r.Found[s.Voice][s.Packet] = s.Whole || r.Found[s.Voice][s.Packet]
}

// hear finds packets in a file of one channel.
func hear(c *observe.Code, path string, seen func(observe.Sighting)) error {
	text, err := os.ReadFile(path)
	if err == nil {
		c.InSamples(text, seen)
	}
	return err
}

// search finds packets in a file in whatever form: mu-law, or linear samples of one
// channel, or of two in turn.
func search(c *observe.Code, path string, seen func(observe.Sighting)) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	c.InWords(text, seen)
	c.InSamples(text, seen)
	for _, offset := range []int{0, 2} {
		var side []byte
		for i := offset; i+1 < len(text); i += 4 {
			side = append(side, text[i], text[i+1])
		}
		c.InSamples(side, seen)
	}
	return nil
}

// Leaks looks for voices in every file below a folder, whatever it is, and says where
// it found which.
func Leaks(data string, forbidden map[Voice]bool) (found []string, err error) {
	c, err := observe.NewCode(src.PCMU())
	if err != nil {
		return nil, err
	}
	err = filepath.WalkDir(data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		return search(c, path, func(s observe.Sighting) {
			where := fmt.Sprintf("call %d, party %d: %s", s.Call, s.Party, path)
			if forbidden[s.Voice] && !slices.Contains(found, where) {
				found = append(found, where)
			}
		})
	})
	return found, err
}

// name is whom an id of the journal means: a party of the scenario, or the id itself.
func (p *Played) name(id string, r *Recording) string {
	var same []string
	if r.Manifest != nil {
		for _, one := range r.Manifest.Participants {
			if one.ID == id {
				same = one.AORs
			}
		}
	}
	for _, h := range p.Parties {
		for _, known := range h.IDs {
			if strings.EqualFold(known, id) || slices.Contains(same, known) {
				return h.Name
			}
		}
	}
	// Who was dialled and never answered has no id of its own.
	for _, name := range partiesOf(p.Scenario) {
		if aor := aorOf(p.Scenario, name); id != "" && (aor == id || userOf(aor) == id) {
			return name
		}
	}
	return id
}
