package model

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"time"

	"github.com/pion/rtp"

	"github.com/siprecd/siprecd/conformance/src"
)

// A Record has the server write what it hears into a folder: a WAV file of 16 bits for
// each stream, when the recording session ends and before the BYE is answered. Lost
// packets and holds are silence of their length.
type Record struct {
	Folder string
	Rate   int // of the files, in Hz, a multiple of 8000; default 8000
	// Together writes one file with a channel for each stream.
	Together bool

	// What follows makes it wrong.

	// Opens says whether a stream is recorded, by the direction that is answered and
	// the place of its m-line, with whether it was recorded before; the direction is
	// empty for port 0. Default: recvonly is.
	Opens func(line int, direction string, before bool) bool
	// Takes may change a packet as it comes; false drops it.
	Takes func(p *Packet) bool
	// Lays may change the packets of a stream before they become samples.
	Lays func(t *Track)
	// Writes may change what is written.
	Writes func(tracks []*Track) []*Track
	// Linger is how long packets are taken after the BYE.
	Linger time.Duration
}

// A Packet is one of RTP that was taken.
type Packet struct {
	At      time.Time
	From    netip.AddrPort
	Header  rtp.Header
	Payload []byte // without protection and padding
	Codec   string // encoding name, by the offer
	Suite   string // of SRTP; empty for plain RTP
	Acked   bool   // the ACK of the first INVITE came before
	Number  int    // of those of its track, from 0
}

// A Track is one stream on its way to a file. It belongs to the mutex of its receiver
// until that has ended.
type Track struct {
	Line    int
	Label   string
	Name    string // of whose voice it is, by metadata
	Packets []Packet
	Samples []int16 // at 8 kHz

	open   bool
	codecs map[uint8]string
	acked  <-chan struct{}
	came   int
}

// take keeps a packet while the stream is recorded.
func (t *Track) take(rec *Record, p Packet) {
	select {
	case <-t.acked:
		p.Acked = true
	default:
	}
	p.Codec, p.Number = t.codecs[p.Header.PayloadType], t.came
	if !t.open {
		return
	}
	t.came++
	if rec.Takes == nil || rec.Takes(&p) {
		t.Packets = append(t.Packets, p)
	}
}

// acknowledged notes the first ACK.
func (d *dialog) acknowledged() {
	select {
	case <-d.acked:
	default:
		close(d.acked)
	}
}

// recorded says whether what comes to the port is kept.
func (l *line) recorded() bool {
	return l.receiver != nil && l.receiver.track != nil && l.receiver.track.open
}

// unpadded is a payload without its padding, whose last octet says how long it is (RFC 3550
// §5.1).
func unpadded(h rtp.Header, payload []byte) []byte {
	if n := len(payload); h.Padding && n > 0 {
		return payload[:max(n-int(payload[n-1]), 0)]
	}
	return payload
}

// track takes what an answer says of a line, once everything that was sent before has
// been heard; the direction is empty for port 0. The caller holds the mutex of the server.
func (s *Server) track(d *dialog, i int, m src.MediaLine, direction string) {
	l := &d.lines[i]
	if s.cfg.Record == nil || l.receiver == nil {
		return
	}
	s.flush(l.receiver)
	r := l.receiver
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.track == nil {
		r.track = &Track{Line: i, acked: d.acked}
		d.tracks = append(d.tracks, r.track)
	}
	r.track.Label = m.Label
	r.track.open = s.cfg.Record.opens(i, direction, r.track.open)
	r.track.codecs = codecsOf(m)
}

func (rec *Record) opens(line int, direction string, before bool) bool {
	if rec.Opens != nil {
		return rec.Opens(line, direction, before)
	}
	return direction == src.RecvOnly
}

// codecsOf are the encoding names of the payload types of an m-line.
func codecsOf(m src.MediaLine) map[uint8]string {
	out := map[uint8]string{0: "PCMU", 8: "PCMA"}
	for _, a := range m.Attributes {
		var pt uint8
		var name string
		if _, err := fmt.Sscanf(a, "rtpmap:%d %s", &pt, &name); err == nil {
			name, _, _ = strings.Cut(name, "/")
			out[pt] = strings.ToUpper(name)
		}
	}
	return out
}

// flush waits until a receiver has read everything that came before: it sends it a
// datagram of its own, which comes last.
func (s *Server) flush(r *receiver) {
	c, err := net.DialUDP("udp", nil, r.rtp.LocalAddr().(*net.UDPAddr))
	if err != nil {
		return
	}
	last := &mark{c.LocalAddr().(*net.UDPAddr).AddrPort(), make(chan struct{})}
	r.mu.Lock()
	r.marks = append(r.marks, last)
	r.mu.Unlock()
	again := time.NewTicker(50 * time.Millisecond) // a full buffer drops it
	defer again.Stop()
	for {
		_, _ = c.Write([]byte{0})
		select {
		case <-last.came:
			_ = c.Close()
			return
		case <-s.stop:
			_ = c.Close()
			return
		case <-again.C:
		}
	}
}

