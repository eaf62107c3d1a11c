package symbols

import (
	"bytes"
	"go/token"
	"go/types"
	"sort"
	"strings"
	"testing"

	"golang.org/x/tools/go/gcexportdata"
)

// TestEveryTypeHasAName walks all that a script can reach from the script API: results, parameters, fields, methods.
// Every type on the way must have a name that a script can write, its own or that of an alias in a facade; without one
// a cell could not keep such a value in a variable.
func TestEveryTypeHasAName(t *testing.T) {
	fset, read := token.NewFileSet(), map[string]*types.Package{}
	named := map[*types.TypeName]bool{}
	var facades []*types.Package
	for _, path := range Paths() {
		data, err := Types(path)
		if err != nil {
			t.Fatal(err)
		}
		pkg, err := gcexportdata.Read(bytes.NewReader(data), fset, read, path)
		if err != nil {
			t.Fatalf("%s: %v", path, err)
		}
		if strings.HasPrefix(path, "tunebook/") {
			facades = append(facades, pkg)
		}
		for _, n := range pkg.Scope().Names() {
			if o, ok := pkg.Scope().Lookup(n).(*types.TypeName); ok && o.Exported() {
				if nt, ok := types.Unalias(o.Type()).(*types.Named); ok {
					named[nt.Obj()] = true
				}
			}
		}
	}
	if len(facades) < 5 {
		t.Fatalf("%d packages of the script API", len(facades))
	}
	w := walk{named: named, seen: map[types.Type]bool{}, nameless: map[string]string{}}
	for _, pkg := range facades {
		for _, n := range pkg.Scope().Names() {
			if o := pkg.Scope().Lookup(n); o.Exported() && n != "Wrap" {
				w.visit(o.Type(), pkg.Name()+"."+n)
			}
		}
	}
	if len(w.seen) < 100 {
		t.Errorf("only %d types were met", len(w.seen))
	}
	var lines []string
	for typ, where := range w.nameless {
		lines = append(lines, typ+", met at "+where)
	}
	sort.Strings(lines)
	for _, l := range lines {
		t.Errorf("no facade names %s", l)
	}
}

// walk goes through types, each once.
type walk struct {
	named    map[*types.TypeName]bool
	seen     map[types.Type]bool
	nameless map[string]string // type to the first place where it was met
}

func (w *walk) visit(t types.Type, where string) {
	t = types.Unalias(t)
	if w.seen[t] {
		return
	}
	w.seen[t] = true
	switch t := t.(type) {
	case *types.Named:
		o := t.Obj()
		if o.Pkg() == nil || !strings.HasPrefix(o.Pkg().Path(), "tunebook/") {
			return // error, and the standard library, where some results have no exported type either
		}
		if !w.named[o] {
			w.nameless[o.Pkg().Path()+"."+o.Name()] = where
		}
		methods := types.NewMethodSet(types.NewPointer(t)) // promoted ones too
		for sel := range methods.Methods() {
			m, ok := sel.Obj().(*types.Func)
			switch {
			case !ok || !m.Exported() || m.Name() == "Engine":
				// Engine is the door between the packages of the script API, not for scripts.
			case strings.HasPrefix(m.Pkg().Path(), "tunebook/engine/"):
				// What a script cannot make it cannot pass: only results matter.
				w.visit(m.Signature().Results(), where+"."+m.Name())
			default:
				w.visit(m.Type(), where+"."+m.Name())
			}
		}
		w.visit(t.Underlying(), where)
	case *types.Pointer:
		w.visit(t.Elem(), where)
	case *types.Slice:
		w.visit(t.Elem(), where)
	case *types.Array:
		w.visit(t.Elem(), where)
	case *types.Chan:
		w.visit(t.Elem(), where)
	case *types.Map:
		w.visit(t.Key(), where)
		w.visit(t.Elem(), where)
	case *types.Signature:
		w.visit(t.Params(), where)
		w.visit(t.Results(), where)
	case *types.Tuple:
		for v := range t.Variables() {
			w.visit(v.Type(), where+"()")
		}
	case *types.Struct:
		for f := range t.Fields() {
			if n, ok := types.Unalias(f.Type()).(*types.Named); ok && f.Embedded() {
				// A script sees its fields and methods as those of the outer type, and has no need of its name.
				w.visit(n.Underlying(), where+"."+f.Name())
			} else if f.Exported() {
				w.visit(f.Type(), where+"."+f.Name())
			}
		}
	case *types.Interface:
		for m := range t.Methods() {
			w.visit(m.Type(), where+"."+m.Name())
		}
	}
}
