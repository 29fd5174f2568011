package main

import (
	"fmt"
	"io"
	"os"

	"github.com/siprecd/siprecd/conformance/report"
)

type compareCommand struct {
	Reports []string `arg:"" help:"Reports that run wrote with --json."`
}

func (c compareCommand) run(stdout io.Writer) error {
	var all []report.Summary
	for _, path := range c.Reports {
		s, err := readSummary(path)
		if err != nil {
			return fmt.Errorf("%s: %w", path, err)
		}
		all = append(all, s)
	}
	return report.Compare(stdout, all)
}

func readSummary(path string) (report.Summary, error) {
	f, err := os.Open(path)
	if err != nil {
		return report.Summary{}, err
	}
	defer f.Close()
	return report.ReadSummary(f)
}
