package siprec

import (
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

func inviteWith(headers ...string) *sip.Request {
	req := sip.NewRequest(sip.INVITE, sip.Uri{Scheme: "sip", Host: "192.0.2.1"})
	for _, h := range headers {
		name, value, _ := strings.Cut(h, ":")
		req.AppendHeader(sip.NewHeader(name, strings.TrimSpace(value)))
	}
	return req
}

// Shows 7866-6.1.1-03, 7866-6.2-01, 7866-6.2-02, 7866-11.2-01.
func TestEvidence(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		content content
		want    string
	}{
		{"both marks of RFC 7866", []string{"Require: siprec", "Contact: <sip:a@192.0.2.9>;+sip.src"}, content{}, "option tag siprec"},
		{"option tag on a second line", []string{"Require: timer", "Require: 100rel, siprec"}, content{}, "option tag siprec"},
		{"option tags run together", []string{"Require: siprectimer"}, content{}, "option tag siprec"},
		{"option tag in Supported only", []string{"Supported: siprec"}, content{}, "option tag siprec"},
		{"feature tag", []string{"Contact: <sip:a@192.0.2.9>;+sip.src"}, content{}, "feature tag sip.src"},
		{"feature tag without plus", []string{"Contact: <sip:a@192.0.2.9>;src"}, content{}, "feature tag sip.src"},
		{"feature tag inside the brackets", []string{"Contact: <sip:a@192.0.2.9;+sip.src>"}, content{}, "feature tag sip.src"},
		{"feature tag with a value", []string{`Contact: <sip:a@192.0.2.9>;+sip.src="TRUE"`}, content{}, "feature tag sip.src"},
		{"feature tag denied", []string{`Contact: <sip:a@192.0.2.9>;+sip.src="FALSE"`}, content{}, ""},
		{"metadata", nil, content{metadata: [][]byte{{}}}, "rs-metadata part"},
		{"disposition", nil, content{marked: true}, "disposition recording-session"},
		{"a user called src", []string{"Contact: <sip:src@192.0.2.9>"}, content{}, ""},
		{"nothing", []string{"Contact: <sip:a@192.0.2.9>", "Supported: timer"}, content{}, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := evidence(inviteWith(tt.headers...), &tt.content); got != tt.want {
				t.Errorf("evidence = %q, want %q", got, tt.want)
			}
		})
	}
}

// Shows 7866-6.1.1-06, 7866-6.3-01, DRV3261-8.2.2.3-01.
func TestCheckRequire(t *testing.T) {
	tests := []struct {
		name, require, unsupported string
	}{
		{"nothing required", "", ""},
		{"siprec in any case", "SIPREC", ""},
		{"understood together", "siprec, timer, 100rel", ""},
		{"run together", "siprectimer", ""},
		{"unknown", "siprec, foo", "foo"},
		{"several unknown", "foo, siprec, bar", "foo, bar"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ref := checkRequire(inviteWith("Require: " + tt.require))
			switch {
			case tt.unsupported == "" && ref != nil:
				t.Errorf("refused with %d %s", ref.status, ref.warning)
			case tt.unsupported != "" && (ref == nil || ref.status != 420):
				t.Errorf("refusal = %v, want 420", ref)
			case tt.unsupported != "" && ref.headers[0].Value() != tt.unsupported:
				t.Errorf("Unsupported = %q, want %q", ref.headers[0].Value(), tt.unsupported)
			}
		})
	}
}

// Shows DRV3261-8.2.3-01, DRV3261-8.2.3-02, DRV5621-8-01.
func TestReadContentRefusals(t *testing.T) {
	tests := []struct {
		name    string
		headers []string
		body    string
		status  int
	}{
		{"no body", nil, "", 0},
		{"unknown encoding", []string{"Content-Type: application/sdp", "Content-Encoding: foo"}, "v=0\r\n", 415},
		{"unknown type", []string{"Content-Type: image/png"}, "\x89PNG", 415},
		{"unknown part that is required", []string{"Content-Type: multipart/mixed; boundary=x"},
			"--x\r\nContent-Type: image/png\r\nContent-Disposition: icon;handling=required\r\n\r\n\x89PNG\r\n--x--\r\n", 415},
		{"unknown part", []string{"Content-Type: multipart/mixed; boundary=x"},
			"--x\r\nContent-Type: application/rs-metadata+xml\r\n\r\n<recording/>\r\n--x\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n--x--\r\n", 0},
		{"not SDP at all", []string{"Content-Type: application/sdp"}, "hello", 400},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := inviteWith(tt.headers...)
			if tt.body != "" {
				req.SetBody([]byte(tt.body))
			}
			_, ref := readContent(req)
			got := 0
			if ref != nil {
				got = ref.status
			}
			if got != tt.status {
				t.Errorf("status = %d, want %d", got, tt.status)
			}
		})
	}
}

func TestWarningIsOneQuotedLine(t *testing.T) {
	got := warning("a \"b\"\r\nEvil: c\\")
	if strings.ContainsAny(got, "\r\n") || got != `399 siprecd "a 'b'  Evil: c\\"` {
		t.Errorf("warning = %q", got)
	}
	if got, want := warning("a\x00b\tc\xff"), `399 siprecd "a b c?"`; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
