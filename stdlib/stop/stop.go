// Package stop is how a facade of the script API ends a cell: it panics with an *Error, which the session turns into a
// failed cell with the cell's line. A compiled notebook (go run) ends with the same sentence.
package stop

import "strings"

// Error says what could not be done, why, and what to do about it.
type Error struct {
	Op   string // the call: "data.Mix"
	Msg  string // what is, and what was wanted, with both numbers
	Hint string // what to do; may be empty
	Err  error  // the engine's error, when there is one
}

// Error returns "op: message" and the hint on a line of its own.
func (e *Error) Error() string {
	s := e.Msg
	if e.Op != "" && !strings.HasPrefix(s, e.Op+":") {
		s = e.Op + ": " + s
	}
	if e.Hint != "" {
		s += "\n  hint: " + e.Hint
	}
	return s
}

// Unwrap returns the engine's error.
func (e *Error) Unwrap() error { return e.Err }

// If panics with an *Error made of err unless err is nil.
func If(op string, err error) {
	if err != nil {
		panic(&Error{Op: op, Msg: err.Error(), Err: err})
	}
}

// Now panics with an *Error of that message and hint.
func Now(op, msg, hint string) { panic(&Error{Op: op, Msg: msg, Hint: hint}) }
