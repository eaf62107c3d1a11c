package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// forLoop writes a three-clause loop. Each iteration has its own variable where one can outlive it.
func (r *renderer) forLoop(st *ast.ForStmt, label string) (pre, core, post string) {
	out := *r
	var vars []*types.Var
	if as, ok := st.Init.(*ast.AssignStmt); ok && as.Tok == token.DEFINE {
		for _, l := range as.Lhs {
			if id, ok := l.(*ast.Ident); ok {
				if v, ok := r.info.Defs[id].(*types.Var); ok && r.kept[v] {
					vars = append(vars, v)
				}
			}
		}
	}
	f := &frame{stmt: st, label: label, loop: true}
	header := func() string {
		s := "for "
		init, cond, after := "", "", ""
		if st.Init != nil {
			init = r.simple(st.Init)
		}
		if st.Cond != nil {
			cond = r.node(st.Cond)
		}
		if st.Post != nil {
			after = r.simple(st.Post)
		}
		if init == "" && after == "" {
			if cond != "" {
				s += cond + " "
			}
			return s
		}
		return s + init + "; " + cond + "; " + after + " "
	}
	if len(vars) == 0 {
		h := header()
		r.push(f)
		return out.pop(f, h+r.block(st.Body))
	}
	// The header works on a variable of its own; the body on a copy, written back when an iteration ends.
	var open, back []string
	outer := map[types.Object]string{}
	for _, v := range vars {
		outer[v] = r.tmp(v.Name())
		r.locals[v] = outer[v]
	}
	h := header()
	for _, v := range vars {
		delete(r.locals, v)
		n := r.local(v)
		open = append(open, n+" := "+outer[v])
		back = append(back, outer[v]+" = "+n)
	}
	f.copied = strings.Join(back, "; ")
	r.push(f)
	body := r.block(st.Body)
	core = h + "{ " + strings.Join(open, "; ") + "; " + body + "\n" + f.copied + " }"
	return out.pop(f, core)
}

// capturedIn returns the variables under n that can be seen after the iteration or the call that made them: used in a
// function literal that stands outside their own function, or reached through a pointer.
func capturedIn(info *types.Info, n ast.Node) map[*types.Var]bool {
	m := map[*types.Var]bool{}
	all := func(n ast.Node, from, to token.Pos) {
		ast.Inspect(n, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok {
				if v, ok := info.Uses[id].(*types.Var); ok && !v.IsField() && (v.Pos() < from || v.Pos() > to) {
					m[v] = true
				}
			}
			return true
		})
	}
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			all(n.Body, n.Pos(), n.End())
		case *ast.UnaryExpr:
			if n.Op == token.AND {
				all(n.X, token.NoPos, token.NoPos)
			}
		case *ast.SelectorExpr:
			if sel := info.Selections[n]; sel != nil && sel.Kind() == types.MethodVal {
				all(n.X, token.NoPos, token.NoPos)
			}
		case *ast.SliceExpr:
			all(n.X, token.NoPos, token.NoPos)
		case *ast.RangeStmt:
			// The body of a range over a function becomes a function literal.
			if t := info.TypeOf(n.X); t != nil {
				if _, ok := t.Underlying().(*types.Signature); ok {
					all(n.Body, n.Body.Pos(), n.Body.End())
				}
			}
		}
		return true
	})
	return m
}

