package observe

import (
	"fmt"
	"slices"
	"strings"

	"github.com/siprecd/siprecd/conformance/src"
)

// A Part is one packet of a voice, as it was sent.
type Part struct {
	Voice  Voice
	Packet int       // of the voice
	Codec  src.Codec // by which it was sent
	// At is when it was spoken: samples at 8 kHz since the first part of its party.
	At int64
	// Kept says that it has to be in a file. Else it must be in none.
	Kept bool
}

// A Party is who spoke, under a name that metadata gives it too, and what.
type Party struct {
	Name  string
	Parts []Part
}

// spot tells packets apart.
type spot struct {
	Voice
	packet int
	law    string // by which it was written
}

func (p Part) spot() spot { return spot{p.Voice, p.Packet, lawName(p.Codec)} }

// samples are what a file should hold of it.
func (p Part) samples(codes map[string]*Code) []int16 {
	out := make([]int16, Frame)
	codes[lawName(p.Codec)].Source(p.Voice).Samples(int64(p.Packet)*Frame, out)
	return out
}

// lawName is by which code a codec is written.
func lawName(c src.Codec) string {
	if strings.EqualFold(c.Name, "PCMA") {
		return "PCMA"
	}
	return "PCMU"
}

// bothCodes are the codes of both laws.
func bothCodes() (map[string]*Code, error) {
	out := make(map[string]*Code)
	for _, codec := range []src.Codec{src.PCMU(), src.PCMA()} {
		c, err := NewCode(codec)
		if err != nil {
			return nil, err
		}
		out[codec.Name] = c
	}
	return out, nil
}

// numbers says which packets some parts are: "3, 7 to 9".
func numbers(parts []Part) string {
	var runs []string
	for i := 0; i < len(parts); {
		k := i
		for k+1 < len(parts) && parts[k+1].Packet == parts[k].Packet+1 && parts[k+1].Voice == parts[k].Voice {
			k++
		}
		text := fmt.Sprint(parts[i].Packet)
		if k > i {
			text += fmt.Sprintf(" to %d", parts[k].Packet)
		}
		runs = append(runs, text)
		i = k + 1
	}
	if len(runs) > 8 {
		runs = append(runs[:8], "…")
	}
	return strings.Join(runs, ", ")
}

// kept are the parts that have to be in a file.
func (p Party) kept() []Part {
	return slices.DeleteFunc(slices.Clone(p.Parts), func(one Part) bool { return !one.Kept })
}
