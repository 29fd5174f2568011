package codec

import "encoding/binary"

// opus is Opus (RFC 6716) as RFC 7587 packs it, a packet in each payload, in an Ogg
// file (RFC 3533, RFC 7845) with a packet on each page. It is decoded at 48000 Hz
// as one channel: a stereo stream says in each packet that it is one, and is mixed
// by the decoder.
type opus struct{}

func (opus) rate() int            { return 48000 }
func (opus) decoders() []string   { return []string{"libopus", "opus"} }
func (opus) demuxer(int) []string { return []string{"-f", "ogg"} }

func (opus) split(dst []frame, payload []byte) []frame {
	n := opusSamples(payload)
	if n == 0 || len(payload) > maxOpus {
		return dst
	}
	return append(dst, frame{octets: payload, samples: n})
}

// maxOpus is what fits on an Ogg page; a packet has at most 48 frames of 1275 octets
// (RFC 6716 §3.4), and comes in a datagram.
const maxOpus = 254 * 255

// opusSamples is how many samples at 48000 Hz a packet holds; 0 when it is none
// (RFC 6716 §3.1, §3.2).
func opusSamples(packet []byte) int {
	if len(packet) == 0 {
		return 0
	}
	config := packet[0] >> 3
	var each int
	switch {
	case config < 12: // SILK
		each = [4]int{480, 960, 1920, 2880}[config&3]
	case config < 16: // hybrid
		each = [2]int{480, 960}[config&1]
	default: // CELT
		each = [4]int{120, 240, 480, 960}[config&3]
	}
	frames := 1
	switch packet[0] & 3 {
	case 1, 2:
		frames = 2
	case 3:
		if len(packet) < 2 {
			return 0
		}
		frames = int(packet[1] & 0x3f)
	}
	if n := frames * each; n <= 5760 { // 120 ms
		return n
	}
	return 0
}

func (opus) wrap(dst []byte, frames []frame) []byte {
	head := append([]byte("OpusHead"), 1, 1, 0, 0) // version, channels, pre-skip
	head = binary.LittleEndian.AppendUint32(head, 48000)
	head = append(head, 0, 0, 0) // gain, mapping family
	tags := append([]byte("OpusTags"), 0, 0, 0, 0, 0, 0, 0, 0)
	dst = appendPage(dst, oggFirst, 0, 0, head)
	dst = appendPage(dst, 0, 0, 1, tags)
	granule := uint64(0)
	for i, f := range frames {
		granule += uint64(f.samples)
		flags := byte(0)
		if i == len(frames)-1 {
			flags = oggLast
		}
		dst = appendPage(dst, flags, granule, uint32(i+2), f.octets)
	}
	return dst
}

const (
	oggFirst = 2
	oggLast  = 4
)

// appendPage appends an Ogg page with one packet (RFC 3533 §6).
func appendPage(dst []byte, flags byte, granule uint64, number uint32, packet []byte) []byte {
	begin := len(dst)
	dst = append(dst, "OggS\x00"...)
	dst = append(dst, flags)
	dst = binary.LittleEndian.AppendUint64(dst, granule)
	dst = binary.LittleEndian.AppendUint32(dst, 1) // serial number
	dst = binary.LittleEndian.AppendUint32(dst, number)
	dst = binary.LittleEndian.AppendUint32(dst, 0) // checksum
	dst = append(dst, byte(len(packet)/255+1))
	for range len(packet) / 255 {
		dst = append(dst, 255)
	}
	dst = append(dst, byte(len(packet)%255))
	dst = append(dst, packet...)
	binary.LittleEndian.PutUint32(dst[begin+22:], oggChecksum(dst[begin:]))
	return dst
}

// oggChecksum is a CRC-32 that begins at 0 and is not reflected (RFC 3533 §6).
func oggChecksum(b []byte) uint32 {
	var sum uint32
	for _, o := range b {
		sum = sum<<8 ^ oggTable[byte(sum>>24)^o]
	}
	return sum
}

var oggTable = func() (t [256]uint32) {
	for i := range t {
		sum := uint32(i) << 24
		for range 8 {
			if sum&(1<<31) != 0 {
				sum = sum<<1 ^ 0x04c11db7
			} else {
				sum <<= 1
			}
		}
		t[i] = sum
	}
	return t
}()
