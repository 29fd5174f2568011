package src

// This file is ITU-T G.722 at 64 kbit/s, written from the Recommendation alone, so that the
// server's decoder is not tested against itself. Each octet holds two samples at 16 kHz:
// six bits of the band below 4 kHz and two of the band above.

// G722 is that codec under its static payload type; its RTP clock runs at half of its
// sampling rate (RFC 3551 §4.5.2).
func G722() Codec { return Codec{Name: "G722", PayloadType: 9, ClockRate: 8000} }

// A G722Encoder writes one stream. The zero value is not one.
type G722Encoder struct {
	low, high g722Band
	line      [24]int // of the transmit quadrature mirror filter (§3.1)
	before    int     // the sample at 8 kHz before
}

// NewG722Encoder begins a stream.
func NewG722Encoder() *G722Encoder {
	return &G722Encoder{low: g722Band{det: 32}, high: g722Band{det: 8}}
}

// Encode writes samples at 8 kHz, an octet for each; between two of them lies a straight
// line.
func (e *G722Encoder) Encode(pcm []int16) []byte {
	out := make([]byte, len(pcm))
	for i, s := range pcm {
		out[i] = e.octet((e.before+int(s))/2, int(s))
		e.before = int(s)
	}
	return out
}

// octet writes two samples at 16 kHz.
func (e *G722Encoder) octet(first, second int) byte {
	copy(e.line[:22], e.line[2:])
	e.line[22], e.line[23] = first, second
	even, odd := g722Filter(&e.line)
	low, high := (even+odd)>>14, (even-odd)>>14

	diff := clip16(low - e.low.s)
	size, code := diff, 0
	if diff < 0 {
		size = -diff - 1
	}
	for code < len(g722Steps) && size >= g722Steps[code]*e.low.det>>12 {
		code++
	}
	// Of each sign the greatest levels have the smallest numbers (Table 6).
	six := 61 - code
	if diff < 0 {
		if six = 33 - code; code < 2 {
			six = 63 - code
		}
	}
	e.low.lower(six)

	diff = clip16(high - e.high.s)
	if size = diff; diff < 0 {
		size = -diff - 1
	}
	two := 3 // small and positive
	switch large := size >= 564*e.high.det>>12; {
	case large && diff >= 0:
		two = 2
	case large:
		two = 0
	case diff < 0:
		two = 1
	}
	e.high.upper(two)
	return byte(two<<6 | six)
}

// A G722Decoder reads one stream. The zero value is not one.
type G722Decoder struct {
	low, high g722Band
	line      [24]int // of the receive filter (§4.4)
}

// NewG722Decoder begins a stream.
func NewG722Decoder() *G722Decoder {
	return &G722Decoder{low: g722Band{det: 32}, high: g722Band{det: 8}}
}

// Decode gives two samples at 16 kHz for each octet.
func (d *G722Decoder) Decode(payload []byte) []int16 {
	out := make([]int16, 0, 2*len(payload))
	for _, b := range payload {
		low, high := d.low.lower(int(b&63)), d.high.upper(int(b>>6))
		copy(d.line[:22], d.line[2:])
		d.line[22], d.line[23] = low+high, low-high
		even, odd := g722Filter(&d.line)
		out = append(out, int16(clip16(odd>>11)), int16(clip16(even>>11)))
	}
	return out
}

// g722Filter is one step of a quadrature mirror filter.
func g722Filter(line *[24]int) (even, odd int) {
	h := [12]int{3, -11, 12, 32, -210, 951, 3876, -805, 362, -156, 53, -11}
	for i := range h {
		even += line[2*i] * h[i]
		odd += line[2*i+1] * h[11-i]
	}
	return even, odd
}

// g722Steps are the decision levels of the lower band (Table 4).
var g722Steps = [29]int{
	35, 72, 110, 150, 190, 233, 276, 323, 370, 422, 473, 530, 587, 650, 714,
	786, 858, 940, 1023, 1121, 1219, 1339, 1458, 1612, 1765, 1980, 2195, 2557, 2919,
}

// g722Fine and g722Coarse are the output levels of the lower band by their rank, of six
// bits and of the four that adapt (Tables 7 and 9).
var (
	g722Fine = [30]int{
		136, 432, 728, 1040, 1360, 1688, 2032, 2400, 2776, 3168, 3576, 4008, 4464, 4944, 5456,
		6000, 6576, 7192, 7856, 8576, 9360, 10232, 11192, 12280, 13512, 14984, 16704, 19008, 21904, 24808,
	}
	g722Coarse = [8]int{0, 1200, 2584, 4240, 6288, 8968, 12896, 20456}
	g722Log    = [8]int{-60, -30, 58, 172, 334, 538, 1198, 3042} // (Table 5)
)

