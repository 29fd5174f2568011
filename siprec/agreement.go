package siprec

import (
	"net/netip"
	"strings"

	"github.com/siprecd/siprecd/siprec/internal/sdp"
	"github.com/siprecd/siprecd/siprec/media"
)

// A slot is one m-line of a recording session with what was agreed on it.
type slot struct {
	stream   Stream
	answer   sdp.Slot
	recv     *media.Receiver // nil when the m-line is refused
	expected media.Expected  // what recv was told
}

// An agreement is the state of offer and answer (RFC 3264). It is not changed
// once it is in force; each offer makes the next.
type agreement struct {
	slots []*slot
	// gone are m-lines that an offer left out against RFC 3264 §8, closed. They
	// follow slots and say which generation a later m-line in their place has.
	gone    []*slot
	body    []byte // our SDP
	version uint64 // its o= version
	time    string // its t= line, that of the offer
	// opened are receivers that only this agreement has, closing those that it
	// no longer has.
	opened, closing []*media.Receiver
	oddities        []string
	// untaken says why m-lines of an answer to an offer of ours cannot be taken;
	// hopeless, that none can.
	untaken  []string
	hopeless bool
}

func (a *agreement) streams() []Stream {
	out := make([]Stream, 0, len(a.slots)+len(a.gone))
	for _, sl := range a.slots {
		out = append(out, sl.stream)
	}
	for _, sl := range a.gone {
		out = append(out, sl.stream)
	}
	return out
}

// before is the slot at a place of the SDP, also one that is gone; nil when
// there never was one.
func (a *agreement) before(i int) *slot {
	switch {
	case a == nil || i >= len(a.slots)+len(a.gone):
		return nil
	case i < len(a.slots):
		return a.slots[i]
	}
	return a.gone[i-len(a.slots)]
}

// acceptable reports whether anything of it can be received, or nothing was
// asked for.
func (a *agreement) acceptable() bool {
	for _, sl := range a.slots {
		if !sl.stream.Closed {
			return true
		}
	}
	return len(a.slots) == 0
}

// refusals says why m-lines were refused, each reason once.
func (a *agreement) refusals() string {
	var why []string
	for _, sl := range a.slots {
		if r := sl.stream.Refusal; r != "" {
			why = appendOnce(why, r)
		}
	}
	return strings.Join(why, "; ")
}

// close says that nothing comes on the m-line any more.
func (sl *slot) close() {
	sl.recv, sl.answer.Port = nil, 0
	sl.stream.Closed, sl.stream.Receiving = true, false
	sl.stream.Local, sl.stream.Remote = netip.AddrPort{}, netip.AddrPort{}
}
