package notebook

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"tunebook/runtime/session"
	"tunebook/stdlib/symbols"
)

const program = `//go:build ignore

// About this file.
package main

import "fmt"

func twice(n int) int { return 2 * n }

func main() {
	x := 1

	// %% First, with 100 %
	fmt.Println(twice(x))

	// %% [markdown]
	// # A title
	//
	// and text
	//   indented

	// %%
	fmt.Println("untitled")
	// %%not a marker
	// %% Empty

	// %% [markdown] Named
	// below
	x = 3
}
`

func describe(f *File) string {
	var b strings.Builder
	for _, c := range f.Cells {
		fmt.Fprintf(&b, "%d-%d %q", c.Line, c.End, c.Title)
		if c.Text() {
			fmt.Fprintf(&b, " text %q", c.Markdown)
		}
		fmt.Fprintf(&b, " from %d\n", c.First())
	}
	return b.String()
}

func TestParse(t *testing.T) {
	for _, c := range []struct{ name, src, want string }{
		{"program", program, `1-12 "" from 1
13-15 "First, with 100 %" from 14
16-21 "A title" text "# A title\n\nand text\n  indented" from 17
22-24 "" from 23
25-26 "Empty" from 26
27-31 "Named" text "below" from 28
`},
		{"loose", "a := 1\n// %% two\nb := 2", "1-1 \"\" from 1\n2-3 \"two\" from 3\n"},
		{"marker first", "// %%\na\n\t// %% b \n", "1-2 \"\" from 2\n3-4 \"b\" from 4\n"},
		{"byte order mark and carriage returns", "\ufeff// %% a\r\nx := 1\r\n// %%\r\ny", "1-2 \"a\" from 2\n3-4 \"\" from 4\n"},
		{"empty", "", ""},
		{"empty text", "// %% [markdown]\n", "1-2 \"\" text \"\\n\" from 2\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := Parse("nb", c.src)
			if got := describe(f); got != c.want {
				t.Errorf("got\n%s\nwant\n%s", got, c.want)
			}
			for _, cell := range f.Cells {
				lines := strings.Split(strings.TrimPrefix(c.src, "\ufeff"), "\n")
				if want := strings.Join(lines[min(cell.First()-1, cell.End):cell.End], "\n"); cell.Source != want {
					t.Errorf("the source of the cell on line %d is %q, not %q", cell.Line, cell.Source, want)
				}
			}
			for line := 1; line <= strings.Count(f.Source, "\n"); line++ {
				if n := f.CellOf(line); n >= 0 && (line < f.Cells[n].Line || line > f.Cells[n].End) {
					t.Errorf("line %d is said to be in cell %d", line, n)
				}
			}
		})
	}
	if !Parse("nb", program).Program || Parse("nb", "a := 1").Program {
		t.Error("only a file with a package clause is a program")
	}
}

