package dialects

import (
	"encoding/xml"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance/internal/modeltest"
)

func TestCasesPassOnTheModel(t *testing.T) { modeltest.Passed(t, Cases()) }

// TestDocuments: each is used, has no word that is not filled, and is well-formed but
// for the one that must not be.
func TestDocuments(t *testing.T) {
	used := make(map[string]bool)
	for _, c := range calls() {
		for _, s := range c.steps {
			used[s.document] = true
		}
	}
	files, err := fs.Glob(documents, "documents/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		text, err := documents.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(strings.TrimPrefix(f, "documents/"), ".xml")
		if !used[name] {
			t.Errorf("%s is in no call", name)
		}
		filled := newNames().fill(string(text))
		if strings.ContainsAny(filled, "{}") {
			t.Errorf("%s has a word that is not filled", name)
		}
		d := xml.NewDecoder(strings.NewReader(filled))
		for err = nil; err == nil; {
			_, err = d.Token()
		}
		if broken := !errors.Is(err, io.EOF); broken != (name == "oracle-unescaped") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestNames(t *testing.T) {
	n := newNames()
	first := n.fill("{id:a} {uuid:a} {hex:a} {number:a} {text:a} {now} {bare} {zone} {offset} {other:a} {port0}")
	if again := n.fill("{id:a}"); !strings.HasPrefix(first, again+" ") || again == n.fill("{id:b}") {
		t.Errorf("%q, then %q", first, again)
	}
	f := strings.Fields(first)
	if len(f) != 11 || len(f[0]) != 24 || len(f[1]) != 36 || len(f[2]) != 20 || len(f[3]) != 18 || f[9] != "{other:a}" || f[10] != "{port0}" {
		t.Errorf("filled to %q", f)
	}
	if newNames().fill("{id:a}") == f[0] {
		t.Error("two calls share an id")
	}
}
