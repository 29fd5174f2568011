package sdp

import (
	"net/netip"
	"strings"
	"testing"

	pion "github.com/pion/sdp/v3"
)

var local = Local{User: "siprecd", ID: 77, Version: 2, Addr: netip.MustParseAddr("192.0.2.99")}

// answer answers each m-line of the offer, with ports from 50000 on.
func answer(d *Description) []byte {
	var slots []Slot
	for i := range d.Media {
		slots = append(slots, d.Media[i].Slot(uint16(50000+2*i), Terms{}))
	}
	return Write(local, slots)
}

func TestWrite(t *testing.T) {
	text := offer + "m=video 40004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=0\r\na=label:98\r\n" +
		"m=message 40006 TCP/MSRP *\r\na=label:99\r\nm=audio 0 RTP/AVP 8 300\r\na=mid:gone\r\n"
	want := "v=0\r\no=siprecd 77 2 IN IP4 192.0.2.99\r\ns=-\r\nc=IN IP4 192.0.2.99\r\nt=0 0\r\n" +
		"m=audio 50000 RTP/AVP 8 0 18 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n" +
		"a=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\na=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-16\r\n" +
		"a=ptime:20\r\na=maxptime:30\r\na=recvonly\r\na=label:96\r\na=mid:a0\r\n" +
		"m=audio 50002 RTP/AVPF 111 101\r\na=rtpmap:111 OPUS/48000/2\r\na=rtpmap:101 telephone-event/48000\r\n" +
		"a=inactive\r\na=content:main\r\na=rtcp-mux\r\na=label:97\r\n" +
		"m=video 50004 RTP/AVP 96\r\na=rtpmap:96 H264/90000\r\na=fmtp:96 packetization-mode=0\r\na=inactive\r\na=label:98\r\n" +
		"m=message 0 TCP/MSRP *\r\na=label:99\r\n" +
		"m=audio 0 RTP/AVP 8 300\r\na=mid:gone\r\n"
	if got := string(answer(mustParse(t, text))); got != want {
		t.Errorf("wrote\n%s\nwant\n%s", got, want)
	}
}

// Shows DRV3264-8-01.
func TestWriteSlots(t *testing.T) {
	pcma := []Codec{{PayloadType: 8, Name: "PCMA", ClockRate: 8000, Channels: 1}}
	base := Slot{Media: "audio", Proto: "RTP/AVP", Port: 50000, Codecs: pcma, Direction: RecvOnly}
	edit := func(f func(s *Slot)) Slot { s := base; f(&s); return s }
	tests := []struct {
		name         string
		local        Local
		slot         Slot
		want, absent string
	}{
		{"no user", Local{Addr: local.Addr}, base, "o=- 0 0 IN IP4 192.0.2.99\r\n", ""},
		{"time of the offer", Local{Addr: local.Addr, Time: "39 40"}, base, "\r\nt=39 40\r\nm=", ""},
		{"user with blanks", Local{User: "a b\r\nc", Addr: local.Addr}, base, "o=a_b_c 0 0 IN", ""},
		{"IPv6", Local{Addr: netip.MustParseAddr("2001:db8::9%eth0")}, base, "c=IN IP6 2001:db8::9\r\n", ""},
		{"mapped IPv4", Local{Addr: netip.MustParseAddr("::ffff:192.0.2.9")}, base, "c=IN IP4 192.0.2.9\r\n", ""},
		{"no address", Local{}, base, "c=IN IP4 0.0.0.0\r\n", ""},
		{"address of its own", local, edit(func(s *Slot) { s.Addr = netip.MustParseAddr("192.0.2.100") }), "AVP 8\r\nc=IN IP4 192.0.2.100\r\n", ""},
		{"same address", local, edit(func(s *Slot) { s.Addr = local.Addr }), "AVP 8\r\na=rtpmap", ""},
		{"rtcp elsewhere", local, edit(func(s *Slot) { s.RTCPPort = 50009 }), "a=rtcp:50009\r\n", ""},
		{"rtcp beside", local, edit(func(s *Slot) { s.RTCPPort = 50001 }), "", "a=rtcp"},
		{"rtcp beside the last port", local, edit(func(s *Slot) { s.Port, s.RTCPPort = 65535, 1 }), "a=rtcp:1\r\n", ""},
		{"direction left out", local, edit(func(s *Slot) { s.Direction = "" }), "a=inactive\r\n", "recvonly"},
		{"never sends", local, edit(func(s *Slot) { s.Direction = SendRecv }), "a=inactive\r\n", "sendrecv"},
		{"nothing known", local, Slot{}, "m=application 0 RTP/AVP 0\r\n", "a="},
		{"refused has no formats of its own", local, Slot{Media: "message", Proto: "TCP/MSRP", Formats: []string{"*"}}, "m=message 0 TCP/MSRP *\r\n", "a="},
		{"label that breaks out", local, edit(func(s *Slot) { s.Label = "1\r\nm=audio 1 RTP/AVP 0" }), "a=label:1\r\n", "m=audio 1 "},
		{"media that breaks out", local, edit(func(s *Slot) { s.Media = "audio\r\nm=x" }), "m=audio 50000", "m=x"},
		{"parameters that break out", local, edit(func(s *Slot) { s.Codecs = []Codec{{PayloadType: 97, Params: "a\nb"}} }), "a=fmtp:97 a\r\n", "rtpmap"},
		{"label with blanks within", local, edit(func(s *Slot) { s.Label = "in bound" }), "a=label:in bound\r\n", ""},
		{"usual spelling", local, edit(func(s *Slot) {
			s.Codecs = []Codec{{PayloadType: 96, Name: "OPUS", ClockRate: 48000, Channels: 2}, {PayloadType: 97, Name: "ILBC", ClockRate: 8000, Channels: 1}}
		}), "a=rtpmap:96 opus/48000/2\r\na=rtpmap:97 iLBC/8000\r\n", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got := string(Write(tt.local, []Slot{tt.slot}))
			if !strings.Contains(got, tt.want) || tt.absent != "" && strings.Contains(got, tt.absent) {
				t.Errorf("wrote %q, want %q, without %q", got, tt.want, tt.absent)
			}
			if strings.Count(got, "\n") != strings.Count(got, "\r\n") || !strings.HasSuffix(got, "\r\n") {
				t.Errorf("line ends of %q", got)
			}
			if err := new(pion.SessionDescription).Unmarshal([]byte(got)); err != nil {
				t.Errorf("the oracle refuses %q: %v", got, err)
			}
		})
	}
}

