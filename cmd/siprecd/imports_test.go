package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/siprecd/siprecd"

// An importRule says what the packages of one folder may depend on, directly or
// through others. Patterns are import paths; "x/..." is x and all below it.
type importRule struct {
	folder string
	// ours are the packages of this module that may be reached.
	ours []string
	// others are the modules of other people that may be reached; nil is any.
	others []string
	// refused are packages of other people that must not be reached.
	refused []string
	// pure forbids direct imports that read files, the network, randomness or
	// the environment.
	pure bool
}

// importRules is section 4 of docs/architecture.md. The first rule whose folder
// fits counts; a package without one is a violation, so that a new folder asks
// for a decision.
func importRules() []importRule {
	return []importRule{
		{folder: "metadata/...", others: []string{"github.com/beevik/etree"}, pure: true},
		{folder: "rules/scenario/...", others: []string{}, pure: true},
		{folder: "rules/replay/...", ours: []string{"rules", "rules/scenario", "metadata"}, others: []string{"github.com/beevik/etree"}, pure: true},
		{folder: "rules/policy/...", ours: []string{"rules", "metadata"}, others: []string{"go.yaml.in/yaml/v3", "github.com/beevik/etree"}, pure: true},
		{folder: "rules/...", ours: []string{"metadata"}, others: []string{"github.com/beevik/etree"}, pure: true},
		{folder: "siprec/...", ours: []string{"siprec/..."}},
		{folder: "recorder/account/...", ours: []string{"recorder/store", "recorder/internal/...", "rules/...", "metadata"}, pure: true},
		{folder: "recorder/...", ours: []string{"recorder/...", "siprec/...", "metadata/...", "rules/..."}},
		// The suite shares no parser with the server, so that one bug cannot
		// hide twice.
		{folder: "conformance/...", ours: []string{"conformance/...", "rules/scenario"}, refused: []string{"github.com/emiago/sipgo/..."}},
		{folder: "cmd/...", ours: []string{"..."}},
	}
}

// impure are the packages of the standard library that a pure package must not
// import itself.
func impure() []string {
	return []string{
		"os", "os/exec", "os/signal", "io/ioutil", "net", "net/http", "syscall",
		"math/rand", "math/rand/v2", "crypto/rand", "log", "log/slog", "runtime",
	}
}

// A listedPackage is what "go list" says of a package without its tests.
type listedPackage struct {
	ImportPath string
	Standard   bool
	Imports    []string
	Deps       []string
}

func TestImportsOnlyDownwards(t *testing.T) {
	root := moduleRoot(t)
	readTree(t, root)
	for _, violation := range violations(t, list(t, root, "")) {
		t.Error(violation)
	}
}

// TestImportsReportPlanted shows that the test above can fail: each file is laid
// over the module, and the checker has to name it.
func TestImportsReportPlanted(t *testing.T) {
	if testing.Short() {
		t.Skip("short: one goroutine does it all")
	}
	root := moduleRoot(t)
	readTree(t, root)
	for _, tt := range []struct{ name, file, source, want string }{
		{"metadata imports siprec", "metadata/planted.go",
			`package metadata; import _ "` + module + `/siprec"`, "metadata depends on siprec"},
		{"metadata imports a foreign module", "metadata/planted.go",
			`package metadata; import _ "go.uber.org/zap"`, "metadata depends on go.uber.org/zap"},
		{"rules imports the media plane", "rules/planted.go",
			`package rules; import _ "` + module + `/siprec/media"`, "rules depends on siprec/media"},
		{"rules reads files", "rules/planted.go",
			`package rules; import _ "os"`, "rules imports os"},
		{"rules imports the policy file", "rules/planted.go",
			`package rules; import _ "go.yaml.in/yaml/v3"`, "rules depends on go.yaml.in/yaml/v3"},
		{"the policy file is read from disk", "rules/policy/planted.go",
			`package policy; import _ "os"`, "rules/policy imports os"},
		{"the policy file reaches the server", "rules/policy/planted.go",
			`package policy; import _ "` + module + `/siprec"`, "rules/policy depends on siprec"},
		{"siprec imports rules", "siprec/planted.go",
			`package siprec; import _ "` + module + `/rules"`, "siprec depends on rules"},
		{"media imports metadata", "siprec/media/planted.go",
			`package media; import _ "` + module + `/metadata"`, "siprec/media depends on metadata"},
		{"recorder imports the suite", "recorder/planted/planted.go",
			`package planted; import _ "` + module + `/conformance/planted"`, "recorder/planted depends on conformance/planted"},
		{"suite imports the server", "conformance/planted/planted.go",
			`package planted; import _ "` + module + `/siprec/media"`, "conformance/planted depends on siprec/media"},
		{"suite imports the server's parser", "conformance/planted/planted.go",
			`package planted; import _ "github.com/emiago/sipgo/sip"`, "conformance/planted depends on github.com/emiago/sipgo/sip"},
		{"suite imports rules", "conformance/planted/planted.go",
			`package planted; import _ "` + module + `/rules"`, "conformance/planted depends on rules"},
		{"a program has what is for tests", "conformance/load/planted.go",
			`package load; import _ "` + module + `/conformance/src/srctest"`, "conformance/load depends on conformance/src/srctest, which is for tests"},
		{"a folder nobody decided on", "util/planted.go", `package util`, "util has no rule"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			planted := map[string]string{tt.file: tt.source}
			if strings.Contains(tt.source, "/conformance/planted") {
				planted["conformance/planted/other.go"] = "package planted"
			}
			got := violations(t, list(t, root, overlay(t, root, planted)))
			if !slices.ContainsFunc(got, func(v string) bool { return strings.HasPrefix(v, tt.want) }) {
				t.Errorf("violations = %q, want one that begins with %q", got, tt.want)
			}
		})
	}
}

