package recorder

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"path/filepath"

	"github.com/siprecd/siprecd/recorder/internal/capture"
	"github.com/siprecd/siprecd/recorder/store"
)

// ErrTorn says that the end of a capture is missing or damaged.
var ErrTorn = errors.New("capture ends with a page that is torn or damaged")

// A CapturedPacket is one RTP packet as a capture holds it, or with a PayloadType of
// 200, which none has, one RTCP sender report: Timestamp is its RTP time, Payload its
// NTP time in 8 octets, little endian, and the CNAME; or with one of 201 a digit, whose
// Payload begins with the code of its event (RFC 4733 §3.2). Its Payload is valid until the
// next one is given.
type CapturedPacket = capture.Packet

// Captured gives the packets that the capture of a recording below dir holds, those
// of each stream in the order in which they were kept: to search it for what it
// must not hold, whatever its codec. It may be one that is being recorded. masters
// open its key where that is wrapped; nil for none. The error comes last, and wraps
// [ErrTorn] where not all of the file can be believed.
func Captured(dir, id string, masters *MasterKeys) iter.Seq2[*CapturedPacket, error] {
	return func(yield func(*CapturedPacket, error) bool) {
		if err := captured(dir, id, masters, func(p *CapturedPacket) bool { return yield(p, nil) }); err != nil {
			yield(nil, fmt.Errorf("read capture of %s: %w", id, err))
		}
	}
}

// captured gives packets until it is told that no more are wanted.
func captured(dir, id string, masters *MasterKeys, give func(*CapturedPacket) bool) (err error) {
	folder, err := store.Folder(dir, id)
	if err != nil {
		return err
	}
	key, err := masters.ring().Load(folder, id)
	if err != nil {
		return err
	}
	r, err := capture.Open(filepath.Join(folder, captureName), capture.Secret{Recording: id, Key: key}, nil)
	if err != nil {
		return err
	}
	defer func() {
		if e := r.Close(); err == nil {
			err = e
		}
	}()
	var p CapturedPacket
	for {
		switch err := r.Next(&p); {
		case errors.Is(err, io.EOF):
			if r.Torn() {
				return ErrTorn
			}
			return nil
		case err != nil:
			return err
		}
		if !give(&p) {
			return nil
		}
	}
}
