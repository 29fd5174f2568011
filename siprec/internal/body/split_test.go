package body

import (
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

const (
	description = "v=0\r\no=- 7 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n" +
		"m=audio 40000 RTP/AVP 8\r\na=label:1\r\na=sendonly\r\n"
	document = "<?xml version=\"1.0\"?>\r\n<recording xmlns=\"urn:ietf:params:xml:ns:recording:1\">\r\n" +
		"<datamode>complete</datamode>\r\n</recording>\r\n"
)

// usual is a body as RFC 7866 §9.1 draws it, with the boundary "edge".
const usual = "--edge\r\nContent-Type: application/sdp\r\n\r\n" + description +
	"\r\n--edge\r\nContent-Type: application/rs-metadata+xml\r\n" +
	"Content-Disposition: recording-session\r\n\r\n" + document + "\r\n--edge--\r\n"

// want is what a part should be; an empty body stands for any.
type want struct{ kind, disposition, handling, body string }

var both = []want{
	{kind: TypeSDP, body: description},
	{kind: TypeMetadata, disposition: "recording-session", body: document},
}

func lf(s string) string { return strings.ReplaceAll(s, "\r\n", "\n") }

// Shows 7866-9.1-09, DRV5621-4.2-01.
func TestSplit(t *testing.T) {
	const mixed = "multipart/mixed;boundary=edge"
	tests := []struct {
		name        string
		contentType string
		disposition string
		raw         string
		want        []want
		odd         string // part of an oddity; empty when there must be none
	}{
		{name: "as in the RFC", contentType: mixed, raw: usual, want: both},
		{name: "quoted boundary", contentType: `multipart/mixed; boundary="edge"`, raw: usual, want: both},
		{name: "blanks in the type", contentType: ` Multipart / MIXED ; charset=x ; Boundary = edge `, raw: usual, want: both},
		{name: "unfinished quote", contentType: `multipart/mixed;boundary="edge`, raw: usual, want: both},
		{name: "boundary parameter missing", contentType: "multipart/mixed", raw: usual, want: both,
			odd: "without boundary parameter"},
		{name: "boundary parameter of another text", contentType: "multipart/mixed;boundary=rim", raw: usual, want: both,
			odd: "does not match"},
		{name: "boundary parameter with the dashes", contentType: "multipart/mixed;boundary=--edge", raw: usual, want: both,
			odd: "does not match"},
		{name: "boundary in other case", contentType: "multipart/mixed;boundary=EDGE", raw: usual, want: both,
			odd: "differs in case"},
		{name: "only the closing one in other case", contentType: mixed,
			raw: strings.Replace(usual, "--edge--", "--Edge--", 1), want: both, odd: "differs in case"},
		{name: "another case within a part is content", contentType: mixed,
			raw:  "--edge\r\nContent-Type: text/plain\r\n\r\na\r\n--EDGE\r\nb\r\n--edge--",
			want: []want{{kind: "text/plain", body: "a\r\n--EDGE\r\nb"}}},
		{name: "blanks after delimiters", contentType: mixed,
			raw: strings.ReplaceAll(usual, "--edge", "--edge \t"), want: both},
		{name: "blank lines before the first delimiter", contentType: mixed, raw: "\r\n\r\n" + usual, want: both},
		{name: "preamble and epilogue", contentType: mixed,
			raw: "This text is for readers.\r\n" + usual + "\r\nand this too", want: both},
		{name: "LF only", contentType: mixed, raw: lf(usual),
			want: []want{{kind: TypeSDP, body: lf(description)}, {kind: TypeMetadata, disposition: "recording-session", body: lf(document)}}},
		{name: "LF in the frame, CRLF in the parts", contentType: mixed,
			raw: strings.ReplaceAll(usual, "\r\n--edge", "\n--edge"), want: both},
		{name: "no closing delimiter", contentType: mixed, raw: strings.TrimSuffix(usual, "--edge--\r\n"), want: both,
			odd: "no closing"},
		{name: "closing delimiter at the end of a line", contentType: mixed,
			raw: strings.Replace(usual, "\r\n\r\n--edge--", "--edge--", 1), odd: "no closing",
			want: []want{both[0], {kind: TypeMetadata, disposition: "recording-session", body: strings.TrimSpace(document)}}},
		{name: "delimiter line cut short of its end", contentType: mixed, raw: strings.TrimSuffix(usual, "\r\n"), want: both},
		{name: "no blank line before a description", contentType: mixed,
			raw: strings.Replace(usual, "\r\n\r\nv=0", "\r\nv=0", 1), want: both, odd: "no blank line"},
		{name: "no blank line before a document", contentType: mixed,
			raw: strings.Replace(usual, "\r\n\r\n<?xml", "\r\n<?xml", 1), want: both, odd: "no blank line"},
		{name: "no part headers at all", contentType: mixed,
			raw:  "--edge\r\n\r\n" + description + "\r\n--edge\r\n\r\n" + document + "\r\n--edge--",
			want: []want{{kind: TypeSDP, body: description}, {kind: TypeMetadata, body: document}},
			odd:  "no media type"},
		{name: "headers without blank after the colon", contentType: mixed,
			raw: strings.NewReplacer("Content-Type: ", "content-type:", "Disposition: ", "DISPOSITION :").Replace(usual), want: both},
		{name: "folded headers", contentType: mixed,
			raw: strings.Replace(usual, "Content-Disposition: ", "Content-Disposition:\r\n \t", 1), want: both},
		{name: "blank line before the headers", contentType: mixed,
			raw: strings.Replace(usual, "--edge\r\nContent-Type", "--edge\r\n\r\nContent-Type", 1), want: both,
			odd: "before the part headers"},
		{name: "blank lines before the document", contentType: mixed,
			raw: strings.Replace(usual, "<?xml", "\r\n \r\n<?xml", 1), want: both, odd: "before the content"},
		{name: "byte order mark", contentType: mixed,
			raw: strings.Replace(usual, "<?xml", "\xef\xbb\xbf<?xml", 1), want: both, odd: "before the content"},
		{name: "first delimiter forgotten", contentType: mixed, raw: strings.TrimPrefix(usual, "--edge\r\n"), want: both,
			odd: "no delimiter before"},
		{name: "empty parts", contentType: mixed,
			raw: strings.ReplaceAll(usual, "--edge\r\n", "--edge\r\n\r\n--edge\r\n"), want: both},
		{name: "parts in upper case", contentType: mixed,
			raw: strings.ReplaceAll(usual, "application/sdp", "APPLICATION/SDP; charset=UTF-8"), want: both},
		{name: "dispositions with handling", contentType: mixed,
			raw:  strings.NewReplacer("+xml\r\n", "+xml\r\n", ": recording-session", ": Recording-Session ; handling = REQUIRED").Replace(usual),
			want: []want{both[0], {kind: TypeMetadata, disposition: "recording-session", handling: "required", body: document}}},
		{name: "unknown part", contentType: mixed,
			raw: "--edge\r\nContent-Type: application/gtd\r\nContent-Disposition: signal;handling=optional\r\n\r\nGCI,0\r\n" + usual,
			want: []want{{kind: "application/gtd", disposition: "signal", handling: "optional", body: "GCI,0"},
				both[0], both[1]}},
		{name: "nested", contentType: "multipart/mixed;boundary=outer",
			raw: "--outer\r\nContent-Type: multipart/related;boundary=edge\r\n\r\n" + usual +
				"\r\n--outer\r\nContent-Type: text/plain\r\n\r\nend\r\n--outer--\r\n",
			want: []want{both[0], both[1], {kind: "text/plain", body: "end"}}},
		{name: "not multipart", contentType: "application/SDP", disposition: "Session;handling=optional", raw: description,
			want: []want{{kind: TypeSDP, disposition: "session", handling: "optional", body: description}}},
		{name: "bare metadata", contentType: "application/rs-metadata", disposition: "recording-session", raw: document,
			want: []want{{kind: TypeOldMetadata, disposition: "recording-session", body: document}}},
		{name: "description labelled metadata", contentType: TypeMetadata, raw: description,
			want: []want{{kind: TypeSDP, body: description}}, odd: "holds application/sdp"},
		{name: "metadata labelled description", contentType: TypeSDP, raw: document,
			want: []want{{kind: TypeMetadata, body: document}}, odd: "holds application/rs-metadata+xml"},
		{name: "multipart labelled description", contentType: TypeSDP, raw: usual, want: both, odd: "holds multipart/mixed"},
		{name: "description labelled multipart", contentType: mixed, raw: "\r\n" + description,
			want: []want{{kind: TypeSDP, body: description}}, odd: "labelled multipart"},
		{name: "no type, description", raw: description, want: []want{{kind: TypeSDP, body: description}}, odd: "no media type"},
		{name: "no type, prefixed root", raw: "<r:recording xmlns:r=\"urn:x\"/>",
			want: []want{{kind: TypeMetadata}}, odd: "no media type"},
		{name: "no type, snapshot request", raw: "<requestsnapshot xmlns=\"urn:x\"/>",
			want: []want{{kind: TypeMetadata}}, odd: "no media type"},
		{name: "no type, by disposition", disposition: "recording-session", raw: "?",
			want: []want{{kind: TypeMetadata, disposition: "recording-session", body: "?"}}, odd: "no media type"},
		{name: "no type, anything", raw: "hello", want: []want{{kind: "", body: "hello"}}},
		{name: "other XML keeps its type", contentType: "application/media_control+xml", raw: "<?xml version=\"1.0\"?><x/>",
			want: []want{{kind: "application/media_control+xml"}}},
		{name: "content after the closing delimiter", contentType: mixed,
			raw: usual + "--edge\r\nContent-Type: text/plain\r\n\r\nhidden\r\n", want: both, odd: "after the closing"},
		{name: "nothing", raw: ""},
		{name: "only line ends", contentType: TypeSDP, raw: "\r\n\r\n", odd: "without a body"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts, oddities, err := Split(tt.contentType, tt.disposition, []byte(tt.raw))
			if err != nil {
				t.Fatalf("error %v", err)
			}
			checkParts(t, parts, tt.want)
			if tt.odd == "" && len(oddities) > 0 {
				t.Errorf("oddities %q, want none", oddities)
			}
			if tt.odd != "" && !strings.Contains(strings.Join(oddities, "\n"), tt.odd) {
				t.Errorf("oddities %q, want one with %q", oddities, tt.odd)
			}
		})
	}
}

