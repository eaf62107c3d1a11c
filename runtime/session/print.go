package session

import (
	"fmt"
	"reflect"
	"sort"
	"strconv"
	"strings"
	"unsafe"

	"tunebook/runtime/cell"
)

// Format prints a script's value as the compiled program would.
func (v Value) Format(s fmt.State, verb rune) {
	format := fmt.FormatString(s, verb)
	if verb == 'v' && s.Flag('#') {
		if v.T.has("GoString", "func() string") {
			fmt.Fprint(s, v.invoke("GoString")[0].String())
			return
		}
		fmt.Fprint(s, goSyntax(v.T.reg, reflect.ValueOf(v.V), v.T.Type, true, 0))
		return
	}
	if v.T.has("Format", "func(fmt.State, int32)") {
		v.invoke("Format", s, verb)
		return
	}
	if verb == 'p' {
		fmt.Fprintf(s, format, v.raw().Interface())
		return
	}
	if strings.ContainsRune("vsqxX", verb) {
		if text, ok := v.text(); ok {
			fmt.Fprintf(s, format, text)
			return
		}
	}
	m := mirror{reg: v.T.reg, how: mirrorPrint, top: true}
	fmt.Fprintf(s, format, m.of(reflect.ValueOf(v.V), v.T.Type).Interface())
}

// text returns what the value's Error or String method says; as package fmt, "<nil>" when it fails on a nil pointer.
func (v Value) text() (text any, ok bool) {
	name := ""
	switch {
	case v.T.has("Error", "func() string"):
		name = "Error"
	case v.T.has("String", "func() string"):
		name = "String"
	default:
		return "", false
	}
	defer func() {
		if p := recover(); p != nil {
			if v.T.Kind == reflect.Pointer && v.isNil() {
				text, ok = nilText{}, true
				return
			}
			panic(p)
		}
	}()
	return v.invoke(name)[0].String(), true
}

// nilText prints as package fmt prints a nil pointer whose method fails.
type nilText struct{}

// Format writes it.
func (nilText) Format(s fmt.State, _ rune) { fmt.Fprint(s, "<nil>") }

// Ways to copy a value into one that compiled code understands.
const (
	mirrorPrint = iota // unexported fields stay so; what prints itself stays a Value
	mirrorJSON         // only exported fields, with their tags; what marshals itself stays one
	mirrorShow         // all fields exported, with tags that tell their names
)

// mirror copies the interpreter's values into compiled types of the same shape.
type mirror struct {
	reg   *registry
	how   int
	top   bool
	depth int
}

func (m *mirror) prints() bool { return m.how == mirrorPrint || m.how == mirrorBare }

var valueType = reflect.TypeFor[Value]()

// special returns the type of values that speak for themselves, nil for others.
func (m *mirror) special(d *cell.Type) reflect.Type {
	t := m.reg.of(d)
	switch m.how {
	case mirrorPrint:
		if t.has("Error", "func() string") || t.has("String", "func() string") || t.has("Format", "func(fmt.State, int32)") {
			return valueType
		}
	case mirrorShow:
		switch {
		case t.has("Show", showSig):
			return reflect.TypeFor[scriptShower]()
		case t.has("Error", "func() string"), t.has("String", "func() string"):
			return reflect.TypeFor[scriptStringer]()
		}
	case mirrorJSON:
		if d.Kind == reflect.Pointer {
			if marshals(t) || unmarshals(m.reg, d.Elem) || recursive(d) {
				return reflect.PointerTo(jsonType)
			}
			return nil
		}
		if marshals(t) || unmarshals(m.reg, d) {
			return jsonType
		}
	}
	return nil
}

