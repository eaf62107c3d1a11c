package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// typ returns the type of an expression in the instance that is being written.
func (r *renderer) typ(e ast.Expr) types.Type {
	t := r.info.TypeOf(e)
	if t == nil {
		return types.Typ[types.Invalid]
	}
	return r.substituted(t)
}

// t writes a type, or refuses the place.
func (r *renderer) t(t types.Type, at token.Pos) string {
	s, bad := r.typeOf(t)
	if bad != "" {
		r.u.refuse(at, "type "+bad+" cannot be named here")
	}
	return s
}

// expr writes an expression as the interpreter gets it right.
func (r *renderer) expr(e ast.Expr) string {
	if s, ok := r.constant(e); ok {
		return s
	}
	if r.info.Types[e].IsType() {
		return r.t(r.typ(e), e.Pos())
	}
	switch e := e.(type) {
	case *ast.ParenExpr:
		return "(" + r.expr(e.X) + ")"
	case *ast.Ident:
		return r.ident(e)
	case *ast.BasicLit:
		return e.Value
	case *ast.SelectorExpr:
		return r.selector(e)
	case *ast.IndexExpr:
		return r.index(e)
	case *ast.IndexListExpr:
		return r.expr(e.X)
	case *ast.SliceExpr:
		return r.slice(e)
	case *ast.StarExpr:
		return "*" + r.expr(e.X)
	case *ast.UnaryExpr:
		return r.unary(e)
	case *ast.BinaryExpr:
		return r.binary(e)
	case *ast.CallExpr:
		return r.call(e)
	case *ast.FuncLit:
		return r.funcLit(e)
	case *ast.CompositeLit:
		return r.composite(e)
	case *ast.TypeAssertExpr:
		return r.assert(e)
	}
	r.u.refuse(e.Pos(), "this expression cannot be interpreted")
	return ""
}

// value writes an expression that is put where a value of type to is wanted; to may be nil.
func (r *renderer) value(e ast.Expr, to types.Type) string {
	if to == nil {
		return r.expr(e)
	}
	to = r.substituted(to)
	if r.info.Types[e].IsNil() {
		if r.wrapped(to) {
			return "(" + r.t(to, e.Pos()) + "{})"
		}
		return "nil"
	}
	return r.conv(r.expr(e), r.typ(e), to)
}

// oneOf is value where the interpreter needs the type of a nil.
func (r *renderer) oneOf(e ast.Expr, to types.Type) string {
	if to != nil && r.info.Types[e].IsNil() {
		if ts, bad := r.typeOf(to); bad == "" {
			return "*new(" + ts + ")"
		}
	}
	return r.value(e, to)
}

// argument is value for an argument of a call. A function literal is put into a variable first: only then does it keep
// the variables of this iteration.
func (r *renderer) argument(e ast.Expr, to types.Type) string {
	if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok && r.hoist != nil {
		k := r.tmp("fn")
		text := r.funcLit(lit)
		r.hoist.WriteString(k + " := " + text + "; ")
		if to == nil {
			return k
		}
		return r.conv(k, r.typ(e), to)
	}
	return r.value(e, to)
}

func (r *renderer) exprs(list []ast.Expr) string {
	var ss []string
	for _, e := range list {
		ss = append(ss, r.expr(e))
	}
	return strings.Join(ss, ", ")
}

// isInterface reports an interface type; type parameters are none here.
func isInterface(t types.Type) bool {
	_, ok := t.Underlying().(*types.Interface)
	return ok
}

func isStruct(t types.Type) bool {
	_, ok := t.Underlying().(*types.Struct)
	return ok
}

// sameForm reports that two types are one to the interpreter, so that a value needs nothing to go from one to the other.
func (r *renderer) sameForm(from, to types.Type) bool {
	if from == nil || to == nil {
		return true
	}
	from, to = r.substituted(from), r.substituted(to)
	if isInterface(to) && !isInterface(from) {
		return false
	}
	a, bad1 := r.typeOf(from)
	b, bad2 := r.typeOf(to)
	return bad1+bad2 != "" || a == b
}

// conv writes what makes of a value of one type one of another that it can be assigned to.
func (r *renderer) conv(text string, from, to types.Type) string {
	from, to = r.substituted(from), r.substituted(to)
	if _, ok := from.(*types.Tuple); ok || r.sameForm(from, to) {
		return text
	}
	fs, _ := r.typeOf(from)
	ts, bad := r.typeOf(to)
	if bad != "" {
		return text
	}
	switch {
	case isInterface(to):
		if !isInterface(from) {
			text = r.box(text, from)
		} else if fs != anyAs {
			text = r.host("Lift") + "(" + text + ")"
		}
		if ts == anyAs {
			return text
		}
		return r.toNative(to) + "(" + text + ")"
	case r.wrapped(to) && !r.wrapped(from):
		return r.wrap(text, to)
	case r.wrapped(from) && !r.wrapped(to):
		return r.raw(text, from)
	case isStruct(to) && isStruct(from):
		return r.structConv(from, to) + "(" + text + ")"
	}
	return text
}

