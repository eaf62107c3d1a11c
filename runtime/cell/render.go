package cell

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/token"
	"go/types"
	"maps"
	"math/big"
	"strconv"
	"strings"
)

// renderer writes syntax back as text, with what the interpreter cannot do replaced. It works on text rather than on
// trees: whatever needs no replacement stays as the user wrote it.
type renderer struct {
	u     *Unit
	info  *types.Info
	subst map[*types.TypeParam]types.Type // inside an instance of a generic
	top   bool                            // the statement stands at the top level of a cell
	ours  bool                            // prelude source: no positions

	locals map[types.Object]string // names of local variables, each its own within a function
	used   map[string]int
	frames []*frame
	sig    *types.Signature // of the function that return statements leave; nil at the top level of a cell
	named  []string         // its results, when they have names

	kept  map[*types.Var]bool // variables of the function that a literal or a pointer may keep
	hoist *strings.Builder    // statements to put before the one being written; nil where none can go
}

// names that lowered code uses for what the session provides (package session defines them).
const (
	Host   = "tunebook/cell" // import path of the session's own functions
	hostAs = "p_cell"
	MarkAs = "at__" // the variable that holds the number of the place being run
)

func (u *Unit) renderer(subst map[*types.TypeParam]types.Type) *renderer {
	return &renderer{u: u, info: u.round.info, subst: subst, locals: map[types.Object]string{}, used: map[string]int{}}
}

// tmp returns a name that nothing else has.
func (r *renderer) tmp(base string) string {
	r.u.temps++
	return fmt.Sprintf("%s__t%d", base, r.u.temps)
}

// text writes n with its parts replaced where needed.
func (r *renderer) text(n ast.Node) string { return r.region(n, n.Pos(), n.End()) }

// region writes what stands between two positions of n.
func (r *renderer) region(n ast.Node, from, to token.Pos) string {
	file := r.u.scope.fset.File(from)
	src := r.u.scope.text[file]
	var b strings.Builder
	at := file.Offset(from)
	ast.Inspect(n, func(m ast.Node) bool {
		if m == nil || m == n {
			return true
		}
		switch m.(type) {
		case *ast.CommentGroup, *ast.Comment:
			return false
		}
		if m.End() <= from || m.Pos() >= to {
			return false
		}
		if m.Pos() < from || m.End() > to {
			return true
		}
		if s, ok := r.special(m); ok {
			b.WriteString(src[at:file.Offset(m.Pos())])
			b.WriteString(s)
			at = file.Offset(m.End())
			return false
		}
		return true
	})
	b.WriteString(src[at:file.Offset(to)])
	return b.String()
}

// node writes n, which may itself need replacement.
func (r *renderer) node(n ast.Node) string {
	if s, ok := r.special(n); ok {
		return s
	}
	return r.text(n)
}

// special returns what stands in for n, if n as it is would not do.
func (r *renderer) special(n ast.Node) (string, bool) {
	if e, ok := n.(ast.Expr); ok {
		if s, ok := r.constant(e); ok {
			return s, true
		}
	}
	switch n := n.(type) {
	case *ast.Ident:
		return r.ident(n), true
	case *ast.SelectorExpr:
		return r.selector(n)
	case *ast.IndexExpr, *ast.IndexListExpr:
		return r.index(n.(ast.Expr))
	case *ast.CallExpr:
		return r.call(n)
	case *ast.FuncLit:
		return r.funcLit(n), true
	case *ast.TypeAssertExpr:
		return r.assert(n)
	case *ast.BlockStmt:
		return r.block(n), true
	case *ast.StructType:
		return "", false
	case ast.Stmt:
		return r.special0(n)
	case *ast.KeyValueExpr:
		return "", false
	}
	return "", false
}

