package session

import (
	"encoding"
	"encoding/json"
	"errors"
	"reflect"

	"tunebook/runtime/cell"
)

// jsonValue stands in a copy for a value whose type says itself how it is encoded.
type jsonValue struct {
	Value
	read string // what was to be decoded into it; the value's own method does that afterwards
}

var jsonType = reflect.TypeFor[jsonValue]()

const (
	marshalSig   = "func() ([]uint8, error)"
	unmarshalSig = "func([]uint8) error"
)

func marshals(t *Type) bool {
	return t.has("MarshalJSON", marshalSig) || t.has("MarshalText", marshalSig)
}

// unmarshals reports that a pointer to the type decodes itself.
func unmarshals(g *registry, d *cell.Type) bool {
	p := g.pointerTo(d)
	return p != nil && (p.has("UnmarshalJSON", unmarshalSig) || p.has("UnmarshalText", unmarshalSig))
}

// pointerTo returns the type of pointers to a type, if there is a description of it.
func (g *registry) pointerTo(d *cell.Type) *Type {
	if p := g.scope.PointerTo(d); p != nil {
		return g.of(p)
	}
	return nil
}

// MarshalJSON calls the script's method.
func (j jsonValue) MarshalJSON() ([]byte, error) { return j.Value.MarshalJSON() }

// UnmarshalJSON keeps the text for the script's method.
func (j *jsonValue) UnmarshalJSON(b []byte) error {
	j.read = string(b)
	return nil
}

// UnmarshalText keeps the key of a map for the script's method.
func (j *jsonValue) UnmarshalText(b []byte) error {
	q, err := json.Marshal(string(b))
	j.read = string(q)
	return err
}

// MarshalJSON encodes a script's value as the compiled program would.
func (v Value) MarshalJSON() ([]byte, error) {
	for _, m := range []string{"MarshalJSON", "MarshalText"} {
		if !v.T.has(m, marshalSig) || v.T.Kind == reflect.Pointer && v.isNil() {
			continue
		}
		r := v.invoke(m)
		if err, ok := r[1].Interface().(error); ok {
			return nil, err
		}
		if m == "MarshalText" {
			return json.Marshal(string(r[0].Bytes()))
		}
		return r[0].Bytes(), nil
	}
	if v.T.Kind == reflect.Pointer && v.isNil() {
		return []byte("null"), nil
	}
	switch v.T.Kind {
	case reflect.Func, reflect.Chan:
		return nil, errors.New("json: unsupported type: " + v.T.String)
	}
	m := mirror{reg: v.T.reg, how: mirrorJSON, top: true}
	return json.Marshal(m.of(reflect.ValueOf(v.V), v.T.Type).Interface())
}

// MarshalText makes a script's value a key of a map.
func (v Value) MarshalText() ([]byte, error) {
	if v.T.has("MarshalText", marshalSig) {
		r := v.invoke("MarshalText")
		err, _ := r[1].Interface().(error)
		return r[0].Bytes(), err
	}
	b, err := v.MarshalJSON()
	if err != nil {
		return nil, err
	}
	var s string
	if json.Unmarshal(b, &s) == nil {
		return []byte(s), nil
	}
	return b, nil
}

// target is a pointer of the script's to decode into.
type target struct{ Value }

// decoded decodes into what a pointer behind any points to: decode fills a likeness, which is then copied.
func decoded(x any, decode func(any) error) error {
	v, ok := inward(x).(Value)
	if !ok || v.T.Kind != reflect.Pointer || v.isNil() {
		return decode(bare(x))
	}
	t := &target{v}
	if unmarshals(t.T.reg, t.T.Elem) {
		return decode(t)
	}
	m := mirror{reg: t.T.reg, how: mirrorJSON, top: true}
	d := t.T.Elem
	rv := t.raw().Elem()
	c := m.of(rv, d)
	err := decode(c.Addr().Interface())
	var wrong *json.UnmarshalTypeError
	if errors.As(err, &wrong) && wrong.Struct == "" && d.Name != "" {
		wrong.Struct = d.Name
	}
	if e := m.back(rv, c, d); e != nil && err == nil {
		err = e
	}
	return err
}

// UnmarshalJSON calls the script's method.
func (t *target) UnmarshalJSON(b []byte) error {
	_, err := t.bySelf(b)
	return err
}

