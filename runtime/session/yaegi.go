package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"path"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/traefik/yaegi/interp"

	"tunebook/runtime/cell"
)

// grace is how long a call may take to stop after its context has ended. Tests shorten it.
var grace = 5 * time.Second

// yaegi runs lowered Go in the interpreter of that name.
type yaegi struct {
	in    *interp.Interpreter
	pkgs  Packages
	host  hosting
	mark  *int // the interpreter's variable that holds the place being run
	trace trace
	done  chan any // of the running call: what it panicked with, or nil
}

// trace collects the lines that yaegi writes for each function that a panic passes.
type trace struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *trace) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len() > 1<<16 { // a deep recursion; the innermost calls are what matters
		return len(p), nil
	}
	return t.buf.Write(p)
}

func (t *trace) take() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	s := t.buf.String()
	t.buf.Reset()
	return s
}

func newYaegi(pkgs Packages, host hosting) (*yaegi, error) {
	y := &yaegi{pkgs: pkgs, host: host}
	y.in = interp.New(interp.Options{Stdin: host.stdin, Stdout: host.stdout, Stderr: &y.trace, Unrestricted: true, Args: host.args()})
	fns := map[string]reflect.Value{
		"Call": reflect.ValueOf(y.call),
	}
	for n, v := range host.functions {
		fns[n] = v
	}
	if err := y.in.Use(interp.Exports{cell.Host + "/cell": fns}); err != nil {
		return nil, err
	}
	if _, err := y.in.Eval("import p_cell \"" + cell.Host + "\"\nvar " + cell.MarkAs + " int\n"); err != nil {
		return nil, err
	}
	v, err := y.in.Eval("&" + cell.MarkAs)
	if err != nil {
		return nil, err
	}
	y.mark = v.Interface().(*int)
	return y, nil
}

// Import makes packages known.
func (y *yaegi) Import(paths []string) error {
	for _, p := range paths {
		if it, ok := strings.CutPrefix(p, cell.InterfacePrefix); ok {
			if err := y.convertTo(it); err != nil {
				return err
			}
			continue
		}
		values := y.pkgs.Values(p)
		if values == nil {
			return fmt.Errorf("package %q is not available to scripts", p)
		}
		y.adapt(p, values)
		// "/./" keeps yaegi from adapting fmt and others to itself: adapt has done so.
		maps.DeleteFunc(values, func(n string, _ reflect.Value) bool { return strings.HasPrefix(n, "_") }) // values go behind interfaces our way
		if err := y.in.Use(interp.Exports{p + "/./" + path.Base(y.pkgs.Name(p)): values}); err != nil {
			return err
		}
		name := "p_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(p)
		if _, err := y.in.Eval(fmt.Sprintf("import %s %q", name, p)); err != nil {
			return err
		}
	}
	return nil
}

// convertTo makes the function known that converts to a compiled interface.
func (y *yaegi) convertTo(path string) error {
	it, wrapper := reflect.TypeFor[error](), reflect.Type(nil)
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		values := y.pkgs.Values(path[:i])
		v, ok := values[path[i+1:]]
		if !ok {
			return fmt.Errorf("interface %s is not available to scripts", path)
		}
		it = v.Type().Elem()
		if w, ok := values["_"+path[i+1:]]; ok {
			wrapper = w.Type().Elem()
		}
	}
	return y.in.Use(interp.Exports{cell.Host + "/cell": {cell.ToName(path): toNative(it, wrapper)}})
}

// Define evaluates declarations.
func (y *yaegi) Define(src string) (err error) {
	if strings.TrimSpace(src) == "" {
		return nil
	}
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("the interpreter stumbled: %v", p)
		}
		y.trace.take()
	}()
	_, err = y.in.Eval(src)
	return err
}

// call is what Run's source calls with the script's function: it runs inside the interpreter's goroutine and is left
// only when the function has come to an end.
func (y *yaegi) call(f func()) {
	defer func() { y.done <- recover() }()
	f()
}

// Run calls a function of the script.
func (y *yaegi) Run(ctx context.Context, fn string) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	*y.mark = 0
	y.trace.take()
	y.done = make(chan any, 1)
	done := y.done
	_, err := y.in.EvalWithContext(ctx, "p_cell.Call("+fn+")")
	if err != nil && ctx.Err() == nil {
		return err
	}
	timer := time.NewTimer(grace)
	defer timer.Stop()
	var p any
	select {
	case p = <-done:
	case <-timer.C:
		if ctx.Err() == nil {
			return errors.New("the interpreter did not run the statement")
		}
		return &Stuck{ctx.Err()}
	}
	if ctx.Err() != nil {
		// What the interpreter made of being stopped says nothing; what a compiled call says of it does.
		in := &interrupted{cause: ctx.Err()}
		if said, ok := unwrapPanic(p).(error); ok && !isRuntime(said) && !errors.Is(said, ctx.Err()) {
			in.said = said
		}
		return in
	}
	if p = unwrapPanic(p); p != nil {
		if t, ok := p.(*thrown); ok {
			return &Panic{t.value, t.mark, t.calls}
		}
		return &Panic{Value: p, Mark: *y.mark, Calls: callsIn(y.trace.take())}
	}
	return nil
}

// unwrapPanic takes yaegi's own wrappings off a panic value.
func unwrapPanic(p any) any {
	for {
		switch v := p.(type) {
		case interp.Panic:
			p = v.Value
		case reflect.Value:
			if !v.IsValid() || !v.CanInterface() {
				return fmt.Sprint(v)
			}
			p = v.Interface()
		default:
			return p
		}
	}
}

// callsIn returns the script's functions that a panic passed, innermost first, from yaegi's trace.
func callsIn(trace string) []string {
	var calls []string
	for _, l := range strings.Split(trace, "\n") {
		_, f, ok := strings.Cut(l, ": panic: ")
		if !ok {
			continue
		}
		f = strings.TrimSuffix(strings.TrimPrefix(f, "main."), "(...)")
		calls = append(calls, f)
	}
	return calls
}

// Exit is what os.Exit in a script panics with: the script ends, the session does not.
type Exit int

// Error says with which code.
func (e Exit) Error() string { return "exit status " + strconv.Itoa(int(e)) }
