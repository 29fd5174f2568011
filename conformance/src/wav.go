package src

import (
	"errors"
	"fmt"
	"io"
	"math"
	"os"

	"github.com/go-audio/wav"
)

// maxWAV bounds the size of a WAV file, in octets.
const maxWAV = 512 << 20

// WAV reads a PCM file of 16 bits per sample, of any rate and number of
// channels, and resamples it to 8 kHz. Channels are averaged to one. The source
// ends where the file ends.
func WAV(path string) (Source, error) {
	return readWAV(path, -1)
}

// WAVChannel is WAV for one channel, counted from 0.
func WAVChannel(path string, channel int) (Source, error) {
	if channel < 0 {
		return nil, fmt.Errorf("channel %d is below 0", channel)
	}
	return readWAV(path, channel)
}

func readWAV(path string, channel int) (source Source, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if st, err := f.Stat(); err != nil {
		return nil, err
	} else if st.Size() > maxWAV {
		return nil, fmt.Errorf("read %s: %d octets are more than %d", path, st.Size(), maxWAV)
	}
	pcm, rate, err := decodeWAV(f, channel)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return clipped(Resample(pcm, rate)), nil
}

func decodeWAV(r io.ReadSeeker, channel int) ([]int16, int, error) {
	d := wav.NewDecoder(r)
	if !d.IsValidFile() {
		return nil, 0, errors.New("not a WAV file")
	}
	if d.BitDepth != 16 || d.WavAudioFormat != 1 && d.WavAudioFormat != 0xfffe {
		return nil, 0, fmt.Errorf("format %d with %d bits is not 16-bit PCM", d.WavAudioFormat, d.BitDepth)
	}
	channels, rate := int(d.NumChans), int(d.SampleRate)
	if channel >= channels {
		return nil, 0, fmt.Errorf("channel %d of %d does not exist", channel, channels)
	}
	if rate < 1000 || rate > 384000 {
		return nil, 0, fmt.Errorf("rate %d Hz is out of range", rate)
	}
	buf, err := d.FullPCMBuffer()
	if err != nil {
		return nil, 0, err
	}
	out := make([]int16, len(buf.Data)/channels)
	for i := range out {
		frame := buf.Data[i*channels : (i+1)*channels]
		if channel >= 0 {
			out[i] = int16(frame[channel])
			continue
		}
		sum := 0
		for _, x := range frame {
			sum += x
		}
		out[i] = int16(sum / channels)
	}
	return out, rate, nil
}

// Resample brings samples of a rate, in Hz and above 0, to 8 kHz with a windowed sinc,
// low-pass at the lower of the two Nyquist frequencies.
func Resample(in []int16, rate int) []int16 {
	if rate == sampleRate {
		return in
	}
	// Output i lies i*rate/8000 samples into the input; its fractional part
	// takes only so many values, and each has one kernel.
	phases := sampleRate / gcd(rate, sampleRate)
	kernels := make([]kernel, phases)
	for p := range kernels {
		_, fraction := math.Modf(float64(p) * float64(rate) / sampleRate)
		kernels[p] = newKernel(fraction, float64(rate)/sampleRate)
	}
	out := make([]int16, int64(len(in))*sampleRate/int64(rate))
	for i := range out {
		at := int(int64(i) * int64(rate) / sampleRate)
		out[i] = kernels[i%phases].apply(in, at)
	}
	return out
}

func gcd(a, b int) int {
	for b != 0 {
		a, b = b, a%b
	}
	return a
}

// kernel weighs the samples around a place of the input.
type kernel struct {
	first   int // place of the first weight, relative to the sample at or before
	weights []float64
}

// newKernel is the kernel at a fraction of a sample, where step input samples
// make one output sample.
func newKernel(fraction, step float64) kernel {
	const zeros = 8 // zero crossings on each side
	cut := min(1, 1/step)
	reach := zeros / cut
	k := kernel{first: int(math.Ceil(fraction - reach))}
	var sum float64
	for at := k.first; float64(at) <= fraction+reach; at++ {
		x := float64(at) - fraction
		w := sinc(x*cut) * (0.5 + 0.5*math.Cos(math.Pi*x/reach))
		k.weights = append(k.weights, w)
		sum += w
	}
	for i := range k.weights {
		k.weights[i] /= sum
	}
	return k
}

func (k kernel) apply(in []int16, at int) int16 {
	var sum float64
	for i, w := range k.weights {
		if from := at + k.first + i; from >= 0 && from < len(in) {
			sum += w * float64(in[from])
		}
	}
	return int16(math.Round(min(max(sum, -32768), 32767)))
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	return math.Sin(math.Pi*x) / (math.Pi * x)
}
