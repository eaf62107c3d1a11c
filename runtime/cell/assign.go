package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// assign writes an assignment or a definition.
func (r *renderer) assign(st *ast.AssignStmt) string {
	if st.Tok != token.ASSIGN && st.Tok != token.DEFINE {
		return r.expr(st.Lhs[0]) + " " + st.Tok.String() + " " + r.expr(st.Rhs[0])
	}
	tok := st.Tok.String()
	if st.Tok == token.DEFINE && r.ofCell(st) {
		tok = "="
	}
	kept := tok == ":=" && r.keeps(st)
	var to []types.Type
	for _, l := range st.Lhs {
		to = append(to, r.targetType(l, st.Tok))
	}
	// Right before left: a new variable may have the name of one that the right side uses.
	if len(st.Lhs) != len(st.Rhs) {
		if kept {
			return r.defineKept(st, func(names []string) string { return r.assignTuple(names, ":=", to, st.Rhs[0]) })
		}
		right := r.tuple(st.Rhs[0], to, len(st.Lhs))
		return r.assignTuple(r.left(st), tok, to, right)
	}
	var right []string
	for i, e := range st.Rhs {
		t := to[i]
		if len(st.Rhs) > 1 {
			right = append(right, r.oneOf(e, t))
		} else if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok && t != nil && isInterface(t) && r.hoist != nil {
			right = append(right, r.argument(lit, t))
		} else {
			right = append(right, r.value(e, t))
		}
	}
	if len(right) > 1 && !r.entangled(st) {
		return r.parallel(st, tok, right, to)
	}
	if kept {
		return r.defineKept(st, func(names []string) string { return strings.Join(names, ", ") + " := " + strings.Join(right, ", ") })
	}
	return strings.Join(r.left(st), ", ") + " " + tok + " " + strings.Join(right, ", ")
}

// entangled reports an assignment of several values that changes what its own left side is reached by.
func (r *renderer) entangled(st *ast.AssignStmt) bool {
	set := map[types.Object]bool{}
	for _, l := range st.Lhs {
		if id, ok := ast.Unparen(l).(*ast.Ident); ok {
			set[r.object(id)] = true
		}
	}
	found := false
	for _, l := range st.Lhs {
		if _, ok := ast.Unparen(l).(*ast.Ident); ok {
			continue
		}
		ast.Inspect(l, func(n ast.Node) bool {
			if id, ok := n.(*ast.Ident); ok && set[r.object(id)] {
				found = true
			}
			return !found
		})
	}
	return found
}

// parallel writes an assignment of several values: all values first, then the variables. The interpreter's own way
// loses some.
func (r *renderer) parallel(st *ast.AssignStmt, tok string, right []string, to []types.Type) string {
	if r.hoist == nil {
		calls := false
		for _, e := range st.Rhs {
			ast.Inspect(e, func(n ast.Node) bool {
				_, is := n.(*ast.CallExpr)
				calls = calls || is
				return !calls
			})
		}
		if !calls || tok == ":=" {
			return strings.Join(r.left(st), ", ") + " " + tok + " " + strings.Join(right, ", ")
		}
		var res, sets, tmps []string
		for i, s := range right {
			t := to[i]
			if t == nil {
				t = types.Default(r.typ(st.Rhs[i]))
			}
			k := r.tmp("p")
			res, sets, tmps = append(res, r.t(t, st.Pos())), append(sets, k+" := "+s), append(tmps, k)
		}
		return fmt.Sprintf("%s %s func() (%s) { %s; return %s }()", strings.Join(r.left(st), ", "), tok, strings.Join(res, ", "), strings.Join(sets, "; "), strings.Join(tmps, ", "))
	}
	var parts, sets []string
	left := r.left(st)
	for i, l := range left {
		if l == "_" {
			parts = append(parts, "_ = "+right[i])
			continue
		}
		k := r.tmp("p")
		parts = append(parts, k+" := "+right[i])
		op := tok
		if id, ok := st.Lhs[i].(*ast.Ident); ok && tok == ":=" && r.info.Defs[id] == nil {
			op = "="
		}
		sets = append(sets, l+" "+op+" "+k)
	}
	return strings.Join(append(parts, sets...), "; ")
}

// left writes the left side of an assignment.
func (r *renderer) left(st *ast.AssignStmt) []string {
	var ss []string
	for _, e := range st.Lhs {
		ss = append(ss, r.expr(e))
	}
	return ss
}

// targetType returns the type of what is assigned to; nil for the blank identifier.
func (r *renderer) targetType(l ast.Expr, tok token.Token) types.Type {
	if isBlank(l) {
		return nil
	}
	if id, ok := l.(*ast.Ident); ok {
		if o := r.object(id); o != nil {
			return r.substituted(o.Type())
		}
	}
	return r.typ(l)
}

