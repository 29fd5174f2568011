package media

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/pion/rtp"
)

// octets reads hexadecimal digits with blanks between them.
func octets(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Shows 5761-4-01.
func TestClassify(t *testing.T) {
	tests := []struct {
		name string
		in   string
		want kind
	}{
		{"rtp", "80 00 0001 00000000 00000001 ff", mediaPacket},
		{"rtp without payload", "80 00 0001 00000000 00000001", mediaPacket},
		{"rtp with mark, payload type 63", "80 bf 0001 00000000 00000001", mediaPacket},
		{"rtp with mark, payload type 96", "80 e0 0001 00000000 00000001", mediaPacket},
		{"sender report", "80 c8 0001 00000001", controlPacket},
		{"empty bye", "80 cb 0000", controlPacket},
		{"first packet type of rtcp", "80 c0 0000", controlPacket},
		{"last packet type of rtcp", "80 df 0000", controlPacket},
		{"rtcp shorter than it says", "80 c8 0006 00000001", malformed},
		{"rtp too short", "80 00 0001 00000000 000000", malformed},
		{"version 1", "40 00 0001 00000000 00000001", malformed},
		{"stun", "0001 0000 2112a442 000000000000000000000000", malformed},
		{"keep-alive", "0d0a0d0a", malformed},
		{"empty", "", malformed},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := classify(octets(t, tt.in)); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}

func TestParse(t *testing.T) {
	tests := []struct {
		name    string
		in      string
		payload string
		csrc    int
		bad     bool
	}{
		{name: "plain", in: "80 08 0102 00000003 00000004 aabb", payload: "aabb"},
		{name: "no payload", in: "80 08 0102 00000003 00000004"},
		{name: "csrc", in: "82 08 0102 00000003 00000004 00000005 00000006 aabb", payload: "aabb", csrc: 2},
		{name: "csrc cut off", in: "82 08 0102 00000003 00000004 00000005 0000", bad: true},
		{name: "extension", in: "90 08 0102 00000003 00000004 abcd0001 11111111 aabb", payload: "aabb"},
		{name: "empty extension", in: "90 08 0102 00000003 00000004 abcd0000 aabb", payload: "aabb"},
		{name: "one-byte extension", in: "90 08 0102 00000003 00000004 bede0001 10110000 aabb", payload: "aabb"},
		{name: "element longer than its extension", in: "90 08 0102 00000003 00000004 bede0001 1f110000 aabb", payload: "aabb"},
		{name: "extension cut off", in: "90 08 0102 00000003 00000004 bede0002 10110000", bad: true},
		{name: "extension header cut off", in: "90 08 0102 00000003 00000004 bede", bad: true},
		{name: "padding", in: "a0 08 0102 00000003 00000004 aabb 000003", payload: "aabb"},
		{name: "padding only", in: "a0 08 0102 00000003 00000004 0002"},
		{name: "padding of zero", in: "a0 08 0102 00000003 00000004 aa00", bad: true},
		{name: "padding longer than payload", in: "a0 08 0102 00000003 00000004 aa03", bad: true},
		{name: "padding without octet", in: "a0 08 0102 00000003 00000004", bad: true},
		{name: "all of it", in: "b1 88 0102 00000003 00000004 00000005 12340001 22222222 aabb 02 02", payload: "aabb", csrc: 1},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var h rtp.Header
			in := octets(t, tt.in)
			before := bytes.Clone(in)
			payload, ok := parse(&h, in)
			if !bytes.Equal(in, before) {
				t.Error("the datagram was changed")
			}
			if ok == tt.bad {
				t.Fatalf("ok %v", ok)
			}
			if tt.bad {
				return
			}
			if want := octets(t, tt.payload); !bytes.Equal(payload, want) {
				t.Errorf("payload %x, want %x", payload, want)
			}
			if len(h.CSRC) != tt.csrc || h.PayloadType != 8 || h.SequenceNumber != 0x102 ||
				h.Timestamp != 3 || h.SSRC != 4 || h.Extension || h.Padding {
				t.Errorf("header %+v", h)
			}
		})
	}
}

// FuzzParse compares with pion, which reads header extensions as well: what it
// takes we take, with the same payload.
func FuzzParse(f *testing.F) {
	for _, s := range []string{
		"80 08 0102 00000003 00000004 aabb",
		"b1 88 0102 00000003 00000004 00000005 12340001 22222222 aabb 02 02",
		"90 08 0102 00000003 00000004 bede0001 1f110000 aabb",
		"a0 08 0102 00000003 00000004 aa03",
	} {
		f.Add(octets(f, s))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		var h rtp.Header
		payload, ok := parse(&h, bytes.Clone(in))
		var p rtp.Packet
		if err := p.Unmarshal(bytes.Clone(in)); err != nil {
			return
		}
		if !ok {
			t.Fatal("refused what pion takes")
		}
		if !bytes.Equal(payload, p.Payload) {
			t.Fatalf("payload %x, pion has %x", payload, p.Payload)
		}
	})
}
