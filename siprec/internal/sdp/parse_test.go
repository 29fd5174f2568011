package sdp

import (
	"errors"
	"fmt"
	"net/netip"
	"reflect"
	"strings"
	"testing"
)

// offer is two audio streams as an SRC sends them (RFC 7866 §7.1.1).
const offer = "v=0\r\no=src 20 3 IN IP4 192.0.2.20\r\ns=-\r\nc=IN IP4 192.0.2.20\r\nt=0 0\r\n" +
	"m=audio 40000 RTP/AVP 18 8 0 101\r\na=rtpmap:18 G729/8000\r\na=fmtp:18 annexb=no\r\n" +
	"a=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\n" +
	"a=fmtp:101 0-16\r\na=ptime:20\r\na=maxptime:30\r\na=label:96\r\na=mid:a0\r\na=sendonly\r\n" +
	"m=audio 40002 RTP/AVPF 111 101\r\nc=IN IP6 2001:db8::20\r\na=rtpmap:111 OPUS/48000/2\r\n" +
	"a=rtpmap:101 telephone-event/48000\r\na=rtcp:40009 IN IP4 192.0.2.21\r\na=rtcp-mux\r\n" +
	"a=label:97\r\na=content:main\r\na=inactive\r\n"

func mustParse(t *testing.T, text string) *Description {
	t.Helper()
	d, err := Parse([]byte(text))
	if err != nil {
		t.Fatalf("error %v", err)
	}
	return d
}

func TestParse(t *testing.T) {
	d := mustParse(t, offer)
	if len(d.Oddities) > 0 {
		t.Errorf("oddities %q", d.Oddities)
	}
	if want := (Origin{"src", "20", "3", "IN", "IP4", "192.0.2.20"}); d.Origin != want {
		t.Errorf("origin %+v, want %+v", d.Origin, want)
	}
	event := Codec{PayloadType: 101, Name: "TELEPHONE-EVENT", ClockRate: 8000, Channels: 1, Params: "0-16"}
	wideEvent := Codec{PayloadType: 101, Name: "TELEPHONE-EVENT", ClockRate: 48000, Channels: 1}
	want := []Media{{
		Type: "audio", Proto: "RTP/AVP", Port: 40000, Formats: []string{"18", "8", "0", "101"},
		Addr: netip.MustParseAddr("192.0.2.20"), Label: "96", Mid: "a0",
		Direction: SendOnly, DirectionGiven: true, Ptime: 20, MaxPtime: 30,
		Codecs: []Codec{
			{PayloadType: 18, Name: "G729", ClockRate: 8000, Channels: 1, Params: "annexb=no"},
			{PayloadType: 8, Name: "PCMA", ClockRate: 8000, Channels: 1},
			{PayloadType: 0, Name: "PCMU", ClockRate: 8000, Channels: 1}, event,
		},
	}, {
		Type: "audio", Proto: "RTP/AVPF", Port: 40002, Formats: []string{"111", "101"},
		Addr: netip.MustParseAddr("2001:db8::20"), Label: "97", Content: "main",
		Direction: Inactive, DirectionGiven: true,
		RTCPPort: 40009, RTCPAddr: netip.MustParseAddr("192.0.2.21"), RTCPMux: true,
		Codecs: []Codec{{PayloadType: 111, Name: "OPUS", ClockRate: 48000, Channels: 2, Spelling: "OPUS"}, wideEvent},
	}}
	if len(d.Media) != len(want) {
		t.Fatalf("%d m-lines, want %d", len(d.Media), len(want))
	}
	if n := len(d.Media[0].Attributes); n != 11 || d.Media[0].Attributes[9] != (Attribute{"mid", "a0"}) {
		t.Errorf("%d attributes: %q", n, d.Media[0].Attributes)
	}
	for i := range want {
		d.Media[i].Attributes = nil
		if !reflect.DeepEqual(d.Media[i], want[i]) {
			t.Errorf("m-line %d\n got %+v\nwant %+v", i+1, d.Media[i], want[i])
		}
	}
}

// with is a description with one audio m-line that the given lines follow.
func with(lines ...string) string {
	return "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\nm=audio 40000 RTP/AVP 8\r\na=label:1\r\n" +
		strings.Join(lines, "\r\n")
}

// top is the same with the given lines above the m-line.
func top(lines ...string) string {
	return strings.Replace(with(), "m=", strings.Join(append(lines, "m="), "\r\n"), 1)
}

