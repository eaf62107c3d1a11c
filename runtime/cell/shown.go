package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// shown writes the last expression of a cell so that its value is shown, or, when it is an error, fails the cell.
func (r *renderer) shown(e ast.Expr) string {
	tv := r.info.Types[e]
	place := r.place(&ast.ExprStmt{X: e})
	if tv.IsNil() || tv.IsType() {
		return ""
	}
	in := *r
	in.hoist = &strings.Builder{}
	call, isCall := ast.Unparen(e).(*ast.CallExpr)
	if tv.IsVoid() || tv.Type == nil || isCall && r.prints(call) {
		text := in.expr(e)
		return place + in.hoist.String() + text + "\n"
	}
	var ts []types.Type
	if t, ok := tv.Type.(*types.Tuple); ok {
		for i := range t.Len() {
			ts = append(ts, t.At(i).Type())
		}
	} else {
		ts = []types.Type{types.Default(tv.Type)}
	}
	var names []string
	for range ts {
		names = append(names, r.tmp("v"))
	}
	text := in.expr(e)
	s := place + in.hoist.String() + strings.Join(names, ", ") + " := " + text + "; "
	// The error comes first: the cell fails with it, whatever else came back, and then nothing is shown.
	empty := types.NewInterfaceType(nil, nil)
	last := len(ts) - 1
	if t := ts[last]; implementsError(t) {
		// What was called has moved the place meanwhile.
		fail := fmt.Sprintf("%s = %d; %s(%s)", MarkAs, r.u.scope.mark(e.Pos()), r.host("Fail"), in.conv(names[last], t, empty))
		if !nilable(t) {
			return s + fail + "\n"
		}
		s += fmt.Sprintf("if %s != nil { %s }; ", names[last], fail)
		if len(ts) == 1 {
			if isCall {
				return s + "\n" // it went well, and has nothing to say
			}
			return s + r.host("Show") + `("error", *new(` + anyAs + `))` + "\n"
		}
		ts = ts[:last]
	}
	for i, t := range ts {
		s += fmt.Sprintf("%s(%q, %s); ", r.host("Show"), TypeString(t), in.conv(names[i], t, empty))
	}
	return s + "\n"
}

// prints reports a call whose result nobody wants to see.
func (r *renderer) prints(c *ast.CallExpr) bool {
	s, ok := ast.Unparen(c.Fun).(*ast.SelectorExpr)
	if !ok {
		return false
	}
	f, ok := r.info.Uses[s.Sel].(*types.Func)
	return ok && f.Pkg() != nil && f.Pkg().Path() == "fmt" && (strings.HasPrefix(f.Name(), "Print") || strings.HasPrefix(f.Name(), "Fprint"))
}

var errorType = types.Universe.Lookup("error").Type().Underlying().(*types.Interface)

func implementsError(t types.Type) bool { return types.Implements(t, errorType) }

func nilable(t types.Type) bool {
	switch t.Underlying().(type) {
	case *types.Interface, *types.Pointer:
		return true
	}
	return false
}
