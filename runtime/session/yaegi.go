package session

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log"
	"path"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/traefik/yaegi/interp"

	"tunebook/runtime/cell"
)

// grace is how long a call may take to stop after its context has ended.
const grace = 5 * time.Second

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
		values := y.pkgs.Values(p)
		if values == nil {
			return fmt.Errorf("package %q is not available to scripts", p)
		}
		y.adapt(p, values)
		// "/./" keeps yaegi from adapting fmt and others to itself: adapt has done so.
		if err := y.in.Use(interp.Exports{p + "/./" + path.Base(y.pkgs.Name(p)): values, ".": y.mapTypes(p, values)}); err != nil {
			return err
		}
		name := "p_" + strings.NewReplacer("/", "_", ".", "_", "-", "_").Replace(p)
		if _, err := y.in.Eval(fmt.Sprintf("import %s %q", name, p)); err != nil {
			return err
		}
	}
	return nil
}

// adapt replaces what would reach past the session: standard output, the process's arguments and its end.
func (y *yaegi) adapt(p string, v map[string]reflect.Value) {
	out := y.host.stdout
	set := func(name string, f any) { v[name] = reflect.ValueOf(f) }
	switch p {
	case "fmt":
		set("Print", func(a ...any) (int, error) { return fmt.Fprint(out, a...) })
		set("Printf", func(f string, a ...any) (int, error) { return fmt.Fprintf(out, f, a...) })
		set("Println", func(a ...any) (int, error) { return fmt.Fprintln(out, a...) })
		in := y.host.stdin
		set("Scan", func(a ...any) (int, error) { return fmt.Fscan(in, a...) })
		set("Scanf", func(f string, a ...any) (int, error) { return fmt.Fscanf(in, f, a...) })
		set("Scanln", func(a ...any) (int, error) { return fmt.Fscanln(in, a...) })
	case "os":
		args := y.host.args()
		v["Args"] = reflect.ValueOf(&args).Elem()
		set("Exit", func(code int) { panic(Exit(code)) })
	case "runtime":
		set("Goexit", func() { panic("runtime.Goexit cannot be interpreted; return instead") })
	case "log":
		l := log.New(y.host.stderr, "", log.LstdFlags)
		fatal := func(s string) { l.Print(s); panic(Exit(1)) }
		set("Default", func() *log.Logger { return l })
		set("Fatal", func(a ...any) { fatal(fmt.Sprint(a...)) })
		set("Fatalf", func(f string, a ...any) { fatal(fmt.Sprintf(f, a...)) })
		set("Fatalln", func(a ...any) { fatal(fmt.Sprintln(a...)) })
		set("Flags", l.Flags)
		set("Output", l.Output)
		set("Panic", l.Panic)
		set("Panicf", l.Panicf)
		set("Panicln", l.Panicln)
		set("Prefix", l.Prefix)
		set("Print", l.Print)
		set("Printf", l.Printf)
		set("Println", l.Println)
		set("SetFlags", l.SetFlags)
		set("SetOutput", l.SetOutput)
		set("SetPrefix", l.SetPrefix)
		set("Writer", l.Writer)
	}
}

// mapTypes tells yaegi which methods of a script's values matter to functions that take any: the printing functions
// look for String, Error and Format, the encoders for their marshalers.
func (y *yaegi) mapTypes(p string, v map[string]reflect.Value) map[string]reflect.Value {
	m := map[reflect.Value][]reflect.Type{}
	stand := func(path, name string) []reflect.Type {
		if w, ok := y.pkgs.Values(path)["_"+name]; ok {
			return []reflect.Type{w.Type().Elem()}
		}
		return nil
	}
	_ = stand
	iface := func(path, name string) []reflect.Type {
		if w, ok := y.pkgs.Values(path)[name]; ok {
			return []reflect.Type{w.Type().Elem()}
		}
		return nil
	}
	switch p {
	case "fmt":
		ts := append(iface("fmt", "Formatter"), iface("fmt", "Stringer")...)
		for n, f := range v {
			if strings.Contains(n, "rint") && f.Kind() == reflect.Func || n == "Errorf" || strings.HasPrefix(n, "Append") {
				m[f] = ts
			}
		}
	case "log":
		ts := append(iface("fmt", "Formatter"), iface("fmt", "Stringer")...)
		for n, f := range v {
			if f.Kind() == reflect.Func && (strings.HasPrefix(n, "Print") || strings.HasPrefix(n, "Fatal") || strings.HasPrefix(n, "Panic")) {
				m[f] = ts
			}
		}
	case "encoding/json":
		text := iface("encoding", "TextMarshaler")
		for _, n := range []string{"Marshal", "MarshalIndent"} {
			m[v[n]] = append(iface(p, "Marshaler"), text...)
		}
		m[v["Unmarshal"]] = append(iface(p, "Unmarshaler"), iface("encoding", "TextUnmarshaler")...)
	}
	return map[string]reflect.Value{"MapTypes": reflect.ValueOf(m)}
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
		return ctx.Err() // whatever the interrupted code made of it
	}
	if p != nil {
		return &Panic{Value: unwrapPanic(p), Mark: *y.mark, Calls: callsIn(y.trace.take())}
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
