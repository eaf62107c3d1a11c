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
	stmt    ast.Stmt // the for, range, switch or select
	label   string
	loop    bool
	sel     bool              // a select, which the interpreter cannot leave by a label
	again   map[string]string // of a loop over pieces: how goto jumps, by label
	skipped bool              // a loop of ours: break and continue are not about it
	yield   bool              // a range over a function: its body is a function of its own
	copied  string            // assignment that ends an iteration: "i__o = i"
	flag    string            // variable that says how the frame was left
	exits   []exit
	result  []string // variables for the values of a return inside a yield frame
}

// exit is one way to leave a frame for somewhere further out.
type exit struct {
	code  int
	tok   token.Token // BREAK, CONTINUE or RETURN
	label string
}

// stmts writes a list of statements.
func (r *renderer) stmts(list []ast.Stmt) string {
	for _, st := range list {
		if isTarget(st, r.gotos) {
			return r.pieces(list)
		}
	}
	return r.statements(list)
}

// statements writes a list of statements, each with its place.
func (r *renderer) statements(list []ast.Stmt) string {
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
	case *ast.ExprStmt, *ast.AssignStmt, *ast.ReturnStmt, *ast.SendStmt, *ast.DeferStmt, *ast.GoStmt, *ast.DeclStmt, *ast.IncDecStmt, *ast.IfStmt, *ast.RangeStmt:
		in.hoist = &strings.Builder{}
	default:
		in.hoist = nil
	}
	in.maybe, in.busy = false, in.hoist != nil && in.callsScript(inner)
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

// inner writes a statement that stands where no list is: a simple statement in a header.
func (r *renderer) inner(n ast.Stmt) string {
	in := *r
	in.top, in.hoist = false, nil
	return in.simple(n)
}

// simple writes an assignment, a call, a send or an increment.
func (r *renderer) simple(st ast.Stmt) string {
	switch st := st.(type) {
	case *ast.AssignStmt:
		return r.assign(st)
	case *ast.ExprStmt:
		return r.expr(st.X)
	case *ast.SendStmt:
		ct := r.typ(st.Chan)
		c, _ := ct.Underlying().(*types.Chan)
		return r.raw(r.expr(st.Chan), ct) + " <- " + r.value(st.Value, c.Elem())
	case *ast.IncDecStmt:
		return r.expr(st.X) + st.Tok.String()
	case *ast.EmptyStmt:
		return ""
	}
	r.u.refuse(st.Pos(), "this statement cannot be interpreted here")
	return ""
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
			s += in.inner(st.Init) + "; "
			in.hoist = nil
		}
		s += in.expr(st.Cond) + " " + in.block(st.Body)
		if st.Else != nil {
			s += " else " + in.orElse(st.Else)
		}
		return "", s, ""
	case *ast.ForStmt:
		return in.forLoop(st, label)
	case *ast.RangeStmt:
		return in.rangeLoop(st, label)
	case *ast.SwitchStmt:
		f := in.push(&frame{stmt: st, label: label})
		head, core := in.valueSwitch(st)
		pre, core, post := r.pop(f, core)
		return head + pre, core, post
	case *ast.TypeSwitchStmt:
		f := in.push(&frame{stmt: st, label: label})
		head, core := in.typeSwitch(st)
		pre, core, post := r.pop(f, core)
		return head + pre, core, post
	case *ast.SelectStmt:
		f := in.push(&frame{stmt: st, label: label, sel: true})
		head, clauses := in.comms(st.Body)
		core = "select " + clauses
		if f.flag != "" || breaks(st.Body) {
			// A break would leave the loop around the select; inside a switch it leaves the switch.
			core = "switch { case true: " + core + " }"
		}
		pre, core, post := r.pop(f, core)
		return head + pre, core, post
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

