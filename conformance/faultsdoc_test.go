package conformance_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/siprecd/siprecd/conformance"
	"github.com/siprecd/siprecd/conformance/internal/faults"
)

// TestFaultsManual holds docs/conformance-faults.md to the faults and the cases.
func TestFaultsManual(t *testing.T) {
	path := filepath.Join(module, "docs", "conformance-faults.md")
	want := faultsManual()
	if *update && !t.Failed() {
		if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(path); err != nil || string(got) != want {
		t.Errorf("docs/conformance-faults.md is not what the faults and cases make of it (%v): go test ./conformance -run TestFaultsManual -update", err)
	}
}

const faultsPreface = `# Servers that are wrong on purpose

The suite is tested itself. A small server that does everything right passes every case,
over UDP, TCP and TLS; each server below is the same but for one mistake, and is failed by
the cases that are meant for it. This page is made from ` + "`conformance/internal/faults`" + `; do
not edit it. ` + "`TestFaultsAreCaught`" + ` runs every line of it.

`

func faultsManual() string {
	var b strings.Builder
	b.WriteString(faultsPreface)
	all, caught := faults.All(), caughtBy()
	fmt.Fprintf(&b, "%d faults, %d of the %d cases that need nothing but a target.\n", len(all), len(caught), len(conformance.All()))
	last := ""
	for _, f := range byGroup(all) {
		if group := groupOf(f.Caught[0]); group != last {
			last = group
			fmt.Fprintf(&b, "\n## %s\n\n| fault | what the server does | failed by |\n|---|---|---|\n", group)
		}
		fmt.Fprintf(&b, "| %s | %s | %s |\n", f.Name, f.Says, strings.Join(f.Caught, ", "))
	}
	b.WriteString("\n## Case by case\n\n| case | level | fails |\n|---|---|---|\n")
	for _, c := range conformance.All() {
		if names := caught[c.ID]; len(names) > 0 {
			fmt.Fprintf(&b, "| %s | %s | %s |\n", c.ID, c.Level, strings.Join(names, ", "))
		}
	}
	return b.String()
}

// byGroup has the faults of a group one after the other; the groups come in the order in
// which they begin.
func byGroup(all []faults.Fault) []faults.Fault {
	place := make(map[string]int)
	for i, f := range all {
		if _, known := place[groupOf(f.Caught[0])]; !known {
			place[groupOf(f.Caught[0])] = i
		}
	}
	sorted := slices.Clone(all)
	slices.SortStableFunc(sorted, func(a, b faults.Fault) int {
		return place[groupOf(a.Caught[0])] - place[groupOf(b.Caught[0])]
	})
	return sorted
}

// groupOf is the first part of an ID.
func groupOf(id string) string {
	group, _, _ := strings.Cut(id, "/")
	return group
}