func newSession(t *testing.T, out io.Writer, program bool) *session.Session {
	t.Helper()
	s, err := session.New(session.Config{
		Packages: session.Packages{Paths: symbols.Paths, Name: symbols.Name, Values: symbols.Values, Types: symbols.Types},
		Preset:   map[string]string{"fmt": "fmt"}, Stdout: out, Stderr: out, DeferToEnd: program,
	})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// run runs a notebook and returns what it printed, with the starts and ends of its cells between.
func run(t *testing.T, src string) (printed string, code int, err error) {
	t.Helper()
	var out strings.Builder
	f := Parse("nb.go", src)
	s := newSession(t, &out, f.Program)
	p, err := Whole(s.Scratch, f)
	if err != nil {
		return "", 1, err
	}
	r := Run(context.Background(), s, p, Report{
		Start: func(n int, c *Cell) { fmt.Fprintf(&out, "<%d>", n) },
		End:   func(n int, c *Cell, r *session.Result) { fmt.Fprintf(&out, "%s</%d>", r.Text, n) },
	})
	return strings.ReplaceAll(out.String(), "\n", ";"), r.Code, r.Err
}

func TestRun(t *testing.T) {
	const head = "package main\n\nimport (\n\t\"fmt\"\n\t\"os\"\n)\n\nvar _ = os.Args\n\n"
	for _, c := range []struct {
		name, src, want string
		code            int
		err             string // its first line
	}{
		{"program", program, "<0></0><1>2;</1><2><3>untitled;</3><5></5>", 0, ""},
		{"loose", "x := 1\n// %%\nx + 1\n// %%\nfmt.Println(x)", "<0></0><1>2</1><2>1;</2>", 0, ""},
		{"code below a loose text", "// %% [markdown]\n// text\n// %% [markdown]\n// more\nfmt.Println(1)", "<0><1>1;</1>", 0, ""},
		{"a loose cell fails", "x := 1\n\n// %% bad\n\nx / (x - 1)\n// %%\nfmt.Println(x)", "<0></0><1></1>", 1, "nb.go:5:1: panic: integer divide by zero"},
		{"a program's cell fails", head + "func main() {\n\t// %%\n\tfmt.Println(1)\n\t// %%\n\tvar m map[string]int\n\n\tm[\"a\"] = 1\n}\n", "<1>1;</1><2></2>", 1, "nb.go:16:2: panic: assignment to entry in nil map"},
		{"a func of a program fails", head + "func f(xs []int) int {\n\treturn xs[1]\n}\n\nfunc main() {\n\t// %%\n\tfmt.Println(f(nil))\n}\n", "<1></1>", 1, "nb.go:11:2: panic: index out of range [1] with length 0"},
		{"a program is refused as a whole", head + "func main() {\n\t// %%\n\tfmt.Println(1)\n\t// %%\n\tfmt.Println(missing)\n}\n", "", 1, "nb.go:14:14: undefined: missing"},
		{"a variable at the top fails", head + "var v = []int{}[len(os.Args)]\n\nfunc main() {\n\tfmt.Println(v)\n}\n", "", 1, "nb.go:10:9: panic: index out of range"},
		{"exit", head + "func main() {\n\t// %%\n\tdefer fmt.Println(\"no\")\n\tos.Exit(4)\n\t// %%\n\tfmt.Println(2)\n}\n", "<1></1>", 4, ""},
		{"return and defer", head + "func main() {\n\t// %%\n\tdefer fmt.Println(\"end\")\n\tif len(os.Args) >= 0 {\n\t\treturn\n\t}\n\t// %%\n\tfmt.Println(2)\n}\n", "<1></1>end;", 0, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			printed, code, err := run(t, c.src)
			msg := ""
			if err != nil {
				msg, _, _ = strings.Cut(err.Error(), "\n")
			}
			if printed != c.want || code != c.code || !strings.HasPrefix(msg, c.err) || (msg == "") != (c.err == "") {
				t.Errorf("got  %q, code %d, error %q\nwant %q, code %d, error %q", printed, code, msg, c.want, c.code, c.err)
			}
		})
	}
}

func TestRunIsInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	time.AfterFunc(50*time.Millisecond, cancel)
	f := Parse("nb.go", "package main\n\nfunc main() {\n\t// %%\n\tfor {\n\t}\n}\n")
	s := newSession(t, io.Discard, true)
	p, err := Whole(s.Scratch, f)
	if err != nil {
		t.Fatal(err)
	}
	r := Run(ctx, s, p, Report{})
	if r.Code != 1 || !session.Interrupted(r.Err) || !strings.HasPrefix(r.Err.Error(), "nb.go:5:2: interrupted") || r.Failed() != 1 {
		t.Errorf("code %d, error %v", r.Code, r.Err)
	}
}

func TestRead(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a.go")
	if _, err := Read(path); !os.IsNotExist(err) {
		t.Errorf("the error is %v", err)
	}
	if err := os.WriteFile(path, []byte("x := 1"), 0o666); err != nil {
		t.Fatal(err)
	}
	if f, err := Read(path); err != nil || f.Name != path || len(f.Cells) != 1 {
		t.Errorf("%+v, %v", f, err)
	}
}

func TestLines(t *testing.T) {
	var b strings.Builder
	rep := Lines(&b, &Plan{Number: []int{1, 2, 0, 3}, For: []string{"", "", "", "4, 5"}}, false)
	rep.Start(0, &Cell{Title: "One"})
	rep.End(0, &Cell{Title: "One"}, &session.Result{Took: 1500 * time.Millisecond})
	rep.Start(1, &Cell{})
	rep.End(1, &Cell{}, &session.Result{Took: time.Hour})
	rep.Start(2, &Cell{Title: "Text", Markdown: "# Text"})
	rep.Start(3, &Cell{Title: "Early"})
	if got, want := b.String(), "── 1 One\n   1.5 s\n── 2\n   60 min 0 s\nText\n── 3 Early, needed for 4, 5: its output is left out\n"; got != want {
		t.Errorf("got %q; want %q", got, want)
	}
	for d, want := range map[time.Duration]string{12 * time.Millisecond: "12 ms", 59 * time.Second: "59.0 s", 61 * time.Second: "1 min 1 s"} {
		if got := Took(d); got != want {
			t.Errorf("Took(%v) is %q", d, got)
		}
	}
}
