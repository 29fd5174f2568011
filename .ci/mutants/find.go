package main

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// A mutant is one change of one place.
type mutant struct {
	file, function, change, code string
	line                         int
	target                       int
	number                       int
	fate                         fate
}

// String names the mutant without its line, so that the name outlives changes
// elsewhere in the file.
func (m *mutant) String() string {
	return strings.Join([]string{m.file, m.function, m.change, m.code}, " | ")
}

// A patch is text put before and after a node, and in place of its operator. It
// carries the mutants it makes possible.
type patch struct {
	node          ast.Node
	before, after string // %d stands for the numbers of the mutants
	operator      token.Pos
	width         int
	between       string
	changes       []string
}

// finder looks for the places of one file.
type finder struct {
	info    *types.Info
	pkg     *types.Package
	patches []patch
	results bool     // the function at hand returns something
	last    ast.Stmt // its last statement
}

func (f *finder) add(n ast.Node, before, after string, changes ...string) {
	f.patches = append(f.patches, patch{node: n, before: before, after: after, changes: changes})
}

func (f *finder) infix(e *ast.BinaryExpr, before, between, after, change string) {
	f.patches = append(f.patches, patch{
		node: e, before: before, after: after, changes: []string{change},
		operator: e.OpPos, width: len(e.Op.String()), between: between,
	})
}

// body looks through a function.
func (f *finder) body(kind *ast.FuncType, block *ast.BlockStmt) {
	if block == nil {
		return
	}
	results, last := f.results, f.last
	f.results = kind.Results.NumFields() > 0
	f.last = nil
	if n := len(block.List); n > 0 {
		f.last = block.List[n-1]
	}
	f.statements(block.List)
	f.results, f.last = results, last
}

func (f *finder) statements(list []ast.Stmt) {
	for _, s := range list {
		f.statement(s, true)
	}
}

// statement looks through one statement; a removable one may be left out.
func (f *finder) statement(s ast.Stmt, removable bool) {
	switch s := s.(type) {
	case nil:
	case *ast.BlockStmt:
		f.statements(s.List)
	case *ast.LabeledStmt:
		f.statement(s.Stmt, false)
	case *ast.IfStmt:
		f.branch(s)
	case *ast.ForStmt:
		f.loop(s, removable && s.Cond != nil)
		f.statement(s.Init, false)
		f.condition(s.Cond, false)
		f.statement(s.Post, false)
		f.statements(s.Body.List)
	case *ast.RangeStmt:
		f.loop(s, removable)
		f.expression(s.X)
		f.statements(s.Body.List)
	case *ast.SwitchStmt:
		f.statement(s.Init, false)
		f.expression(s.Tag)
		f.cases(s, s.Body.List, s.Tag == nil)
	case *ast.TypeSwitchStmt:
		f.cases(s, s.Body.List, false)
	case *ast.ReturnStmt:
		f.remove(s, removable)
		f.returned(s)
	case *ast.DeclStmt:
		f.declared(s.Decl)
	case *ast.AssignStmt:
		f.remove(s, removable && s.Tok != token.DEFINE && !blank(s))
		f.assigned(s)
	case *ast.ExprStmt:
		f.remove(s, removable && !panics(s.X))
		f.expression(s.X)
	case *ast.IncDecStmt, *ast.BranchStmt, *ast.DeferStmt:
		f.remove(s, removable)
	}
}

// branch looks through an if. Where its body is a single statement, leaving
// that out is the same as a condition that is false.
func (f *finder) branch(s *ast.IfStmt) {
	f.statement(s.Init, false)
	f.condition(s.Cond, true)
	single := len(s.Body.List) == 1 && s.Else == nil
	for _, inner := range s.Body.List {
		f.statement(inner, !single)
	}
	f.statement(s.Else, false)
}

func (f *finder) loop(s ast.Stmt, removable bool) {
	if removable {
		f.add(s, "if !mutantOn(%d) {", "}", "no loop")
	}
}

