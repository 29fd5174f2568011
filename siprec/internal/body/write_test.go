package body

import (
	"maps"
	"strings"
	"testing"
)

func TestWriteIsReadBack(t *testing.T) {
	tests := []struct {
		name, boundary string
		parts          []Part
	}{
		{"description and metadata", "edge", []Part{
			{Type: TypeSDP, Disposition: "session", Handling: "required", Body: []byte(description)},
			{Type: TypeMetadata, Disposition: "recording-session", Body: []byte(document)},
		}},
		{"boundary in a part", "edge", []Part{
			{Type: "text/plain", Body: []byte("a\r\n--edge\r\nb\r\n--edge1--\r\n")},
		}},
		{"boundary of odd characters", "a b/\"c\r\nX: y", []Part{{Type: "text/plain", Body: []byte("x")}}},
		{"no boundary", "", []Part{{Type: "text/plain", Body: []byte("x")}}},
		{"octets", "edge", []Part{{Type: "application/octet-stream", Body: []byte("\x00\r\n\xff\n")}}},
		{"parameters", "edge", []Part{{Type: "text/plain", Params: map[string]string{"charset": `a "b" c`, "b": "2"}, Body: []byte("x")}}},
		{"no end of line at the end", "edge", []Part{{Type: TypeSDP, Body: []byte("v=0")}}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			contentType, raw := Write(tt.parts, tt.boundary)
			parts, oddities, err := Split(contentType, "", raw)
			if err != nil || len(oddities) != 0 {
				t.Fatalf("oddities %q, error %v in\n%s", oddities, err, raw)
			}
			var wants []want
			for _, p := range tt.parts {
				wants = append(wants, want{p.Type, p.Disposition, p.Handling, string(p.Body)})
			}
			checkParts(t, parts, wants)
			for i, p := range parts {
				if !maps.Equal(p.Params, tt.parts[i].Params) {
					t.Errorf("params %q, want %q", p.Params, tt.parts[i].Params)
				}
			}
		})
	}
}

func TestWriteHeaders(t *testing.T) {
	_, raw := Write([]Part{{
		Type: "text/plain",
		Headers: []Header{
			{"Content-Type", "text/html"}, {"Content-Length", "99"}, {"Content-Transfer-Encoding", "base64"},
			{"Content-ID", "<a@example.com>\r\nX-Evil: 1"}, {"bad name", "x"},
		},
		Body: []byte("x"),
	}}, "e")
	want := "--e\r\nContent-Type: text/plain\r\nContent-ID: <a@example.com>  X-Evil: 1\r\n\r\nx\r\n--e--\r\n"
	if string(raw) != want {
		t.Errorf("wrote %q, want %q", raw, want)
	}
}

func TestWriteNothing(t *testing.T) {
	if contentType, raw := Write(nil, "e"); contentType != "" || raw != nil {
		t.Errorf("wrote %q %q", contentType, raw)
	}
}

func BenchmarkSplit(b *testing.B) {
	long := strings.Replace(document, "</recording>", strings.Repeat("<participant participant_id=\"abc\">\r\n</participant>\r\n", 90)+"</recording>", 1)
	raw := []byte(strings.Replace(usual, document, long, 1))
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	for b.Loop() {
		if parts, _, err := Split("multipart/mixed;boundary=edge", "", raw); err != nil || len(parts) != 2 {
			b.Fatalf("%d parts, error %v", len(parts), err)
		}
	}
}