// rendered is the right side of an assignment of several values that one expression gives.
type rendered struct {
	text string
	from []types.Type
}

// tuple writes an expression that gives n values.
func (r *renderer) tuple(e ast.Expr, to []types.Type, n int) rendered {
	e = ast.Unparen(e)
	out := rendered{}
	if t, ok := r.info.TypeOf(e).(*types.Tuple); ok {
		for i := range t.Len() {
			out.from = append(out.from, r.substituted(t.At(i).Type()))
		}
	}
	if ix, ok := e.(*ast.IndexExpr); ok {
		out.text = r.lookup(ix)
	} else {
		out.text = r.expr(e)
	}
	return out
}

// assignTuple writes names = e, where e gives as many values as there are names.
func (r *renderer) assignTuple(names []string, tok string, to []types.Type, e any) string {
	var right rendered
	switch e := e.(type) {
	case rendered:
		right = e
	case ast.Expr:
		right = r.tuple(e, to, len(names))
	}
	same := true
	for i, f := range right.from {
		same = same && (names[i] == "_" || i >= len(to) || to[i] == nil || r.sameForm(f, to[i]))
	}
	if same {
		return strings.Join(names, ", ") + " " + tok + " " + right.text
	}
	if r.hoist == nil {
		// In a header: a function does it.
		var tmps, vals, res []string
		for i, f := range right.from {
			k := fmt.Sprintf("m__%d", i)
			t := f
			if i < len(to) && to[i] != nil {
				t = to[i]
			}
			tmps, vals, res = append(tmps, k), append(vals, r.conv(k, f, t)), append(res, r.t(t, token.NoPos))
		}
		return fmt.Sprintf("%s %s func() (%s) { %s := %s; return %s }()", strings.Join(names, ", "), tok, strings.Join(res, ", "),
			strings.Join(tmps, ", "), right.text, strings.Join(vals, ", "))
	}
	var tmps, sets []string
	for i, f := range right.from {
		if names[i] == "_" {
			tmps = append(tmps, "_")
			continue
		}
		k := r.tmp("m")
		tmps = append(tmps, k)
		sets = append(sets, names[i]+" "+tok+" "+r.conv(k, f, to[i]))
	}
	return strings.Join(tmps, ", ") + " := " + right.text + "; " + strings.Join(sets, "; ")
}

// keeps reports that a := makes a variable that something may keep.
func (r *renderer) keeps(st *ast.AssignStmt) bool {
	if r.hoist == nil {
		return false // in a header
	}
	for _, l := range st.Lhs {
		if id, ok := l.(*ast.Ident); ok {
			if v, ok := r.info.Defs[id].(*types.Var); ok && r.kept[v] {
				return true
			}
		}
	}
	return false
}

// defineKept writes a := in two steps: only x := y, with a variable y, gives x memory of its own each time.
func (r *renderer) defineKept(st *ast.AssignStmt, write func(names []string) string) string {
	var tmps []string
	for _, l := range st.Lhs {
		if isBlank(l) {
			tmps = append(tmps, "_")
		} else {
			tmps = append(tmps, r.tmp(l.(*ast.Ident).Name))
		}
	}
	text := write(tmps)
	for i, l := range st.Lhs {
		id := l.(*ast.Ident)
		if tmps[i] == "_" {
			continue
		}
		op := " = "
		if r.info.Defs[id] != nil {
			op = " := "
		}
		text += "; " + r.ident(id) + op + tmps[i]
	}
	return text
}

// lookup writes the m[k] of v, ok := m[k]: the interpreter would leave in v what it held before when there is no k.
func (r *renderer) lookup(ix *ast.IndexExpr) string {
	t := r.typ(ix.X)
	m, ok := t.Underlying().(*types.Map)
	if !ok {
		return r.expr(ix)
	}
	ms, bad1 := r.literal(t.Underlying())
	ks, bad2 := r.typeOf(m.Key())
	vs, bad3 := r.typeOf(m.Elem())
	if bad1+bad2+bad3 != "" {
		return r.expr(ix)
	}
	fn := r.u.helper("get", ms, func(name string) string {
		return fmt.Sprintf("func %s(m__ %s, k__ %s) (%s, bool) { v__, ok__ := m__[k__]; return v__, ok__ }\n", name, ms, ks, vs)
	})
	return fmt.Sprintf("%s(%s, %s)", fn, r.raw(r.expr(ix.X), t), r.value(ix.Index, m.Key()))
}

// ofCell reports that a := defines variables of the cell, which are declared already.
func (r *renderer) ofCell(st *ast.AssignStmt) bool {
	for _, l := range st.Lhs {
		id, ok := l.(*ast.Ident)
		if !ok {
			return false
		}
		if o := r.object(id); o != nil && id.Name != "_" {
			_, coded := r.u.code[o]
			return coded
		}
	}
	return r.top
}
