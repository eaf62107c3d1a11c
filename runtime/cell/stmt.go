package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// frame is what break, continue and return meet on their way out of where they stand.
type frame struct {
	stmt   ast.Stmt // the for, range, switch or select
	label  string
	loop   bool
	sel    bool   // a select, which the interpreter cannot leave by a label
	yield  bool   // a range over a function: its body is a function of its own
	copied string // assignment that ends an iteration: "i__o = i"
	flag   string // variable that says how the frame was left
	exits  []exit
	result []string // variables for the values of a return inside a yield frame
}

// exit is one way to leave a frame for somewhere further out.
type exit struct {
	code  int
	tok   token.Token // BREAK, CONTINUE or RETURN
	label string
}

// stmts writes a list of statements, each with its place.
func (r *renderer) stmts(list []ast.Stmt) string {
	var b strings.Builder
	for _, st := range list {
		b.WriteString(r.stmt(st))
	}
	return b.String()
}

// block writes { statements }.
func (r *renderer) block(n *ast.BlockStmt) string {
	in := *r
	in.top, in.hoist = false, nil
	return "{\n" + in.stmts(n.List) + "}"
}

// stmt writes one statement, its place before it, ended by a newline.
func (r *renderer) stmt(st ast.Stmt) string {
	if _, ok := st.(*ast.EmptyStmt); ok {
		return ""
	}
	prefix := r.place(st)
	label := ""
	inner := st
	if l, ok := st.(*ast.LabeledStmt); ok {
		label, inner = l.Label.Name, l.Stmt
	}
	in := *r
	switch inner.(type) {
	case *ast.ExprStmt, *ast.AssignStmt, *ast.ReturnStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt, *ast.DeclStmt:
		in.hoist = &strings.Builder{}
	default:
		in.hoist = nil
	}
	pre, core, post := in.compound(inner, label)
	if in.hoist != nil {
		pre = in.hoist.String() + pre
	}
	if label != "" {
		core = label + ": " + core
	}
	return prefix + pre + core + post + "\n"
}

// place returns a line directive and, for a statement that can panic, the assignment that remembers where it is.
func (r *renderer) place(st ast.Stmt) string {
	if r.ours {
		return ""
	}
	p := r.u.scope.fset.Position(st.Pos())
	// The interpreter finds imports by the last part of the file's name, so that is always the same.
	s := fmt.Sprintf("/*line %s/_.go:%d:%d*/", p.Filename, p.Line, p.Column)
	if mayPanic(st) {
		s += fmt.Sprintf("%s = %d; ", MarkAs, r.u.scope.mark(st.Pos()))
	}
	return s
}

// mayPanic reports that the statement itself, not the blocks inside it, can end in a panic or call a function.
func mayPanic(st ast.Stmt) bool {
	may := false
	ast.Inspect(st, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BlockStmt, *ast.FuncLit:
			return false
		case *ast.CallExpr, *ast.IndexExpr, *ast.SliceExpr, *ast.StarExpr, *ast.TypeAssertExpr, *ast.SendStmt, *ast.SelectorExpr:
			may = true
		case *ast.BinaryExpr:
			may = may || n.Op == token.QUO || n.Op == token.REM || n.Op == token.SHL || n.Op == token.SHR
		case *ast.AssignStmt:
			may = may || n.Tok == token.QUO_ASSIGN || n.Tok == token.REM_ASSIGN
		case *ast.UnaryExpr:
			may = may || n.Op == token.ARROW
		}
		return !may
	})
	return may
}

