package media

import (
	"slices"

	"github.com/pion/rtp"
)

// A Contributor is a source that a mixer says is in its stream (RFC 3550 §7.1, RFC
// 7866 §8.1.4).
type Contributor struct {
	CSRC    uint32
	Packets uint64 // that list it
	// CNAME and Name are what the mixer forwards of it (RFC 3550 §6.5.1, §6.5.2);
	// empty when it does not.
	CNAME, Name string
}

// maxContributors bounds what one stream may tell of sources.
const maxContributors = 64

// names is what was said of a source.
type names struct{ cname, name string }

// contributors are those of one stream, in the order in which they came.
type contributors struct {
	list []Contributor
	said map[uint32]names
}

// note counts the contributors of a packet.
func (c *contributors) note(h *rtp.Header) {
	for _, csrc := range h.CSRC {
		i := slices.IndexFunc(c.list, func(k Contributor) bool { return k.CSRC == csrc })
		if i < 0 {
			if len(c.list) == maxContributors {
				continue
			}
			i = len(c.list)
			c.list = append(c.list, Contributor{CSRC: csrc})
		}
		c.list[i].Packets++
	}
}

// hear remembers names, also of sources that come later.
func (c *contributors) hear(said map[uint32]names) {
	for ssrc, n := range said {
		if _, known := c.said[ssrc]; !known && len(c.said) == maxContributors {
			continue
		}
		if c.said == nil {
			c.said = make(map[uint32]names)
		}
		old := c.said[ssrc]
		if n.cname != "" {
			old.cname = n.cname
		}
		if n.name != "" {
			old.name = n.name
		}
		c.said[ssrc] = old
	}
}

// all returns the contributors with their names.
func (c *contributors) all() []Contributor {
	out := slices.Clone(c.list)
	for i := range out {
		said := c.said[out[i].CSRC]
		out[i].CNAME, out[i].Name = said.cname, said.name
	}
	return out
}