func TestOffer(t *testing.T) {
	got := Offer(local, []Slot{{Media: "audio", Proto: "RTP/AVP", Port: 50000, Direction: RecvOnly, Codecs: DefaultAudio()}})
	var oracle pion.SessionDescription
	if err := oracle.Unmarshal(got); err != nil {
		t.Fatal(err)
	}
	if f := strings.Join(oracle.MediaDescriptions[0].MediaName.Formats, " "); f != "8 0 9 101" {
		t.Errorf("formats %q", f)
	}
	d := mustParse(t, string(got))
	for i, c := range DefaultAudio() {
		if d.Media[0].Codecs[i] != c {
			t.Errorf("codec %d is %+v, want %+v", i, d.Media[0].Codecs[i], c)
		}
	}
}

func TestSameExceptVersion(t *testing.T) {
	slots := []Slot{{Media: "audio", Proto: "RTP/AVP", Port: 50000, Direction: RecvOnly, Codecs: DefaultAudio(), Label: "1"}}
	base := Write(local, slots)
	tests := []struct {
		name  string
		other func() []byte
		want  bool
	}{
		{"itself", func() []byte { return base }, true},
		{"other version", func() []byte { l := local; l.Version = 1000; return Write(l, slots) }, true},
		{"other id", func() []byte { l := local; l.ID++; return Write(l, slots) }, false},
		{"other user", func() []byte { l := local; l.User = "x"; return Write(l, slots) }, false},
		{"other address", func() []byte { l := local; l.Addr = l.Addr.Next(); return Write(l, slots) }, false},
		{"other port", func() []byte { s := slots[0]; s.Port++; return Write(local, []Slot{s}) }, false},
		{"other direction", func() []byte { s := slots[0]; s.Direction = Inactive; return Write(local, []Slot{s}) }, false},
		{"one m-line more", func() []byte { return Write(local, append(slots[:1:1], slots[0])) }, false},
		{"nothing", func() []byte { return nil }, false},
		{"no fields", func() []byte { return []byte("v=0\r\no=-") }, false},
		{"two fields", func() []byte { return []byte("v=0\r\no=- 1 2") }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			other := tt.other()
			if SameExceptVersion(base, other) != tt.want || SameExceptVersion(other, base) != tt.want {
				t.Errorf("not %v for %q", tt.want, other)
			}
		})
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(offer)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkWrite(b *testing.B) {
	d, err := Parse([]byte(offer))
	if err != nil {
		b.Fatal(err)
	}
	slots := []Slot{d.Media[0].Slot(50000, Terms{}), d.Media[1].Slot(50002, Terms{})}
	b.ReportAllocs()
	for b.Loop() {
		if len(Write(local, slots)) == 0 {
			b.Fatal("nothing written")
		}
	}
}