// lower takes six bits of the lower band and gives its sample.
func (b *g722Band) lower(six int) int {
	rank, sign := 61-six, 1 // 61 is the smallest positive level, 32 the greatest
	switch {
	case six >= 62: // the two smallest negative ones
		rank, sign = 63-six, -1
	case six < 32:
		rank, sign = 33-six, -1
	}
	if six < 4 { // not sent by anybody (Table 7)
		rank = 0
	}
	sample := min(max(b.s+(b.det*sign*g722Fine[rank])>>15, -16384), 16383)

	four := six >> 2
	coarse, sign := 15-four, 1
	switch {
	case four == 15 || four == 0:
		coarse, sign = 0, 1
	case four < 8:
		coarse, sign = 8-four, -1
	}
	b.log = min(max(b.log*127>>7+g722Log[coarse], 0), 18432)
	diff := b.det * sign * g722Coarse[coarse] >> 15
	b.det = g722Linear(b.log, 8)
	b.adapt(diff)
	return sample
}

// upper takes two bits of the upper band and gives its sample.
func (b *g722Band) upper(two int) int {
	level, step := 1616, -214
	if two == 0 || two == 2 {
		level, step = 7408, 798
	}
	if two < 2 {
		level = -level
	}
	diff := b.det * level >> 15
	sample := min(max(b.s+diff, -16384), 16383)
	b.log = min(max(b.log*127>>7+step, 0), 22528)
	b.det = g722Linear(b.log, 10)
	b.adapt(diff)
	return sample
}

// g722Linear makes a scale factor of its logarithm (§3.5).
func g722Linear(log, shift int) int {
	mantissa := g722Mantissas[log>>6&31]
	if shift -= log >> 11; shift < 0 {
		return mantissa << -shift << 2
	}
	return mantissa >> shift << 2
}

// g722Mantissas are 2048 times 2 to the power of n/32 (Table 11).
var g722Mantissas = [32]int{
	2048, 2093, 2139, 2186, 2233, 2282, 2332, 2383, 2435, 2489, 2543, 2599, 2656, 2714, 2774, 2834,
	2896, 2960, 3025, 3091, 3158, 3228, 3298, 3371, 3444, 3520, 3597, 3676, 3756, 3838, 3922, 4008,
}

// A g722Band predicts one band by two poles and six zeros (§3.6); its arrays hold the
// present value first.
type g722Band struct {
	log, det int    // scale factor
	s, zeros int    // what is predicted, and the part of the zeros in it
	a        [3]int // poles, from 1
	r, p     [3]int // reconstructed, by all and by the zeros alone
	b        [7]int // zeros, from 1
	d        [7]int // differences
}

// adapt takes a quantised difference and predicts the next sample.
func (b *g722Band) adapt(diff int) {
	copy(b.d[1:], b.d[:6])
	copy(b.r[1:], b.r[:2])
	copy(b.p[1:], b.p[:2])
	b.d[0], b.r[0], b.p[0] = diff, clip16(b.s+diff), clip16(b.zeros+diff)
	b.poles()
	step := 128
	if diff == 0 {
		step = 0
	}
	b.zeros = 0
	for i := 1; i < 7; i++ {
		turn := step
		if (b.d[i] < 0) != (diff < 0) {
			turn = -step
		}
		b.b[i] = clip16(b.b[i]*32640>>15 + turn)
	}
	for i := 6; i > 0; i-- {
		b.zeros = clip16(b.zeros + b.b[i]*clip16(2*b.d[i-1])>>15)
	}
	b.s = clip16(b.zeros + clip16(b.a[1]*clip16(2*b.r[0])>>15+b.a[2]*clip16(2*b.r[1])>>15))
}

// poles adapts both poles (§3.6.3).
func (b *g722Band) poles() {
	same := func(i int) bool { return (b.p[0] < 0) == (b.p[i] < 0) }
	first := clip16(4 * b.a[1])
	if same(1) {
		first = min(-first, 32767)
	}
	second := first>>7 + b.a[2]*32512>>15
	if same(2) {
		second += 128
	} else {
		second -= 128
	}
	second = min(max(second, -12288), 12288)
	one := -192
	if same(1) {
		one = 192
	}
	limit := clip16(15360 - second)
	b.a[1], b.a[2] = min(max(clip16(b.a[1]*32640>>15+one), -limit), limit), second
}

func clip16(x int) int { return min(max(x, -32768), 32767) }

// g722Frames cuts a source into frames of G.722.
func g722Frames(s Source, opt PlayOptions, samples int) frames {
	e, buf := NewG722Encoder(), make([]int16, samples)
	return func(i int) ([]byte, bool, bool) {
		clear(buf)
		if s.Samples(opt.From+int64(i)*int64(samples), buf) == 0 {
			return nil, false, false
		}
		return e.Encode(buf), false, true
	}
}