// constant writes a constant expression as its value, so that the interpreter has none to compute.
func (r *renderer) constant(e ast.Expr) (string, bool) {
	tv, ok := r.info.Types[e]
	if !ok || tv.Value == nil {
		return "", false
	}
	t := r.substituted(tv.Type)
	_, lit := e.(*ast.BasicLit)
	b, basic := types.Unalias(t).(*types.Basic)
	if lit && (!basic || b.Info()&types.IsUntyped == 0) {
		if basic {
			return "", false
		}
		// A literal of a named type: the interpreter infers it well enough from where it stands, except as any.
	}
	if basic && b.Kind() == types.UntypedBool || basic && b.Kind() == types.Bool {
		return strconv.FormatBool(constant.BoolVal(tv.Value)), true
	}
	u, _ := t.Underlying().(*types.Basic)
	if u == nil {
		return "", false
	}
	s := literal(tv.Value, u)
	if basic {
		switch b.Kind() {
		case types.Int, types.Float64, types.String, types.UntypedInt, types.UntypedString:
			return s, true
		case types.UntypedFloat:
			return s, true
		case types.UntypedRune:
			return "int32(" + s + ")", true
		case types.Complex128, types.UntypedComplex:
			return s, true
		}
	}
	ts, err := r.typeOf(t)
	if err != "" {
		return "", false
	}
	return ts + "(" + s + ")", true
}

// literal writes a constant value of a basic type.
func literal(v constant.Value, b *types.Basic) string {
	info := b.Info()
	switch {
	case info&types.IsString != 0:
		return strconv.Quote(constant.StringVal(v))
	case info&types.IsBoolean != 0:
		return strconv.FormatBool(constant.BoolVal(v))
	case info&types.IsInteger != 0:
		return constant.ToInt(v).ExactString()
	case info&types.IsComplex != 0:
		return "complex(" + float(constant.Real(v)) + ", " + float(constant.Imag(v)) + ")"
	}
	return float(v)
}

// float writes a number with a point or an exponent, precise enough to come back as the same float64.
func float(v constant.Value) string {
	var f big.Float
	f.SetPrec(200)
	switch x := constant.Val(constant.ToFloat(v)).(type) {
	case *big.Rat:
		f.SetRat(x)
	case *big.Float:
		f.Set(x)
	case int64:
		f.SetInt64(x)
	case *big.Int:
		f.SetInt(x)
	}
	s := f.Text('g', 40)
	if !strings.ContainsAny(s, ".e") {
		s += ".0"
	}
	return s
}

func (r *renderer) object(id *ast.Ident) types.Object {
	if o := r.info.Defs[id]; o != nil {
		return o
	}
	return r.info.Uses[id]
}

// ident writes a name as the interpreter knows it.
func (r *renderer) ident(id *ast.Ident) string {
	switch o := r.object(id).(type) {
	case *types.Var:
		if o.IsField() {
			return r.field(o)
		}
		if c, ok := r.u.code[o]; ok {
			return c
		}
		return r.local(o)
	case *types.TypeName:
		if tp, ok := o.Type().(*types.TypeParam); ok {
			if t, ok := r.subst[tp]; ok {
				s, err := r.typeOf(t)
				if err != "" {
					r.u.refuse(id.Pos(), "type "+err+" cannot be named here")
				}
				return s
			}
		}
		if inst, ok := r.info.Instances[id]; ok {
			return r.instanceType(id, inst.Type)
		}
		if c, ok := r.u.code[o]; ok {
			return c
		}
		if o.Pkg() != nil && o.Pkg().Path() == "main" && o.Parent() == r.u.round.pkg.Scope() {
			return id.Name
		}
	case *types.Func:
		if o.Pkg() != nil && (o.Pkg().Path() == "main" || r.u.preludeOf(o) != nil) {
			return r.funcValue(r.funcName(id, o), r.info.TypeOf(id))
		}
	case nil:
		// The name in a type switch; each clause has its own variable of it, and all are written alike.
		if id.Name != "_" {
			return id.Name
		}
	}
	return id.Name
}

// funcName writes the name of a declared function, to be called.
func (r *renderer) funcName(id *ast.Ident, o *types.Func) string {
	if inst, ok := r.info.Instances[id]; ok {
		return r.instanceFunc(id, o, inst.TypeArgs)
	}
	if c, ok := r.u.code[o]; ok {
		return c
	}
	if r.u.preludeOf(o) != nil {
		return r.instanceFunc(id, o, nil)
	}
	return id.Name
}

// funcValue writes a declared function as a value: a literal that calls it. The interpreter mistakes a bare name.
func (r *renderer) funcValue(name string, t types.Type) string {
	sig, ok := r.substituted(t).(*types.Signature)
	if !ok {
		return name
	}
	var args []string
	for i := range sig.Params().Len() {
		a := fmt.Sprintf("a__%d", i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			a += "..."
		}
		args = append(args, a)
	}
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	return fmt.Sprintf("func%s { %s%s(%s) }", r.numbered(sig), ret, name, strings.Join(args, ", "))
}

