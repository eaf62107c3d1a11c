package cell

import (
	"fmt"
	"go/types"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// Type describes a type of a script to the session. The interpreter is given shapes only: a named type is to it what it
// is made of, and methods are functions. So a value that is put into an interface takes its description along.
type Type struct {
	ID     int
	String string // as %T prints it
	Name   string // of a declared type, without its package
	Kind   reflect.Kind
	// Native says that the value is to the interpreter what it is to compiled code, and needs no description.
	Native  bool
	Wrapped bool // held in a struct of one field: the type contains itself
	Key     *Type
	Elem    *Type // also what a pointer points to
	Len     int
	Fields  []Field
	// Methods are those of an interface, or of the values of any other type: what they take and return, by name.
	Methods map[string]Method
	Path    string // of a compiled package, for a named compiled interface
}

// Field is one field of a struct.
type Field struct {
	Name     string
	Type     *Type
	Exported bool
	Embedded bool
	Tag      string
}

// Method is the signature of a method: key is equal for identical ones, String is how reflection writes it.
type Method struct{ key, String string }

// Same reports whether two signatures are identical.
func (m Method) Same(o Method) bool { return m.key == o.key }

// Type returns the description with that number.
func (s *Scope) Type(id int) *Type {
	if id < 0 || id >= len(s.types) {
		return nil
	}
	return s.types[id]
}

// PointerTo returns the description of pointers to a type, nil where nothing needed one.
func (s *Scope) PointerTo(d *Type) *Type {
	for _, p := range s.types {
		if p.Kind == reflect.Pointer && p.Elem == d && p.Name == "" {
			return p
		}
	}
	return nil
}

// isScript reports that a named type is the script's own, or of our source.
func (u *Unit) isScript(o *types.TypeName) bool {
	return o.Pkg() != nil && (o.Pkg().Path() == "main" || u.preludeType(o) != nil)
}

// key writes a type so that identical types, and no others, read the same, in later cells too.
func (r *renderer) key(t types.Type) string {
	t = types.Unalias(r.substituted(t))
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UntypedNil {
			return "nil"
		}
		return types.Typ[types.Default(t).(*types.Basic).Kind()].Name()
	case *types.Named:
		o := t.Obj()
		k := o.Name()
		switch {
		case o.Pkg() == nil:
			return k
		case r.u.code[o] != "":
			k = "main." + r.u.code[o]
		case o.Pkg().Path() == "main" && o.Parent() != r.u.round.pkg.Scope():
			k = fmt.Sprintf("main.%s@%d.%d", k, r.u.scope.cells, o.Pos()) + r.substKey()
		default:
			k = o.Pkg().Path() + "." + k
		}
		if t.TypeArgs().Len() > 0 {
			var args []string
			for _, a := range r.typeArgs(t.TypeArgs()) {
				args = append(args, r.key(a))
			}
			k += "[" + strings.Join(args, ",") + "]"
		}
		return k
	case *types.Pointer:
		return "*" + r.key(t.Elem())
	case *types.Slice:
		return "[]" + r.key(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]", t.Len()) + r.key(t.Elem())
	case *types.Map:
		return "map[" + r.key(t.Key()) + "]" + r.key(t.Elem())
	case *types.Chan:
		return fmt.Sprintf("chan%d ", t.Dir()) + r.key(t.Elem())
	case *types.Signature:
		s := "func("
		for i := range t.Params().Len() {
			s += r.key(t.Params().At(i).Type()) + ","
		}
		if t.Variadic() {
			s += "..."
		}
		s += ")("
		for i := range t.Results().Len() {
			s += r.key(t.Results().At(i).Type()) + ","
		}
		return s + ")"
	case *types.Struct:
		s := "struct{"
		for i := range t.NumFields() {
			f := t.Field(i)
			if f.Embedded() {
				s += "!"
			}
			s += f.Name() + " " + r.key(f.Type()) + " " + strconv.Quote(t.Tag(i)) + ";"
		}
		return s + "}"
	case *types.Interface:
		var ms []string
		for i := range t.NumMethods() {
			m := t.Method(i)
			ms = append(ms, m.Name()+r.key(m.Signature()))
		}
		sort.Strings(ms)
		return "interface{" + strings.Join(ms, ";") + "}"
	}
	return t.String()
}