// typeOf returns the type of a copy.
func (m *mirror) typeOf(d *cell.Type, rt reflect.Type) reflect.Type {
	if d.Native && rt != nil && rt.Kind() != reflect.Interface {
		return rt
	}
	if t := m.special(d); t != nil && !m.top {
		return t
	}
	top := m.top
	m.top = false
	defer func() { m.top = top }()
	if d.Native {
		return basicType(d, rt)
	}
	if m.depth++; m.depth > 100 {
		m.depth--
		return anyType
	}
	defer func() { m.depth-- }()
	sub := func(get func(reflect.Type) reflect.Type) reflect.Type {
		if rt == nil || d.Wrapped || rt.Kind() != d.Kind {
			return nil
		}
		return get(rt)
	}
	switch d.Kind {
	case reflect.Slice:
		return reflect.SliceOf(m.typeOf(d.Elem, sub(reflect.Type.Elem)))
	case reflect.Array:
		return reflect.ArrayOf(d.Len, m.typeOf(d.Elem, sub(reflect.Type.Elem)))
	case reflect.Map:
		return reflect.MapOf(m.typeOf(d.Key, sub(reflect.Type.Key)), m.typeOf(d.Elem, sub(reflect.Type.Elem)))
	case reflect.Pointer:
		if m.prints() && !top || recursive(d) {
			if m.prints() {
				return reflect.TypeFor[*struct{}]()
			}
			return anyType
		}
		return reflect.PointerTo(m.typeOf(d.Elem, sub(reflect.Type.Elem)))
	case reflect.Struct:
		var fs []reflect.StructField
		for i, f := range d.Fields {
			var ft reflect.Type
			if rt != nil && rt.Kind() == reflect.Struct && !d.Wrapped {
				ft = rt.Field(i).Type
			}
			sf := reflect.StructField{Name: f.Name, Tag: reflect.StructTag(f.Tag)}
			switch {
			case m.how == mirrorJSON && !f.Exported && !(f.Embedded && f.Type.Kind == reflect.Struct):
				continue
			case f.Name == "_":
				sf.Name, sf.PkgPath = fmt.Sprintf("blank%d", i), "main"
				if !m.prints() {
					continue
				}
			case !f.Exported && m.prints():
				sf.PkgPath = "main"
			case !f.Exported:
				sf.Name = fmt.Sprintf("X%d%s", i, f.Name)
				if m.how == mirrorShow {
					sf.Tag += reflect.StructTag(fmt.Sprintf(" %s:%q", cell.FieldTag, f.Name))
				}
			}
			if m.how == mirrorPrint && !f.Exported {
				// Package fmt calls no methods of what it may not touch.
				bare := mirror{reg: m.reg, how: mirrorBare, depth: m.depth}
				sf.Type = bare.typeOf(f.Type, ft)
			} else {
				sf.Type = m.typeOf(f.Type, ft)
			}
			if m.how == mirrorJSON && f.Embedded {
				st := sf.Type
				if st.Kind() == reflect.Pointer {
					st = st.Elem()
				}
				sf.Anonymous = st.Kind() == reflect.Struct && st != jsonType && sf.Type.NumMethod() == 0
			}
			if m.how == mirrorShow && len(fs) == 0 && d.Name != "" {
				sf.Tag += reflect.StructTag(fmt.Sprintf(" %s:%q", cell.TypeTag, d.Name))
			}
			fs = append(fs, sf)
		}
		return reflect.StructOf(fs)
	case reflect.Interface:
		return anyType
	case reflect.Func:
		return reflect.TypeFor[func()]()
	case reflect.Chan:
		return reflect.TypeFor[chan struct{}]()
	}
	return basicType(d, rt)
}

// mirrorBare is mirrorPrint for what stands in an unexported field.
const mirrorBare = 3

// recursive reports that a pointer's type leads back to itself, so that no compiled type can copy it.
func recursive(d *cell.Type) bool {
	seen := map[*cell.Type]bool{}
	var walk func(e *cell.Type) bool
	walk = func(e *cell.Type) bool {
		if e == nil || e.Native {
			return false
		}
		if e == d {
			return true
		}
		if seen[e] {
			return false
		}
		seen[e] = true
		for _, f := range e.Fields {
			if walk(f.Type) {
				return true
			}
		}
		return walk(e.Elem) || walk(e.Key)
	}
	return walk(d.Elem)
}

func basicType(d *cell.Type, rt reflect.Type) reflect.Type {
	if t, ok := basicTypes[d.Kind]; ok {
		return t
	}
	if rt != nil {
		return rt
	}
	return anyType
}

