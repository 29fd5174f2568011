package src

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strconv"
	"strings"
)

// This file is SRTP (RFC 3711, RFC 7714) by the standard library alone, so that the
// server's library is not tested against itself.

// SRTPSuites are the crypto-suites that can be offered (RFC 4568 §6.2, RFC 7714
// §14.2).
func SRTPSuites() []string {
	return []string{"AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32", "AEAD_AES_128_GCM", "AEAD_AES_256_GCM"}
}

// An SRTPKey is one master key of an SRC for one m-line.
type SRTPKey struct {
	Suite     string
	Key, Salt []byte
	MKI       []byte // in packets and in a=crypto, up to 7 octets; empty for none
}

// srtpSizes are the octets of key, salt and RTP tag; the first is 0 for an unknown
// suite.
func srtpSizes(suite string) (key, salt, tag int) {
	switch suite {
	case "AES_CM_128_HMAC_SHA1_80":
		return 16, 14, 10
	case "AES_CM_128_HMAC_SHA1_32":
		return 16, 14, 4
	case "AEAD_AES_128_GCM":
		return 16, 12, 16
	case "AEAD_AES_256_GCM":
		return 32, 12, 16
	}
	return 0, 0, 0
}

// SRTPKey draws a key for a suite.
func (g *IDs) SRTPKey(suite string) (SRTPKey, error) {
	keyLen, saltLen, _ := srtpSizes(suite)
	if keyLen == 0 {
		return SRTPKey{}, fmt.Errorf("crypto-suite %q is not known", suite)
	}
	var b []byte
	for len(b) < keyLen+saltLen {
		b = binary.BigEndian.AppendUint64(b, g.uint64())
	}
	return SRTPKey{Suite: suite, Key: b[:keyLen:keyLen], Salt: b[keyLen : keyLen+saltLen]}, nil
}

// Attribute is the key as the value of a=crypto (RFC 4568 §9.1).
func (k SRTPKey) Attribute(tag int) string {
	text := fmt.Sprintf("%d %s inline:%s", tag, k.Suite, base64.StdEncoding.EncodeToString(slices.Concat(k.Key, k.Salt)))
	if len(k.MKI) > 0 {
		n := uint64(0)
		for _, b := range k.MKI {
			n = n<<8 | uint64(b)
		}
		text += fmt.Sprintf("|2^31|%d:%d", n, len(k.MKI))
	}
	return text
}

// ParseSRTPKey reads the value of a=crypto with one key: its tag, and the key with its
// MKI. A lifetime is checked, and what stands behind the key not read. The error says that
// it holds no key of a known suite, or one that RFC 4568 §6.1 calls invalid.
func ParseSRTPKey(value string) (tag string, k SRTPKey, err error) {
	f := strings.Fields(value)
	if len(f) < 3 {
		return "", k, fmt.Errorf("a=crypto has %d fields", len(f))
	}
	inline, _ := strings.CutPrefix(f[2], "inline:")
	fields := strings.Split(inline, "|")
	raw, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(fields[0], "="))
	keyLen, saltLen, _ := srtpSizes(f[1])
	if err != nil || keyLen == 0 || len(raw) != keyLen+saltLen || strings.Contains(inline, ";") {
		return "", k, errors.New("a=crypto does not hold one key of a known suite")
	}
	k = SRTPKey{Suite: f[1], Key: raw[:keyLen], Salt: raw[keyLen:]}
	for i, field := range fields[1:] {
		if i == 0 && !strings.Contains(field, ":") {
			if !isLifetime(field) {
				return "", k, errors.New("a=crypto has a lifetime that is no number from 1 to 2^48")
			}
		} else if k.MKI, err = parseMKI(field); err != nil {
			return "", k, err
		}
	}
	return f[0], k, nil
}

