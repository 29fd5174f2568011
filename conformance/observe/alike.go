package observe

import "math"

const (
	// alike is from which correlation on, 0 to 1, a packet counts as heard although its
	// samples are others. Two voices in one channel correlate with it to 0.7 each, give
	// or take 0.1; other noise to 0, give or take 0.08.
	alike = 0.5
	// expected is alike for a packet that has to be kept, right where it should be.
	expected = 0.35
	// right and near are how far from there that is, and how far a packet is looked for
	// first, in samples.
	right, near = 4, 240
	// maxSearches bounds the packets of a party that are looked for in a whole channel:
	// where none of so many is, none is taken to be.
	maxSearches = 3
)

// listenWell finds packets of the parties whose samples are not as they were sent: of
// another rate, mixed, damaged, or late by the filters of a codec, which cut off the end
// of the last one.
func (c *Channel) listenWell(codes map[string]*Code, parties []Party) {
	if c.searched {
		return
	}
	c.searched = true
	c.pcm = append(c.pcm, make([]int16, Frame/2)...)
	for _, party := range parties {
		c.listenFor(codes, party, true)
		c.listenFor(codes, party, false)
	}
	c.pcm = c.pcm[:c.Length]
}

// listenFor finds the parts of a party that have to be kept, or the others.
func (c *Channel) listenFor(codes map[string]*Code, party Party, kept bool) {
	searches := 0
	origin, known := c.origin(party)
	for _, part := range party.Parts {
		if part.Kept != kept || len(c.places(part)) > 0 {
			continue
		}
		want := part.samples(codes)
		at, found := int64(0), false
		if known && kept {
			at, found = c.best(want, origin+part.At, right, expected)
		}
		if known && !found {
			at, found = c.best(want, origin+part.At, near, alike)
		}
		if !found && searches < maxSearches {
			searches++
			at, found = c.best(want, 0, c.Length, alike)
		}
		if !found {
			continue
		}
		searches = 0
		c.heard[part.spot()] = []Place{{At: at}}
		if !known {
			origin, known = at-part.At, true
		}
	}
}

// origin is where the first part of a party is or would be, by the first that is heard.
func (c *Channel) origin(p Party) (at int64, known bool) {
	for _, part := range p.Parts {
		if places := c.places(part); len(places) > 0 {
			return places[0].At - part.At, true
		}
	}
	return 0, false
}

// best is the place within a distance of another that a packet is most like, if it is
// so much alike. The mark and the numbers are left out, which all packets share.
func (c *Channel) best(packet []int16, around, within int64, top float64) (at int64, found bool) {
	want := packet[headWords:]
	from, to := max(around-within, 0)+headWords, min(around+within+headWords, int64(len(c.pcm)-len(want)))
	if from > to {
		return 0, false
	}
	w := make([]float64, len(want))
	var size float64
	for i, s := range want {
		w[i] = float64(s)
		size += w[i] * w[i]
	}
	var energy float64
	for _, s := range c.pcm[from : from+int64(len(w))] {
		energy += float64(s) * float64(s)
	}
	for p := from; p <= to; p++ {
		window := c.pcm[p : p+int64(len(w))]
		if energy > 0 {
			var dot float64
			for i, s := range window {
				dot += w[i] * float64(s)
			}
			if likeness := dot / math.Sqrt(size*energy); likeness >= top {
				top, at, found = likeness, p-headWords, true
			}
		}
		if p < to {
			first, next := float64(window[0]), float64(c.pcm[p+int64(len(w))])
			energy += next*next - first*first
		}
	}
	return at, found
}
