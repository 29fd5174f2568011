package media

import (
	"slices"
	"testing"
	"time"

	"github.com/pion/rtp"
)

// describe is a source description with one chunk.
func describe(ssrc byte, items ...string) []byte {
	b := []byte{versionTwo<<6 | 1, typeSDES, 0, 0, 0, 0, 0, ssrc}
	for i, text := range items {
		if text != "" {
			b = append(append(b, byte(i+1), byte(len(text))), text...)
		}
	}
	b = append(b, 0)
	for len(b)%4 != 0 {
		b = append(b, 0)
	}
	b[3] = byte(len(b)/4 - 1)
	return b
}

// TestContributors: who is in a mixed stream is counted, with the names that the
// mixer forwards, whichever comes first.
// Shows 7866-8.1.4-01, 7866-8.1.5-01, 7866-8.2.2-01, 7866-8.2.2-02, 7866-8.3.2-03.
func TestContributors(t *testing.T) {
	var c contributors
	hear := func(b []byte) { c.hear(parseRTCP(b, time.Time{}).names) }
	hear(describe(7, "seven@example.com", "Seven"))
	for _, csrcs := range [][]uint32{{7}, {7, 8}, {}, {8}, {7}} {
		c.note(&rtp.Header{CSRC: csrcs})
	}
	hear(describe(8, "eight@example.com"))
	hear(describe(8, "", "Eight"))
	hear(describe(9, "never-heard@example.com"))
	want := []Contributor{{7, 3, "seven@example.com", "Seven"}, {8, 2, "eight@example.com", "Eight"}}
	if got := c.all(); !slices.Equal(got, want) {
		t.Errorf("contributors %+v, want %+v", got, want)
	}
}

// What one stream may tell of is bounded.
func TestContributorsAreBounded(t *testing.T) {
	var c contributors
	for i := range uint32(3 * maxContributors) {
		c.note(&rtp.Header{CSRC: []uint32{i}})
		c.hear(map[uint32]names{i: {cname: "x"}})
	}
	c.note(&rtp.Header{CSRC: []uint32{1, 3 * maxContributors}})
	if got := c.all(); len(got) != maxContributors || len(c.said) != maxContributors || got[1].Packets != 2 {
		t.Errorf("%d contributors, %d names, %+v", len(got), len(c.said), got[1])
	}
}
