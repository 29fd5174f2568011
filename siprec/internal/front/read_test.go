package front

import (
	"errors"
	"strings"
	"testing"
)

func saved(method, length, body string) string {
	return method + " sip:srs@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bK1\r\n" +
		"From: <sip:src@192.0.2.9>;tag=a\r\nTo: <sip:srs@192.0.2.1>\r\nCall-ID: c1\r\nCSeq: 1 " + method + "\r\n" + length + "\r\n" + body
}

// TestRead cuts saved text into messages.
func TestRead(t *testing.T) {
	const body = "Hello\r\nWorld\r\n"
	three := saved("INFO", "Content-Length: 14\r\n", body)
	for _, tt := range []struct {
		name, text string
		bodies     []string
		odd        bool
	}{
		{"one", three, []string{body}, false},
		{"two, a blank line between", three + "\r\n\r\n" + three, []string{body, body}, false},
		{"two, nothing between", three + three, []string{body, body}, false},
		{"no length", saved("INFO", "", body), []string{body}, false},
		{"no length, and another", saved("INFO", "", body) + three, []string{body, body}, false},
		{"a response behind it", three + "SIP/2.0 200 OK\r\n" + strings.SplitN(saved("INFO", "", ""), "\r\n", 2)[1], []string{body, ""}, false},
		{"lines changed to LF", strings.ReplaceAll(three+three, "\r\n", "\n"), []string{"Hello\nWorld\n", "Hello\nWorld\n"}, true},
		{"more than the length", saved("INFO", "Content-Length: 5\r\n", body), []string{"Hello"}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			rest := []byte(tt.text)
			for i, want := range tt.bodies {
				m, more, err := Read(rest)
				if err != nil {
					t.Fatal(err)
				}
				got := ""
				if m.Request != nil {
					got = string(m.Request.Body())
				}
				if got != want {
					t.Errorf("body %d is %q, want %q", i+1, got, want)
				}
				if odd := strings.Contains(strings.Join(m.Oddities, " "), "line ends were changed"); odd != tt.odd {
					t.Errorf("oddities %q", m.Oddities)
				}
				rest = more
			}
			if strings.TrimSpace(string(rest)) != "" {
				t.Errorf("%q is left", rest)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		status     int
	}{
		{"no message", "hello\r\n", 0},
		{"nothing", " \r\n", 0},
		{"no Via", "BYE sip:a@192.0.2.1 SIP/2.0\r\nCSeq: 1 BYE\r\n\r\n", 400},
		{"a body that is cut off", saved("INFO", "Content-Length: 99\r\n", "short"), 400},
		{"another version", strings.Replace(saved("INFO", "", ""), "SIP/2.0\r\n", "SIP/3.0\r\n", 1), 505},
	} {
		t.Run(tt.name, func(t *testing.T) {
			_, _, err := Read([]byte(tt.text))
			var refusal *Refusal
			switch {
			case tt.status == 0 && !errors.Is(err, ErrNotSIP):
				t.Errorf("error %v", err)
			case tt.status != 0 && (!errors.As(err, &refusal) || refusal.Status != tt.status || refusal.Start == "" || refusal.Error() == ""):
				t.Errorf("error %v, want %d", err, tt.status)
			}
		})
	}
}
