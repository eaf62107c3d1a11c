package child

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"tunebook/runtime/cell"
	"tunebook/runtime/session"
	"tunebook/stdlib/symbols"
)

// TestMain lets the test binary be the child.
func TestMain(m *testing.M) {
	if os.Getenv("CHILD") == "1" {
		requests, replies := Files()
		Serve(requests, replies, func(set Setup, stdout, stderr io.Writer) (*session.Session, error) {
			if slices.Contains(set.Args, "fail") {
				return nil, errors.New("no session today")
			}
			return session.New(session.Config{
				Packages: session.Packages{Paths: symbols.Paths, Name: symbols.Name, Values: symbols.Values, Types: symbols.Types, Docs: symbols.Docs},
				Preset:   map[string]string{"fmt": "fmt", "os": "os", "strings": "strings", "sync": "sync", "time": "time", "errors": "errors", "strconv": "strconv"},
				Stdin:    os.Stdin, Stdout: stdout, Stderr: stderr, Args: set.Args, DeferToEnd: set.DeferToEnd,
			})
		}, os.Stdout, os.Stderr)
		return
	}
	os.Exit(m.Run())
}

// files are what the script prints to.
type files struct{ out, err *os.File }

func (f files) text(t *testing.T) (out, err string) {
	t.Helper()
	a, e1 := os.ReadFile(f.out.Name())
	b, e2 := os.ReadFile(f.err.Name())
	if e1 != nil || e2 != nil {
		t.Fatal(e1, e2)
	}
	return string(a), string(b)
}

func newTestProcess(t *testing.T, set Setup) (*Process, files) {
	t.Helper()
	dir := t.TempDir()
	out, err := os.Create(filepath.Join(dir, "out"))
	if err != nil {
		t.Fatal(err)
	}
	errs, err := os.Create(filepath.Join(dir, "err"))
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(Config{Command: func() *exec.Cmd {
		c := exec.Command(self)
		c.Env = append(os.Environ(), "CHILD=1")
		return c
	}, Setup: set, Stdout: out, Stderr: errs})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { p.Close(); out.Close(); errs.Close() })
	return p, files{out, errs}
}

func TestCells(t *testing.T) {
	p, f := newTestProcess(t, Setup{Args: []string{"nb", "a"}})
	ctx := context.Background()
	r := p.Eval(ctx, "1", "x := 20\nfmt.Println(\"out\", os.Args[1])\nfmt.Fprintln(os.Stderr, \"err\")\nx + 1")
	if r.Err != nil || r.Text != "21" || r.Output != "out a\nerr\n" || len(r.Pieces) != 2 || !r.Pieces[1].Stderr {
		t.Fatalf("%+v", r)
	}
	if out, errs := f.text(t); out != "out a\n" || errs != "err\n" {
		t.Errorf("printed %q and %q", out, errs)
	}
	var wrong cell.Errors
	if r = p.Eval(ctx, "2", "y := x + missing"); !errors.As(r.Err, &wrong) || len(wrong) != 1 || wrong[0].Line != 1 || wrong[0].Col != 10 || wrong[0].Cell != "2" {
		t.Errorf("%#v", r.Err)
	}
	var failure *session.Failure
	if r = p.Eval(ctx, "3", "\nvar m map[int]int\nm[x] = 1"); !errors.As(r.Err, &failure) || failure.Line != 3 || failure.Source != "m[x] = 1" {
		t.Errorf("%#v", r.Err)
	}
	if r = p.Eval(ctx, "4", `strconv.Atoi("z")`); r.Err == nil || !strings.Contains(r.Err.Error(), "4:1:1: strconv.Atoi: parsing \"z\"") {
		t.Errorf("%v", r.Err)
	}
	if typ, err := p.TypeOf("x"); typ != "int" || err != nil {
		t.Errorf("x is of type %s, %v", typ, err)
	}
	if _, err := p.TypeOf("nope"); err == nil {
		t.Error("a name that is not there has a type")
	}
	if v := p.Vars(); len(v) != 2 || v[1] != (cell.Var{Name: "x", Type: "int"}) {
		t.Errorf("the variables are %v", v)
	}
	if h := p.Help("strings.Repeat"); !strings.Contains(h, "func Repeat(s string, count int) string") {
		t.Errorf("help is %q", h)
	}
	if head, c, tail := p.Complete("strings.Repe, 1)", 12); head != "strings." || len(c) != 1 || c[0] != "Repeat" || tail != ", 1)" {
		t.Errorf("completed to %q %q %q", head, c, tail)
	}
	if err := p.Reset(); err != nil {
		t.Fatal(err)
	}
	if r = p.Eval(ctx, "5", "x"); r.Err == nil {
		t.Error("x survived a reset")
	}
	if r = p.Eval(ctx, "6", "os.Exit(7)"); !r.Exited || r.Code != 7 || r.Err != nil {
		t.Errorf("%+v", r)
	}
}

