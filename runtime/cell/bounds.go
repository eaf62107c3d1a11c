package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// The interpreter reports an index out of range without the numbers. So where an index is a simple matter, a statement
// that uses it asks first. Elsewhere (in the condition of a loop, beside calls of the script's functions, behind && and
// ||) the message stays without them.

// within writes the question whether x[index] is in range before the statement.
func (r *renderer) within(e *ast.IndexExpr, x string) {
	if !r.asks() || !simple(e.X) || !simple(e.Index) {
		return
	}
	n := "len(" + x + ")"
	t := r.typ(e.X).Underlying()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem().Underlying()
		n = "len(*" + x + ")"
	}
	if _, ok := t.(*types.Array); ok && r.info.Types[e.Index].Value != nil {
		return // checked already
	}
	i := r.expr(e.Index)
	low := ""
	if b, ok := r.typ(e.Index).Underlying().(*types.Basic); ok {
		if b.Kind() != types.Int && b.Info()&types.IsUntyped == 0 {
			i = "int(" + i + ")"
		}
		if v := r.info.Types[e.Index].Value; b.Info()&types.IsUnsigned == 0 && v == nil {
			low = i + " < 0 || "
		}
	}
	if _, ok := ast.Unparen(e.Index).(*ast.Ident); !ok && r.info.Types[e.Index].Value == nil {
		k := r.tmp("i")
		fmt.Fprintf(r.hoist, "%s := %s; ", k, i)
		low, i = strings.ReplaceAll(low, i, k), k
	}
	fmt.Fprintf(r.hoist, "if %s%s >= %s { %s(%s, %s) }; ", low, i, n, r.host("OutOfRange"), i, n)
}

// withinSlice writes the question whether x[low:high] is in range before the statement.
func (r *renderer) withinSlice(e *ast.SliceExpr, x string) {
	if !r.asks() || e.Slice3 || !simple(e.X) || e.Low != nil && !simple(e.Low) || e.High != nil && !simple(e.High) {
		return
	}
	kind, most := "capacity", "cap("+x+")"
	switch r.typ(e.X).Underlying().(type) {
	case *types.Basic:
		kind, most = "length", "len("+x+")"
	case *types.Array, *types.Pointer:
		return
	}
	low, high := "0", "len("+x+")"
	if e.Low != nil {
		low = "int(" + r.expr(e.Low) + ")"
	}
	if e.High != nil {
		high = "int(" + r.expr(e.High) + ")"
	}
	if e.Low == nil && e.High == nil {
		return
	}
	fmt.Fprintf(r.hoist, "if %s < 0 || %s < %s || %s > %s { %s(%s, %s, %s, %q, %t) }; ", low, high, low, high, most, r.host("BadSlice"), low, high, most, kind, e.High != nil)
}

// asks reports that a question can be put before the statement that is being written.
func (r *renderer) asks() bool { return r.hoist != nil && !r.maybe && !r.ours && !r.busy }

// simple reports an expression that can be evaluated twice: names, fields, constants, and sums of them.
func simple(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident, *ast.BasicLit:
		return true
	case *ast.ParenExpr:
		return simple(e.X)
	case *ast.SelectorExpr:
		return simple(e.X)
	case *ast.StarExpr:
		return simple(e.X)
	case *ast.BinaryExpr:
		return (e.Op == token.ADD || e.Op == token.SUB || e.Op == token.MUL) && simple(e.X) && simple(e.Y)
	case *ast.UnaryExpr:
		return e.Op == token.SUB && simple(e.X)
	case *ast.CallExpr:
		id, ok := e.Fun.(*ast.Ident)
		return ok && (id.Name == "len" || id.Name == "int") && len(e.Args) == 1 && simple(e.Args[0])
	}
	return false
}

// callsScript reports that a statement, outside the blocks and literals in it, calls what may change what it indexes.
func (r *renderer) callsScript(st ast.Stmt) bool {
	found := false
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.FuncLit:
			return false
		case *ast.UnaryExpr:
			found = found || n.Op == token.ARROW
		case *ast.CallExpr:
			fun := ast.Unparen(n.Fun)
			if tv := r.info.Types[fun]; tv.IsType() || tv.IsBuiltin() {
				return true
			}
			if s, ok := fun.(*ast.SelectorExpr); ok {
				if f, ok := r.info.Uses[s.Sel].(*types.Func); ok && f.Pkg() != nil && f.Signature().Recv() == nil {
					switch f.Pkg().Path() {
					case "fmt", "strings", "strconv", "math", "unicode":
						return true
					}
				}
			}
			found = true
		}
		return !found
	})
	return found
}