// box writes a value of a type that is no interface as one in an interface.
func (r *renderer) box(text string, from types.Type) string {
	if b, ok := from.(*types.Basic); ok && b.Kind() == types.UntypedNil {
		return "*new(" + anyAs + ")"
	}
	if r.native(from) {
		return r.host("Lift") + "(" + text + ")"
	}
	return fmt.Sprintf("%s(%d, %s)", r.host("Box"), r.describe(from).ID, text)
}

// raw writes the value inside one of a type that contains itself.
func (r *renderer) raw(text string, t types.Type) string {
	if !r.wrapped(t) {
		return text
	}
	if !r.wrapsAny(t) {
		return text + ".v"
	}
	ts, _ := r.typeOf(t)
	us, _ := r.literal(r.substituted(t).Underlying())
	return r.u.helper("inside", ts, func(name string) string {
		return fmt.Sprintf("func %s(x__ %s) %s { y__ := new(%s); %s(x__.v, y__); return *y__ }\n", name, ts, us, us, r.host("Take"))
	}) + "(" + text + ")"
}

// wrap is the inverse of raw.
func (r *renderer) wrap(text string, t types.Type) string {
	if !r.wrapped(t) {
		return text
	}
	if r.wrapsAny(t) {
		text = r.host("Lift") + "(" + text + ")"
	}
	ts, _ := r.typeOf(t)
	return "(" + ts + "{v: " + text + "})"
}

// wrapsAny reports a type that contains itself as a function does, by its parameters or results: the interpreter is
// told of the function only where it is used, since it does not find an end to such types.
func (r *renderer) wrapsAny(t types.Type) bool {
	_, ok := r.substituted(t).Underlying().(*types.Signature)
	return ok
}

// toNative returns the function that makes a value behind a compiled interface of one behind any.
func (r *renderer) toNative(t types.Type) string {
	path := "error"
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		p, name := r.u.scope.scriptName(n.Obj())
		path = p + "." + name
	}
	r.u.needs[InterfacePrefix+path] = true
	return hostAs + "." + ToName(path)
}

// InterfacePrefix marks, among the imports of a unit, a compiled interface that its values are converted to.
const InterfacePrefix = "interface:"

// ToName is the session's function that converts to a compiled interface.
func ToName(path string) string {
	return "To_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(path)
}

// structConv returns a function that makes of a struct one of another type with the same fields.
func (r *renderer) structConv(from, to types.Type) string {
	fs, _ := r.typeOf(from)
	ts, _ := r.typeOf(to)
	return r.u.helper("conv", fs+" "+ts, func(name string) string {
		st, st2 := from.Underlying().(*types.Struct), to.Underlying().(*types.Struct)
		var vals []string
		for i := range st.NumFields() {
			vals = append(vals, fieldCode(st2, i)+": "+r.conv("x__."+fieldCode(st, i), st.Field(i).Type(), st2.Field(i).Type()))
		}
		return fmt.Sprintf("func %s(x__ %s) %s { return %s{%s} }\n", name, fs, ts, ts, strings.Join(vals, ", "))
	})
}

// convert writes T(x).
func (r *renderer) convert(n *ast.CallExpr) string {
	x := n.Args[0]
	to, from := r.typ(n), r.typ(x)
	ts := r.t(to, n.Pos())
	if r.info.Types[x].IsNil() {
		if r.wrapped(to) {
			return "(" + ts + "{})"
		}
		return "*new(" + ts + ")"
	}
	text := r.expr(x)
	if isInterface(to) {
		return r.conv(text, from, to)
	}
	fs, _ := r.typeOf(from)
	if fs == ts && !isUntyped(from) {
		return "(" + text + ")"
	}
	if r.wrapped(to) || r.wrapped(from) {
		text = r.raw(text, from)
		if !r.wrapped(to) {
			return "(" + text + ")"
		}
		return r.wrap(text, to)
	}
	if isStruct(to) {
		return r.structConv(from, to) + "(" + text + ")"
	}
	if p, ok := to.Underlying().(*types.Pointer); ok && isStruct(p.Elem()) {
		fn := r.u.helper("cast", fs+" "+ts, func(name string) string {
			return fmt.Sprintf("func %s(x__ %s) %s { y__ := new(%s); %s(x__, y__); return *y__ }\n", name, fs, ts, ts, r.host("Cast"))
		})
		return fn + "(" + text + ")"
	}
	if strings.HasPrefix(ts, "[]") || !strings.ContainsAny(ts[:1], "*<fc[") || ts == "float64" || ts == "float32" || strings.HasPrefix(ts, "complex") {
		return ts + "(" + text + ")"
	}
	return "(" + ts + ")(" + text + ")"
}

