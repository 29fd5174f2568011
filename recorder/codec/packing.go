package codec

import "strings"

// packingOf is how an encoding is packed; nil when it is not known, or not with
// these parameters. The name is in upper case.
func packingOf(name string, clockRate, channels int, params map[string]string) packing {
	narrow := clockRate == 8000 && channels == 1
	switch {
	case name == "OPUS" && clockRate == 48000: // RFC 7587 §7: always two channels in name
		return opus{}
	case name == "G729" && narrow: // RFC 3551 §4.5.6
		return fixed{octets: 10, samples: 80, silence: 2, format: "g729", names: []string{"g729"}}
	case name == "GSM" && narrow: // RFC 3551 §4.5.8
		return fixed{octets: 33, samples: 160, format: "gsm", names: []string{"gsm", "libgsm"}}
	case name == "ILBC" && narrow:
		return ilbc{short: params["mode"] == "20"}
	case name == "AMR" && narrow:
		return amrOf(params, &narrowband)
	case name == "AMR-WB" && clockRate == 16000 && channels == 1:
		return amrOf(params, &wideband)
	case name == "G723" && narrow:
		return g723{}
	case narrow && (strings.HasPrefix(name, "G726-") || strings.HasPrefix(name, "AAL2-G726-")):
		return g726Of(name)
	}
	return nil
}

// fixed is an encoding whose frames are all of one length, one after the other.
type fixed struct {
	octets, samples int
	silence         int // octets of a shorter last frame with comfort noise
	format          string
	names           []string
}

func (f fixed) rate() int            { return 8000 }
func (f fixed) decoders() []string   { return f.names }
func (f fixed) demuxer(int) []string { return []string{"-f", f.format} }

func (f fixed) split(dst []frame, payload []byte) []frame {
	for ; len(payload) >= f.octets; payload = payload[f.octets:] {
		dst = append(dst, frame{octets: payload[:f.octets], samples: f.samples})
	}
	if f.silence > 0 && len(payload) == f.silence {
		dst = append(dst, frame{samples: f.samples})
	}
	return dst
}

func (f fixed) wrap(dst []byte, frames []frame) []byte { return concatenate(dst, frames) }

func concatenate(dst []byte, frames []frame) []byte {
	for _, fr := range frames {
		dst = append(dst, fr.octets...)
	}
	return dst
}

// ilbc is the storage format of RFC 3952 §4. The mode of a payload shows in its
// length: an answer may have changed what an offer said (§5).
type ilbc struct{ short bool }

const (
	ilbc20 = 38 // octets of a frame of 20 ms
	ilbc30 = 50 // octets of a frame of 30 ms
)

func (p ilbc) rate() int            { return 8000 }
func (p ilbc) decoders() []string   { return []string{"ilbc", "libilbc"} }
func (p ilbc) demuxer(int) []string { return []string{"-f", "ilbc"} }

// lead is the first frame twice. The decoder that is part of ffmpeg (5.1) gives a burst of
// full scale for the first frame that it sees, whatever that holds, and rings on into the
// next: RFC 3951 §4 has nothing of the kind.
func (p ilbc) lead(first frame) []frame { return []frame{first, first} }

func (p ilbc) split(dst []frame, payload []byte) []frame {
	short := len(payload)%ilbc20 == 0
	if short && len(payload)%ilbc30 == 0 {
		short = p.short
	}
	octets, f := ilbc30, frame{samples: 240, variant: 30}
	if short {
		octets, f = ilbc20, frame{samples: 160, variant: 20}
	}
	for ; len(payload) >= octets; payload = payload[octets:] {
		f.octets = payload[:octets]
		dst = append(dst, f)
	}
	return dst
}

func (p ilbc) wrap(dst []byte, frames []frame) []byte {
	if frames[0].variant == 20 {
		return concatenate(append(dst, "#!iLBC20\n"...), frames)
	}
	return concatenate(append(dst, "#!iLBC30\n"...), frames)
}

// g723 is ITU-T G.723.1: the first two bits of a frame say how long it is (RFC 3551
// §4.5.3). Comfort noise and untransmitted frames are silence.
type g723 struct{}

func (g723) rate() int            { return 8000 }
func (g723) decoders() []string   { return []string{"g723_1"} }
func (g723) demuxer(int) []string { return []string{"-f", "g723_1"} }

func (g723) split(dst []frame, payload []byte) []frame {
	for len(payload) > 0 {
		n := [4]int{24, 20, 4, 1}[payload[0]&3]
		if len(payload) < n {
			return dst
		}
		f := frame{samples: 240}
		if n >= 20 {
			f.octets = payload[:n]
		}
		dst, payload = append(dst, f), payload[n:]
	}
	return dst
}

func (g723) wrap(dst []byte, frames []frame) []byte { return concatenate(dst, frames) }

// g726 is ITU-T G.726 (RFC 3551 §4.5.4): codewords of some bits, the first in the
// least significant bits of an octet; in the AAL2 variants in the most significant.
type g726 struct {
	bits int
	aal2 bool
}

func g726Of(name string) packing {
	rest, aal2 := strings.CutPrefix(name, "AAL2-")
	switch rest {
	case "G726-16":
		return g726{2, aal2}
	case "G726-24":
		return g726{3, aal2}
	case "G726-32":
		return g726{4, aal2}
	case "G726-40":
		return g726{5, aal2}
	}
	return nil
}

func (g g726) rate() int { return 8000 }

func (g g726) name() string {
	if g.aal2 {
		return "g726"
	}
	return "g726le"
}

func (g g726) decoders() []string { return []string{g.name()} }

func (g g726) demuxer(int) []string {
	return []string{"-f", g.name(), "-code_size", string(rune('0' + g.bits)), "-sample_rate", "8000"}
}

// split takes whole groups of codewords, as many octets as a codeword has bits hold
// eight: §4.5.4 has packets hold such. What is left over cannot be told from padding.
func (g g726) split(dst []frame, payload []byte) []frame {
	n := len(payload) / g.bits * g.bits
	if g.bits == 2 || g.bits == 4 {
		n = len(payload)
	}
	if n == 0 {
		return dst
	}
	return append(dst, frame{octets: payload[:n], samples: n * 8 / g.bits})
}

func (g g726) wrap(dst []byte, frames []frame) []byte { return concatenate(dst, frames) }
