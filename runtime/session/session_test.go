package session

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

func evalFor(t *testing.T, s *Session, d time.Duration, src string) Result {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	timer := time.AfterFunc(d, cancel)
	defer timer.Stop()
	return s.Eval(ctx, "c", src)
}

func TestInterrupt(t *testing.T) {
	for _, src := range []string{
		"for {}",
		"n := 0; for { n++ }",
		"func f() { for { if false { break } } }; f()",
		"<-make(chan int)",
		"select {}",
		"time.Sleep(time.Hour)",
		"for _, x := range []int{1} { for { x++ } }",
		"defer func() { recover() }(); for {}",
	} {
		s := newTestSession(t)
		s.Eval(context.Background(), "c", "kept := 1")
		start := time.Now()
		r := evalFor(t, s, 50*time.Millisecond, src)
		if !Interrupted(r.Err) || !strings.Contains(r.Err.Error(), "c:1:") || !strings.Contains(r.Err.Error(), "interrupted") {
			t.Errorf("%s: the error is %v", src, r.Err)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("%s: stopped after %v", src, took)
		}
		if got := result(s.Eval(context.Background(), "c", "kept + 1")); got != "=2" {
			t.Errorf("%s: afterwards kept + 1 gives %s", src, got)
		}
	}
}

// stubborn is a compiled call that heeds no context, until it is let go.
type stubborn struct{ began, free chan bool }

func (b stubborn) Read([]byte) (int, error) { close(b.began); <-b.free; return 0, io.EOF }

func TestStuckCallCostsTheInterpreter(t *testing.T) {
	old := grace
	grace = 50 * time.Millisecond
	defer func() { grace = old }()
	var out syncBuffer
	stdin := stubborn{make(chan bool), make(chan bool)}
	s, err := New(Config{Packages: testPackages(), Preset: map[string]string{"fmt": "fmt"}, Stdin: stdin, Stdout: &out})
	if err != nil {
		t.Fatal(err)
	}
	s.Eval(context.Background(), "c", "lost := 1")
	ctx, interrupt := context.WithCancel(context.Background())
	go func() { <-stdin.began; interrupt() }() // not before the call is in the middle of it
	r := s.Eval(ctx, "c", "var line string\nfmt.Scanln(&line)\nfmt.Println(\"late\")")
	if r.Err == nil || !strings.Contains(r.Err.Error(), "a call did not stop; the session starts afresh") {
		t.Fatalf("the error is %v", r.Err)
	}
	close(stdin.free)
	time.Sleep(20 * time.Millisecond)
	if strings.Contains(out.String(), "late") {
		t.Error("the abandoned cell printed")
	}
	if got := result(s.Eval(context.Background(), "c", "lost")); !strings.Contains(got, "undefined: lost") {
		t.Errorf("lost gives %s", got)
	}
	if got := result(s.Eval(context.Background(), "c", "1")); got != "=1" {
		t.Errorf("1 gives %s", got)
	}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.b.String()
}

func TestExit(t *testing.T) {
	s := newTestSession(t)
	r := s.Eval(context.Background(), "c", "fmt.Println(1)\nos.Exit(3)\nfmt.Println(2)")
	if r.Err != nil || !r.Ended || r.Code != 3 || r.Output != "1\n" {
		t.Errorf("os.Exit gives %+v", r)
	}
	if r = s.Eval(context.Background(), "c", "return"); r.Err != nil || !r.Ended || r.Code != 0 {
		t.Errorf("return gives %+v", r)
	}
}

