package load

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"math/bits"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/observe"
)

// A haul is what one file holds.
type haul struct {
	size     int64
	modified time.Time
	finished time.Time // when its name or its content changed last
	catches  []*catch
	damaged  int
	strange  bool // it holds packets of another run
	problem  error
}

// A catch is what one channel of a file holds of one stream.
type catch struct {
	stream     int
	count      int // different packets
	duplicates int
	displaced  int  // packets not as far from the first as their numbers say
	foreign    bool // the channel began with another stream
	origin     int64
	bits       []uint64
}

func (c *catch) add(packet int, origin int64) {
	for packet/64 >= len(c.bits) {
		c.bits = append(c.bits, 0)
	}
	if c.bits[packet/64]&(1<<(packet%64)) != 0 {
		c.duplicates++
		return
	}
	c.bits[packet/64] |= 1 << (packet % 64)
	if c.count == 0 {
		c.origin = origin
	}
	c.count++
	if origin != c.origin {
		c.displaced++
	}
}

// search reads a WAV file.
func (c *code) search(path string) (h *haul, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	h = &haul{size: info.Size(), modified: info.ModTime(), finished: changed(info)}
	l, length, err := openWAV(f)
	if err != nil {
		h.problem = err
		return h, nil
	}
	return h, c.searchChannels(h, l, f, length)
}

func (c *code) searchChannels(h *haul, l observe.WAV, r io.Reader, length int64) error {
	finders := make([]*finder, l.Channels)
	for i := range finders {
		own := make(map[int]*catch) // by stream
		finders[i] = &finder{code: c, seen: func(s sighting) {
			switch {
			case s.run != c.run:
				h.strange = true
				return
			case !s.whole:
				h.damaged++
				return
			}
			k := own[s.stream]
			if k == nil {
				k = &catch{stream: s.stream, foreign: len(own) > 0}
				own[s.stream] = k
				h.catches = append(h.catches, k)
			}
			k.add(s.packet, s.at-int64(s.packet)*int64(c.words))
		}}
	}
	err := l.EachChannel(r, length, func(channel int, pcm []byte) { finders[channel].feed(pcm) })
	for _, f := range finders {
		f.end()
	}
	return err
}

// A shelf is the folder in which the server puts its files.
type shelf struct {
	dir   string
	since time.Time // files that are older are not of this run
	code  *code
	hauls map[string]*haul
}

// list names the WAV files that are there. Names that begin with a dot are not
// finished.
func (s *shelf) list() ([]string, error) {
	var out []string
	err := filepath.WalkDir(s.dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist) && path != s.dir:
			return nil // renamed or removed meanwhile
		case err != nil:
			return err
		case strings.HasPrefix(d.Name(), ".") && path != s.dir:
			if d.IsDir() {
				return fs.SkipDir
			}
		case d.Type().IsRegular() && strings.EqualFold(filepath.Ext(path), ".wav"):
			out = append(out, path)
		}
		return nil
	})
	return out, err
}

// news are the files that are new, or not as they were when they were read.
func (s *shelf) news(paths []string) []string {
	var out []string
	for _, p := range paths {
		info, err := os.Stat(p)
		if err != nil || info.ModTime().Before(s.since) {
			continue
		}
		if h := s.hauls[p]; h == nil || h.size != info.Size() || !h.modified.Equal(info.ModTime()) {
			out = append(out, p)
		}
	}
	return out
}

// read searches files, a few at a time.
func (s *shelf) read(ctx context.Context, paths []string) error {
	const readers = 2
	var (
		mu   sync.Mutex
		errs []error
		wg   sync.WaitGroup
		next = make(chan string)
	)
	for range readers {
		wg.Go(func() {
			for p := range next {
				h, err := s.code.search(p)
				mu.Lock()
				switch {
				case err == nil:
					s.hauls[p] = h
				case !errors.Is(err, fs.ErrNotExist):
					errs = append(errs, err)
				}
				mu.Unlock()
			}
		})
	}
	for _, p := range paths {
		if ctx.Err() != nil {
			break
		}
		next <- p
	}
	close(next)
	wg.Wait()
	return errors.Join(append(errs, ctx.Err())...)
}

