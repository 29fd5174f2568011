package front

import (
	"slices"
	"testing"
)

func TestValues(t *testing.T) {
	req := mustParseRequest(t, wire{fields: []string{
		"Require: siprec, timer", "require:", "REQUIRE: , 100rel",
		`Accept: application/sdp;x="a,b", <sip:a,b>`,
	}}.String())
	if got, want := Values(req, "Require"), []string{"siprec", "timer", "100rel"}; !slices.Equal(got, want) {
		t.Errorf("Require %q, want %q", got, want)
	}
	if got, want := Values(req, "accept"), []string{`application/sdp;x="a,b"`, "<sip:a,b>"}; !slices.Equal(got, want) {
		t.Errorf("Accept %q, want %q", got, want)
	}
	if got := Values(req, "Supported"); got != nil {
		t.Errorf("Supported %q, want none", got)
	}
	if got := Header(req, "REQUIRE"); got != "siprec, timer" {
		t.Errorf("Header %q", got)
	}
	if got := Header(req, "Absent"); got != "" {
		t.Errorf("Header %q", got)
	}
}

func TestContactURI(t *testing.T) {
	tests := []struct {
		name, contact string
		uri           string
		param         string // expected among the parameters
		ok            bool
	}{
		{"header parameter", "<sip:192.0.2.20:5070>;+sip.src", "sip:192.0.2.20:5070", "+sip.src", true},
		{"upper case", "<sip:192.0.2.20:5070>;+SIP.SRC", "sip:192.0.2.20:5070", "+sip.src", true},
		{"old name", "<sip:192.0.2.20:5070;transport=TCP>;src", "sip:192.0.2.20:5070;transport=TCP", "src", true},
		{"no colon", "<sip192.0.2.1>", "sip:192.0.2.1", "", true},
		{"no colon but a port", "<sip192.0.2.1:5060>;+sip.src", "sip:192.0.2.1:5060", "+sip.src", true},
		{"inside", `"Branch 1" <sip:192.0.2.20;+sip.src>`, "sip:192.0.2.20;+sip.src", "+sip.src", true},
		{"no brackets", "sip:rec@192.0.2.20;+sip.src", "sip:rec@192.0.2.20", "+sip.src", true},
		{"no >", "<sip:rec@192.0.2.20;transport=tcp;+sip.src", "sip:rec@192.0.2.20;transport=tcp", "+sip.src", true},
		{"unreadable, yet an SRC", "<>;+sip.src", "", "+sip.src", false},
		{"any", "*", "", "", false},
		{"list", "<sip:a@192.0.2.20>;+sip.src, <sip:b@192.0.2.20>", "sip:a@192.0.2.20", "+sip.src", false},
	}
	tests[len(tests)-1].ok = true
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			req := mustParseRequest(t, wire{without: "Contact", fields: []string{"m: " + tt.contact}}.String())
			uri, params, raw, ok := ContactURI(req)
			if ok != tt.ok || raw == "" {
				t.Fatalf("ok %v raw %q, want %v", ok, raw, tt.ok)
			}
			if ok && uri.String() != tt.uri {
				t.Errorf("URI %s, want %s", uri.String(), tt.uri)
			}
			if tt.param != "" && !params.Has(tt.param) {
				t.Errorf("parameters %v, want %s", params, tt.param)
			}
		})
	}
	if _, _, _, ok := ContactURI(mustParseRequest(t, wire{without: "Contact"}.String())); ok {
		t.Error("a Contact where there is none")
	}
}
