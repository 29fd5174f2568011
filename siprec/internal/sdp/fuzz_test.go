package sdp

import (
	"reflect"
	"strings"
	"testing"
)

// FuzzParse looks for panics, and for answers that break RFC 3264 or that we
// read in another way than we wrote them.
func FuzzParse(f *testing.F) {
	f.Add([]byte(offer))
	f.Add([]byte(strings.ReplaceAll(offer, "\r\n", "\n")))
	f.Add([]byte(with("c=IN IP4 0.0.0.0", "a=inactive", "a=crypto:1 X inline:a")))
	f.Add([]byte("m=image 9 udptl t38\nm=message 9 TCP/MSRP *\nm=audio -1 RTP/AVP 300\nm="))
	f.Add([]byte("v=0\no=a b c 1 1 IN IP6 ::1\nm=video 5/2 RTP/AVPF 96 97\na=rtpmap:96 h264/0\na=label: 1\na=rtcp:7 IN IP4 x"))
	f.Fuzz(func(t *testing.T, text []byte) {
		d, err := Parse(text)
		if err != nil {
			return
		}
		if len(d.Media) > MaxMedia || len(d.Oddities) > maxOddities {
			t.Fatalf("%d m-lines, %d oddities", len(d.Media), len(d.Oddities))
		}
		written := answer(d)
		if foreign(d) {
			if wrong := breaches(d, written); len(wrong) > 0 {
				t.Fatalf("%q answered\n%q\nis wrong: %q", text, written, wrong)
			}
		}
		again, err := Parse(written)
		if err != nil || len(again.Media) != len(d.Media) {
			t.Fatalf("answer %q is not read: %v", written, err)
		}
		for i := range again.Media {
			checkAnswered(t, &d.Media[i], &again.Media[i])
		}
	})
}

// checkAnswered compares an m-line of an answer that was read back.
func checkAnswered(t *testing.T, o, a *Media) {
	t.Helper()
	if a.Label != o.Label || a.Mid != o.Mid {
		t.Fatalf("label %q became %q, mid %q became %q", o.Label, a.Label, o.Mid, a.Mid)
	}
	if (a.Port == 0) != (o.Plan(Terms{}) == Refuse) {
		t.Fatalf("port %d under plan %v", a.Port, o.Plan(Terms{}))
	}
	if a.Port != 0 && !reflect.DeepEqual(a.Codecs, o.Choose(Terms{})) {
		t.Fatalf("codecs\n%+v became\n%+v", o.Choose(Terms{}), a.Codecs)
	}
}
