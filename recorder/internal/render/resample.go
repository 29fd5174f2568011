package render

import "math"

// A resampler raises the sampling rate of one continuous run of samples by a
// rational factor with a linear-phase filter: a sinc under a Kaiser window over
// 32 samples of the input. It interpolates: wherever an output sample falls on
// an input sample it is that sample. The delay of the filter is compensated.
// Before and after the run it takes silence.
type resampler struct {
	*kernel
	in      []float32 // input from the first that is still needed
	phase   int       // of the next output sample, in 1/up of an input sample
	taken   int64     // samples given in
	emitted int64     // samples given out
}

// taps is the length of the filter in input samples, reach half of it.
const (
	taps  = 32
	reach = taps / 2
)

// A kernel is the filter from one rate to another. It is never written after
// newKernel.
type kernel struct {
	up, down int // the factor is up/down, reduced
	rows     [][taps]float32
}

func newKernel(from, to int) *kernel {
	g := gcd(from, to)
	k := &kernel{up: to / g, down: from / g}
	k.rows = make([][taps]float32, k.up)
	for phase := range k.rows {
		var row [taps]float64
		sum := 0.0
		for i := range row {
			// Distance of input sample i from the output sample.
			x := float64(i-reach+1) - float64(phase)/float64(k.up)
			row[i] = sinc(x) * kaiser(x/reach)
			sum += row[i]
		}
		for i := range row {
			k.rows[phase][i] = float32(row[i] / sum) // constant input stays constant
		}
	}
	return k
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	if x == math.Trunc(x) {
		return 0 // exactly, so that samples stay what they are
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}

// kaiser is the window for -1 < x < 1; beta 8 puts side lobes 80 dB down.
func kaiser(x float64) float64 {
	const beta = 8
	if x <= -1 || x >= 1 {
		return 0
	}
	return bessel(beta*math.Sqrt(1-x*x)) / bessel(beta)
}

// bessel is the modified Bessel function of order zero.
func bessel(x float64) float64 {
	sum, term := 1.0, 1.0
	for n := 1.0; term > sum*1e-12; n++ {
		term *= x * x / (4 * n * n)
		sum += term
	}
	return sum
}

// begin starts a run.
func (r *resampler) begin() {
	r.in = append(r.in[:0], make([]float32, reach-1)...)
	r.phase, r.taken, r.emitted = 0, 0, 0
}

// push appends to dst the samples that pcm completes.
func (r *resampler) push(dst, pcm []int16) []int16 {
	for _, s := range pcm {
		r.in = append(r.in, float32(s))
	}
	r.taken += int64(len(pcm))
	at := 0
	for at+taps <= len(r.in) {
		dst = append(dst, dot(&r.rows[r.phase], r.in[at:at+taps]))
		r.emitted++
		r.phase += r.down
		at += r.phase / r.up
		r.phase %= r.up
	}
	n := copy(r.in, r.in[min(at, len(r.in)):])
	r.in = r.in[:n]
	return dst
}

// flush appends what is left of the run: in all as many samples as last as long
// as those given in.
func (r *resampler) flush(dst []int16) []int16 {
	up, down := int64(r.up), int64(r.down)
	total := (r.taken*up + down - 1) / down
	missing := total - r.emitted
	taken := r.taken
	var silence [reach]int16
	end := len(dst) + int(missing)
	dst = r.push(dst, silence[:])
	r.taken = taken
	return dst[:min(end, len(dst))]
}

func dot(row *[taps]float32, in []float32) int16 {
	var sum float32
	for i, c := range row {
		sum += c * in[i]
	}
	return int16(max(math.MinInt16, min(math.MaxInt16, math.Round(float64(sum)))))
}

// pending is how far, in output samples, the next input sample is ahead of the
// next output sample.
func (r *resampler) pending() int64 {
	return (r.taken*int64(r.up)+int64(r.down)-1)/int64(r.down) - r.emitted
}
