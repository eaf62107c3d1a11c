package cell

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"tunebook/stdlib/symbols"
)

func newTestScope() *Scope {
	return NewScope(Packages{Paths: symbols.Paths, Name: symbols.Name, Types: symbols.Types},
		map[string]string{"fmt": "fmt", "strings": "strings", "slices": "slices", "os": "os", "errors": "errors"})
}

// run checks a cell and, as a session would after running it, takes what it defines as defined.
func (s *Scope) accept(src string) (*Unit, error) {
	u, err := s.Check("nb", src)
	if err != nil {
		return nil, err
	}
	u.Defined()
	for _, st := range u.Steps {
		u.Done(st)
	}
	return u, nil
}

func TestCheckFindsMistakes(t *testing.T) {
	for _, c := range []struct {
		name string
		src  string
		want []string // "line:col: message"
	}{
		{"undefined, second line", "p := 1\nq := missing", []string{"2:6: undefined: missing"}},
		{"several", "a := x\nb := y", []string{"1:6: undefined: x", "2:6: undefined: y"}},
		{"types", "n := 1\nn + \"s\"", []string{"2:1: invalid operation: n + \"s\" (mismatched types int and untyped string)"}},
		{"missing return", "func f() int {\n}", []string{"2:1: missing return"}},
		{"unused in a function", "func f() {\n\tx := 1\n}", []string{"2:2: declared and not used: x"}},
		{"unused expression inside", "1 + 2\n3", []string{"1:1: 1 + 2 (untyped int constant 3) is not used"}},
		{"syntax", "x := )\ny := 1", []string{"1:6: unexpected )"}},
		{"wrong bracket", "x := (1]", []string{"1:8: expected ')', found ']'"}},
		{"stray brace", "a := 1\n}", []string{"2:1: unexpected }"}},
		{"two braces too many", "for i := range 3 {\n}}}", []string{"2:2: unexpected }"}},
		{"no end", "x := 1 +", []string{"1:9: expected operand, found the end of the cell"}},
		{"no end of a block", "if true {\n\ty := 1", []string{"1:9: { is not closed"}},
		{"no end of a call", "a := 1\nfmt.Println(a", []string{"2:12: ( is not closed"}},
		{"no end of a string", "a := \"x", []string{"1:6: string literal not terminated"}},
		{"member of a package", "strings.Repet(\"a\", 2)", []string{"1:9: undefined: strings.Repet"}},
		{"arguments", "strings.Repeat(\"a\")", []string{"1:19: not enough arguments in call to strings.Repeat\n\thave (string)\n\twant (string, int)"}},
		{"package that is not there", "import \"os/user\"", []string{"1:8: package \"os/user\" is not available to scripts"}},
		{"package of another path", "import \"rand\"", []string{"1:8: package \"rand\" is not available to scripts; did you mean \"crypto/rand\"?"}},
		{"unsafe", "import \"unsafe\"", []string{"1:8: package \"unsafe\" is not available"}},
		{"dot import", "import . \"strings\"", []string{"1:8: import . is not supported in scripts; import \"strings\" under its name"}},
		{"break outside", "break", []string{"1:1: "}},
		{"init", "func init() {}", []string{"1:1: func init has no meaning in a cell; write its statements"}},
		{"column counts bytes", "é := nope", []string{"1:7: undefined: nope"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTestScope()
			_, err := s.Check("nb", c.src)
			var es Errors
			if !errors.As(err, &es) {
				t.Fatalf("the error is %v", err)
			}
			var got []string
			for _, e := range es {
				if e.Cell != "nb" {
					t.Errorf("the cell is called %q", e.Cell)
				}
				if line := strings.Split(c.src, "\n")[e.Line-1]; e.Source != line {
					t.Errorf("the source line is %q, not %q", e.Source, line)
				}
				got = append(got, fmt.Sprintf("%d:%d: %s", e.Line, e.Col, e.Msg))
			}
			if len(got) != len(c.want) {
				t.Fatalf("got  %q\nwant %q", got, c.want)
			}
			for i, w := range c.want {
				if !strings.HasPrefix(got[i], w) {
					t.Errorf("got  %q\nwant %q", got[i], w)
				}
			}
			if vs := s.Vars(); len(vs) > 0 || s.declOf("f") != nil {
				t.Errorf("a refused cell leaves %v behind", vs)
			}
		})
	}
}