// violations are the dependencies that no rule allows, in words.
func violations(t *testing.T, listed []listedPackage) []string {
	t.Helper()
	standard := make(map[string]bool)
	checked := 0
	for _, p := range listed {
		standard[p.ImportPath] = p.Standard
	}
	var found []string
	for _, p := range listed {
		folder, ok := ours(p.ImportPath)
		if !ok {
			continue
		}
		checked++
		i := slices.IndexFunc(importRules(), func(r importRule) bool { return fits(r.folder, folder) })
		if i < 0 {
			found = append(found, folder+" has no rule in importRules")
			continue
		}
		found = append(found, importRules()[i].check(p, folder, standard)...)
	}
	if checked == 0 {
		t.Fatal("go list named no package of the module")
	}
	return found
}

func (r importRule) check(p listedPackage, folder string, standard map[string]bool) []string {
	var found []string
	for _, dep := range p.Deps {
		if inner, ok := ours(dep); ok {
			if forTests(inner) {
				found = append(found, fmt.Sprintf("%s depends on %s, which is for tests", folder, inner))
			}
			if !anyFits(r.ours, inner) {
				found = append(found, fmt.Sprintf("%s depends on %s", folder, inner))
			}
			continue
		}
		if standard[dep] {
			continue
		}
		if r.others != nil && !anyFits(r.others, dep) || anyFits(r.refused, dep) {
			found = append(found, fmt.Sprintf("%s depends on %s", folder, dep))
		}
	}
	if r.pure {
		for _, imported := range p.Imports {
			if slices.Contains(impure(), imported) {
				found = append(found, fmt.Sprintf("%s imports %s, and has to be pure", folder, imported))
			}
		}
	}
	return found
}

// forTests says whether a package is there for tests alone, as its name tells.
func forTests(folder string) bool { return strings.HasSuffix(folder, "test") }

// ours cuts the module path off.
func ours(path string) (folder string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

func anyFits(patterns []string, path string) bool {
	return slices.ContainsFunc(patterns, func(p string) bool { return fits(p, path) })
}

func fits(pattern, path string) bool {
	if pattern == "..." {
		return true
	}
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return path == below || strings.HasPrefix(path, below+"/")
	}
	return path == pattern
}

// list is "go list -deps" of the whole module, without tests.
func list(t *testing.T, root, overlay string) []listedPackage {
	t.Helper()
	args := []string{"list", "-deps", "-json=ImportPath,Standard,Imports,Deps"}
	if overlay != "" {
		args = append(args, "-overlay", overlay)
	}
	cmd := exec.CommandContext(t.Context(), "go", append(args, packages(t, root, overlay)...)...)
	cmd.Dir = root
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("go list: %v\n%s", err, stderr.String())
	}
	var listed []listedPackage
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var p listedPackage
		if err := dec.Decode(&p); errors.Is(err, io.EOF) {
			return listed
		} else if err != nil {
			t.Fatalf("output of go list: %v", err)
		}
		listed = append(listed, p)
	}
}

// packages is what to list. "./..." does not see folders that exist in an
// overlay only, so those are named.
func packages(t *testing.T, root, overlay string) []string {
	t.Helper()
	named := []string{"./..."}
	if overlay == "" {
		return named
	}
	text, err := os.ReadFile(overlay)
	if err != nil {
		t.Fatal(err)
	}
	var laid struct{ Replace map[string]string }
	if err := json.Unmarshal(text, &laid); err != nil {
		t.Fatal(err)
	}
	for file := range laid.Replace {
		folder, err := filepath.Rel(root, filepath.Dir(file))
		if err != nil {
			t.Fatal(err)
		}
		named = append(named, "./"+filepath.ToSlash(folder))
	}
	return named
}

// overlay writes the files beside the module and returns the JSON file that
// makes the go command see them in it (go help build, -overlay).
func overlay(t *testing.T, root string, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	replace := make(map[string]string)
	for name, source := range files {
		planted := filepath.Join(dir, strings.ReplaceAll(name, "/", "_"))
		if err := os.WriteFile(planted, []byte(source), 0o600); err != nil {
			t.Fatal(err)
		}
		replace[filepath.Join(root, filepath.FromSlash(name))] = planted
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// readTree looks at every Go file of the module itself, because the test cache
// does not know what a command that a test runs has read.
func readTree(t *testing.T, root string) {
	t.Helper()
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != root {
			return fs.SkipDir
		}
		if err == nil && filepath.Ext(path) == ".go" {
			_, err = os.ReadFile(path)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// moduleRoot is the folder of go.mod, found by walking up.
func moduleRoot(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = filepath.Dir(dir)
	}
}
