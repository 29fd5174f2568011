package main

import (
	"crypto/sha256"
	"fmt"
	"os"
	"slices"
	"strings"
)

// readLedger reads both lists of survivors.
func readLedger(known, open string) (ledger, error) {
	listed, err := readKnown(known)
	if err != nil {
		return ledger{}, err
	}
	text, err := os.ReadFile(open)
	if err != nil && !os.IsNotExist(err) {
		return ledger{}, err
	}
	l := ledger{listed: listed, open: map[string]bool{}}
	for line := range strings.Lines(string(text)) {
		l.open[strings.TrimSuffix(line, "\n")] = true
	}
	return l, nil
}

// readKnown reads the table of survivors: five columns, file, function, change,
// code and reason, the code between backquotes. A row without a reason is an
// error.
func readKnown(path string) (map[string]bool, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	listed := map[string]bool{}
	for n, line := range strings.Split(string(text), "\n") {
		if !strings.HasPrefix(line, "| rules") {
			continue
		}
		cells := strings.Split(strings.ReplaceAll(line, `\|`, "\x00"), "|")
		if len(cells) != 7 {
			return nil, fmt.Errorf("%s:%d: want 5 columns", path, n+1)
		}
		for i, c := range cells {
			cells[i] = strings.Trim(strings.ReplaceAll(c, "\x00", "|"), " ")
		}
		if cells[5] == "" {
			return nil, fmt.Errorf("%s:%d: no reason", path, n+1)
		}
		code := strings.TrimSuffix(strings.TrimPrefix(cells[4], "`"), "`")
		listed[strings.Join([]string{cells[1], cells[2], cells[3], code}, " | ")] = true
	}
	return listed, nil
}

// choose draws some of the mutants, the same for the same seed.
func choose(all []*mutant, many int, seed, only string) []*mutant {
	var chosen []*mutant
	for _, m := range all {
		if strings.Contains(m.String(), only) {
			chosen = append(chosen, m)
		}
	}
	if many <= 0 || many >= len(chosen) {
		return chosen
	}
	lot := func(m *mutant) string {
		sum := sha256.Sum256([]byte(seed + "\n" + m.String()))
		return string(sum[:])
	}
	slices.SortFunc(chosen, func(a, b *mutant) int { return strings.Compare(lot(a), lot(b)) })
	return chosen[:many]
}

// left are the mutants that an earlier report does not call dead: those that
// survived, and those that are new.
func left(path string, all []*mutant) ([]*mutant, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	dead := map[string]bool{}
	for line := range strings.Lines(string(text)) {
		if f := strings.Split(line, "\t"); f[0] != string(survived) {
			dead[f[1]] = true
		}
	}
	return slices.DeleteFunc(all, func(m *mutant) bool { return dead[m.String()] }), nil
}
