package src

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/pion/rtp"
)

// Play sends a source as this stream and returns when the source, its duration
// or the context ended; the context's end is an error.
func (st *Stream) Play(ctx context.Context, s Source, opt PlayOptions) error {
	return st.dialog.play(ctx, []*Stream{st}, []Source{s}, opt)
}

// Play sends one source per stream, in the order of the m-lines and all with the
// same start. A nil source leaves its stream silent.
func (d *Dialog) Play(ctx context.Context, opt PlayOptions, sources ...Source) error {
	streams := d.Streams()
	if len(sources) > len(streams) {
		return fmt.Errorf("%d sources for %d streams", len(sources), len(streams))
	}
	return d.play(ctx, streams[:len(sources)], sources, opt)
}

// Burst sends count packets with 50 microseconds between them, about as fast as
// receive buffers of default size take them; their RTP timestamps are those of
// real time.
func (st *Stream) Burst(ctx context.Context, s Source, count int, opt PlayOptions) error {
	opt.Count, opt.Interval = count, 50*time.Microsecond
	return st.Play(ctx, s, opt)
}

// A ScriptPacket is one datagram of a script.
type ScriptPacket struct {
	Offset  time.Duration // from the start of the script; they must not fall
	Header  rtp.Header    // Version 0 is written as 2
	Payload []byte
	Raw     []byte // instead of Header and Payload
}

// Script sends exactly these packets at exactly these offsets.
func (st *Stream) Script(ctx context.Context, packets []ScriptPacket) error {
	i := 0
	next := func() (emission, bool) {
		if i == len(packets) {
			return emission{}, false
		}
		p := packets[i]
		if p.Header.Version == 0 {
			p.Header.Version = 2
		}
		e := emission{offset: p.Offset, index: i, header: p.Header, payload: p.Payload, raw: p.Raw}
		i++
		return e, true
	}
	for k := 1; k < len(packets); k++ {
		if packets[k].Offset < packets[k-1].Offset {
			return fmt.Errorf("packet %d of the script is before the one in front of it", k)
		}
	}
	if err := st.claim(); err != nil {
		return err
	}
	defer st.release()
	return st.dialog.sched.run(ctx, []*player{{stream: st, next: next}})
}

// claim makes sure that one source at a time plays on a stream.
func (st *Stream) claim() error {
	st.mu.Lock()
	defer st.mu.Unlock()
	if st.playing {
		return fmt.Errorf("stream %d is playing already", st.index)
	}
	st.playing = true
	st.generation = 0
	return nil
}

func (st *Stream) release() {
	st.mu.Lock()
	defer st.mu.Unlock()
	st.playing = false
}

func (d *Dialog) play(ctx context.Context, streams []*Stream, sources []Source, opt PlayOptions) error {
	if opt.Ptime == 0 {
		opt.Ptime = 20 * time.Millisecond
	}
	if opt.Interval == 0 {
		opt.Interval = opt.Ptime
	}
	if opt.Ptime < 0 || opt.Interval < 0 {
		return errors.New("ptime and interval must be above 0")
	}
	var players []*player
	var plans []*plan
	for i, st := range streams {
		if sources[i] == nil {
			continue
		}
		if err := st.claim(); err != nil {
			return err
		}
		defer st.release()
		p, err := st.plan(sources[i], opt)
		if err != nil {
			return err
		}
		plans = append(plans, p)
		players = append(players, &player{stream: st, next: p.next, begin: func(start time.Time) { st.begin(p, start) }})
	}
	err := d.sched.run(ctx, players)
	for i, p := range players {
		p.stream.resumeAfter(plans[i], p)
	}
	return err
}

// plan chooses the codec and the first header of a Play.
func (st *Stream) plan(s Source, opt PlayOptions) (*plan, error) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if !st.remote.IsValid() {
		return nil, fmt.Errorf("stream %d: %w", st.index, ErrNoDestination)
	}
	c := opt.Codec
	if c.Name == "" {
		var err error
		if c, err = st.codec(); err != nil {
			return nil, err
		}
	}
	f, samples, err := framesOf(s, c, opt)
	if err != nil {
		return nil, err
	}
	h := st.next
	h.PayloadType = c.PayloadType
	if opt.SSRC != nil {
		h.SSRC = *opt.SSRC
	}
	if opt.Sequence != nil {
		h.SequenceNumber = *opt.Sequence
	}
	if opt.Timestamp != nil {
		h.Timestamp = *opt.Timestamp
	}
	return newPlan(opt, h, f, uint32(samples)), nil
}

// begin has the timestamp of a plan go on through the silence before its start
// (RFC 3550 §5.1), by whole frames, so that what follows at once follows without a gap.
// It is never behind the clock, and less than a frame before it: what is sent after some
// instant is not of a time before it.
func (st *Stream) begin(p *plan, start time.Time) {
	st.mu.Lock()
	defer st.mu.Unlock()
	p.at = start
	if p.opt.Timestamp != nil || st.nextAt.IsZero() {
		return
	}
	silence := max(start.Sub(st.nextAt), 0)
	missed := (silence + p.opt.Ptime - 1) / p.opt.Ptime
	p.state.Timestamp += uint32(missed) * p.samples
	p.at = st.nextAt.Add(missed * p.opt.Ptime)
}

// unsent is the first packet that was not sent: what a player was about to send when it
// was stopped, or the one after the end.
func (p *plan) unsent(by *player) (rtp.Header, int) {
	first, index := p.state, p.index
	for _, e := range append(p.queue, by.due) {
		if !e.report && e.index < index && !by.finished {
			first, index = e.header, e.index
		}
	}
	first.Marker = false
	return first, index
}

// resumeAfter notes where the next Play goes on after one that began.
func (st *Stream) resumeAfter(p *plan, by *player) {
	st.mu.Lock()
	defer st.mu.Unlock()
	if p.at.IsZero() {
		return
	}
	next, index := p.unsent(by)
	st.next, st.nextAt = next, p.at.Add(time.Duration(index)*p.opt.Ptime)
}

// sendReport writes a sender report with CNAME (RFC 3550 §6.4.1, §6.5.1). The
// caller holds mu.
func (st *Stream) sendReport(h rtp.Header, now time.Time) error {
	return st.control(senderReport(h.SSRC, h.Timestamp, st.packets, st.octets, now, st.dialog.localTag))
}

// ntpOf is an instant in seconds since 1900, with 32 bits behind the point (RFC 3550 §4).
func ntpOf(at time.Time) uint64 {
	const toNTP = 2208988800 // seconds from 1900 to 1970
	return uint64(at.Unix()+toNTP)<<32 | uint64(at.Nanosecond())<<32/1e9
}

func senderReport(ssrc, timestamp, packets, octets uint32, now time.Time, cname string) []byte {
	b := []byte{0x80, RTCPSenderReport, 0, 6}
	b = binary.BigEndian.AppendUint32(b, ssrc)
	b = binary.BigEndian.AppendUint64(b, ntpOf(now))
	b = binary.BigEndian.AppendUint32(b, timestamp)
	b = binary.BigEndian.AppendUint32(b, packets)
	b = binary.BigEndian.AppendUint32(b, octets)
	chunk := binary.BigEndian.AppendUint32(nil, ssrc)
	chunk = append(chunk, 1, byte(len(cname)))
	chunk = append(chunk, cname...)
	chunk = append(chunk, make([]byte, 4-len(chunk)%4)...) // at least one zero ends the items
	b = append(b, 0x81, 202)
	b = binary.BigEndian.AppendUint16(b, uint16(len(chunk)/4))
	return append(b, chunk...)
}
