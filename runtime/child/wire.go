// Package child runs a session in a process of its own, so that whatever a script does to that process (a recursion
// without end, concurrent writes to a map, a kill, a compiled call that does not stop) costs its variables and nothing
// else: the terminal, the history and what was shown belong to the parent.
//
// The child is the same binary under a hidden command, which calls Serve. It has the parent's standard input, writes
// what scripts print straight to the parent's standard output and error, and talks with the parent over two pipes:
// requests one way, replies the other, both in encoding/gob. A copy of the output goes along, for the case that the
// child ends before it can say what the cell printed. Ctrl-C reaches only the parent, which asks the child to stop the
// cell, and kills it when that takes too long.
package child

import (
	"context"
	"errors"

	"tunebook/runtime/cell"
	"tunebook/runtime/session"
)

// Setup is what a session needs to know before its first cell.
type Setup struct {
	Args       []string // os.Args of the script
	Notebook   string   // path of the notebook that runs; empty at a prompt
	Preset     bool     // packages need no import
	DeferToEnd bool
	Manifest   bool // compiled packages say what they use from outside of the script
}

// What the parent asks for.
const (
	opEval = iota
	opLoad
	opRun
	opEnd
	opReset
	opComplete
	opHelp
	opTypeOf
	opVars
	opInterrupt // has no reply of its own: the running cell ends
)

// request is one message to the child.
type request struct {
	Op        int
	Name, Src string
	Cells     []int // of a program: the piece that each line belongs to, from line 0
	N         int   // the piece to run, or the place in a line to complete
	Quiet     bool  // standard output is kept and not passed on
	Setup     *Setup
}

// reply is one message to the parent. Output comes before the reply to the request that it belongs to.
type reply struct {
	Output *session.Piece
	Done   bool

	Result     session.Result // without its error
	Err        *fault
	Text, Tail string
	Names      []string
	Vars       []cell.Var
}

// fault is an error on its way to the parent.
type fault struct {
	Msg       string
	Errors    []cell.Error     // cell.Errors
	Failure   *session.Failure // without its error
	Canceled  bool
	TimedOut  bool
	IsFailure bool
}

// pack makes an error ready to be sent.
func pack(err error) *fault {
	if err == nil {
		return nil
	}
	f := &fault{Msg: err.Error(), Canceled: errors.Is(err, context.Canceled), TimedOut: errors.Is(err, context.DeadlineExceeded)}
	var es cell.Errors
	var failure *session.Failure
	switch {
	case errors.As(err, &es):
		for _, e := range es {
			f.Errors = append(f.Errors, *e)
		}
	case errors.As(err, &failure):
		c := *failure
		if c.Err != nil {
			f.Msg = c.Err.Error()
		}
		c.Err = nil
		f.Failure, f.IsFailure = &c, true
	}
	return f
}

// said is an error of the child's, with what it was to the language.
type said struct {
	msg   string
	cause error
}

// Error returns what the child said.
func (s *said) Error() string { return s.msg }

// Unwrap returns context.Canceled or context.DeadlineExceeded, if it was one of these.
func (s *said) Unwrap() error { return s.cause }

// unpack is the inverse of pack.
func (f *fault) unpack() error {
	if f == nil {
		return nil
	}
	if f.Errors != nil {
		var es cell.Errors
		for i := range f.Errors {
			es = append(es, &f.Errors[i])
		}
		return es
	}
	s := &said{msg: f.Msg}
	switch {
	case f.Canceled:
		s.cause = context.Canceled
	case f.TimedOut:
		s.cause = context.DeadlineExceeded
	}
	if f.IsFailure {
		c := *f.Failure
		c.Err = s
		return &c
	}
	return s
}
