package faults

import (
	"slices"
	"strings"
	"time"

	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// audioPackets are mistakes with packets that are lost, late or in another form.
func audioPackets() []Fault {
	return []Fault{
		{
			Name: "fills-no-gaps", Says: "Packets are put one behind the other, whatever was lost or withheld between them.",
			Caught: []string{"rfc7866/8.2.1.1/1", "rfc7866/8.2.1.1/2", "rfc7866/7.1.1.1/3", "rfc7866/8.3.1/6"},
			Config: lays(func(t *model.Track) {
				for i := 1; i < len(t.Packets); i++ {
					before := t.Packets[i-1]
					t.Packets[i].Header.Timestamp = before.Header.Timestamp + uint32(len(before.Payload))
				}
			}),
		},
		{
			Name: "drops-late", Says: "A packet that comes behind the next is dropped.",
			Caught: []string{"rfc7866/8.2.1.1/3"},
			Config: takes(func() func(*model.Packet) bool {
				highest := make(map[uint32]uint16)
				return func(p *model.Packet) bool {
					h, known := highest[p.Header.SSRC]
					if known && int16(p.Header.SequenceNumber-h) < 0 {
						return false
					}
					highest[p.Header.SSRC] = p.Header.SequenceNumber
					return true
				}
			}),
		},
		{
			Name: "order-of-arrival", Says: "Packets that come in another order are put in the order of their arrival.",
			Caught: []string{"rfc7866/8.2.1.1/3"},
			Config: lays(func(t *model.Track) {
				var stamps []uint32
				for _, p := range t.Packets {
					stamps = append(stamps, p.Header.Timestamp)
				}
				slices.Sort(stamps)
				for i := range t.Packets {
					t.Packets[i].Header.Timestamp = stamps[i]
				}
			}),
		},
		{
			Name: "hears-twice", Says: "A packet that comes twice is put behind itself.",
			Caught: []string{"rfc7866/8.2.1.1/4"},
			Config: lays(func(t *model.Track) {
				var moved uint32
				for i, p := range t.Packets {
					if i > 0 && p.Header.SequenceNumber == t.Packets[i-1].Header.SequenceNumber {
						moved += 160
					}
					t.Packets[i].Header.Timestamp += moved
				}
			}),
		},
		{
			Name: "time-of-arrival", Says: "Packets are put where their arrival says, not their timestamps.",
			Caught: []string{"rfc7866/8.2.1.1/5"},
			Config: lays(func(t *model.Track) {
				for i, p := range t.Packets {
					t.Packets[i].Header.Timestamp = uint32(p.At.Sub(t.Packets[0].At) * 8000 / time.Second)
				}
			}),
		},
		{
			Name: "headers-of-12-octets", Says: "Every header is taken for 12 octets: contributing sources and extensions are heard.",
			Caught: []string{"rfc3550/5.1/4"},
			Config: takes(func() func(*model.Packet) bool {
				return func(p *model.Packet) bool {
					p.Payload = append(make([]byte, p.Header.MarshalSize()-12), p.Payload...)
					return true
				}
			}),
		},
		{
			Name: "forgets-wraps", Says: "What comes behind a wrap of the sequence numbers is taken for late, and dropped.",
			Caught: []string{"rfc3550/A.1/3"},
			Config: lays(func(t *model.Track) {
				t.Packets = slices.DeleteFunc(t.Packets, func(p model.Packet) bool {
					return p.Header.SequenceNumber < t.Packets[0].Header.SequenceNumber
				})
			}),
		},
		{
			Name: "g722-as-mu-law", Says: "G.722 is decoded as mu-law.",
			Caught: []string{"rfc3551/4.5.2/1"},
			Config: decodes("G722", "PCMU"),
		},
		{
			Name: "first-ssrc-only", Says: "Packets of another SSRC than the first are dropped.",
			Caught: []string{"rfc7866/8.1.3/1"},
			Config: takes(func() func(*model.Packet) bool {
				var first uint32
				return func(p *model.Packet) bool {
					if p.Number == 0 {
						first = p.Header.SSRC
					}
					return p.Header.SSRC == first
				}
			}),
		},
		{
			Name: "first-address-only", Says: "Packets from another address or port than the first are dropped.",
			Caught: []string{"rfc7866/8.1.3/2", "rfc3264/8.3.1/1"},
			Config: lays(func(t *model.Track) {
				var first from
				t.Packets = slices.DeleteFunc(t.Packets, func(p model.Packet) bool { return !first.same(&p) })
			}),
		},
		{
			Name: "first-format-only", Says: "Packets of another payload type than the first are dropped.",
			Caught: []string{"rfc3264/6.1/3", "rfc3264/8.3.2/1"},
			Config: lays(func(t *model.Track) {
				t.Packets = slices.DeleteFunc(t.Packets, func(p model.Packet) bool { return p.Header.PayloadType != t.Packets[0].Header.PayloadType })
			}),
		},
		{
			Name: "packets-of-20ms", Says: "Every packet is taken for 20 ms, and what is longer is cut off.",
			Caught: []string{"rfc7866/8.2.1.2/1"},
			Config: takes(func() func(*model.Packet) bool {
				return func(p *model.Packet) bool {
					p.Payload = p.Payload[:min(len(p.Payload), 160)]
					return true
				}
			}),
		},
		{
			Name: "one-law", Says: "A-law is decoded as mu-law.",
			Caught: []string{"rfc3551/4.5.14/2"},
			Config: decodes("PCMA", "PCMU"),
		},
		{
			Name: "changes-samples", Says: "What is stored has lost its lowest six bits.",
			Caught: []string{"rfc3551/4.5.14/1", "rfc3551/4.5.14/2", "rfc3551/4.5.11/1"},
			Config: writes(func(tracks []*model.Track) []*model.Track {
				for _, t := range tracks {
					for i := range t.Samples {
						t.Samples[i] &^= 63
					}
				}
				return tracks
			}),
		},
		{
			Name: "little-endian-l16", Says: "The octets of L16 are taken in the wrong order.",
			Caught: []string{"rfc3551/4.5.11/1"},
			Config: takes(func() func(*model.Packet) bool {
				return func(p *model.Packet) bool {
					if p.Codec == "L16" {
						for i := 0; i+1 < len(p.Payload); i += 2 {
							p.Payload[i], p.Payload[i+1] = p.Payload[i+1], p.Payload[i]
						}
					}
					return true
				}
			}),
		},
		{
			Name: "events-as-audio", Says: "telephone-event is decoded as mu-law.",
			Caught: []string{"rfc4733/2.5.1/1"},
			Config: decodes("TELEPHONE-EVENT", "PCMU"),
		},
	}
}

// decodes takes one codec for another.
func decodes(codec, as string) func() model.Config {
	return takes(func() func(*model.Packet) bool {
		return func(p *model.Packet) bool {
			if p.Codec == codec {
				p.Codec = as
			}
			return true
		}
	})
}

// audioProtected are mistakes with SRTP: for each suite a server that agrees to it and
// then stores nothing of what comes.
func audioProtected() (out []Fault) {
	cases := []string{"rfc4568/6.2/2", "rfc4568/6.2/3", "rfc4568/6.2/4", "rfc4568/6.2/5"}
	for i, suite := range src.SRTPSuites() {
		out = append(out, Fault{
			Name: "cannot-open-" + strings.ReplaceAll(strings.ToLower(suite), "_", "-"), Says: suite + " is agreed to, and what comes under it is dropped.",
			Caught: []string{cases[i]},
			Config: takes(func() func(*model.Packet) bool {
				return func(p *model.Packet) bool { return p.Suite != suite }
			}),
		})
	}
	return out
}
