package session

import (
	"errors"
	"fmt"
	"reflect"
	"strings"

	"tunebook/runtime/cell"
)

// Values of a script's own types reach compiled code in the interpreter's wrappings. What is here looks through them.

// text is a value that prints as its script's String method says.
type text struct {
	value any
	str   func() string
}

// String returns what the method returns.
func (t text) String() string { return t.str() }

// Format prints the method's text for the verbs that ask for text, and the bare value for the others.
func (t text) Format(s fmt.State, verb rune) {
	format := fmt.FormatString(s, verb)
	if strings.ContainsRune("vsqxX", verb) && !s.Flag('#') {
		out := func() (out string) {
			defer func() {
				// As package fmt does for a method that fails on a nil pointer.
				if p := recover(); p != nil {
					if v := reflect.ValueOf(t.value); v.Kind() == reflect.Pointer && v.IsNil() {
						out = "<nil>"
						return
					}
					panic(p)
				}
			}()
			return fmt.Sprintf(format, t.str())
		}()
		fmt.Fprint(s, out)
		return
	}
	fmt.Fprintf(s, format, t.value)
}

// wrapped returns the fields of yaegi's wrapping of a script's value behind an interface: the syntax it was made from
// and the value.
func wrapped(v any) (node, value reflect.Value, ok bool) {
	rv := reflect.ValueOf(v)
	if rv.Kind() != reflect.Struct || rv.NumField() != 2 || rv.Type().String() != "interp.valueInterface" {
		return
	}
	return rv.Field(0), rv.Field(1), true
}

// typeOfScript returns the interpreter's name of the script's type that v was converted from, "" for a value of a
// compiled type.
func typeOfScript(v any) string {
	node, _, ok := wrapped(v)
	if !ok || node.IsNil() {
		return ""
	}
	typ := node.Elem().FieldByName("typ")
	if !typ.IsValid() || typ.IsNil() {
		return ""
	}
	name := typ.Elem().FieldByName("name")
	if !name.IsValid() || name.Kind() != reflect.String {
		return ""
	}
	if n := name.String(); !basic[n] {
		return n
	}
	return ""
}

var basic = func() map[string]bool {
	m := map[string]bool{"byte": true, "rune": true, "error": true, "any": true}
	for k := reflect.Bool; k <= reflect.String; k++ {
		m[k.String()] = true
	}
	return m
}()

// typeNameOf returns what %T prints of a value behind an interface.
func typeNameOf(v any) string {
	if n := typeOfScript(v); n != "" {
		n, _, _ = strings.Cut(n, "__")
		return "main." + n
	}
	if _, value, ok := wrapped(v); ok {
		// The value itself lies in an unexported field: its type can be read, it cannot be taken out.
		if inner := value; inner.Kind() == reflect.Struct {
			if p := inner.FieldByName("typ_"); p.IsValid() {
				return "main.?"
			}
		}
	}
	if v == nil {
		return "<nil>"
	}
	return namedType(reflect.TypeOf(v))
}

func namedType(t reflect.Type) string {
	if t.Name() == "" {
		switch t.Kind() {
		case reflect.Pointer:
			return "*" + namedType(t.Elem())
		case reflect.Slice:
			return "[]" + namedType(t.Elem())
		case reflect.Map:
			return "map[" + namedType(t.Key()) + "]" + namedType(t.Elem())
		case reflect.Struct:
			if t.NumField() > 0 {
				if n, ok := t.Field(0).Tag.Lookup(cell.TypeTag); ok {
					n, _, _ = strings.Cut(n, "__")
					return "main." + n
				}
			}
		}
	}
	return t.String()
}

// scriptError returns the script's value inside yaegi's wrapping of an error.
func scriptError(err error) (any, bool) {
	v := reflect.ValueOf(err)
	if v.Kind() != reflect.Struct || v.Type().String() != "interp._error" {
		return nil, false
	}
	return v.FieldByName("IValue").Interface(), true
}

// errorsIs is errors.Is for errors that may be a script's.
func errorsIs(err, target error) bool {
	want, ok := scriptError(target)
	if !ok {
		return errors.Is(err, target)
	}
	return errorChain(err, func(v any) bool {
		t := reflect.TypeOf(v)
		return t != nil && t.Comparable() && reflect.TypeOf(want).Comparable() && v == want
	})
}

// errorChain calls f with err and with all that it wraps, until f says yes. A script's error is given as the script
// made it.
func errorChain(err error, f func(any) bool) bool {
	for err != nil {
		var v any = err
		if s, ok := scriptError(err); ok {
			v = s
		}
		if f(v) {
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
