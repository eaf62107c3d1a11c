package session

import (
	"fmt"
	"reflect"
	"sort"
	"strings"
	"sync"

	"tunebook/runtime/cell"
)

// Value is a value of a script's own type behind an interface. The interpreter knows only what the type is made of;
// the description says the rest, and the session calls the methods.
type Value struct {
	T *Type
	V any
}

// Type is what the session knows of a script's type: its description and its methods.
type Type struct {
	*cell.Type
	reg *registry
}

// registry holds the methods of a session's types.
type registry struct {
	mu      sync.RWMutex
	scope   *cell.Scope
	types   map[int]*Type
	methods map[int]map[string]reflect.Value // functions that take the receiver as any
}

func newRegistry(s *cell.Scope) *registry {
	return &registry{scope: s, types: map[int]*Type{}, methods: map[int]map[string]reflect.Value{}}
}

func (g *registry) byID(id int) *Type {
	g.mu.RLock()
	t := g.types[id]
	g.mu.RUnlock()
	if t != nil {
		return t
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if t = g.types[id]; t == nil {
		t = &Type{g.scope.Type(id), g}
		g.types[id] = t
	}
	return t
}

func (g *registry) of(d *cell.Type) *Type { return g.byID(d.ID) }

// setMethod gives a type a method.
func (g *registry) setMethod(id int, name string, f any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.methods[id] == nil {
		g.methods[id] = map[string]reflect.Value{}
	}
	g.methods[id][name] = reflect.ValueOf(f)
}

func (t *Type) method(name string) reflect.Value {
	t.reg.mu.RLock()
	defer t.reg.mu.RUnlock()
	return t.reg.methods[t.ID][name]
}

// has reports that a type has a method of that signature, as reflection writes it.
func (t *Type) has(name, sig string) bool {
	m, ok := t.Methods[name]
	return ok && m.String == sig && t.method(name).IsValid()
}

// box puts a value of a script's type into an interface.
func (g *registry) box(id int, v any) any { return Value{g.byID(id), v} }

// invoke calls a method of v's without arguments and returns its results.
func (v Value) invoke(name string, args ...any) []reflect.Value {
	f := v.T.method(name)
	in := []reflect.Value{reflect.ValueOf(&[]any{v}[0]).Elem()}
	for i, a := range args {
		pt := f.Type().In(i + 1)
		x := reflect.New(pt).Elem()
		if a != nil {
			x.Set(reflect.ValueOf(a))
		}
		in = append(in, x)
	}
	return f.Call(in)
}

// isNil reports a nil pointer, map, slice, func or channel.
func (v Value) isNil() bool {
	rv := v.raw()
	switch rv.Kind() {
	case reflect.Pointer, reflect.Map, reflect.Slice, reflect.Func, reflect.Chan:
		return rv.IsNil()
	}
	return !rv.IsValid()
}

// raw returns the interpreter's value, out of the struct around a type that contains itself.
func (v Value) raw() reflect.Value { return unwrapRaw(reflect.ValueOf(v.V), v.T.Type) }

func unwrapRaw(rv reflect.Value, d *cell.Type) reflect.Value {
	for rv.IsValid() && rv.Kind() == reflect.Interface {
		rv = rv.Elem() // the interpreter's way to write a type within itself
	}
	if d.Wrapped && rv.Kind() == reflect.Struct {
		rv = rv.Field(0)
		for rv.IsValid() && rv.Kind() == reflect.Interface {
			rv = rv.Elem()
		}
	}
	return rv
}

// Forms that a value takes towards compiled code, according to the methods it has.
type (
	// scriptError is an error of the script's.
	scriptError struct{ Value }
	// scriptErrors is one that wraps several.
	scriptErrors struct{ Value }
	// scriptStringer is a value that says how it prints.
	scriptStringer struct{ Value }
	// scriptShower is one that says how it shows.
	scriptShower struct{ Value }
)

const showSig = "func() (string, string)"

// Show returns what the script's method does.
func (s scriptShower) Show() (text, html string) {
	r := s.invoke("Show")
	return r[0].String(), r[1].String()
}

// String returns how the value shows as text.
func (s scriptShower) String() string {
	text, _ := s.Show()
	return text
}

// Error returns what the script's method does.
func (e scriptError) Error() string { return e.invoke("Error")[0].String() }

// Unwrap returns what the script's method does, nil where there is none.
func (e scriptError) Unwrap() error {
	if !e.T.has("Unwrap", "func() error") {
		return nil
	}
	err, _ := e.invoke("Unwrap")[0].Interface().(error)
	return err
}

// Is asks the script's method, if there is one.
func (e scriptError) Is(target error) bool {
	if !e.T.has("Is", "func(error) bool") {
		return false
	}
	return e.invoke("Is", target)[0].Bool()
}

// Error returns what the script's method does.
func (e scriptErrors) Error() string { return e.invoke("Error")[0].String() }

// Unwrap returns what the script's method does.
func (e scriptErrors) Unwrap() []error {
	errs, _ := e.invoke("Unwrap")[0].Interface().([]error)
	return errs
}

// String returns what the script's method does.
func (s scriptStringer) String() string {
	text, _ := s.text()
	return fmt.Sprint(text)
}

// outward gives a value the form in which compiled code sees its methods.
func outward(x any) any {
	v, ok := x.(Value)
	if !ok {
		return x
	}
	switch {
	case v.T.has("Error", "func() string"):
		if v.T.has("Unwrap", "func() []error") {
			return scriptErrors{v}
		}
		return scriptError{v}
	case v.T.has("String", "func() string"):
		return scriptStringer{v}
	}
	return v
}

// inward is the inverse: it takes away whatever form a value was given for compiled code.
func inward(x any) any {
	switch v := x.(type) {
	case nil, Value, int, string, float64, bool:
		return x
	case scriptError:
		return v.Value
	case scriptErrors:
		return v.Value
	case scriptStringer:
		return v.Value
	case scriptShower:
		return v.Value
	case interface{ scriptValue() Value }:
		return v.scriptValue()
	}
	rv := reflect.ValueOf(x)
	if rv.Kind() == reflect.Struct && rv.NumField() > 1 && rv.Type().Field(0).Name == "IValue" {
		if v, ok := rv.Field(0).Interface().(Value); ok {
			return v
		}
	}
	return x
}

// as puts x into the variable that p points to, if x is of that type.
func (g *registry) as(id int, x, p any) bool {
	if !g.is(id, x) {
		return false
	}
	take(x, p)
	return true
}

// is reports that x is of a type that is no interface.
func (g *registry) is(id int, x any) bool {
	switch v := inward(x).(type) {
	case nil:
		return false
	case Value:
		return v.T.ID == id
	default:
		d := g.byID(id)
		return d.Native && reflect.TypeOf(v).String() == d.String
	}
}

// take puts the value behind x into the variable that p points to.
func take(x, p any) {
	x = inward(x)
	if v, ok := x.(Value); ok {
		x = v.V
	}
	e := reflect.ValueOf(p).Elem()
	if x == nil {
		e.SetZero()
		return
	}
	e.Set(reflect.ValueOf(x))
}

// hasMethods reports that x is something and has the methods of an interface.
func (g *registry) hasMethods(id int, x any) bool { return x != nil && g.missing(id, x) == "" }

// missing names a method of an interface that x lacks.
func (g *registry) missing(id int, x any) string {
	d := g.byID(id)
	x = inward(x)
	for _, name := range sortedNames(d.Methods) {
		want := d.Methods[name]
		if v, ok := x.(Value); ok {
			if m, ok := v.T.Methods[name]; !ok || !m.Same(want) || !v.T.method(name).IsValid() {
				return name
			}
			continue
		}
		m := reflect.ValueOf(x).MethodByName(name)
		if !m.IsValid() || m.Type().String() != want.String {
			return name
		}
	}
	return ""
}

func sortedNames(m map[string]cell.Method) []string {
	names := make([]string, 0, len(m))
	for n := range m {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// find puts the function that calls a method of x into the variable that p points to. Its first parameter is x.
func find(x any, name string, p any) {
	f := reflect.ValueOf(p).Elem()
	switch v := inward(x).(type) {
	case nil:
		panic(runtimeError("invalid memory address or nil pointer dereference"))
	case Value:
		f.Set(v.T.method(name))
	default:
		m := reflect.ValueOf(v).MethodByName(name)
		f.Set(reflect.MakeFunc(f.Type(), func(args []reflect.Value) []reflect.Value {
			if m.Type().IsVariadic() {
				return m.CallSlice(args[1:])
			}
			return m.Call(args[1:])
		}))
	}
}

// equal is == of two values behind interfaces, or of two structs or arrays.
func equal(a, b any) bool {
	a, b = inward(a), inward(b)
	if va, ok := a.(Value); ok {
		if vb, ok := b.(Value); !ok || va.T != vb.T {
			return false
		}
		if t := reflect.TypeOf(va.V); t != nil && !t.Comparable() {
			panic(runtimeError("comparing uncomparable type " + va.T.String))
		}
	}
	return a == b
}

// notA panics as a failed type assertion does.
func (g *registry) notA(id int, from string, x any) {
	d := g.byID(id)
	x = inward(x)
	is := typeNameOf(x)
	switch {
	case x == nil && d.Kind == reflect.Interface:
		panic(assertion("interface conversion: interface is nil, not " + d.String))
	case x == nil:
		panic(assertion("interface conversion: " + from + " is nil, not " + d.String))
	case d.Kind == reflect.Interface:
		panic(assertion("interface conversion: " + is + " is not " + d.String + ": missing method " + g.missing(id, x)))
	}
	panic(assertion("interface conversion: " + from + " is " + is + ", not " + d.String))
}

// assertion is a failed type assertion.
type assertion string

// Error returns it in the language's words.
func (e assertion) Error() string { return string(e) }

// RuntimeError marks it as runtime.Error does.
func (assertion) RuntimeError() {}

// typeNameOf returns what %T prints of a value.
func typeNameOf(x any) string {
	switch v := inward(x).(type) {
	case nil:
		return "<nil>"
	case Value:
		return v.T.String
	default:
		return reflect.TypeOf(v).String()
	}
}

// toNative returns a function that makes a value behind a compiled interface of one behind any.
func toNative(it reflect.Type, wrapper reflect.Type) reflect.Value {
	ft := reflect.FuncOf([]reflect.Type{anyType}, []reflect.Type{it}, false)
	return reflect.MakeFunc(ft, func(args []reflect.Value) []reflect.Value {
		out := reflect.New(it).Elem()
		if args[0].IsNil() {
			return []reflect.Value{out}
		}
		x := args[0].Interface()
		v, ok := inward(x).(Value)
		if !ok {
			out.Set(reflect.ValueOf(x))
			return []reflect.Value{out}
		}
		if o := reflect.ValueOf(outward(v)); o.Type().Implements(it) {
			out.Set(o)
			return []reflect.Value{out}
		}
		if wrapper == nil {
			panic(fmt.Sprintf("%s cannot be used as %s here", v.T.String, it))
		}
		w := reflect.New(wrapper).Elem()
		w.Field(0).Set(reflect.ValueOf(v))
		for i := 1; i < wrapper.NumField(); i++ {
			f := wrapper.Field(i)
			m := v.T.method(strings.TrimPrefix(f.Name, "W"))
			if !m.IsValid() {
				continue
			}
			self := reflect.ValueOf(&[]any{v}[0]).Elem()
			w.Field(i).Set(reflect.MakeFunc(f.Type, func(args []reflect.Value) []reflect.Value {
				if f.Type.IsVariadic() {
					return m.CallSlice(append([]reflect.Value{self}, args...))
				}
				return m.Call(append([]reflect.Value{self}, args...))
			}))
		}
		out.Set(w)
		return []reflect.Value{out}
	})
}

var anyType = reflect.TypeFor[any]()

// errorChain calls f with err and with all that it wraps, until f says yes. A script's error is given as the script
// made it.
func errorChain(err error, f func(any) bool) bool {
	for err != nil {
		if f(inward(err)) {
			return true
		}
		switch u := err.(type) {
		case interface{ Unwrap() error }:
			err = u.Unwrap()
		case interface{ Unwrap() []error }:
			for _, e := range u.Unwrap() {
				if errorChain(e, f) {
					return true
				}
			}
			return false
		default:
			return false
		}
	}
	return false
}

// chars takes a string apart: where its characters begin, and what they are.
func chars(s string) (at []int, cs []rune) {
	at, cs = make([]int, 0, len(s)), make([]rune, 0, len(s))
	for i, c := range s {
		at, cs = append(at, i), append(cs, c)
	}
	return at, cs
}

// cast sets the variable that p points to, of another pointer type to the same struct.
func cast(x, p any) {
	e := reflect.ValueOf(p).Elem()
	if v := reflect.ValueOf(x); v.IsValid() && !v.IsNil() {
		e.Set(v.Convert(e.Type()))
	}
}