func isUntyped(t types.Type) bool {
	b, ok := t.(*types.Basic)
	return ok && b.Info()&types.IsUntyped != 0
}

// index writes x[i], or the instance of a generic function.
func (r *renderer) index(e *ast.IndexExpr) string {
	if tv := r.info.Types[e.X]; tv.Type != nil {
		if _, isFunc := tv.Type.Underlying().(*types.Signature); isFunc {
			return r.expr(e.X)
		}
	}
	t := r.typ(e.X)
	x := r.raw(r.expr(e.X), t)
	if m, ok := t.Underlying().(*types.Map); ok {
		return x + "[" + r.value(e.Index, m.Key()) + "]"
	}
	r.within(e, x)
	return x + "[" + r.expr(e.Index) + "]"
}

func (r *renderer) slice(e *ast.SliceExpr) string {
	t := r.typ(e.X)
	x := r.raw(r.expr(e.X), t)
	r.withinSlice(e, x)
	s := x + "["
	if e.Low != nil {
		s += r.expr(e.Low)
	}
	s += ":"
	if e.High != nil {
		s += r.expr(e.High)
	}
	if e.Slice3 {
		s += ":" + r.expr(e.Max)
	}
	s += "]"
	return r.wrap(s, r.typ(e))
}

func (r *renderer) unary(e *ast.UnaryExpr) string {
	switch e.Op {
	case token.ARROW:
		s := "<-" + r.raw(r.expr(e.X), r.typ(e.X))
		if _, commaOK := r.info.Types[e].Type.(*types.Tuple); !commaOK && r.returning && r.hoist != nil {
			// The interpreter fails to return what it has just received.
			k := r.tmp("got")
			r.hoist.WriteString(k + " := " + s + "; ")
			return k
		}
		return s
	case token.AND:
		if lit, ok := ast.Unparen(e.X).(*ast.CompositeLit); ok {
			return r.address(r.expr(lit), r.typ(lit), e.Pos())
		}
	}
	return e.Op.String() + r.expr(e.X)
}

// address writes the address of a new variable that holds a literal.
func (r *renderer) address(lit string, t types.Type, at token.Pos) string {
	if isStruct(t) {
		return "&" + lit
	}
	ts := r.t(t, at)
	fn := r.u.helper("new", ts, func(name string) string {
		return fmt.Sprintf("func %s(x__ %s) *%s { y__ := new(%s); *y__ = x__; return y__ }\n", name, ts, ts, ts)
	})
	return fn + "(" + lit + ")"
}

func (r *renderer) binary(e *ast.BinaryExpr) string {
	if e.Op == token.LAND || e.Op == token.LOR {
		in := *r
		in.maybe = true
		return r.expr(e.X) + " " + e.Op.String() + " " + in.expr(e.Y)
	}
	if e.Op != token.EQL && e.Op != token.NEQ {
		return r.expr(e.X) + " " + e.Op.String() + " " + r.expr(e.Y)
	}
	return r.equal(r.expr(e.X), r.typ(e.X), r.expr(e.Y), r.typ(e.Y), e.Op == token.NEQ)
}

// equal writes x == y, or x != y.
func (r *renderer) equal(x string, tx types.Type, y string, ty types.Type, not bool) string {
	op := map[bool]string{false: " == ", true: " != "}[not]
	isNil := func(t types.Type) bool { b, ok := t.(*types.Basic); return ok && b.Kind() == types.UntypedNil }
	switch {
	case isNil(ty):
		return r.raw(x, tx) + op + "nil"
	case isNil(tx):
		return r.raw(y, ty) + op + "nil"
	}
	eq := r.host("Eq")
	if not {
		eq = "!" + eq
	}
	empty := types.NewInterfaceType(nil, nil)
	switch {
	case isInterface(tx) || isInterface(ty):
		return eq + "(" + r.conv(x, tx, empty) + ", " + r.conv(y, ty, empty) + ")"
	case isStruct(tx):
		return eq + "(" + x + ", " + y + ")"
	}
	if _, ok := tx.Underlying().(*types.Array); ok {
		return eq + "(" + x + ", " + y + ")"
	}
	return x + op + y
}

// composite writes a composite literal, with all the types that Go lets one leave out.
func (r *renderer) composite(e *ast.CompositeLit) string {
	t := r.typ(e)
	if p, ok := t.Underlying().(*types.Pointer); ok { // an element of []*T, written without &T
		return r.address(r.literalOf(e, p.Elem()), p.Elem(), e.Pos())
	}
	return r.literalOf(e, t)
}