// line is the same with another m-line.
func line(m string) string {
	return strings.Replace(with(), "m=audio 40000 RTP/AVP 8", m, 1)
}

func TestTolerance(t *testing.T) {
	pcma := Codec{PayloadType: 8, Name: "PCMA", ClockRate: 8000, Channels: 1}
	tests := []struct {
		name, text string
		odd        string // part of an oddity; empty when there must be none
		check      func(m *Media) bool
	}{
		{"LF", strings.ReplaceAll(with("a=sendonly"), "\r\n", "\n"), "", func(m *Media) bool { return m.Direction == SendOnly }},
		{"CR", strings.ReplaceAll(with("a=sendonly"), "\r\n", "\r"), "", func(m *Media) bool { return m.Direction == SendOnly }},
		{"byte order mark", "\xef\xbb\xbf" + with(), "", func(m *Media) bool { return m.Label == "1" }},
		{"blanks everywhere", strings.ReplaceAll(strings.ReplaceAll(with(), "\r\n", " \t\r\n "), "label:", "label: "), "",
			func(m *Media) bool { return m.Label == "1" && m.Codecs[0] == pcma }},
		{"blanks around the equals sign", strings.ReplaceAll(with(), "=", " = "), "", func(m *Media) bool { return m.Port == 40000 }},
		{"no v=", strings.Replace(with(), "v=0\r\n", "", 1), "no v= line", nil},
		{"other v=", strings.Replace(with(), "v=0", "v=1", 1), "v= is not 0", nil},
		{"no s=", strings.Replace(with(), "s=-\r\n", "", 1), "no s= line", nil},
		{"no t=", strings.Replace(with(), "t=0 0\r\n", "", 1), "no t= line", nil},
		{"no o=", strings.Replace(with(), "o=- 1 1 IN IP4 192.0.2.1\r\n", "", 1), "no o= line", nil},
		{"attributes before t=", strings.Replace(with(), "t=", "a=sendonly\r\nt=", 1), "",
			func(m *Media) bool { return m.Direction == SendOnly && m.DirectionGiven }},
		{"short o=", strings.Replace(with(), "o=- 1 1 IN", "o=", 1), "less than six", nil},
		{"more than one o=", top("o=- 2 2 IN IP4 192.0.2.9"), "more than one o=", nil},
		{"line without meaning", top("...", "=", "A=b"), "unreadable line", nil},
		{"unknown line", top("y=1"), "unknown line y=", nil},
		{"unknown attribute", top("a=3gOoBTC"), "", nil},
		{"ignored lines", top("i=x", "u=http://example.com", "e=a@example.com", "p=+1", "b=AS:64", "r=1 1 0", "z=0 0", "k=prompt"), "", nil},
		{"very long line", top("i=" + strings.Repeat("x", MaxLine)), "is cut", func(m *Media) bool { return m.Label == "1" }},
		{"ports", line("m=audio 40000/2 RTP/AVP 8"), "several ports", func(m *Media) bool { return m.Port == 40000 }},
		{"negative port", line("m=audio -1 RTP/AVP 8"), "unreadable port", func(m *Media) bool { return m.Port == 0 }},
		{"huge port", line("m=audio 99999999999999999999 RTP/AVP 8"), "unreadable port", func(m *Media) bool { return m.Port == 0 }},
		{"port 65536", line("m=audio 65536 RTP/AVP 8"), "unreadable port", func(m *Media) bool { return m.Port == 0 }},
		{"m-line without fields", line("m="), "less than four", func(m *Media) bool { return m.Plan(Terms{}) == Refuse }},
		{"unknown media type", line("m=image 40000 udptl t38"), "", func(m *Media) bool { return m.Type == "image" && m.Plan(Terms{}) == Refuse }},
		{"format above 127", line("m=audio 40000 RTP/AVP 8 128 300"), "no payload type", func(m *Media) bool { return len(m.Codecs) == 1 && len(m.Formats) == 3 }},
		{"format twice", line("m=audio 40000 RTP/AVP 8 8"), "offered twice", func(m *Media) bool { return len(m.Codecs) == 1 }},
		{"format without rtpmap", line("m=audio 40000 RTP/AVP 8 99"), "has no rtpmap",
			func(m *Media) bool { return m.Codecs[1] == Codec{PayloadType: 99, Channels: 1} }},
		{"names in other case", with("a=rtpmap:8 pcma/8000"), "",
			func(m *Media) bool { return m.Codecs[0].Name == "PCMA" && m.Codecs[0].Spelling == "pcma" }},
		{"rtpmap with blanks", with("a=rtpmap: 8  PCMA/8000/1 "), "", func(m *Media) bool { return m.Codecs[0] == pcma }},
		{"rtpmap of nothing", with("a=rtpmap:", "a=fmtp:x y", "a=fmtp:200 y"), "without a payload type", nil},
		{"rtpmap twice", with("a=rtpmap:8 PCMA/8000", "a=rtpmap:8 PCMU/8000"), "described twice", func(m *Media) bool { return m.Codecs[0] == pcma }},
		{"rtpmap without name", with("a=rtpmap:8 /8000"), "without a name", func(m *Media) bool { return m.Codecs[0] == pcma }},
		{"rtpmap of two names", with("a=rtpmap:8 PCMA PCMU/8000"), "without a name", func(m *Media) bool { return m.Codecs[0] == pcma }},
		{"dynamic rtpmap without name", line("m=audio 40000 RTP/AVP 99") + "a=rtpmap:99 /8000", "without a name",
			func(m *Media) bool { return m.Codecs[0] == Codec{PayloadType: 99, Channels: 1} }},
		{"rtpmap without clock", with("a=rtpmap:8 PCMA"), "clock rate", func(m *Media) bool { return m.Codecs[0] == pcma }},
		{"clock of zero", with("a=rtpmap:8 OPUS/0/2"), "clock rate", func(m *Media) bool { return m.Codecs[0].ClockRate == 48000 }},
		{"clock beyond sense", with("a=rtpmap:8 X/99999999"), "clock rate", func(m *Media) bool { return m.Codecs[0].ClockRate == 8000 }},
		{"channels unreadable", with("a=rtpmap:8 PCMA/8000/0"), "channels", func(m *Media) bool { return m.Codecs[0] == pcma }},
		{"G722 at its sampling rate", with("a=rtpmap:8 G722/16000"), "G722", func(m *Media) bool { return m.Codecs[0].ClockRate == 8000 }},
		{"label missing", strings.Replace(with(), "a=label:1\r\n", "", 1), "no label", func(m *Media) bool { return m.Label == "" }},
		{"two labels", with("a=label:2"), "more than one label", func(m *Media) bool { return m.Label == "1" }},
		{"label twice", with("a=label:1"), "", nil},
		{"label of another", with("m=audio 40002 RTP/AVP 8", "a=label:1"), "m-line 2: label of another", nil},
		{"label of a removed one", with("m=audio 0 RTP/AVP 8", "a=label:1"), "", nil},
		{"direction of the top", top("a=recvonly"), "", func(m *Media) bool { return m.Direction == RecvOnly && m.DirectionGiven }},
		{"direction of its own", strings.Replace(top("a=recvonly"), "a=label", "a=SENDONLY\r\na=label", 1), "",
			func(m *Media) bool { return m.Direction == SendOnly }},
		{"no direction", with("a=direction:both"), "", func(m *Media) bool { return m.Direction == SendRecv && !m.DirectionGiven }},
		{"contradictory directions", with("a=inactive", "a=sendonly"), "more than one direction", func(m *Media) bool { return m.Direction == Inactive }},
		{"contradictory the other way", with("a=sendrecv", "a=sendonly"), "more than one direction", func(m *Media) bool { return m.Direction == SendOnly }},
		{"ptime unreadable", with("a=ptime:fast", "a=maxptime:-1"), "packet time", func(m *Media) bool { return m.Ptime == 0 && m.MaxPtime == 0 }},
		{"ptime with a fraction", with("a=ptime:20.5"), "", func(m *Media) bool { return m.Ptime == 20 }},
		{"rtcp port alone", with("a=rtcp:40101"), "", func(m *Media) bool { return m.RTCPPort == 40101 && !m.RTCPAddr.IsValid() }},
		{"rtcp unreadable", with("a=rtcp:99999"), "a=rtcp", func(m *Media) bool { return m.RTCPPort == 0 }},
		{"crypto and fingerprint", with("a=crypto:1 X inline:a", "a=crypto:2 Y inline:b", "a=fingerprint:sha-256 AA", "a=setup:actpass"), "",
			func(m *Media) bool {
				return len(m.Crypto) == 2 && m.Fingerprint == "sha-256 AA" && m.Setup == "actpass"
			}},
		{"fingerprint of the top", top("a=fingerprint:sha-256 AA", "a=setup:active", "a=crypto:1 X inline:a"), "",
			func(m *Media) bool { return m.Fingerprint == "sha-256 AA" && m.Setup == "active" && len(m.Crypto) == 1 }},
		{"second description", with(with()), "second description", func(m *Media) bool { return m.Label == "1" }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, tt.text)
			odd := strings.Join(d.Oddities, "\n")
			if tt.odd == "" && odd != "" || !strings.Contains(odd, tt.odd) {
				t.Errorf("oddities %q, want %q", odd, tt.odd)
			}
			if len(d.Media) == 0 {
				t.Fatal("no m-line")
			}
			if tt.check != nil && !tt.check(&d.Media[0]) {
				t.Errorf("m-line is %+v", d.Media[0])
			}
		})
	}
}

