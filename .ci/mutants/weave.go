package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/importer"
	"go/parser"
	"go/token"
	"go/types"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// weave is the tree with all mutants in it, asleep.
type weave struct {
	mutants []*mutant
	overlay map[string]string // file of the tree -> text
	targets []target
}

// weaveAll finds the mutants of every target.
func weaveAll(targets []target) (*weave, error) {
	w := &weave{overlay: map[string]string{}, targets: targets}
	exports, err := exportFiles(targets)
	if err != nil {
		return nil, err
	}
	for i, t := range targets {
		if err := w.add(i, t, exports); err != nil {
			return nil, fmt.Errorf("%s: %w", t.dir, err)
		}
	}
	w.number()
	return w, nil
}

// number tells mutants of the same name apart.
func (w *weave) number() {
	seen := map[string]int{}
	for _, m := range w.mutants {
		name := m.String()
		seen[name]++
		if n := seen[name]; n > 1 {
			m.code = fmt.Sprintf("%s #%d", m.code, n)
		}
	}
}

// exportFiles are the compiled forms of everything that the targets import.
func exportFiles(targets []target) (map[string]string, error) {
	args := []string{"list", "-export", "-deps", "-f", "{{.ImportPath}} {{.Export}}"}
	for _, t := range targets {
		args = append(args, "./"+t.dir)
	}
	out, err := exec.Command("go", args...).Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	files := map[string]string{}
	for line := range strings.Lines(string(out)) {
		if path, file, ok := strings.Cut(strings.TrimSpace(line), " "); ok {
			files[path] = file
		}
	}
	return files, nil
}

// source is a file on its way.
type source struct {
	path    string
	text    []byte
	syntax  *ast.File
	patches []patch
	names   []string // of the function of each patch
}

// add weaves the mutants of one package, less those that do not compile.
func (w *weave) add(i int, t target, exports map[string]string) error {
	fset := token.NewFileSet()
	sources, err := parseDir(fset, t.dir)
	if err != nil {
		return err
	}
	info := &types.Info{Types: map[ast.Expr]types.TypeAndValue{}}
	pkg, errs := typesOf(fset, t.dir, sources, exports, info)
	if len(errs) > 0 {
		return errs[0]
	}
	for _, s := range sources {
		s.find(pkg, info)
	}
	for {
		first := len(w.mutants)
		spans := w.weavePackage(i, t, fset, sources)
		dropped, err := w.refused(t, sources, exports, spans)
		if err != nil {
			return err
		}
		if !dropped {
			return nil
		}
		w.mutants = w.mutants[:first]
	}
}

func parseDir(fset *token.FileSet, dir string) ([]*source, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil {
		return nil, err
	}
	var sources []*source
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		syntax, err := parser.ParseFile(fset, path, text, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		sources = append(sources, &source{path: path, text: text, syntax: syntax})
	}
	return sources, nil
}

func (s *source) find(pkg *types.Package, info *types.Info) {
	for _, d := range s.syntax.Decls {
		f := &finder{info: info, pkg: pkg}
		switch d := d.(type) {
		case *ast.FuncDecl:
			f.body(d.Type, d.Body)
		case *ast.GenDecl:
			f.declared(d)
		}
		for _, p := range f.patches {
			s.patches = append(s.patches, p)
			s.names = append(s.names, functionName(d))
		}
	}
}

// typesOf checks a package and returns what is wrong with it.
func typesOf(fset *token.FileSet, dir string, sources []*source, exports map[string]string, info *types.Info) (*types.Package, []error) {
	var errs []error
	lookup := func(path string) (io.ReadCloser, error) {
		file, ok := exports[path]
		if !ok {
			return nil, fmt.Errorf("no compiled form of %s", path)
		}
		return os.Open(file)
	}
	config := types.Config{
		Importer: importer.ForCompiler(fset, "gc", lookup),
		Error:    func(err error) { errs = append(errs, err) },
	}
	var files []*ast.File
	for _, s := range sources {
		files = append(files, s.syntax)
	}
	pkg, err := config.Check(dir, fset, files, info)
	if err != nil && len(errs) == 0 {
		errs = append(errs, err)
	}
	return pkg, errs
}

