package cell

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
	"strings"
)

// Calls of the standard library that look at the types of their arguments: printing and errors. To the interpreter's
// library a script's value is a bare struct or number, so its methods and its name go along with it here.

// library writes such a call; ok is false for all others.
func (r *renderer) library(n *ast.CallExpr, fun ast.Expr) (string, bool) {
	sel, ok := fun.(*ast.SelectorExpr)
	if !ok {
		return "", false
	}
	f, ok := r.info.Uses[sel.Sel].(*types.Func)
	if !ok || f.Pkg() == nil {
		return "", false
	}
	switch path, name := f.Pkg().Path(), f.Name(); {
	case path == "errors" && name == "Is":
		return fmt.Sprintf("%s(%s)", r.host("ErrorsIs"), r.exprs(n.Args)), true
	case path == "errors" && name == "As":
		return r.errorsAs(n)
	case path == "fmt" || path == "log":
		sig := f.Signature()
		if sig.Recv() != nil && path == "fmt" || !sig.Variadic() || len(r.u.methodful()) == 0 && !hasTypeVerb(r, n) {
			return "", false
		}
		return r.printing(n, sig), true
	}
	return "", false
}

// methodful returns the script's types, and pointers to them, that print themselves.
func (u *Unit) methodful() []types.Type {
	if u.printers == nil {
		u.printers = []types.Type{}
		for _, it := range []*types.Interface{errorType, stringerType} {
			u.printers = append(u.printers, u.implementers(it)...)
		}
	}
	return u.printers
}

var stringerType = func() *types.Interface {
	sig := types.NewSignatureType(nil, nil, nil, nil, types.NewTuple(types.NewParam(0, nil, "", types.Typ[types.String])), false)
	return types.NewInterfaceType([]*types.Func{types.NewFunc(0, nil, "String", sig)}, nil).Complete()
}()

// printing writes the call of a printing function.
func (r *renderer) printing(n *ast.CallExpr, sig *types.Signature) string {
	fixed := sig.Params().Len() - 1
	verbs := map[int]bool{} // arguments printed by %T, counted after the format
	var args []string
	for i, a := range n.Args {
		isFormat := i == fixed-1 && strings.HasSuffix(r.calleeName(n), "f")
		switch {
		case i < fixed && isFormat:
			if v := r.info.Types[a].Value; v != nil && v.Kind() == constant.String {
				f, at := typeVerbs(constant.StringVal(v))
				verbs = at
				args = append(args, fmt.Sprintf("%q", f))
				continue
			}
			args = append(args, r.argument(a, sig.Params().At(i).Type()))
		case i < fixed:
			args = append(args, r.argument(a, sig.Params().At(i).Type()))
		case n.Ellipsis.IsValid():
			t := r.info.TypeOf(a)
			if fn := r.printer(t, 0); fn != "" {
				args = append(args, fn+"("+r.node(a)+").([]interface{})...")
			} else {
				args = append(args, r.node(a)+"...")
			}
		case verbs[i-fixed]:
			t := types.Default(r.substituted(r.info.TypeOf(a)))
			if types.IsInterface(t) {
				args = append(args, r.host("TypeName")+"("+r.node(a)+")")
			} else {
				args = append(args, fmt.Sprintf("%q", typeName(t)))
			}
		default:
			t := r.info.TypeOf(a)
			text := r.argument(a, nil)
			if tuple, ok := t.(*types.Tuple); ok {
				if fn := r.spreadPrinter(tuple); fn != "" {
					// f(g()) with several results: they are taken apart first.
					return r.callee(n.Fun) + "(" + strings.Join(append(args, fn+"("+r.node(a)+")..."), ", ") + ")"
				}
				args = append(args, text)
				continue
			}
			if tv := r.info.Types[a]; !tv.IsNil() && t != nil {
				if fn := r.printer(types.Default(t), 0); fn != "" {
					text = fn + "(" + text + ")"
				}
			}
			args = append(args, text)
		}
	}
	return r.callee(n.Fun) + "(" + strings.Join(args, ", ") + ")"
}

func (r *renderer) calleeName(n *ast.CallExpr) string {
	if s, ok := ast.Unparen(n.Fun).(*ast.SelectorExpr); ok {
		return s.Sel.Name
	}
	return ""
}