// substKey tells the instances of a generic function apart.
func (r *renderer) substKey() string {
	if len(r.subst) == 0 {
		return ""
	}
	var ks []string
	for p, t := range r.subst {
		ks = append(ks, fmt.Sprintf("%d=%s", p.Obj().Pos(), r.key(t)))
	}
	sort.Strings(ks)
	return "{" + strings.Join(ks, ",") + "}"
}

// native reports that the interpreter's form of a type is the compiled one.
func (r *renderer) native(t types.Type) bool {
	t = types.Unalias(r.substituted(t))
	switch t := t.(type) {
	case *types.Basic:
		return true
	case *types.Named:
		o := t.Obj()
		if o.Pkg() == nil {
			return true
		}
		if r.u.isScript(o) {
			return false
		}
		return t.TypeArgs().Len() == 0 || o.Pkg().Path() == "iter" && r.native(t.Underlying())
	case *types.Pointer:
		return r.native(t.Elem())
	case *types.Slice:
		return r.native(t.Elem())
	case *types.Array:
		return r.native(t.Elem())
	case *types.Chan:
		return r.native(t.Elem())
	case *types.Map:
		return r.native(t.Key()) && r.native(t.Elem())
	case *types.Signature:
		if t.Variadic() {
			return false
		}
		for _, tu := range []*types.Tuple{t.Params(), t.Results()} {
			for i := range tu.Len() {
				if !r.native(tu.At(i).Type()) {
					return false
				}
			}
		}
		return true
	case *types.Struct:
		return t.NumFields() == 0
	case *types.Interface:
		return t.NumMethods() == 0
	}
	return false
}

// describe returns the number of a type's description and makes it where there is none. The methods of a new one are
// registered when the unit starts to run.
func (r *renderer) describe(t types.Type) *Type {
	t = types.Unalias(r.substituted(t))
	k := r.key(t)
	s := r.u.scope
	if d := r.u.newTypes[k]; d != nil {
		return d
	}
	if id, ok := s.typeIDs[k]; ok {
		return s.types[id]
	}
	d := &Type{ID: len(s.types), String: r.typeName(t), Native: r.native(t), Methods: map[string]Method{}}
	s.types = append(s.types, d)
	r.u.newTypes[k] = d
	r.u.onCommit = append(r.u.onCommit, func() { s.typeIDs[k] = d.ID })
	named, _ := t.(*types.Named)
	if named != nil {
		d.Name = r.baseName(named)
		d.Wrapped = r.wrapped(named)
		if p := named.Obj().Pkg(); p != nil && types.IsInterface(named) && !r.u.isScript(named.Obj()) {
			d.Path = p.Path() + "." + named.Obj().Name()
		} else if p == nil {
			d.Path = named.Obj().Name()
		}
	}
	switch u := t.Underlying().(type) {
	case *types.Basic:
		d.Kind = kindOf(u)
	case *types.Pointer:
		d.Kind, d.Elem = reflect.Pointer, r.describe(u.Elem())
	case *types.Slice:
		d.Kind, d.Elem = reflect.Slice, r.describe(u.Elem())
	case *types.Array:
		d.Kind, d.Elem, d.Len = reflect.Array, r.describe(u.Elem()), int(u.Len())
	case *types.Chan:
		d.Kind, d.Elem = reflect.Chan, r.describe(u.Elem())
	case *types.Map:
		d.Kind, d.Key, d.Elem = reflect.Map, r.describe(u.Key()), r.describe(u.Elem())
	case *types.Signature:
		d.Kind = reflect.Func
	case *types.Interface:
		d.Kind = reflect.Interface
		for i := range u.NumMethods() {
			m := u.Method(i)
			d.Methods[m.Name()] = Method{r.key(m.Signature()), r.typeName(m.Signature())}
		}
	case *types.Struct:
		d.Kind = reflect.Struct
		if d.Native {
			break
		}
		for i := range u.NumFields() {
			f := u.Field(i)
			d.Fields = append(d.Fields, Field{f.Name(), r.describe(f.Type()), f.Exported(), f.Embedded(), u.Tag(i)})
		}
	}
	if !d.Native && !types.IsInterface(t) {
		r.register(t, d)
		if named != nil && types.NewMethodSet(types.NewPointer(t)).Len() > types.NewMethodSet(t).Len() {
			r.describe(types.NewPointer(t)) // decoders look for methods there
		}
	}
	return d
}

