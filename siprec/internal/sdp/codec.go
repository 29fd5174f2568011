package sdp

import (
	"strconv"
	"strings"
)

// A Codec is one RTP format.
type Codec struct {
	PayloadType uint8  // 0-127
	Name        string // encoding name in upper case; empty when unknown
	ClockRate   int    // Hz, of the RTP timestamp; 0 only when Name is empty
	Channels    int    // 1 or more
	Params      string // a=fmtp as sent
	// Spelling is the encoding name as it was sent, when it is not spelt as
	// usual; an answer repeats it.
	Spelling string
}

// DefaultAudio is what to offer when the SRC lets us offer (RFC 3264 §5).
func DefaultAudio() []Codec {
	return []Codec{
		{PayloadType: 8, Name: "PCMA", ClockRate: 8000, Channels: 1},
		{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1},
		{PayloadType: 9, Name: "G722", ClockRate: 8000, Channels: 1},
		{PayloadType: 101, Name: "TELEPHONE-EVENT", ClockRate: 8000, Channels: 1, Params: "0-15"},
	}
}

// rank orders codecs in an answer: what can be decoded in process, what else is
// media, what cannot be told, then what only accompanies media.
func (c Codec) rank() int {
	switch c.Name {
	case "PCMU", "PCMA", "L16", "G722":
		return 0
	case "":
		return 2
	case "CN": // RFC 3389
		return 3
	case "TELEPHONE-EVENT", "TONE", "CISCO-RTP-DTMF", "X-NSE", "NSE": // RFC 4733
		return 4
	case "RED", "ULPFEC", "PARITYFEC", "FLEXFEC", "RTX", "T140", "T140C":
		return 5 // RFC 2198, RFC 5109, RFC 8627, RFC 4588, RFC 4351
	}
	return 1
}

// isRedundancy reports whether the format only repeats or mends another one.
func (c Codec) isRedundancy() bool { return c.rank() == 5 }

// isMedia reports whether the format is known and carries sound by itself.
func (c Codec) isMedia() bool { return c.rank() < 2 }

// spelling is the encoding name to write in a=rtpmap.
func (c Codec) spelling() string {
	if c.Spelling != "" {
		return c.Spelling
	}
	return usualSpelling(c.Name)
}

// usualSpelling is how the payload format's own specification writes a name.
// Names are compared without case (RFC 4855 §3), but not by every device.
func usualSpelling(name string) string {
	switch name {
	case "TELEPHONE-EVENT", "OPUS", "RED", "TONE", "RTX", "ULPFEC", "T140", "T140C":
		return strings.ToLower(name)
	case "ILBC":
		return "iLBC"
	case "SPEEX":
		return "speex"
	case "CELB":
		return "CelB"
	case "NV":
		return "nv"
	}
	return name
}

// static returns the format that RFC 3551 §6 binds to a payload type. Two that
// it reserves are in use: 2 as G726-32 and 19 as comfort noise.
func static(pt uint8) (Codec, bool) {
	c := Codec{PayloadType: pt, ClockRate: 8000, Channels: 1}
	switch pt {
	case 0:
		c.Name = "PCMU"
	case 2:
		c.Name = "G726-32"
	case 3:
		c.Name = "GSM"
	case 4:
		c.Name = "G723"
	case 5:
		c.Name = "DVI4"
	case 6:
		c.Name, c.ClockRate = "DVI4", 16000
	case 7:
		c.Name = "LPC"
	case 8:
		c.Name = "PCMA"
	case 9:
		c.Name = "G722" // samples at 16 kHz, timestamps at 8 kHz (RFC 3551 §4.5.2)
	case 10:
		c.Name, c.ClockRate, c.Channels = "L16", 44100, 2
	case 11:
		c.Name, c.ClockRate = "L16", 44100
	case 12:
		c.Name = "QCELP"
	case 13, 19:
		c.Name = "CN"
	case 14:
		c.Name, c.ClockRate = "MPA", 90000
	case 15:
		c.Name = "G728"
	case 16:
		c.Name, c.ClockRate = "DVI4", 11025
	case 17:
		c.Name, c.ClockRate = "DVI4", 22050
	case 18:
		c.Name = "G729"
	default:
		c.Name, c.ClockRate = staticVideo(pt), 90000
	}
	return c, c.Name != ""
}

