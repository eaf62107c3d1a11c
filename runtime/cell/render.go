package cell

import (
	"fmt"
	"go/ast"
	"go/constant"
	"go/types"
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

	pkgOf     *types.Package  // the package of prelude source; nil for the script's
	gotos     map[string]bool // labels that goto names in this function
	returning bool            // the expression is a result
	maybe     bool            // the expression is not evaluated always
	busy      bool            // the statement calls functions of the script
	guard     string          // the variable that collects what the function defers; "" where nothing is deferred
}

// names that lowered code uses for what the session provides (package session defines them).
const (
	Host   = "tunebook/cell" // import path of the session's own functions
	hostAs = "p_cell"
	MarkAs = "at__" // the variable that holds the number of the place being run
	anyAs  = hostAs + ".Any"
)

func (u *Unit) renderer(subst map[*types.TypeParam]types.Type) *renderer {
	return &renderer{u: u, info: u.round.info, subst: subst, locals: map[types.Object]string{}, used: map[string]int{}}
}

// tmp returns a name that nothing else has.
func (r *renderer) tmp(base string) string {
	r.u.temps++
	return fmt.Sprintf("%s__t%d", base, r.u.temps)
}

// constant writes a constant expression as its value, so that the interpreter has none to compute.
func (r *renderer) constant(e ast.Expr) (string, bool) {
	tv, ok := r.info.Types[e]
	if !ok || tv.Value == nil {
		return "", false
	}
	t := r.substituted(tv.Type)
	b, basic := types.Unalias(t).(*types.Basic)
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
		if c, ok := r.u.code[o]; ok {
			return c
		}
		return r.local(o)
	case *types.TypeName:
		return r.t(o.Type(), id.Pos())
	case *types.Func:
		if o.Pkg() != nil && (o.Pkg().Path() == "main" || r.u.preludeOf(o) != nil) {
			return r.funcValue(r.funcName(id, o), r.info.TypeOf(id))
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
	params, args, _ := r.numbered(sig)
	ret := ""
	if sig.Results().Len() > 0 {
		ret = "return "
	}
	return fmt.Sprintf("func(%s)%s { %s%s(%s) }", params, r.results(sig), ret, name, args)
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

// funcLit writes a function literal, with its own place to return from.
func (r *renderer) funcLit(n *ast.FuncLit) string {
	in := *r
	in.frames, in.top, in.hoist, in.returning, in.maybe = nil, false, nil, false, false
	in.sig, _ = r.typ(n).(*types.Signature)
	return "func" + in.function(n.Type, n.Body, "")
}

// function writes what stands after the name of a function: parameters, results and body. recv is a first parameter.
func (r *renderer) function(ft *ast.FuncType, body *ast.BlockStmt, recv string) string {
	var params, results []string
	if recv != "" {
		params = append(params, recv)
	}
	n := 0
	field := func(f *ast.Field, tu *types.Tuple, add func(name, typ string)) {
		names := f.Names
		if len(names) == 0 {
			names = []*ast.Ident{nil}
		}
		for _, id := range names {
			t := r.t(tu.At(n).Type(), f.Pos())
			name := ""
			if id != nil {
				name = "_"
				if id.Name != "_" {
					name = r.ident(id)
				}
			}
			add(name, t)
			n++
		}
	}
	for _, f := range ft.Params.List {
		field(f, r.sig.Params(), func(name, typ string) {
			if name == "" {
				name = "_"
			}
			params = append(params, name+" "+typ)
		})
	}
	r.named, r.guard, r.gotos = nil, "", gotoTargets(body)
	guarded := defers(body)
	n = 0
	zero := "" // the interpreter would begin with what the last call left in them
	if ft.Results != nil {
		for _, f := range ft.Results.List {
			field(f, r.sig.Results(), func(name, typ string) {
				if name == "_" || name == "" && guarded {
					name = r.tmp("result")
				}
				if name != "" {
					r.named = append(r.named, name)
					results = append(results, name+" "+typ)
					zero += name + " = *new(" + typ + "); "
				} else {
					results = append(results, typ)
				}
			})
		}
	}
	head := "(" + strings.Join(params, ", ") + ")"
	switch {
	case len(results) == 1 && len(r.named) == 0:
		head += " " + results[0]
	case len(results) > 0:
		head += " (" + strings.Join(results, ", ") + ")"
	}
	if !guarded {
		return head + " {\n" + zero + strings.TrimPrefix(r.block(body), "{\n")
	}
	// What the function defers is collected and run by the session, by the rules of the language; the interpreter's own
	// defer forgets some of them when one panics.
	r.guard = r.tmp("defers")
	return fmt.Sprintf("%s {\n%s%s := %s(); %s(%s, func() %s); return %s\n}", head, zero, r.guard, r.host("Defers"), r.host("Guard"), r.guard, r.block(body),
		strings.Join(r.named, ", "))
}

// defers reports a defer in a function's own body.
func defers(body *ast.BlockStmt) bool {
	found := false
	ast.Inspect(body, func(n ast.Node) bool {
		switch n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.DeferStmt:
			found = true
		}
		return !found
	})
	return found
}

// funcDecl defines a function.
func (r *renderer) funcDecl(f *ast.FuncDecl) {
	o, _ := r.info.Defs[f.Name].(*types.Func)
	if o == nil || o.Signature().TypeParams().Len() > 0 {
		return // written when an instance is needed
	}
	if f.Body == nil {
		r.u.refuse(f.Pos(), "func "+f.Name.Name+" has no body")
		return
	}
	in := r.inside(o.Signature(), f)
	text := in.function(f.Type, f.Body, "")
	fmt.Fprintf(&r.u.defs, "func %s%s\n", r.u.code[o], text)
}

// inside returns a renderer for the body of another function.
func (r *renderer) inside(sig *types.Signature, f *ast.FuncDecl) *renderer {
	in := *r
	in.kept, in.hoist = capturedIn(r.info, f), nil
	in.frames, in.top, in.sig, in.named, in.guard = nil, false, sig, nil, ""
	in.locals, in.used = map[types.Object]string{}, map[string]int{}
	return &in
}

// receiver writes the receiver of a method as a parameter.
func (r *renderer) receiver(f *ast.FuncDecl, sig *types.Signature) string {
	name := "_"
	if names := f.Recv.List[0].Names; len(names) > 0 && names[0].Name != "_" {
		name = r.ident(names[0])
	}
	return name + " " + r.t(sig.Recv().Type(), f.Pos())
}

// methodDecl defines a method as a function that takes the receiver first. In a session that is a variable, so that
// the method can be declared again; the result is the statement that sets it.
func (r *renderer) methodDecl(f *ast.FuncDecl, code string, isNew bool) (set string) {
	o, _ := r.info.Defs[f.Name].(*types.Func)
	if o == nil || f.Body == nil {
		return ""
	}
	sig := o.Signature()
	in := r.inside(sig, f)
	text := in.function(f.Type, f.Body, in.receiver(f, sig))
	if r.u.file {
		fmt.Fprintf(&r.u.defs, "func %s%s\n", code, text)
		return ""
	}
	if isNew {
		fs, bad := r.literal(stripped(sig))
		rt, bad2 := r.typeOf(sig.Recv().Type())
		if bad+bad2 != "" {
			return ""
		}
		fmt.Fprintf(&r.u.defs, "var %s func(%s%s\n", code, rt+map[bool]string{true: ", "}[sig.Params().Len() > 0], strings.TrimPrefix(fs, "func("))
	}
	return code + " = func" + text
}

// typeDecl defines a type, where the interpreter needs to know of it.
func (r *renderer) typeDecl(sp *ast.TypeSpec) {
	o, _ := r.info.Defs[sp.Name].(*types.TypeName)
	if o == nil || sp.TypeParams != nil || sp.Assign.IsValid() {
		return
	}
	n, ok := o.Type().(*types.Named)
	if !ok || types.IsInterface(n) || !isStruct(n) && !r.wrapped(n) {
		return
	}
	if bad := r.defineType(r.u.code[o], n); bad != "" {
		r.u.refuse(sp.Pos(), "type "+bad+" cannot be named here")
	}
}

// pkg returns the interpreter's name of a compiled package and notes that it is needed.
func (r *renderer) pkg(path string) string {
	r.u.needs[path] = true
	return alias(path)
}

func (r *renderer) host(name string) string { return hostAs + "." + name }