// rangeLoop writes a range over an integer as a counting loop, one over a function as a call, and the others as they
// are, with variables of their own per iteration where one can outlive it.
func (r *renderer) rangeLoop(st *ast.RangeStmt, label string) (pre, core, post string) {
	out := *r
	t := r.substituted(r.info.TypeOf(st.X))
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger != 0 {
			return r.rangeInt(&out, st, label, t)
		}
	case *types.Signature:
		return r.rangeFunc(&out, st, label, u)
	}
	x := r.node(st.X)
	f := &frame{stmt: st, label: label, loop: true}
	var open []string
	var names []string
	for _, e := range []ast.Expr{st.Key, st.Value} {
		if e == nil {
			continue
		}
		id, ok := e.(*ast.Ident)
		if !ok || id.Name == "_" || st.Tok != token.DEFINE {
			names = append(names, r.node(e))
			continue
		}
		v, _ := r.info.Defs[id].(*types.Var)
		if v == nil || !r.kept[v] {
			names = append(names, r.ident(id))
			continue
		}
		tmp := r.tmp(id.Name)
		names = append(names, tmp)
		open = append(open, r.local(v)+" := "+tmp)
	}
	s := "for "
	if len(names) > 0 {
		s += strings.Join(names, ", ") + " " + st.Tok.String() + " "
	}
	s += "range " + x + " "
	r.push(f)
	body := r.block(st.Body)
	if len(open) > 0 {
		body = "{ " + strings.Join(open, "; ") + "; " + body + " }"
	}
	return out.pop(f, s+body)
}

// rangeInt counts from 0 to the value of x.
func (r *renderer) rangeInt(out *renderer, st *ast.RangeStmt, label string, t types.Type) (pre, core, post string) {
	if b, ok := t.(*types.Basic); ok && b.Info()&types.IsUntyped != 0 {
		t = types.Default(t)
		if st.Key != nil {
			if kt := r.info.TypeOf(st.Key); kt != nil {
				t = r.substituted(kt)
			} else if id, ok := st.Key.(*ast.Ident); ok && r.info.Defs[id] != nil {
				t = r.info.Defs[id].Type()
			}
		}
	}
	ts, bad := r.typeOf(t)
	if bad != "" {
		r.u.refuse(st.Pos(), "type "+bad+" cannot be named here")
	}
	i, n := r.tmp("i"), r.tmp("n")
	x := r.node(st.X)
	open := ""
	if id, ok := st.Key.(*ast.Ident); st.Key != nil && (!ok || id.Name != "_") {
		open = r.node(st.Key) + " " + st.Tok.String() + " " + i + "; "
	}
	f := &frame{stmt: st, label: label, loop: true}
	r.push(f)
	body := r.block(st.Body)
	if open != "" {
		body = "{ " + open + body + " }"
	}
	return out.pop(f, fmt.Sprintf("for %s, %s := %s(0), %s(%s); %s < %s; %s++ %s", i, n, ts, ts, x, i, n, i, body))
}

// rangeFunc calls the iterator with the body as its yield.
func (r *renderer) rangeFunc(out *renderer, st *ast.RangeStmt, label string, it *types.Signature) (pre, core, post string) {
	x := r.node(st.X)
	yield, ok := it.Params().At(0).Type().Underlying().(*types.Signature)
	if !ok {
		r.u.refuse(st.Pos(), "this range cannot be interpreted")
		return
	}
	var params, open []string
	exprs := []ast.Expr{st.Key, st.Value}
	for i := range yield.Params().Len() {
		ts, bad := r.typeOf(yield.Params().At(i).Type())
		if bad != "" {
			r.u.refuse(st.Pos(), "type "+bad+" cannot be named here")
		}
		e := exprs[i]
		id, isIdent := e.(*ast.Ident)
		switch {
		case e == nil || isIdent && id.Name == "_":
			params = append(params, "_ "+ts)
		case st.Tok == token.DEFINE:
			params = append(params, r.ident(id)+" "+ts)
		default:
			p := r.tmp("y")
			params = append(params, p+" "+ts)
			open = append(open, r.node(e)+" = "+p+"; ")
		}
	}
	f := &frame{stmt: st, label: label, loop: true, yield: true}
	r.push(f)
	body := r.stmts(st.Body.List)
	core = fmt.Sprintf("(%s)(func(%s) bool { %s\n%sreturn true\n})", x, strings.Join(params, ", "), strings.Join(open, ""), body)
	if len(f.result) > 0 {
		for i, n := range f.result {
			ts, _ := r.typeOf(r.sig.Results().At(i).Type())
			pre += "var " + n + " " + ts + "; "
		}
	}
	p, core, post := out.pop(f, core)
	return pre + p, core, post
}