func checkParts(t *testing.T, parts []Part, wants []want) {
	t.Helper()
	if len(parts) != len(wants) {
		t.Fatalf("%d parts, want %d: %+v", len(parts), len(wants), parts)
	}
	for i, w := range wants {
		p := parts[i]
		got := want{p.Type, p.Disposition, p.Handling, string(p.Body)}
		if w.body == "" {
			w.body = got.body
		}
		if got != w {
			t.Errorf("part %d\n got %q\nwant %q", i, got, w)
		}
	}
}

func TestContentLengthOfPart(t *testing.T) {
	tests := []struct {
		name, length, content, want string
		odd                         bool
	}{
		{"without the last line end", "5", "v=0\r\n\r\n", "v=0\r\n", false},
		{"line end of the delimiter is counted", "5", "v=0\r\n", "v=0\r\n", false},
		{"blank lines after it", "3", "v=0\r\n\r\n\r\n", "v=0", false},
		{"too short", "2", "v=0\r\n", "v=0", true},
		{"too long", "500", "v=0\r\n", "v=0", true},
		{"negative", "-1", "v=0\r\n", "v=0", true},
		{"no number", "many", "v=0\r\n", "v=0", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := "--e\r\nContent-Type: application/sdp\r\nContent-Length:" + tt.length +
				"\r\n\r\n" + tt.content + "--e--\r\n"
			parts, oddities, err := Split("multipart/mixed;boundary=e", "", []byte(raw))
			if err != nil || len(parts) != 1 {
				t.Fatalf("%d parts, error %v", len(parts), err)
			}
			if got := string(parts[0].Body); got != tt.want {
				t.Errorf("body %q, want %q", got, tt.want)
			}
			if (len(oddities) > 0) != tt.odd {
				t.Errorf("oddities %q", oddities)
			}
		})
	}
}