// orElse writes what follows else.
func (r *renderer) orElse(st ast.Stmt) string {
	if b, ok := st.(*ast.BlockStmt); ok {
		return r.block(b)
	}
	in := *r
	in.hoist = nil
	pre, core, post := in.compound(st, "")
	if pre+post == "" && strings.HasPrefix(core, "if ") {
		return core
	}
	return "{ " + pre + core + post + " }"
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
		} else if e.tok == token.GOTO {
			to = r.jumpTo(e.label, token.NoPos)
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
		return r.jumpTo(st.Label.Name, st.Pos())
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
		if f.skipped {
			continue
		}
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
		hard = hard || f.sel || f.yield || f.skipped && label == ""
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
	yield := r.innerYield()
	if r.sig == nil && yield == nil {
		return r.host("Return") + "(); return"
	}
	if yield == nil && r.guard == "" {
		if len(st.Results) == 0 {
			return "return"
		}
		pre, vals := r.returned(st)
		return pre + "return " + vals
	}
	text := "return"
	dst := r.named
	if yield != nil {
		// Out of the body of a range over a function: keep the values, stop the iteration, return after it. A return ends
		// the body's function whatever loops it stands in.
		text = r.exitVia(yield, exit{tok: token.RETURN})
		if r.sig != nil && len(r.named) == r.sig.Results().Len() {
			yield.result = nil
		} else {
			dst = yield.result
		}
	}
	if len(st.Results) > 0 {
		pre, vals := r.returned(st)
		text = pre + strings.Join(dst, ", ") + " = " + vals + "; " + strings.TrimSuffix(strings.TrimPrefix(text, "{ "), " }")
	}
	return "{ " + strings.TrimSuffix(strings.TrimPrefix(text, "{ "), " }") + " }"
}

// plain reports expressions that are names and constants.
func (r *renderer) plain(list []ast.Expr) bool {
	for _, e := range list {
		tv := r.info.Types[e]
		if _, ok := ast.Unparen(e).(*ast.Ident); !ok && tv.Value == nil {
			return false
		}
	}
	return true
}