// special0 writes a statement that stands where no list is: the else of an if, a simple statement in a header.
func (r *renderer) special0(n ast.Stmt) (string, bool) {
	switch n := n.(type) {
	case *ast.CaseClause:
		var head string
		if n.List == nil {
			head = "default:"
		} else {
			head = "case " + r.exprs(n.List) + ":"
		}
		in := *r
		in.top = false
		return head + "\n" + in.stmts(n.Body), true
	case *ast.CommClause:
		head := "default:"
		if n.Comm != nil {
			head = "case " + r.simple(n.Comm) + ":"
		}
		in := *r
		in.top = false
		return head + "\n" + in.stmts(n.Body), true
	case *ast.AssignStmt, *ast.ExprStmt, *ast.SendStmt, *ast.IncDecStmt:
		return r.simple(n), true
	case *ast.IfStmt, *ast.ForStmt, *ast.RangeStmt, *ast.SwitchStmt, *ast.TypeSwitchStmt, *ast.SelectStmt, *ast.LabeledStmt:
		pre, core, post := r.compound(n, "")
		if pre+post == "" {
			return core, true
		}
		return "{" + pre + core + post + "}", true
	}
	return "", false
}

func (r *renderer) exprs(list []ast.Expr) string {
	var ss []string
	for _, e := range list {
		ss = append(ss, r.node(e))
	}
	return strings.Join(ss, ", ")
}

