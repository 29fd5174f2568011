package render

import (
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"github.com/siprecd/siprecd/recorder/codec"
)

// What ffmpeg decodes cannot be decoded packet by packet. It is decoded between the
// two readings, a stretch at a time, onto tapes; the second reading then takes from
// them what it would have decoded. There is a tape for each encoding of each epoch:
// an epoch is one encoder. Lost packets leave nothing on a tape: the decoder goes on
// over them, and their place is kept by what places packets.

const (
	// A stretch ends with tapePackets, tapeOctets or tapeSeconds.
	tapePackets = 3000
	tapeOctets  = 2 << 20
	tapeSeconds = 30
	// warmPackets of the stretch before bring the decoder into step.
	warmPackets = 8
)

// A tapeKey names a tape within a stream.
type tapeKey struct {
	epoch  int
	format Format
}

// A tape is the samples of one encoding in one epoch.
type tape struct {
	foreign *codec.Foreign
	name    string
	parts   []tapePart

	// What waits to be decoded; the first warm of payloads were decoded before.
	payloads        [][]byte
	warm            int
	octets, samples int
}

// A tapePart is where samples lie in the file.
type tapePart struct {
	at      int64
	samples int
}

// tapes are all of one stream, in one file.
type tapes struct {
	file *scratchFile
	all  map[tapeKey]*tape
}

// foreign reports whether packets of the stream are for ffmpeg.
func (v *survey) foreign() bool {
	return slices.ContainsFunc(v.epochs, func(e epoch) bool {
		return slices.ContainsFunc(e.uses, func(u use) bool { return u.coding.foreign != nil })
	})
}

// A taper is a reading that makes the tapes of a stream.
type taper struct {
	*tapes
	ctx    context.Context
	source *Stream
	timing timing
	lineup lineup
	err    error
	failed *coding // whose decoding failed with err
}

// makeTapes reads the capture for one stream and decodes what is for ffmpeg. failed
// is the format that it could not decode, with the error.
func makeTapes(ctx context.Context, job Job, v *survey) (made *tapes, failed *Format, err error) {
	file, err := createScratch(job.Dir)
	if err != nil {
		return nil, nil, err
	}
	made = &tapes{file: file, all: make(map[tapeKey]*tape)}
	t := &taper{tapes: made, ctx: ctx, source: &v.stream}
	t.lineup.give = t.take
	if err := t.read(job, v); err != nil {
		if t.failed != nil {
			failed = &t.failed.Format
		}
		return nil, failed, errors.Join(err, file.close())
	}
	return made, nil, nil
}

func (t *taper) read(job Job, v *survey) (err error) {
	r, done, err := job.again(v)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, done()) }()
	codings := v.codings.again()
	var a arrival
	for n := 1; t.err == nil; n++ {
		if n%checkEvery == 0 && t.ctx.Err() != nil {
			return t.ctx.Err()
		}
		err := r.Next(&a.Packet)
		if errors.Is(err, io.EOF) {
			t.lineup.flush()
			t.finish()
			break
		}
		if err != nil {
			return fmt.Errorf("read capture: %w", err)
		}
		if a.coding = codings.of(&a.Packet); a.coding != nil {
			t.lineup.take(&a)
		}
	}
	return t.err
}

// take takes a packet in sequence. It has to leave out what line.take leaves out.
func (t *taper) take(a *arrival) {
	if a.coding.kind == events || t.err != nil {
		return
	}
	in := t.timing.place(a)
	if !decodable(a, in, t.source) || a.coding.foreign == nil {
		return
	}
	key := tapeKey{in.epoch, a.coding.Format}
	at := t.all[key]
	if at == nil {
		t.settle(in.epoch)
		at = &tape{foreign: a.coding.foreign, name: a.coding.Name}
		t.all[key] = at
	}
	at.payloads = append(at.payloads, slices.Clone(a.Payload))
	at.octets += len(a.Payload)
	at.samples += at.foreign.Samples(a.Payload)
	if len(at.payloads)-at.warm >= tapePackets || at.octets >= tapeOctets || at.samples >= tapeSeconds*at.foreign.Rate() {
		t.decode(at, a.coding)
	}
}

// settle decodes what waits of epochs long gone.
func (t *taper) settle(epoch int) {
	for key, old := range t.all {
		if key.epoch+maxClocks < epoch && len(old.payloads) > 0 {
			t.decode(old, &coding{Format: key.format})
			old.payloads, old.warm = nil, 0
		}
	}
}

func (t *taper) finish() {
	for key, at := range t.all {
		t.decode(at, &coding{Format: key.format})
	}
}

