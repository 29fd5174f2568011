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
	// A place is looked at in full when the first samples of a packet, so many, are a
	// little alike there.
	few, little = 48, 0.2
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
	ours := false
	for _, party := range parties {
		c.listenFor(codes, party, true, maxSearches)
		ours = ours || c.holds(party)
	}
	for _, party := range parties {
		if ours {
			c.listenFor(codes, party, false, maxSearches)
		} else {
			c.listenFor(codes, party, false, 1)
		}
	}
	c.pcm = c.pcm[:c.Length]
}

// listenFor finds the parts of a party that have to be kept, or the others. It gives up
// after so many searches of the whole channel in a row.
func (c *Channel) listenFor(codes map[string]*Code, party Party, kept bool, limit int) {
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
		if !found && searches < limit {
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
	w, size := make([]float64, len(want)), 0.0
	for i, x := range want {
		w[i] = float64(x)
		size += w[i] * w[i]
	}
	sizeOfFew := energyOf(want[:few])
	energy, energyOfFew := energyOf(c.pcm[from:from+int64(len(w))]), energyOf(c.pcm[from:from+few])
	for p := from; p <= to; p++ {
		window := c.pcm[p : p+int64(len(w))]
		if dot(w[:few], window) > little*math.Sqrt(sizeOfFew*energyOfFew) {
			if likeness := dot(w, window) / math.Sqrt(size*energy); likeness >= top {
				top, at, found = likeness, p-headWords, true
			}
		}
		if p < to {
			first := square(window[0])
			energy += square(c.pcm[p+int64(len(w))]) - first
			energyOfFew += square(window[few]) - first
		}
	}
	return at, found
}

func square(x int16) float64 { return float64(x) * float64(x) }

func energyOf(pcm []int16) (sum float64) {
	for _, x := range pcm {
		sum += square(x)
	}
	return sum
}

// dot multiplies as many samples as there are weights.
func dot(weights []float64, pcm []int16) (sum float64) {
	pcm = pcm[:len(weights)]
	for i, w := range weights {
		sum += w * float64(pcm[i])
	}
	return sum
}
