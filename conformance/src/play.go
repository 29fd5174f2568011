package src

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtp"
)

// PlayOptions say how a source becomes packets. The zero value sends the first
// codec of the answer in real time, 20 ms per packet, until the source ends.
type PlayOptions struct {
	Codec    Codec         // default: the first answered one that can be encoded
	Ptime    time.Duration // audio per packet; default 20 ms
	Interval time.Duration // between packets; default Ptime. Shorter is a burst
	Duration time.Duration // of audio; 0: until the source ends
	Count    int           // packets; 0: no limit
	From     int64         // first sample of the source

	// Starting values; nil goes on where the stream was, with the timestamp
	// advanced by the time that passed.
	SSRC      *uint32
	Sequence  *uint16
	Timestamp *uint32

	NoMarker bool // no marker bit on the first packet (RFC 3551 §4.1)
	// ComfortNoise replaces digital silence by one CN packet (RFC 3389,
	// payload type 13) per 10 frames.
	ComfortNoise bool
	// RTCP sends a sender report and CNAME at this interval (RFC 3550 §6.4.1);
	// 0 sends none.
	RTCP time.Duration
	// Faults are the imperfections of the network.
	Faults Faults
}

// Faults are drawn per packet from Seed: the same options give the same faults.
type Faults struct {
	Seed      uint64
	Loss      float64       // probability, 0 to 1
	Reorder   float64       // probability that a packet is sent after the next one
	Duplicate float64       // probability
	Jitter    time.Duration // each packet is late by 0 to this much
	Changes   []Change
}

// A Change happens before the packet with the given index.
type Change struct {
	At        int     // index of the packet, from 0
	SSRC      *uint32 // new source identifier (RFC 3550 §8.2)
	Sequence  uint16  // added to the sequence number
	Timestamp uint32  // added to the timestamp
	Marker    bool
	NewSocket bool // go on from another port
}

// Kinds of faults in Sent.
const (
	FaultLost      = "lost"
	FaultReordered = "reordered"
	FaultDuplicate = "duplicate"
)

// emission is one thing to send at an offset from the start of playing.
type emission struct {
	offset  time.Duration
	index   int
	header  rtp.Header
	payload []byte
	raw     []byte // instead of header and payload
	fault   string
	socket  int  // generation of the socket
	report  bool // an RTCP report, nothing else
}

// frames gives the payload of frame i and whether it is comfort noise; the
// payload is nil for a frame that is not sent, ok is false at the end.
type frames func(i int) (payload []byte, noise, ok bool)

// plan turns frames into emissions in the order of their offsets. It reads no
// clock: the same options make the same plan.
type plan struct {
	opt     PlayOptions
	frames  frames
	samples uint32 // RTP time per frame
	rng     *rand.Rand
	state   rtp.Header // of the next packet
	index   int
	socket  int
	talking bool
	ended   bool
	queue   []emission // sorted by offset
	at      time.Time  // of the first timestamp on the clock of the stream
}

// newPlan begins with the header of the first packet.
func newPlan(opt PlayOptions, first rtp.Header, f frames, samples uint32) *plan {
	return &plan{
		opt: opt, frames: f, samples: samples, state: first,
		rng: rand.New(rand.NewPCG(opt.Faults.Seed, 11)),
	}
}

// next returns the emissions one by one; ok is false at the end.
func (p *plan) next() (e emission, ok bool) {
	// An emission may go when nothing later made can come before it: a packet
	// is never earlier than its index says.
	for !p.ended && (len(p.queue) == 0 || p.queue[0].offset >= p.base()) {
		p.produce()
	}
	if len(p.queue) == 0 {
		return emission{}, false
	}
	e, p.queue = p.queue[0], p.queue[1:]
	return e, true
}

func (p *plan) base() time.Duration { return time.Duration(p.index) * p.opt.Interval }

