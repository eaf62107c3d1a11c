package cell

import (
	"fmt"
	"go/types"
	"strings"
)

// substituted replaces the type parameters of the instance that is being written.
func (r *renderer) substituted(t types.Type) types.Type {
	if len(r.subst) == 0 {
		return t
	}
	return substitute(t, r.subst)
}

// substitute replaces type parameters in t.
func substitute(t types.Type, m map[*types.TypeParam]types.Type) types.Type {
	sub := func(t types.Type) types.Type { return substitute(t, m) }
	tuple := func(t *types.Tuple) *types.Tuple {
		vs := make([]*types.Var, t.Len())
		for i := range vs {
			v := t.At(i)
			vs[i] = types.NewParam(v.Pos(), v.Pkg(), v.Name(), sub(v.Type()))
		}
		return types.NewTuple(vs...)
	}
	switch t := t.(type) {
	case *types.TypeParam:
		if s, ok := m[t]; ok {
			return s
		}
	case *types.Alias:
		return sub(types.Unalias(t))
	case *types.Named:
		if t.TypeArgs().Len() > 0 {
			args := make([]types.Type, t.TypeArgs().Len())
			for i := range args {
				args[i] = sub(t.TypeArgs().At(i))
			}
			if n, err := types.Instantiate(nil, t.Origin(), args, false); err == nil {
				return n
			}
		}
	case *types.Pointer:
		return types.NewPointer(sub(t.Elem()))
	case *types.Slice:
		return types.NewSlice(sub(t.Elem()))
	case *types.Array:
		return types.NewArray(sub(t.Elem()), t.Len())
	case *types.Map:
		return types.NewMap(sub(t.Key()), sub(t.Elem()))
	case *types.Chan:
		return types.NewChan(t.Dir(), sub(t.Elem()))
	case *types.Signature:
		return types.NewSignatureType(nil, nil, nil, tuple(t.Params()), tuple(t.Results()), t.Variadic())
	case *types.Struct:
		fs := make([]*types.Var, t.NumFields())
		tags := make([]string, t.NumFields())
		for i := range fs {
			f := t.Field(i)
			fs[i] = types.NewField(f.Pos(), f.Pkg(), f.Name(), sub(f.Type()), f.Embedded())
			tags[i] = t.Tag(i)
		}
		return types.NewStruct(fs, tags)
	case *types.Interface:
		var ms []*types.Func
		for i := range t.NumExplicitMethods() {
			f := t.ExplicitMethod(i)
			ms = append(ms, types.NewFunc(f.Pos(), f.Pkg(), f.Name(), sub(f.Signature()).(*types.Signature)))
		}
		var es []types.Type
		for i := range t.NumEmbeddeds() {
			es = append(es, sub(t.EmbeddedType(i)))
		}
		return types.NewInterfaceType(ms, es).Complete()
	}
	return t
}

// typeOf writes a type as the interpreter knows it: a declared type as what it is made of, structs apart, and an
// interface of the script's as any. bad names a type that cannot be written.
func (r *renderer) typeOf(t types.Type) (s, bad string) {
	t = types.Unalias(r.substituted(t))
	switch t := t.(type) {
	case *types.Basic:
		switch t.Kind() {
		case types.UntypedBool, types.UntypedInt, types.UntypedFloat, types.UntypedString, types.UntypedRune, types.UntypedComplex:
			return types.Typ[types.Default(t).(*types.Basic).Kind()].Name(), ""
		case types.UnsafePointer, types.UntypedNil, types.Invalid:
			return "", t.Name()
		}
		return t.Name(), ""
	case *types.Named:
		o := t.Obj()
		if o.Pkg() == nil {
			return o.Name(), "" // error, comparable
		}
		if r.u.isScript(o) {
			return r.scriptType(t)
		}
		if t.TypeArgs().Len() > 0 {
			return r.namedInstance(t)
		}
		if !o.Exported() {
			return "", o.Pkg().Name() + "." + o.Name()
		}
		path, name := r.u.scope.scriptName(o)
		if path == "" {
			return "", o.Pkg().Name() + "." + o.Name()
		}
		return r.pkg(path) + "." + name, ""
	case *types.TypeParam:
		return "", t.Obj().Name()
	}
	return r.literal(t)
}

