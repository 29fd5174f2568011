package siprec

import (
	"errors"
	"strings"
	"testing"
)

// message writes a request with what every request has. An empty tag is a
// request outside of a dialog.
func message(method, toTag, headers, body string) string {
	to := "To: <sip:srs@192.0.2.1>"
	if toTag != "" {
		to += ";tag=" + toTag
	}
	return strings.ReplaceAll(method+" sip:srs@192.0.2.1 SIP/2.0\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\n"+
		"From: <sip:src@192.0.2.9>;tag=a\n"+to+"\nCall-ID: c1\nCSeq: 7 "+method+"\n"+headers+"\n"+body, "\n", "\r\n")
}

const (
	marked  = "Require: siprec\nContact: <sip:src@192.0.2.9>;+sip.src\n"
	hasSDP  = "Content-Type: application/sdp\n"
	lineOne = "v=0\no=- 1 1 IN IP4 192.0.2.9\ns=-\nc=IN IP4 192.0.2.9\nt=0 0\nm=audio 4000 RTP/AVP 0 101\na=rtpmap:101 telephone-event/8000\na=label:1\na=sendonly\n"
)

func TestInspectAnswer(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		status     int
		evidence   string
		lines      string // direction and reason of each m-line
	}{
		{"recording session", message("INVITE", "", marked+hasSDP, lineOne), 200, "option tag siprec", "recvonly"},
		{"nothing says so", message("INVITE", "", hasSDP, lineOne), 200, "", "recvonly"},
		{"no offer", message("INVITE", "", marked, ""), 200, "option tag siprec", ""},
		{"inactive", message("INVITE", "t", marked+hasSDP, strings.Replace(lineOne, "sendonly", "inactive", 1)), 200, "option tag siprec", "inactive: offered inactive"},
		{"c=0.0.0.0", message("INVITE", "t", marked+hasSDP, strings.Replace(lineOne, "c=IN IP4 192.0.2.9", "c=IN IP4 0.0.0.0", 1)), 200, "option tag siprec", "inactive: offered with c=0.0.0.0"},
		{"video beside it", message("INVITE", "", marked+hasSDP, lineOne+"m=video 4002 RTP/AVP 97\na=rtpmap:97 H264/90000\n"), 200, "option tag siprec", "recvonly, inactive: video is not recorded"},
		{"port 0", message("INVITE", "t", marked+hasSDP, lineOne+"m=audio 0 RTP/AVP 0\n"), 200, "option tag siprec", "recvonly, refused: offered with port 0"},
		{"text", message("INVITE", "t", marked+hasSDP, lineOne+"m=message 9 TCP/MSRP *\n"), 200, "option tag siprec", "recvonly, refused: TCP/MSRP is not taken"},
		{"no format", message("INVITE", "t", marked+hasSDP, lineOne+"m=audio 9 RTP/AVP x\n"), 200, "option tag siprec", "recvonly, refused: no format that can be read"},
		{"events only", message("INVITE", "t", marked+hasSDP, lineOne+"m=audio 9 RTP/AVP 101\na=rtpmap:101 telephone-event/8000\n"), 200, "option tag siprec", "recvonly, inactive: no format of audio"},
		{"encrypted only", message("INVITE", "", marked+hasSDP, strings.Replace(lineOne, "RTP/AVP", "RTP/SAVP", 1)), 488, "option tag siprec", "refused: SRTP without a usable key: no a=crypto"},
		{"unknown tag required", message("INVITE", "", marked+"Require: foo\n"+hasSDP, lineOne), 420, "option tag siprec", ""},
		{"unknown tag required within", message("UPDATE", "t", "Require: foo\n", ""), 420, "", ""},
		{"unreadable SDP", message("INVITE", "", marked+hasSDP, "hello"), 400, "option tag siprec", ""},
		{"unknown body", message("INVITE", "", marked+"Content-Type: text/plain\n", "hello"), 415, "option tag siprec", ""},
		{"metadata alone", message("UPDATE", "t", "Content-Type: application/rs-metadata\n", "<recording/>"), 200, "rs-metadata part", ""},
		{"UPDATE outside", message("UPDATE", "", "", ""), 481, "", ""},
		{"BYE", message("BYE", "t", "Require: foo\n", ""), 200, "", ""},
		{"BYE outside", message("BYE", "", "", ""), 481, "", ""},
		{"OPTIONS", message("OPTIONS", "", "", ""), 200, "", ""},
		{"MESSAGE", message("MESSAGE", "", "", ""), 405, "", ""},
		{"REFER within", message("REFER", "t", "", ""), 405, "", ""},
		{"ACK", message("ACK", "t", "", ""), 0, "", ""},
		{"CANCEL", message("CANCEL", "", "", ""), 200, "", ""},
		{"response", strings.Replace(message("INVITE", "t", "", ""), "INVITE sip:srs@192.0.2.1 SIP/2.0", "SIP/2.0 200 OK", 1), 0, "", ""},
		{"no Via", strings.Replace(message("INVITE", "", "", ""), "Via:", "Vi:", 1), 400, "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in, err := Inspect([]byte(tt.text))
			if err != nil {
				t.Fatal(err)
			}
			var lines []string
			for _, l := range in.Answer.Lines {
				lines = append(lines, strings.TrimSuffix(l.Direction+": "+l.Why, ": "))
			}
			if in.Answer.Status != tt.status || in.Evidence != tt.evidence || strings.Join(lines, ", ") != tt.lines {
				t.Errorf("%d %q, evidence %q, lines %q", in.Answer.Status, in.Answer.Warning, in.Evidence, lines)
			}
			if tt.status >= 300 && in.Answer.Warning == "" {
				t.Error("a refusal says nothing")
			}
			if in.Start == "" {
				t.Error("no start line")
			}
		})
	}
}

