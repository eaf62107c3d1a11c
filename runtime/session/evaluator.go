package session

import (
	"context"
	"io"
	"reflect"
)

// Evaluator runs lowered Go. yaegi is the one there is; another, in a process of its own, can take its place.
type Evaluator interface {
	// Import makes compiled packages known, each under the name that package cell gives it.
	Import(paths []string) error
	// Define evaluates declarations. It runs nothing of the user's.
	Define(src string) error
	// Run calls a function without arguments that Define declared. It returns when the function has returned, has
	// panicked (a *Panic) or, after ctx has ended, has stopped (ctx.Err()); a *Stuck when it did not stop in time.
	Run(ctx context.Context, fn string) error
}

// Packages holds the values of compiled packages that scripts may import.
type Packages struct {
	Paths  func() []string
	Name   func(path string) string
	Values func(path string) map[string]reflect.Value
	Types  func(path string) ([]byte, error)
	Docs   func(path string) (map[string]string, error)
}

// Panic is what a script panicked with.
type Panic struct {
	Value any
	Mark  int      // where, as package cell counts places; 0 when not known
	Calls []string // script functions that were open, the innermost first
}

// Error returns the panic value as text.
func (p *Panic) Error() string { return panicText(p.Value) }

// Stuck says that a call did not heed its context: the evaluator still runs it and cannot be used any more.
type Stuck struct{ Err error }

// Error says so.
func (s *Stuck) Error() string {
	return "interrupted, but a call did not stop; the session starts afresh without its variables"
}

// Unwrap returns the context's error.
func (s *Stuck) Unwrap() error { return s.Err }

// interrupted is a call that stopped because its context ended.
type interrupted struct {
	cause error // the context's error
	said  error // what a compiled call said when it stopped; may be nil
}

// Error returns what the call said, or the context's error.
func (i *interrupted) Error() string {
	if i.said != nil {
		return i.said.Error()
	}
	return i.cause.Error()
}

// Unwrap returns both errors.
func (i *interrupted) Unwrap() []error {
	if i.said != nil {
		return []error{i.cause, i.said}
	}
	return []error{i.cause}
}

// hosting is what the evaluator needs of the session: what lowered code calls, and where output goes.
type hosting struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	args           func() []string
	functions      map[string]reflect.Value // of package cell.Host
	context        func() context.Context   // of the running cell
}