var basicTypes = map[reflect.Kind]reflect.Type{
	reflect.Bool: reflect.TypeFor[bool](), reflect.Int: reflect.TypeFor[int](), reflect.Int8: reflect.TypeFor[int8](), reflect.Int16: reflect.TypeFor[int16](),
	reflect.Int32: reflect.TypeFor[int32](), reflect.Int64: reflect.TypeFor[int64](), reflect.Uint: reflect.TypeFor[uint](), reflect.Uint8: reflect.TypeFor[uint8](),
	reflect.Uint16: reflect.TypeFor[uint16](), reflect.Uint32: reflect.TypeFor[uint32](), reflect.Uint64: reflect.TypeFor[uint64](), reflect.Uintptr: reflect.TypeFor[uintptr](),
	reflect.Float32: reflect.TypeFor[float32](), reflect.Float64: reflect.TypeFor[float64](), reflect.Complex64: reflect.TypeFor[complex64](),
	reflect.Complex128: reflect.TypeFor[complex128](), reflect.String: reflect.TypeFor[string](),
}

// of copies a value.
func (m *mirror) of(v reflect.Value, d *cell.Type) reflect.Value {
	var rt reflect.Type
	if v.IsValid() {
		rt = v.Type()
	}
	out := reflect.New(m.typeOf(d, rt)).Elem()
	m.fill(out, v, d)
	return out
}

// fill copies v into out, which is of the type that typeOf gives.
func (m *mirror) fill(out, v reflect.Value, d *cell.Type) {
	v = readable(v)
	if d.Native {
		for v.IsValid() && v.Kind() == reflect.Interface && out.Kind() != reflect.Interface {
			v = v.Elem()
		}
		if v.IsValid() && v.Type().AssignableTo(out.Type()) {
			set(out, v)
		}
		if out.Kind() == reflect.Interface && v.IsValid() && !m.prints() {
			m.fillAny(out, v)
		}
		return
	}
	switch out.Type() {
	case valueType:
		set(out, reflect.ValueOf(Value{m.reg.of(d), plainInterface(v)}))
		return
	case reflect.TypeFor[scriptStringer]():
		set(out, reflect.ValueOf(scriptStringer{Value{m.reg.of(d), plainInterface(v)}}))
		return
	case reflect.TypeFor[scriptShower]():
		set(out, reflect.ValueOf(scriptShower{Value{m.reg.of(d), plainInterface(v)}}))
		return
	case reflect.PointerTo(jsonType):
		if v := unwrapRaw(v, d); v.IsValid() && !v.IsNil() {
			set(out, reflect.ValueOf(&jsonValue{Value{m.reg.of(d), plainInterface(v)}, ""}))
		}
		return
	case jsonType:
		set(out, reflect.ValueOf(jsonValue{Value{m.reg.of(d), plainInterface(v)}, ""}))
		return
	}
	top := m.top
	m.top = false
	defer func() { m.top = top }()
	v = unwrapRaw(v, d)
	if !v.IsValid() {
		return
	}
	switch d.Kind {
	case reflect.Slice:
		if v.IsNil() {
			return
		}
		s := reflect.MakeSlice(out.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			m.fill(s.Index(i), v.Index(i), d.Elem)
		}
		set(out, s)
	case reflect.Array:
		for i := range v.Len() {
			m.fill(out.Index(i), v.Index(i), d.Elem)
		}
	case reflect.Map:
		if v.IsNil() {
			return
		}
		mm := reflect.MakeMapWithSize(out.Type(), v.Len())
		for it := v.MapRange(); it.Next(); {
			k, e := reflect.New(out.Type().Key()).Elem(), reflect.New(out.Type().Elem()).Elem()
			m.fill(k, it.Key(), d.Key)
			m.fill(e, it.Value(), d.Elem)
			mm.SetMapIndex(k, e)
		}
		set(out, mm)
	case reflect.Pointer:
		if v.IsNil() {
			return
		}
		if out.Type() == reflect.TypeFor[*struct{}]() {
			set(out, reflect.NewAt(reflect.TypeFor[struct{}](), v.UnsafePointer()))
			return
		}
		if out.Kind() == reflect.Interface {
			if m.depth++; m.depth < 50 {
				set(out, m.of(v.Elem(), d.Elem).Addr())
			}
			m.depth--
			return
		}
		p := reflect.New(out.Type().Elem())
		m.fill(p.Elem(), v.Elem(), d.Elem)
		set(out, p)
	case reflect.Struct:
		j := 0
		for i, f := range d.Fields {
			if m.how == mirrorJSON && !f.Exported && !(f.Embedded && f.Type.Kind == reflect.Struct) || f.Name == "_" && !m.prints() {
				continue
			}
			in := m
			if m.how == mirrorPrint && !f.Exported {
				in = &mirror{reg: m.reg, how: mirrorBare}
			}
			in.fill(settable(out.Field(j)), v.Field(i), f.Type)
			j++
		}
	case reflect.Interface:
		if m.prints() {
			if !v.IsZero() {
				set(out, v)
			}
			return
		}
		m.fillAny(out, v)
	case reflect.Func:
		if !v.IsNil() {
			set(out, reflect.ValueOf(func() {}))
		}
	case reflect.Chan:
		if !v.IsNil() {
			set(out, reflect.MakeChan(out.Type(), 0))
		}
	default:
		if v.Type().ConvertibleTo(out.Type()) {
			set(out, v.Convert(out.Type()))
		}
	}
}