func TestConnection(t *testing.T) {
	tests := []struct {
		name, top, own string
		addr           string // empty for none
		null, odd      bool
	}{
		{name: "top", top: "c=IN IP4 192.0.2.1", addr: "192.0.2.1"},
		{name: "own", top: "c=IN IP4 192.0.2.1", own: "c=IN IP4 192.0.2.2", addr: "192.0.2.2"},
		{name: "own beside null", top: "c=IN IP4 0.0.0.0", own: "c=IN IP4 192.0.2.2", addr: "192.0.2.2"},
		{name: "null", top: "c=IN IP4 0.0.0.0", null: true},
		{name: "own null", top: "c=IN IP4 192.0.2.1", own: "c=IN IP4 0.0.0.0", null: true},
		{name: "null of IPv6", top: "c=IN IP6 ::", null: true},
		{name: "null mapped", top: "c=IN IP6 ::ffff:0.0.0.0", null: true},
		{name: "null by name", top: "c=IN IP6 Held.INVALID.", null: true},
		{name: "time to live", top: "c=IN IP4 233.252.0.1/127/3", addr: "233.252.0.1"},
		{name: "zone", top: "c=IN IP6 fe80::1%eth0", addr: "fe80::1"},
		{name: "mapped", top: "c=IN IP6 ::ffff:192.0.2.1", addr: "192.0.2.1"},
		{name: "address alone", top: "c=192.0.2.1", addr: "192.0.2.1"},
		{name: "name", top: "c=IN IP4 media.example.com", odd: true},
		{name: "own unreadable", top: "c=IN IP4 192.0.2.1", own: "c=IN IP4 192.0.2.256", odd: true},
		{name: "empty", top: "c=", odd: true},
		{name: "none", odd: true},
		{name: "two", top: "c=IN IP4 192.0.2.1\r\nc=IN IP4 192.0.2.2", addr: "192.0.2.1", odd: true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := mustParse(t, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\n"+tt.top+
				"\r\nm=audio 40000 RTP/AVP 8\r\na=label:1\r\n"+tt.own)
			m := d.Media[0]
			var addr string
			if m.Addr.IsValid() {
				addr = m.Addr.String()
			}
			if addr != tt.addr || m.Null != tt.null || (len(d.Oddities) > 0) != tt.odd {
				t.Errorf("address %q, null %v, oddities %q", addr, m.Null, d.Oddities)
			}
		})
	}
}

