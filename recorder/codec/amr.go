package codec

// amrKind is one of the two codecs of RFC 4867.
type amrKind struct {
	samples int // of a frame of 20 ms
	magic   string
	names   []string
	// bits of speech by frame type; 0 where a frame holds no speech. noise is the
	// type of comfort noise, noiseBits its length.
	bits      [16]int
	noise     byte
	noiseBits int
}

var (
	narrowband = amrKind{
		samples: 160, magic: "#!AMR\n", names: []string{"amrnb", "libopencore_amrnb"},
		bits: [16]int{95, 103, 118, 134, 148, 159, 204, 244}, noise: 8, noiseBits: 39,
	}
	wideband = amrKind{
		samples: 320, magic: "#!AMR-WB\n", names: []string{"amrwb", "libopencore_amrwb"},
		bits: [16]int{132, 177, 253, 285, 317, 365, 397, 461, 477}, noise: 9, noiseBits: 40,
	}
)

// amr is AMR or AMR-WB in the packing of RFC 4867 §4, given to ffmpeg in the storage
// format of §5. Comfort noise, and frames that are missing or damaged, are silence.
type amr struct {
	*amrKind
	aligned bool // octet-aligned (§4.4), else bandwidth-efficient (§4.3)
}

// amrOf gives nil for what payloads of these parameters add to that form.
func amrOf(params map[string]string, kind *amrKind) packing {
	for _, p := range []string{"crc", "robust-sorting"} {
		if v := params[p]; v != "" && v != "0" {
			return nil
		}
	}
	if _, interleaved := params["interleaving"]; interleaved {
		return nil
	}
	if c := params["channels"]; c != "" && c != "1" {
		return nil
	}
	return amr{kind, params["octet-align"] == "1"}
}

func (a amr) rate() int            { return a.samples * 50 }
func (a amr) decoders() []string   { return a.names }
func (a amr) demuxer(int) []string { return []string{"-f", "amr"} }

func (a amr) split(dst []frame, payload []byte) []frame {
	if out, ok := a.read(dst, payload, a.aligned); ok {
		return out
	}
	// Some senders pack in the other way than they say.
	if out, ok := a.read(dst, payload, !a.aligned); ok {
		return out
	}
	return dst
}

// read reads a payload in one of the two forms; not ok when its length does not fit.
func (a amr) read(dst []frame, payload []byte, aligned bool) (out []frame, ok bool) {
	b := bitReader{data: payload}
	b.take(4) // codec mode request
	unit := 1
	if aligned {
		unit = 8
		b.take(4)
	}
	type entry struct {
		kind byte
		good bool
	}
	var entries []entry
	for more := true; more; {
		if len(entries) == maxAMRFrames {
			return nil, false
		}
		more = b.take(1) == 1
		e := entry{kind: byte(b.take(4)), good: b.take(1) == 1}
		if aligned {
			b.take(2)
		}
		entries = append(entries, e)
	}
	out = dst
	for _, e := range entries {
		n := a.bits[e.kind]
		if e.kind == a.noise {
			n = a.noiseBits
		}
		f := frame{samples: a.samples}
		if a.bits[e.kind] > 0 && e.good {
			f.octets = append(f.octets, e.kind<<3|1<<2)
			for left := n; left > 0; left -= 8 {
				k := min(left, 8)
				f.octets = append(f.octets, byte(b.take(k)<<(8-k)))
			}
		} else {
			b.at += n
		}
		b.at = (b.at + unit - 1) / unit * unit
		out = append(out, f)
	}
	end := (b.at + 7) / 8
	return out, end == len(payload)
}

// maxAMRFrames is more than a packet holds: a second (RFC 4867 §8, maxptime).
const maxAMRFrames = 50

func (a amr) wrap(dst []byte, frames []frame) []byte {
	return concatenate(append(dst, a.magic...), frames)
}

// A bitReader reads numbers of some bits, the most significant first.
type bitReader struct {
	data []byte
	at   int
}

// take reads n bits, at most 8; what lies beyond the end is 0.
func (b *bitReader) take(n int) (v uint) {
	for range n {
		v <<= 1
		if i := b.at / 8; i < len(b.data) {
			v |= uint(b.data[i]>>(7-b.at%8)) & 1
		}
		b.at++
	}
	return v
}
