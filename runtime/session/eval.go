package session

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"time"

	"tunebook/runtime/cell"
)

// Eval runs a cell: it is checked as a whole, and nothing runs when something is wrong with it; then it runs statement
// by statement. What ran stays; a statement that fails leaves none of the variables it was to define. name stands in
// errors. When ctx ends, the cell stops.
func (s *Session) Eval(ctx context.Context, name, src string) Result {
	return s.watch(ctx, func(ctx context.Context, r *Result) {
		before, src, err := s.scope.LocalCells(name, src)
		if err != nil {
			r.Err = err
			return
		}
		for _, c := range before {
			u, err := s.scope.Check(c.Name, c.Text)
			if r.Err = err; err != nil {
				return
			}
			if r.Err = s.define(u); r.Err != nil {
				return
			}
			if s.run(ctx, u, u.Steps, r); r.Err != nil || r.Ended {
				return
			}
		}
		s.scope.Loaded()
		u, err := s.scope.Check(name, src)
		if err == nil {
			err = u.Trespasses()
		}
		if err != nil {
			r.Err = err
			return
		}
		r.Notes = u.Notes()
		if r.Err = s.define(u); r.Err != nil {
			return
		}
		s.run(ctx, u, u.Steps, r)
		if !s.cfg.DeferToEnd && len(s.deferred.fns) > 0 {
			if err := s.eval.Run(context.WithoutCancel(ctx), "p_cell.RunDeferred"); err != nil && r.Err == nil {
				r.Err = s.failure(ctx, err, &cell.Error{Cell: name})
			}
		}
	})
}

// watch does the work of one cell with everything around it: output, context, time.
func (s *Session) watch(parent context.Context, work func(context.Context, *Result)) (r Result) {
	ctx, cancel := context.WithCancelCause(parent)
	defer cancel(nil)
	s.mu.Lock()
	s.ctx, s.cancel, s.shown, s.returned = ctx, cancel, nil, false
	s.mu.Unlock()
	out := s.out
	out.take()
	if s.cfg.SetContext != nil {
		s.cfg.SetContext(ctx)
	}
	if s.cfg.SetOutput != nil {
		s.cfg.SetOutput(out.stdout(), out.stderr())
	}
	go watchDepth(ctx, cancel)
	start := time.Now()
	defer func() {
		if p := recover(); p != nil {
			// A fault of ours: the session goes on, and the text says where to look.
			r.Err = &Failure{Msg: fmt.Sprintf("internal error: %v", p)}
		}
		r.Took = time.Since(start)
		if s.cfg.EndCell != nil {
			s.cfg.EndCell()
		}
		r.Output, r.Pieces = out.take()
		r.Used = out.takeUsed()
		s.mu.Lock()
		s.cancel = nil
		for _, b := range s.shown {
			if r.Text != "" {
				r.Text += "\n"
			}
			r.Text += b.Text
			r.HTML += b.HTML
		}
		s.mu.Unlock()
		var stuck *Stuck
		if errors.As(r.Err, &stuck) {
			if err := s.Reset(); err != nil {
				r.Err = err
			}
		}
	}()
	work(ctx, &r)
	return r
}

// define gives the interpreter a unit's declarations.
func (s *Session) define(u *cell.Unit) error {
	if err := s.eval.Import(u.Imports); err != nil {
		return err
	}
	if err := s.eval.Define(u.Define); err != nil {
		return s.limit(err)
	}
	u.Defined()
	return nil
}

// run runs steps until one fails or the script returns.
func (s *Session) run(ctx context.Context, u *cell.Unit, steps []cell.Step, r *Result) {
	for _, st := range steps {
		if err := s.eval.Run(ctx, st.Func); err != nil {
			var p *Panic
			if errors.As(err, &p) {
				if code, ok := p.Value.(Exit); ok {
					r.Ended, r.Exited, r.Code = true, true, int(code)
					return
				}
				if p.Value == flag.ErrHelp {
					r.Ended = true // the script was asked for its usage, and gave it
					return
				}
			}
			if p != nil && len(s.deferred.fns) > 0 {
				// The cells are one function: what they deferred runs now, and may recover.
				s.deferred.panic = &thrown{p.Value, p.Mark, p.Calls}
				err = s.eval.Run(ctx, "p_cell.RunDeferred")
				if err == nil {
					r.Ended = true
					return
				}
			}
			r.Err = s.failure(ctx, err, st.Pos)
			return
		}
		u.Done(st)
		s.mu.Lock()
		back, returned := s.background, s.returned
		s.mu.Unlock()
		if len(back) > 0 {
			r.Err = s.failure(ctx, context.Canceled, st.Pos)
			return
		}
		if returned {
			r.Ended = true
			return
		}
	}
}