func TestOriginWithBlanks(t *testing.T) {
	d := mustParse(t, "v=0\no=My Media  Server x-7 1 IN IP4 192.0.2.1\n")
	if want := (Origin{"My Media Server", "x-7", "1", "IN", "IP4", "192.0.2.1"}); d.Origin != want {
		t.Errorf("origin %+v, want %+v", d.Origin, want)
	}
}

func TestNotSDP(t *testing.T) {
	for _, text := range []string{"", "\r\n", "hello", "<recording/>", "a=label:1\r\ns=-\r\n", "\x00\xff=="} {
		if d, err := Parse([]byte(text)); !errors.Is(err, ErrNotSDP) || d != nil {
			t.Errorf("%q: %+v, error %v", text, d, err)
		}
	}
}

func TestLimits(t *testing.T) {
	t.Run("m-lines", func(t *testing.T) {
		d := mustParse(t, "v=0\r\n"+strings.Repeat("m=audio 40000 RTP/AVP 8\r\na=label:1\r\n", MaxMedia+5)+"c=IN IP4 192.0.2.1\r\n")
		if len(d.Media) != MaxMedia || len(d.Media[MaxMedia-1].Attributes) != 1 || d.Media[MaxMedia-1].Addr.IsValid() {
			t.Errorf("%d m-lines, the last is %+v", len(d.Media), d.Media[len(d.Media)-1])
		}
		if len(d.Oddities) > maxOddities {
			t.Errorf("%d oddities", len(d.Oddities))
		}
	})
	t.Run("attributes", func(t *testing.T) {
		d := mustParse(t, with(strings.Repeat("a=x:y\r\n", 2*MaxAttributes)+"a=sendonly"))
		if m := d.Media[0]; len(m.Attributes) != MaxAttributes || m.Direction != SendOnly || len(d.Oddities) != 1 {
			t.Errorf("%d attributes, direction %s, oddities %q", len(m.Attributes), m.Direction, d.Oddities)
		}
	})
}

