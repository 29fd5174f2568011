package conformance_test

import (
	"cmp"
	"crypto/tls"
	"strings"
	"testing"
	"time"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/internal/model"
	"github.com/siprecd/siprecd/conformance/src"
)

// when gives a status to requests that fit.
func when(fits func(m *src.Message) bool, status int) alter {
	return func(req *src.Message, r *model.Response) {
		if fits(req) {
			r.Status, r.SDP = status, ""
		}
	}
}

// holding gives a status to requests that hold some text.
func holding(text string, status int) alter {
	return when(func(m *src.Message) bool { return strings.Contains(string(m.Raw), text) }, status)
}

// without gives 400 to INVITEs with metadata that lacks some text.
func without(text string) alter {
	return when(func(m *src.Message) bool {
		return m.Method == "INVITE" && strings.Contains(string(m.Body), "<recording") && !strings.Contains(string(m.Body), text)
	}, 400)
}

// lacking removes a header field from responses with that status.
func lacking(status int, name string) alter {
	return func(_ *src.Message, r *model.Response) {
		if r.Status == status {
			r.Remove(name)
		}
	}
}

// via changes the Via header fields.
func via(change func(i int, value string) string) alter {
	return func(_ *src.Message, r *model.Response) { r.Via = change }
}

func profile(value string) alter { return lines(func(_ int, f []string) { f[2] = value }) }

func wrongDialogs() map[string]alter {
	return map[string]alter{
		"rfc3261/7.3.1/1":   insist(420, 200),
		"rfc3261/7.3.1/2":   insist(420, 200),
		"rfc3261/7.3.3/1":   holding("\r\nf: ", 400),
		"rfc3261/8.1.1.6/1": holding("Max-Forwards: 0\r\n", 483),
		"rfc3261/8.2.1/1":   set("UNHEARD", "Allow", "UNHEARD"),
		"rfc3261/8.2.1/2":   insist(405, 200),
		"rfc3261/8.2.2.3/2": answerAs("OPTIONS", 2, 200),
		"rfc3261/8.2.2.3/3": edit(1, "a=recvonly", "a=inactive"),
		"rfc3261/8.2.3/2":   lacking(415, "Accept-Encoding"),
		"rfc3261/8.2.6.2/1": func(_ *src.Message, r *model.Response) { r.CallID = "another" },
		"rfc3261/9.2/2":     answerAs("CANCEL", 1, 200),
		"rfc3261/12.1.1/1":  lacking(200, "Record-Route"),
		"rfc3261/12.2.2/3":  when(func(m *src.Message) bool { n, _ := m.CSeq(); return n > 8000 }, 500),
		"rfc3261/14.2/1":    edit(1, "a=recvonly", "a=sendrecv"),
		"rfc3261/16.12/1":   holding("\r\nRoute: ", 404),
		"rfc3261/18.2.1/1": via(func(i int, value string) string {
			if i > 0 {
				return ""
			}
			return value
		}),
		"rfc3262/3/1": lacking(180, "RSeq"),
		"rfc3262/3/2": insist(481, 200),
		"rfc3262/3/3": insist(487, 603),
		"rfc3262/3/4": lacking(500, "Retry-After"),
		"rfc3581/4/1": via(func(_ int, value string) string { return strings.Replace(value, ";rport=", ";rport=1", 1) }),
		"rfc4028/9/1": lacking(200, "Require"),
		"rfc4028/9/2": set("INVITE", "Session-Expires", "1800;refresher=uac"),
		"rfc4028/9/3": updateWithSDP,
		"rfc4028/9/4": func(_ *src.Message, r *model.Response) {
			if r.Status == 422 {
				r.Set("Min-SE", "30")
			}
		},
		"rfc4028/9/5": set("INVITE", "Require", "timer"),
	}
}

func wrongBodies() map[string]alter {
	before := func(first, second string) alter {
		return when(func(m *src.Message) bool {
			at := strings.Index(string(m.Body), first)
			return at >= 0 && at < strings.Index(string(m.Body), second)
		}, 400)
	}
	return map[string]alter{
		"rfc5621/4.2/1": refuse("INVITE", "multipart/related"),
		"rfc5621/4.2/2": refuse("INVITE", "for people"),
		"rfc5621/4.2/3": without("--src-boundary--"),
		"rfc5621/8/1":   refuse("INVITE", "image/x-unheard-of"),
		"rfc5621/8/2":   refuse("INVITE", "Handling=required"),

		"rfc7865/5.1/1":   refuse("INVITE", "\xef\xbb\xbf"),
		"rfc7865/5.1/2":   refuse("INVITE", "\u5289"),
		"rfc7865/5.1.1/1": refuse("INVITE", "<rec:"),
		"rfc7865/5.1.2/1": without("<datamode"),
		"rfc7865/6.1.2/1": without("<session"),
		"rfc7865/6.11/1":  refuse("INVITE", "recording:2"),
		"rfc7865/6.2.1/1": refuse("INVITE", "\">\n  </group>"),
		"rfc7865/6.3.1/1": refuse("INVITE", "<reason"),
		"rfc7865/6.5.1/1": refuse("INVITE", "anonymous.invalid"),
		"rfc7865/6.7/1":   refuse("INVITE", "\">\n  </stream>"),
		"rfc7865/6.10/1":  refuse("INVITE", "urn:uuid"),
		"rfc7865/9/1":     before("<participant ", "<group "),
		"rfc7865/9/2":     refuse("INVITE", "urn:example:agents"),
		"rfc7865/9/3":     refuse("INVITE", "extensiondata"),

		"rfc7866/9/4":   refuse("INVITE", "RS-Metadata+XML"),
		"rfc7866/5.1/1": answerAs("INVITE", 2, 400),
		"rfc7866/9.1/5": answerAs("INVITE", 2, 488),
		"rfc7866/9.1/6": refuse("UPDATE", "multipart"),
		"rfc7866/9.1/7": answerAs("UPDATE", 50, 503),
		"rfc7866/9.2/2": holding("<!DOCTYPE", 500),
		"rfc7866/9.2/4": func(req *src.Message, r *model.Response) {
			if req.Method == "UPDATE" {
				r.SDP, r.Type = "<requestsnapshot/>", src.TypeMetadata
			}
		},
	}
}