func (r *renderer) literalOf(e *ast.CompositeLit, t types.Type) string {
	ts := r.t(t, e.Pos())
	t = r.substituted(t)
	var vals []string
	elem := func(e ast.Expr, to types.Type) string {
		if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok && r.hoist != nil {
			return r.argument(lit, to)
		}
		return r.oneOf(e, to)
	}
	switch u := t.Underlying().(type) {
	case *types.Struct:
		for i, v := range e.Elts {
			if kv, ok := v.(*ast.KeyValueExpr); ok {
				name := kv.Key.(*ast.Ident).Name
				for j := range u.NumFields() {
					if u.Field(j).Name() == name {
						vals = append(vals, fieldCode(u, j)+": "+elem(kv.Value, u.Field(j).Type()))
					}
				}
				continue
			}
			vals = append(vals, fieldCode(u, i)+": "+elem(v, u.Field(i).Type()))
		}
	case *types.Map:
		for _, v := range e.Elts {
			kv := v.(*ast.KeyValueExpr)
			vals = append(vals, r.oneOf(kv.Key, u.Key())+": "+elem(kv.Value, u.Elem()))
		}
	case interface{ Elem() types.Type }:
		for _, v := range e.Elts {
			if kv, ok := v.(*ast.KeyValueExpr); ok {
				vals = append(vals, r.expr(kv.Key)+": "+elem(kv.Value, u.Elem()))
				continue
			}
			vals = append(vals, elem(v, u.Elem()))
		}
	}
	if r.wrapped(t) {
		inner, bad := r.literal(t.Underlying())
		if bad != "" {
			r.u.refuse(e.Pos(), "type "+bad+" cannot be named here")
		}
		return r.wrap(inner+"{"+strings.Join(vals, ", ")+"}", t)
	}
	return ts + "{" + strings.Join(vals, ", ") + "}"
}

// selector writes x.name: a name of a package, a field, or a method as a value.
func (r *renderer) selector(n *ast.SelectorExpr) string {
	if id, ok := n.X.(*ast.Ident); ok {
		if pn, ok := r.info.Uses[id].(*types.PkgName); ok {
			return r.qualified(n, pn.Imported())
		}
	}
	sel := r.info.Selections[n]
	if sel == nil {
		return r.expr(n.X) + "." + n.Sel.Name
	}
	switch sel.Kind() {
	case types.MethodExpr:
		return r.methodExpr(n)
	case types.MethodVal:
		return r.methodValue(n)
	}
	text, t := r.expr(n.X), r.typ(n.X)
	if _, ok := n.X.(*ast.StarExpr); ok {
		text = "(" + text + ")"
	}
	_, index, _ := types.LookupFieldOrMethod(t, true, r.home(), n.Sel.Name)
	text, _ = r.steps(text, t, index)
	return text
}

// home is the package that the code being written belongs to.
func (r *renderer) home() *types.Package {
	if r.pkgOf != nil {
		return r.pkgOf
	}
	return r.u.round.pkg
}

// steps goes from a value through fields by their numbers.
func (r *renderer) steps(text string, t types.Type, index []int) (string, types.Type) {
	for _, i := range index {
		t = r.substituted(t)
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = r.substituted(p.Elem())
		}
		st, ok := t.Underlying().(*types.Struct)
		if !ok {
			break
		}
		text += "." + fieldCode(st, i)
		t = r.substituted(st.Field(i).Type())
	}
	return text, t
}

// qualified writes a name of a compiled package.
func (r *renderer) qualified(n *ast.SelectorExpr, pkg *types.Package) string {
	o := r.info.Uses[n.Sel]
	if inst, ok := r.info.Instances[n.Sel]; ok {
		if f, ok := o.(*types.Func); ok {
			return r.instanceFunc(n.Sel, f, inst.TypeArgs)
		}
		return r.t(inst.Type, n.Pos())
	}
	if pkg.Path() == "os" && (n.Sel.Name == "Stdout" || n.Sel.Name == "Stderr") {
		return r.host(n.Sel.Name)
	}
	if t, ok := o.(*types.TypeName); ok {
		return r.t(t.Type(), n.Pos())
	}
	name := r.pkg(pkg.Path()) + "." + n.Sel.Name
	if f, ok := o.(*types.Func); ok && f.Signature().Variadic() {
		// As a value it is one of the script's variadic functions.
		params, args, bad := r.numbered(f.Signature())
		if bad != "" {
			return name
		}
		ret := ""
		if f.Signature().Results().Len() > 0 {
			ret = "return "
		}
		return fmt.Sprintf("func(%s)%s { %s%s(%s...) }", params, r.results(f.Signature()), ret, name, args)
	}
	return name
}
