package observe

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/siprecd/siprecd/conformance/src"
)

// rate is that of all voices, in Hz.
const rate = 8000

// A Place is where a packet was heard.
type Place struct {
	At    int64 // samples at 8 kHz from the beginning of the file
	Exact bool  // sample by sample as it was sent; else alike
}

// A Channel is one channel of a WAV file.
type Channel struct {
	File   string // path or URL
	Number int    // of the channel, from 0
	Rate   int    // of the file, in Hz
	Length int64  // samples at 8 kHz

	pcm   []int16
	heard map[spot][]Place
	// searched says that listenWell was done.
	searched bool
}

// channels reads a WAV file; nil when it is none, or not yet one.
func channels(name string, content []byte) ([]*Channel, error) {
	r := bytes.NewReader(content)
	w, length, err := OpenWAV(r)
	if errors.Is(err, ErrNotWAV) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	out := make([]*Channel, w.Channels)
	for i := range out {
		out[i] = &Channel{File: name, Number: i, Rate: w.Rate, heard: make(map[spot][]Place)}
	}
	err = w.EachChannel(r, length, func(i int, pcm []byte) {
		for k := 0; k+1 < len(pcm); k += 2 {
			out[i].pcm = append(out[i].pcm, int16(binary.LittleEndian.Uint16(pcm[k:])))
		}
	})
	for _, c := range out {
		c.pcm = src.Resample(c.pcm, w.Rate)
		c.Length = int64(len(c.pcm))
	}
	return out, err
}

// listen finds the packets of all voices that are there sample by sample.
func (c *Channel) listen(codes map[string]*Code) {
	var b []byte
	for _, s := range c.pcm {
		b = binary.LittleEndian.AppendUint16(b, uint16(s))
	}
	for law, code := range codes {
		code.InSamples(b, func(s Sighting) {
			if s.At%2 == 0 {
				k := spot{s.Voice, s.Packet, law}
				c.heard[k] = append(c.heard[k], Place{int64(s.At / 2), s.Whole})
			}
		})
	}
}

// places are where a packet is heard.
func (c *Channel) places(p Part) []Place { return c.heard[p.spot()] }

// holds says whether a party is heard.
func (c *Channel) holds(p Party) bool {
	for _, part := range p.Parts {
		if len(c.places(part)) > 0 {
			return true
		}
	}
	return false
}

// name is the channel as messages call it.
func (c *Channel) name() string {
	if c.Number == 0 {
		return c.File
	}
	return fmt.Sprintf("%s, channel %d", c.File, c.Number+1)
}