func TestStaticPayloadTypes(t *testing.T) {
	// RFC 3551 §6, tables 4 and 5.
	want := map[uint8]string{
		0: "PCMU/8000/1", 2: "G726-32/8000/1", 3: "GSM/8000/1", 4: "G723/8000/1", 5: "DVI4/8000/1", 6: "DVI4/16000/1",
		7: "LPC/8000/1", 8: "PCMA/8000/1", 9: "G722/8000/1", 10: "L16/44100/2", 11: "L16/44100/1", 12: "QCELP/8000/1",
		13: "CN/8000/1", 14: "MPA/90000/1", 15: "G728/8000/1", 16: "DVI4/11025/1", 17: "DVI4/22050/1", 18: "G729/8000/1",
		19: "CN/8000/1", 25: "CELB/90000/1", 26: "JPEG/90000/1", 28: "NV/90000/1", 31: "H261/90000/1", 32: "MPV/90000/1",
		33: "MP2T/90000/1", 34: "H263/90000/1",
	}
	for pt := range uint8(128) {
		d := mustParse(t, line(fmt.Sprintf("m=audio 40000 RTP/AVP %d", pt)))
		c := d.Media[0].Codecs[0]
		got := fmt.Sprintf("%s/%d/%d", c.Name, c.ClockRate, c.Channels)
		if w, ok := want[pt]; ok && got != w || !ok && c.Name != "" || c.PayloadType != pt {
			t.Errorf("payload type %d is %s, want %q", pt, got, w)
		}
	}
}

// Shows 7866-8.1.2-01, 7866-12.2-01.
func TestProtocols(t *testing.T) {
	tests := []struct {
		proto     string
		rtp, srtp bool
	}{
		{"RTP/AVP", true, false}, {"rtp/avp", true, false}, {"RTP/AVPF", true, false},
		{"RTP/SAVP", true, true}, {"RTP/SAVPF", true, true}, {"UDP/TLS/RTP/SAVPF", true, true},
		{"UDP/TLS/RTP/SAVP", true, true}, {"TCP/RTP/AVP", false, false}, {"TCP/TLS/RTP/SAVP", false, false},
		{"TCP/MSRP", false, false}, {"TCP/TLS/MSRP", false, false}, {"udptl", false, false},
		{"UDP/DTLS/SCTP", false, false}, {"", false, false},
	}
	for _, tt := range tests {
		t.Run(tt.proto, func(t *testing.T) {
			m := Media{Proto: tt.proto}
			if m.IsRTP() != tt.rtp || m.isSRTP() != tt.srtp {
				t.Errorf("IsRTP %v, isSRTP %v", m.IsRTP(), m.isSRTP())
			}
		})
	}
}

// Shows 3264-6-03.
func TestTime(t *testing.T) {
	for _, c := range []struct{ lines, want string }{
		{"t=0 0\r\n", "0 0"},
		{"t=3900000000 3900003600\r\n", "3900000000 3900003600"},
		{"t= 1   2 \r\nt=3 4\r\n", "1 2"},
		{"t=soon later\r\nt=3 4\r\n", "3 4"},
		{"t=-1 0\r\n", ""},
		{"t=1\r\n", ""},
		{"", ""},
	} {
		if got := mustParse(t, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\n"+c.lines+"m=audio 4000 RTP/AVP 0\r\n").Time; got != c.want {
			t.Errorf("%q: %q, want %q", c.lines, got, c.want)
		}
	}
}