// isLifetime reports whether a text is a lifetime in packets (RFC 4568 §6.1).
func isLifetime(text string) bool {
	if power, found := strings.CutPrefix(text, "2^"); found {
		n, err := strconv.Atoi(power)
		return err == nil && n >= 0 && n <= 48
	}
	n, err := strconv.ParseUint(text, 10, 64)
	return err == nil && n >= 1 && n <= 1<<48
}

// parseMKI reads number:octets (RFC 4568 §6.1).
func parseMKI(text string) ([]byte, error) {
	number, octets, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(number, 10, 64)
	size, sizeErr := strconv.Atoi(octets)
	if err != nil || sizeErr != nil || size < 1 || size > 128 {
		return nil, errors.New("a=crypto has an MKI that cannot be read")
	}
	b := binary.BigEndian.AppendUint64(make([]byte, 128), n)
	return b[len(b)-size:], nil
}

// Equal reports whether two keys are the same, with suite, salt and MKI.
func (k SRTPKey) Equal(o SRTPKey) bool {
	return k.Suite == o.Suite && bytes.Equal(k.Key, o.Key) && bytes.Equal(k.Salt, o.Salt) && bytes.Equal(k.MKI, o.MKI)
}

// Labels of the key derivation (RFC 3711 §4.3.2); those of RTCP are 3 higher.
const (
	labelCipher = 0
	labelAuth   = 1
	labelSalt   = 2
	labelsRTCP  = 3
)

// A Protector protects the packets of one master key. It is not safe for concurrent
// use.
type Protector struct {
	key       SRTPKey
	tag       int // octets of the RTP tag
	rtp, rtcp srtpCipher
	counters  map[uint32]*rollover // by SSRC
	index     uint32               // of SRTCP
}

// rollover is the counter of one SSRC.
type rollover struct {
	roc  uint32
	last uint16
}

// srtpCipher is one direction's derived keys.
type srtpCipher struct {
	block cipher.Block
	aead  cipher.AEAD // nil for counter mode
	salt  []byte
	auth  hash.Hash // HMAC-SHA1, begun anew for each packet
	sum   []byte    // of the last packet
}

// NewProtector derives the keys.
func NewProtector(k SRTPKey) (*Protector, error) {
	keyLen, saltLen, tag := srtpSizes(k.Suite)
	if keyLen == 0 || len(k.Key) != keyLen || len(k.Salt) != saltLen {
		return nil, fmt.Errorf("key of %d and salt of %d octets for suite %q", len(k.Key), len(k.Salt), k.Suite)
	}
	p := &Protector{key: k, tag: tag, counters: make(map[uint32]*rollover)}
	var err error
	if p.rtp, err = k.derive(0); err != nil {
		return nil, err
	}
	p.rtcp, err = k.derive(labelsRTCP)
	return p, err
}

func (k SRTPKey) derive(labels byte) (c srtpCipher, err error) {
	master, err := aes.NewCipher(k.Key)
	if err != nil {
		return c, err
	}
	prf := func(label byte, n int) []byte {
		var iv [16]byte
		copy(iv[:], k.Salt)
		iv[7] ^= label
		out := make([]byte, n)
		cipher.NewCTR(master, iv[:]).XORKeyStream(out, out)
		return out
	}
	c.salt, c.auth = prf(labels+labelSalt, len(k.Salt)), hmac.New(sha1.New, prf(labels+labelAuth, 20))
	if c.block, err = aes.NewCipher(prf(labels+labelCipher, len(k.Key))); err != nil {
		return c, err
	}
	if strings.HasPrefix(k.Suite, "AEAD") {
		c.aead, err = cipher.NewGCM(c.block)
	}
	return c, err
}

// SetROC sets the rollover counter for an SSRC whose next packet has a sequence
// number.
func (p *Protector) SetROC(ssrc, roc uint32, seq uint16) {
	p.counters[ssrc] = &rollover{roc: roc, last: seq}
}

