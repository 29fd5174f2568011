package load

import (
	"fmt"
	"io"

	"github.com/siprecd/siprecd/conformance/observe"
)

// openWAV reads up to the samples of a file that can be searched. Behind it, r gives
// samples: length octets of them, or all that come when length is below 0.
func openWAV(r io.Reader) (l observe.WAV, length int64, err error) {
	l, length, err = observe.OpenWAV(r)
	if err != nil {
		return l, length, err
	}
	known := l.Format == observe.FormatPCM && l.Bits == 16 || l.Format == observe.FormatMuLaw
	if !known || l.Rate != 8000 {
		err = fmt.Errorf("%d channels of format %d with %d bits at %d Hz cannot be searched", l.Channels, l.Format, l.Bits, l.Rate)
	}
	return l, length, err
}
