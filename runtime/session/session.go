package session

import (
	"context"
	"errors"
	"fmt"
	"io"
	"reflect"
	"sync"
	"time"

	"tunebook/runtime/cell"
	"tunebook/runtime/show"
)

// Config is what a session is made of. Only Packages must be set.
type Config struct {
	Packages Packages
	// Preset names packages that scripts need not import: the name in scripts to the path.
	Preset map[string]string
	// Stdin, Stdout and Stderr are the script's. Nil means nothing to read, and output that is only kept in the Result.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Args are os.Args of the script.
	Args []string
	// Manifest has compiled packages say what they use from outside of the script, which may take them a while.
	Manifest bool
	// Folder is where scripts may import Go packages from that are not compiled in; none when its Dir is empty.
	Folder cell.Folder
	// SetContext, SetOutput and EndCell tell compiled packages about the running cell: the context that ends when it is
	// interrupted, the writers of its output, and that it is over. Each may be nil.
	SetContext func(context.Context)
	SetOutput  func(stdout, stderr io.Writer)
	EndCell    func()
	// DeferToEnd keeps what a cell defers at its top level until Close, as in a program whose cells are one function.
	// Otherwise it runs at the end of the cell.
	DeferToEnd bool
}

// Session is a running notebook or REPL. Its methods are called from one goroutine; Interrupt-like cancelling goes
// through the context given to Eval.
type Session struct {
	cfg   Config
	scope *cell.Scope
	eval  Evaluator
	out   *output

	mu         sync.Mutex
	ctx        context.Context         // of the running cell, or of the last one
	cancel     context.CancelCauseFunc // of the running cell; nil between cells
	shown      []show.Bundle
	returned   bool
	deferred   *Defers // by the statements of cells
	running    running
	background []*Panic
}

// Result is what came of one cell.
type Result struct {
	// Text and HTML show the last value; empty when the cell has none.
	Text, HTML string
	// Output is what the cell printed, in order; the middle of very long output is left out and counted.
	Output string
	// Pieces are Output by stream, with the values in it that show themselves as HTML.
	Pieces []Piece
	// Used is what compiled packages used from outside, as kind and what it was; only with Config.Manifest.
	Used [][2]string
	// Err is nil, cell.Errors for a cell that did not run, or *Failure for one that stopped.
	Err error
	// Notes say what became stale.
	Notes []string
	Took  time.Duration
	// Ended says that the script ended itself: os.Exit, or return at its top level.
	Ended bool
	// Exited says that it was os.Exit, with Code.
	Exited bool
	Code   int
}

// New returns a session without declarations.
func New(cfg Config) (*Session, error) {
	s := &Session{cfg: cfg}
	return s, s.Reset()
}

// Reset forgets everything that was declared. The interpreter is a new one.
func (s *Session) Reset() error {
	if s.out != nil {
		s.out.close()
	}
	s.out = newOutput(s.cfg.Stdout, s.cfg.Stderr)
	s.out.manifest = s.cfg.Manifest
	s.scope = s.Scratch()
	s.mu.Lock()
	s.deferred, s.background, s.returned = &Defers{s: s}, nil, false
	s.mu.Unlock()
	in := s.cfg.Stdin
	if in == nil {
		in = eof{}
	}
	y, err := newYaegi(s.cfg.Packages, hosting{
		stdin: in, stdout: s.out.stdout(), stderr: s.out.stderr(),
		args: func() []string { return s.cfg.Args }, functions: s.functions(s.out, newRegistry(s.scope)), context: s.context,
	})
	s.eval = y
	return err
}

// context returns that of the running cell.
func (s *Session) context() context.Context {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ctx == nil {
		return context.Background()
	}
	return s.ctx
}

type eof struct{}

func (eof) Read([]byte) (int, error) { return 0, io.EOF }

