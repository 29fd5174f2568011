package conformance_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance"
)

// A requirement is one row of requirements.tsv.
type requirement struct {
	id, section, level string
	// status is "yes", "partial" or "no"; "later" for what waits for video; "not ours"
	// for what asks nothing of a recording server.
	status, asked string
	why           string // what is missing, or why nothing is; of a yes, a remark
	shownBy       []string
	cases         int    // how many of these are cases of the suite
	unseen        string // why no case can show it; of unseen.tsv
}

// The statuses, and whether a row of each needs a test and a reason.
var statuses = map[string]struct{ shown, why bool }{
	"yes": {shown: true}, "partial": {shown: true, why: true},
	"no": {why: true}, "later": {why: true}, "not ours": {why: true},
}

// module is the folder of the whole repository.
const module = ".."

func readRequirements(t *testing.T) []requirement {
	t.Helper()
	unseen := make(map[string]string)
	for _, f := range readTable(t, "unseen.tsv", 2) {
		if unseen[f[0]] != "" || f[1] == "" {
			t.Errorf("%s stands twice in unseen.tsv, or without a reason", f[0])
		}
		unseen[f[0]] = f[1]
	}
	var rows []requirement
	for _, f := range readTable(t, "requirements.tsv", 6) {
		rows = append(rows, requirement{id: f[0], section: f[1], level: f[2], status: f[3], asked: f[4], why: f[5], unseen: unseen[f[0]]})
		delete(unseen, f[0])
	}
	for id := range unseen {
		t.Errorf("%s of unseen.tsv is not in requirements.tsv", id)
	}
	return rows
}

// readTable reads the rows below the first of a file with tabs.
func readTable(t *testing.T, name string, columns int) [][]string {
	t.Helper()
	text, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	var rows [][]string
	for i, line := range strings.Split(strings.TrimSuffix(string(text), "\n"), "\n") {
		f := strings.Split(line, "\t")
		if len(f) != columns {
			t.Fatalf("line %d of %s has %d columns", i+1, name, len(f))
		}
		if i > 0 {
			rows = append(rows, f)
		}
	}
	return rows
}

// A showing is a test or case, and the requirements it says that it shows.
type showing struct {
	name   string
	ids    []string
	isCase bool // of the suite
}