// callee writes what stands before the arguments of a call.
func (r *renderer) callee(e ast.Expr) string {
	e = ast.Unparen(e)
	var id *ast.Ident
	switch x := e.(type) {
	case *ast.Ident:
		id = x
	case *ast.IndexExpr:
		id, _ = x.X.(*ast.Ident)
	case *ast.IndexListExpr:
		id, _ = x.X.(*ast.Ident)
	}
	if id != nil {
		if o, ok := r.info.Uses[id].(*types.Func); ok && o.Pkg() != nil && (o.Pkg().Path() == "main" || r.u.preludeOf(o) != nil) {
			return r.funcName(id, o)
		}
	}
	return r.node(e)
}

// local gives each local variable of a function its own name: the interpreter confuses shadowed ones.
func (r *renderer) local(o *types.Var) string {
	if o.Name() == "_" || o.Name() == "" {
		return o.Name()
	}
	if n, ok := r.locals[o]; ok {
		return n
	}
	n := o.Name()
	k := r.used[n]
	r.used[n]++
	if k > 0 || r.reserved(n) {
		n = fmt.Sprintf("%s__%d", n, k+1)
	}
	r.locals[o] = n
	return n
}

// reserved reports that a local variable may not have this name, because lowered code may need what it hides.
func (r *renderer) reserved(n string) bool {
	return types.Universe.Lookup(n) != nil || r.u.scope.given[n] > 0
}

// field writes the name of a field; an embedded one is called as its type is.
func (r *renderer) field(v *types.Var) string {
	if !v.Embedded() {
		return v.Name()
	}
	t := r.substituted(v.Type())
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil && n.Obj().Pkg().Path() == "main" {
		if s, err := r.typeOf(t); err == "" {
			return s
		}
	}
	return v.Name()
}

// selector writes x.name.
func (r *renderer) selector(n *ast.SelectorExpr) (string, bool) {
	if id, ok := n.X.(*ast.Ident); ok {
		if pn, ok := r.info.Uses[id].(*types.PkgName); ok {
			return r.qualified(n, pn.Imported()), true
		}
	}
	sel := r.info.Selections[n]
	if sel == nil {
		return "", false
	}
	if sel.Kind() == types.MethodExpr {
		return r.methodExpr(n, sel), true
	}
	x := r.node(n.X)
	// What is promoted through embedded fields is reached step by step.
	t := r.substituted(sel.Recv())
	index := sel.Index()
	for _, i := range index[:len(index)-1] {
		if p, ok := t.Underlying().(*types.Pointer); ok {
			t = p.Elem()
		}
		st, ok := t.Underlying().(*types.Struct)
		if !ok {
			break
		}
		f := st.Field(i)
		x += "." + r.field(f)
		t = r.substituted(f.Type())
	}
	name := n.Sel.Name
	if v, ok := sel.Obj().(*types.Var); ok {
		name = r.field(v)
	}
	return x + "." + name, true
}

// qualified writes a name of a compiled package.
func (r *renderer) qualified(n *ast.SelectorExpr, pkg *types.Package) string {
	o := r.info.Uses[n.Sel]
	if inst, ok := r.info.Instances[n.Sel]; ok {
		if f, ok := o.(*types.Func); ok {
			return r.instanceFunc(n.Sel, f, inst.TypeArgs)
		}
		return r.instanceType(n.Sel, inst.Type)
	}
	if pkg.Path() == "os" && (n.Sel.Name == "Stdout" || n.Sel.Name == "Stderr") {
		return r.host(n.Sel.Name)
	}
	if t, ok := o.(*types.TypeName); ok && t.IsAlias() {
		if s, err := r.typeOf(t.Type()); err == "" {
			return s
		}
	}
	return r.pkg(pkg.Path()) + "." + n.Sel.Name
}

// pkg returns the interpreter's name of a compiled package and notes that it is needed.
func (r *renderer) pkg(path string) string {
	r.u.needs[path] = true
	return alias(path)
}

func (r *renderer) host(name string) string { return hostAs + "." + name }

