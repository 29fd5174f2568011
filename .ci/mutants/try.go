package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"time"
)

// fate is what became of a mutant.
type fate string

const (
	killed   fate = "killed"
	hung     fate = "hung" // killed by the clock
	survived fate = "survived"
)

// patience is how long the tests of one package may take with a mutant in them.
// Without one they take well under a second.
const patience = 10 * time.Second

// try builds the tests once and runs them once for each mutant.
func (w *weave) try(chosen []*mutant) error {
	dir, err := os.MkdirTemp("", "mutants")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	overlay, err := w.writeOverlay(dir)
	if err != nil {
		return err
	}
	tests, err := w.build(dir, overlay)
	if err != nil {
		return err
	}
	for pkg, binary := range tests {
		if f, out := runTest(pkg, binary, 0); f != survived {
			return fmt.Errorf("%s fails without any mutant:\n%s", pkg, out)
		}
	}
	w.tryAll(chosen, tests)
	return nil
}

// build compiles the tests of every package that is to notice something.
func (w *weave) build(dir, overlay string) (map[string]string, error) {
	tests := map[string]string{}
	for _, t := range w.targets {
		for _, pkg := range t.tests {
			if tests[pkg] != "" {
				continue
			}
			binary := filepath.Join(dir, strings.ReplaceAll(pkg, "/", "_")+".test")
			out, err := exec.Command("go", "test", "-c", "-overlay", overlay, "-o", binary, "./"+pkg).CombinedOutput()
			if err != nil {
				return nil, fmt.Errorf("%s: %w\n%s", pkg, err, out)
			}
			tests[pkg] = binary
		}
	}
	return tests, nil
}

func (w *weave) tryAll(chosen []*mutant, tests map[string]string) {
	queue := make(chan *mutant)
	var workers sync.WaitGroup
	for range runtime.NumCPU() {
		workers.Go(func() {
			for m := range queue {
				m.fate = w.tryOne(m, tests)
			}
		})
	}
	for i, m := range chosen {
		if i%500 == 499 {
			fmt.Fprintf(os.Stderr, "%d of %d\n", i+1, len(chosen))
		}
		queue <- m
	}
	close(queue)
	workers.Wait()
}

func (w *weave) tryOne(m *mutant, tests map[string]string) fate {
	for _, pkg := range w.targets[m.target].tests {
		if f, _ := runTest(pkg, tests[pkg], m.number); f != survived {
			return f
		}
	}
	return survived
}

// runTest runs the tests of a package with one mutant awake, 0 for none.
func runTest(pkg, binary string, number int) (fate, []byte) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	cmd := exec.CommandContext(ctx, binary, "-test.failfast", "-test.short")
	if p := patterns[pkg]; p != "" {
		cmd.Args = append(cmd.Args, "-test.run", p)
	}
	cmd.Dir = pkg
	cmd.Env = append(os.Environ(), "MUTANT="+strconv.Itoa(number))
	out, err := cmd.CombinedOutput()
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return hung, out
	case err != nil:
		return killed, out
	}
	return survived, out
}
