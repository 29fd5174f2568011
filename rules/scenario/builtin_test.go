package scenario

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestBuiltIn(t *testing.T) {
	all, err := BuiltIn()
	if err != nil || len(all) < 100 {
		t.Fatalf("%d scenarios, %v", len(all), err)
	}
	seen := make(map[string]bool)
	for _, s := range all {
		if s.ID == "" || seen[s.ID] {
			t.Errorf("%q is no ID, or one that came before", s.ID)
		}
		seen[s.ID] = true
	}
}

func TestFolderThatCannotBeRead(t *testing.T) {
	for want, folder := range map[string]fstest.MapFS{
		"file does not exist":   {},
		"files/folder.scenario": {"files/folder.scenario": {Mode: fs.ModeDir}},
		"odd.scenario: ":        {"files/odd.scenario": {Data: []byte("what is this\n")}},
	} {
		if all, err := parseAll(folder); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%d scenarios, %v, want %q", len(all), err, want)
		}
	}
}
