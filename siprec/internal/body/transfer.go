package body

import (
	"bytes"
	"encoding/base64"
	"io"
	"mime/quotedprintable"
	"strings"
)

// decode undoes the transfer encoding of a part (RFC 2045 §6). SIP is 8-bit
// clean and needs none (RFC 5621 §3.2), but some gateways come from mail.
// Content that cannot be decoded stays as it is.
func (s *splitter) decode(p *Part) {
	encoding := strings.ToLower(p.header("content-transfer-encoding"))
	var decoded []byte
	var err error
	switch encoding {
	case "", "7bit", "8bit", "binary":
		return
	case "base64":
		decoded, err = decodeBase64(p.Body)
	case "quoted-printable":
		decoded, err = io.ReadAll(quotedprintable.NewReader(bytes.NewReader(p.Body)))
	default:
		s.odd("unknown transfer encoding of a part")
		return
	}
	if err != nil {
		s.odd("part is not %s as it says", encoding)
		return
	}
	p.Body = decoded
}

// decodeBase64 ignores blanks and missing padding.
func decodeBase64(b []byte) ([]byte, error) {
	packed := bytes.Join(bytes.Fields(b), nil)
	packed = bytes.TrimRight(packed, "=")
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(packed)))
	n, err := base64.RawStdEncoding.Decode(decoded, packed)
	return decoded[:n], err
}
