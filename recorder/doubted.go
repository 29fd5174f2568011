package recorder

import (
	"slices"
	"time"

	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// doubtedKept bounds the packets that wait for their clock: as many as settle a
// new epoch, and those that come with them until it has lasted long enough.
const doubtedKept = 4 * settlePackets

// doubted holds packets whose RTP time says that they were sent while audio was
// withheld, though they came under a permit. That is what a stalled network
// looks like, and also a sender whose clock stood still on hold. When the clock
// turns out to have stood still they are judged once more; else they are wiped.
// All of them are of one SSRC and rate, and of the permit that is open.
type doubted struct {
	list []capture.Packet
	rate int // Hz, of their clock
}

// of reports whether the list holds packets of this clock.
func (d *doubted) of(ssrc uint32, rate int) bool {
	return len(d.list) > 0 && d.list[0].SSRC == ssrc && d.rate == rate
}

// add lets a packet wait and returns how many were wiped for it.
func (d *doubted) add(p capture.Packet, rate int) (wiped int) {
	if !d.of(p.SSRC, rate) {
		wiped = d.wipe()
	}
	if len(d.list) == doubtedKept {
		clear(d.list[0].Payload)
		d.list = slices.Delete(d.list, 0, 1)
		wiped++
	}
	p.Payload = slices.Clone(p.Payload)
	d.list, d.rate = append(d.list, p), rate
	return wiped
}

// wipe forgets all and returns how many there were.
func (d *doubted) wipe() int {
	for i := range d.list {
		clear(d.list[i].Payload)
	}
	n := len(d.list)
	d.list = nil
	return n
}

// doubt takes a packet that the gate did not keep. It waits when its clock is in
// doubt and it came under a permit.
func (w *way) doubt(p *capture.Packet, rate int, i instant) {
	if _, permitted := w.gate.at(p.Arrival); !permitted || i.lag() <= jump {
		w.withheld++
		return
	}
	waiting := *p
	waiting.Decision = w.allowed
	w.withheld += uint64(w.doubted.add(waiting, rate))
}

// resolve judges what waits once a packet of its clock is no longer in doubt.
func (w *way) resolve(clock *mediaClock, ssrc uint32, rate int, now instant) {
	if !w.doubted.of(ssrc, rate) || now.lag() > jump {
		return
	}
	for i := range w.doubted.list {
		p := &w.doubted.list[i]
		if now.Settled && w.gate.keep(clock.again(ssrc, p.Timestamp, rate, p.Arrival)) {
			w.append(p)
		} else {
			w.withheld++
		}
	}
	w.doubted.wipe()
}

// again says when a packet was sent by what is known now, and learns nothing.
func (c *mediaClock) again(ssrc uint32, ts uint32, rate int, arrival time.Duration) instant {
	for i := range c.epochs {
		if e := &c.epochs[i]; e.rate == rate && e.ssrc == ssrc {
			return instant{Arrival: arrival, Media: arrival - max(0, e.lag(ts, arrival)), Rests: e.rests}
		}
	}
	return instant{Arrival: arrival, Media: arrival, Rests: 1}
}
