package cell

import (
	"fmt"
	"go/types"
	"strconv"
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

// typeOf writes a type as the interpreter knows it. bad names a type that cannot be written.
func (r *renderer) typeOf(t types.Type) (s, bad string) {
	t = types.Unalias(r.substituted(t))
	switch t := t.(type) {
	case *types.Basic:
		switch t.Kind() {
		case types.UntypedBool:
			return "bool", ""
		case types.UntypedInt:
			return "int", ""
		case types.UntypedFloat:
			return "float64", ""
		case types.UntypedString:
			return "string", ""
		case types.UntypedRune:
			return "int32", ""
		case types.UntypedComplex:
			return "complex128", ""
		case types.UnsafePointer, types.UntypedNil, types.Invalid:
			return "", t.Name()
		}
		return t.Name(), ""
	case *types.Named:
		o := t.Obj()
		if o.Pkg() == nil {
			return o.Name(), "" // error, comparable
		}
		if t.TypeArgs().Len() > 0 || r.u.preludeType(o) != nil {
			return r.namedInstance(t)
		}
		if c, ok := r.u.code[o]; ok {
			return c, ""
		}
		if o.Pkg().Path() == "main" {
			return o.Name(), ""
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
	return r.underlying(t, "")
}

// underlying writes a type literal. The tag of the first field of a struct names the declared type that it belongs to:
// the interpreter would otherwise take two struct types of the same fields for one.
func (r *renderer) underlying(t types.Type, declared string) (s, bad string) {
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
			if t.Variadic() && i == t.Params().Len()-1 {
				s = "..." + strings.TrimPrefix(s, "[]")
			}
			ps = append(ps, s)
		}
		return "func(" + strings.Join(ps, ", ") + ")" + r.results(t), ""
	case *types.Struct:
		var b strings.Builder
		b.WriteString("struct {")
		for i := range t.NumFields() {
			f := t.Field(i)
			s, bad := r.typeOf(f.Type())
			if bad != "" {
				return "", bad
			}
			if i > 0 {
				b.WriteString("; ")
			}
			if f.Embedded() {
				b.WriteString(s)
			} else {
				b.WriteString(f.Name() + " " + s)
			}
			tag := t.Tag(i)
			if declared != "" && !f.Exported() && !f.Embedded() {
				// The interpreter exports every field, under another name; the encoders must not see this one.
				if tag == "" {
					tag = `json:"-" xml:"-" `
				}
				tag += " " + FieldTag + ":" + strconv.Quote(f.Name())
				tag = strings.TrimSpace(tag)
			}
			if i == 0 && declared != "" {
				tag = strings.TrimSpace(tag + " " + TypeTag + ":" + strconv.Quote(declared))
			}
			if tag != "" {
				b.WriteString(" " + strconv.Quote(tag))
			}
		}
		b.WriteString("}")
		return b.String(), ""
	case *types.Interface:
		if t.NumMethods() == 0 && t.NumEmbeddeds() == 0 {
			return "interface{}", ""
		}
		var parts []string
		for i := range t.NumMethods() {
			m := t.Method(i)
			s, bad := r.underlying(m.Signature(), "")
			if bad != "" {
				return "", bad
			}
			parts = append(parts, m.Name()+strings.TrimPrefix(s, "func"))
		}
		return "interface {" + strings.Join(parts, "; ") + "}", ""
	case *types.Named, *types.Basic:
		return r.typeOf(t)
	}
	return "", TypeString(t)
}

// FieldTag is the key of the struct tag that holds an unexported field's own name.
const FieldTag = "unexported"

// TypeTag is the key of the struct tag that names a script's struct type.
const TypeTag = "tunebook"