// produce makes the emissions of one frame.
func (p *plan) produce() {
	i := p.index
	if p.opt.Count > 0 && i >= p.opt.Count ||
		p.opt.Duration > 0 && time.Duration(i)*p.opt.Ptime >= p.opt.Duration {
		p.ended = true
		return
	}
	payload, noise, ok := p.frames(i)
	if !ok {
		p.ended = true
		return
	}
	p.report(i)
	marker := p.change(i)
	if payload != nil {
		h := p.state
		h.Marker = marker || !p.opt.NoMarker && !noise && !p.talking
		if noise {
			h.PayloadType = 13
		}
		p.talking = !noise
		p.emit(i, h, payload)
		p.state.SequenceNumber++
	} else {
		p.talking = false
	}
	p.state.Timestamp += p.samples
	p.index++
}

// change applies what happens before packet i and says whether it is marked.
func (p *plan) change(i int) (marker bool) {
	for _, c := range p.opt.Faults.Changes {
		if c.At != i {
			continue
		}
		if c.SSRC != nil {
			p.state.SSRC = *c.SSRC
		}
		p.state.SequenceNumber += c.Sequence
		p.state.Timestamp += c.Timestamp
		marker = marker || c.Marker
		if c.NewSocket {
			p.socket++
		}
	}
	return marker
}

// report asks for an RTCP report when one is due.
func (p *plan) report(i int) {
	if p.opt.RTCP <= 0 {
		return
	}
	now, before := p.base(), time.Duration(i-1)*p.opt.Interval
	if i == 0 || now/p.opt.RTCP != before/p.opt.RTCP {
		p.push(emission{offset: now, index: i, report: true, socket: p.socket,
			header: rtp.Header{SSRC: p.state.SSRC, Timestamp: p.state.Timestamp}})
	}
}

// emit draws the faults of one packet. Four numbers are drawn for every packet,
// so that one fault does not move the others.
func (p *plan) emit(i int, h rtp.Header, payload []byte) {
	f := p.opt.Faults
	loss, reorder, twice, late := p.rng.Float64(), p.rng.Float64(), p.rng.Float64(), p.rng.Float64()
	e := emission{offset: p.base(), index: i, header: h, payload: payload, socket: p.socket}
	e.offset += time.Duration(late * float64(f.Jitter))
	switch {
	case loss < f.Loss:
		e.fault = FaultLost
	case reorder < f.Reorder:
		e.fault = FaultReordered
		e.offset += p.opt.Interval * 3 / 2
	}
	p.push(e)
	if twice < f.Duplicate && e.fault != FaultLost {
		e.fault = FaultDuplicate
		e.offset += p.opt.Interval / 4
		p.push(e)
	}
}

// push keeps the queue sorted and the order of equal offsets.
func (p *plan) push(e emission) {
	at := len(p.queue)
	for at > 0 && p.queue[at-1].offset > e.offset {
		at--
	}
	p.queue = slices.Insert(p.queue, at, e)
}

// framesOf cuts a source into frames of a codec.
func framesOf(s Source, c Codec, opt PlayOptions) (f frames, samples int, err error) {
	if strings.EqualFold(c.Name, "G722") && opt.Ptime >= time.Millisecond {
		samples = int(opt.Ptime * sampleRate / time.Second)
		return g722Frames(s, opt, samples), samples, nil
	}
	size, err := sampleSize(c)
	if err != nil {
		return nil, 0, err
	}
	if c.rate() != sampleRate {
		return nil, 0, fmt.Errorf("codec %s has %d Hz, sources have %d", c.Name, c.rate(), sampleRate)
	}
	samples = int(opt.Ptime * sampleRate / time.Second)
	if samples < 1 || samples*size > 1400 {
		return nil, 0, errors.New("frame is empty or does not fit a datagram")
	}
	silent := 0
	return func(i int) ([]byte, bool, bool) {
		from := opt.From + int64(i)*int64(samples)
		if words, ok := s.(payloadSource); ok {
			return words.payload(from, samples*size), false, true
		}
		pcm := make([]int16, samples)
		n := s.Samples(from, pcm)
		if n == 0 {
			return nil, false, false
		}
		if opt.ComfortNoise && !slices.ContainsFunc(pcm, func(x int16) bool { return x != 0 }) {
			silent++
			if silent%10 == 1 {
				return []byte{60}, true, true // -60 dBov
			}
			return nil, false, true
		}
		silent = 0
		payload, err := Encode(c, pcm)
		return payload, false, err == nil
	}, samples, nil
}
