package faults

import (
	"net/netip"
	"sync"
	"time"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// records configures a server whose files are wrong.
func records(rec func() model.Record) func() model.Config {
	return func() model.Config {
		r := rec()
		return model.Config{Record: &r}
	}
}

// takes is a server that handles packets wrongly as they come.
func takes(take func() func(p *model.Packet) bool) func() model.Config {
	return records(func() model.Record {
		var one sync.Mutex // streams are read side by side
		next := take()
		return model.Record{Takes: func(p *model.Packet) bool {
			one.Lock()
			defer one.Unlock()
			return next(p)
		}}
	})
}

// lays is a server that puts the packets of a stream wrongly together.
func lays(lay func(t *model.Track)) func() model.Config {
	return records(func() model.Record { return model.Record{Lays: lay} })
}

// writes is a server that writes wrongly what it has.
func writes(write func(tracks []*model.Track) []*model.Track) func() model.Config {
	return records(func() model.Record { return model.Record{Writes: write} })
}

// opens is a server that records other streams than it should.
func opens(open func(line int, direction string, before bool) bool) func() model.Config {
	return records(func() model.Record { return model.Record{Opens: open} })
}

// audioStreams are mistakes with which streams are recorded, and when.
func audioStreams() []Fault {
	return []Fault{
		{
			Name: "records-nothing", Says: "No file is written.",
			Caught: []string{"rfc7866/8.4/3", "rfc7866/8.3.2/4", "rfc3551/4.5.14/1", "dialects/audio/8"},
			Config: writes(func([]*model.Track) []*model.Track { return nil }),
		},
		{
			Name: "records-one-stream", Says: "Only the first stream is recorded.",
			Caught: []string{"rfc7866/8.4/3", "dialects/audio/6", "dialects/audio/7"},
			Config: opens(func(line int, direction string, _ bool) bool { return line == 0 && direction == src.RecvOnly }),
		},
		{
			Name: "records-while-inactive", Says: "What comes while a stream is inactive is recorded.",
			Caught: []string{"rfc7866/7.1.1.1/3", "rfc7866/7.1.1.1/4", "rfc7866/7.1.1.1/7", "rfc3311/5.2/3"},
			Config: opens(func(_ int, direction string, _ bool) bool { return direction != "" }),
		},
		{
			Name: "records-removed", Says: "What comes for a stream that was removed by port 0 is recorded.",
			Caught: []string{"rfc7866/7.1.1.1/5"},
			Config: opens(func(_ int, direction string, before bool) bool {
				return direction == src.RecvOnly || direction == "" && before
			}),
		},
		{
			Name: "deaf-after-hold", Says: "A stream that was inactive is not recorded any more.",
			Caught: []string{"rfc7866/7.1.1.1/3"},
			Config: records(func() model.Record {
				held := make(map[int]bool)
				return model.Record{Opens: func(line int, direction string, _ bool) bool {
					held[line] = held[line] || direction == src.Inactive
					return direction == src.RecvOnly && !held[line]
				}}
			}),
		},
		{
			Name: "pauses-all", Says: "While one stream is inactive, none is recorded.",
			Caught: []string{"rfc7866/7.1.1.1/4"},
			Config: records(func() model.Record {
				held := make(map[int]bool)
				return model.Record{Opens: func(line int, direction string, _ bool) bool {
					held[line] = direction == src.Inactive
					return direction == src.RecvOnly && !held[0]
				}}
			}),
		},
		{
			Name: "ignores-added", Says: "A stream that is added later is not recorded.",
			Caught: []string{"rfc7866/7.1.1.1/6"},
			Config: opens(func(line int, direction string, _ bool) bool { return line < 2 && direction == src.RecvOnly }),
		},
		{
			Name: "waits-for-ack", Says: "Nothing is recorded before the ACK.",
			Caught: []string{"rfc3264/6.1/2"},
			Config: takes(func() func(*model.Packet) bool { return func(p *model.Packet) bool { return p.Acked } }),
		},
		{
			Name: "drops-tail", Says: "The last 200 ms before the BYE are not recorded.",
			Caught: []string{"rfc3261/15.1.2/3"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				for _, t := range tracks {
					t.Samples = t.Samples[:max(len(t.Samples)-1600, 0)]
				}
				return tracks
			}),
		},
		{
			Name: "records-after-bye", Says: "Recording goes on for a while after the BYE.",
			Caught: []string{"rfc3261/15.1.2/4"},
			Config: records(func() model.Record { return model.Record{Linger: 400 * time.Millisecond} }),
		},
		{
			Name: "stops-early", Says: "Recording stops after 1 s, as other servers do after 5 min.",
			Caught: []string{"rfc7866/5.1/2"},
			Config: takes(func() func(*model.Packet) bool {
				var first time.Time
				return func(p *model.Packet) bool {
					if first.IsZero() {
						first = p.At
					}
					return p.At.Sub(first) < time.Second
				}
			}),
		},
	}
}