// register writes the statements that give the session a type's methods.
func (r *renderer) register(t types.Type, d *Type) {
	ms := types.NewMethodSet(t)
	for i := range ms.Len() {
		m, ok := ms.At(i).Obj().(*types.Func)
		if !ok {
			continue
		}
		in := r.u.renderer(nil)
		sig, ok := ms.At(i).Type().(*types.Signature)
		if !ok {
			continue
		}
		if !m.Exported() && !(m.Pkg() != nil && m.Pkg().Path() == "main") {
			continue
		}
		ts, bad := in.typeOf(t)
		if bad != "" {
			return
		}
		params, args, bad := in.numbered(sig)
		if bad != "" {
			continue
		}
		call := in.methodCall("(*x__)", t, m.Name(), args, sig, nil)
		ret := ""
		if sig.Results().Len() > 0 {
			ret = "return "
		}
		d.Methods[m.Name()] = Method{in.key(stripped(sig)), in.typeName(stripped(sig))}
		if params != "" {
			params = ", " + params
		}
		fmt.Fprintf(&r.u.setup, "%s(%d, %q, func(v__ %s%s)%s { x__ := new(%s); %s(v__, x__); %s%s })\n",
			r.host("Method"), d.ID, m.Name(), anyAs, params, in.results(sig), ts, r.host("Take"), ret, call)
	}
}

// stripped is a method's signature without its receiver.
func stripped(s *types.Signature) *types.Signature {
	return types.NewSignatureType(nil, nil, nil, s.Params(), s.Results(), s.Variadic())
}

func kindOf(b *types.Basic) reflect.Kind {
	for k := reflect.Bool; k <= reflect.Complex128; k++ {
		if k.String() == types.Typ[types.Default(b).(*types.Basic).Kind()].Name() {
			return k
		}
	}
	if b.Info()&types.IsString != 0 {
		return reflect.String
	}
	return reflect.Invalid
}

// baseName is a declared type's name as reflection gives it.
func (r *renderer) baseName(t *types.Named) string {
	n := baseOf(t.Obj().Name())
	if t.TypeArgs().Len() > 0 {
		var args []string
		for _, a := range r.typeArgs(t.TypeArgs()) {
			args = append(args, r.typeName(a))
		}
		n += "[" + strings.Join(args, ",") + "]"
	}
	return n
}

