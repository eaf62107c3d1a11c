package cell

import (
	"fmt"
	"go/ast"
	"go/types"
	"strings"
)

// paramType returns the type of a call's parameter number i; nil when it is not known.
func paramType(sig *types.Signature, i int, ellipsis bool) types.Type {
	if sig == nil {
		return nil
	}
	n := sig.Params().Len()
	if sig.Variadic() && i >= n-1 {
		t := sig.Params().At(n - 1).Type()
		if s, ok := t.(*types.Slice); ok && !ellipsis {
			return s.Elem()
		}
		return t
	}
	if i < n {
		return sig.Params().At(i).Type()
	}
	return nil
}

// signatureOf returns the signature of what is called, in the instance that is being written.
func (r *renderer) signatureOf(fun ast.Expr) *types.Signature {
	t := r.typ(fun)
	sig, _ := t.Underlying().(*types.Signature)
	return sig
}

// call writes a call. Builtins that the interpreter lacks become functions of the session or of the unit.
func (r *renderer) call(n *ast.CallExpr) string {
	fun := ast.Unparen(n.Fun)
	if r.info.Types[fun].IsType() {
		return r.convert(n)
	}
	if id, ok := fun.(*ast.Ident); ok {
		if b, ok := r.info.Uses[id].(*types.Builtin); ok {
			return r.builtin(n, b.Name())
		}
	}
	if s, ok := r.library(n, fun); ok {
		return s
	}
	sig := r.signatureOf(n.Fun)
	if tuple, ok := r.spread(n, sig); ok {
		return r.spreadCall(n, sig, tuple)
	}
	c := r.calling(fun)
	if r.handling(n) == "Target" && c.compiled && len(n.Args) > 0 && sig.Results().Len() == 1 && !sig.Variadic() {
		// What is decoded goes into a likeness first, and from there to the script's variable.
		in := *r
		in.hoist = nil
		var args []string
		last := len(n.Args) - 1
		for i, a := range n.Args[:last] {
			args = append(args, in.arg(n, sig, i, a, true))
		}
		to := r.value(n.Args[last], types.NewInterfaceType(nil, nil))
		return fmt.Sprintf("%s(%s, func(t__ %s) error { return %s })", r.host("Decoded"), to, anyAs, c.write(append(args, "t__")))
	}
	return c.write(r.args(n, sig, c.compiled))
}

// callable is what a call calls.
type callable struct {
	write    func(args []string) string
	compiled bool // a function or method of compiled code
}

// calling resolves what a call calls.
func (r *renderer) calling(fun ast.Expr) callable {
	with := func(f, first string) func(args []string) string {
		return func(args []string) string {
			if first != "" {
				args = append([]string{first}, args...)
			}
			return f + "(" + strings.Join(args, ", ") + ")"
		}
	}
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if sel := r.info.Selections[s]; sel != nil && sel.Kind() == types.MethodVal {
			recv, fn := r.method(r.operand(s.X), r.typ(s.X), s.Sel.Name, s)
			if fn == "" {
				return callable{with(recv+"."+s.Sel.Name, ""), true}
			}
			return callable{with(fn, recv), false}
		}
		if f, ok := r.info.Uses[s.Sel].(*types.Func); ok && f.Pkg() != nil && f.Signature().Recv() == nil && f.Signature().TypeParams().Len() == 0 {
			if id, ok := s.X.(*ast.Ident); ok {
				if pn, ok := r.info.Uses[id].(*types.PkgName); ok {
					return callable{with(r.pkg(pn.Imported().Path())+"."+s.Sel.Name, ""), true}
				}
			}
		}
		if f, ok := r.info.Uses[s.Sel].(*types.Func); ok && f.Signature().TypeParams().Len() > 0 {
			return callable{with(r.expr(fun), ""), false}
		}
	}
	return callable{with(r.callee(fun), ""), false}
}

// operand writes what stands before a dot.
func (r *renderer) operand(e ast.Expr) string {
	s := r.expr(e)
	switch ast.Unparen(e).(type) {
	case *ast.StarExpr, *ast.UnaryExpr, *ast.BinaryExpr:
		return "(" + s + ")"
	}
	if strings.HasPrefix(s, "&") || strings.HasPrefix(s, "<-") || strings.HasPrefix(s, "*") {
		return "(" + s + ")"
	}
	return s
}