// audioParties are mistakes with whose voice is whose.
func audioParties() []Fault {
	return []Fault{
		{
			Name: "swaps-parties-midway", Says: "In the middle of the call each file goes on with the voice of the other party.",
			Caught: []string{"rfc7866/8.3.1/5", "dialects/audio/4"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				a, b := tracks[0].Samples, tracks[1].Samples
				for i := min(len(a), len(b)) / 2; i < min(len(a), len(b)); i++ {
					a[i], b[i] = b[i], a[i]
				}
				return tracks
			}),
		},
		{
			Name: "swaps-names", Says: "The file with the name of one party holds the other.",
			Caught: []string{"rfc7865/6.8/1", "dialects/audio/3"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				tracks[0].Name, tracks[1].Name = tracks[1].Name, tracks[0].Name
				return tracks
			}),
		},
		{
			Name: "mixes-parties", Says: "All voices are mixed into one channel.",
			Caught: []string{"rfc7866/8.3.1/5", "rfc7866/8.3.2/3", "dialects/audio/1", "dialects/audio/2", "dialects/audio/5"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				return []*model.Track{mixed(tracks)}
			}),
		},
		{
			Name: "added-stream-in-first", Says: "A stream that is added later is mixed into the file of the first.",
			Caught: []string{"rfc7866/7.1.1.1/6"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				if len(tracks) < 3 {
					return tracks
				}
				return []*model.Track{mixed([]*model.Track{tracks[0], tracks[2]}), tracks[1]}
			}),
		},
		{
			Name: "place-names-party", Says: "A new stream in the place of one that was removed goes on in its file.",
			Caught: []string{"rfc7866/7.1.1.1/8"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				if len(tracks) < 3 || tracks[1].Line != tracks[2].Line {
					return tracks
				}
				return []*model.Track{tracks[0], mixed(tracks[1:])}
			}),
		},
		{
			Name: "ssrc-names-stream", Says: "Packets are sorted by SSRC alone, whatever port they come to.",
			Caught: []string{"rfc7866/8.3.2/3"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				if len(tracks[0].Packets) > 0 && len(tracks[1].Packets) > 0 && tracks[0].Packets[0].Header.SSRC == tracks[1].Packets[0].Header.SSRC {
					return []*model.Track{mixed(tracks)}
				}
				return tracks
			}),
		},
		{
			Name: "out-of-step", Says: "The second stream begins half a second late.",
			Caught: []string{"rfc7866/8.3.1/6"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				tracks[1].Samples = append(make([]int16, 4000), tracks[1].Samples...)
				return tracks
			}),
		},
	}
}

// mixed is the sum of some tracks.
func mixed(tracks []*model.Track) *model.Track {
	out := &model.Track{Name: "mix"}
	for _, t := range tracks {
		for i, s := range t.Samples {
			if i == len(out.Samples) {
				out.Samples = append(out.Samples, 0)
			}
			out.Samples[i] = int16(min(max(int(out.Samples[i])+int(s), -32768), 32767))
		}
	}
	return out
}

// from is where the packets of a stream came from first.
type from struct{ at netip.AddrPort }

// same says whether a packet comes from there too.
func (f *from) same(p *model.Packet) bool {
	if !f.at.IsValid() {
		f.at = p.From
	}
	return p.From == f.at
}