// mark is a datagram of flush on its way.
type mark struct {
	from netip.AddrPort
	came chan struct{}
}

// marked says whether a datagram is one of flush. The caller holds mu.
func (r *receiver) marked(from netip.AddrPort) bool {
	i := slices.IndexFunc(r.marks, func(m *mark) bool { return m.from == from })
	if i < 0 {
		return false
	}
	close(r.marks[i].came)
	r.marks = slices.Delete(r.marks, i, i+1)
	return true
}

// names are whose voice the stream of a label is.
func names(m *src.Message, into map[string]string) {
	var doc struct {
		Participants []struct {
			ID     string `xml:"participant_id,attr"`
			NameID struct {
				AOR  string `xml:"aor,attr"`
				Name string `xml:"name"`
			} `xml:"nameID"`
		} `xml:"participant"`
		Streams []struct {
			ID    string `xml:"stream_id,attr"`
			Label string `xml:"label"`
		} `xml:"stream"`
		Associations []struct {
			Participant string   `xml:"participant_id,attr"`
			Send        []string `xml:"send"`
		} `xml:"participantstreamassoc"`
	}
	for _, p := range m.Parts() {
		if strings.Contains(strings.ToLower(p.Type), "rs-metadata") && xml.Unmarshal(p.Body, &doc) == nil {
			for _, one := range doc.Participants {
				for _, a := range doc.Associations {
					for _, st := range doc.Streams {
						if a.Participant == one.ID && slices.Contains(a.Send, st.ID) {
							into[st.Label] = cmp.Or(one.NameID.Name, one.NameID.AOR)
						}
					}
				}
			}
		}
	}
}

// close ends a dialog, and writes its files. The caller holds the mutex of the server.
func (s *Server) close(d *dialog) {
	if s.cfg.Record != nil && s.cfg.Record.Linger > 0 {
		s.wg.Go(func() {
			t := time.NewTimer(s.cfg.Record.Linger)
			defer t.Stop()
			select {
			case <-t.C:
			case <-s.stop:
			}
			s.mu.Lock()
			defer s.mu.Unlock()
			s.finish(d)
		})
		return
	}
	s.finish(d)
}

// finish writes the files of a dialog. That one cannot be written shows in the case that
// looks for it.
func (s *Server) finish(d *dialog) {
	for i := range d.lines {
		l := &d.lines[i]
		if l.receiver != nil && s.cfg.Record != nil && !s.closed {
			s.flush(l.receiver)
		}
		l.end()
	}
	if s.cfg.Record != nil {
		s.written++
		_ = s.cfg.Record.finish(fmt.Sprintf("model-%03d", s.written), d)
	}
}

// finish makes files of what was taken.
func (rec *Record) finish(name string, d *dialog) error {
	var start time.Time
	for _, t := range d.tracks {
		t.Name = d.names[t.Label]
		if rec.Lays != nil {
			rec.Lays(t)
		}
		if len(t.Packets) > 0 && (start.IsZero() || t.Packets[0].At.Before(start)) {
			start = t.Packets[0].At
		}
	}
	for _, t := range d.tracks {
		t.lay(start)
	}
	tracks := d.tracks
	if rec.Writes != nil {
		tracks = rec.Writes(tracks)
	}
	return rec.write(name, tracks)
}

// lay puts each packet where its timestamp says, from the instant on at which the first
// of its source came, and behind what is there.
func (t *Track) lay(start time.Time) {
	type origin struct {
		at        int
		timestamp uint32
	}
	origins := make(map[uint32]origin) // by SSRC
	wide := src.NewG722Decoder()
	for _, p := range t.Packets {
		pcm, err := src.Decode(src.Codec{Name: p.Codec}, p.Payload)
		if p.Codec == "G722" {
			pcm, err = src.Resample(wide.Decode(p.Payload), 16000), nil
		}
		if err != nil {
			continue // no audio: telephone-event, comfort noise
		}
		o, known := origins[p.Header.SSRC]
		if !known {
			o = origin{max(int(p.At.Sub(start)*8000/time.Second), len(t.Samples)), p.Header.Timestamp}
			origins[p.Header.SSRC] = o
		}
		at := o.at + int(int32(p.Header.Timestamp-o.timestamp))
		if at < 0 || at > 8000*3600 {
			continue
		}
		if missing := at + len(pcm) - len(t.Samples); missing > 0 {
			t.Samples = append(t.Samples, make([]int16, missing)...)
		}
		copy(t.Samples[at:], pcm)
	}
}
