package capture

import (
	"crypto/cipher"
	"encoding/binary"
	"fmt"

	"github.com/siprecd/siprecd/recorder/internal/seal"
)

// A sealer seals and opens the pages of one capture. It is not safe for
// concurrent use.
type sealer struct {
	secret Secret
	epoch  [seal.EpochSize]byte
	aead   cipher.AEAD // of epoch
	nonce  [12]byte
	about  []byte // header and recording: kept for its room
}

// use derives the key of an epoch unless it is the one in use.
func (s *sealer) use(epoch [seal.EpochSize]byte) error {
	if s.aead != nil && s.epoch == epoch {
		return nil
	}
	aead, err := s.secret.Key.Capture(epoch)
	if err != nil {
		return fmt.Errorf("capture: %w", err)
	}
	s.epoch, s.aead = epoch, aead
	return nil
}

// bind sets nonce and associated data for a page whose header is given.
func (s *sealer) bind(number uint64, head []byte) {
	binary.LittleEndian.PutUint64(s.nonce[4:], number)
	s.about = append(append(s.about[:0], head...), s.secret.Recording...)
}

// seal appends a page to b: its header and the sealed body.
func (s *sealer) seal(b []byte, h header, body []byte) []byte {
	h.kind, h.length, h.epoch = kindSealed, len(body)+tagSize, s.epoch
	at := len(b)
	b = h.append(b)
	s.bind(h.number, b[at:])
	return s.aead.Seal(b, s.nonce[:], body, s.about)
}

// open opens a sealed body in place. head is the header as it stands in the file.
func (s *sealer) open(h *header, head, sealed []byte) ([]byte, error) {
	if err := s.use(h.epoch); err != nil {
		return nil, err
	}
	s.bind(h.number, head)
	return s.aead.Open(sealed[:0], s.nonce[:], sealed, s.about)
}