// simple writes an assignment, a call, a send or an increment.
func (r *renderer) simple(st ast.Stmt) string {
	switch st := st.(type) {
	case *ast.AssignStmt:
		tok := st.Tok.String()
		if st.Tok == token.DEFINE && r.ofCell(st) {
			tok = "="
		}
		if tok == ":=" && r.keeps(st) {
			return r.defineKept(st)
		}
		// Right before left: a new variable may have the name of one that the right side uses.
		right := r.values(st)
		return r.exprs(st.Lhs) + " " + tok + " " + right
	case *ast.ExprStmt:
		if s, ok := r.panics(st.X); ok {
			return s
		}
		return r.node(st.X)
	case *ast.SendStmt:
		return r.node(st.Chan) + " <- " + r.node(st.Value)
	case *ast.IncDecStmt:
		return r.node(st.X) + st.Tok.String()
	}
	return r.text(st)
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
func (r *renderer) defineKept(st *ast.AssignStmt) string {
	right := r.values(st)
	var tmps []string
	then := ""
	for _, l := range st.Lhs {
		id := l.(*ast.Ident)
		if id.Name == "_" {
			tmps = append(tmps, "_")
			continue
		}
		t := r.tmp(id.Name)
		tmps = append(tmps, t)
		op := " = "
		if r.info.Defs[id] != nil {
			op = " := "
		}
		then += "; " + r.ident(id) + op + t
	}
	return strings.Join(tmps, ", ") + " := " + right + then
}

func (r *renderer) values(st *ast.AssignStmt) string {
	if st.Tok == token.ASSIGN && len(st.Lhs) == len(st.Rhs) || st.Tok == token.DEFINE && len(st.Lhs) == len(st.Rhs) {
		var ss []string
		for i, e := range st.Rhs {
			var to types.Type
			if st.Tok == token.ASSIGN {
				to = r.info.TypeOf(st.Lhs[i])
			} else if id, ok := st.Lhs[i].(*ast.Ident); ok {
				if o := r.info.Defs[id]; o != nil {
					to = o.Type()
				} else if o := r.info.Uses[id]; o != nil {
					to = o.Type()
				}
			}
			if len(st.Rhs) > 1 {
				ss = append(ss, r.oneOf(e, to))
			} else {
				ss = append(ss, r.value(e, to))
			}
		}
		return strings.Join(ss, ", ")
	}
	if len(st.Rhs) == 1 && len(st.Lhs) == 2 {
		if s, ok := r.lookup(st.Rhs[0]); ok {
			return s
		}
	}
	return r.exprs(st.Rhs)
}

// lookup writes the m[k] of v, ok := m[k]: the interpreter would leave in v what it held before when there is no k.
func (r *renderer) lookup(e ast.Expr) (string, bool) {
	ix, ok := ast.Unparen(e).(*ast.IndexExpr)
	if !ok {
		return "", false
	}
	t := r.substituted(r.info.TypeOf(ix.X))
	m, ok := t.Underlying().(*types.Map)
	if !ok {
		return "", false
	}
	ms, bad1 := r.typeOf(t)
	ks, bad2 := r.typeOf(m.Key())
	vs, bad3 := r.typeOf(m.Elem())
	if bad1+bad2+bad3 != "" {
		return "", false
	}
	fn := r.u.helper("get", ms, func(name string) string {
		return fmt.Sprintf("func %s(m__ %s, k__ %s) (%s, bool) { v__, ok__ := m__[k__]; return v__, ok__ }\n", name, ms, ks, vs)
	})
	return fmt.Sprintf("%s(%s, %s)", fn, r.node(ix.X), r.value(ix.Index, m.Key())), true
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

// compound writes a statement in up to three parts: what goes before a label, the statement, what goes after it.
func (r *renderer) compound(st ast.Stmt, label string) (pre, core, post string) {
	in := *r
	in.top = false
	switch st := st.(type) {
	case *ast.BlockStmt:
		return "", r.block(st), ""
	case *ast.IfStmt:
		s := "if "
		if st.Init != nil {
			s += in.simple(st.Init) + "; "
		}
		s += in.node(st.Cond) + " " + in.block(st.Body)
		if st.Else != nil {
			els, _ := in.special0(st.Else)
			if b, ok := st.Else.(*ast.BlockStmt); ok {
				els = in.block(b)
			}
			s += " else " + els
		}
		return "", s, ""
	case *ast.ForStmt:
		return in.forLoop(st, label)
	case *ast.RangeStmt:
		return in.rangeLoop(st, label)
	case *ast.SwitchStmt:
		f := in.push(&frame{stmt: st, label: label})
		s := "switch "
		if st.Init != nil {
			s += in.simple(st.Init) + "; "
		}
		if st.Tag != nil {
			s += in.node(st.Tag) + " "
		}
		s += in.clauses(st.Body)
		return r.pop(f, s)
	case *ast.TypeSwitchStmt:
		f := in.push(&frame{stmt: st, label: label})
		core = in.typeSwitch(st)
		i := strings.Index(core, "switch {\n")
		pre, core2, post := r.pop(f, core[i:])
		return core[:i] + pre, core2, post
	case *ast.SelectStmt:
		f := in.push(&frame{stmt: st, label: label, sel: true})
		core = "select " + in.clauses(st.Body)
		if f.flag != "" || breaks(st.Body) {
			// A break would leave the loop around the select; inside a switch it leaves the switch.
			core = "switch { case true: " + core + " }"
		}
		return r.pop(f, core)
	case *ast.BranchStmt:
		return "", r.branch(st), ""
	case *ast.ReturnStmt:
		return "", r.ret(st), ""
	case *ast.DeferStmt:
		return "", r.deferred(st), ""
	case *ast.GoStmt:
		pre, call := in.captured(st.Call)
		k := r.tmp("fn")
		return "", pre + k + " := func() { " + call + " }; " + in.host("Go") + "(" + k + ")", ""
	case *ast.DeclStmt:
		return "", r.declStmt(st), ""
	case *ast.LabeledStmt:
		pre, core, post := r.compound(st.Stmt, st.Label.Name)
		return pre, st.Label.Name + ": " + core, post
	}
	return "", r.simple(st), ""
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

func (r *renderer) clauses(b *ast.BlockStmt) string {
	var s strings.Builder
	s.WriteString("{\n")
	for _, c := range b.List {
		t, _ := r.special0(c)
		s.WriteString(t)
	}
	s.WriteString("}")
	return s.String()
}

func (r *renderer) push(f *frame) *frame {
	r.frames = append(r.frames[:len(r.frames):len(r.frames)], f)
	return f
}

// pop adds to a written statement what its frame turned out to need. r is the renderer outside the frame.
func (r *renderer) pop(f *frame, core string) (string, string, string) {
	if f.flag == "" {
		return "", core, ""
	}
	pre := f.flag + " := 0; "
	return pre, core, r.leave(f)
}

// leave writes the tests after a frame that send control further out.
func (r *renderer) leave(f *frame) string {
	s := ""
	for _, e := range f.exits {
		to := ""
		if e.tok == token.RETURN {
			to = r.returnValues(f.result)
		} else {
			to = r.jump(e.tok, e.label)
		}
		s += fmt.Sprintf("; if %s == %d { %s }", f.flag, e.code, to)
	}
	return s
}

func (r *renderer) branch(st *ast.BranchStmt) string {
	switch st.Tok {
	case token.GOTO:
		r.u.refuse(st.Pos(), "goto cannot be interpreted; use a loop")
		return ""
	case token.FALLTHROUGH:
		return "fallthrough"
	}
	label := ""
	if st.Label != nil {
		label = st.Label.Name
	}
	return r.jump(st.Tok, label)
}

// jump writes break or continue, from inside the current frames.
func (r *renderer) jump(tok token.Token, label string) string {
	// target: the frame that the jump is about
	target := -1
	for i := len(r.frames) - 1; i >= 0; i-- {
		f := r.frames[i]
		if label != "" && f.label == label || label == "" && (tok == token.BREAK || f.loop) {
			target = i
			break
		}
	}
	if target < 0 {
		return strings.TrimSpace(tok.String() + " " + label)
	}
	hard := false // something on the way cannot be left by a label
	for _, f := range r.frames[target+1:] {
		hard = hard || f.sel || f.yield
	}
	inner := r.frames[len(r.frames)-1]
	t := r.frames[target]
	switch {
	case hard:
		return r.exitVia(inner, exit{tok: tok, label: label})
	case t.yield && target == len(r.frames)-1:
		if tok == token.BREAK {
			return "return false"
		}
		return "return true"
	case t.yield:
		// From an inner loop or switch of the body.
		return map[bool]string{true: "return false", false: "return true"}[tok == token.BREAK]
	case tok == token.CONTINUE && t.copied != "":
		return "{ " + t.copied + "; " + strings.TrimSpace("continue "+label) + " }"
	case tok == token.BREAK && t.sel && label != "":
		return "break"
	}
	return strings.TrimSpace(tok.String() + " " + label)
}

// exitVia leaves the innermost frame with a code that tells, after it, where to go on.
func (r *renderer) exitVia(f *frame, e exit) string {
	if f.flag == "" {
		f.flag = r.tmp("left")
	}
	for _, x := range f.exits {
		if x.tok == e.tok && x.label == e.label {
			e.code = x.code
		}
	}
	if e.code == 0 {
		e.code = len(f.exits) + 1
		f.exits = append(f.exits, e)
	}
	if e.tok == token.RETURN && f.result == nil && r.sig != nil && r.sig.Results().Len() > 0 {
		for range r.sig.Results().Len() {
			f.result = append(f.result, r.tmp("ret"))
		}
	}
	out := "break"
	if f.yield {
		out = "return false"
	}
	return fmt.Sprintf("{ %s = %d; %s }", f.flag, e.code, out)
}

// ret writes a return statement.
func (r *renderer) ret(st *ast.ReturnStmt) string {
	var vals []string
	multi := r.innerYield() != nil
	for i, e := range st.Results {
		var to types.Type
		if multi && r.sig != nil && len(st.Results) == r.sig.Results().Len() {
			to = r.sig.Results().At(i).Type()
		}
		vals = append(vals, r.oneOf(e, to))
	}
	yield := -1
	for i, f := range r.frames {
		if f.yield {
			yield = i
			break
		}
	}
	if yield < 0 {
		if r.sig == nil {
			return r.host("Return") + "(); return"
		}
		return strings.TrimSpace("return " + strings.Join(vals, ", "))
	}
	// Out of the body of a range over a function: keep the values, stop the iteration, return after it. A return ends
	// the body's function whatever loops it stands in.
	f := r.innerYield()
	e := exit{tok: token.RETURN}
	text := r.exitVia(f, e)
	if len(vals) > 0 {
		dst := f.result
		if len(r.named) == r.sig.Results().Len() {
			dst = r.named
			f.result = nil
		}
		set := strings.Join(dst, ", ") + " = " + strings.Join(vals, ", ") + "; "
		return "{ " + set + strings.TrimPrefix(text, "{ ")
	}
	return text
}

func (r *renderer) innerYield() *frame {
	for i := len(r.frames) - 1; i >= 0; i-- {
		if r.frames[i].yield {
			return r.frames[i]
		}
	}
	return nil
}

// returnValues returns, from outside a frame, the values that a return inside it left in vars.
func (r *renderer) returnValues(vars []string) string {
	if r.sig == nil && r.innerYield() == nil {
		return r.host("Return") + "(); return"
	}
	f := r.innerYield()
	if f == nil {
		if len(r.named) > 0 {
			return "return"
		}
		return strings.TrimSpace("return " + strings.Join(vars, ", "))
	}
	text := r.exitVia(f, exit{tok: token.RETURN})
	if len(vars) > 0 && len(r.named) == 0 {
		return "{ " + strings.Join(f.result, ", ") + " = " + strings.Join(vars, ", ") + "; " + strings.TrimPrefix(text, "{ ")
	}
	return text
}

// deferred writes a defer. Its arguments are evaluated now, which the interpreter would do at the end.
func (r *renderer) deferred(st *ast.DeferStmt) string {
	if r.innerYield() != nil {
		r.u.refuse(st.Pos(), "defer inside a range over a function cannot be interpreted; call a function that defers")
		return ""
	}
	if r.sig == nil {
		pre, call := r.captured(st.Call)
		k := r.tmp("fn")
		return pre + k + " := func() { " + call + " }; " + r.host("Defer") + "(" + k + ")"
	}
	if lit, ok := ast.Unparen(st.Call.Fun).(*ast.FuncLit); ok && len(st.Call.Args) == 0 {
		return "defer " + r.funcLit(lit) + "()"
	}
	if r.isFuncName(st.Call.Fun) {
		pre, args := r.early(st.Call)
		return pre + "defer " + r.callee(st.Call.Fun) + "(" + args + ")"
	}
	pre, call := r.captured(st.Call)
	return pre + "defer func() { " + call + " }()"
}

// isFuncName reports that e names a declared function or a method, not a variable that holds one.
func (r *renderer) isFuncName(e ast.Expr) bool {
	switch e := ast.Unparen(e).(type) {
	case *ast.Ident:
		_, ok := r.info.Uses[e].(*types.Func)
		return ok
	case *ast.IndexExpr:
		return r.isFuncName(e.X)
	case *ast.IndexListExpr:
		return r.isFuncName(e.X)
	case *ast.SelectorExpr:
		_, ok := r.info.Uses[e.Sel].(*types.Func)
		return ok
	}
	return false
}

// captured writes a call in two parts: assignments that evaluate the function value and the arguments now, and the
// call itself, for later.
func (r *renderer) captured(call *ast.CallExpr) (pre, later string) {
	fun := ast.Unparen(call.Fun)
	if tv := r.info.Types[fun]; tv.IsBuiltin() || tv.IsType() {
		pre, args := r.early(call)
		if id, ok := fun.(*ast.Ident); ok && id.Name == "panic" {
			return pre, "panic(" + args + ")"
		}
		return pre, r.node(fun) + "(" + args + ")"
	}
	f := ""
	switch x := fun.(type) {
	case *ast.FuncLit:
		f = r.funcLit(x)
	case *ast.SelectorExpr:
		// The receiver is evaluated now when it is a pointer; a value is left in place, since it may be addressed.
		if sel := r.info.Selections[x]; sel != nil && sel.Kind() == types.MethodVal {
			if _, ok := r.info.TypeOf(x.X).Underlying().(*types.Pointer); ok && len(sel.Index()) == 1 {
				t := r.tmp("recv")
				pre = t + " := " + r.node(x.X) + "; "
				f = t + "." + x.Sel.Name
			}
		}
	}
	if f == "" && r.isFuncName(fun) {
		f = r.callee(fun)
	}
	if f == "" {
		t := r.tmp("fn")
		pre = t + " := " + r.node(fun) + "; "
		f = t
	}
	p, args := r.early(call)
	return pre + p, f + "(" + args + ")"
}

// early evaluates the arguments of a call into variables and returns the assignments and the list of arguments.
func (r *renderer) early(call *ast.CallExpr) (pre, args string) {
	var list []string
	sig, _ := r.info.TypeOf(call.Fun).(*types.Signature)
	for i, a := range call.Args {
		text := r.argument(a, paramType(sig, i, call.Ellipsis.IsValid()))
		tv := r.info.Types[a]
		_, lit := a.(*ast.FuncLit)
		if tv.Value == nil && !lit && !tv.IsNil() && !tv.IsType() {
			t := r.tmp("arg")
			pre += t + " := " + text + "; "
			text = t
		}
		list = append(list, text)
	}
	args = strings.Join(list, ", ")
	if call.Ellipsis.IsValid() {
		args += "..."
	}
	return pre, args
}

// declStmt writes var, const and type inside a function or at the top level of a cell.
func (r *renderer) declStmt(st *ast.DeclStmt) string {
	g := st.Decl.(*ast.GenDecl)
	var parts []string
	for _, sp := range g.Specs {
		switch sp := sp.(type) {
		case *ast.TypeSpec:
			o := r.info.Defs[sp.Name]
			if o == nil {
				continue
			}
			if sp.TypeParams != nil {
				r.u.refuse(sp.Pos(), "a generic type inside a function cannot be interpreted; declare it outside")
				continue
			}
			if sp.Assign.IsValid() {
				continue // aliases are written out wherever they are used
			}
			t, bad := r.underlying(o.Type().Underlying(), sp.Name.Name)
			if bad != "" {
				r.u.refuse(sp.Pos(), "type "+bad+" cannot be named here")
			}
			parts = append(parts, "type "+sp.Name.Name+" "+t)
		case *ast.ValueSpec:
			if g.Tok == token.CONST {
				continue // written out wherever they are used
			}
			parts = append(parts, r.varSpec(sp))
		}
	}
	return strings.Join(parts, "; ")
}

func (r *renderer) varSpec(sp *ast.ValueSpec) string {
	var vals []string
	var names []string
	for i, v := range sp.Values {
		if len(sp.Values) == 1 && len(sp.Names) == 2 {
			if s, ok := r.lookup(v); ok {
				vals = append(vals, s)
				continue
			}
		}
		var to types.Type
		if len(sp.Values) == len(sp.Names) {
			to = r.info.TypeOf(sp.Names[i])
			if o := r.info.Defs[sp.Names[i]]; o != nil {
				to = o.Type()
			}
		}
		vals = append(vals, r.oneOf(v, to))
	}
	coded := false
	for _, id := range sp.Names {
		names = append(names, r.ident(id))
		if o := r.info.Defs[id]; o != nil {
			if _, ok := r.u.code[o]; ok {
				coded = true
			}
		}
	}
	typ := ""
	if o := r.info.Defs[sp.Names[0]]; o != nil && sp.Type != nil {
		t, bad := r.typeOf(o.Type())
		if bad != "" {
			r.u.refuse(sp.Pos(), "type "+bad+" cannot be named here")
		}
		typ = t
	}
	if !coded {
		var after string
		for i, id := range sp.Names {
			if v, ok := r.info.Defs[id].(*types.Var); ok && r.kept[v] && id.Name != "_" {
				n := names[i]
				names[i] = r.tmp(id.Name)
				after += "; " + n + " := " + names[i]
			}
		}
		s := "var " + strings.Join(names, ", ")
		if typ != "" {
			s += " " + typ
		}
		if len(vals) > 0 {
			s += " = " + strings.Join(vals, ", ")
		}
		return s + after
	}
	if len(vals) > 0 {
		return strings.Join(names, ", ") + " = " + strings.Join(vals, ", ")
	}
	var parts []string
	for i, n := range names {
		if sp.Names[i].Name == "_" {
			continue
		}
		z := r.tmp("zero")
		parts = append(parts, fmt.Sprintf("var %s %s; %s = %s", z, typ, n, z))
	}
	return strings.Join(parts, "; ")
}
