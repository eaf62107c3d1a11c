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
			init = r.inner(st.Init)
		}
		if st.Cond != nil {
			cond = r.expr(st.Cond)
		}
		if st.Post != nil {
			after = r.inner(st.Post)
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

// rangeLoop writes a range over an integer as a counting loop, one over a function as a call, one over a string as one
// over its characters, and the others as they are, with variables of their own per iteration where one can outlive it.
func (r *renderer) rangeLoop(st *ast.RangeStmt, label string) (pre, core, post string) {
	out := *r
	t := r.typ(st.X)
	x := r.raw(r.expr(st.X), t)
	kt, vt := types.Type(types.Typ[types.Int]), types.Type(nil)
	switch u := t.Underlying().(type) {
	case *types.Basic:
		if u.Info()&types.IsInteger != 0 {
			return r.rangeInt(&out, st, label, t)
		}
		return r.rangeString(&out, st, label, x)
	case *types.Signature:
		return r.rangeFunc(&out, st, label, u, x)
	case *types.Map:
		kt, vt = u.Key(), u.Elem()
	case *types.Chan:
		kt = u.Elem()
	case *types.Slice:
		if _, ok := u.Elem().Underlying().(*types.Chan); ok {
			return r.rangeIndex(&out, st, label, x, u.Elem())
		}
		vt = u.Elem()
	case *types.Pointer:
		a := u.Elem().Underlying().(*types.Array)
		if st.Value == nil || isBlank(st.Value) {
			return r.count(&out, st, label, types.Typ[types.Int], fmt.Sprint(a.Len())) // the pointer may be nil
		}
		vt = a.Elem()
	case interface{ Elem() types.Type }:
		vt = u.Elem()
	}
	f := &frame{stmt: st, label: label, loop: true}
	var open []string
	var names []string
	for i, e := range []ast.Expr{st.Key, st.Value} {
		if e == nil {
			continue
		}
		if isBlank(e) {
			names = append(names, "_")
			continue
		}
		name, set := r.each(st, e, []types.Type{kt, vt}[i])
		names = append(names, name)
		if set != "" {
			open = append(open, set)
		}
	}
	s := "for "
	if len(names) > 0 {
		s += strings.Join(names, ", ") + " := "
		if strings.Trim(strings.Join(names, ""), "_") == "" {
			s = "for "
		}
	}
	first := ""
	if !simpleName(x) {
		k := r.tmp("over")
		first = k + " := " + x + "; "
		x = k
	}
	s += "range " + x + " "
	r.push(f)
	body := r.block(st.Body)
	if len(open) > 0 {
		body = "{ " + strings.Join(open, "; ") + "; " + body + " }"
	}
	pre, core, post = out.pop(f, s+body)
	return first + pre, core, post
}

func isBlank(e ast.Expr) bool {
	id, ok := e.(*ast.Ident)
	return ok && id.Name == "_"
}

// each writes one of the two variables of a range: the name in the header, and what the body begins with, if anything.
func (r *renderer) each(st *ast.RangeStmt, e ast.Expr, t types.Type) (name, set string) {
	id, _ := e.(*ast.Ident)
	if st.Tok == token.DEFINE && id != nil {
		v, _ := r.info.Defs[id].(*types.Var)
		if v == nil || !r.kept[v] {
			return r.ident(id), ""
		}
		tmp := r.tmp(id.Name)
		return tmp, r.local(v) + " := " + tmp
	}
	tmp := r.tmp("each")
	return tmp, r.expr(e) + " = " + r.conv(tmp, t, r.typ(e))
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
	return r.count(out, st, label, t, r.expr(st.X))
}

// count counts from 0 to x, of type t.
func (r *renderer) count(out *renderer, st *ast.RangeStmt, label string, t types.Type, x string) (pre, core, post string) {
	ts := r.t(t, st.Pos())
	i, n := r.tmp("i"), r.tmp("n")
	open := ""
	if st.Key != nil && !isBlank(st.Key) {
		name, set := r.each(st, st.Key, t)
		if open = name + " := " + i + "; "; set != "" {
			open += set + "; "
		}
	}
	f := &frame{stmt: st, label: label, loop: true}
	r.push(f)
	body := r.block(st.Body)
	if open != "" {
		body = "{ " + open + body + " }"
	}
	return out.pop(f, fmt.Sprintf("for %s, %s := %s(0), %s(%s); %s < %s; %s++ %s", i, n, ts, ts, x, i, n, i, body))
}

// rangeIndex goes over a slice of channels by index; the interpreter would receive from them.
func (r *renderer) rangeIndex(out *renderer, st *ast.RangeStmt, label, x string, elem types.Type) (pre, core, post string) {
	over, k := r.tmp("over"), r.tmp("k")
	open := ""
	for i, e := range []ast.Expr{st.Key, st.Value} {
		if e == nil || isBlank(e) {
			continue
		}
		from := []string{k, over + "[" + k + "]"}[i]
		name, set := r.each(st, e, []types.Type{types.Typ[types.Int], r.substituted(elem)}[i])
		open += name + " := " + from + "; "
		if set != "" {
			open += set + "; "
		}
	}
	f := &frame{stmt: st, label: label, loop: true}
	r.push(f)
	core = fmt.Sprintf("for %s := 0; %s < len(%s); %s++ { %s%s }", k, k, over, k, open, r.block(st.Body))
	p, core, post := out.pop(f, core)
	return over + " := " + x + "; " + p, core, post
}

// rangeString goes over the characters of a string, which the session takes apart.
func (r *renderer) rangeString(out *renderer, st *ast.RangeStmt, label, x string) (pre, core, post string) {
	at, chars, k := r.tmp("at"), r.tmp("chars"), r.tmp("k")
	open := ""
	for i, e := range []ast.Expr{st.Key, st.Value} {
		if e == nil || isBlank(e) {
			continue
		}
		from := []string{at, chars}[i]
		name, set := r.each(st, e, []types.Type{types.Typ[types.Int], types.Universe.Lookup("rune").Type()}[i])
		open += name + " := " + from + "[" + k + "]; "
		if set != "" {
			open += set + "; "
		}
	}
	f := &frame{stmt: st, label: label, loop: true}
	r.push(f)
	core = fmt.Sprintf("for %s := 0; %s < len(%s); %s++ { %s%s }", k, k, at, k, open, r.block(st.Body))
	p, core, post := out.pop(f, core)
	return at + ", " + chars + " := " + r.host("Chars") + "(" + x + "); " + p, core, post
}

// rangeFunc calls the iterator with the body as its yield.
func (r *renderer) rangeFunc(out *renderer, st *ast.RangeStmt, label string, it *types.Signature, x string) (pre, core, post string) {
	yield, ok := r.substituted(it.Params().At(0).Type()).Underlying().(*types.Signature)
	if !ok {
		r.u.refuse(st.Pos(), "this range cannot be interpreted")
		return
	}
	var params, open []string
	exprs := []ast.Expr{st.Key, st.Value}
	for i := range yield.Params().Len() {
		t := r.substituted(yield.Params().At(i).Type())
		ts := r.t(t, st.Pos())
		if e := exprs[i]; e == nil || isBlank(e) {
			params = append(params, "_ "+ts)
		} else {
			name, set := r.each(st, e, t)
			params = append(params, name+" "+ts)
			if set != "" {
				open = append(open, set+"; ")
			}
		}
	}
	f := &frame{stmt: st, label: label, loop: true, yield: true}
	r.push(f)
	body := r.stmts(st.Body.List)
	body = fmt.Sprintf("func(%s) bool { %s\n%sreturn true\n}", strings.Join(params, ", "), strings.Join(open, ""), body)
	k := r.tmp("body")
	core = fmt.Sprintf("%s(%s)", x, k)
	if !simpleName(x) {
		g := r.tmp("seq")
		core = fmt.Sprintf("%s(%s)", g, k)
		pre = g + " := " + x + "; "
	}
	pre += k + " := " + body + "; "
	results := ""
	if len(f.result) > 0 {
		for i, n := range f.result {
			results += "var " + n + " " + r.t(r.sig.Results().At(i).Type(), st.Pos()) + "; "
		}
	}
	p, core, post := out.pop(f, core)
	return results + p + pre, core, post
}

func simpleName(s string) bool {
	return !strings.ContainsAny(s, "(){}[]. \n")
}
