package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// assert writes x.(T).
func (r *renderer) assert(n *ast.TypeAssertExpr) string {
	t, from := r.typ(n.Type), r.typ(n.X)
	x := r.conv(r.expr(n.X), from, types.NewInterfaceType(nil, nil))
	if _, commaOK := r.info.Types[n].Type.(*types.Tuple); commaOK {
		return r.asserter(t) + "(" + x + ")"
	}
	ts := r.t(t, n.Pos())
	as := r.asserter(t)
	fn := r.u.helper("must", r.key(t)+" of "+r.typeName(from), func(name string) string {
		return fmt.Sprintf("func %s(v__ %s) %s { x__, ok__ := %s(v__); if !ok__ { %s(%d, %q, v__) }; return x__ }\n",
			name, anyAs, ts, as, r.host("NotA"), r.describe(t).ID, r.typeName(from))
	})
	return fn + "(" + x + ")"
}

// asserter returns the name of a function from any to (t, bool).
func (r *renderer) asserter(t types.Type) string {
	t = r.substituted(t)
	ts, bad := r.typeOf(t)
	if bad != "" {
		return r.host("No")
	}
	id := r.describe(t).ID
	return r.u.helper("as", r.key(t), func(name string) string {
		switch {
		case !isInterface(t):
			return fmt.Sprintf("func %s(v__ %s) (%s, bool) { x__ := new(%s); ok__ := %s(%d, v__, x__); return *x__, ok__ }\n", name, anyAs, ts, ts, r.host("As"), id)
		case ts == anyAs:
			return fmt.Sprintf("func %s(v__ %s) (%s, bool) { if %s(%d, v__) { return v__, true }; return *new(%s), false }\n", name, anyAs, ts, r.host("Has"), id, anyAs)
		}
		return fmt.Sprintf("func %s(v__ %s) (%s, bool) { if %s(%d, v__) { return %s(v__), true }; return *new(%s), false }\n", name, anyAs, ts, r.host("Has"), id, r.toNative(t), ts)
	})
}

// helper returns the name of a function that the unit defines once per key.
func (u *Unit) helper(base, key string, write func(name string) string) string {
	key = base + " " + key
	if n, ok := u.helpers[key]; ok {
		return n
	}
	name := u.scope.name(base + "__h")
	if u.helpers == nil {
		u.helpers = map[string]string{}
	}
	u.helpers[key] = name
	text := write(name)
	u.defs.WriteString(text)
	return name
}

// typeSwitch writes a switch on types as a chain of questions.
func (r *renderer) typeSwitch(st *ast.TypeSwitchStmt) (pre, core string) {
	var x ast.Expr
	name := ""
	switch a := st.Assign.(type) {
	case *ast.AssignStmt:
		x, name = a.Rhs[0].(*ast.TypeAssertExpr).X, a.Lhs[0].(*ast.Ident).Name
	case *ast.ExprStmt:
		x = a.X.(*ast.TypeAssertExpr).X
	}
	if st.Init != nil {
		pre = r.inner(st.Init)
	}
	from := r.typ(x)
	v, o := r.tmp("v"), r.tmp("o")
	empty := types.NewInterfaceType(nil, nil)
	pre += o + " := " + r.expr(x) + "; " + v + " := " + r.conv(o, from, empty) + "; "
	var rest, last string
	for _, c := range st.Body.List {
		c := c.(*ast.CaseClause)
		in := *r
		in.top = false
		s := ""
		if c.List == nil {
			s += "default:\n"
		} else {
			var tests []string
			for _, e := range c.List {
				if r.info.Types[e].IsNil() {
					tests = append(tests, v+" == nil")
					continue
				}
				t := r.typ(e)
				op := "Is"
				if isInterface(t) {
					op = "Has"
				}
				tests = append(tests, fmt.Sprintf("%s(%d, %s)", r.host(op), r.describe(t).ID, v))
			}
			s += "case " + strings.Join(tests, " || ") + ":\n"
		}
		if ov, ok := r.info.Implicits[c].(*types.Var); ok && name != "" && used(r.info, c, ov) {
			code := in.local(ov)
			k := r.tmp("k")
			if len(c.List) == 1 && !r.info.Types[c.List[0]].IsNil() {
				s += fmt.Sprintf("%s, _ := %s(%s); %s := %s\n", k, r.asserter(r.substituted(ov.Type())), v, code, k)
			} else {
				s += fmt.Sprintf("%s := %s; %s := %s\n", k, o, code, k)
			}
		}
		s += in.stmts(c.Body)
		if c.List == nil {
			last = s
		} else {
			rest += s
		}
	}
	return pre, "switch {\n" + rest + last + "}"
}

// used reports whether a clause refers to o.
func used(info *types.Info, n ast.Node, o types.Object) bool {
	found := false
	ast.Inspect(n, func(n ast.Node) bool {
		if id, ok := n.(*ast.Ident); ok && info.Uses[id] == o {
			found = true
		}
		return !found
	})
	return found
}