// cases looks through a switch. The body of a case is left out as a whole when
// it is more than one statement.
func (f *finder) cases(s ast.Stmt, clauses []ast.Stmt, bare bool) {
	for _, c := range clauses {
		clause := c.(*ast.CaseClause)
		for _, e := range clause.List {
			if bare {
				f.condition(e, true)
			} else if tv, ok := f.info.Types[e]; ok && tv.Value == nil && !tv.IsType() {
				f.expression(e)
			}
		}
		if n := len(clause.Body); n > 1 && !bare && !(f.ends(clause.Body[n-1]) && s == f.last) {
			f.add(span{clause.Body[0], clause.Body[n-1]}, "if !mutantOn(%d) {", "}", "no case")
		}
		single := bare && len(clause.Body) == 1 && len(clause.List) > 0
		for _, inner := range clause.Body {
			f.statement(inner, !single)
		}
	}
}

// span is a run of statements.
type span struct{ first, last ast.Node }

func (s span) Pos() token.Pos { return s.first.Pos() }
func (s span) End() token.Pos { return s.last.End() }

func (f *finder) ends(s ast.Stmt) bool {
	_, is := s.(*ast.ReturnStmt)
	return is && f.results
}

// remove leaves a statement out. A return at the very end of a function that
// has results cannot be left out: the compiler refuses that.
func (f *finder) remove(s ast.Stmt, removable bool) {
	if !removable || f.ends(s) && f.last != nil && f.last.Pos() <= s.Pos() && s.End() <= f.last.End() {
		return
	}
	if b, is := s.(*ast.BranchStmt); is && b.Tok == token.FALLTHROUGH {
		return
	}
	f.add(s, "if !mutantOn(%d) {", "}", "removed")
}

func (f *finder) returned(s *ast.ReturnStmt) {
	for _, e := range s.Results {
		tv := f.info.Types[e]
		if truth(tv) {
			f.condition(e, true)
			continue
		}
		if _, tuple := tv.Type.(*types.Tuple); !tuple && tv.Value == nil && !tv.IsNil() && !empty(e) {
			f.add(e, "mutantZero(%d, ", ")", "zero")
		}
		f.expression(e)
	}
}

func (f *finder) declared(d ast.Decl) {
	decl, ok := d.(*ast.GenDecl)
	if !ok || decl.Tok != token.VAR {
		return
	}
	for _, s := range decl.Specs {
		for _, e := range s.(*ast.ValueSpec).Values {
			f.value(e)
		}
	}
}

func (f *finder) assigned(s *ast.AssignStmt) {
	for _, e := range s.Lhs {
		if index, is := e.(*ast.IndexExpr); is {
			f.value(index.Index)
		}
	}
	for _, e := range s.Rhs {
		f.value(e)
	}
}

// value looks through an expression whose result is kept: a truth that is not
// just copied is a condition.
func (f *finder) value(e ast.Expr) {
	switch ast.Unparen(e).(type) {
	case *ast.Ident, *ast.SelectorExpr:
		f.expression(e)
		return
	}
	if truth(f.info.Types[e]) {
		f.condition(e, true)
		return
	}
	f.expression(e)
}

// condition looks through a truth: each part of it is once always true and once
// never. A loop is not run for ever.
func (f *finder) condition(e ast.Expr, always bool) {
	if e == nil {
		return
	}
	switch inner := ast.Unparen(e).(type) {
	case *ast.BinaryExpr:
		if inner.Op == token.LAND || inner.Op == token.LOR {
			f.logic(inner, always)
			return
		}
	case *ast.Ident:
		if f.info.Types[e].Value != nil {
			f.add(e, "mutantFlip(%d, ", ")", map[string]string{"true": "false", "false": "true"}[inner.Name])
			return
		}
	}
	if always {
		f.add(e, "mutantTruth(%d, %d, ", ")", "false", "true")
	} else {
		f.add(e, "mutantTruth(%d, 0, ", ")", "false")
	}
	f.expression(e)
}

func (f *finder) logic(e *ast.BinaryExpr, always bool) {
	if e.Op == token.LAND {
		f.infix(e, "mutantAnd(%d, ", ", func() bool { return (", ")})", "|| for &&")
	} else {
		f.infix(e, "mutantOr(%d, ", ", func() bool { return (", ")})", "&& for ||")
	}
	f.condition(e.X, always)
	f.condition(e.Y, always)
}