// returned writes the values of a return, as the function's results want them.
func (r *renderer) returned(st *ast.ReturnStmt) (pre, vals string) {
	res := r.sig.Results()
	was := r.returning
	r.returning = true
	defer func() { r.returning = was }()
	if len(st.Results) == res.Len() {
		var ss []string
		if len(st.Results) > 1 && r.hoist != nil && !r.plain(st.Results) {
			for i, e := range st.Results {
				if tv := r.info.Types[e]; tv.Value != nil || tv.IsNil() {
					ss = append(ss, r.oneOf(e, r.substituted(res.At(i).Type())))
					continue
				}
				k := r.tmp("r")
				text := r.oneOf(e, r.substituted(res.At(i).Type()))
				r.hoist.WriteString(k + " := " + text + "; ")
				ss = append(ss, k)
			}
			return "", strings.Join(ss, ", ")
		}
		for i, e := range st.Results {
			to := r.substituted(res.At(i).Type())
			if lit, ok := ast.Unparen(e).(*ast.FuncLit); ok && isInterface(to) {
				ss = append(ss, r.argument(lit, to))
				continue
			}
			ss = append(ss, r.oneOf(e, to))
		}
		return "", strings.Join(ss, ", ")
	}
	var to []types.Type
	for i := range res.Len() {
		to = append(to, r.substituted(res.At(i).Type()))
	}
	right := r.tuple(st.Results[0], to, res.Len())
	same := true
	for i, f := range right.from {
		same = same && r.sameForm(f, to[i])
	}
	if same {
		return "", right.text
	}
	var tmps, conv []string
	for i, f := range right.from {
		k := r.tmp("m")
		tmps, conv = append(tmps, k), append(conv, r.conv(k, f, to[i]))
	}
	return strings.Join(tmps, ", ") + " := " + right.text + "; ", strings.Join(conv, ", ")
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
		if r.guard != "" && len(vars) > 0 {
			return strings.Join(r.named, ", ") + " = " + strings.Join(vars, ", ") + "; return"
		}
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

// declStmt writes the variables of a declaration inside a function or at the top level of a cell. Constants are written
// out wherever they are used, and types are declared when they are first needed.
func (r *renderer) declStmt(st *ast.DeclStmt) string {
	g := st.Decl.(*ast.GenDecl)
	var parts []string
	for _, sp := range g.Specs {
		if sp, ok := sp.(*ast.ValueSpec); ok && g.Tok == token.VAR {
			parts = append(parts, r.varSpec(sp))
		}
	}
	return strings.Join(parts, "; ")
}

func (r *renderer) varSpec(sp *ast.ValueSpec) string {
	coded := false
	var to []types.Type
	for _, id := range sp.Names {
		o := r.info.Defs[id]
		if o == nil || id.Name == "_" {
			to = append(to, nil)
			continue
		}
		to = append(to, r.substituted(o.Type()))
		if _, ok := r.u.code[o]; ok {
			coded = true
		}
	}
	var names []string
	name := func(id *ast.Ident) string {
		if id.Name == "_" {
			return "_"
		}
		return r.ident(id)
	}
	var vals []string
	if len(sp.Values) == len(sp.Names) {
		for i, v := range sp.Values {
			t := to[i]
			if t == nil && sp.Type != nil {
				t = r.typ(sp.Type)
			}
			vals = append(vals, r.oneOf(v, t))
		}
	}
	if len(sp.Values) == 1 && len(sp.Names) > 1 {
		right := r.tuple(sp.Values[0], to, len(sp.Names))
		if coded {
			for _, id := range sp.Names {
				names = append(names, name(id))
			}
			return r.assignTuple(names, "=", to, right)
		}
		return r.declared(sp, to, func(names []string) string { return r.assignTuple(names, ":=", to, right) })
	}
	if coded {
		var parts []string
		for i, id := range sp.Names {
			names = append(names, name(id))
			if vals == nil && id.Name != "_" {
				parts = append(parts, names[i]+" = *new("+r.t(to[i], id.Pos())+")")
			}
		}
		if vals != nil {
			return strings.Join(names, ", ") + " = " + strings.Join(vals, ", ")
		}
		return strings.Join(parts, "; ")
	}
	return r.declared(sp, to, func(names []string) string {
		var parts []string
		for i, n := range names {
			switch {
			case n == "_" && vals != nil:
				parts = append(parts, "_ = "+vals[i])
			case n == "_":
			case vals == nil:
				// The interpreter would leave what the variable held the last time it came by.
				t := r.t(to[i], sp.Pos())
				parts = append(parts, "var "+n+" "+t+" = *new("+t+")")
			default:
				parts = append(parts, "var "+n+" "+r.t(to[i], sp.Pos())+" = "+vals[i])
			}
		}
		if len(names) > 1 && vals != nil {
			// All values first: one may use what a name meant before.
			var tmps []string
			parts = nil
			for i, n := range names {
				k := r.tmp("val")
				tmps = append(tmps, k)
				if n != "_" {
					parts = append(parts, "var "+n+" "+r.t(to[i], sp.Pos())+" = "+k)
				} else {
					tmps[i] = "_"
				}
			}
			var first []string
			for i, k := range tmps {
				op := " := "
				if k == "_" {
					op = " = "
				}
				first = append(first, k+op+vals[i])
			}
			parts = append(first, parts...)
		}
		return strings.Join(parts, "; ")
	})
}

// declared writes a declaration of local variables, those that are kept in two steps.
func (r *renderer) declared(sp *ast.ValueSpec, to []types.Type, write func(names []string) string) string {
	var names []string
	after := ""
	for _, id := range sp.Names {
		if id.Name == "_" {
			names = append(names, "_")
			continue
		}
		n := r.ident(id)
		if v, ok := r.info.Defs[id].(*types.Var); ok && r.kept[v] {
			k := r.tmp(id.Name)
			after += "; " + n + " := " + k
			n = k
		}
		names = append(names, n)
	}
	return write(names) + after
}
