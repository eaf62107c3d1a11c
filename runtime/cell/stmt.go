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

// deferred writes a defer. Its function and arguments are evaluated now.
func (r *renderer) deferred(st *ast.DeferStmt) string {
	in := *r
	in.hoist = nil
	pre, call := in.captured(st.Call)
	k := r.tmp("fn")
	to := r.host("Defer") + "(" + k + ")"
	if r.guard != "" {
		to = r.host("DeferTo") + "(" + r.guard + ", " + k + ")"
	}
	return pre + k + " := func() { " + call + " }; " + to
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
	list := &strings.Builder{}
	in := *r
	in.hoist = list
	if tv := r.info.Types[fun]; tv.IsBuiltin() || tv.IsType() {
		return in.capturedBuiltin(call)
	}
	sig := in.signatureOf(call.Fun)
	var write func(args []string) string
	if s, ok := fun.(*ast.SelectorExpr); ok {
		if sel := r.info.Selections[s]; sel != nil && sel.Kind() == types.MethodVal {
			k := r.tmp("fn")
			list.WriteString(k + " := " + in.methodValue(s) + "; ")
			write = func(args []string) string { return k + "(" + strings.Join(args, ", ") + ")" }
		}
	}
	compiled := false
	if write == nil && r.isFuncName(fun) {
		c := in.calling(fun)
		write, compiled = c.write, c.compiled
	}
	if write == nil {
		k := r.tmp("fn")
		list.WriteString(k + " := " + in.callee(fun) + "; ")
		write = func(args []string) string { return k + "(" + strings.Join(args, ", ") + ")" }
	}
	if s, ok := in.library(call, fun); ok {
		return "", s
	}
	if t, ok := in.spread(call, sig); ok {
		var tmps, args []string
		text := in.expr(call.Args[0])
		for i := range t.Len() {
			k := r.tmp("arg")
			tmps, args = append(tmps, k), append(args, in.passed(call, sig, i, k, in.substituted(t.At(i).Type())))
		}
		return list.String() + strings.Join(tmps, ", ") + " := " + text + "; ", write(in.packed(call, sig, args, compiled))
	}
	var args []string
	for i, a := range call.Args {
		tv := r.info.Types[a]
		text := in.arg(call, sig, i, a, compiled)
		if tv.Value != nil || tv.IsNil() {
			args = append(args, text)
			continue
		}
		k := r.tmp("arg")
		list.WriteString(k + " := " + text + "; ")
		args = append(args, k)
	}
	return list.String(), write(in.packed(call, sig, args, compiled))
}

// capturedBuiltin is captured for a builtin function: the arguments that are variables are evaluated now.
func (r *renderer) capturedBuiltin(call *ast.CallExpr) (pre, later string) {
	if id, ok := ast.Unparen(call.Fun).(*ast.Ident); ok && id.Name == "panic" && len(call.Args) == 1 {
		k := r.tmp("arg")
		text := r.value(call.Args[0], types.NewInterfaceType(nil, nil))
		return r.hoist.String() + k + " := " + text + "; ", r.host("Panic") + "(" + k + ")"
	}
	return "", r.expr(call)
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
