package conformance_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/check"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// What the RFCs leave to a server is no failure of a case that binds: a should may warn.
func TestOtherMannersAreRight(t *testing.T) {
	var version atomic.Int64
	manners := map[string]struct {
		alter    func(req *src.Message, r *model.Response)
		sections []string
	}{
		"501 for a method that nobody knows (RFC 3261 §21.5.2)": {func(req *src.Message, r *model.Response) {
			if r.Status == 405 {
				r.Status = 501
			}
		}, []string{"rfc3261/8.2.1"}},
		"INFO not supported, which is looked at before the dialog (RFC 3261 §8.2)": {func(req *src.Message, r *model.Response) {
			if req.Method == "INFO" {
				r.Status = 405
			}
		}, []string{"rfc3261/12.2.2", "rfc3261/15", "rfc3261/15.1.2"}},
		"formats beside those of the offer (RFC 3264 §6.1)": {func(_ *src.Message, r *model.Response) {
			r.SDP = strings.ReplaceAll(r.SDP, "\r\na=recvonly", "\r\na=rtpmap:99 G7221/16000\r\na=recvonly")
			for _, first := range []string{"0", "8", "107", "117"} {
				r.SDP = strings.ReplaceAll(r.SDP, "RTP/AVP "+first+"\r\n", "RTP/AVP "+first+" 99\r\n")
			}
		}, []string{"rfc3264/6", "rfc3264/8.3.2/2", "rfc3551/6/1", "rfc3551/6/2"}},
		"a number of its own for a format (RFC 3264 §6.1)": {func(_ *src.Message, r *model.Response) {
			r.SDP = strings.ReplaceAll(r.SDP, "107", "98")
		}, []string{"rfc3264/6.1/4"}},
		"an o= version that rises with each answer (RFC 3264 §8)": {func(_ *src.Message, r *model.Response) {
			rising := fmt.Sprintf(" 77 %d IN", version.Add(3)+10)
			for _, now := range []string{" 77 1 IN", " 77 2 IN"} {
				r.SDP = strings.ReplaceAll(r.SDP, now, rising)
			}
		}, []string{"rfc3264/8", "rfc4028/9/8", "security/spoofing", "security/replay"}},
		"no labels in the answer (RFC 4574 §4)": {func(_ *src.Message, r *model.Response) {
			r.SDP = strings.ReplaceAll(r.SDP, "a=label:", "a=x-label:")
		}, []string{"rfc7866/7.2/6"}},
	}
	for name, manner := range manners {
		t.Run(name, func(t *testing.T) {
			target := start(t, model.Config{Network: "udp", Reports: true, Alter: manner.alter})
			r, err := conformance.Run(t.Context(), target, conformance.Options{Sections: manner.sections, Timeout: 5 * time.Second})
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range r.Results {
				if (c.Outcome == check.Fail && !c.Warning) || c.Outcome == check.Error {
					t.Errorf("%s: %s %v", c.ID, c.Outcome, c.Messages)
				}
			}
		})
	}
}

// A server that is not ready answers inactive, and offers to receive when it is (RFC 7866
// §7.2): that is right, and to remain inactive is not.
func TestReadyLater(t *testing.T) {
	for name, later := range map[string]bool{"ready later": true, "never ready": false} {
		t.Run(name, func(t *testing.T) {
			cfg := model.Config{Network: "udp", Alter: func(_ *src.Message, r *model.Response) {
				r.SDP = strings.ReplaceAll(r.SDP, "a=recvonly", "a=inactive")
			}}
			if later {
				cfg.Add = offersToReceive
			}
			r, err := conformance.Run(t.Context(), start(t, cfg), conformance.Options{
				Sections: []string{"rfc7866/7.2/1", "rfc7866/7.2/2", "rfc7866/7.2/3"}, Timeout: 2 * time.Second,
			})
			if err != nil {
				t.Fatal(err)
			}
			want := check.Fail
			if later {
				want = check.Pass
			}
			for _, c := range r.Results {
				if c.Outcome != want {
					t.Errorf("%s: %s %v, want %s", c.ID, c.Outcome, c.Messages, want)
				}
			}
		})
	}
}

// offersToReceive is a re-INVITE for two streams, which follows the ACK.
func offersToReceive(m *src.Message) string {
	if m.Method != "ACK" {
		return ""
	}
	body := "v=0\r\no=model 77 2 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n" +
		"m=audio 4000 RTP/AVP 0\r\na=recvonly\r\nm=audio 4002 RTP/AVP 0\r\na=recvonly\r\n"
	return fmt.Sprintf("INVITE sip:src@127.0.0.1 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1;branch=z9hG4bK-ready;rport\r\nMax-Forwards: 70\r\n"+
		"From: %s\r\nTo: %s\r\nCall-ID: %s\r\nCSeq: 1 INVITE\r\nContact: <sip:model@127.0.0.1>;+sip.srs\r\n"+
		"Content-Type: application/sdp\r\nContent-Length: %d\r\n\r\n%s", m.Get("To"), m.Get("From"), m.Get("Call-ID"), len(body), body)
}
