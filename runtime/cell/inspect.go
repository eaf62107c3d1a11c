package cell

import (
	"go/ast"
	"go/types"
	"sort"
	"strings"
)

// TypeOf returns the type of an expression as it would have in the next cell, without running anything.
func (s *Scope) TypeOf(expr string) (types.Type, error) {
	u, err := s.Check("", expr)
	if err != nil {
		return nil, err
	}
	if b := u.parsed.body; b != nil && len(b.Body.List) == 1 {
		if e, ok := b.Body.List[0].(*ast.ExprStmt); ok {
			if t := u.round.info.TypeOf(e.X); t != nil {
				return types.Default(t), nil
			}
		}
	}
	return nil, Errors{{Msg: "not an expression"}}
}

// Names returns what can be written at the start of an expression: variables, functions, types and packages.
func (s *Scope) Names() []string {
	seen := map[string]bool{}
	for n := range s.preset {
		seen[n] = true
	}
	for n := range s.imports {
		seen[n] = true
	}
	for n := range s.vars {
		seen[n] = true
	}
	for n := range seen {
		if strings.Contains(n, hiddenMark) {
			delete(seen, n) // of a local package
		}
	}
	for _, d := range s.decls {
		for _, n := range d.names {
			if !strings.Contains(n, ".") && !strings.Contains(n, hiddenMark) && n != "_" {
				seen[n] = true
			}
		}
	}
	for _, n := range []string{"append", "break", "case", "const", "continue", "default", "defer", "false", "float64", "for", "func", "import", "int", "len",
		"make", "map", "nil", "print", "println", "range", "return", "string", "struct", "switch", "true", "type", "var"} {
		seen[n] = true
	}
	return sorted(seen)
}

func sorted(seen map[string]bool) []string {
	names := make([]string, 0, len(seen))
	for n := range seen {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Package returns the compiled package that a name stands for, or nil.
func (s *Scope) Package(name string) *types.Package {
	p := s.packageOf(name)
	if p == "" {
		return nil
	}
	pkg, err := s.Import(p)
	if err != nil {
		return nil
	}
	return pkg
}

// Members returns what can follow "expr." : a package's exported names, or a value's fields and methods.
func (s *Scope) Members(expr string) []string {
	seen := map[string]bool{}
	if pkg := s.Package(expr); pkg != nil {
		for _, n := range pkg.Scope().Names() {
			if pkg.Scope().Lookup(n).Exported() {
				seen[n] = true
			}
		}
		return sorted(seen)
	}
	t, err := s.TypeOf(expr)
	if err != nil {
		return nil
	}
	visible := func(o types.Object) bool {
		return o.Exported() || o.Pkg() != nil && o.Pkg().Path() == "main"
	}
	if _, isPtr := t.Underlying().(*types.Pointer); !isPtr && !types.IsInterface(t) {
		// The methods of *T can be called on a variable.
		ms := types.NewMethodSet(types.NewPointer(t))
		for i := range ms.Len() {
			if o := ms.At(i).Obj(); visible(o) {
				seen[o.Name()] = true
			}
		}
	}
	ms := types.NewMethodSet(t)
	for i := range ms.Len() {
		if o := ms.At(i).Obj(); visible(o) {
			seen[o.Name()] = true
		}
	}
	addFields(t, visible, seen, 0)
	return sorted(seen)
}

func addFields(t types.Type, visible func(types.Object) bool, seen map[string]bool, depth int) {
	if p, ok := t.Underlying().(*types.Pointer); ok {
		t = p.Elem()
	}
	st, ok := t.Underlying().(*types.Struct)
	if !ok || depth > 3 {
		return
	}
	for i := range st.NumFields() {
		f := st.Field(i)
		if visible(f) {
			seen[f.Name()] = true
		}
		if f.Embedded() {
			addFields(f.Type(), visible, seen, depth+1)
		}
	}
}

// Describe returns what a name is, as Go declares it, and where its doc comment is: the package's path and the name in
// it ("Name", "Type.Method"). name is a package, a name of the session, or a path of names joined by dots.
func (s *Scope) Describe(name string) (decl, path, key string) {
	if pkg := s.Package(name); pkg != nil {
		return "package " + pkg.Name() + " // import " + `"` + pkg.Path() + `"`, pkg.Path(), ""
	}
	head, last, dotted := cutLast(name)
	if !dotted {
		if v := s.vars[name]; v != nil {
			decl = "var " + name + " " + TypeString(v.typ)
			path, key = namedKey(v.typ)
			return decl, path, key
		}
		if d := s.declOf(name); d != nil {
			return firstLines(d), "", ""
		}
		return "", "", ""
	}
	if pkg := s.Package(head); pkg != nil {
		if o := pkg.Scope().Lookup(last); o != nil && o.Exported() {
			return declare(o), pkg.Path(), last
		}
		return "", "", ""
	}
	// A method of a package's type (data.Set.Take), or of a value.
	var t types.Type
	if p, n, ok := cutLast(head); ok {
		if pkg := s.Package(p); pkg != nil {
			if tn, ok := pkg.Scope().Lookup(n).(*types.TypeName); ok {
				t = tn.Type()
			}
		}
	}
	if t == nil {
		var err error
		if t, err = s.TypeOf(head); err != nil {
			return "", "", ""
		}
	}
	o, _, _ := types.LookupFieldOrMethod(t, true, nil, last)
	if o == nil {
		return "", "", ""
	}
	if o.Pkg() == nil {
		return declare(o), "", ""
	}
	path, key = o.Pkg().Path(), last
	if f, ok := o.(*types.Func); ok && f.Signature().Recv() != nil {
		_, k := namedKey(f.Signature().Recv().Type())
		key = k + "." + last
	} else if _, k := namedKey(t); k != "" {
		key = k // a field is explained in its type's comment
	}
	return declare(o), path, key
}

func namedKey(t types.Type) (path, name string) {
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	if n, ok := types.Unalias(t).(*types.Named); ok && n.Obj().Pkg() != nil {
		return n.Obj().Pkg().Path(), n.Obj().Name()
	}
	return "", ""
}

func cutLast(s string) (head, last string, ok bool) {
	i := strings.LastIndexByte(s, '.')
	if i < 0 {
		return "", s, false
	}
	return s[:i], s[i+1:], true
}

func firstLines(d *decl) string {
	if _, ok := d.node.(*ast.FuncDecl); ok {
		l, _, _ := strings.Cut(d.text, "\n")
		return strings.TrimSuffix(strings.TrimSpace(l), " {")
	}
	if isType(d) {
		return "type " + d.text
	}
	return d.text
}

// declare writes an object as Go declares it; of a struct or interface, its exported parts, one a line.
func declare(o types.Object) string {
	q := func(p *types.Package) string {
		if p == o.Pkg() {
			return ""
		}
		return p.Name()
	}
	tn, ok := o.(*types.TypeName)
	if !ok {
		return types.ObjectString(o, q)
	}
	st, ok := tn.Type().Underlying().(*types.Struct)
	if !ok {
		return types.ObjectString(o, q)
	}
	var b strings.Builder
	b.WriteString("type " + o.Name() + " struct {\n")
	for i := range st.NumFields() {
		if f := st.Field(i); f.Exported() {
			b.WriteString("\t" + f.Name() + " " + types.TypeString(f.Type(), q) + "\n")
		}
	}
	b.WriteString("}")
	ms := types.NewMethodSet(types.NewPointer(tn.Type()))
	for i := range ms.Len() {
		if m := ms.At(i).Obj(); m.Exported() {
			b.WriteString("\n" + types.ObjectString(m, q))
		}
	}
	return b.String()
}
