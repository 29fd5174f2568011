package metadata_test

import (
	"bytes"
	"encoding/csv"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/metadata"
)

// shared returns the folder of reference material beside the module, or skips.
func shared(t *testing.T, parts ...string) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if filepath.Dir(dir) == dir {
			t.Skip("no module root above the test")
		}
		dir = filepath.Dir(dir)
	}
	path := filepath.Join(append([]string{dir, "..", "shared"}, parts...)...)
	if _, err := os.Stat(path); err != nil {
		t.Skipf("reference material is absent: %v", err)
	}
	return path
}

// metadataOf cuts the XML out of a message, from its declaration or root to the
// next line of a boundary.
func metadataOf(b []byte) []byte {
	start := -1
	for _, mark := range []string{"<?xml", "<recording", "<tns:recording"} {
		if i := bytes.Index(b, []byte(mark)); i >= 0 && (start < 0 || i < start) {
			start = i
		}
	}
	if start < 0 {
		return nil
	}
	b = b[start:]
	for _, end := range []string{"\r\n--", "\n--"} {
		if i := bytes.Index(b, []byte(end)); i >= 0 {
			b = b[:i]
		}
	}
	return b
}

func TestSamplesOfDialects(t *testing.T) {
	dir := shared(t, "dialects")
	f, err := os.Open(filepath.Join(dir, "FEATURES.tsv"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r := csv.NewReader(f)
	r.Comma, r.LazyQuotes, r.FieldsPerRecord = '\t', true, -1
	rows, err := r.ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	column := make(map[string]int)
	for i, name := range rows[0] {
		column[name] = i
	}
	read := 0
	for _, row := range rows[1:] {
		name := row[column["file"]]
		if row[column["xml_root"]] == "" {
			continue
		}
		read++
		t.Run(name, func(t *testing.T) {
			raw, err := os.ReadFile(filepath.Join(dir, "samples", name))
			if err != nil {
				t.Fatal(err)
			}
			d, err := metadata.Decode(metadataOf(raw))
			if err != nil {
				t.Fatal(err)
			}
			t.Logf("layout %v, oddities %q", d.Layout, d.Oddities)
			checkCount(t, "participants", len(d.Participants), row[column["participants"]])
			checkCount(t, "streams", len(d.Streams), row[column["streams"]])
			if want := row[column["datamode"]]; want != "" && d.Mode.String() != want {
				t.Errorf("mode %v, want %v", d.Mode, want)
			}
			var labels []string
			for _, s := range d.Streams {
				if s.Label != "" {
					labels = append(labels, s.Label)
				}
			}
			if got, want := strings.Join(labels, ","), row[column["xml_labels"]]; got != want && want != "" {
				t.Errorf("labels %q, want %q", got, want)
			}
			for _, o := range d.Oddities {
				if strings.Contains(o, "repaired") {
					t.Errorf("well-formed sample was repaired")
				}
			}
		})
	}
	if read == 0 {
		t.Fatal("no sample has metadata")
	}
}

func checkCount(t *testing.T, what string, got int, want string) {
	t.Helper()
	if n, err := strconv.Atoi(want); err != nil || n != got {
		t.Errorf("%d %s, want %s", got, what, want)
	}
}

// Shows DRV8068-examples-01.
func TestExamplesOfRFCs(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(shared(t, "rfc", "examples"), "*.xml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no examples: %v", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			raw, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			d, err := metadata.Decode(raw)
			if bytes.Contains(raw, []byte("<requestsnapshot")) {
				if err == nil {
					t.Error("a snapshot request is no recording metadata")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if d.Layout != metadata.L1 || len(d.Oddities) > 0 {
				t.Errorf("layout %v, oddities %q; want L1 and none", d.Layout, d.Oddities)
			}
		})
	}
}
