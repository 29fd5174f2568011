// Package codec decodes the audio encodings of RFC 3551 that need no library:
// PCMU and PCMA (ITU-T G.711), L16 and G722 (ITU-T G.722 at 64 kbit/s). All
// give 16-bit mono samples; several channels are mixed by their average.
//
//	d, err := codec.New("PCMU", 8000, 1, "")
//	pcm = d.Decode(pcm[:0], payload)
//
// With the program [FFmpeg] it decodes Opus, G.729, AMR, AMR-WB, iLBC, GSM, G.723.1
// and G.726, a stretch of packets at a time.
package codec

import (
	"errors"
	"fmt"
	"strings"
)

// ErrUnsupported is wrapped by the error of [New] for formats that this package
// does not decode.
var ErrUnsupported = errors.New("unsupported encoding")

// A Decoder decodes the payloads of one source in the order in which they were
// sent. It belongs to one SSRC: a source that restarts needs a new one. It is
// not safe for concurrent use.
type Decoder interface {
	// Rate is the sampling rate of what Decode gives, in Hz. It is the clock
	// rate of the RTP timestamp except for G722 (RFC 3551 §4.5.2).
	Rate() int
	// Samples is the number of samples that Decode gives for a payload.
	Samples(payload []byte) int
	// Decode appends the samples of one payload to dst and returns it, as
	// append does. Octets that do not fill a sample frame are ignored.
	Decode(dst []int16, payload []byte) []int16
}

// maxChannels is what the channel orders of RFC 3551 §4.1 reach up to.
const maxChannels = 6

// New returns the decoder of an encoding. The name is compared without case
// (RFC 8866 §6.6), clockRate is in Hz as in a=rtpmap, channels of 0 means 1, and
// params are the format parameters of a=fmtp; none of the encodings known here
// is changed by any. The error wraps [ErrUnsupported].
func New(name string, clockRate, channels int, params string) (Decoder, error) {
	channels = max(channels, 1)
	unsupported := fmt.Errorf("codec %s/%d/%d: %w", name, clockRate, channels, ErrUnsupported)
	if channels > maxChannels || !samplingRate(clockRate) {
		return nil, unsupported
	}
	switch strings.ToUpper(name) {
	case "PCMU": // RFC 3551 §4.5.14
		return &g711{table: &muLaw, rate: clockRate, channels: channels}, nil
	case "PCMA": // RFC 3551 §4.5.14
		return &g711{table: &aLaw, rate: clockRate, channels: channels}, nil
	case "L16": // RFC 3551 §4.5.11
		return &linear16{rate: clockRate, channels: channels}, nil
	case "G722":
		// RFC 3551 §4.5.2: 16000 Hz under an RTP clock of 8000 Hz, by an
		// error of RFC 1890 that must be kept.
		if clockRate != 8000 || channels != 1 {
			return nil, unsupported
		}
		return newG722(), nil
	}
	return nil, unsupported
}

// samplingRate reports whether r is one of the rates of RFC 3551 §4.1.
func samplingRate(r int) bool {
	switch r {
	case 8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000:
		return true
	}
	return false
}
