package observe

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// samples are so many as a time has at 8 kHz.
func samples(d time.Duration) int64 { return int64(d * rate / time.Second) }

// lasting is how long so many samples are.
func lasting(n int64) time.Duration { return time.Duration(n) * time.Second / rate }

// missing are the parts of each party that have to be in a file and are in none.
func (f *Found) missing() (out []Party) {
	for _, p := range f.Parties {
		absent := slices.DeleteFunc(p.kept(), f.isHeard)
		if len(absent) > 0 {
			out = append(out, Party{p.Name, absent})
		}
	}
	return out
}

func (f *Found) isHeard(part Part) bool {
	return slices.ContainsFunc(f.Channels, func(c *Channel) bool { return len(c.places(part)) > 0 })
}

// Complete wants every part that has to be in a file in one, and all others in none,
// and none twice in one channel.
func (f *Found) Complete() (problems []string) {
	for _, p := range f.missing() {
		problems = append(problems, fmt.Sprintf("of %s, %d of %d packets are in no file: %s%s",
			p.Name, len(p.Parts), len(f.party(p.Name).kept()), numbers(p.Parts), f.where()))
	}
	for _, p := range f.Parties {
		for _, c := range f.Channels {
			var leaked, twice []Part
			for _, part := range p.Parts {
				n := len(c.places(part))
				if n > 0 && !part.Kept {
					leaked = append(leaked, part)
				}
				if n > 1 {
					twice = append(twice, part)
				}
			}
			if len(leaked) > 0 {
				problems = append(problems, fmt.Sprintf("%s holds %d packets of %s that must not be kept: %s", c.name(), len(leaked), p.Name, numbers(leaked)))
			}
			if len(twice) > 0 {
				problems = append(problems, fmt.Sprintf("%s holds %d packets of %s more than once: %s", c.name(), len(twice), p.Name, numbers(twice)))
			}
		}
	}
	return problems
}

func (f *Found) party(name string) Party {
	i := slices.IndexFunc(f.Parties, func(p Party) bool { return p.Name == name })
	return f.Parties[i]
}

// where adds to a message what was looked at.
func (f *Found) where() string {
	text := fmt.Sprintf(" (%d channels hold something of this recording session", len(f.Channels))
	if len(f.Unread) > 0 {
		text += "; not read: " + strings.Join(f.Unread, "; ")
	}
	return text + ")"
}

// Exact wants every part that has to be kept sample by sample as it was sent. Files of
// other rates than 8 kHz cannot hold it so: there it has to be alike.
func (f *Found) Exact() (problems []string) {
	for _, p := range f.Parties {
		changed := slices.DeleteFunc(p.kept(), func(part Part) bool {
			return !f.isHeard(part) || slices.ContainsFunc(f.Channels, func(c *Channel) bool {
				return slices.ContainsFunc(c.places(part), func(at Place) bool { return at.Exact || c.Rate != rate })
			})
		})
		if len(changed) > 0 {
			problems = append(problems, fmt.Sprintf("%d packets of %s are stored with other samples than were sent: %s", len(changed), p.Name, numbers(changed)))
		}
	}
	return problems
}

// InPlace wants the parts of a party in each channel as far from each other as they were
// spoken, give or take within.
func (f *Found) InPlace(within time.Duration) (problems []string) {
	for _, p := range f.Parties {
		for _, c := range f.Channels {
			origin, known := c.origin(p)
			if !known {
				continue
			}
			for _, part := range p.Parts {
				places := c.places(part)
				if len(places) == 0 || !part.Kept {
					continue
				}
				if off := places[0].At - part.At - origin; abs(off) > samples(within) {
					problems = append(problems, fmt.Sprintf("%s has %s from packet %d on %v off its place", c.name(), p.Name, part.Packet, lasting(off)))
					break
				}
			}
		}
	}
	return problems
}

func abs(n int64) int64 { return max(n, -n) }

// Apart wants each part that has to be kept in a channel in which no other party is
// heard.
func (f *Found) Apart() (problems []string) {
	for _, p := range f.Parties {
		others := slices.DeleteFunc(slices.Clone(f.Parties), func(o Party) bool { return o.Name == p.Name })
		mixed := slices.DeleteFunc(p.kept(), func(part Part) bool {
			return !f.isHeard(part) || slices.ContainsFunc(f.Channels, func(c *Channel) bool {
				return len(c.places(part)) > 0 && !slices.ContainsFunc(others, c.holds)
			})
		})
		if len(mixed) > 0 {
			problems = append(problems, fmt.Sprintf("%d packets of %s are only where others are heard too: %s", len(mixed), p.Name, numbers(mixed)))
		}
	}
	return problems
}

// Together wants parties who began at one instant within this time of each other, in
// all channels of a recording that begin at one instant too.
func (f *Found) Together(within time.Duration) (problems []string) {
	for i, p := range f.Parties {
		for _, q := range f.Parties[i+1:] {
			a, knownA := f.earliest(p)
			b, knownB := f.earliest(q)
			if knownA && knownB && abs(a-b) > samples(within) {
				problems = append(problems, fmt.Sprintf("%s and %s began at one instant and are %v apart", p.Name, q.Name, lasting(abs(a-b))))
			}
		}
	}
	return problems
}

// earliest is where the first part of a party is.
func (f *Found) earliest(p Party) (at int64, known bool) {
	for _, c := range f.Channels {
		if origin, ok := c.origin(p); ok && (!known || origin < at) {
			at, known = origin, true
		}
	}
	return at, known
}

// Named wants no file, by its name, to be of another party than the one who is heard in
// it. Names of parties in the names of files are looked for in small letters; a file
// whose name holds none of them, or several, tells nothing.
func (f *Found) Named() (problems []string) {
	for _, c := range f.Channels {
		var named []Party
		for _, p := range f.Parties {
			if strings.Contains(strings.ToLower(c.File), strings.ToLower(p.Name)) {
				named = append(named, p)
			}
		}
		if len(named) != 1 {
			continue
		}
		for _, p := range f.Parties {
			if p.Name != named[0].Name && c.holds(p) && !c.holds(named[0]) {
				problems = append(problems, fmt.Sprintf("%s is named after %s and holds %s", c.name(), named[0].Name, p.Name))
			}
		}
	}
	return problems
}

// Contains says in which channel some samples stand one after the other; empty when in
// none.
func (f *Found) Contains(run []int16) string {
	for _, c := range f.Channels {
		for at := 0; at+len(run) <= len(c.pcm); at++ {
			if slices.Equal(c.pcm[at:at+len(run)], run) {
				return c.name()
			}
		}
	}
	return ""
}
