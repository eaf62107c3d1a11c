package cell

import (
	"go/ast"
	"go/types"
	"strings"
)

// deferred writes a defer. Its function and arguments are evaluated now.
func (r *renderer) deferred(st *ast.DeferStmt) string {
	in := *r
	in.hoist = nil
	pre, call := in.captured(st.Call)
	k := r.tmp("fn")
	to := r.host("Defer") + "(" + k + ")"
	if r.guard != "" {
		to = r.host("DeferTo") + "(" + r.guard + ", " + k + ")"
	}
	return pre + k + " := func() { " + call + " }; " + to
}

// isFuncName reports that e names a declared function or a method, not a variable that holds one.
func (r *renderer) isFuncName(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		_, ok := r.info.Uses[e].(*types.Func)
		return ok
	case *ast.IndexExpr:
		return r.isFuncName(e.X)
	case *ast.IndexListExpr:
		return r.isFuncName(e.X)
	case *ast.SelectorExpr:
		_, ok := r.info.Uses[e.Sel].(*types.Func)
		return ok
	}
	return false
}

// captured writes a call in two parts: assignments that evaluate the function value and the arguments now, and the
// call itself, for later.
func (r *renderer) captured(call *ast.CallExpr) (pre, later string) {
	fun := ast.Unparen(call.Fun)
	list := &strings.Builder{}
	in := *r
	in.hoist = list
	if tv := r.info.Types[fun]; tv.IsBuiltin() || tv.IsType() {
		return in.capturedBuiltin(call)
	}
	sig := in.signatureOf(call.Fun)
	var write func(args []string) string
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if sel := r.info.Selections[s]; sel != nil && sel.Kind() == types.MethodVal {
			k := r.tmp("fn")
			list.WriteString(k + " := " + in.methodValue(s) + "; ")
			write = func(args []string) string { return k + "(" + strings.Join(args, ", ") + ")" }
		}
	}
	compiled := false
	if write == nil && r.isFuncName(fun) {
		c := in.calling(fun)
		write, compiled = c.write, c.compiled
	}
	if write == nil {
		k := r.tmp("fn")
		list.WriteString(k + " := " + in.callee(fun) + "; ")
		write = func(args []string) string { return k + "(" + strings.Join(args, ", ") + ")" }
	}
	if s, ok := in.library(call, fun); ok {
		return "", s
	}
	if t, ok := in.spread(call, sig); ok {
		var tmps, args []string
		text := in.expr(call.Args[0])
		for i := range t.Len() {
			k := r.tmp("arg")
			tmps, args = append(tmps, k), append(args, in.passed(call, sig, i, k, in.substituted(t.At(i).Type())))
		}
		return list.String() + strings.Join(tmps, ", ") + " := " + text + "; ", write(in.packed(call, sig, args, compiled))
	}
	var args []string
	for i, a := range call.Args {
		tv := r.info.Types[a]
		text := in.arg(call, sig, i, a, compiled)
		if tv.Value != nil || tv.IsNil() {
			args = append(args, text)
			continue
		}
		k := r.tmp("arg")
		list.WriteString(k + " := " + text + "; ")
		args = append(args, k)
	}
	return list.String(), write(in.packed(call, sig, args, compiled))
}

// capturedBuiltin is captured for a builtin function: the arguments that are variables are evaluated now.
func (r *renderer) capturedBuiltin(call *ast.CallExpr) (pre, later string) {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && id.Name == "panic" && len(call.Args) == 1 {
		k := r.tmp("arg")
		text := r.value(call.Args[0], types.NewInterfaceType(nil, nil))
		return r.hoist.String() + k + " := " + text + "; ", r.host("Panic") + "(" + k + ")"
	}
	return "", r.expr(call)
}