// functions are what lowered code calls.
func (s *Session) functions(out *output, g *registry) map[string]reflect.Value {
	fns := map[string]any{
		"Show": func(typ string, v any) { s.addShown(shown(typ, v)) },
		"Fail": func(v any) {
			at := s.at()
			f := &failed{value: outward(v)}
			f.msg = fmt.Sprint(f.value)
			s.goTo(at) // the method that gave the text has been elsewhere meanwhile
			panic(f)
		},
		"Go":     s.goroutine,
		"Return": func() { s.mu.Lock(); s.returned = true; s.mu.Unlock() },

		"Defers":      func() *Defers { return &Defers{s: s} },
		"Guard":       s.guard,
		"DeferTo":     func(d *Defers, f func()) { d.fns = append(d.fns, f) },
		"Defer":       func(f func()) { s.deferred.fns = append(s.deferred.fns, f) },
		"RunDeferred": s.runDeferred,
		"Panic":       func(v any) { panic(thrownValue(v)) },
		"Recover":     s.recover,

		"Lift":      inward,
		"Box":       g.box,
		"Method":    g.setMethod,
		"Take":      take,
		"As":        g.as,
		"Is":        g.is,
		"Has":       g.hasMethods,
		"NotA":      g.notA,
		"Find":      find,
		"Eq":        equal,
		"Cast":      cast,
		"Chars":     chars,
		"Bare":      bare,
		"Reflected": reflected,
		"Plain":     plainValue,
		"Target":    bare,
		"Decoded":   decoded,
		"TypeOf":    typeOfValue,
		"Chain":     errorChain,
		"Nil":       func() { panic(runtimeError("invalid memory address or nil pointer dereference")) },

		"OutOfRange": outOfRange,
		"BadSlice":   badSlice,

		"Clear": func(v any) { reflect.ValueOf(v).Clear() },

		"Print":   func(a ...any) { printTo(out.stderr(), "", "", a) },
		"Println": func(a ...any) { printTo(out.stderr(), " ", "\n", a) },
	}
	m := map[string]reflect.Value{}
	for n, f := range fns {
		m[n] = reflect.ValueOf(f)
	}
	so, se := out.stdout(), out.stderr()
	m["Stdout"], m["Stderr"] = reflect.ValueOf(&so).Elem(), reflect.ValueOf(&se).Elem()
	m["Stream"] = reflect.ValueOf((**Stream)(nil))
	m["Any"] = reflect.ValueOf((*any)(nil))
	return m
}

// shown is how a value of a type shows. A function and a channel have nothing but their type to show.
func shown(typ string, x any) show.Bundle {
	if v, ok := x.(Value); ok && !v.isNil() {
		switch v.T.Kind {
		case reflect.Func:
			return show.Bundle{Text: typ}
		case reflect.Chan:
			return show.Bundle{Text: fmt.Sprintf("%s (%d of %d)", typ, v.raw().Len(), v.raw().Cap())}
		}
	}
	return show.Of(plainValue(x))
}

// at returns the number of the place being run, and goTo sets it.
func (s *Session) at() int {
	if y, ok := s.eval.(*yaegi); ok {
		return *y.mark
	}
	return 0
}

func (s *Session) goTo(at int) {
	if y, ok := s.eval.(*yaegi); ok {
		*y.mark = at
	}
}

// thrownValue is what a script's panic panics with.
func thrownValue(v any) any {
	if v == nil {
		return runtimeNil{}
	}
	return outward(v)
}

func (s *Session) addShown(b show.Bundle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shown = append(s.shown, b)
}

// failed is what a cell's last value panics with when it is an error.
type failed struct {
	msg   string
	value any
}

// Unwrap returns the error itself, when it is a compiled one.
func (f *failed) Unwrap() error { err, _ := f.value.(error); return err }

// Error returns its text.
func (f *failed) Error() string { return f.msg }

// goroutine runs f; a panic in it ends the running cell instead of the process.
func (s *Session) goroutine(f func()) {
	go func() {
		defer func() {
			p := recover()
			if p == nil {
				return
			}
			t := s.thrown(p)
			s.mu.Lock()
			defer s.mu.Unlock()
			s.background = append(s.background, &Panic{Value: t.value, Mark: t.mark})
			if s.cancel != nil {
				s.cancel(errBackground)
			}
		}()
		f()
	}()
}

var errBackground = errors.New("a goroutine panicked")

// Vars returns the session's variables.
func (s *Session) Vars() []cell.Var { return s.scope.Vars() }

// Scope gives completion and help a view of what is declared.
func (s *Session) Scope() *cell.Scope { return s.scope }

// NewScope returns a scope without declarations, to check what is not to become part of a session.
func NewScope(p Packages, preset map[string]string, folder cell.Folder) *cell.Scope {
	sc := cell.NewScope(cell.Packages{Paths: p.Paths, Name: p.Name, Types: p.Types}, preset)
	if folder.Dir != "" {
		sc.Beside(folder)
	}
	return sc
}

// Scratch returns a scope without declarations over the same packages.
func (s *Session) Scratch() *cell.Scope { return NewScope(s.cfg.Packages, s.cfg.Preset, s.cfg.Folder) }

// Close runs what cells deferred to the end. ctx ends it.
func (s *Session) Close(ctx context.Context) error { return s.End(ctx).Err }

// End is Close and returns what came of it.
func (s *Session) End(ctx context.Context) Result {
	var r Result
	if len(s.deferred.fns) > 0 {
		r = s.watch(ctx, func(ctx context.Context, r *Result) {
			if e := s.eval.Run(ctx, "p_cell.RunDeferred"); e != nil {
				r.Err = s.failure(ctx, e, &cell.Error{})
			}
		})
	}
	s.out.close()
	return r
}

// runDeferred runs what the statements of cells deferred.
func (s *Session) runDeferred() {
	d := s.deferred
	d.run()
	if p := d.panic; p != nil {
		d.panic = nil
		panic(p)
	}
}
