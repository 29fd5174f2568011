package front

import (
	"fmt"
	"strings"
	"testing"

	"github.com/emiago/sipgo/sip"
)

// A wire is a message in the making: the default header fields but those that
// without names, then fields.
type wire struct {
	start   string
	fields  []string // whole lines without their end
	body    string
	eol     string
	without string // prefix of the default lines to leave out
}

const callID = "c0ffee-7@src.example.com"

func defaults(method string) []string {
	return []string{
		"Via: SIP/2.0/UDP 192.0.2.20:5070;branch=z9hG4bKfront1;rport",
		"From: \"Branch 12\" <sip:rec@src.example.com>;tag=f-1",
		"To: <sip:srs@rec.example.com>",
		"Call-ID: " + callID,
		"CSeq: 7 " + method,
		"Max-Forwards: 70",
		"Contact: <sip:rec@192.0.2.20:5070>;+sip.src",
	}
}

// String renders the message with a Content-Length unless a field has one.
func (w wire) String() string {
	start := w.start
	if start == "" {
		start = "OPTIONS sip:srs@rec.example.com SIP/2.0"
	}
	eol := w.eol
	if eol == "" {
		eol = "\r\n"
	}
	method, _, _ := strings.Cut(start, " ")
	lines := []string{start}
	for _, l := range defaults(method) {
		if w.without != "" && strings.HasPrefix(l, w.without) {
			continue
		}
		lines = append(lines, l)
	}
	lines = append(lines, w.fields...)
	if !strings.Contains(strings.ToLower(strings.Join(w.fields, "\n")), "content-length") {
		lines = append(lines, fmt.Sprintf("Content-Length: %d", len(w.body)))
	}
	return strings.Join(lines, eol) + eol + eol + w.body
}

func limits() Limits { return Limits{}.withDefaults() }

// read parses one datagram as a socket would.
func read(t *testing.T, text string) (parsed, *head, *fault) {
	t.Helper()
	h, body, flt, ok := frameDatagram([]byte(text), limits())
	if !ok {
		t.Fatal("taken for a keep-alive")
	}
	if flt != nil {
		return parsed{}, &h, flt
	}
	p, flt := parse(&h, body, limits())
	return p, &h, flt
}

func mustParseRequest(t *testing.T, text string) *sip.Request {
	t.Helper()
	p, _, flt := read(t, text)
	if flt != nil {
		t.Fatalf("refused: %d %s", flt.status, flt.text)
	}
	if p.request == nil {
		t.Fatal("not a request")
	}
	return p.request
}

// mustParseResponse reads what the front wrote with the parser of sipgo, which
// shares nothing with the front's own. Header fields are read when asked for:
// those of a bad request come back as bad as they were.
func mustParseResponse(t *testing.T, b []byte) *sip.Response {
	t.Helper()
	m, err := sip.NewParser(sip.WithHeadersParsers(nil)).ParseSIP(b)
	if err != nil {
		t.Fatalf("response cannot be read: %v\n%s", err, b)
	}
	res, ok := m.(*sip.Response)
	if !ok {
		t.Fatalf("not a response: %s", b)
	}
	return res
}