// TestEnds ends the child in ways that no recover can hold back. The parent says what happened, keeps what the cell had
// printed, and goes on with a new child.
func TestEnds(t *testing.T) {
	for _, c := range []struct{ name, cell, why string }{
		{"killed", "p, _ := os.FindProcess(os.Getpid())\nfmt.Println(\"before\")\np.Kill()\ntime.Sleep(time.Minute)", "ended by a signal: killed"},
		{"fatal error", "m := map[int]int{}\nfmt.Println(\"before\")\nfor i := range 8 {\n\tgo func() {\n\t\tfor {\n\t\t\tm[i]++\n\t\t}\n\t}()\n}\ntime.Sleep(time.Minute)", "fatal error: concurrent map"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, f := newTestProcess(t, Setup{})
			p.Eval(context.Background(), "1", "x := 1")
			r := p.Eval(context.Background(), "2", c.cell)
			var lost *Lost
			if !errors.As(r.Err, &lost) || !strings.Contains(r.Err.Error(), c.why) || !strings.HasPrefix(r.Err.Error(), "2: ") {
				t.Errorf("the error is %v", r.Err)
			}
			if r.Output != "before\n" {
				t.Errorf("of the output there is %q", r.Output)
			}
			if _, errs := f.text(t); errs != "" {
				t.Errorf("Go's own words reach the terminal: %q", errs)
			}
			if r = p.Eval(context.Background(), "3", "x"); r.Err == nil || !strings.Contains(r.Err.Error(), "undefined: x") {
				t.Errorf("after it x is %s, %v", r.Text, r.Err)
			}
			if r = p.Eval(context.Background(), "4", "1 + 1"); r.Text != "2" {
				t.Errorf("1 + 1 is %q, %v", r.Text, r.Err)
			}
		})
	}
}

// TestEndsBetweenCells tells of an end that came when no cell ran, and does not run the next one on nothing.
func TestEndsBetweenCells(t *testing.T) {
	p, _ := newTestProcess(t, Setup{})
	p.Eval(context.Background(), "1", "p, _ := os.FindProcess(os.Getpid())\nc := make(chan bool)\ngo func() { <-c; time.Sleep(200 * time.Millisecond); p.Kill() }()")
	p.mu.Lock()
	r := p.run
	p.mu.Unlock()
	p.Eval(context.Background(), "2", "close(c)")
	<-r.ended
	res := p.Eval(context.Background(), "3", "fmt.Println(1)")
	var lost *Lost
	if !errors.As(res.Err, &lost) || res.Output != "" {
		t.Fatalf("%q, %v", res.Output, res.Err)
	}
	if res = p.Eval(context.Background(), "4", "2"); res.Text != "2" {
		t.Errorf("%q, %v", res.Text, res.Err)
	}
}

