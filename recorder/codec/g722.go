package codec

// g722 is the decoder of ITU-T G.722 in mode 1, 64 kbit/s: each octet holds six
// bits for the band below 4 kHz and two for the band above, and gives two
// samples at 16 kHz. Names of blocks are those of the Recommendation.
type g722 struct {
	low, high band
	// qmf is the delay line of the receive quadrature mirror filter (§4.4).
	qmf [24]int
}

func newG722() *g722 {
	d := new(g722)
	d.low.det, d.high.det = 32, 8 // initial scale factors (§3.6.5, table of reset values)
	return d
}

func (d *g722) Rate() int                  { return 16000 }
func (d *g722) Samples(payload []byte) int { return 2 * len(payload) }

func (d *g722) Decode(dst []int16, payload []byte) []int16 {
	for _, octet := range payload {
		rl := d.low.decodeLow(int(octet & 0x3f))
		rh := d.high.decodeHigh(int(octet >> 6))
		a, b := d.synthesise(rl, rh)
		dst = append(dst, a, b)
	}
	return dst
}

// synthesise joins one sample of each band to two of the whole (§4.4).
func (d *g722) synthesise(rl, rh int) (int16, int16) {
	copy(d.qmf[:22], d.qmf[2:])
	d.qmf[22], d.qmf[23] = rl+rh, rl-rh
	var even, odd int
	for i, h := range qmfCoefficients {
		even += d.qmf[2*i] * h
		odd += d.qmf[2*i+1] * qmfCoefficients[11-i]
	}
	return int16(saturate(odd >> 11)), int16(saturate(even >> 11))
}

// decodeLow gives the sample of the lower band for six bits.
func (b *band) decodeLow(code int) int {
	// The output uses all six bits, the adaptation only the upper four, so
	// that a sender may steal the lower ones (§3.2).
	out := clamp(b.s+(b.det*qm6[code])>>15, -16384, 16383)
	four := code >> 2
	diff := (b.det * qm4[four]) >> 15
	b.nb = clamp((b.nb*127)>>7+wl[rl42[four]], 0, 18432) // LOGSCL
	b.det = scale(b.nb, 8)                               // SCALEL
	b.adapt(diff)
	return out
}

// decodeHigh gives the sample of the upper band for two bits.
func (b *band) decodeHigh(code int) int {
	diff := (b.det * qm2[code]) >> 15
	out := clamp(b.s+diff, -16384, 16383)
	b.nb = clamp((b.nb*127)>>7+wh[rh2[code]], 0, 22528) // LOGSCH
	b.det = scale(b.nb, 10)                             // SCALEH
	b.adapt(diff)
	return out
}

// scale turns a logarithmic scale factor into a linear one (§3.6.4).
func scale(nb, shift int) int {
	v, n := ilb[nb>>6&31], shift-nb>>11
	if n < 0 {
		return v << -n << 2
	}
	return v >> n << 2
}

// band is the adaptive predictor of one band (§3.6).
type band struct {
	nb, det   int    // scale factor, logarithmic and linear
	s, sz     int    // predicted signal, and the part of its zeros
	a, r, p   [3]int // poles, reconstructed signal, partly reconstructed signal
	zero, dif [7]int // zeros (B), quantised differences (D)
}

// adapt is block 4 of the Recommendation: it takes the quantised difference into
// the filters and predicts the next sample.
func (b *band) adapt(diff int) {
	b.dif[0] = diff
	b.r[0] = saturate(b.s + diff)  // RECONS
	b.p[0] = saturate(b.sz + diff) // PARREC
	a1, a2 := b.poles()

	step := 128 // UPZERO
	if diff == 0 {
		step = 0
	}
	for i := 6; i >= 1; i-- {
		delta := -step
		if b.dif[i]>>15 == diff>>15 {
			delta = step
		}
		b.zero[i] = saturate(delta + (b.zero[i]*32640)>>15)
	}
	copy(b.dif[1:], b.dif[:6]) // DELAYA
	b.r[2], b.r[1] = b.r[1], b.r[0]
	b.p[2], b.p[1] = b.p[1], b.p[0]
	b.a[1], b.a[2] = a1, a2

	sp := saturate((a1*saturate(2*b.r[1]))>>15 + (a2*saturate(2*b.r[2]))>>15) // FILTEP
	sz := 0                                                                   // FILTEZ
	for i := 6; i >= 1; i-- {
		sz += (b.zero[i] * saturate(2*b.dif[i])) >> 15
	}
	b.sz = saturate(sz)
	b.s = saturate(sp + b.sz) // PREDIC
}

// poles gives the next coefficients of the poles (UPPOL2, UPPOL1).
func (b *band) poles() (a1, a2 int) {
	sg0, sg1, sg2 := b.p[0]>>15, b.p[1]>>15, b.p[2]>>15
	w := saturate(b.a[1] << 2)
	if sg0 == sg1 {
		w = min(-w, 32767)
	}
	a2 = w>>7 - 128
	if sg0 == sg2 {
		a2 = w>>7 + 128
	}
	a2 = clamp(a2+(b.a[2]*32512)>>15, -12288, 12288)

	a1 = -192
	if sg0 == sg1 {
		a1 = 192
	}
	limit := saturate(15360 - a2)
	return clamp(saturate(a1+(b.a[1]*32640)>>15), -limit, limit), a2
}

func saturate(v int) int { return clamp(v, -32768, 32767) }

func clamp(v, lo, hi int) int { return max(lo, min(v, hi)) }
