package session

import (
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
	case error:
		s = v.Error()
	case string:
		s = v
	default:
		return show.Of(v).Text
	}
	for _, r := range []struct{ sign, says string }{
		{"reflect: slice index out of range", "index out of range"},
		{"reflect: array index out of range", "index out of range"},
		{"reflect: string index out of range", "index out of range"},
		{"reflect.Value.Slice: slice index out of bounds", "slice bounds out of range"},
		{"reflect.Value.Slice: string slice index out of bounds", "slice bounds out of range"},
		{"on zero Value", "nil dereference"},
		{"call of nil function", "call of a nil function"},
		{"assignment to entry in nil map", "assignment to entry in nil map"},
	} {
		if strings.Contains(s, r.sign) {
			return r.says
		}
	}
	return s
}
