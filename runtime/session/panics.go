package session

import (
	"fmt"
	"reflect"
	"strings"

	"tunebook/runtime/show"
)

// panicText returns what a person reads of a panic value. The interpreter works by reflection, and its own panics speak
// of that; they are told in the words of the language.
func panicText(v any) string {
	var s string
	switch v := v.(type) {
	case nil:
		return "nil"
	case runtimeNil:
		return v.Error()
	case error:
		s = v.Error()
	case Value:
		return goPanic(v)
	case string:
		s = v
	default:
		return show.Of(v).Text
	}
	return strings.TrimPrefix(inGo(s), "runtime error: ")
}

// words are the signs of the interpreter's own panics and how the language says the same.
var words = []struct{ sign, says string }{
	{"reflect: slice index out of range", "index out of range"},
	{"reflect: array index out of range", "index out of range"},
	{"reflect: string index out of range", "index out of range"},
	{"slice index out of bounds", "slice bounds out of range"},
	{"on zero Value", "invalid memory address or nil pointer dereference"},
	{"call of nil function", "invalid memory address or nil pointer dereference"},
	{"reflect.MakeSlice: negative len", "makeslice: len out of range"},
	{"reflect.MakeSlice: negative cap", "makeslice: cap out of range"},
}

func inGo(s string) string {
	for _, w := range words {
		if strings.Contains(s, w.sign) {
			return w.says
		}
	}
	return s
}

// runtimeError is a fault of the script that the interpreter met by reflection, as the language's own kind of error.
type runtimeError string

// Error returns it in the language's words.
func (e runtimeError) Error() string { return "runtime error: " + string(e) }

// RuntimeError marks it as runtime.Error does.
func (runtimeError) RuntimeError() {}

// recovered is what recover() gives a script: without the interpreter's wrappings and in the language's words.
func recovered(v any) any {
	if v == nil {
		return nil
	}
	v = inward(unwrapPanic(v))
	text := ""
	switch v := v.(type) {
	case string:
		text = v
	case *reflect.ValueError:
		text = v.Error()
	}
	if said := inGo(text); text != "" && said != text {
		return runtimeError(said)
	}
	return v
}

// runtimeNil is what recover gives after panic(nil).
type runtimeNil struct{}

// Error returns the language's words.
func (runtimeNil) Error() string {
	return "panic called with nil argument (use GODEBUG=panicnil=1 to disable)"
}

// RuntimeError marks it as runtime.Error does.
func (runtimeNil) RuntimeError() {}

// goPanic is what a person reads of a script's value that is no error.
func goPanic(v Value) string { return show.Of(plainValue(v)).Text }

// outOfRange panics as an index does.
func outOfRange(i, n int) {
	if i < 0 {
		panic(runtimeError(fmt.Sprintf("index out of range [%d]", i)))
	}
	panic(runtimeError(fmt.Sprintf("index out of range [%d] with length %d", i, n)))
}

// badSlice panics as a slice expression does.
func badSlice(low, high, most int, what string, given bool) {
	switch {
	case high < 0:
		panic(runtimeError(fmt.Sprintf("slice bounds out of range [:%d]", high)))
	case given && high > most:
		panic(runtimeError(fmt.Sprintf("slice bounds out of range [:%d] with %s %d", high, what, most)))
	case low < 0:
		panic(runtimeError(fmt.Sprintf("slice bounds out of range [%d:]", low)))
	}
	panic(runtimeError(fmt.Sprintf("slice bounds out of range [%d:%d]", low, high)))
}