// TestInspectReads: what stands in a message is read as the server reads it.
func TestInspectReads(t *testing.T) {
	text := message("INVITE", "t", marked+"X-Call: 5\nContent-Type: multipart/mixed;boundary=b\n",
		"--b\nContent-Type: application/sdp\n\n"+lineOne+"--b\nContent-Type: application/rs-metadata+xml\nContent-Disposition: recording-session\n\n<recording/>\n--b\nContent-Type: text/plain\n\nnote\n--b--\n")
	in, err := Inspect([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	if in.Method != "INVITE" || in.CSeq != 7 || in.CallID != "c1" || !in.InDialog || !in.HasOffer || len(in.Metadata) != 1 || len(in.Parts) != 1 {
		t.Errorf("read as %+v", in)
	}
	if got := headerValues(in.Headers, "x-call"); len(got) != 1 || got[0] != "5" {
		t.Errorf("header fields %v", in.Headers)
	}
	s := in.Streams[0]
	if s.Label != "1" || s.Direction != SendOnly || !s.Recordable || !s.Receiving || len(s.Codecs) != 2 || s.Codecs[0].Name != "PCMU" {
		t.Errorf("stream %+v", s)
	}
}

func TestInspectAll(t *testing.T) {
	bye := message("BYE", "t", "Content-Length: 0\n", "")
	all, err := InspectAll([]byte(bye + bye + "what is this?"))
	if err != nil || len(all) != 2 || len(all[1].Oddities) != 1 {
		t.Errorf("%d messages, error %v", len(all), err)
	}
	if _, err := InspectAll([]byte("what is this?")); !errors.Is(err, ErrNotSIP) {
		t.Errorf("error %v", err)
	}
	if _, err := InspectAll(nil); !errors.Is(err, ErrNotSIP) {
		t.Errorf("error %v", err)
	}
	document := "\xef\xbb\xbf <recording/>"
	if all, err := InspectAll([]byte(document)); err != nil || len(all) != 1 || string(all[0].Metadata[0]) != document {
		t.Errorf("a document: %v %v", all, err)
	}
}

func TestInspectEmptyOffer(t *testing.T) {
	in, err := Inspect([]byte(message("UPDATE", "t", marked+hasSDP, "v=0\no=- 1 1 IN IP4 192.0.2.1\ns=-\nt=0 0\n")))
	if err != nil {
		t.Fatal(err)
	}
	in.Follow([]Stream{{Index: 0, Media: "audio", Receiving: true}})
	if len(in.Streams) != 1 || !in.Streams[0].Receiving || in.Answer.Status != 488 {
		t.Errorf("%+v, answered %+v", in.Streams, in.Answer)
	}
}

func TestInspectFollow(t *testing.T) {
	in, err := Inspect([]byte(message("INVITE", "t", marked+hasSDP, lineOne+"m=audio 4002 RTP/AVP 0\n")))
	if err != nil {
		t.Fatal(err)
	}
	in.Follow([]Stream{
		{Index: 0, Media: "audio", Generation: 3},
		{Index: 1, Media: "audio", Closed: true},
		{Index: 2, Media: "audio", Receiving: true},
	})
	if len(in.Streams) != 3 || in.Streams[0].Generation != 3 || in.Streams[1].Generation != 1 || !in.Streams[2].Closed || len(in.Oddities) == 0 {
		t.Errorf("%+v, oddities %q", in.Streams, in.Oddities)
	}
}
