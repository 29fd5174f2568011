package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/recorder/codec"
	"github.com/siprecd/siprecd/recorder/internal/capture"
)

// kind is what the packets of a format hold.
type kind int

const (
	// audio that can be decoded.
	audio kind = iota + 1
	// quiet is comfort noise (RFC 3389): it has a time and is silence.
	quiet
	// events are telephone events and tones (RFC 4733), whose timestamps stand
	// still while they last, and packets of which only the number was kept: they say
	// nothing about time.
	events
	// unknown is what cannot be decoded.
	unknown
)

// A coding is a format made ready.
type coding struct {
	Format
	kind    kind
	rate    int            // of the decoded samples, Hz; 0 unless audio
	size    sizer          // nil unless audio
	foreign *codec.Foreign // when ffmpeg decodes it
}

// A sizer knows how many samples a payload holds.
type sizer interface{ Samples(payload []byte) int }

// decoder returns a fresh decoder; nil for what ffmpeg decodes.
func (c *coding) decoder() codec.Decoder {
	d, err := codec.New(c.Name, c.ClockRate, c.Channels, c.Params)
	if err != nil {
		return nil // never for other audio: a maker made one
	}
	return d
}

// length is how many ticks of the clock a payload lasts; 0 when it cannot be
// known.
func (c *coding) length(payload []byte) int64 {
	if c.kind != audio {
		return 0
	}
	return rescale(int64(c.size.Samples(payload)), c.rate, c.ClockRate)
}

// A maker makes codings ready.
type maker struct {
	ffmpeg *codec.FFmpeg // nil when there is none
	failed []Format      // which it could not decode
}

func (m maker) coding(f Format) *coding {
	c := &coding{Format: f}
	c.Name = strings.ToUpper(c.Name)
	if c.ClockRate <= 0 || c.ClockRate > 1_000_000 {
		c.ClockRate = 8000 // RFC 3551 §4.1: the clock that most encodings have
	}
	switch c.Name {
	case "CN":
		c.kind = quiet
		return c
	case "TELEPHONE-EVENT", "TONE":
		c.kind = events
		return c
	}
	if d, err := codec.New(f.Name, f.ClockRate, f.Channels, f.Params); err == nil {
		c.kind, c.rate, c.size = audio, d.Rate(), d
		return c
	}
	if d, err := m.ffmpeg.New(f.Name, f.ClockRate, f.Channels, f.Params); err == nil && !slices.Contains(m.failed, c.Format) {
		c.kind, c.rate, c.size, c.foreign = audio, d.Rate(), d, d
		return c
	}
	c.kind = unknown
	return c
}

// staticFormat is the assignment of a payload type that needs no a=rtpmap (RFC
// 3551 §6).
func staticFormat(pt uint8) Format {
	f := Format{PayloadType: pt, ClockRate: 8000, Channels: 1}
	switch pt {
	case 0:
		f.Name = "PCMU"
	case 3:
		f.Name = "GSM"
	case 4:
		f.Name = "G723"
	case 8:
		f.Name = "PCMA"
	case 9:
		f.Name = "G722"
	case 10:
		f.Name, f.ClockRate, f.Channels = "L16", 44100, 2
	case 11:
		f.Name, f.ClockRate = "L16", 44100
	case 13:
		f.Name = "CN"
	case 15:
		f.Name = "G728"
	case 18:
		f.Name = "G729"
	default:
		f.Name = fmt.Sprintf("PT %d", pt)
	}
	return f
}

// codings finds the format of a packet.
type codings struct {
	maker
	formats []Format
	passed  coding         // of packets that came and were not kept
	byType  [128][]*coding // in the order of From
}

// again returns codings of their own for another reading.
func (cs *codings) again() *codings { return newCodings(cs.formats, cs.maker) }

func newCodings(formats []Format, m maker) *codings {
	cs := &codings{maker: m, formats: formats, passed: coding{kind: events}}
	for _, f := range formats {
		if f.PayloadType < 128 {
			cs.byType[f.PayloadType] = append(cs.byType[f.PayloadType], m.coding(f))
		}
	}
	for _, list := range cs.byType {
		slices.SortStableFunc(list, func(a, b *coding) int { return cmp.Compare(a.From, b.From) })
	}
	return cs
}

// of gives the format of a packet of the capture; nil for what has no sequence number.
func (cs *codings) of(p *capture.Packet) *coding {
	switch {
	case p.IsPassed():
		return &cs.passed
	case !p.IsRTP():
		return nil
	}
	return cs.ofType(p.PayloadType, p.Arrival)
}

// ofType gives the format of a payload type, of seven bits (RFC 3550 §5.1), at an instant.
func (cs *codings) ofType(pt uint8, at time.Duration) *coding {
	list := cs.byType[pt]
	if len(list) == 0 {
		list = []*coding{cs.coding(staticFormat(pt))}
		cs.byType[pt] = list
	}
	c := list[0]
	for _, later := range list[1:] {
		if later.From > at {
			break
		}
		c = later
	}
	return c
}