// scriptType writes a type that the script declares.
func (r *renderer) scriptType(t *types.Named) (s, bad string) {
	if types.IsInterface(t) {
		return anyAs, ""
	}
	_, isStruct := t.Underlying().(*types.Struct)
	if !isStruct && !r.wrapped(t) {
		return r.typeOf(t.Underlying())
	}
	if t.TypeArgs().Len() > 0 {
		return r.namedInstance(t)
	}
	if c, ok := r.u.code[t.Obj()]; ok {
		return c, ""
	}
	// Declared inside a function: to the interpreter it is one of the unit's.
	key := "type " + r.key(t)
	if c, ok := r.u.instance(key); ok {
		return c, ""
	}
	code := r.u.scope.name(t.Obj().Name() + "__l")
	r.u.pending[key] = code
	return code, r.defineType(code, t)
}

// defineType declares a struct, or a type that contains itself, to the interpreter.
func (r *renderer) defineType(code string, t *types.Named) (bad string) {
	u, bad := r.literal(t.Underlying())
	if bad != "" {
		return bad
	}
	if r.wrapped(t) {
		if r.wrapsAny(t) {
			u = anyAs
		}
		u = "struct { v " + u + " }"
	}
	fmt.Fprintf(&r.u.defs, "type %s %s\n", code, u)
	return ""
}

// literal writes a type literal. What is embedded is a field like others, since lowered code names the whole way.
func (r *renderer) literal(t types.Type) (s, bad string) {
	t = types.Unalias(r.substituted(t))
	elem := func(prefix string, t types.Type) (string, string) {
		s, bad := r.typeOf(t)
		return prefix + s, bad
	}
	switch t := t.(type) {
	case *types.Pointer:
		return elem("*", t.Elem())
	case *types.Slice:
		return elem("[]", t.Elem())
	case *types.Array:
		return elem(fmt.Sprintf("[%d]", t.Len()), t.Elem())
	case *types.Chan:
		switch t.Dir() {
		case types.SendOnly:
			return elem("chan<- ", t.Elem())
		case types.RecvOnly:
			return elem("<-chan ", t.Elem())
		}
		s, bad := r.typeOf(t.Elem())
		return "chan (" + s + ")", bad
	case *types.Map:
		k, bad := r.typeOf(t.Key())
		if bad != "" {
			return "", bad
		}
		return elem("map["+k+"]", t.Elem())
	case *types.Signature:
		var ps []string
		for i := range t.Params().Len() {
			s, bad := r.typeOf(t.Params().At(i).Type())
			if bad != "" {
				return "", bad
			}
			ps = append(ps, s) // a variadic one takes a slice: the interpreter fails on some
		}
		for i := range t.Results().Len() {
			if _, bad := r.typeOf(t.Results().At(i).Type()); bad != "" {
				return "", bad
			}
		}
		return "func(" + strings.Join(ps, ", ") + ")" + r.results(t), ""
	case *types.Struct:
		var fs []string
		for i := range t.NumFields() {
			s, bad := r.typeOf(t.Field(i).Type())
			if bad != "" {
				return "", bad
			}
			fs = append(fs, fieldCode(t, i)+" "+s)
		}
		return "struct {" + strings.Join(fs, "; ") + "}", ""
	case *types.Interface:
		return anyAs, ""
	case *types.Named, *types.Basic:
		return r.typeOf(t)
	}
	return "", TypeString(t)
}

// fieldCode is the interpreter's name of a field.
func fieldCode(t *types.Struct, i int) string {
	if n := t.Field(i).Name(); n != "_" {
		return n
	}
	return fmt.Sprintf("blank__%d", i)
}

// FieldTag is the key of the struct tag that holds an unexported field's own name.
const FieldTag = "unexported"

// TypeTag is the key of the struct tag that names a script's struct type.
const TypeTag = "tunebook"
