package codec

// linear16 is uncompressed audio in network byte order (RFC 3551 §4.5.11).
type linear16 struct{ rate, channels int }

func (l *linear16) Rate() int                  { return l.rate }
func (l *linear16) Samples(payload []byte) int { return len(payload) / (2 * l.channels) }

func (l *linear16) Decode(dst []int16, payload []byte) []int16 {
	frame := 2 * l.channels
	for ; len(payload) >= frame; payload = payload[frame:] {
		sum := 0
		for i := 0; i < frame; i += 2 {
			sum += int(int16(uint16(payload[i])<<8 | uint16(payload[i+1])))
		}
		dst = append(dst, int16(sum/l.channels))
	}
	return dst
}
