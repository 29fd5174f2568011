package src

import (
	"bytes"
	"errors"
	"slices"
	"testing"
)

func TestParseCompound(t *testing.T) {
	block := []byte{0, 0, 0, 9, 64, 0xff, 0xff, 0xfe, 0, 1, 0, 5, 0, 0, 0, 7, 1, 2, 3, 4, 0, 1, 0, 0}
	report := append([]byte{0x81, 201, 0, 7, 0, 0, 0, 77}, block...)
	sender := append(append([]byte{0x81, 200, 0, 12, 0, 0, 0, 77}, make([]byte, 20)...), block...)
	// Another's chunk first, with an item beside its CNAME.
	names := []byte{0x82, 202, 0, 7, 0, 0, 0, 9, 2, 1, 'n', 1, 2, 'x', 'y', 0, 0, 0, 0, 77, 1, 5, 'm', 'o', 'd', 'e', 'l', 0, 0, 0, 0, 0}
	bye := []byte{0x81, 203, 0, 1, 0, 0, 0, 77}
	other := []byte{0x80, 207, 0, 1, 0, 0, 0, 77}
	for _, first := range [][]byte{report, sender} {
		c, err := ParseCompound(slices.Concat(first, names, other, bye))
		if err != nil || !bytes.Equal(c.Types, []byte{first[1], 202, 207, 203}) || c.Sender != 77 || c.CNAME != "model" || !slices.Equal(c.Byes, []uint32{77}) {
			t.Errorf("compound is %+v, %v", c, err)
		}
		want := ReceptionReport{SSRC: 9, Fraction: 64, Lost: -2, Highest: 1<<16 + 5, Jitter: 7, LastSR: 0x01020304, Delay: 1 << 16}
		if r, ok := c.About(9); !ok || r != want {
			t.Errorf("report is %+v", r)
		}
		if _, ok := c.About(8); ok {
			t.Error("a report about nobody")
		}
	}
	for _, bad := range [][]byte{nil, report[:30], append(bytes.Clone(report), 1), {0x41, 201, 0, 1, 0, 0, 0, 1}, {0x80, 203, 0, 0}} {
		if c, err := ParseCompound(bad); err == nil {
			t.Errorf("% x is read as %+v", bad, c)
		}
	}
}

// TestOpenRTP: what one Protector protects another opens, over a wrap and with loss; what
// is of another key or changed it does not.
func TestOpenRTP(t *testing.T) {
	for _, suite := range SRTPSuites() {
		for _, mki := range [][]byte{nil, {0, 5}} {
			key, err := NewIDs(1).SRTPKey(suite)
			if err != nil {
				t.Fatal(err)
			}
			key.MKI = mki
			other := key
			other.Key = slices.Repeat([]byte{1}, len(key.Key))
			sender, receiver, stranger := protectorOf(t, key), protectorOf(t, key), protectorOf(t, other)
			for _, seq := range []uint16{65533, 65535, 65534, 1, 0, 2} {
				packet := append([]byte{0x80, 0, byte(seq >> 8), byte(seq), 0, 0, 0, 1, 0, 0, 0, 7}, "speech"...)
				wire := sender.RTP(packet, 12)
				if _, err := receiver.OpenRTP(stranger.RTP(packet, 12), 12); !errors.Is(err, ErrNotAuthentic) {
					t.Errorf("%s: another key: %v", suite, err)
				}
				changed := bytes.Clone(wire)
				changed[13]++
				if _, err := receiver.OpenRTP(changed, 12); !errors.Is(err, ErrNotAuthentic) {
					t.Errorf("%s: changed: %v", suite, err)
				}
				if plain, err := receiver.OpenRTP(wire, 12); err != nil || !bytes.Equal(plain, packet) {
					t.Errorf("%s MKI %v: packet %d is % x, %v", suite, mki, seq, plain, err)
				}
			}
			report := []byte{0x80, 201, 0, 1, 0, 0, 0, 77}
			if plain, err := receiver.OpenRTCP(sender.RTCP(report)); err != nil || !bytes.Equal(plain, report) {
				t.Errorf("%s MKI %v: report is % x, %v", suite, mki, plain, err)
			}
		}
	}
}

func protectorOf(t *testing.T, k SRTPKey) *Protector {
	t.Helper()
	p, err := NewProtector(k)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestParseSRTPKey(t *testing.T) {
	key, err := NewIDs(2).SRTPKey("AES_CM_128_HMAC_SHA1_80")
	if err != nil {
		t.Fatal(err)
	}
	key.MKI = []byte{0, 0, 1, 4}
	for _, value := range []string{key.Attribute(3), key.Attribute(3) + " WSH=64"} {
		tag, got, err := ParseSRTPKey(value)
		if err != nil || tag != "3" || !got.Equal(key) {
			t.Errorf("%q is read as tag %s, %+v, %v", value, tag, got, err)
		}
	}
	plain := key
	plain.MKI = nil
	bare := plain.Attribute(1)
	for _, value := range []string{bare + "|2^31", bare + "|2147483648 -X"} {
		if _, got, err := ParseSRTPKey(value); err != nil || !got.Equal(plain) {
			t.Errorf("%q is read as %+v, %v", value, got, err)
		}
	}
	for _, value := range []string{"1", bare + "|1:0", bare + "|0", bare + "|2^49", bare + "|1:4|2^20", bare + "|x:4", bare + ";" + bare[len("1 AES_CM_128_HMAC_SHA1_80 "):], bare[:30], "1 F8 inline:AAAA"} {
		if _, _, err := ParseSRTPKey(value); err == nil {
			t.Errorf("%q is read", value)
		}
	}
}