func wrongStreams() map[string]alter {
	return map[string]alter{
		"rfc3264/5/1":     edit(0, "t=0 0\r\n", "t=0 0\r\nm=audio 4000 RTP/AVP 0\r\na=sendrecv\r\n"),
		"rfc3264/6/2":     lines(func(_ int, f []string) { f[3] = "0" }),
		"rfc3311/5.2/2":   updateWithSDP,
		"rfc4568/5.1.2/4": edit(0, "a=crypto:7", "a=crypto:1"),
		"rfc4568/5.1.2/5": profile("RTP/SAVP"),
		"rfc4568/5.1.2/6": port(0, "4000"),
		"rfc5761/5.1.1/1": edit(0, "a=recvonly", "a=rtcp-mux\r\na=recvonly"),

		"rfc7866/6.1.1/2":   holding("+SIP.SRC", 403),
		"rfc7866/6.1.1/3":   answerAs("INVITE", 2, 403),
		"rfc7866/6.1.1/4":   answerAs("REGISTER", 1, 482),
		"rfc7866/6.1.1/5":   answerAs("OPTIONS", 2, 420),
		"rfc7866/7.1.1/1":   port(0, "0"),
		"rfc7866/7.1.1.1/1": port(1, "0"),
		"rfc7866/7.1.1.1/2": edit(2, "a=recvonly", "a=inactive"),
		"rfc7866/7.2/8":     edit(0, "a=inactive", "a=sendonly"),
		"rfc7866/8.1.2/1":   profile("RTP/AVP"),
		"rfc7866/8.3.1/4":   port(1, "4000"),
		"rfc7866/8.3.2/2":   lines(func(_ int, f []string) { f[0] = "m=audio" }),
		"rfc7866/8.4/2":     port(3, "0"),
	}
}

// replace changes the text of the server's own request.
func replace(old, replacement string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, old, replacement) }
}

func TestWrongServers(t *testing.T) {
	const snapshot, route, report = "rfc7866/9.2/3", "rfc3261/12.2.1.1/1", "rfc7866/8.1.1/1"
	for _, c := range []struct {
		name, id string
		cfg      model.Config
	}{
		{"repeated request taken for an old one", "rfc3261/17.2.2/1", model.Config{Forget: true}},
		{"no Route", route, model.Config{AlterRequest: replace("\r\nRoute: ", "\r\nX-Route: ")}},
		{"not to the Contact", route, model.Config{AlterRequest: replace("UPDATE sip:src@", "UPDATE sip:way@")}},
		{"no request for a snapshot", snapshot, model.Config{AlterRequest: func(string) string { return "" }}},
		{"no siprec", snapshot, model.Config{AlterRequest: replace("Require: siprec\r\n", "")}},
		{"no feature tag", snapshot, model.Config{AlterRequest: replace(";+sip.srs", "")}},
		{"another disposition", snapshot, model.Config{AlterRequest: replace("recording-session", "render")}},
		{"another type", snapshot, model.Config{AlterRequest: replace("rs-metadata+xml", "rs-metadata-request")}},
		{"SDP", snapshot, model.Config{AlterRequest: replace("application/rs-metadata+xml", "application/sdp")}},
		{"another element", snapshot, model.Config{AlterRequest: replace("requestsnapshot", "snapshotrequest")}},
		{"another namespace", snapshot, model.Config{AlterRequest: replace("recording:1", "recording:0")}},
		{"no report", report, model.Config{AlterReport: func([]byte) []byte { return nil }}},
		{"report without loss", report, model.Config{AlterReport: func(b []byte) []byte { b[15] = 0; return b }}},
		{"report about another", report, model.Config{AlterReport: func(b []byte) []byte { b[8]++; return b }}},
		{"report without CNAME", report, model.Config{AlterReport: func(b []byte) []byte { return b[:32] }}},
		{"feedback", report, model.Config{AlterReport: func(b []byte) []byte { return append(b, 0x81, 206, 0, 2, 0, 0, 0, 77, 0, 0, 0, 1) }}},
		{"not compound", report, model.Config{AlterReport: func(b []byte) []byte { return b[32:] }}},
		{"Contact by TCP", "rfc7866/12/1", model.Config{Network: "tls", Alter: set("INVITE", "Contact", "<sip:srs@192.0.2.1;transport=tcp>;+sip.srs")}},
		{"sip for sips", "rfc7866/12/2", model.Config{Network: "tls", Alter: set("INVITE", "Contact", "<sip:srs@192.0.2.1;transport=tls>;+sip.srs")}},
		{"old TLS", "rfc7866/12/3", model.Config{Network: "tls", TLS: &tls.Config{MinVersion: tls.VersionTLS10}}},
	} {
		t.Run(c.name, func(t *testing.T) {
			c.cfg.Network, c.cfg.Reports = cmp.Or(c.cfg.Network, "udp"), true
			for _, one := range conformance.All() {
				if one.ID == c.id {
					blame(t, one, c.cfg, time.Second)
				}
			}
		})
	}
}