// decode puts what waits on its tape.
func (t *taper) decode(at *tape, c *coding) {
	if t.err != nil || at.samples == 0 {
		return
	}
	pcm, err := at.foreign.Decode(t.ctx, nil, at.payloads, at.warm)
	if err != nil {
		t.err, t.failed = fmt.Errorf("decode %s: %w", at.name, err), c
		return
	}
	where, err := t.file.append(pcm)
	if err != nil {
		t.err = err
		return
	}
	at.parts = append(at.parts, tapePart{where, len(pcm)})
	at.payloads = slices.Delete(at.payloads, 0, max(0, len(at.payloads)-warmPackets))
	at.warm, at.octets, at.samples = len(at.payloads), 0, 0
}

// decodable reports whether a packet is heard, as far as it is permitted.
func decodable(a *arrival, in instant, source *Stream) bool {
	return in.epoch >= 0 && a.coding.kind == audio && source.admits(a.Arrival)
}

// A player gives the samples of a tape in the order in which they were put on it. It
// is the [codec.Decoder] of one line.
type player struct {
	*codec.Foreign
	file  *scratchFile
	parts []tapePart
	ready []int16
	room  []int16
	err   error
}

// player returns a player for a tape; one that was never made is empty.
func (t *tapes) player(key tapeKey, c *coding) *player {
	p := &player{Foreign: c.foreign, file: t.file}
	if at := t.all[key]; at != nil {
		p.parts = at.parts
	}
	return p
}

// Decode appends the samples of the next packet.
func (p *player) Decode(dst []int16, payload []byte) []int16 {
	for left := p.Samples(payload); left > 0; {
		if len(p.ready) == 0 && !p.turn() {
			return append(dst, make([]int16, left)...)
		}
		n := min(left, len(p.ready))
		dst, p.ready, left = append(dst, p.ready[:n]...), p.ready[n:], left-n
	}
	return dst
}

// turn reads the next samples; false at the end, or at an error.
func (p *player) turn() bool {
	const most = 16 << 10
	if p.err != nil || len(p.parts) == 0 {
		return false
	}
	part := &p.parts[0]
	n := min(part.samples, most)
	if p.room == nil {
		p.parts = slices.Clone(p.parts) // others play the tape too
		part = &p.parts[0]
		p.room = make([]int16, most)
	}
	p.ready = p.room[:n]
	if p.err = p.file.read(p.ready, part.at); p.err != nil {
		p.ready = nil
		return false
	}
	part.at, part.samples = part.at+int64(2*n), part.samples-n
	if part.samples == 0 {
		p.parts = p.parts[1:]
	}
	return true
}

// A scratchFile keeps samples for as long as a recording is finalised. What lies on
// disk is enciphered under a key that nobody else has: a recording may be encrypted,
// or erased later.
type scratchFile struct {
	f     *os.File
	block cipher.Block
	at    int64 // multiple of aes.BlockSize
	buf   []byte
}

// samplesPrefix begins the names of such files.
const samplesPrefix = ".samples."

func createScratch(dir string) (*scratchFile, error) {
	var key [32]byte
	rand.Read(key[:])
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return nil, err
	}
	f, err := os.CreateTemp(dir, samplesPrefix+"*")
	if err != nil {
		return nil, fmt.Errorf("keep samples: %w", err)
	}
	return &scratchFile{f: f, block: block}, nil
}

// keystream begins at a place of the file, a multiple of 16 octets or 16 KiB samples
// further.
func (s *scratchFile) keystream(at int64) cipher.Stream {
	var iv [aes.BlockSize]byte
	binary.BigEndian.PutUint64(iv[8:], uint64(at/aes.BlockSize))
	return cipher.NewCTR(s.block, iv[:])
}

// append returns where the samples lie.
func (s *scratchFile) append(pcm []int16) (int64, error) {
	if cap(s.buf) < 2*len(pcm) {
		s.buf = make([]byte, 0, 2*len(pcm))
	}
	b := appendSamples(s.buf[:0], pcm)
	s.keystream(s.at).XORKeyStream(b, b)
	if _, err := s.f.WriteAt(b, s.at); err != nil {
		return 0, fmt.Errorf("keep samples: %w", err)
	}
	where := s.at
	s.at += int64(len(b)+aes.BlockSize-1) / aes.BlockSize * aes.BlockSize
	return where, nil
}

// read fills pcm from a place that append returned, or 16 KiB samples further.
func (s *scratchFile) read(pcm []int16, at int64) error {
	b := make([]byte, 2*len(pcm))
	if _, err := s.f.ReadAt(b, at); err != nil {
		return fmt.Errorf("read samples: %w", err)
	}
	s.keystream(at).XORKeyStream(b, b)
	for i := range pcm {
		pcm[i] = int16(binary.LittleEndian.Uint16(b[2*i:]))
	}
	return nil
}

func (s *scratchFile) close() error {
	return errors.Join(s.f.Close(), os.Remove(s.f.Name()))
}
