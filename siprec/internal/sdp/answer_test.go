package sdp

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// Shows 7866-7.1.1-01.
func TestPlan(t *testing.T) {
	tests := []struct {
		name, text string
		plan       Plan
		direction  string
	}{
		{"sendonly", with("a=sendonly"), Record, RecvOnly},
		{"sendrecv", with("a=sendrecv"), Record, RecvOnly},
		{"no direction", with(), Record, RecvOnly},
		{"inactive", with("a=inactive"), Record, Inactive},
		{"recvonly", with("a=recvonly"), Record, Inactive},
		{"null address", with("c=IN IP4 0.0.0.0", "a=sendonly"), Record, Inactive},
		{"no address", strings.Replace(with(), "c=IN IP4 192.0.2.1\r\n", "", 1), Record, RecvOnly},
		{"only a codec that nothing decodes", line("m=audio 40000 RTP/AVP 96") + "a=rtpmap:96 X-OWN/16000", Record, RecvOnly},
		{"audio in other case", line("m=Audio 40000 rtp/avpf 8"), Record, RecvOnly},
		{"port 0", line("m=audio 0 RTP/AVP 8"), Refuse, Inactive},
		{"SDES", line("m=audio 40000 RTP/SAVP 8"), Refuse, Inactive},
		{"DTLS", line("m=audio 40000 UDP/TLS/RTP/SAVPF 8"), Refuse, Inactive},
		{"MSRP", line("m=message 40000 TCP/MSRP *"), Refuse, Inactive},
		{"fax", line("m=image 40000 udptl t38"), Refuse, Inactive},
		{"RTP over TCP", line("m=audio 9 TCP/RTP/AVP 8"), Refuse, Inactive},
		{"no format", line("m=audio 40000 RTP/AVP"), Refuse, Inactive},
		{"no readable format", line("m=audio 40000 RTP/AVP 200 x"), Refuse, Inactive},
		{"video", line("m=video 40000 RTP/AVP 96") + "a=rtpmap:96 H264/90000\r\na=sendonly", Hold, Inactive},
		{"text", line("m=text 40000 RTP/AVP 98") + "a=rtpmap:98 t140/1000", Hold, Inactive},
		{"application", line("m=application 40000 RTP/AVP 98") + "a=rtpmap:98 H224/4800", Hold, Inactive},
		{"events alone", line("m=audio 40000 RTP/AVP 101 13") + "a=rtpmap:101 telephone-event/8000", Hold, Inactive},
		{"format of unknown clock alone", line("m=audio 40000 RTP/AVP 99"), Hold, Inactive},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &mustParse(t, tt.text).Media[0]
			if m.Plan(Terms{}) != tt.plan || m.AnswerDirection(Terms{}) != tt.direction {
				t.Errorf("plan %v, direction %s; want %v, %s", m.Plan(Terms{}), m.AnswerDirection(Terms{}), tt.plan, tt.direction)
			}
			s := m.Slot(50000, Terms{})
			if (s.Port == 0) != (tt.plan == Refuse) || s.Media != m.Type || s.Proto != m.Proto ||
				s.Direction != tt.direction || s.Label != "1" {
				t.Errorf("slot %+v", s)
			}
			if m.Slot(0, Terms{}).Port != 0 || m.Slot(0, Terms{}).Codecs != nil {
				t.Error("port 0 does not refuse")
			}
		})
	}
}

func TestPlanString(t *testing.T) {
	for plan, want := range map[Plan]string{Record: "record", Hold: "hold", Refuse: "refuse", 0: "unknown"} {
		if plan.String() != want {
			t.Errorf("%d is %q, want %q", int(plan), plan, want)
		}
	}
}

func TestChoose(t *testing.T) {
	tests := []struct {
		name, text string
		want       string
	}{
		{"decodable first", line("m=audio 40000 RTP/AVP 101 13 18 9 96 0 111 8") +
			"a=rtpmap:101 telephone-event/8000\r\na=rtpmap:96 L16/16000\r\na=rtpmap:111 opus/48000/2", "9 96 0 8 18 111 13 101"},
		{"unknown before events, redundancy left out", line("m=audio 40000 RTP/AVP 121 101 99 3 19") +
			"a=rtpmap:101 telephone-event/8000\r\na=rtpmap:121 red/8000", "3 99 19 101"},
		{"held in offered order", line("m=video 40000 RTP/AVP 97 96") + "a=rtpmap:96 H264/90000\r\na=rtpmap:97 VP8/90000", "97 96"},
		{"refused", line("m=audio 0 RTP/AVP 8"), ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			m := &mustParse(t, tt.text).Media[0]
			before := slices.Clone(m.Codecs)
			var got []string
			for _, c := range m.Choose(Terms{}) {
				got = append(got, fmt.Sprint(c.PayloadType))
			}
			if strings.Join(got, " ") != tt.want {
				t.Errorf("chose %q, want %q", got, tt.want)
			}
			if !slices.Equal(m.Codecs, before) {
				t.Error("the offer was changed")
			}
		})
	}
}