// typeName writes a type as %T does.
func (r *renderer) typeName(t types.Type) string {
	t = types.Unalias(r.substituted(t))
	list := func(tu *types.Tuple, variadic bool) string {
		var ss []string
		for i := range tu.Len() {
			s := r.typeName(tu.At(i).Type())
			if variadic && i == tu.Len()-1 {
				s = "..." + strings.TrimPrefix(s, "[]")
			}
			ss = append(ss, s)
		}
		return strings.Join(ss, ", ")
	}
	switch t := t.(type) {
	case *types.Basic:
		if t.Kind() == types.UntypedNil {
			return "nil"
		}
		return types.Typ[types.Default(t).(*types.Basic).Kind()].Name()
	case *types.Named:
		if p := t.Obj().Pkg(); p != nil {
			return strings.TrimPrefix(p.Name(), preludePath) + "." + r.baseName(t)
		}
		return t.Obj().Name()
	case *types.Pointer:
		return "*" + r.typeName(t.Elem())
	case *types.Slice:
		return "[]" + r.typeName(t.Elem())
	case *types.Array:
		return fmt.Sprintf("[%d]", t.Len()) + r.typeName(t.Elem())
	case *types.Map:
		return "map[" + r.typeName(t.Key()) + "]" + r.typeName(t.Elem())
	case *types.Chan:
		return map[types.ChanDir]string{types.SendRecv: "chan ", types.SendOnly: "chan<- ", types.RecvOnly: "<-chan "}[t.Dir()] + r.typeName(t.Elem())
	case *types.Signature:
		s := "func(" + list(t.Params(), t.Variadic()) + ")"
		switch t.Results().Len() {
		case 0:
			return s
		case 1:
			return s + " " + list(t.Results(), false)
		}
		return s + " (" + list(t.Results(), false) + ")"
	case *types.Struct:
		if t.NumFields() == 0 {
			return "struct {}"
		}
		var fs []string
		for i := range t.NumFields() {
			f := t.Field(i)
			s := r.typeName(f.Type())
			if !f.Embedded() {
				s = f.Name() + " " + s
			}
			if tag := t.Tag(i); tag != "" {
				s += " " + strconv.Quote(tag)
			}
			fs = append(fs, s)
		}
		return "struct { " + strings.Join(fs, "; ") + " }"
	case *types.Interface:
		if t.NumMethods() == 0 {
			return "interface {}"
		}
		var ms []string
		for i := range t.NumMethods() {
			m := t.Method(i)
			ms = append(ms, m.Name()+strings.TrimPrefix(r.typeName(m.Signature()), "func"))
		}
		return "interface { " + strings.Join(ms, "; ") + " }"
	}
	return t.String()
}

// wrapped reports a named type, neither struct nor interface, that contains itself: the interpreter knows such types
// only as structs, so it becomes one of a single field.
func (r *renderer) wrapped(t types.Type) bool {
	n, ok := types.Unalias(r.substituted(t)).(*types.Named)
	if !ok || !r.u.isScript(n.Obj()) {
		return false
	}
	switch n.Underlying().(type) {
	case *types.Struct, *types.Interface, *types.Basic:
		return false
	}
	k := r.key(n)
	if w, ok := r.u.wraps[k]; ok {
		return w
	}
	if r.u.wraps == nil {
		r.u.wraps = map[string]bool{}
	}
	r.u.wraps[k] = r.contains(n.Underlying(), k, map[string]bool{})
	return r.u.wraps[k]
}

// contains reports that a type with that key is part of t, other than through a struct or an interface.
func (r *renderer) contains(t types.Type, key string, seen map[string]bool) bool {
	in := func(t types.Type) bool { return r.contains(t, key, seen) }
	switch t := types.Unalias(r.substituted(t)).(type) {
	case *types.Named:
		if !r.u.isScript(t.Obj()) {
			return false
		}
		k := r.key(t)
		if k == key {
			return true
		}
		if seen[k] {
			return false
		}
		seen[k] = true
		switch t.Underlying().(type) {
		case *types.Struct, *types.Interface:
			return false
		}
		return in(t.Underlying())
	case *types.Pointer:
		return in(t.Elem())
	case *types.Slice:
		return in(t.Elem())
	case *types.Array:
		return in(t.Elem())
	case *types.Chan:
		return in(t.Elem())
	case *types.Map:
		return in(t.Key()) || in(t.Elem())
	case *types.Signature:
		for _, tu := range []*types.Tuple{t.Params(), t.Results()} {
			for i := range tu.Len() {
				if in(tu.At(i).Type()) {
					return true
				}
			}
		}
	}
	return false
}
