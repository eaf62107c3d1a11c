package cell

import (
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// valueSwitch writes a switch as a chain of comparisons, which are made one after the other until one holds.
func (r *renderer) valueSwitch(st *ast.SwitchStmt) (pre, core string) {
	if st.Init != nil {
		pre = r.inner(st.Init) + "; "
	}
	tag := ""
	var tt types.Type = types.Typ[types.Bool]
	if st.Tag != nil {
		tt = types.Default(r.typ(st.Tag))
		tag = r.tmp("tag")
		pre += tag + " := " + r.value(st.Tag, tt) + "; "
	}
	falls := false
	for _, c := range st.Body.List {
		body := c.(*ast.CaseClause).Body
		if n := len(body); n > 0 {
			if b, ok := body[n-1].(*ast.BranchStmt); ok && b.Tok == token.FALLTHROUGH {
				falls = true
			}
		}
	}
	var rest, last string
	for _, c := range st.Body.List {
		c := c.(*ast.CaseClause)
		in := *r
		in.top, in.hoist = false, nil
		s := "default:\n"
		if c.List != nil {
			var tests []string
			for _, e := range c.List {
				if tag == "" {
					tests = append(tests, in.operand(e))
				} else {
					tests = append(tests, in.equal(tag, tt, in.expr(e), in.typ(e), false))
				}
			}
			s = "case " + strings.Join(tests, " || ") + ":\n"
		}
		s += in.stmts(c.Body)
		if c.List == nil && !falls {
			last = s
		} else {
			rest += s
		}
	}
	return pre, "switch {\n" + rest + last + "}"
}

// comms writes the clauses of a select, and what they evaluate when it begins.
func (r *renderer) comms(b *ast.BlockStmt) (pre, clauses string) {
	var s strings.Builder
	s.WriteString("{\n")
	for _, c := range b.List {
		c := c.(*ast.CommClause)
		in := *r
		in.top, in.hoist = false, nil
		head, first := "default:", ""
		if c.Comm != nil {
			before := ""
			before, head, first = in.comm(c.Comm)
			pre += before
			head = "case " + head + ":"
		}
		s.WriteString(head + "\n" + first + in.stmts(c.Body))
	}
	s.WriteString("}")
	return pre, s.String()
}

// comm writes a communication of a select, what the select evaluates for it when it begins, and what its clause begins
// with.
func (r *renderer) comm(st ast.Stmt) (pre, head, first string) {
	channel := func(e ast.Expr) (string, *types.Chan) {
		ct := r.typ(e)
		k := r.tmp("chan")
		pre += k + " := " + r.raw(r.expr(e), ct) + "; "
		return k, ct.Underlying().(*types.Chan)
	}
	switch st := st.(type) {
	case *ast.SendStmt:
		k, c := channel(st.Chan)
		v := r.tmp("sent")
		pre += v + " := " + r.oneOf(st.Value, c.Elem()) + "; "
		return pre, k + " <- " + v, ""
	case *ast.ExprStmt:
		k, _ := channel(ast.Unparen(st.X).(*ast.UnaryExpr).X)
		return pre, "<-" + k, ""
	}
	as := st.(*ast.AssignStmt)
	over, c := channel(ast.Unparen(as.Rhs[0]).(*ast.UnaryExpr).X)
	var names []string
	blank := true
	for i, l := range as.Lhs {
		if isBlank(l) {
			names = append(names, "_")
			continue
		}
		blank = false
		k := r.tmp("got")
		names = append(names, k)
		from := []types.Type{c.Elem(), types.Typ[types.Bool]}[i]
		op := " = "
		if id, ok := l.(*ast.Ident); ok && as.Tok == token.DEFINE && r.info.Defs[id] != nil {
			op = " := "
			first += r.ident(id) + op + k + "; "
			continue
		}
		first += r.expr(l) + op + r.conv(k, from, r.targetType(l, as.Tok)) + "; "
	}
	from := "<-" + over
	if blank {
		return pre, from, ""
	}
	return pre, strings.Join(names, ", ") + " := " + from, first
}

// breaks reports a break without a label that is about the statement whose body b is.
func breaks(b *ast.BlockStmt) bool {
	found := false
	ast.Inspect(b, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt, *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			found = found || n.Tok == token.BREAK && n.Label == nil
		}
		return !found
	})
	return found
}