// placed is where a patch came to lie in the woven text.
type placed struct {
	source, patch, from, to int
}

// weavePackage writes the woven text of a package to the overlay.
func (w *weave) weavePackage(i int, t target, fset *token.FileSet, sources []*source) []placed {
	var all []placed
	for n, s := range sources {
		text, spans := w.weaveFile(i, fset, s)
		w.overlay[s.path] = text
		for _, p := range spans {
			p.source = n
			all = append(all, p)
		}
	}
	name := sources[0].syntax.Name.Name
	w.overlay[filepath.Join(t.dir, "mutants_woven.go")] = "package " + name + "\n" + helpers
	return all
}

// A piece of text goes in at an offset, in place of width bytes. At one offset
// what closes comes first, the inner before the outer; then what opens, the
// outer before the inner.
type piece struct {
	offset, width, rank int
	text                string
	patch               int
	opens, closes       bool
}

func (w *weave) weaveFile(i int, fset *token.FileSet, s *source) (string, []placed) {
	file := fset.File(s.syntax.Pos())
	var pieces []piece
	for n, p := range s.patches {
		var numbers []any
		for _, change := range p.changes {
			w.mutants = append(w.mutants, &mutant{
				file: s.path, function: s.names[n], change: change,
				code: oneLine(s.text[file.Offset(p.node.Pos()):file.Offset(p.node.End())]),
				line: file.Line(p.node.Pos()), target: i, number: len(w.mutants) + 1,
			})
			numbers = append(numbers, len(w.mutants))
		}
		pieces = append(pieces,
			piece{offset: file.Offset(p.node.Pos()), rank: n, text: fmt.Sprintf(p.before, numbers...), patch: n, opens: true},
			piece{offset: file.Offset(p.node.End()), rank: -len(s.patches) - n, text: p.after, patch: n, closes: true})
		if p.operator.IsValid() {
			pieces = append(pieces, piece{offset: file.Offset(p.operator), width: p.width, text: p.between, patch: n})
		}
	}
	slices.SortStableFunc(pieces, func(a, b piece) int {
		if a.offset != b.offset {
			return a.offset - b.offset
		}
		return a.rank - b.rank
	})
	return weaveText(s.text, pieces, len(s.patches))
}

func weaveText(text []byte, pieces []piece, patches int) (string, []placed) {
	spans := make([]placed, patches)
	var out bytes.Buffer
	at := 0
	for _, p := range pieces {
		out.Write(text[at:p.offset])
		at = p.offset + p.width
		if p.opens {
			spans[p.patch] = placed{patch: p.patch, from: out.Len()}
		}
		out.WriteString(p.text)
		if p.closes {
			spans[p.patch].to = out.Len()
		}
	}
	out.Write(text[at:])
	return out.String(), spans
}

// oneLine is code as it stands in a list.
func oneLine(code []byte) string {
	const most = 100
	line := strings.Join(strings.Fields(string(code)), " ")
	if runes := []rune(line); len(runes) > most {
		line = string(runes[:most]) + "..."
	}
	return strings.ReplaceAll(line, "`", "'")
}

// refused drops the patches that the compiler does not take, the innermost one
// at each error, and says whether there were any.
func (w *weave) refused(t target, sources []*source, exports map[string]string, spans []placed) (bool, error) {
	fset := token.NewFileSet()
	var woven []*source
	for _, s := range append(slices.Clone(sources), &source{path: filepath.Join(t.dir, "mutants_woven.go")}) {
		syntax, err := parser.ParseFile(fset, s.path, w.overlay[s.path], parser.SkipObjectResolution)
		if err != nil {
			return false, err
		}
		woven = append(woven, &source{path: s.path, syntax: syntax})
	}
	_, errs := typesOf(fset, t.dir, woven, exports, nil)
	drop := map[[2]int]bool{}
	for _, err := range errs {
		var wrong types.Error
		if !errors.As(err, &wrong) {
			return false, err
		}
		place := fset.Position(wrong.Pos)
		inner, ok := innermost(sources, spans, place)
		if !ok {
			return false, fmt.Errorf("woven: %w", err)
		}
		drop[[2]int{inner.source, inner.patch}] = true
	}
	for n, s := range sources {
		s.keep(func(p int) bool { return !drop[[2]int{n, p}] })
	}
	return len(drop) > 0, nil
}