// showings finds all of them: the cases of the suite, Go tests under a comment "Shows
// 7866-9.2-01, 7866-9.2-03.", and scripts whose first line is such a comment.
func showings(t *testing.T) []showing {
	t.Helper()
	var out []showing
	for _, c := range conformance.All() {
		if strings.HasPrefix(c.ID, "rfc") || len(c.Shows) > 0 { // others are of what no RFC has
			out = append(out, showing{"`" + c.ID + "`", c.Shows, true})
		}
	}
	err := filepath.WalkDir(module, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && path != module:
			return filepath.SkipDir
		case !strings.HasSuffix(path, "_test.go") && !strings.HasSuffix(path, ".txtar"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		found, stray := showingsOf(path, string(text))
		for _, line := range stray {
			t.Errorf("%s: %q stands above no test", path, line)
		}
		out = append(out, found...)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

var (
	anyComment    = regexp.MustCompile(`(?m)^(?://|#) Shows (?:DRV)?[0-9].*$`)
	testComment   = regexp.MustCompile(`(?m)^// Shows ((?:DRV)?[0-9].+)\.\nfunc ((?:Test|Fuzz)[A-Za-z0-9_]*)\(`)
	scriptComment = regexp.MustCompile(`\A# Shows (.+)\.\n`)
)

// showingsOf reads the comments of one file; stray are those above no test.
func showingsOf(path, text string) (found []showing, stray []string) {
	folder, err := filepath.Rel(module, filepath.Dir(path))
	if err != nil {
		folder = path
	}
	folder = filepath.ToSlash(folder)
	if m := scriptComment.FindStringSubmatch(text); m != nil && strings.HasSuffix(path, ".txtar") {
		owner, _, _ := strings.Cut(folder, "/testdata")
		name := strings.TrimSuffix(filepath.Base(path), ".txtar")
		found = append(found, showing{"`" + owner + ":TestScripts` (" + name + ")", strings.Split(m[1], ", "), false})
	} else if strings.HasSuffix(path, "_test.go") {
		for _, m := range testComment.FindAllStringSubmatch(text, -1) {
			found = append(found, showing{"`" + folder + ":" + m[2] + "`", strings.Split(m[1], ", "), false})
		}
	}
	if all := anyComment.FindAllString(text, -1); len(all) != len(found) {
		stray = all
	}
	return found, stray
}

// shown joins the requirements with what shows them.
func shown(t *testing.T) []requirement {
	t.Helper()
	rows := readRequirements(t)
	place := make(map[string]int)
	for i, r := range rows {
		if _, twice := place[r.id]; twice {
			t.Errorf("%s stands twice in requirements.tsv", r.id)
		}
		place[r.id] = i
	}
	for _, s := range showings(t) {
		if len(s.ids) == 0 {
			t.Errorf("%s names no requirement", s.name)
		}
		for _, id := range s.ids {
			i, known := place[id]
			if !known {
				t.Errorf("%s shows %s, which is not in requirements.tsv", s.name, id)
				continue
			}
			rows[i].shownBy = append(rows[i].shownBy, s.name)
			if s.isCase {
				rows[i].cases++
			}
		}
	}
	return rows
}

// TestRequirementsAreShownOrExcused: nothing is called done that no test shows, and
// what is not done says why.
func TestRequirementsAreShownOrExcused(t *testing.T) {
	for _, r := range shown(t) {
		needs, known := statuses[r.status]
		switch {
		case !known:
			t.Errorf("%s: there is no status %q", r.id, r.status)
		case needs.shown && len(r.shownBy) == 0:
			t.Errorf("%s is called %s, and nothing shows it", r.id, r.status)
		case needs.why && r.why == "":
			t.Errorf("%s is called %s, and nothing says why", r.id, r.status)
		case r.status == "no" && len(r.shownBy) > 0:
			t.Errorf("%s is called not done, and shown by %v", r.id, r.shownBy)
		}
		if !strings.HasPrefix(r.section, "RFC ") || r.level == "" || !strings.HasSuffix(r.asked, ".") {
			t.Errorf("%s is not fully described", r.id)
		}
	}
}

// TestRequirementsHaveCases: what has to be or should be done, and is, any server can be
// tested for by a case of the suite; or unseen.tsv says why not.
func TestRequirementsHaveCases(t *testing.T) {
	for _, r := range shown(t) {
		binds := slices.Contains([]string{"must", "must not", "should", "should not"}, r.level)
		switch {
		case r.cases > 0 && r.unseen != "":
			t.Errorf("%s is shown by %v, and unseen.tsv says that nothing can", r.id, r.shownBy)
		case r.cases == 0 && r.unseen == "" && binds && r.status == "yes":
			t.Errorf("%s is shown by no case, and unseen.tsv does not say why", r.id)
		case r.unseen != "" && !strings.HasSuffix(r.unseen, "."):
			t.Errorf("the reason of %s is no sentence", r.id)
		}
	}
}

// TestRequirementsAreComplete compares with the list that the design was made from.
func TestRequirementsAreComplete(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(module, "..", "shared", "rfc", "requirements.tsv"))
	if err != nil {
		t.Skip("the design's list of requirements is not here")
	}
	rows := readRequirements(t)
	for i, line := range strings.Split(strings.TrimSpace(string(text)), "\n") {
		f := strings.Split(line, "\t")
		if i > 0 && !slices.ContainsFunc(rows, func(r requirement) bool { return r.id == f[0] && r.section == f[1] }) {
			t.Errorf("%s (%s) is not in requirements.tsv", f[0], f[1])
		}
	}
}

func TestShowingsOf(t *testing.T) {
	for _, c := range []struct {
		name, path, text string
		want             []string // name and ids
		stray            int
	}{
		{"above a test", "../siprec/a_test.go", "// TestX says more.\n// Shows 7866-4-01, DRV9806-2-01.\nfunc TestX(t *testing.T) {", []string{"`siprec:TestX`", "7866-4-01", "DRV9806-2-01"}, 0},
		{"above a fuzz target", "../siprec/a_test.go", "// Shows 7866-4-01.\nfunc FuzzX(f *testing.F) {", []string{"`siprec:FuzzX`", "7866-4-01"}, 0},
		{"above a helper", "../siprec/a_test.go", "// Shows 7866-4-01.\nfunc helper() {", nil, 1},
		{"a line too high", "../siprec/a_test.go", "// Shows 7866-4-01.\n// More.\nfunc TestX(t *testing.T) {", nil, 1},
		{"other words", "../siprec/a_test.go", "// Shows what it does.\nfunc TestX(t *testing.T) {", nil, 0},
		{"a script", "../cmd/x/testdata/script/call.txtar", "# Shows 7866-4-01.\nexec x\n", []string{"`cmd/x:TestScripts` (call)", "7866-4-01"}, 0},
		{"within a script", "../cmd/x/testdata/script/call.txtar", "exec x\n# Shows 7866-4-01.\n", nil, 1},
	} {
		found, stray := showingsOf(c.path, c.text)
		var got []string
		for _, s := range found {
			got = append(append(got, s.name), s.ids...)
		}
		if !slices.Equal(got, c.want) || len(stray) != c.stray {
			t.Errorf("%s: found %q, stray %q", c.name, got, stray)
		}
	}
}
