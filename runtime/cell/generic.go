package cell

import (
	"embed"
	"fmt"
	"go/ast"
	"go/parser"
	"go/types"
	"strings"
)

// Generics never reach the interpreter. Each instance of a generic function or type becomes a plain one, written from
// the source of the generic with its type parameters replaced. The generic parts of the standard library have no
// values to call; their source is ours, in prelude, one file per package.

//go:embed prelude/*.txt
var preludeFiles embed.FS

const preludePath = "prelude/"

// prelude is one package of ours that stands in for the generic parts of a standard one.
type prelude struct {
	pkg   *types.Package
	info  *types.Info
	funcs map[string]*ast.FuncDecl // by "Name" and "Type.Name"
}

// loadPrelude returns the stand-in for a package, or nil where there is none.
func (s *Scope) loadPrelude(path string) *prelude {
	if p, ok := s.prelude[path]; ok {
		return p
	}
	s.prelude[path] = nil
	text, err := preludeFiles.ReadFile("prelude/" + strings.ReplaceAll(path, "/", "_") + ".txt")
	if err != nil {
		return nil
	}
	f, err := parser.ParseFile(s.fset, preludePath+path, text, parser.SkipObjectResolution)
	if err != nil {
		panic("prelude " + path + ": " + err.Error())
	}
	s.texts(f, string(text))
	p := &prelude{info: newInfo(), funcs: map[string]*ast.FuncDecl{}}
	conf := types.Config{Importer: s, GoVersion: "go1.26"}
	p.pkg, err = conf.Check(preludePath+path, s.fset, []*ast.File{f}, p.info)
	if err != nil {
		panic("prelude " + path + ": " + err.Error())
	}
	for _, d := range f.Decls {
		if fd, ok := d.(*ast.FuncDecl); ok {
			n := fd.Name.Name
			if fd.Recv != nil {
				n = receiverName(fd.Recv.List[0].Type) + "." + n
			}
			p.funcs[n] = fd
		}
	}
	s.prelude[path] = p
	return p
}

// preludeOf returns the prelude that an object belongs to, or nil.
func (u *Unit) preludeOf(o types.Object) *prelude {
	if o.Pkg() == nil || !strings.HasPrefix(o.Pkg().Path(), preludePath) {
		return nil
	}
	return u.scope.loadPrelude(strings.TrimPrefix(o.Pkg().Path(), preludePath))
}

func (u *Unit) preludeType(o *types.TypeName) *prelude { return u.preludeOf(o) }

// instanceKey names an instance of o across cells.
func (r *renderer) instanceKey(o types.Object, args []types.Type) (key, bad string) {
	base := o.Name()
	if c, ok := r.u.code[o]; ok {
		base = c
	}
	path := ""
	if o.Pkg() != nil {
		path = o.Pkg().Path()
	}
	key = path + "." + base
	for _, a := range args {
		if _, bad := r.typeOf(a); bad != "" {
			return "", bad
		}
		key += "," + r.key(a)
	}
	return key, ""
}

func (u *Unit) instance(key string) (string, bool) {
	if c, ok := u.pending[key]; ok {
		return c, true
	}
	c, ok := u.scope.instances[key]
	return c, ok
}

func (r *renderer) typeArgs(l *types.TypeList) []types.Type {
	args := make([]types.Type, l.Len())
	for i := range args {
		args[i] = r.substituted(l.At(i))
	}
	return args
}

// instanceFunc returns the interpreter's name of f with type arguments, and writes it at its first use.
func (r *renderer) instanceFunc(id *ast.Ident, f *types.Func, list *types.TypeList) string {
	f = f.Origin()
	var args []types.Type
	if list != nil {
		args = r.typeArgs(list)
	}
	var decl *ast.FuncDecl
	info, ours := r.u.round.info, false
	if p := r.u.preludeOf(f); p != nil {
		decl, info, ours = p.funcs[f.Name()], p.info, true
	} else if f.Pkg().Path() != "main" {
		p := r.u.scope.loadPrelude(f.Pkg().Path())
		if p == nil || p.funcs[f.Name()] == nil {
			r.u.refuse(id.Pos(), fmt.Sprintf("%s.%s is generic and cannot be interpreted; write it out for the type you need", f.Pkg().Name(), f.Name()))
			return f.Name()
		}
		decl, info, ours = p.funcs[f.Name()], p.info, true
		f = p.pkg.Scope().Lookup(f.Name()).(*types.Func)
	} else {
		decl = r.u.funcOf(f)
	}
	if decl == nil || decl.Body == nil {
		r.u.refuse(id.Pos(), f.Name()+" cannot be used with these types any more")
		return f.Name()
	}
	key, bad := r.instanceKey(f, args)
	if bad != "" {
		r.u.refuse(id.Pos(), fmt.Sprintf("%s cannot be used with %s, whose name cannot be written here", f.Name(), bad))
		return f.Name()
	}
	if c, ok := r.u.instance(key); ok {
		return c
	}
	code := r.u.scope.name(f.Name() + "__i")
	r.u.pending[key] = code
	in := r.u.renderer(map[*types.TypeParam]types.Type{})
	in.info, in.ours, in.kept = info, ours, capturedIn(info, decl)
	if ours {
		in.pkgOf = f.Pkg()
	}
	for i, a := range args {
		in.subst[f.Signature().TypeParams().At(i)] = a
	}
	in.sig = in.substituted(f.Signature()).(*types.Signature)
	text := in.function(decl.Type, decl.Body, "")
	fmt.Fprintf(&r.u.defs, "func %s%s\n", code, text)
	return code
}