// roc is the rollover counter of a packet (RFC 3711 §3.3.1).
func (p *Protector) roc(ssrc uint32, seq uint16) uint32 {
	c := p.counters[ssrc]
	if c == nil {
		c = &rollover{last: seq}
		p.counters[ssrc] = c
	}
	switch ahead := int16(seq - c.last); {
	case ahead < 0 && seq > c.last:
		return c.roc - 1 // a late one of before the wrap
	case ahead > 0 && seq < c.last:
		c.roc++
		c.last = seq
	case ahead > 0:
		c.last = seq
	}
	return c.roc
}

// counter is the start of the key stream in counter mode (RFC 3711 §4.1.1).
func (c *srtpCipher) counter(ssrc uint32, index uint64) []byte {
	iv := make([]byte, 16)
	copy(iv, c.salt)
	for i := range 4 {
		iv[4+i] ^= byte(ssrc >> (24 - 8*i))
	}
	for i := range 6 {
		iv[8+i] ^= byte(index >> (40 - 8*i))
	}
	return iv
}

// nonce is that of GCM (RFC 7714 §8.1, §9.1).
func (c *srtpCipher) nonce(ssrc uint32, index uint64) []byte {
	iv := make([]byte, 12)
	binary.BigEndian.PutUint32(iv[2:], ssrc)
	for i := range 6 {
		iv[6+i] = byte(index >> (40 - 8*i))
	}
	for i := range iv {
		iv[i] ^= c.salt[i]
	}
	return iv
}

// mac is valid until the next one.
func (c *srtpCipher) mac(parts ...[]byte) []byte {
	c.auth.Reset()
	for _, p := range parts {
		c.auth.Write(p) // never fails, says its documentation
	}
	c.sum = c.auth.Sum(c.sum[:0])
	return c.sum
}

// RTP protects a packet whose header has a length (RFC 3711 §3.1).
func (p *Protector) RTP(packet []byte, header int) []byte {
	ssrc, seq := binary.BigEndian.Uint32(packet[8:]), binary.BigEndian.Uint16(packet[2:])
	roc := p.roc(ssrc, seq)
	index := uint64(roc)<<16 | uint64(seq)
	out := append(make([]byte, 0, len(packet)+len(p.key.MKI)+p.tag), packet[:header]...)
	if p.rtp.aead != nil {
		out = p.rtp.aead.Seal(out, p.rtp.nonce(ssrc, index), packet[header:], packet[:header])
		return append(out, p.key.MKI...)
	}
	out = append(out, packet[header:]...)
	cipher.NewCTR(p.rtp.block, p.rtp.counter(ssrc, index)).XORKeyStream(out[header:], out[header:])
	tag := p.rtp.mac(out, binary.BigEndian.AppendUint32(nil, roc))
	return append(append(out, p.key.MKI...), tag[:p.tag]...)
}

// encrypted is the E flag of SRTCP (RFC 3711 §3.4).
const encrypted = 1 << 31

// RTCP protects a compound packet (RFC 3711 §3.4).
func (p *Protector) RTCP(packet []byte) []byte {
	p.index++
	ssrc := binary.BigEndian.Uint32(packet[4:])
	word := binary.BigEndian.AppendUint32(nil, encrypted|p.index)
	out := bytes.Clone(packet[:8])
	if p.rtcp.aead != nil {
		out = p.rtcp.aead.Seal(out, p.rtcp.nonce(ssrc, uint64(p.index)), packet[8:], slices.Concat(packet[:8], word))
		return slices.Concat(out, word, p.key.MKI)
	}
	out = append(out, packet[8:]...)
	cipher.NewCTR(p.rtcp.block, p.rtcp.counter(ssrc, uint64(p.index))).XORKeyStream(out[8:], out[8:])
	out = append(out, word...)
	return slices.Concat(out, p.key.MKI, p.rtcp.mac(out)[:10])
}

// ErrNotAuthentic says that a packet of SRTP or SRTCP is not of this key.
var ErrNotAuthentic = errors.New("packet is not authentic")