// index writes f[T] and T[U] of generics; other indexing stays.
func (r *renderer) index(e ast.Expr) (string, bool) {
	var x ast.Expr
	switch e := e.(type) {
	case *ast.IndexExpr:
		x = e.X
	case *ast.IndexListExpr:
		x = e.X
	}
	id, ok := x.(*ast.Ident)
	if !ok {
		s, ok := x.(*ast.SelectorExpr)
		if !ok {
			return "", false
		}
		id = s.Sel
	}
	if _, ok := r.info.Instances[id]; ok {
		return r.node(x), true
	}
	return "", false
}

// funcLit writes a function literal, with its own place to return from.
func (r *renderer) funcLit(n *ast.FuncLit) string {
	in := *r
	in.frames, in.top, in.hoist = nil, false, nil
	in.sig, _ = r.info.Types[n].Type.(*types.Signature)
	head := in.signature(n.Type)
	return head + " " + in.block(n.Body)
}

// signature writes a function type and remembers the names of its results.
func (r *renderer) signature(t *ast.FuncType) string {
	r.named = nil
	from := t.Params.Pos()
	s := "func" + r.region(t, from, t.End())
	if t.Results != nil {
		for _, f := range t.Results.List {
			for _, n := range f.Names {
				r.named = append(r.named, r.ident(n))
			}
		}
	}
	return s
}

// funcDecl defines a function.
func (r *renderer) funcDecl(f *ast.FuncDecl) {
	o, _ := r.info.Defs[f.Name].(*types.Func)
	if o == nil || o.Signature().TypeParams().Len() > 0 {
		return // written when an instance is needed
	}
	name := r.u.code[o]
	if f.Body == nil {
		r.u.refuse(f.Pos(), "func "+f.Name.Name+" has no body")
		return
	}
	in := r.inside(o.Signature(), f)
	head := strings.TrimPrefix(in.signature(f.Type), "func")
	body := in.block(f.Body)
	fmt.Fprintf(&r.u.defs, "func %s%s %s\n", name, head, body)
}

// inside returns a renderer for the body of another function.
func (r *renderer) inside(sig *types.Signature, f *ast.FuncDecl) *renderer {
	in := *r
	in.kept, in.hoist = capturedIn(r.info, f), nil
	in.frames, in.top, in.sig, in.named = nil, false, sig, nil
	in.locals, in.used = map[types.Object]string{}, map[string]int{}
	return &in
}

// methodVar returns the variable that holds a method of a live type.
func (s *Scope) methodVar(name string) string {
	if d := s.declOf(name); d != nil {
		return d.code
	}
	return ""
}

// methodDecl defines a method. In a session it is a variable that a fixed method calls, so that it can be declared
// again; it returns the statement that sets the variable. In a program it is a plain method.
func (r *renderer) methodDecl(f *ast.FuncDecl, d *decl, holder string) string {
	o, _ := r.info.Defs[f.Name].(*types.Func)
	if o == nil {
		return ""
	}
	sig := o.Signature()
	if sig.RecvTypeParams().Len() > 0 {
		r.lateMethod(f, o)
		return ""
	}
	if r.u.file {
		r.method(f, sig, nil)
		return ""
	}
	in := r.inside(sig, f)
	recv := f.Recv.List[0]
	rt := in.node(recv.Type)
	rname := "_"
	if len(recv.Names) > 0 {
		rname = in.ident(recv.Names[0])
	}
	sigText := strings.TrimPrefix(in.signature(f.Type), "func")
	params := sigText[1:]
	sep := ", "
	if sig.Params().Len() == 0 {
		sep = ""
	}
	literal := fmt.Sprintf("func(%s %s%s%s %s", rname, rt, sep, params, in.block(f.Body))
	if holder == "" {
		holder = r.u.scope.name(baseOf(d.names[0]))
		holderType, call := r.holder(sig, rt, holder)
		fmt.Fprintf(&r.u.defs, "var %s %s\n", holder, holderType)
		ret := ""
		if sig.Results().Len() > 0 {
			ret = "return "
		}
		plain := r.inside(sig, f)
		fmt.Fprintf(&r.u.defs, "func (r__ %s) %s%s { %s%s }\n", rt, f.Name.Name, plain.numbered(sig), ret, call)
	}
	if r.u.methodCode == nil {
		r.u.methodCode = map[*decl]string{}
	}
	r.u.methodCode[d] = holder
	return holder + " = " + literal
}