// spreadPrinter returns a function that takes the results of another and returns them as values to print.
func (r *renderer) spreadPrinter(t *types.Tuple) string {
	var params, vals []string
	special := false
	for i := range t.Len() {
		ts, bad := r.typeOf(t.At(i).Type())
		if bad != "" {
			return ""
		}
		p := fmt.Sprintf("a__%d", i)
		params = append(params, p+" "+ts)
		if fn := r.printer(t.At(i).Type(), 0); fn != "" {
			special = true
			p = fn + "(" + p + ")"
		}
		vals = append(vals, p)
	}
	if !special {
		return ""
	}
	key := strings.Join(params, ", ")
	return r.u.helper("spread", key, func(name string) string {
		return fmt.Sprintf("func %s(%s) []interface{} { return []interface{}{%s} }\n", name, key, strings.Join(vals, ", "))
	})
}

// printer returns a function that makes of a value of type t one that the library prints as Go would; "" when t does
// as it is.
func (r *renderer) printer(t types.Type, depth int) string {
	t = types.Unalias(r.substituted(t))
	if depth > 3 || t == nil {
		return ""
	}
	own := func(t types.Type) bool {
		if p, ok := t.(*types.Pointer); ok {
			t = p.Elem()
		}
		n, ok := types.Unalias(t).(*types.Named)
		return ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "main"
	}
	ts, bad := r.typeOf(t)
	if bad != "" {
		return ""
	}
	if own(t) && !types.IsInterface(t) {
		switch {
		case types.Implements(t, errorType):
			return r.u.helper("print", ts, func(name string) string {
				return fmt.Sprintf("func %s(x__ %s) error { return x__ }\n", name, ts)
			})
		case types.Implements(t, stringerType):
			return r.u.helper("print", ts, func(name string) string {
				return fmt.Sprintf("func %s(x__ %s) interface{} { return %s(x__, func() string { return x__.String() }) }\n", name, ts, r.host("Text"))
			})
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Interface:
		if types.Identical(u, errorType) || len(r.u.methodful()) == 0 {
			return ""
		}
		return r.dynamicPrinter(t, u, ts)
	case *types.Slice, *types.Array:
		elem := u.(interface{ Elem() types.Type }).Elem()
		fn := r.printer(elem, depth+1)
		if fn == "" {
			return ""
		}
		return r.u.helper("print", ts, func(name string) string {
			return fmt.Sprintf("func %s(x__ %s) interface{} { r__ := make([]interface{}, 0, len(x__)); for i__ := 0; i__ < len(x__); i__++ { e__ := x__[i__]; r__ = append(r__, %s(e__)) }; return r__ }\n", name, ts, fn)
		})
	case *types.Map:
		fn := r.printer(u.Elem(), depth+1)
		ks, bad := r.typeOf(u.Key())
		if fn == "" || bad != "" {
			return ""
		}
		return r.u.helper("print", ts, func(name string) string {
			return fmt.Sprintf("func %s(x__ %s) interface{} { r__ := map[%s]interface{}{}; for k__, e__ := range x__ { r__[k__] = %s(e__) }; return r__ }\n", name, ts, ks, fn)
		})
	case *types.Struct:
		return r.structPrinter(u, ts, "", depth)
	case *types.Pointer:
		if st, ok := u.Elem().Underlying().(*types.Struct); ok && depth == 0 && own(u) {
			return r.structPrinter(st, ts, "&", depth)
		}
	}
	return ""
}

// structPrinter copies a struct whose exported fields print themselves.
func (r *renderer) structPrinter(st *types.Struct, ts, amp string, depth int) string {
	var fields, vals []string
	special := false
	for i := range st.NumFields() {
		f := st.Field(i)
		val := "x__." + r.field(f)
		typ, bad := r.typeOf(f.Type())
		if bad != "" || f.Name() == "_" {
			return ""
		}
		if f.Exported() {
			if fn := r.printer(f.Type(), depth+1); fn != "" {
				special, typ, val = true, "interface{}", fn+"("+val+")"
			}
		}
		fields = append(fields, f.Name()+" "+typ)
		vals = append(vals, val)
	}
	if !special {
		return ""
	}
	guard := ""
	if amp != "" {
		guard = "if x__ == nil { return x__ }; "
	}
	return r.u.helper("print", ts, func(name string) string {
		return fmt.Sprintf("func %s(x__ %s) interface{} { %sreturn %sstruct { %s }{%s} }\n", name, ts, guard, amp, strings.Join(fields, "; "), strings.Join(vals, ", "))
	})
}

// dynamicPrinter asks a value behind an interface for the script's types that print themselves.
func (r *renderer) dynamicPrinter(t types.Type, it *types.Interface, ts string) string {
	return r.u.helper("print", ts, func(name string) string {
		var b strings.Builder
		fmt.Fprintf(&b, "func %s(v__ %s) interface{} {\n", name, ts)
		for _, o := range r.u.methodful() {
			if !types.AssertableTo(it, o) {
				continue
			}
			s, bad := r.typeOf(o)
			fn := r.printer(o, 1)
			if bad != "" || fn == "" {
				continue
			}
			if test := r.typeTest(o, it); test != "" {
				fmt.Fprintf(&b, "if !(%s) { ", test)
			} else {
				b.WriteString("{ ")
			}
			fmt.Fprintf(&b, "x__, ok__ := v__.(%s); if ok__ { return %s(x__) } }\n", s, fn)
		}
		b.WriteString("return v__\n}\n")
		return b.String()
	})
}

// typeName writes a type as %T does.
func typeName(t types.Type) string {
	return types.TypeString(t, func(p *types.Package) string { return p.Name() })
}

func hasTypeVerb(r *renderer, n *ast.CallExpr) bool {
	for _, a := range n.Args {
		if v := r.info.Types[a].Value; v != nil && v.Kind() == constant.String && strings.Contains(constant.StringVal(v), "%T") {
			return true
		}
	}
	return false
}

// typeVerbs replaces %T by %s in a format and returns which arguments these are about. A format with explicit indexes
// or stars is left alone.
func typeVerbs(format string) (string, map[int]bool) {
	at := map[int]bool{}
	if strings.ContainsAny(format, "[*") || !strings.Contains(format, "%T") {
		return format, at
	}
	b := []byte(format)
	arg := 0
	for i := 0; i < len(b); i++ {
		if b[i] != '%' {
			continue
		}
		i++
		for i < len(b) && strings.IndexByte("+-# 0123456789.", b[i]) >= 0 {
			i++
		}
		if i >= len(b) {
			break
		}
		if b[i] == '%' {
			continue
		}
		if b[i] == 'T' {
			at[arg] = true
			b[i] = 's'
		}
		arg++
	}
	return string(b), at
}

// errorsAs writes errors.As for a target of a script's own type.
func (r *renderer) errorsAs(n *ast.CallExpr) (string, bool) {
	if len(n.Args) != 2 {
		return "", false
	}
	p, ok := r.substituted(r.info.TypeOf(n.Args[1])).Underlying().(*types.Pointer)
	if !ok {
		return "", false
	}
	t := p.Elem()
	base := t
	if q, ok := t.(*types.Pointer); ok {
		base = q.Elem()
	}
	named, ok := types.Unalias(base).(*types.Named)
	if !ok || named.Obj().Pkg() == nil || named.Obj().Pkg().Path() != "main" {
		return "", false
	}
	ts, bad := r.typeOf(t)
	if bad != "" {
		r.u.refuse(n.Pos(), "type "+bad+" cannot be named here")
		return "", false
	}
	test := "v__.(" + ts + ")"
	if fn := r.asserter(t, types.NewInterfaceType(nil, nil), n.Pos()); fn != "" {
		test = fn + "(v__)"
	}
	fn := r.u.helper("errorsAs", ts, func(name string) string {
		return fmt.Sprintf("func %s(err__ error, to__ *%s) bool { return %s(err__, func(v__ interface{}) bool { x__, ok__ := %s; if ok__ { *to__ = x__ }; return ok__ }) }\n",
			name, ts, r.host("Chain"), test)
	})
	return fmt.Sprintf("%s(%s)", fn, r.exprs(n.Args)), true
}
