package model

import (
	"encoding/binary"
	"time"

	"github.com/pion/rtp"
)

// reception is what came of one source (RFC 3550 A.1, A.3, A.8). Another source begins
// it anew.
type reception struct {
	started    bool
	ssrc       uint32
	first      uint32 // extended sequence number
	highest    uint32
	received   int
	before     [2]int // expected and received at the report before
	transit    int64  // arrival less RTP time, both in units of RTP time
	jitter     int64  // times 16
	indexes    map[uint64]bool
	reportSSRC uint32 // of the last sender report
	reportNTP  uint32 // the middle of its NTP stamp
	reportAt   time.Time
}

func (c *reception) note(h *rtp.Header, at time.Time) {
	transit := at.UnixNano()*8/1e6 - int64(h.Timestamp)
	if !c.started || c.ssrc != h.SSRC {
		*c = reception{
			started: true, ssrc: h.SSRC, first: uint32(h.SequenceNumber), highest: uint32(h.SequenceNumber), transit: transit,
			indexes: c.indexes, reportSSRC: c.reportSSRC, reportNTP: c.reportNTP, reportAt: c.reportAt,
		}
	}
	if c.indexes == nil {
		c.indexes = make(map[uint64]bool)
	}
	c.indexes[uint64(h.SSRC)<<16|uint64(h.SequenceNumber)] = true
	if ahead := int16(h.SequenceNumber - uint16(c.highest)); ahead > 0 {
		c.highest += uint32(ahead)
	}
	c.received++
	d := int64(int32(transit - c.transit)) // RTP time wraps
	c.transit = transit
	if d < 0 {
		d = -d
	}
	c.jitter += d - (c.jitter+8)>>4
}

// report writes RR and SDES with a CNAME (RFC 3550 §6.4.2, §6.5), and a block when
// something came since the report before.
func (c *reception) report(own uint32, now time.Time) []byte {
	b := []byte{0x80, 201, 0, 1}
	b = binary.BigEndian.AppendUint32(b, own)
	if c.started && c.received > c.before[1] {
		b[0], b[3] = 0x81, 7
		b = c.block(b, now)
	}
	b = append(b, 0x81, 202, 0, 3)
	b = binary.BigEndian.AppendUint32(b, own)
	return append(b, 1, 5, 'm', 'o', 'd', 'e', 'l', 0)
}

func (c *reception) block(b []byte, now time.Time) []byte {
	expected := int(c.highest-c.first) + 1
	asked, came := expected-c.before[0], c.received-c.before[1]
	c.before = [2]int{expected, c.received}
	fraction := 0
	if asked > came {
		fraction = (asked - came) * 256 / asked
	}
	b = binary.BigEndian.AppendUint32(b, c.ssrc)
	b = binary.BigEndian.AppendUint32(b, uint32(fraction)<<24|uint32(expected-c.received)&0xffffff)
	b = binary.BigEndian.AppendUint32(b, c.highest)
	b = binary.BigEndian.AppendUint32(b, uint32(c.jitter>>4))
	var last, delay uint32
	if c.reportSSRC == c.ssrc && !c.reportAt.IsZero() {
		last, delay = c.reportNTP, uint32(now.Sub(c.reportAt).Seconds()*65536)
	}
	b = binary.BigEndian.AppendUint32(b, last)
	return binary.BigEndian.AppendUint32(b, delay)
}