// Found is what was found of the packets that were sent.
type Found struct {
	Files    int     `json:"files"`     // with packets of this run
	Sent     int     `json:"sent"`      // packets
	Present  int     `json:"present"`   // packets that are in at least one file, whole
	Recorded float64 `json:"recorded"`  // Present of Sent, 0 to 1
	Missing  int     `json:"missing"`   // packets
	AtStart  int     `json:"at_start"`  // of Missing: before the first of a stream that is there
	AtEnd    int     `json:"at_end"`    // of Missing: after the last
	Nowhere  int     `json:"nowhere"`   // streams of which nothing is there
	Streams  int     `json:"streams"`   // that were sent
	Damaged  int     `json:"damaged"`   // packets of which only a part is as it was sent
	Twice    int     `json:"twice"`     // packets that are more than once in a channel
	Foreign  int     `json:"foreign"`   // packets in a channel that began with another stream, or that were not sent
	Copies   int     `json:"copies"`    // packets that are in more than one file or channel
	Shifted  int     `json:"displaced"` // packets that are not where the first of their stream puts them
	Unread   int     `json:"unread"`    // WAV files that cannot be searched
	Why      string  `json:"why,omitempty"`

	// ToFile is from the BYE of a recording session until the last of its files was
	// finished.
	ToFile Spread `json:"bye_to_file"`
	// Finalised is how many packets were brought into files in a second, from the
	// first BYE until the last file was finished.
	Finalised float64 `json:"finalised_packets_per_s"`
}

// sum compares what was found with what was sent.
func (s *shelf) sum(streams []*stream) Found {
	var f Found
	all := make([]*catch, len(streams))
	last := make([]time.Time, len(streams))
	for _, h := range s.hauls {
		f.Damaged += h.damaged
		if h.problem != nil {
			f.Unread++
			f.Why = h.problem.Error()
		}
		if len(h.catches) > 0 {
			f.Files++
		}
		for _, c := range h.catches {
			f.Twice += c.duplicates
			f.Shifted += c.displaced
			if c.foreign {
				f.Foreign += c.count
			}
			if c.stream >= len(streams) || streams[c.stream] == nil {
				f.Foreign += c.count
				continue
			}
			if h.finished.After(last[c.stream]) {
				last[c.stream] = h.finished
			}
			if all[c.stream] == nil {
				all[c.stream] = &catch{}
			}
			f.Copies += all[c.stream].merge(c.bits)
		}
	}
	var first, end time.Time
	var waits []time.Duration
	for i, st := range streams {
		if st == nil {
			continue
		}
		f.count(st, all[i])
		if all[i] == nil || st.call.bye.IsZero() {
			continue
		}
		waits = append(waits, max(last[i].Sub(st.call.bye), 0))
		if first.IsZero() || st.call.bye.Before(first) {
			first = st.call.bye
		}
		if last[i].After(end) {
			end = last[i]
		}
	}
	f.ToFile = spread(waits)
	if f.Sent > 0 {
		f.Recorded = float64(f.Present) / float64(f.Sent)
	}
	if took := end.Sub(first).Seconds(); took > 0 {
		f.Finalised = float64(f.Present) / took
	}
	return f
}

// merge adds packets and says how many were there before.
func (c *catch) merge(from []uint64) (twice int) {
	for i, w := range from {
		if i == len(c.bits) {
			c.bits = append(c.bits, 0)
		}
		twice += bits.OnesCount64(c.bits[i] & w)
		c.bits[i] |= w
	}
	return twice
}

// count adds one stream, of which c was found; nil is nothing.
func (f *Found) count(st *stream, c *catch) {
	f.Streams++
	f.Sent += st.next
	if c == nil {
		if st.next > 0 {
			f.Nowhere++
			f.Missing += st.next
		}
		return
	}
	present, first, last := 0, -1, -1
	for i, w := range c.bits {
		for ; w != 0; w &= w - 1 {
			packet := 64*i + bits.TrailingZeros64(w)
			if packet >= st.next {
				f.Foreign++
				continue
			}
			if first < 0 {
				first = packet
			}
			last = packet
			present++
		}
	}
	f.Present += present
	f.Missing += st.next - present
	if first >= 0 {
		f.AtStart += first
		f.AtEnd += st.next - 1 - last
	}
}
