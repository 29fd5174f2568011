package body

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
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

// TestSamples wants from each message exactly the parts whose media types its
// Content-Type lines name, whatever its frame looks like.
func TestSamples(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(sampleFolder(t), "*.sip"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d messages, error %v", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			message, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if foreign := bytes.Count(message, []byte("\nv=0")); foreign > 1 {
				t.Skip("a slip of whoever wrote it down: a second description within the first")
			}
			head, raw, _ := bytes.Cut(message, []byte("\r\n\r\n"))
			contentType, disposition := field(head, "Content-Type"), field(head, "Content-Disposition")
			parts, oddities, err := Split(contentType, disposition, raw)
			if err != nil {
				t.Fatalf("error %v", err)
			}
			var got []string
			for _, p := range parts {
				got = append(got, p.Type)
				if bytes.HasPrefix(p.Body, []byte("Content-")) || isBlank(p.Body) {
					t.Errorf("%s part begins with %.20q", p.Type, p.Body)
				}
				if bytes.Contains(p.Body, []byte("\n--")) {
					t.Errorf("%s part holds a delimiter", p.Type)
				}
			}
			if want := namedTypes(string(message)); strings.Join(got, " ") != strings.Join(want, " ") {
				t.Errorf("parts %q, want %q (oddities %q)", got, want, oddities)
			}
		})
	}
}

// namedTypes lists what all Content-Type lines of a message name, except the
// multipart itself.
func namedTypes(message string) []string {
	var types []string
	for line := range strings.SplitSeq(message, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.ToLower(strings.TrimSpace(value))
		if strings.EqualFold(name, "Content-Type") && !strings.HasPrefix(value, "multipart/") {
			types = append(types, value)
		}
	}
	return types
}

func field(head []byte, name string) string {
	for line := range strings.SplitSeq(string(head), "\r\n") {
		if n, value, ok := strings.Cut(line, ":"); ok && strings.EqualFold(n, name) {
			return value
		}
	}
	return ""
}