// callee writes what stands before the arguments of a call of a function.
func (r *renderer) callee(e ast.Expr) string {
	e = ast.Unparen(e)
	id, _ := e.(*ast.Ident)
	switch x := e.(type) {
	case *ast.IndexExpr:
		if r.info.Types[x.X].Type != nil {
			if _, ok := r.info.Types[x.X].Type.Underlying().(*types.Signature); ok {
				return r.callee(x.X)
			}
		}
	case *ast.IndexListExpr:
		return r.callee(x.X)
	case *ast.FuncLit:
		return r.funcLit(x)
	}
	if id != nil {
		if o, ok := r.info.Uses[id].(*types.Func); ok && o.Pkg() != nil && (o.Pkg().Path() == "main" || r.u.preludeOf(o) != nil) {
			return r.funcName(id, o)
		}
	}
	return r.raw(r.operand(e), r.typ(e))
}

// spread reports the call f(g()) of a g with several results.
func (r *renderer) spread(n *ast.CallExpr, sig *types.Signature) (*types.Tuple, bool) {
	if len(n.Args) != 1 || sig == nil {
		return nil, false
	}
	t, ok := r.info.TypeOf(n.Args[0]).(*types.Tuple)
	return t, ok
}

// spreadCall takes the results of a call apart before they are passed on.
func (r *renderer) spreadCall(n *ast.CallExpr, sig *types.Signature, t *types.Tuple) string {
	var names, args, params []string
	for i := range t.Len() {
		a := fmt.Sprintf("s__%d", i)
		names = append(names, a)
		from := r.substituted(t.At(i).Type())
		params = append(params, a+" "+r.t(from, n.Pos()))
		args = append(args, r.passed(n, sig, i, a, from))
	}
	c := r.calling(ast.Unparen(n.Fun))
	if r.hoist != nil {
		text := r.expr(n.Args[0])
		var tmps []string
		for i := range names {
			tmps = append(tmps, r.tmp("s"))
			args[i] = r.passed(n, sig, i, tmps[i], r.substituted(t.At(i).Type()))
		}
		r.hoist.WriteString(strings.Join(tmps, ", ") + " := " + text + "; ")
		return c.write(r.packed(n, sig, args, c.compiled))
	}
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	return fmt.Sprintf("func(%s)%s { %s%s }(%s)", strings.Join(params, ", "), r.results(sig), ret, c.write(r.packed(n, sig, args, c.compiled)), r.expr(n.Args[0]))
}

// passed writes a value that is passed as argument i.
func (r *renderer) passed(n *ast.CallExpr, sig *types.Signature, i int, text string, from types.Type) string {
	to := paramType(sig, i, n.Ellipsis.IsValid())
	if to == nil {
		return text
	}
	if how := r.handling(n); how != "" && isInterface(r.substituted(to)) && !isInterface(from) {
		return r.passAny(how, text, from)
	}
	return r.conv(text, from, to)
}

// args writes the arguments of a call.
func (r *renderer) args(n *ast.CallExpr, sig *types.Signature, compiled bool) []string {
	var list []string
	for i, a := range n.Args {
		list = append(list, r.arg(n, sig, i, a, compiled))
	}
	return r.packed(n, sig, list, compiled)
}

// arg writes argument i of a call.
func (r *renderer) arg(n *ast.CallExpr, sig *types.Signature, i int, a ast.Expr, compiled bool) string {
	to := paramType(sig, i, n.Ellipsis.IsValid())
	if compiled && to != nil && !r.info.Types[a].IsNil() {
		if t, ok := r.substituted(to).Underlying().(*types.Interface); ok && t.NumMethods() == 0 {
			if how := r.handling(n); how != "" {
				return r.passAny(how, r.argument(a, nil), r.typ(a))
			}
			if !isInterface(r.typ(a)) && r.native(r.typ(a)) {
				return r.argument(a, nil)
			}
		}
	}
	return r.argument(a, to)
}