// bySelf calls the script's own method, if there is one.
func (t *target) bySelf(b []byte) (ok bool, err error) {
	switch {
	case t.T.has("UnmarshalJSON", unmarshalSig):
		err, _ = t.invoke("UnmarshalJSON", b)[0].Interface().(error)
		return true, err
	case t.T.has("UnmarshalText", unmarshalSig):
		var s string
		if err := json.Unmarshal(b, &s); err != nil {
			return true, err
		}
		err, _ = t.invoke("UnmarshalText", []byte(s))[0].Interface().(error)
		return true, err
	}
	return false, nil
}

// back copies what was decoded into a copy to where the script has it.
func (m *mirror) back(out, c reflect.Value, d *cell.Type) error {
	if c.Kind() == reflect.Interface && d.Kind != reflect.Interface {
		return nil // a type that leads back to itself has no compiled copy
	}
	if c.Type() == reflect.PointerTo(jsonType) && d.Kind == reflect.Pointer {
		if c.IsNil() {
			out.SetZero()
			return nil
		}
		j := c.Elem().Interface().(jsonValue)
		if j.read == "" {
			return nil
		}
		p := out
		if out.IsNil() {
			p = reflect.New(out.Type().Elem())
			set(out, p)
		}
		return decoded(Value{m.reg.of(d), p.Interface()}, func(to any) error { return json.Unmarshal([]byte(j.read), to) })
	}
	if c.Type() == jsonType {
		j := c.Interface().(jsonValue)
		if j.read == "" {
			return nil
		}
		if p := m.reg.pointerTo(d); p != nil {
			t := target{Value{p, out.Addr().Interface()}}
			if ok, err := t.bySelf([]byte(j.read)); ok {
				return err
			}
		}
		p := reflect.New(out.Type())
		return json.Unmarshal([]byte(j.read), p.Interface())
	}
	if d.Native {
		if c.Type().AssignableTo(out.Type()) {
			set(out, c)
		}
		return nil
	}
	if d.Wrapped && out.Kind() == reflect.Struct {
		out = settable(out.Field(0))
	}
	switch d.Kind {
	case reflect.Struct:
		j := 0
		for i, f := range d.Fields {
			if !f.Exported && !(f.Embedded && f.Type.Kind == reflect.Struct) || f.Name == "_" {
				continue
			}
			if err := m.back(settable(out.Field(i)), c.Field(j), f.Type); err != nil {
				return err
			}
			j++
		}
	case reflect.Slice:
		if c.IsNil() {
			out.SetZero()
			return nil
		}
		s := reflect.MakeSlice(out.Type(), c.Len(), c.Len())
		for i := range c.Len() {
			if err := m.back(s.Index(i), c.Index(i), d.Elem); err != nil {
				return err
			}
		}
		set(out, s)
	case reflect.Array:
		for i := range c.Len() {
			if err := m.back(out.Index(i), c.Index(i), d.Elem); err != nil {
				return err
			}
		}
	case reflect.Map:
		if c.IsNil() {
			out.SetZero()
			return nil
		}
		mm := reflect.MakeMap(out.Type())
		for it := c.MapRange(); it.Next(); {
			k, e := reflect.New(out.Type().Key()).Elem(), reflect.New(out.Type().Elem()).Elem()
			kc, ec := reflect.New(it.Key().Type()).Elem(), reflect.New(it.Value().Type()).Elem()
			kc.Set(it.Key())
			ec.Set(it.Value())
			if err := errors.Join(m.back(k, kc, d.Key), m.back(e, ec, d.Elem)); err != nil {
				return err
			}
			mm.SetMapIndex(k, e)
		}
		set(out, mm)
	case reflect.Pointer:
		if c.IsNil() {
			out.SetZero()
			return nil
		}
		pt := out.Type()
		if pt.Kind() != reflect.Pointer {
			return nil
		}
		p := reflect.New(pt.Elem())
		if !out.IsNil() {
			p = out
		}
		if err := m.back(p.Elem(), c.Elem(), d.Elem); err != nil {
			return err
		}
		set(out, p)
	case reflect.Interface:
		set(out, c)
	default:
		if c.Type().ConvertibleTo(out.Type()) {
			set(out, c.Convert(out.Type()))
		}
	}
	return nil
}

// bare takes a value out of its box, for compiled code that works on it by reflection.
func bare(x any) any {
	if v, ok := inward(x).(Value); ok {
		return v.V
	}
	return x
}

