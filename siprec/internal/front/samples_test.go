package front

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestSamples reads captured messages of real devices where they lie beside the
// module: each is handed on, over UDP as over TCP, and says what it said.
func TestSamples(t *testing.T) {
	root, err := moduleRoot()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(root, "..", "shared", "dialects", "samples", "*.sip"))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no samples beside the module")
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			b, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			req := mustParseRequest(t, string(b))
			_, body, _ := strings.Cut(string(b), "\r\n\r\n")
			if n := len(req.Body()); n > len(body) || string(req.Body()) != body[:n] {
				t.Error("the body was touched")
			}
			if _, _, raw, ok := ContactURI(req); raw != "" && !ok {
				t.Errorf("Contact %s cannot be read", raw)
			}
			fr := newFramer(limits())
			fr.feed(append(b[:len(b):len(b)], options("next")...))
			m, ok := fr.next()
			if !ok || m.fault != nil || string(m.body) != string(req.Body()) {
				t.Errorf("on a stream: %v %v", ok, m.fault)
			}
		})
	}
}

// moduleRoot walks up to the folder that holds go.mod.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	for err == nil {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			return "", os.ErrNotExist
		}
		dir = filepath.Dir(dir)
	}
	return "", err
}