// Failure is a cell that stopped: why, and where.
type Failure struct {
	Cell      string
	Line, Col int
	Msg       string
	Source    string   // the line
	Stack     []string // script functions that were open, the innermost first
	At        string   // the statement of the cell that led there, when it is another line: "cell:line"
	Err       error    // the error that the script or a compiled package stopped with, if it was one
}

// Error returns the message with its place, the source line with a caret, and the script's open calls.
func (f *Failure) Error() string {
	e := cell.Error{Cell: f.Cell, Line: f.Line, Col: f.Col, Msg: f.Msg, Source: f.Source}
	s := e.Error()
	if len(f.Stack) > 0 {
		s += "\n  in " + strings.Join(f.Stack, ", called from ")
	}
	if f.At != "" {
		s += "\n  at " + f.At
	}
	return s
}

// Unwrap returns the error that the cell stopped with, if it was one.
func (f *Failure) Unwrap() error { return f.Err }

// Interrupted reports whether a cell ended because its context did.
func Interrupted(err error) bool {
	return errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded)
}

// failure describes the error of a step whose statement stands at pos.
func (s *Session) failure(ctx context.Context, err error, pos *cell.Error) error {
	f := &Failure{Cell: pos.Cell, Line: pos.Line, Col: pos.Col, Source: pos.Source, Err: err, Msg: err.Error()}
	var p *Panic
	s.mu.Lock()
	back := s.background
	s.background = nil
	s.mu.Unlock()
	prefix := ""
	var stuck *Stuck
	switch {
	case errors.As(err, &stuck):
		return f
	case len(back) > 0:
		p = back[0]
		prefix = "panic in a goroutine: "
		if n := len(back); n > 1 {
			prefix = fmt.Sprintf("panic in a goroutine (and in %d others): ", n-1)
		}
	case errors.As(err, &p):
		prefix = "panic: "
	case Interrupted(err):
		f.Msg = "interrupted"
		if errors.Is(err, context.DeadlineExceeded) {
			f.Msg = "out of time"
		}
		var in *interrupted
		if errors.As(err, &in) && in.said != nil {
			said := in.said.Error()
			if !strings.Contains(said, f.Msg) {
				said = f.Msg + "; " + said
			}
			f.Msg = said
		}
		if context.Cause(ctx) == errTooDeep {
			f.Msg, f.Err = "panic: "+errTooDeep.Error(), errTooDeep
			giveBackStack()
		}
		return f
	default:
		return s.limit(err)
	}
	f.Err = nil
	f.Stack = scriptCalls(p.Calls)
	switch v := p.Value.(type) {
	case *failed:
		f.Msg, f.Err, f.Stack = v.msg, v.Unwrap(), nil
	case error:
		f.Err = v
		f.Msg = panicText(v)
		if isRuntime(v) {
			f.Msg = prefix + f.Msg
		} else if len(back) > 0 {
			f.Msg = prefix + f.Msg
		}
	default:
		f.Msg = prefix + panicText(v)
	}
	if at := s.scope.Mark(p.Mark); at.Line > 0 {
		if f.Line > 0 && (at.Line != f.Line || at.Cell != f.Cell) {
			f.At = fmt.Sprintf("%s:%d", f.Cell, f.Line)
		}
		f.Cell, f.Line, f.Col, f.Source = at.Cell, at.Line, at.Col, at.Source
	}
	if len(f.Stack) == 0 {
		f.At = ""
	}
	return f
}

func isRuntime(err error) bool {
	if _, ok := err.(*reflect.ValueError); ok {
		return true // the interpreter's way to meet a nil
	}
	type runtimeError interface{ RuntimeError() }
	_, ok := err.(runtimeError)
	return ok
}

// scriptCalls takes the names that lowering gave from a list of open calls.
func scriptCalls(calls []string) []string {
	var out []string
	for _, c := range calls {
		base, _, _ := strings.Cut(c, "__")
		if base == "" || stepName.MatchString(c) || base == "main" {
			continue
		}
		if len(out) == 6 {
			return append(out, "…")
		}
		if n := len(out); n > 0 && out[n-1] == base {
			continue
		}
		out = append(out, base)
	}
	return out
}

var (
	stepName = regexp.MustCompile(`^c\d+__`)
	position = regexp.MustCompile(`(c\d+)/_\.go:(\d+):(\d+): (.*)$`)
)

// limit makes a sentence of what the interpreter refused although the checker took it.
func (s *Session) limit(err error) error {
	msg, _, _ := strings.Cut(err.Error(), "\n")
	f := &Failure{Err: err, Msg: "the interpreter cannot run this: " + msg}
	if m := position.FindStringSubmatch(msg); m != nil {
		line, _ := strconv.Atoi(m[2])
		col, _ := strconv.Atoi(m[3])
		at := s.scope.At(m[1], line, col)
		f.Cell, f.Line, f.Col, f.Source = at.Cell, at.Line, at.Col, at.Source
		f.Msg = "the interpreter cannot run this: " + m[4]
	}
	return f
}