// funcOf returns the syntax of a function of the session.
func (u *Unit) funcOf(f *types.Func) *ast.FuncDecl {
	for _, ds := range [][]*decl{u.fresh, u.live} {
		for _, d := range ds {
			if fd, ok := d.node.(*ast.FuncDecl); ok && u.round.info.Defs[fd.Name] == f {
				return fd
			}
		}
	}
	for _, fd := range u.fileFuncs {
		if u.round.info.Defs[fd.Name] == f {
			return fd
		}
	}
	return nil
}

// namedInstance writes an instance of a generic type at its first use.
func (r *renderer) namedInstance(t *types.Named) (s, bad string) {
	t, _ = r.substituted(t).(*types.Named)
	o := t.Origin().Obj()
	if r.u.preludeOf(o) == nil && o.Pkg().Path() != "main" {
		if o.Pkg().Path() == "iter" {
			return r.literal(t.Underlying())
		}
		if in := r.standIn(t); in != nil {
			return r.typeOf(in)
		}
		return "", TypeString(t)
	}
	key := "type " + r.key(t)
	if c, ok := r.u.instance(key); ok {
		return c, ""
	}
	code := r.u.scope.name(o.Name() + "__i")
	r.u.pending[key] = code
	return code, r.u.renderer(nil).defineType(code, t)
}

// standIn returns the type of our source that stands in for an instance of a generic type of the standard library.
func (r *renderer) standIn(t *types.Named) *types.Named {
	p := r.u.scope.loadPrelude(t.Obj().Pkg().Path())
	if p == nil || p.pkg.Scope().Lookup(t.Obj().Name()) == nil {
		return nil
	}
	n, err := types.Instantiate(nil, p.pkg.Scope().Lookup(t.Obj().Name()).Type(), r.typeArgs(t.TypeArgs()), false)
	if err != nil {
		return nil
	}
	return n.(*types.Named)
}

// instanceMethod returns the function that a method of an instance of a generic type has become, and writes it at its
// first use.
func (r *renderer) instanceMethod(t *types.Named, m *types.Func, at ast.Node) string {
	args := r.typeArgs(t.TypeArgs())
	key := "method " + r.key(t) + "." + m.Name()
	if c, ok := r.u.instance(key); ok {
		return c
	}
	info := r.u.round.info
	p := r.u.preludeOf(t.Obj())
	var f *ast.FuncDecl
	if p != nil {
		info, f = p.info, p.funcs[t.Obj().Name()+"."+m.Name()]
	} else {
		f = r.u.funcOf(m)
	}
	if f == nil || f.Body == nil {
		if at != nil {
			r.u.refuse(at.Pos(), "method "+m.Name()+" cannot be used with these types any more")
		}
		return m.Name()
	}
	code := r.u.scope.name(t.Obj().Name() + "_" + m.Name() + "__i")
	r.u.pending[key] = code
	sig := m.Signature()
	subst := map[*types.TypeParam]types.Type{}
	for i := range sig.RecvTypeParams().Len() {
		if i < len(args) {
			subst[sig.RecvTypeParams().At(i)] = args[i]
		}
	}
	in := r.u.renderer(subst)
	in.info, in.ours, in.kept = info, p != nil, capturedIn(info, f)
	if p != nil {
		in.pkgOf = p.pkg
	}
	in.sig = in.substituted(stripped(sig)).(*types.Signature)
	text := in.function(f.Type, f.Body, in.receiver(f, sig))
	fmt.Fprintf(&r.u.defs, "func %s%s\n", code, text)
	return code
}

// lateMethod handles a method of a generic type: it is written with each instance, so there may be none yet.
func (r *renderer) lateMethod(f *ast.FuncDecl, m *types.Func) {
	t := m.Signature().Recv().Type()
	if p, ok := t.(*types.Pointer); ok {
		t = p.Elem()
	}
	n, ok := types.Unalias(t).(*types.Named)
	if !ok {
		return
	}
	key := "type main." + r.u.code[n.Origin().Obj()] + "["
	for k := range r.u.scope.instances {
		if strings.HasPrefix(k, key) {
			r.u.refuse(f.Pos(), fmt.Sprintf("%s is generic and already in use, so it cannot get another method; declare the type again, with its methods", n.Obj().Name()))
			return
		}
	}
}