// expression looks through an expression that is no condition by itself.
func (f *finder) expression(e ast.Expr) {
	if e == nil {
		return
	}
	tv := f.info.Types[e]
	if tv.IsType() {
		return
	}
	if tv.Value != nil {
		f.constant(e, tv)
		return
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		f.expression(e.X)
	case *ast.UnaryExpr:
		f.expression(e.X)
	case *ast.StarExpr:
		f.expression(e.X)
	case *ast.SelectorExpr:
		f.expression(e.X)
	case *ast.IndexExpr:
		f.expression(e.X)
		f.value(e.Index)
	case *ast.SliceExpr:
		f.expression(e.X)
		f.expression(e.Low)
		f.expression(e.High)
	case *ast.CallExpr:
		f.call(e)
	case *ast.CompositeLit:
		f.composite(e)
	case *ast.FuncLit:
		f.body(e.Type, e.Body)
	case *ast.BinaryExpr:
		f.binary(e)
	}
}

func (f *finder) call(e *ast.CallExpr) {
	if name, is := e.Fun.(*ast.Ident); is && name.Name == "make" {
		return
	}
	f.expression(e.Fun)
	for _, a := range e.Args {
		f.value(a)
	}
}

func (f *finder) composite(e *ast.CompositeLit) {
	for _, el := range e.Elts {
		if pair, is := el.(*ast.KeyValueExpr); is {
			el = pair.Value
		}
		f.value(el)
	}
}

// constant adds one to a number that is written out.
func (f *finder) constant(e ast.Expr, tv types.TypeAndValue) {
	basic, ok := tv.Type.Underlying().(*types.Basic)
	if !ok || basic.Info()&types.IsInteger == 0 || !written(e) {
		return
	}
	name := types.TypeString(tv.Type, func(p *types.Package) string {
		if p == f.pkg {
			return ""
		}
		return p.Name()
	})
	if basic.Info()&types.IsUntyped != 0 {
		name = "int"
	}
	f.add(e, "mutantPlus["+name+"](%d, ", ")", "one more")
}

func written(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		lit, is := n.(*ast.BasicLit)
		found = found || is && lit.Kind == token.INT
		return true
	})
	return found
}

// opposite is the operator that stands in for another.
var opposite = map[token.Token]string{
	token.LSS: "<=", token.LEQ: "<", token.GTR: ">=", token.GEQ: ">",
	token.ADD: "-", token.SUB: "+", token.MUL: "/", token.QUO: "*",
}

// helper is the function that knows both operators.
var helper = map[token.Token]string{
	token.LSS: "Less", token.LEQ: "AtMost", token.GTR: "More", token.GEQ: "AtLeast",
	token.ADD: "Add", token.SUB: "Sub", token.MUL: "Mul", token.QUO: "Quo",
}

func (f *finder) binary(e *ast.BinaryExpr) {
	basic, _ := f.info.Types[e.X].Type.Underlying().(*types.Basic)
	number := basic != nil && basic.Info()&types.IsNumeric != 0
	if to := opposite[e.Op]; to != "" && number {
		f.infix(e, "mutant"+helper[e.Op]+"(%d, ", ", ", ")", to+" for "+e.Op.String())
	}
	f.expression(e.X)
	f.expression(e.Y)
}

// empty is whether an expression is the zero value already.
func empty(e ast.Expr) bool {
	lit, is := e.(*ast.CompositeLit)
	return is && len(lit.Elts) == 0
}

func truth(tv types.TypeAndValue) bool {
	if tv.Type == nil {
		return false
	}
	basic, ok := tv.Type.Underlying().(*types.Basic)
	return ok && basic.Info()&types.IsBoolean != 0
}

func blank(s *ast.AssignStmt) bool {
	name, is := s.Lhs[0].(*ast.Ident)
	return is && name.Name == "_" && len(s.Lhs) == 1
}

func panics(e ast.Expr) bool {
	call, is := e.(*ast.CallExpr)
	if !is {
		return false
	}
	name, is := call.Fun.(*ast.Ident)
	return is && name.Name == "panic"
}

// functionName is how a declaration is called: Type.Method or Function.
func functionName(d ast.Decl) string {
	decl, ok := d.(*ast.FuncDecl)
	if !ok {
		return "-"
	}
	if decl.Recv == nil {
		return decl.Name.Name
	}
	receiver := decl.Recv.List[0].Type
	if star, is := receiver.(*ast.StarExpr); is {
		receiver = star.X
	}
	return fmt.Sprintf("%s.%s", receiver, decl.Name.Name)
}