func TestTransferEncoding(t *testing.T) {
	packed := base64.StdEncoding.EncodeToString([]byte(description))
	tests := []struct {
		name, encoding, content, want string
		odd                           bool
	}{
		{"base64", "BASE64", packed, description, false},
		{"base64 in lines without padding", "base64", strings.TrimRight(packed[:40]+"\r\n "+packed[40:], "="), description, false},
		{"not base64", "base64", "v=0 is none", "v=0 is none", true},
		{"quoted-printable", "quoted-printable", "v=3D0\r\ns=3D=\r\n-", "v=0\r\ns=-", false},
		{"binary", "binary", "v=0", "v=0", false},
		{"8bit", "8bit", "v=0", "v=0", false},
		{"unknown", "x-uu", "v=0", "v=0", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			raw := "--e\r\nContent-Type: application/sdp\r\nContent-Transfer-Encoding: " + tt.encoding +
				"\r\n\r\n" + tt.content + "\r\n--e--\r\n"
			parts, oddities, err := Split("multipart/mixed;boundary=e", "", []byte(raw))
			if err != nil || len(parts) != 1 {
				t.Fatalf("%d parts, error %v", len(parts), err)
			}
			if got := string(parts[0].Body); got != tt.want {
				t.Errorf("body %q, want %q", got, tt.want)
			}
			if (len(oddities) > 0) != tt.odd {
				t.Errorf("oddities %q", oddities)
			}
		})
	}
}