func staticVideo(pt uint8) string {
	switch pt {
	case 25:
		return "CELB"
	case 26:
		return "JPEG"
	case 28:
		return "NV"
	case 31:
		return "H261"
	case 32:
		return "MPV"
	case 33:
		return "MP2T"
	case 34:
		return "H263"
	}
	return ""
}

// maxClockRate is above any that is in use, in Hz.
const maxClockRate = 1_000_000

// mapped reads the value of a=rtpmap after the payload type,
// `name/clock rate[/channels]` (RFC 8866 §6.6). The second result says what was
// odd, or nothing.
func mapped(pt uint8, value string, audio bool) (c Codec, oddity string) {
	name, rest, _ := strings.Cut(value, "/")
	clock, channels, _ := strings.Cut(rest, "/")
	name = strings.TrimSpace(name)
	c = Codec{PayloadType: pt, Name: strings.ToUpper(name), Channels: 1}
	if c.Name == "" || strings.ContainsFunc(name, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		c.Name = ""
		return c, "rtpmap without a name"
	}
	if usualSpelling(c.Name) != name {
		c.Spelling = name
	}
	if n, err := strconv.Atoi(strings.TrimSpace(channels)); err == nil && 1 <= n && n <= 255 && audio {
		c.Channels = n
	} else if channels != "" && audio {
		oddity = "unreadable number of channels"
	}
	n, err := strconv.Atoi(strings.TrimSpace(clock))
	switch {
	case err != nil || n <= 0 || n > maxClockRate:
		c.ClockRate = defaultClock(pt, c.Name, audio)
		return c, "unreadable clock rate"
	case c.Name == "G722" && n != 8000:
		// RFC 3551 §4.5.2: an old error made 8000 the clock for ever. Devices
		// that write 16000 count at 8000 all the same.
		c.ClockRate = 8000
		return c, "G722 with another clock rate than 8000"
	}
	c.ClockRate = n
	return c, oddity
}

// defaultClock is the clock of a format whose rtpmap tells none.
func defaultClock(pt uint8, name string, audio bool) int {
	if c, ok := static(pt); ok && c.Name == name {
		return c.ClockRate
	}
	switch {
	case name == "OPUS":
		return 48000 // RFC 7587 §4.1
	case audio:
		return 8000
	}
	return 90000
}

// AudioNames are the encoding names of audio, in upper case, that are registered for
// RTP (RFC 3551, RFC 4855) or in use without that. Other names can be answered too;
// these are those that one may be expected to mean.
func AudioNames() []string {
	return []string{
		"PCMU", "PCMA", "G722", "L16", "OPUS", "G729", "G729D", "G729E", "G7291", "G7221", "G719", "G711-0",
		"G723", "G726-16", "G726-24", "G726-32", "G726-40",
		"AAL2-G726-16", "AAL2-G726-24", "AAL2-G726-32", "AAL2-G726-40", "G728",
		"GSM", "GSM-EFR", "GSM-HR-08", "ILBC", "ISAC", "SILK", "SPEEX", "BV16", "BV32", "IPMR_V2.5",
		"AMR", "AMR-WB", "AMR-WB+", "EVS", "EVRC", "EVRC0", "EVRC1", "EVRCB", "EVRCB0", "EVRCB1",
		"EVRCNW", "EVRCWB", "EVRCWB0", "EVRCWB1", "QCELP", "SMV", "SMV0", "VMR-WB", "MELP", "MELPE",
		"PCMA-WB", "PCMU-WB", "L8", "L20", "L24", "DAT12", "DVI4", "VDVI", "LPC", "CLEARMODE",
		"MPA", "MP4A-LATM", "MPEG4-GENERIC", "AC3", "EAC3", "VORBIS", "UEMCLIP", "TSVCIS", "X-G727", "X-LPC10",
	}
}