// fillAny copies what stands behind an interface.
func (m *mirror) fillAny(out, v reflect.Value) {
	for v.Kind() == reflect.Interface {
		if v.IsNil() {
			return
		}
		v = v.Elem()
	}
	x := inward(v.Interface())
	s, ok := x.(Value)
	if !ok {
		set(out, reflect.ValueOf(x))
		return
	}
	if m.special(s.T.Type) != nil {
		if m.how == mirrorJSON {
			set(out, reflect.ValueOf(jsonValue{s, ""}))
		} else {
			set(out, reflect.ValueOf(outward(s)))
		}
		return
	}
	if m.depth++; m.depth < 50 {
		set(out, m.of(reflect.ValueOf(s.V), s.T.Type))
	}
	m.depth--
}

// set sets out, which may be a field of a struct that reflection would not set.
func set(out, v reflect.Value) { settable(out).Set(readable(v)) }

// settable makes a field of an addressable struct settable.
func settable(v reflect.Value) reflect.Value {
	if v.CanSet() || !v.CanAddr() {
		return v
	}
	return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
}

// readable makes a value that came out of an unexported field one that can be passed on.
func readable(v reflect.Value) reflect.Value {
	if !v.IsValid() || v.CanInterface() {
		return v
	}
	return settable(v)
}

func plainInterface(v reflect.Value) any {
	for v.IsValid() && v.Kind() == reflect.Interface {
		v = v.Elem()
	}
	if !v.IsValid() {
		return nil
	}
	return v.Interface()
}