func innermost(sources []*source, spans []placed, place token.Position) (placed, bool) {
	var found placed
	ok := false
	for _, p := range spans {
		if sources[p.source].path != place.Filename || place.Offset < p.from || place.Offset >= p.to {
			continue
		}
		if !ok || p.to-p.from < found.to-found.from {
			found, ok = p, true
		}
	}
	return found, ok
}

func (s *source) keep(good func(int) bool) {
	var patches []patch
	var names []string
	for i := range s.patches {
		if good(i) {
			patches = append(patches, s.patches[i])
			names = append(names, s.names[i])
		}
	}
	s.patches, s.names = patches, names
}

// writeOverlay puts the woven files into dir and returns the overlay file.
func (w *weave) writeOverlay(dir string) (string, error) {
	replace := map[string]string{}
	n := 0
	for path, text := range w.overlay {
		whole, err := filepath.Abs(path)
		if err != nil {
			return "", err
		}
		n++
		file := filepath.Join(dir, fmt.Sprintf("%d_%s", n, filepath.Base(path)))
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			return "", err
		}
		replace[whole] = file
	}
	text, err := json.Marshal(map[string]any{"Replace": replace})
	if err != nil {
		return "", err
	}
	file := filepath.Join(dir, "overlay.json")
	return file, os.WriteFile(file, text, 0o644)
}

// helpers is what every changed package gets. Each function does what stands in
// the source, or, when its number is called, the other thing.
const helpers = `
import (
	"cmp"
	"os"
	"strconv"
)

var mutantCalled = func() int {
	n, _ := strconv.Atoi(os.Getenv("MUTANT"))
	return n
}()

func mutantOn(n int) bool { return n == mutantCalled }

func mutantTruth[T ~bool](never, always int, v T) T {
	switch {
	case never != 0 && mutantOn(never):
		return v && !v
	case always != 0 && mutantOn(always):
		return v || !v
	}
	return v
}

func mutantFlip[T ~bool](n int, v T) T {
	if mutantOn(n) {
		return !v
	}
	return v
}

func mutantAnd(n int, a bool, b func() bool) bool {
	if mutantOn(n) {
		return a || b()
	}
	return a && b()
}

func mutantOr(n int, a bool, b func() bool) bool {
	if mutantOn(n) {
		return a && b()
	}
	return a || b()
}

func mutantZero[T any](n int, v T) T {
	if mutantOn(n) {
		var zero T
		return zero
	}
	return v
}

type mutantNumber interface {
	~int | ~int8 | ~int16 | ~int32 | ~int64 | ~uint | ~uint8 | ~uint16 | ~uint32 | ~uint64 | ~float32 | ~float64
}

func mutantPlus[T mutantNumber](n int, v T) T {
	if mutantOn(n) {
		return v + 1
	}
	return v
}

func mutantLess[T cmp.Ordered](n int, a, b T) bool    { return a < b || mutantOn(n) && a == b }
func mutantMore[T cmp.Ordered](n int, a, b T) bool    { return a > b || mutantOn(n) && a == b }
func mutantAtMost[T cmp.Ordered](n int, a, b T) bool  { return a < b || !mutantOn(n) && a == b }
func mutantAtLeast[T cmp.Ordered](n int, a, b T) bool { return a > b || !mutantOn(n) && a == b }

func mutantAdd[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a - b
	}
	return a + b
}

func mutantSub[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a + b
	}
	return a - b
}

func mutantMul[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a / b
	}
	return a * b
}

func mutantQuo[T mutantNumber](n int, a, b T) T {
	if mutantOn(n) {
		return a * b
	}
	return a / b
}
`
