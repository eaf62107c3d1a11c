// Package show turns a value into what a person sees: plain text for a terminal and HTML for a notebook. A type says
// how it shows with the method
//
//	Show() (text, html string)
//
// which is found by reflection, so that this package knows nothing of the values' packages.
package show

import (
	"fmt"
	"html"
	"math"
	"reflect"
	"sort"
	"strconv"
	"strings"
)

// Bundle is one value in the forms that a front end may choose from. HTML may be empty.
type Bundle struct{ Text, HTML string }

// Limits on what is shown of a long value; the rest is counted.
const (
	MaxString = 2000 // bytes of one string
	MaxItems  = 50   // elements of a slice or map on their own lines or in one line
	MaxRows   = 20   // rows of a table
	MaxCell   = 60   // columns of a table's cell
	maxDepth  = 4    // levels of nested values
)

// Of returns how v shows. A nil error, pointer, map or slice shows as such.
func Of(v any) Bundle {
	if b, ok := byMethod(v); ok {
		return b
	}
	switch v := v.(type) {
	case nil:
		return Bundle{Text: "nil"}
	case error:
		return plain(v.Error())
	case fmt.Stringer:
		if !nilPointer(v) {
			return plain(v.String())
		}
	}
	rv := reflect.ValueOf(v)
	if t, ok := tableOf(rv); ok {
		return Bundle{Text: t.text(), HTML: t.html()}
	}
	if rv.Kind() == reflect.String {
		return Bundle{Text: quoted(rv.String())}
	}
	return plain(inline(rv, 0))
}

func plain(s string) Bundle { return Bundle{Text: short(s)} }

// Shown returns how v shows by its own method, if it has one.
func Shown(v any) (Bundle, bool) { return byMethod(v) }

// byMethod calls v's Show method, if it has the right one.
func byMethod(v any) (b Bundle, ok bool) {
	s, ok := v.(interface{ Show() (text, html string) })
	if !ok || nilPointer(v) {
		return Bundle{}, false
	}
	b.Text, b.HTML = s.Show()
	return b, true
}

func nilPointer(v any) bool {
	rv := reflect.ValueOf(v)
	return rv.Kind() == reflect.Pointer && rv.IsNil()
}

// short cuts a long text and says how long it was.
func short(s string) string {
	if len(s) <= MaxString {
		return s
	}
	cut := MaxString
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes)", s[:cut], len(s))
}

func quoted(s string) string {
	if len(s) <= MaxString {
		return strconv.Quote(s)
	}
	cut := MaxString
	for cut > 0 && s[cut]&0xc0 == 0x80 {
		cut--
	}
	return fmt.Sprintf("%s… (%d bytes)", strings.TrimSuffix(strconv.Quote(s[:cut]), `"`), len(s))
}

// inline writes a value in one line, as Go would write it, with long parts counted instead of written.
func inline(v reflect.Value, depth int) string {
	if !v.IsValid() {
		return "nil"
	}
	if v.CanInterface() && depth > 0 {
		switch x := v.Interface().(type) {
		case error:
			if !nilPointer(x) {
				return short(x.Error())
			}
		case fmt.Stringer:
			if !nilPointer(x) {
				return short(x.String())
			}
		}
	}
	switch v.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr,
		reflect.Complex64, reflect.Complex128:
		return fmt.Sprint(v)
	case reflect.Float32:
		return number(v.Float(), 32)
	case reflect.Float64:
		return number(v.Float(), 64)
	case reflect.String:
		return quoted(v.String())
	case reflect.Interface:
		if v.IsNil() {
			return "nil"
		}
		return inline(v.Elem(), depth)
	case reflect.Pointer:
		if v.IsNil() {
			return "nil"
		}
		if depth >= maxDepth {
			return "&…"
		}
		return "&" + inline(v.Elem(), depth+1)
	case reflect.Slice, reflect.Array:
		if v.Kind() == reflect.Slice && v.IsNil() {
			return "[]"
		}
		if depth >= maxDepth {
			return fmt.Sprintf("[%d]…", v.Len())
		}
		return list(v, depth)
	case reflect.Map:
		if depth >= maxDepth {
			return fmt.Sprintf("map[%d]…", v.Len())
		}
		keys := sortedKeys(v)
		var parts []string
		for i, k := range keys {
			if i == MaxItems {
				parts = append(parts, fmt.Sprintf("… (%d entries)", len(keys)))
				break
			}
			parts = append(parts, inline(k, depth+1)+": "+inline(v.MapIndex(k), depth+1))
		}
		return "map[" + strings.Join(parts, ", ") + "]"
	case reflect.Struct:
		if depth >= maxDepth {
			return "{…}"
		}
		var parts []string
		for i := range v.NumField() {
			parts = append(parts, fieldName(v.Type().Field(i))+": "+inline(v.Field(i), depth+1))
		}
		return typeName(v.Type()) + "{" + strings.Join(parts, ", ") + "}"
	case reflect.Func:
		if v.IsNil() {
			return "nil"
		}
		return v.Type().String()
	case reflect.Chan:
		return fmt.Sprintf("%s (%d of %d)", v.Type(), v.Len(), v.Cap())
	}
	return v.Type().String()
}