// TestInterrupt stops what heeds its context without losing the child, and what does not with it.
func TestInterrupt(t *testing.T) {
	defer func(d time.Duration) { patience = d }(patience)
	patience = 500 * time.Millisecond
	p, _ := newTestProcess(t, Setup{})
	p.Eval(context.Background(), "1", "x := 1\nvar mu sync.Mutex\nmu.Lock()")
	for _, c := range []struct {
		cell string
		lost bool
	}{{"for {\n}", false}, {"<-make(chan int)", false}, {"time.Sleep(time.Hour)", false}, {"mu.Lock()", true}} {
		ctx, cancel := context.WithCancel(context.Background())
		done := make(chan session.Result)
		go func() { done <- p.Eval(ctx, "2", c.cell) }()
		time.Sleep(50 * time.Millisecond)
		cancel()
		r := <-done
		var lost *Lost
		if got := errors.As(r.Err, &lost); got != c.lost || !session.Interrupted(r.Err) {
			t.Errorf("%s: %v", c.cell, r.Err)
		}
		r = p.Eval(context.Background(), "3", "x")
		if got := r.Text == "1"; got == c.lost {
			t.Errorf("after %s x is %q, %v", c.cell, r.Text, r.Err)
		}
	}
}

func TestKill(t *testing.T) {
	p, _ := newTestProcess(t, Setup{})
	done := make(chan session.Result)
	p.Eval(context.Background(), "1", "var mu sync.Mutex\nmu.Lock()")
	go func() { done <- p.Eval(context.Background(), "2", "mu.Lock()") }()
	time.Sleep(50 * time.Millisecond)
	p.Kill()
	if r := <-done; !session.Interrupted(r.Err) {
		t.Error(r.Err)
	}
}

func TestProgram(t *testing.T) {
	p, f := newTestProcess(t, Setup{DeferToEnd: true})
	src := "package main\n\nimport \"fmt\"\n\nvar v = 2\n\nfunc main() {\n\t// %% a\n\tdefer fmt.Println(\"end\")\n\tfmt.Println(v)\n\t// %% b\n\tfmt.Println(v * 10)\n}\n"
	prog, err := p.Load("nb.go", src, func(line int) int {
		if line >= 11 {
			return 1
		}
		return 0
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx := context.Background()
	prog.Run(ctx, -1)
	p.Quiet(true)
	if r := prog.Run(ctx, 0); r.Output != "2\n" || r.Err != nil {
		t.Errorf("%+v", r)
	}
	p.Quiet(false)
	if r := prog.Run(ctx, 1); r.Output != "20\n" || r.Err != nil {
		t.Errorf("%+v", r)
	}
	if r := p.End(ctx); r.Output != "end\n" {
		t.Errorf("%+v", r)
	}
	if out, _ := f.text(t); out != "20\nend\n" {
		t.Errorf("printed %q", out)
	}
	if _, err := p.Load("nb.go", "package main\n\nfunc main() { x }\n", func(int) int { return 0 }); err == nil || !strings.HasPrefix(err.Error(), "nb.go:3:15: undefined: x") {
		t.Errorf("%v", err)
	}
}

func TestNoSession(t *testing.T) {
	p, _ := newTestProcess(t, Setup{Args: []string{"fail"}})
	if r := p.Eval(context.Background(), "1", "1"); r.Err == nil || r.Err.Error() != "no session today" {
		t.Error(r.Err)
	}
}

// TestCopyIsBounded prints more than is copied: the cell's own record has it, and the parent is not drowned.
func TestCopyIsBounded(t *testing.T) {
	p, f := newTestProcess(t, Setup{})
	r := p.Eval(context.Background(), "1", "for i := range 20000 {\n\tfmt.Println(\"line\", i, strings.Repeat(\"x\", 40))\n}")
	if r.Err != nil || !strings.Contains(r.Output, "left out") || !strings.HasSuffix(r.Output, "line 19999 "+strings.Repeat("x", 40)+"\n") {
		t.Errorf("%v, %d bytes", r.Err, len(r.Output))
	}
	if out, _ := f.text(t); bytes.Count([]byte(out), []byte("\n")) != 20000 {
		t.Errorf("%d lines were printed", strings.Count(out, "\n"))
	}
}