// packed puts the arguments of a variadic function of the script's into a slice.
func (r *renderer) packed(n *ast.CallExpr, sig *types.Signature, args []string, compiled bool) []string {
	if sig == nil || !sig.Variadic() {
		return args
	}
	last := sig.Params().Len() - 1
	if n != nil && n.Ellipsis.IsValid() {
		if compiled {
			args[last] += "..."
		} else if r.info.Types[n.Args[last]].IsNil() {
			args[last] = "*new(" + r.t(sig.Params().At(last).Type(), n.Pos()) + ")"
		}
		return args
	}
	if compiled {
		return args
	}
	ts, _ := r.typeOf(sig.Params().At(last).Type())
	if len(args) == last {
		return append(args, "*new("+ts+")")
	}
	return append(args[:last:last], ts+"{"+strings.Join(args[last:], ", ")+"}")
}

// passAny writes an argument of type any for compiled code that looks into it.
func (r *renderer) passAny(how, text string, from types.Type) string {
	if r.native(from) && !isInterface(from) && (how != "Plain" || !r.holdsAny(from, 0)) {
		return text
	}
	if !isInterface(from) {
		text = r.box(text, from)
	}
	return r.host(how) + "(" + text + ")"
}

// holdsAny reports that values behind interfaces are part of a type.
func (r *renderer) holdsAny(t types.Type, depth int) bool {
	switch t := r.substituted(t).Underlying().(type) {
	case *types.Interface:
		return true
	case *types.Map:
		return depth < 4 && r.holdsAny(t.Elem(), depth+1)
	case *types.Pointer:
		return false
	case interface{ Elem() types.Type }:
		return depth < 4 && r.holdsAny(t.Elem(), depth+1)
	}
	return false
}

// handling tells what becomes of arguments of type any in a call of compiled code: "" leaves them in their box, which
// comes back as it went; Bare takes the value out, for what works by reflection; Plain makes a compiled likeness, for
// what only reads; Target a place to decode into.
func (r *renderer) handling(n *ast.CallExpr) string {
	s, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr)
	if !ok {
		return ""
	}
	f, ok := r.info.Uses[s.Sel].(*types.Func)
	if !ok || f.Pkg() == nil {
		return ""
	}
	name := f.Name()
	switch f.Pkg().Path() {
	case "reflect":
		if name == "ValueOf" {
			return "Reflected"
		}
		return "Bare"
	case "sort", "encoding/binary", "flag", "os/signal":
		return "Bare"
	case "fmt":
		if strings.Contains(name, "can") {
			return "Bare"
		}
	case "encoding/json", "encoding/xml":
		if strings.HasPrefix(name, "Unmarshal") || strings.HasPrefix(name, "Decode") {
			return "Target"
		}
		if f.Pkg().Path() == "encoding/xml" {
			return "Plain"
		}
	case "text/template", "html/template":
		return "Plain"
	}
	if strings.HasPrefix(f.Pkg().Path(), ownPackages) {
		return "Plain"
	}
	return ""
}

// ownPackages begins the paths of the packages that were written for scripts.
const ownPackages = "tunebook/"

