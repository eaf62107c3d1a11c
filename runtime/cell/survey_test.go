package cell

import (
	"fmt"
	"strings"
	"testing"
)

// Needs of a cell: what defines or may change what it uses, through functions, methods and pointers, and nothing else.
func TestNeeds(t *testing.T) {
	const head = "package main\n\nimport (\n\t\"flag\"\n\t\"fmt\"\n\t\"os\"\n)\n\nvar total int\n\nfunc add(n int) { total += n }\n\ntype T struct{ n int }\n\nfunc (t *T) inc() { t.n++ }\n\nfunc (t T) get() int { return t.n }\n\nfunc main() {\n"
	for _, c := range []struct {
		name  string
		cells []string
		want  string // of the last cell
	}{
		{"a definition", []string{"x := 1", "y := 2; _ = y", "fmt.Println(x)"}, "[0 2]"},
		{"one that only reads a number", []string{"x := 1", "fmt.Println(x)", "fmt.Println(x)"}, "[0 2]"},
		{"an assignment", []string{"x := 1", "x = 2", "fmt.Println(x)"}, "[0 1 2]"},
		{"a map that is passed", []string{"m := map[int]int{}", "fmt.Println(len(m))", "fmt.Println(m)"}, "[0 1 2]"},
		{"a function that changes a variable of the file", []string{"fmt.Println(1)", "add(2)", "fmt.Println(total)"}, "[1 2]"},
		{"a closure", []string{"x := 1", "f := func() { x++ }", "f()", "fmt.Println(x)"}, "[0 1 2 3]"},
		{"a method by pointer", []string{"var t T", "t.inc()", "fmt.Println(t.get())"}, "[0 1 2]"},
		{"a method by value", []string{"var t T", "fmt.Println(t.get())", "fmt.Println(t.get())"}, "[0 2]"},
		{"an address", []string{"x := 1", "p := &x; *p = 4", "fmt.Println(x)"}, "[0 1 2]"},
		{"the process's state", []string{"os.Setenv(\"a\", \"b\")", "fmt.Println(1)", "fmt.Println(os.Getenv(\"a\"))"}, "[0 2]"},
		{"flags", []string{"n := flag.Int(\"n\", 3, \"\")", "fmt.Println(os.Args)", "flag.Parse()", "fmt.Println(*n)"}, "[0 2 3]"},
		{"a slice of an array", []string{"var a [3]int", "copy(a[:], []int{1})", "fmt.Println(a)"}, "[0 1 2]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			used := ""
			if !strings.Contains(strings.Join(c.cells, ""), "os.") {
				used += "\t_ = os.Args\n" // belongs to no cell below
			}
			if !strings.Contains(strings.Join(c.cells, ""), "flag.") {
				used += "\t_ = flag.Args\n"
			}
			src := head + used
			first := strings.Count(src, "\n") + 1
			src += "\t" + strings.Join(c.cells, "\n\t") + "\n}\n"
			v, err := newTestScope().SurveyFile("nb.go", src, len(c.cells), func(line int) int { return line - first })
			if err != nil {
				t.Fatal(err)
			}
			if got := fmt.Sprint(v.Needs([]int{len(c.cells) - 1})); got != c.want {
				t.Errorf("the program needs %s; want %s", got, c.want)
			}
		})
	}
}

// What is wrong in loose cells is told for all of them; what follows from a cell that is wrong is not.
func TestSurveyCellsErrors(t *testing.T) {
	_, err := newTestScope().SurveyCells([]Source{{"a", "x := nope"}, {"b", "x + 1"}, {"c", "y := 1; y +"}, {"d", "var z int = \"s\""}})
	if err == nil {
		t.Fatal("no error")
	}
	var got []string
	for _, e := range err.(Errors) {
		got = append(got, fmt.Sprintf("%s:%d:%d %s", e.Cell, e.Line, e.Col, e.Msg))
	}
	if s := strings.Join(got, "; "); !strings.HasPrefix(s, "a:1:6 undefined: nope; c:1:") || !strings.Contains(s, "; d:1:13 cannot use") || strings.Contains(s, "b:") {
		t.Errorf("the errors are %s", s)
	}
}