// holder returns the type of the variable that holds a method, and the call through it.
func (r *renderer) holder(sig *types.Signature, recv, holder string) (typ, call string) {
	params := []string{recv}
	args := []string{"r__"}
	for i := range sig.Params().Len() {
		t, _ := r.typeOf(sig.Params().At(i).Type())
		a := fmt.Sprintf("a__%d", i)
		if sig.Variadic() && i == sig.Params().Len()-1 {
			t = "..." + strings.TrimPrefix(t, "[]")
			a += "..."
		}
		params, args = append(params, t), append(args, a)
	}
	return fmt.Sprintf("func(%s)%s", strings.Join(params, ", "), r.results(sig)), fmt.Sprintf("%s(%s)", holder, strings.Join(args, ", "))
}

// numbered writes a signature with parameters a__0, a__1 and unnamed results.
func (r *renderer) numbered(sig *types.Signature) string {
	var params []string
	for i := range sig.Params().Len() {
		t, _ := r.typeOf(sig.Params().At(i).Type())
		if sig.Variadic() && i == sig.Params().Len()-1 {
			t = "..." + strings.TrimPrefix(t, "[]")
		}
		params = append(params, fmt.Sprintf("a__%d %s", i, t))
	}
	return "(" + strings.Join(params, ", ") + ")" + r.results(sig)
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

// method writes a plain method, with the receiver's type parameters replaced by subst.
func (r *renderer) method(f *ast.FuncDecl, sig *types.Signature, subst map[*types.TypeParam]types.Type) {
	in := r.inside(sig, f)
	if subst != nil {
		in.subst = maps.Clone(subst)
	}
	recv := f.Recv.List[0]
	t, err := in.typeOf(in.substituted(sig.Recv().Type()))
	if err != "" {
		r.u.refuse(f.Pos(), "receiver type "+err+" cannot be named here")
		return
	}
	rname := "r__"
	if len(recv.Names) > 0 && recv.Names[0].Name != "_" {
		rname = in.ident(recv.Names[0])
	}
	head := strings.TrimPrefix(in.signature(f.Type), "func")
	fmt.Fprintf(&r.u.defs, "func (%s %s) %s%s %s\n", rname, t, f.Name.Name, head, in.block(f.Body))
}

// recursive reports a named type that is not a struct or an interface and contains itself: type M map[string]M.
func recursive(t types.Type) bool {
	found := false
	var walk func(u types.Type)
	walk = func(u types.Type) {
		switch u := u.(type) {
		case *types.Named:
			found = found || u == t
		case *types.Pointer:
			walk(u.Elem())
		case *types.Slice:
			walk(u.Elem())
		case *types.Array:
			walk(u.Elem())
		case *types.Chan:
			walk(u.Elem())
		case *types.Map:
			walk(u.Key())
			walk(u.Elem())
		case *types.Signature:
			for i := range u.Params().Len() {
				walk(u.Params().At(i).Type())
			}
			for i := range u.Results().Len() {
				walk(u.Results().At(i).Type())
			}
		}
	}
	walk(t.Underlying())
	return found
}

// typeDecl defines a type.
func (r *renderer) typeDecl(sp *ast.TypeSpec) {
	o, _ := r.info.Defs[sp.Name].(*types.TypeName)
	if o == nil || sp.TypeParams != nil {
		return
	}
	if it, ok := o.Type().Underlying().(*types.Interface); ok && !it.IsMethodSet() {
		return // a constraint; it means nothing to an instance
	}
	code := r.u.code[o]
	if sp.Assign.IsValid() {
		fmt.Fprintf(&r.u.defs, "type %s = %s\n", code, r.node(sp.Type))
		return
	}
	if recursive(o.Type()) {
		r.u.refuse(sp.Pos(), "a type that holds itself other than through a struct cannot be interpreted; put it into a struct: type "+sp.Name.Name+" struct{ … }")
		return
	}
	t, err := r.underlying(o.Type().Underlying(), code)
	if err != "" {
		r.u.refuse(sp.Pos(), "type "+err+" cannot be named here")
	}
	fmt.Fprintf(&r.u.defs, "type %s %s\n", code, t)
}
