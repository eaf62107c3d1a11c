package cell

import (
	"fmt"
	"go/ast"
	"go/token"
	"go/types"
	"strings"
)

// The interpreter has no goto. A list of statements with labels that goto names becomes a loop over its pieces: each
// piece runs unless the jump was to a later one, and goto starts the loop again.

// gotoTargets returns the labels that goto statements in a function's own body name.
func gotoTargets(n ast.Node) map[string]bool {
	var labels map[string]bool
	ast.Inspect(n, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.FuncLit:
			return false
		case *ast.BranchStmt:
			if n.Tok == token.GOTO && n.Label != nil {
				if labels == nil {
					labels = map[string]bool{}
				}
				labels[n.Label.Name] = true
			}
		}
		return true
	})
	return labels
}

// isTarget reports a statement with a label that goto names.
func isTarget(st ast.Stmt, labels map[string]bool) bool {
	l, ok := st.(*ast.LabeledStmt)
	return ok && labels[l.Label.Name]
}

// pieces writes a list of statements with labels that goto names.
func (r *renderer) pieces(list []ast.Stmt) string {
	pc, loop := r.tmp("pc"), r.tmp("goto")
	f := &frame{label: loop, again: map[string]string{}, skipped: true}
	var lists [][]ast.Stmt
	cur := []ast.Stmt{}
	for _, st := range list {
		if isTarget(st, r.gotos) {
			lists = append(lists, cur)
			cur = nil
			f.again[st.(*ast.LabeledStmt).Label.Name] = fmt.Sprintf("{ %s = %d; continue %s }", pc, len(lists), loop)
		}
		cur = append(cur, st)
	}
	lists = append(lists, cur)

	// What one piece defines the others may use.
	s := ""
	for _, st := range list {
		for _, id := range definedBy(st) {
			o, ok := r.info.Defs[id].(*types.Var)
			if !ok || id.Name == "_" {
				continue
			}
			if _, coded := r.u.code[o]; !coded {
				t := r.t(o.Type(), id.Pos())
				n := r.local(o)
				s += fmt.Sprintf("var %s %s = *new(%s); ", n, t, t)
				r.u.code[o] = n
			}
		}
	}
	in := *r
	in.top = false
	in.frames = append(r.frames[:len(r.frames):len(r.frames)], f)
	var b strings.Builder
	for i, l := range lists {
		fmt.Fprintf(&b, "if %s <= %d {\n%s}\n", pc, i, in.statements(l))
	}
	pre, core, post := r.pop(f, "for {\n"+b.String()+"break "+loop+"\n}")
	return s + pre + pc + " := 0\n" + loop + ": " + core + post + "\n"
}

// jumpTo writes goto.
func (r *renderer) jumpTo(label string, at token.Pos) string {
	for i := len(r.frames) - 1; i >= 0; i-- {
		f := r.frames[i]
		if to, ok := f.again[label]; ok {
			return to
		}
		if f.sel || f.yield {
			return r.exitVia(r.frames[len(r.frames)-1], exit{tok: token.GOTO, label: label})
		}
	}
	if at.IsValid() {
		r.u.refuse(at, "goto cannot be interpreted here; put the label and the jump into one function")
	}
	return ""
}