// goSyntax writes a value as %#v does.
func goSyntax(reg *registry, v reflect.Value, d *cell.Type, top bool, depth int) string {
	if !v.IsValid() {
		return d.String + "(nil)"
	}
	if d.Kind == reflect.Interface {
		if v.Kind() == reflect.Interface && v.IsNil() {
			return d.String + "(nil)"
		}
		for v.Kind() == reflect.Interface {
			v = v.Elem()
		}
		if x, ok := readable(v).Interface().(Value); ok {
			return goSyntax(reg, reflect.ValueOf(x.V), x.T.Type, true, depth+1)
		}
		return fmt.Sprintf("%#v", readable(v).Interface())
	}
	v = readable(v)
	if d.Native {
		return fmt.Sprintf("%#v", plainInterface(v))
	}
	if t := reg.of(d); t.has("GoString", "func() string") {
		return Value{t, plainInterface(v)}.invoke("GoString")[0].String()
	}
	v = unwrapRaw(v, d)
	var parts []string
	switch d.Kind {
	case reflect.Struct:
		for i, f := range d.Fields {
			parts = append(parts, f.Name+":"+goSyntax(reg, v.Field(i), f.Type, false, depth+1))
		}
		return d.String + "{" + strings.Join(parts, ", ") + "}"
	case reflect.Slice, reflect.Array:
		if d.Kind == reflect.Slice && v.IsNil() {
			return d.String + "(nil)"
		}
		for i := range v.Len() {
			parts = append(parts, goSyntax(reg, v.Index(i), d.Elem, false, depth+1))
		}
		return d.String + "{" + strings.Join(parts, ", ") + "}"
	case reflect.Map:
		if v.IsNil() {
			return d.String + "(nil)"
		}
		for it := v.MapRange(); it.Next(); {
			parts = append(parts, goSyntax(reg, it.Key(), d.Key, false, depth+1)+":"+goSyntax(reg, it.Value(), d.Elem, false, depth+1))
		}
		sort.Strings(parts)
		return d.String + "{" + strings.Join(parts, ", ") + "}"
	case reflect.Pointer:
		if v.IsNil() {
			return "(" + d.String + ")(nil)"
		}
		if top && depth == 0 {
			switch d.Elem.Kind {
			case reflect.Struct, reflect.Slice, reflect.Array, reflect.Map:
				return "&" + goSyntax(reg, v.Elem(), d.Elem, false, depth+1)
			}
		}
		return fmt.Sprintf("(%s)(%#x)", d.String, v.Pointer())
	case reflect.Func, reflect.Chan:
		if v.IsNil() {
			return "(" + d.String + ")(nil)"
		}
		return fmt.Sprintf("(%s)(%#x)", d.String, v.Pointer())
	}
	return fmt.Sprintf("%#v", v.Convert(basicTypes[d.Kind]).Interface())
}

// printable prepares the arguments of a printing function: what has methods shows them, and what is to the language of
// a basic kind is so to the function.
func printable(args []any) []any {
	var out []any
	for i, a := range args {
		v, ok := a.(Value)
		if !ok {
			continue
		}
		if out == nil {
			out = append([]any(nil), args...)
		}
		out[i] = outward(v)
		if _, plain := out[i].(Value); plain && basicTypes[v.T.Kind] != nil && !v.T.has("Format", "func(fmt.State, int32)") && !v.T.has("GoString", "func() string") {
			out[i] = v.raw().Convert(basicTypes[v.T.Kind]).Interface()
		}
	}
	if out == nil {
		return args
	}
	return out
}

// typeVerbs answers the verbs of a format that ask for the types of a script's values, and returns the format without
// them.
func typeVerbs(format string, args []any) (string, []any) {
	special := false
	for _, a := range args {
		switch inward(a).(type) {
		case Value:
			special = true
		}
	}
	if !special || !strings.Contains(format, "T") {
		return format, args
	}
	args = append([]any(nil), args...)
	var b strings.Builder
	arg := 0
	for i := 0; i < len(format); {
		if format[i] != '%' {
			b.WriteByte(format[i])
			i++
			continue
		}
		start, index := i, -1
		for i++; i < len(format) && strings.IndexByte("+-# 0123456789.*[]", format[i]) >= 0; i++ {
			switch format[i] {
			case '*':
				arg++
			case '[':
				index = i
				n, _ := strconv.Atoi(format[i+1 : max(i+1, i+strings.IndexByte(format[i:], ']'))])
				arg = n - 1
			}
		}
		if i >= len(format) {
			b.WriteString(format[start:])
			break
		}
		verb := format[i]
		i++
		if verb == '%' {
			b.WriteString("%%")
			continue
		}
		if arg >= 0 && arg < len(args) && verb == 'T' {
			if v, ok := inward(args[arg]).(Value); ok {
				if index < 0 {
					args[arg] = v.T.String
					b.WriteString(format[start:i-1] + "s")
				} else {
					// Another verb may name the same argument.
					args = append(args, v.T.String)
					fmt.Fprintf(&b, "%s[%d]s", format[start:index], len(args))
				}
				arg++
				continue
			}
		}
		b.WriteString(format[start:i])
		arg++
	}
	return b.String(), args
}