func TestErrors(t *testing.T) {
	tests := []struct {
		name, contentType string
		raw               []byte
		want              error
	}{
		{"too large", TypeSDP, make([]byte, MaxSize+1), ErrTooLarge},
		{"multipart without delimiters", "multipart/mixed;boundary=e", []byte("hello\r\n"), ErrNoParts},
		{"multipart of nothing but delimiters", "multipart/mixed;boundary=e", []byte("--e\r\n\r\n--e--\r\n"), ErrNoParts},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			parts, _, err := Split(tt.contentType, "", tt.raw)
			if !errors.Is(err, tt.want) || parts != nil {
				t.Errorf("%d parts, error %v, want %v", len(parts), err, tt.want)
			}
		})
	}
}

// Shows DRV5621-4.2-01.
func TestLimits(t *testing.T) {
	t.Run("parts", func(t *testing.T) {
		for _, n := range []int{MaxParts, MaxParts + 1, 10 * MaxParts} {
			raw := strings.Repeat("--e\r\n\r\nx\r\n", n) + "--e--\r\n"
			parts, oddities, err := Split("multipart/mixed;boundary=e", "", []byte(raw))
			if err != nil || len(parts) != MaxParts || (len(oddities) > 0) != (n > MaxParts) {
				t.Errorf("%d given: %d parts, oddities %q, error %v", n, len(parts), oddities, err)
			}
			if last := string(parts[len(parts)-1].Body); last != "x" {
				t.Errorf("%d given: the last part is %q", n, last)
			}
		}
	})
	t.Run("depth", func(t *testing.T) {
		for depth := 1; depth <= MaxDepth+2; depth++ {
			raw := "deep"
			kind := "text/plain"
			for i := depth; i > 0; i-- {
				raw = fmt.Sprintf("--e%d\r\nContent-Type: %s\r\n\r\n%s\r\n--e%d--\r\n", i, kind, raw, i)
				kind = fmt.Sprintf("multipart/mixed;boundary=e%d", i)
			}
			parts, _, err := Split(kind, "", []byte(raw))
			if err != nil || len(parts) != 1 {
				t.Fatalf("depth %d: %d parts, error %v", depth, len(parts), err)
			}
			if whole := parts[0].isMultipart(); whole != (depth > MaxDepth) {
				t.Errorf("depth %d: part is %s", depth, parts[0].Type)
			}
		}
	})
	t.Run("headers", func(t *testing.T) {
		raw := "--e\r\n" + strings.Repeat("X-A: b\r\n", maxHeaderSize) + "\r\nx\r\n--e--\r\n"
		parts, oddities, err := Split("multipart/mixed;boundary=e", "", []byte(raw))
		if err != nil || len(parts) != 1 || len(parts[0].Headers) > maxHeaderSize/8+1 || len(oddities) == 0 {
			t.Errorf("%d parts, oddities %q, error %v", len(parts), oddities, err)
		}
	})
}

// Shows 7866-9-01, 7866-11.3-01, 7865-5-01, DRV5621-8-01, DRV9806-2-01.
func TestKinds(t *testing.T) {
	tests := []struct {
		part          Part
		sdp, metadata bool
	}{
		{Part{Type: TypeSDP}, true, false},
		{Part{Type: TypeSDP, Disposition: "session"}, true, false},
		{Part{Type: TypeSDP, Disposition: "early-session"}, false, false},
		{Part{Type: TypeMetadata}, false, true},
		{Part{Type: TypeOldMetadata}, false, true},
		{Part{Type: "application/rs-metadata-request"}, false, false},
		{Part{Type: "text/xml", Disposition: DispositionRecording}, false, true},
		{Part{Type: "text/xml"}, false, false},
		{Part{}, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.part.Type+" "+tt.part.Disposition, func(t *testing.T) {
			if tt.part.IsSDP() != tt.sdp || tt.part.IsMetadata() != tt.metadata {
				t.Errorf("IsSDP %v, IsMetadata %v", tt.part.IsSDP(), tt.part.IsMetadata())
			}
		})
	}
}

func TestPartHeaders(t *testing.T) {
	raw := "--e\r\nContent-Type: text/plain; charset=\"utf \\\"8\"; x\r\nContent-ID:<a@example.com>\r\n" +
		"X-Long: one\r\n two\r\n\tthree\r\n\r\nx\r\n--e--\r\n"
	parts, oddities, err := Split("multipart/mixed;boundary=e", "", []byte(raw))
	if err != nil || len(parts) != 1 || len(oddities) != 0 {
		t.Fatalf("%d parts, oddities %q, error %v", len(parts), oddities, err)
	}
	want := []Header{
		{"Content-Type", `text/plain; charset="utf \"8"; x`},
		{"Content-ID", "<a@example.com>"},
		{"X-Long", "one two three"},
	}
	if !slices.Equal(parts[0].Headers, want) {
		t.Errorf("headers %q, want %q", parts[0].Headers, want)
	}
	if p := parts[0].Params; len(p) != 2 || p["charset"] != `utf "8` || p["x"] != "" {
		t.Errorf("params %q", p)
	}
}
