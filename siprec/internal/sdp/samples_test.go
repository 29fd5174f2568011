package sdp

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/siprec/internal/body"
)

// sampleFolder finds reference messages of real devices, which are kept beside
// the module and are not part of it.
func sampleFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
		dir = filepath.Dir(dir)
	}
	dir = filepath.Join(dir, "..", "shared", "dialects", "samples")
	if _, err := os.Stat(dir); err != nil {
		t.Skip("reference messages are absent")
	}
	return dir
}

// TestSamples answers the offers of real devices. What an offer holds is counted
// line by line, apart from the reader.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sampleFolder(t), "*.sip"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d messages, error %v", len(files), err)
	}
	answered := 0
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			message, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			head, raw, _ := bytes.Cut(message, []byte("\r\n\r\n"))
			parts, _, err := body.Split(contentType(head), "", raw)
			if err != nil {
				t.Fatalf("splitting: %v", err)
			}
			for _, p := range parts {
				if p.IsSDP() {
					checkSample(t, p.Body)
					answered++
				}
			}
		})
	}
	if answered < len(files)/2 {
		t.Errorf("only %d of %d messages held a description", answered, len(files))
	}
}

func checkSample(t *testing.T, text []byte) {
	t.Helper()
	d, err := Parse(text)
	if err != nil {
		t.Fatalf("error %v", err)
	}
	first, _, _ := bytes.Cut(text, []byte("\r\n--")) // one holds a second description by mistake
	if n := bytes.Count(first, []byte("\nm=")) + bytes.Count(first[:2], []byte("m=")); len(d.Media) != n {
		t.Errorf("%d m-lines, want %d", len(d.Media), n)
	}
	labels, directions := "", 0
	for i := range d.Media {
		m := &d.Media[i]
		if m.Label != "" {
			labels += "\r\na=label:" + m.Label
		}
		if m.DirectionGiven {
			directions++
		}
		if len(m.Codecs) != len(m.Formats) {
			t.Errorf("m-line %d: codecs %+v for formats %q", i+1, m.Codecs, m.Formats)
		}
	}
	var sent string
	for line := range strings.SplitSeq(string(first), "\r\n") {
		if strings.HasPrefix(line, "a=label:") {
			sent += "\r\n" + line
		}
	}
	if labels != sent {
		t.Errorf("labels %q, want %q", labels, sent)
	}
	n := 0
	for _, direction := range []string{SendOnly, SendRecv, RecvOnly, Inactive} {
		n += bytes.Count(first, []byte("\na="+direction))
	}
	if directions != n {
		t.Errorf("%d m-lines with direction, want %d", directions, n)
	}
	if wrong := breaches(d, answer(d)); len(wrong) > 0 {
		t.Errorf("wrong answer: %q", wrong)
	}
	t.Logf("oddities %q", d.Oddities)
}

func contentType(head []byte) string {
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if n, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, "Content-Type") {
			return value
		}
	}
	return ""
}