func (r *renderer) builtin(n *ast.CallExpr, name string) string {
	plain := func() string { return name + "(" + r.exprs(n.Args) + ")" }
	t := r.typ(n)
	switch name {
	case "min", "max":
		ts := r.t(types.Default(t), n.Pos())
		op := map[string]string{"min": "<", "max": ">"}[name]
		nan := ""
		if b, ok := t.Underlying().(*types.Basic); ok && b.Info()&types.IsFloat != 0 {
			nan = " || x__ != x__"
		}
		fn := r.u.helper(name, ts, func(fn string) string {
			return fmt.Sprintf("func %s(m__ %s, r__ ...%s) %s { for _, x__ := range r__ { if x__ %s m__%s { m__ = x__ } }; return m__ }\n", fn, ts, ts, ts, op, nan)
		})
		return fn + "(" + r.exprs(n.Args) + ")"
	case "clear":
		return fmt.Sprintf("%s(%s)", r.host("Clear"), r.raw(r.expr(n.Args[0]), r.typ(n.Args[0])))
	case "len", "cap":
		x := n.Args[0]
		xt := r.typ(x)
		if _, ok := xt.Underlying().(*types.Pointer); ok { // to an array
			return name + "(*" + r.operand(x) + ")"
		}
		return name + "(" + r.raw(r.expr(x), xt) + ")"
	case "append":
		elem := t.Underlying().(*types.Slice).Elem()
		var list []string
		for i, a := range n.Args {
			switch {
			case i == 0 && r.info.Types[a].IsNil():
				inner, _ := r.literal(t.Underlying())
				list = append(list, "*new("+inner+")")
			case i == 0:
				list = append(list, r.raw(r.expr(a), r.typ(a)))
			case n.Ellipsis.IsValid():
				s := r.raw(r.expr(a), r.typ(a))
				if b, ok := r.typ(a).Underlying().(*types.Basic); ok && b.Info()&types.IsString != 0 {
					s = "[]uint8(" + s + ")"
				}
				list = append(list, s+"...")
			default:
				list = append(list, r.argument(a, elem))
			}
		}
		s := "append(" + strings.Join(list, ", ") + ")"
		return r.wrap(s, t)
	case "copy":
		return "copy(" + r.raw(r.expr(n.Args[0]), r.typ(n.Args[0])) + ", " + r.raw(r.expr(n.Args[1]), r.typ(n.Args[1])) + ")"
	case "delete":
		mt := r.typ(n.Args[0])
		m := mt.Underlying().(*types.Map)
		return "delete(" + r.raw(r.expr(n.Args[0]), mt) + ", " + r.value(n.Args[1], m.Key()) + ")"
	case "close":
		return "close(" + r.raw(r.expr(n.Args[0]), r.typ(n.Args[0])) + ")"
	case "make":
		ts, bad := r.literal(t.Underlying())
		if bad != "" {
			r.u.refuse(n.Pos(), "type "+bad+" cannot be named here")
		}
		oneWay := ""
		if c, ok := t.Underlying().(*types.Chan); ok && c.Dir() != types.SendRecv {
			oneWay = ts
			ts, _ = r.literal(types.NewChan(types.SendRecv, c.Elem()))
		}
		s := "make(" + ts
		for _, a := range n.Args[1:] {
			s += ", " + r.expr(a)
		}
		s += ")"
		if oneWay != "" {
			s = "(" + oneWay + ")(" + s + ")"
		}
		return r.wrap(s, t)
	case "new":
		p := t.Underlying().(*types.Pointer)
		if tv := r.info.Types[n.Args[0]]; !tv.IsType() { // new(expression), Go 1.26
			ts := r.t(p.Elem(), n.Pos())
			fn := r.u.helper("new", ts, func(name string) string {
				return fmt.Sprintf("func %s(x__ %s) *%s { y__ := new(%s); *y__ = x__; return y__ }\n", name, ts, ts, ts)
			})
			return fn + "(" + r.value(n.Args[0], p.Elem()) + ")"
		}
		return "new(" + r.t(p.Elem(), n.Pos()) + ")"
	case "panic":
		return r.host("Panic") + "(" + r.value(n.Args[0], types.NewInterfaceType(nil, nil)) + ")"
	case "recover":
		return r.host("Recover") + "()"
	case "print", "println":
		return r.host(map[string]string{"print": "Print", "println": "Println"}[name]) + "(" + r.exprs(n.Args) + ")"
	}
	return plain()
}

// library writes calls of the standard library that ask for the types of their arguments.
func (r *renderer) library(n *ast.CallExpr, fun ast.Expr) (string, bool) {
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	f, ok := r.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil || f.Signature().Recv() != nil {
		return "", false
	}
	switch f.Pkg().Path() + "." + f.Name() {
	case "errors.As":
		if len(n.Args) != 2 {
			return "", false
		}
		p, ok := r.typ(n.Args[1]).Underlying().(*types.Pointer)
		if !ok {
			return "", false
		}
		if t := p.Elem(); r.native(t) && !isInterface(t) {
			return "", false
		}
		ts, bad := r.typeOf(p.Elem())
		if bad != "" {
			return "", false
		}
		as := r.asserter(p.Elem())
		fn := r.u.helper("errorsAs", r.key(p.Elem()), func(name string) string {
			return fmt.Sprintf("func %s(err__ error, to__ *%s) bool { return %s(err__, func(v__ %s) bool { x__, ok__ := %s(v__); if ok__ { *to__ = x__ }; return ok__ }) }\n",
				name, ts, r.host("Chain"), anyAs, as)
		})
		return fmt.Sprintf("%s(%s, %s)", fn, r.value(n.Args[0], types.Universe.Lookup("error").Type()), r.expr(n.Args[1])), true
	case "reflect.TypeOf":
		if len(n.Args) != 1 {
			return "", false
		}
		r.pkg("reflect")
		return r.host("TypeOf") + "(" + r.value(n.Args[0], types.NewInterfaceType(nil, nil)) + ")", true
	}
	return "", false
}