// reflected is what reflect.ValueOf is given: the value itself or, of a struct, a copy whose fields have their own names.
func reflected(x any) any {
	if v, ok := inward(x).(Value); ok && v.T.Kind == reflect.Struct {
		m := mirror{reg: v.T.reg, how: mirrorBare, top: true}
		return m.of(reflect.ValueOf(v.V), v.T.Type).Interface()
	}
	return bare(x)
}

// plainValue is a copy of a value, of compiled types, for code that reads it.
func plainValue(x any) any {
	v, ok := inward(x).(Value)
	if !ok {
		return plainInside(reflect.ValueOf(x))
	}
	m := mirror{reg: v.T.reg, how: mirrorShow, top: true}
	switch {
	case v.T.Kind == reflect.Pointer && v.isNil():
		return nil
	case v.T.has("Show", showSig):
		return scriptShower{v}
	case m.special(v.T.Type) != nil:
		return outward(v)
	}
	return m.of(reflect.ValueOf(v.V), v.T.Type).Interface()
}

// plainInside copies maps and slices of values behind interfaces.
func plainInside(v reflect.Value) any {
	holds := func(t reflect.Type) bool {
		for t.Kind() == reflect.Slice || t.Kind() == reflect.Map {
			t = t.Elem()
		}
		return t.Kind() == reflect.Interface
	}
	if !v.IsValid() {
		return nil
	}
	switch {
	case (v.Kind() != reflect.Slice && v.Kind() != reflect.Map) || v.IsNil() || !holds(v.Type()):
		return v.Interface()
	case v.Kind() == reflect.Slice:
		out := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			if e := plainValue(v.Index(i).Interface()); e != nil {
				out.Index(i).Set(reflect.ValueOf(e))
			}
		}
		return out.Interface()
	}
	out := reflect.MakeMapWithSize(v.Type(), v.Len())
	for it := v.MapRange(); it.Next(); {
		e := reflect.New(v.Type().Elem()).Elem()
		if x := plainValue(it.Value().Interface()); x != nil {
			e.Set(reflect.ValueOf(x))
		}
		out.SetMapIndex(it.Key(), e)
	}
	return out.Interface()
}

// scriptType is reflect.Type of a script's type.
type scriptType struct {
	reflect.Type
	t *Type
}

// typeOfValue is reflect.TypeOf.
func typeOfValue(x any) reflect.Type {
	switch v := inward(x).(type) {
	case nil:
		return nil
	case Value:
		m := mirror{reg: v.T.reg, how: mirrorBare, top: true}
		return scriptType{m.typeOf(v.T.Type, reflect.TypeOf(v.V)), v.T}
	default:
		return reflect.TypeOf(v)
	}
}

// Name returns the declared type's name.
func (s scriptType) Name() string { return s.t.Type.Name }

// String returns the type as %T prints it.
func (s scriptType) String() string { return s.t.Type.String }

// PkgPath returns that of scripts.
func (s scriptType) PkgPath() string {
	if s.t.Type.Name == "" {
		return ""
	}
	return "main"
}

// NumMethod returns how many exported methods there are.
func (s scriptType) NumMethod() int {
	n := 0
	for name := range s.t.Methods {
		if name[0] >= 'A' && name[0] <= 'Z' {
			n++
		}
	}
	return n
}

// Elem returns the element's type.
func (s scriptType) Elem() reflect.Type {
	if s.t.Type.Elem == nil || s.t.Type.Elem.Native {
		return s.Type.Elem()
	}
	return scriptType{s.Type.Elem(), s.t.reg.of(s.t.Type.Elem)}
}

// Field returns a field, with the type as the script knows it.
func (s scriptType) Field(i int) reflect.StructField {
	f := s.Type.Field(i)
	if d := s.t.Fields[i]; !d.Type.Native {
		f.Type = scriptType{f.Type, s.t.reg.of(d.Type)}
		f.Anonymous = d.Embedded
	}
	return f
}

// FieldByName returns a field by its name.
func (s scriptType) FieldByName(name string) (reflect.StructField, bool) {
	for i, f := range s.t.Fields {
		if f.Name == name {
			return s.Field(i), true
		}
	}
	return reflect.StructField{}, false
}

var _ encoding.TextMarshaler = Value{}