func TestCheckKeepsDeclarations(t *testing.T) {
	s := newTestScope()
	for _, src := range []string{
		"type T struct{ A int }",
		"func (t T) Twice() int { return 2 * t.A }",
		"x := T{A: 2}\ny := x.Twice()",
		"import \"os\"",
		"import \"os\"", // twice is once
		"os.Args",
		"y := \"now a text\"",
		"strings.ToUpper(y)",
		"const k = 3",
		"var z [k]int",
	} {
		if _, err := s.accept(src); err != nil {
			t.Fatalf("%s\n%v", src, err)
		}
	}
	want := "x T, y string, z [3]int"
	var got []string
	for _, v := range s.Vars() {
		got = append(got, v.Name+" "+v.Type)
	}
	if g := strings.Join(got, ", "); g != want {
		t.Errorf("variables are %s; want %s", g, want)
	}
	if _, err := s.accept("x + 1"); err == nil || !strings.Contains(err.Error(), "mismatched types T and untyped int") {
		t.Errorf("x + 1 gives %v", err)
	}
	if got := s.Members("x"); strings.Join(got, " ") != "A Twice" {
		t.Errorf("members of x are %v", got)
	}
	if got := s.Members("strings"); !strings.Contains(strings.Join(got, " "), "Repeat Replace ReplaceAll") {
		t.Errorf("members of strings are %v", got)
	}
	if typ, err := s.TypeOf("strings.Fields(y)"); err != nil || TypeString(typ) != "[]string" {
		t.Errorf("TypeOf gives %v, %v", typ, err)
	}
}

// TestCheckFile holds a program to what the compiler would say, with the lines of the file.
func TestCheckFile(t *testing.T) {
	const head = "//go:build ignore\n\n// A note.\npackage main\n\n"
	for _, c := range []struct{ name, src, want string }{
		{"unused import", head + "import \"fmt\"\n\nfunc main() {}\n", "nb:6:8: \"fmt\" imported and not used"},
		{"unused variable", head + "func main() {\n\tx := 1\n}\n", "nb:7:2: declared and not used: x"},
		{"no main", head + "func f() {}\n", "nb:4:9: func main is missing"},
		{"another package", "package p\n\nfunc main() {}\n", "nb:1:9: a notebook is a program: package main, not package p"},
		{"unknown package", head + "import \"net/http\"\n\nfunc main() { http.Get(\"\") }\n", "nb:6:8: package \"net/http\" is not available to scripts"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := newTestScope().CheckFile("nb", c.src, func(int) int { return 0 })
			if err == nil || !strings.HasPrefix(err.Error(), c.want) {
				t.Errorf("got  %v\nwant %s", err, c.want)
			}
		})
	}
	u, err := newTestScope().CheckFile("nb", head+"const n = 2\n\nvar v = f()\n\nfunc f() int { return n }\n\nfunc main() {\n\t_ = v\n\tprintln(v)\n}\n",
		func(line int) int { return line })
	if err != nil {
		t.Fatal(err)
	}
	var lines []int
	for _, st := range u.Steps {
		lines = append(lines, st.Line)
	}
	if fmt.Sprint(lines) != "[8 13 14]" {
		t.Errorf("the steps stand on lines %v", lines)
	}
}

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		`cannot use x (variable of type main.T) as "tunebook/stdlib/data".Set`: `cannot use x (variable of type T) as data.Set`,
		`[]main.T and map[main.K]*main.V`:                                      `[]T and map[K]*V`,
		`undefined: domain.X in "main.go"`:                                     `undefined: domain.X in "main.go"`,
	} {
		if got := clean(in); got != want {
			t.Errorf("clean(%q) is %q; want %q", in, got, want)
		}
	}
}
