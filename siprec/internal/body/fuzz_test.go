package body

import (
	"bytes"
	"strings"
	"testing"
)

// FuzzSplit looks for panics and broken limits, and writes what was read: it
// must be read back the same.
// Shows DRV5621-4.2-01.
func FuzzSplit(f *testing.F) {
	f.Add("multipart/mixed;boundary=edge", "", []byte(usual))
	f.Add(`multipart/mixed; boundary="EDGE"`, "x;handling=optional", []byte(lf(usual)))
	f.Add("multipart/mixed", "", []byte("\n\n"+usual[:len(usual)-10]))
	f.Add("", "recording-session", []byte(document))
	f.Add(TypeSDP, "", []byte("--a\nContent-Type:multipart/x;boundary=b\n\n--b\nv=0\n--b--\n--a--"))
	f.Add("multipart/a;boundary=e", "", []byte("--e\nContent-Transfer-Encoding:base64\nContent-Length:3\n\ndj0w\n--e--"))
	f.Fuzz(func(t *testing.T, contentType, disposition string, raw []byte) {
		parts, oddities, err := Split(contentType, disposition, raw)
		if err != nil && len(parts) > 0 {
			t.Fatalf("parts beside error %v", err)
		}
		if len(parts) > MaxParts || len(oddities) > maxOddities {
			t.Fatalf("%d parts, %d oddities", len(parts), len(oddities))
		}
		for _, p := range parts {
			if p.Type != strings.ToLower(p.Type) || !isMediaType(p.Type) || p.isMultipart() {
				return
			}
		}
		checkRoundTrip(t, parts)
	})
}

func isMediaType(s string) bool {
	main, sub, ok := strings.Cut(s, "/")
	return ok && isToken(main) && isToken(sub)
}

func checkRoundTrip(t *testing.T, parts []Part) {
	t.Helper()
	if len(parts) == 0 {
		return
	}
	bare := make([]Part, len(parts))
	for i, p := range parts {
		bare[i] = Part{Type: p.Type, Body: p.Body}
	}
	contentType, raw := Write(bare, "edge")
	again, _, err := Split(contentType, "", raw)
	if err != nil || len(again) != len(parts) {
		t.Fatalf("%d parts became %d, error %v:\n%q", len(parts), len(again), err, raw)
	}
	for i, p := range again {
		if p.Type != bare[i].Type || !bytes.Equal(p.Body, bare[i].Body) {
			t.Fatalf("part %d became %q %q, was %q %q", i, p.Type, p.Body, bare[i].Type, bare[i].Body)
		}
	}
}
