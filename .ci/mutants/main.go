// Command mutants changes the packages of the rules in small ways, one at a
// time, and sees whether a test fails. All changes are woven into one build by
// an overlay, each behind a number; the number comes by the environment. So
// there is one compilation for all of them, and no file of the tree is touched.
//
//	go run ./.ci/mutants                     all of them
//	go run ./.ci/mutants -sample 150 -seed S some of them, the same for the same seed
//
// It fails when a mutant survives that neither docs/mutants.md nor open.txt lists.
// Where all were tried it fails also when fewer than 95 in 100 were killed, when
// one without a reason survives, and when a listed one is gone.
package main

import (
	"flag"
	"fmt"
	"log"
	"os"
	"strings"
	"time"
)

// targets are the packages that are changed, and the tests that should notice.
var targets = []target{
	{dir: "rules", tests: []string{"rules/replay", "rules"}},
	{dir: "rules/policy", tests: []string{"rules/policy", "cmd/siprecd"}},
	{dir: "rules/replay", tests: []string{"rules/replay", "rules"}},
	{dir: "rules/scenario", tests: []string{"rules/scenario", "rules/replay", "rules"}},
}

// patterns limits the tests of a package; one without an entry runs them all.
var patterns = map[string]string{"cmd/siprecd": "^TestPolicyManual$"}

type target struct {
	dir   string
	tests []string
}

// wanted is how many of 100 mutants have to be killed.
const wanted = 95

func main() {
	log.SetFlags(0)
	sample := flag.Int("sample", 0, "try only so `many` mutants")
	seed := flag.String("seed", "", "what the sample is drawn by, such as a commit")
	only := flag.String("only", "", "try only mutants whose line contains this `text`")
	again := flag.String("again", "", "try only what is not killed according to this `report`")
	known := flag.String("known", "docs/mutants.md", "the `file` that lists the survivors")
	open := flag.String("open", ".ci/mutants/open.txt", "the `file` of survivors that nobody has judged yet")
	report := flag.String("report", "", "write each mutant and its fate to this `file`")
	flag.Parse()
	begin := time.Now()

	survivors, err := readLedger(*known, *open)
	check(err)
	woven, err := weaveAll(targets)
	check(err)
	chosen := choose(woven.mutants, *sample, *seed, *only)
	if *again != "" {
		chosen, err = left(*again, chosen)
		check(err)
	}
	whole := len(chosen) == len(woven.mutants)
	check(woven.try(chosen))
	if *report != "" {
		check(writeReport(*report, chosen))
	}
	if !survivors.judge(chosen, whole, time.Since(begin)) {
		os.Exit(1)
	}
}

func check(err error) {
	if err != nil {
		log.Fatal("mutants: ", err)
	}
}

// A ledger is what is known of survivors: those with a reason, and those that
// nobody has judged yet.
type ledger struct {
	listed map[string]bool
	open   map[string]bool
}

// judge prints what came of the mutants and says whether that is good enough.
func (l ledger) judge(tried []*mutant, whole bool, took time.Duration) bool {
	counts := map[fate]int{}
	good, open := true, 0
	seen := map[string]bool{}
	for _, m := range tried {
		counts[m.fate]++
		name := m.String()
		seen[name] = true
		switch {
		case m.fate != survived && (l.listed[name] || l.open[name]):
			fmt.Println("note: listed as a survivor, and was killed:", m)
		case m.fate == survived && l.open[name]:
			open++
		case m.fate == survived && !l.listed[name]:
			fmt.Println("fail: survived, and is not listed:", m, "at line", m.line)
			good = false
		}
	}
	dead := counts[killed] + counts[hung]
	fmt.Printf("== %d mutants, %d killed (%d of them by the clock), %d survived (%d of them not judged yet), %.2f %% killed, %s\n",
		len(tried), dead, counts[hung], counts[survived], open,
		100*float64(dead)/float64(max(1, len(tried))), took.Round(time.Second))
	if !whole {
		return good
	}
	for name := range l.listed {
		if !seen[name] {
			fmt.Println("fail: listed as a survivor, and there is no such mutant:", name)
			good = false
		}
	}
	if open > 0 {
		fmt.Printf("fail: %d survivors are listed without a reason\n", open)
		good = false
	}
	if dead*100 < wanted*len(tried) {
		fmt.Printf("fail: fewer than %d %% were killed\n", wanted)
		good = false
	}
	return good
}

func writeReport(path string, tried []*mutant) error {
	var b strings.Builder
	for _, m := range tried {
		fmt.Fprintf(&b, "%s\t%s\t%d\n", m.fate, m, m.line)
	}
	return os.WriteFile(path, []byte(b.String()), 0o644)
}