// TestOutputIsInOrder mixes both streams, the script's own and the facades'.
func TestOutputIsInOrder(t *testing.T) {
	var out, errs io.Writer
	var ended []string
	s, err := New(Config{
		Packages:  testPackages(),
		Preset:    map[string]string{"fmt": "fmt", "os": "os", "errors": "errors", "log": "log"},
		SetOutput: func(o, e io.Writer) { out, errs = o, e },
		EndCell:   func() { fmt.Fprint(errs, "end;"); ended = append(ended, "x") },
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range []struct{ src, want string }{
		{`fmt.Print("a;"); fmt.Fprint(os.Stderr, "b;"); println("c;"); os.Stdout.WriteString("d;"); log.SetFlags(0); log.Print("e;")`, "a;b;c;\nd;e;\nend;"},
		{`fmt.Print("a;"); panic("x")`, "a;end;"},
		{`errors.New("x")`, "end;"},
		{`os.Exit(1)`, "end;"},
		{`fmt.Print("a;"); missing`, "end;"},
		{`defer fmt.Print("b;"); fmt.Print("a;")`, "a;b;end;"},
	} {
		if r := s.Eval(context.Background(), "c", c.src); r.Output != c.want {
			t.Errorf("%s prints %q; want %q", c.src, r.Output, c.want)
		}
		if len(ended) != i+1 {
			t.Errorf("%s: the end of the cell was told %d times", c.src, len(ended)-i)
		}
	}
	if out == nil {
		t.Error("the facades were not told where output goes")
	}
}

func TestLongOutputIsCutAndCounted(t *testing.T) {
	var through countWriter
	s, err := New(Config{Packages: testPackages(), Preset: map[string]string{"fmt": "fmt", "strings": "strings"}, Stdout: &through})
	if err != nil {
		t.Fatal(err)
	}
	r := s.Eval(context.Background(), "c", "line := strings.Repeat(\"x\", 99)\nfor i := range 20000 { fmt.Println(i%10, line) }\nfmt.Println(\"last\")")
	if r.Err != nil {
		t.Fatal(r.Err)
	}
	total := 20000*102 + 5
	if int(through) != total {
		t.Errorf("%d bytes were passed on, not %d", through, total)
	}
	if len(r.Output) > keepHead+2*keepTail+100 || !strings.HasSuffix(r.Output, "last\n") || !strings.HasPrefix(r.Output, "0 xxx") {
		t.Errorf("%d bytes are kept", len(r.Output))
	}
	var bytes, lines int
	_, note, _ := strings.Cut(r.Output, "… ")
	if _, err := fmt.Sscanf(note, "%d bytes in %d lines left out", &bytes, &lines); err != nil {
		t.Fatal("no note of what is left out")
	}
	kept := len(r.Output) - len(fmt.Sprintf("\n… %d bytes in %d lines left out …\n", bytes, lines))
	if kept+bytes != total {
		t.Errorf("%d bytes kept and %d left out; there were %d", kept, bytes, total)
	}
	if linesKept := strings.Count(r.Output, "\n") - 2; linesKept+lines != 20001 {
		t.Errorf("%d lines kept and %d left out; there were 20001", linesKept, lines)
	}
}

type countWriter int

func (c *countWriter) Write(p []byte) (int, error) { *c += countWriter(len(p)); return len(p), nil }

func TestCompletion(t *testing.T) {
	s := newTestSession(t)
	s.Eval(context.Background(), "c", "word := \"a\"\nset := data.New(\"s\", nil)\ntype T struct{ Name string; size int }\nt := []T{{}}")
	for _, c := range []struct{ line, want string }{
		{"strings.Repe", "strings.|Repeat|"},
		{"x := strings.repeat", "x := strings.|Repeat|"}, // the case does not matter when nothing else fits
		{"wo", "|word|"},
		{"set.Man", "set.|Manifest|"},
		{"set.Take(1, 2).Nam", "set.Take(1, 2).|Name Named|"},
		{"t[0].", "t[0].|Name size|"},
		{"data.Gen", "data.|Gen Generate|"},
		{"nothing.", "nothing.||"},
		{"", "||"},
	} {
		head, list, tail := s.Complete(c.line, len(c.line))
		if got := head + "|" + strings.Join(list, " ") + "|" + tail; got != c.want {
			t.Errorf("%q is completed to %q; want %q", c.line, got, c.want)
		}
	}
	if head, list, tail := s.Complete("f(strings.Repe, 1)", 14); head != "f(strings." || len(list) != 1 || tail != ", 1)" {
		t.Errorf("in the middle of a line: %q %q %q", head, list, tail)
	}
}

func TestHelp(t *testing.T) {
	s := newTestSession(t)
	s.Eval(context.Background(), "c", "set := data.New(\"s\", nil)\nfunc double(x int) int { return 2 * x }")
	for name, want := range map[string]string{
		"strings.Repeat": "func Repeat(s string, count int) string\n\nRepeat returns a new string",
		"data":           "package data",
		"set.Take":       "Take returns n examples",
		"set":            "var set *data.Set",
		"double":         "func double(x int) int",
		"data.Example":   "type Example",
		"for":            "keyword",
	} {
		if got := s.Help(name); !strings.Contains(got, want) {
			t.Errorf("help on %s is %q", name, got)
		}
	}
	if got := s.Help("nothing.AtAll"); got != "" {
		t.Errorf("help on nothing is %q", got)
	}
}

// rich shows itself in both ways.
type rich struct{ name string }

func (r *rich) String() string            { return "rich " + r.name }
func (r *rich) Show() (text, html string) { return r.String() + "\n", "<b>" + r.name + "</b>" }

func TestPieces(t *testing.T) {
	o := newOutput(nil, nil)
	out, errs := o.stdout(), o.stderr()
	printed(out, "a\n", []any{"a"})
	io.WriteString(errs, "warning\n")
	errs.Passing([]byte("30 %\n"))
	v := &rich{"x"}
	printed(out, fmt.Sprintln("see", v, 3), []any{"see", v, 3})
	printed(out, fmt.Sprintln(v), []any{v})
	got, pieces := o.take()
	want := []Piece{{Text: "a\n"}, {Text: "warning\n", Stderr: true}, {Text: "see "}, {Text: "rich x", HTML: "<b>x</b>"}, {Text: " 3\n"}, {Text: "rich x\n", HTML: "<b>x</b>"}}
	if got != "a\nwarning\nsee rich x 3\nrich x\n" || !reflect.DeepEqual(pieces, want) {
		t.Errorf("%q\n%+v\nwant\n%+v", got, pieces, want)
	}
	for range 100000 {
		io.WriteString(out, "12345678\n")
	}
	got, pieces = o.take()
	if len(pieces) != 2 || pieces[0].Text+pieces[1].Text != got || !strings.Contains(pieces[1].Text, "left out") {
		t.Errorf("%d pieces of long output", len(pieces))
	}
}
