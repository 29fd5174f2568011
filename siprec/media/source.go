package media

import (
	"net/netip"
	"slices"
	"time"
)

// A Source is one SSRC of a stream's packets (RFC 3550 §5.1).
type Source struct {
	SSRC    uint32
	At      time.Time      // arrival of its first packet
	Address netip.AddrPort // where that came from
	Packets uint64
	// CNAME and Name are what it calls itself (RFC 3550 §6.5.1, §6.5.2); empty when
	// it does not.
	CNAME, Name string
	Bye         bool // it said that it leaves (RFC 3550 §6.6)
	// Change is why it follows the source before; empty for the first.
	Change Change
}

// A Change is the reason why a stream goes on under another SSRC, as far as it shows
// (RFC 7866 §8.1.3). RTCP may tell more of it after the change.
type Change string

// The changes. Of several that fit, the first is told.
const (
	ChangeCollision Change = "collision"      // the SSRC before was that of our reports too (RFC 3550 §8.2)
	ChangeTogether  Change = "both send"      // the source before goes on beside it
	ChangeRestart   Change = "same source"    // both have one CNAME: it began anew
	ChangeOther     Change = "another source" // their CNAMEs differ
	ChangeBye       Change = "source left"    // the source before said BYE
	ChangeOffer     Change = "offer"          // it came within 2 s of a new offer
	ChangeAddress   Change = "address"        // it came from another address
	ChangeUnknown   Change = "unknown"        // nothing tells
)

// maxSources bounds how many SSRCs of one stream are told apart.
const maxSources = 64

// A seen source is a Source with what its reason is found by.
type seen struct {
	Source
	collided, offered bool
	returned          bool // it went on after another had come
}

// sources are those of one stream, in the order in which they came.
type sources struct {
	list    []seen
	now     int       // in list, whose packets come
	changed time.Time // when that became so
}

// note counts a packet, and reports whether its SSRC is the first after another.
// offer is the instant of the last offer; collided says that the SSRC was ours.
func (s *sources) note(ssrc uint32, src netip.AddrPort, at, offer time.Time, collided bool) (changed bool) {
	i := s.now
	if len(s.list) == 0 || s.list[i].SSRC != ssrc {
		i = slices.IndexFunc(s.list, func(k seen) bool { return k.SSRC == ssrc })
	}
	switch {
	case i < 0 && len(s.list) == maxSources:
		return false
	case i < 0:
		i = len(s.list)
		offered := i > 0 && offer.After(s.list[s.now].At) && at.Sub(offer) <= offerWait
		s.list = append(s.list, seen{Source: Source{SSRC: ssrc, At: at, Address: src}, offered: offered})
		s.now, s.changed, changed = i, at, i > 0
	case i != s.now && at.Sub(s.changed) > silenceWait:
		// Sooner it may be one that the network kept back.
		s.list[i].returned = true
		s.now, s.changed = i, at
	}
	s.list[i].Packets++
	s.list[i].collided = s.list[i].collided || collided
	return changed
}

// bye notes who left.
func (s *sources) bye(ssrcs []uint32) {
	for i := range s.list {
		s.list[i].Bye = s.list[i].Bye || slices.Contains(ssrcs, s.list[i].SSRC)
	}
}

// all returns the sources with their names, and why each came.
func (s *sources) all(said map[uint32]names) []Source {
	out := make([]Source, len(s.list))
	for i := range s.list {
		out[i] = s.list[i].Source
		out[i].CNAME, out[i].Name = said[out[i].SSRC].cname, said[out[i].SSRC].name
		if i > 0 {
			out[i].Change = s.change(i, out[i-1].CNAME, out[i].CNAME)
		}
	}
	return out
}

// change is why a source followed the one before.
func (s *sources) change(i int, before, after string) Change {
	old, now := &s.list[i-1], &s.list[i]
	switch {
	case old.collided:
		return ChangeCollision
	case old.returned && now.returned:
		return ChangeTogether
	case before != "" && before == after:
		return ChangeRestart
	case before != "" && after != "":
		return ChangeOther
	case old.Bye:
		return ChangeBye
	case now.offered:
		return ChangeOffer
	case old.Address != now.Address:
		return ChangeAddress
	}
	return ChangeUnknown
}