// methodCall writes text.name(args) for an operand of type t, where args is a list that numbered gives.
func (r *renderer) methodCall(text string, t types.Type, name, args string, sig *types.Signature, at ast.Node) string {
	recv, fn := r.method(text, t, name, at)
	if fn == "" {
		if sig.Variadic() {
			args += "..."
		}
		return recv + "." + name + "(" + args + ")"
	}
	if args != "" {
		args = ", " + args
	}
	return fn + "(" + recv + args + ")"
}

// method resolves the method of an operand of type t. fn is the function that takes the receiver first; it is empty for
// a method of compiled code, which is called on recv.
func (r *renderer) method(text string, t types.Type, name string, at ast.Node) (recv, fn string) {
	t = r.substituted(t)
	o, index, _ := types.LookupFieldOrMethod(t, true, r.home(), name)
	m, ok := o.(*types.Func)
	if !ok {
		if at != nil {
			r.u.refuse(at.Pos(), "method "+name+" cannot be found here")
		}
		return text, ""
	}
	text, t = r.steps(text, t, index[:len(index)-1])
	if it, ok := t.Underlying().(*types.Interface); ok {
		if ts, _ := r.typeOf(t); ts != anyAs {
			// The interpreter would call a method of nothing, and go on.
			return r.u.helper("some", ts, func(name string) string {
				return fmt.Sprintf("func %s(x__ %s) %s { if x__ == nil { %s() }; return x__ }\n", name, ts, ts, r.host("Nil"))
			}) + "(" + text + ")", ""
		}
		for i := range it.NumMethods() {
			if it.Method(i).Name() == name {
				return text, r.invoker(name, it.Method(i).Signature())
			}
		}
		return text, ""
	}
	p, isPtr := types.Unalias(t).(*types.Pointer)
	base := t
	if isPtr {
		base = r.substituted(p.Elem())
	}
	named, ok := types.Unalias(base).(*types.Named)
	if ok && named.TypeArgs().Len() > 0 && !r.u.isScript(named.Obj()) {
		// A generic type of the standard library whose source is ours.
		if in := r.standIn(named); in != nil {
			o, _, _ := types.LookupFieldOrMethod(in, true, in.Obj().Pkg(), name)
			if om, ok := o.(*types.Func); ok {
				named, m = in, om
			}
		}
	}
	if !ok || !r.u.isScript(named.Obj()) {
		return text, ""
	}
	_, wantPtr := m.Signature().Recv().Type().(*types.Pointer)
	switch {
	case wantPtr && !isPtr:
		if rest, ok := strings.CutPrefix(text, "(*"); ok && strings.HasSuffix(rest, ")") && !strings.ContainsAny(rest, "(.[") {
			text = strings.TrimSuffix(rest, ")")
		} else {
			text = "&" + text
		}
	case !wantPtr && isPtr:
		text = "*" + text
	}
	return text, r.methodCode(named, m, at)
}

// invoker returns the function that calls a method of a value behind an interface of the script's.
func (r *renderer) invoker(name string, sig *types.Signature) string {
	params, args, bad := r.numbered(sig)
	if bad != "" {
		return ""
	}
	if params != "" {
		params, args = ", "+params, ", "+args
	}
	sig = stripped(sig)
	fs, _ := r.literal(sig)
	fs = "func(" + anyAs + map[bool]string{true: ", "}[sig.Params().Len() > 0] + strings.TrimPrefix(fs, "func(")
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	return r.u.helper("invoke", name+" "+fs, func(fn string) string {
		return fmt.Sprintf("func %s(v__ %s%s)%s { f__ := new(%s); %s(v__, %q, f__); %s(*f__)(v__%s) }\n",
			fn, anyAs, params, r.results(sig), fs, r.host("Find"), name, ret, args)
	})
}

