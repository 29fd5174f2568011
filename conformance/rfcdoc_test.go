package conformance_test

import (
	"cmp"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the pages that are made from tests anew")

// TestRFCManual holds docs/rfc.md to the requirements and the tests that show them.
func TestRFCManual(t *testing.T) {
	path := filepath.Join(module, "docs", "rfc.md")
	want := rfcManual(shown(t))
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("docs/rfc.md is not what requirements.tsv and the tests make of it (%v): go test ./conformance -run TestRFCManual -update", err)
	}
}

const rfcPreface = `# What the standards ask for

One row for each requirement that binds a recording server, or that it has to cope with,
in our words. This page is made from ` + "`conformance/requirements.tsv`" + ` and from the tests,
which say themselves what they show; do not edit it. A test holds it to both.

* **yes**: done, and the tests named show it.
* **partial**: shown as far as it goes; what is missing stands in the row.
* **no**: not done; the row says what happens instead.
* **later**: waits for the recording of video.
* **not ours**: binds somebody else, and asks nothing of a server.

Tests are written ` + "`folder:Test`" + `. What looks like ` + "`rfc7866/7.2/1`" + ` is a case of the
conformance suite: ` + "`siprec-conformance list`" + ` has them all, and
` + "`cmd/siprecd:TestConformance`" + ` runs them against the program. Levels are those of the
RFC; *derived* follows from several, *describes* is said of others or by the way.

`

func rfcManual(rows []requirement) string {
	var b strings.Builder
	b.WriteString(rfcPreface)
	counts := make(map[string]int)
	for _, r := range rows {
		counts[r.status]++
	}
	fmt.Fprintf(&b, "%d requirements: %d yes, %d partial, %d no, %d later, %d not ours.\n",
		len(rows), counts["yes"], counts["partial"], counts["no"], counts["later"], counts["not ours"])
	slices.SortStableFunc(rows, func(a, b requirement) int {
		return cmp.Or(rank(a.rfc())-rank(b.rfc()), cmp.Compare(a.rfc(), b.rfc()), slices.Compare(a.numbers(), b.numbers()))
	})
	last := ""
	for _, r := range rows {
		if r.rfc() != last {
			last = r.rfc()
			fmt.Fprintf(&b, "\n## %s\n\n| section | id | level | asks for | | shown by |\n|---|---|---|---|---|---|\n", strings.TrimSpace("RFC "+last+" "+titles[last]))
		}
		_, section, _ := strings.Cut(r.section, last+" ")
		fmt.Fprintf(&b, "| §%s | %s | %s | %s | %s | %s |\n", section, r.id, r.level, r.asked, r.status,
			strings.TrimSpace(r.why+" "+strings.Join(r.shownBy, ", ")+r.excuse()))
	}
	return b.String()
}

var titles = map[string]string{"7866": "(Session Recording Protocol)", "7865": "(Recording Metadata)"}

// rank puts the two RFCs of recording first.
func rank(rfc string) int {
	switch rfc {
	case "7866":
		return 0
	case "7865":
		return 1
	}
	return 2
}

// excuse says why no case of the suite shows the requirement.
func (r requirement) excuse() string {
	if r.unseen == "" {
		return ""
	}
	return ". No case: " + strings.ToLower(r.unseen[:1]) + r.unseen[1:]
}

func (r requirement) rfc() string { return strings.Fields(r.section)[1] }

// numbers is the section as it is sorted; an appendix comes last.
func (r requirement) numbers() []int {
	var out []int
	for _, part := range strings.Split(strings.Trim(strings.Fields(r.section)[2], ","), ".") {
		n, err := strconv.Atoi(part)
		if err != nil {
			n = 1000
		}
		out = append(out, n)
	}
	return out
}
