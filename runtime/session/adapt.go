package session

import (
	"flag"
	"fmt"
	"io"
	"log"
	"reflect"
	"strings"
	"time"

	"tunebook/runtime/show"
)

// adapt replaces what would reach past the session: standard output, the process's arguments and its end,
// and a sleep that no interrupt ends.
func (y *yaegi) adapt(p string, v map[string]reflect.Value) {
	out := y.host.stdout
	set := func(name string, f any) { v[name] = reflect.ValueOf(f) }
	switch p {
	case "fmt":
		set("Print", func(a ...any) (int, error) { return printed(out, fmt.Sprint(printable(a)...), a) })
		set("Printf", func(f string, a ...any) (int, error) {
			f, a = formatted(f, a)
			return fmt.Fprintf(out, f, a...)
		})
		set("Println", func(a ...any) (int, error) { return printed(out, fmt.Sprintln(printable(a)...), a) })
		set("Sprint", func(a ...any) string { return fmt.Sprint(printable(a)...) })
		set("Sprintf", func(f string, a ...any) string {
			f, a = formatted(f, a)
			return fmt.Sprintf(f, a...)
		})
		set("Sprintln", func(a ...any) string { return fmt.Sprintln(printable(a)...) })
		set("Fprint", func(w io.Writer, a ...any) (int, error) { return fmt.Fprint(w, printable(a)...) })
		set("Fprintf", func(w io.Writer, f string, a ...any) (int, error) {
			f, a = formatted(f, a)
			return fmt.Fprintf(w, f, a...)
		})
		set("Fprintln", func(w io.Writer, a ...any) (int, error) { return fmt.Fprintln(w, printable(a)...) })
		set("Append", func(b []byte, a ...any) []byte { return fmt.Append(b, printable(a)...) })
		set("Appendf", func(b []byte, f string, a ...any) []byte {
			f, a = formatted(f, a)
			return fmt.Appendf(b, f, a...)
		})
		set("Appendln", func(b []byte, a ...any) []byte { return fmt.Appendln(b, printable(a)...) })
		set("Errorf", func(f string, a ...any) error {
			f, a = formatted(f, a)
			return fmt.Errorf(f, a...)
		})
		in := y.host.stdin
		set("Scan", func(a ...any) (int, error) { return fmt.Fscan(in, a...) })
		set("Scanf", func(f string, a ...any) (int, error) { return fmt.Fscanf(in, f, a...) })
		set("Scanln", func(a ...any) (int, error) { return fmt.Fscanln(in, a...) })
	case "os":
		args := y.host.args()
		v["Args"] = reflect.ValueOf(&args).Elem()
		set("Exit", func(code int) { panic(Exit(code)) })
	case "time":
		set("Sleep", func(d time.Duration) {
			t := time.NewTimer(d)
			defer t.Stop()
			select {
			case <-t.C:
			case <-y.host.context().Done():
			}
		})
	case "flag":
		y.adaptFlags(v)
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

// printed writes text, which is what a printing function made of values, and tells which part of it is a value that shows
// itself as HTML.
func printed(out io.Writer, text string, values []any) (int, error) {
	s, ok := out.(*Stream)
	if !ok {
		return io.WriteString(out, text)
	}
	var pieces []Piece
	for _, v := range values {
		b, ok := show.Shown(v)
		if !ok || b.HTML == "" {
			continue
		}
		own := fmt.Sprint(v)
		before, after, ok := strings.Cut(text, own)
		if !ok || own == "" {
			continue
		}
		if before != "" {
			pieces = append(pieces, Piece{Text: before})
		}
		if strings.HasPrefix(after, "\n") {
			own, after = own+"\n", after[1:] // the end of the line belongs to it
		}
		pieces, text = append(pieces, Piece{Text: own, HTML: b.HTML}), after
	}
	if text != "" || len(pieces) == 0 {
		pieces = append(pieces, Piece{Text: text})
	}
	return s.write(pieces...)
}

// adaptFlags gives the script a command line of its own: the arguments of the script, and flags that end the cell and
// not the process when they are wrong.
func (y *yaegi) adaptFlags(v map[string]reflect.Value) {
	newSet := func(name string, h flag.ErrorHandling) *flag.FlagSet {
		if h == flag.ExitOnError {
			h = flag.PanicOnError
		}
		fs := flag.NewFlagSet(name, h)
		fs.SetOutput(y.host.stderr)
		return fs
	}
	args := y.host.args()
	name := "tunebook"
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	cl := newSet(name, flag.ExitOnError)
	// Package flag's functions are the methods of its CommandLine under the same names.
	rv := reflect.ValueOf(cl)
	for n, f := range v {
		if m := rv.MethodByName(n); m.IsValid() && f.Kind() == reflect.Func && m.Type() == f.Type() {
			v[n] = m
		}
	}
	v["NewFlagSet"] = reflect.ValueOf(newSet)
	v["Parse"] = reflect.ValueOf(func() { cl.Parse(args) })
	v["CommandLine"] = reflect.ValueOf(&cl).Elem()
	usage := func() {
		fmt.Fprintf(cl.Output(), "Usage of %s:\n", name)
		cl.PrintDefaults()
	}
	cl.Usage = func() { usage() }
	v["Usage"] = reflect.ValueOf(&usage).Elem()
}

// formatted prepares the arguments of a function that takes a format.
func formatted(format string, args []any) (string, []any) {
	format, args = typeVerbs(format, args)
	return format, printable(args)
}