func list(v reflect.Value, depth int) string {
	if v.Type().Elem().Kind() == reflect.Uint8 && v.Len() > 16 {
		return fmt.Sprintf("% x… (%d bytes)", bytesOf(v.Slice(0, 16)), v.Len())
	}
	var parts []string
	n := v.Len()
	if n <= MaxItems {
		for i := range n {
			parts = append(parts, inline(v.Index(i), depth+1))
		}
	} else {
		for i := range MaxItems / 2 {
			parts = append(parts, inline(v.Index(i), depth+1))
		}
		parts = append(parts, fmt.Sprintf("… (%d values) …", n))
		for i := n - 5; i < n; i++ {
			parts = append(parts, inline(v.Index(i), depth+1))
		}
	}
	return "[" + strings.Join(parts, ", ") + "]"
}

func bytesOf(v reflect.Value) []byte {
	b := make([]byte, v.Len())
	for i := range b {
		b[i] = byte(v.Index(i).Uint())
	}
	return b
}

// number writes a float as Go's %v does, whole numbers without an exponent up to 1e15.
func number(f float64, bits int) string {
	if f == math.Trunc(f) && math.Abs(f) < 1e15 {
		return strconv.FormatFloat(f, 'f', -1, bits)
	}
	return strconv.FormatFloat(f, 'g', -1, bits)
}

// typeName returns the name of a struct type: the compiled one, or the one that the tag of a script's type keeps.
func typeName(t reflect.Type) string {
	if t.Name() != "" {
		return t.String()
	}
	if t.Kind() == reflect.Struct && t.NumField() > 0 {
		if n, ok := t.Field(0).Tag.Lookup("tunebook"); ok {
			n, _, _ = strings.Cut(n, "__")
			return n
		}
	}
	return ""
}

// fieldName returns a field's name; a tag keeps that of a script's unexported one.
func fieldName(f reflect.StructField) string {
	if n, ok := f.Tag.Lookup("unexported"); ok {
		return n
	}
	return f.Name
}

func sortedKeys(v reflect.Value) []reflect.Value {
	keys := v.MapKeys()
	sort.Slice(keys, func(i, j int) bool {
		a, b := keys[i], keys[j]
		for a.Kind() == reflect.Interface {
			a = a.Elem()
		}
		for b.Kind() == reflect.Interface {
			b = b.Elem()
		}
		switch {
		case a.CanInt() && b.CanInt():
			return a.Int() < b.Int()
		case a.CanUint() && b.CanUint():
			return a.Uint() < b.Uint()
		case a.CanFloat() && b.CanFloat():
			return a.Float() < b.Float()
		}
		return fmt.Sprint(a) < fmt.Sprint(b)
	})
	return keys
}

// IsError reports whether v is a non-nil error, and returns it.
func IsError(v any) (error, bool) {
	err, ok := v.(error)
	if !ok || err == nil || nilPointer(err) {
		return nil, false
	}
	return err, true
}

// Escape returns s as HTML text.
func Escape(s string) string { return html.EscapeString(s) }