// withoutMKI takes the MKI out, which stands before a tag of that many octets (RFC 3711
// §3.1, RFC 7714 §8); ok is false when it is another.
func (p *Protector) withoutMKI(b []byte, tag int) (plain []byte, ok bool) {
	n := len(p.key.MKI)
	at := len(b) - tag - n
	if n == 0 || at < 0 {
		return b, at >= 0
	}
	return slices.Concat(b[:at], b[at+n:]), bytes.Equal(b[at:at+n], p.key.MKI)
}

// OpenRTP takes the protection off a packet whose header has a length (RFC 3711 §3.3).
// The rollover counter follows authentic packets only. A packet that came before opens
// once more.
func (p *Protector) OpenRTP(packet []byte, header int) ([]byte, error) {
	tag := p.tag
	if p.rtp.aead != nil {
		tag = 0 // it is part of what is sealed
	}
	packet, ok := p.withoutMKI(packet, tag)
	if !ok || len(packet) < header+p.tag {
		return nil, ErrNotAuthentic
	}
	ssrc, seq := binary.BigEndian.Uint32(packet[8:]), binary.BigEndian.Uint16(packet[2:])
	var before *rollover
	if c := p.counters[ssrc]; c != nil {
		kept := *c
		before = &kept
	}
	roc := p.roc(ssrc, seq)
	plain, err := p.rtp.open(packet, header, p.tag, ssrc, roc)
	if err != nil {
		if p.counters[ssrc] = before; before == nil {
			delete(p.counters, ssrc)
		}
	}
	return plain, err
}

// open checks and decrypts a packet of RTP under a rollover counter.
func (c *srtpCipher) open(packet []byte, header, tagLen int, ssrc, roc uint32) ([]byte, error) {
	index := uint64(roc)<<16 | uint64(binary.BigEndian.Uint16(packet[2:]))
	if c.aead != nil {
		plain, err := c.aead.Open(bytes.Clone(packet[:header]), c.nonce(ssrc, index), packet[header:], packet[:header])
		if err != nil {
			return nil, ErrNotAuthentic
		}
		return plain, nil
	}
	signed, tag := packet[:len(packet)-tagLen], packet[len(packet)-tagLen:]
	if !hmac.Equal(c.mac(signed, binary.BigEndian.AppendUint32(nil, roc))[:tagLen], tag) {
		return nil, ErrNotAuthentic
	}
	out := bytes.Clone(signed)
	cipher.NewCTR(c.block, c.counter(ssrc, index)).XORKeyStream(out[header:], out[header:])
	return out, nil
}

// OpenRTCP takes the protection off a compound packet.
func (p *Protector) OpenRTCP(b []byte) ([]byte, error) {
	if p.rtcp.aead != nil {
		b, ok := p.withoutMKI(b, 0)
		if !ok || len(b) < 8+16+4 {
			return nil, ErrNotAuthentic
		}
		body, word := b[8:len(b)-4], b[len(b)-4:]
		index := uint64(binary.BigEndian.Uint32(word) &^ encrypted)
		nonce := p.rtcp.nonce(binary.BigEndian.Uint32(b[4:]), index)
		return p.rtcp.aead.Open(bytes.Clone(b[:8]), nonce, body, slices.Concat(b[:8], word))
	}
	b, ok := p.withoutMKI(b, 10)
	if !ok || len(b) < 8+4+10 {
		return nil, ErrNotAuthentic
	}
	signed, tag := b[:len(b)-10], b[len(b)-10:]
	if !hmac.Equal(p.rtcp.mac(signed)[:10], tag) {
		return nil, ErrNotAuthentic
	}
	n := len(signed) - 4
	word := binary.BigEndian.Uint32(signed[n:])
	out := bytes.Clone(signed[:n])
	if word&encrypted != 0 {
		iv := p.rtcp.counter(binary.BigEndian.Uint32(b[4:]), uint64(word&^encrypted))
		cipher.NewCTR(p.rtcp.block, iv).XORKeyStream(out[8:], out[8:])
	}
	return out, nil
}