// methodValue writes x.Method, the receiver evaluated now.
func (r *renderer) methodValue(n *ast.SelectorExpr) string {
	t := r.typ(n.X)
	sig, _ := r.typ(n).Underlying().(*types.Signature)
	recv, fn := r.method(r.operand(n.X), t, n.Sel.Name, n)
	// The receiver's type, as the method takes it.
	o, index, _ := types.LookupFieldOrMethod(t, true, r.home(), n.Sel.Name)
	m := o.(*types.Func)
	_, rt := r.steps("", t, index[:len(index)-1])
	if !isInterface(rt) {
		_, wantPtr := m.Signature().Recv().Type().(*types.Pointer)
		p, isPtr := rt.Underlying().(*types.Pointer)
		switch {
		case wantPtr && !isPtr:
			if fn == "" {
				recv = "&" + recv
			}
			rt = types.NewPointer(rt)
		case !wantPtr && isPtr:
			if fn == "" {
				recv = "*" + recv
			}
			rt = p.Elem()
		}
	}
	rs := r.t(rt, n.Pos())
	params, args, bad := r.numbered(sig)
	if bad != "" {
		r.u.refuse(n.Pos(), "type "+bad+" cannot be named here")
	}
	call := fn + "(r__" + map[bool]string{true: ", "}[args != ""] + args + ")"
	if fn == "" {
		if sig.Variadic() {
			args += "..."
		}
		call = "r__." + n.Sel.Name + "(" + args + ")"
	}
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	bind := r.u.helper("bind", rs+"."+n.Sel.Name+" "+call+params, func(name string) string {
		ft, _ := r.literal(sig)
		return fmt.Sprintf("func %s(r__ %s) %s { return func(%s)%s { %s%s } }\n", name, rs, ft, params, r.results(sig), ret, call)
	})
	return bind + "(" + recv + ")"
}

// methodExpr writes T.Method as a function literal.
func (r *renderer) methodExpr(n *ast.SelectorExpr) string {
	sig := r.typ(n).Underlying().(*types.Signature)
	params, _, bad := r.numbered(sig)
	if bad != "" {
		r.u.refuse(n.Pos(), "type "+bad+" cannot be named here")
	}
	var args []string
	for i := 1; i < sig.Params().Len(); i++ {
		args = append(args, fmt.Sprintf("a__%d", i))
	}
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	call := r.methodCall("a__0", sig.Params().At(0).Type(), n.Sel.Name, strings.Join(args, ", "), sig, n)
	return fmt.Sprintf("func(%s)%s { %s%s }", params, r.results(sig), ret, call)
}

// numbered writes parameters a__0, a__1 and the list that passes them on.
func (r *renderer) numbered(sig *types.Signature) (params, args, bad string) {
	var ps, as []string
	for i := range sig.Params().Len() {
		t, bad := r.typeOf(sig.Params().At(i).Type())
		if bad != "" {
			return "", "", bad
		}
		a := fmt.Sprintf("a__%d", i)
		ps, as = append(ps, a+" "+t), append(as, a)
	}
	return strings.Join(ps, ", "), strings.Join(as, ", "), ""
}

func (r *renderer) results(sig *types.Signature) string {
	var rs []string
	for i := range sig.Results().Len() {
		t, _ := r.typeOf(sig.Results().At(i).Type())
		rs = append(rs, t)
	}
	switch len(rs) {
	case 0:
		return ""
	case 1:
		return " " + rs[0]
	}
	return " (" + strings.Join(rs, ", ") + ")"
}

// methodCode returns the function that a method of a script's type has become.
func (r *renderer) methodCode(n *types.Named, m *types.Func, at ast.Node) string {
	m = m.Origin()
	if n.TypeArgs().Len() > 0 || r.u.preludeOf(n.Obj()) != nil {
		return r.instanceMethod(n, m, at)
	}
	if c, ok := r.u.methods[m]; ok {
		return c
	}
	for _, ds := range [][]*decl{r.u.fresh, r.u.live} {
		for _, d := range ds {
			if fd, ok := d.node.(*ast.FuncDecl); ok && r.u.round.info.Defs[fd.Name] == m {
				return d.code
			}
		}
	}
	if at != nil {
		r.u.refuse(at.Pos(), "method "+m.Name()+" cannot be called any more")
	}
	return m.Name()
}
