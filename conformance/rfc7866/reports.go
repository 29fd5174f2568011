package rfc7866

import (
	"context"
	"encoding/binary"
	"slices"

	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/src"
)

// Packet types of RTCP (RFC 3550 §12.1, RFC 4585 §6.1).
const (
	senderReport   = 200
	receiverReport = 201
	descriptions   = 202
	rtpFeedback    = 205
	mediaFeedback  = 206
)

// reports are the cases of RTCP (RFC 7866 §8.1).
func reports() []check.Case {
	return []check.Case{{
		ID: "rfc7866/8.1.1/1", Section: "RFC 7866 §8.1.1, RFC 3550 §6", Level: check.Must, Needs: []string{"rtcp"},
		Shows: []string{"7866-8.1.1-01", "7866-8.1.5.1-01", "7866-8.1.7-01", "7866-8.1.2-02", "7866-8.1.8-01",
			"7866-8.2.1.1-01", "3550-6.1-01", "3550-A.3-01"},
		Requirement: "Lost packets show in a report to the SRC: compound, with a CNAME, without feedback messages, from the RTCP port.",
		Run: func(ctx context.Context, t *check.T) {
			if t.Transport() != "udp" {
				t.Skipf("RTCP does not depend on the transport of SIP")
			}
			d := t.Open(ctx, src.Request{})
			answer := t.Answer(d)
			st := d.Stream(0)
			const sent, lost = 40, 10
			gap := src.Faults{Changes: []src.Change{{At: sent / 2, Sequence: lost}}}
			t.Check(st.Burst(ctx, src.Silence(), sent, src.PlayOptions{Faults: gap}), "send RTP")
			r := lastBlock(ctx, t, st, answer.Media[0].Port+1)
			if r.about.ssrc != st.Sent()[0].SSRC {
				t.Errorf("the report is about %d, the stream is %d", r.about.ssrc, st.Sent()[0].SSRC)
			}
			if r.about.lost != lost {
				t.Errorf("the report says %d packets lost, it were %d", r.about.lost, lost)
			}
			if r.cname == "" || slices.Contains(r.types, rtpFeedback) || slices.Contains(r.types, mediaFeedback) {
				t.Errorf("the CNAME is %q, the packets are %v", r.cname, r.types)
			}
		},
	}}
}

// lastBlock reads RTCP up to the report that covers the last packet that was sent, or
// the third that has a block at all: one may leave before the RTP, or amid it (RFC 3550
// §6.2). Each has to come from the port of RTCP.
func lastBlock(ctx context.Context, t *check.T, st *src.Stream, port int) compound {
	sent := st.Sent()
	last := sent[len(sent)-1]
	for blocks := 0; ; {
		report, from, err := st.ReadRTCP(ctx)
		if err != nil {
			t.Fatalf("no RTCP came that reports on the stream: %v", err)
		}
		if int(from.Port()) != port {
			t.Errorf("RTCP came from port %d, that of RTCP is %d", from.Port(), port)
		}
		r := readCompound(t, report)
		if r.about != nil {
			blocks++
		}
		if blocks == 3 || r.about != nil && (r.about.ssrc != last.SSRC || r.about.highest == last.Sequence) {
			return r
		}
	}
}

// compound is what a report holds.
type compound struct {
	types []byte
	about *block // the first block; nil without one
	cname string
}

// A block is what a report says of one stream (RFC 3550 §6.4.1).
type block struct {
	ssrc    uint32
	lost    int
	highest uint16 // sequence number
}

// readCompound reads a compound packet that begins with SR or RR (RFC 3550 §6.1).
func readCompound(t *check.T, b []byte) compound {
	var c compound
	for len(b) >= 4 {
		size := 4 * (int(binary.BigEndian.Uint16(b[2:])) + 1)
		if b[0]>>6 != 2 || size > len(b) {
			t.Fatalf("an RTCP packet of %d octets cannot be read", len(b))
		}
		p := b[:size]
		c.types = append(c.types, p[1])
		switch p[1] {
		case senderReport:
			c.block(p, 28)
		case receiverReport:
			c.block(p, 8)
		case descriptions:
			if len(p) >= 10 && p[8] == 1 && len(p) >= 10+int(p[9]) { // CNAME, RFC 3550 §6.5.1
				c.cname = string(p[10 : 10+int(p[9])])
			}
		}
		b = b[size:]
	}
	if len(b) > 0 || len(c.types) == 0 || c.types[0] != senderReport && c.types[0] != receiverReport {
		t.Fatalf("the compound packet has the types %v and %d octets behind", c.types, len(b))
	}
	return c
}

// block reads the first report block (RFC 3550 §6.4.1).
func (c *compound) block(p []byte, at int) {
	if p[0]&31 == 0 || len(p) < at+24 {
		return
	}
	c.about = &block{
		ssrc: binary.BigEndian.Uint32(p[at:]), lost: int(binary.BigEndian.Uint32(p[at+4:]) & 0xffffff),
		highest: binary.BigEndian.Uint16(p[at+10:]),
	}
}
