package session

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"
)

func newTestSession(t *testing.T) *Session {
	t.Helper()
	s, err := New(Config{Packages: testPackages(), Preset: map[string]string{
		"fmt": "fmt", "errors": "errors", "slices": "slices", "strings": "strings", "strconv": "strconv", "time": "time", "os": "os", "maps": "maps",
		"data": "tunebook/stdlib/data",
	}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// result is what a person sees of a cell: what it printed, what its value shows, why it stopped, what it notes.
func result(r Result) string {
	var parts []string
	if r.Output != "" {
		parts = append(parts, strings.TrimRight(r.Output, " \n"))
	}
	if r.Text != "" {
		parts = append(parts, "="+r.Text)
	}
	if r.Err != nil {
		msg, _, _ := strings.Cut(r.Err.Error(), "\n  | ")
		parts = append(parts, "! "+msg)
	}
	for _, n := range r.Notes {
		parts = append(parts, "note: "+n)
	}
	return strings.Join(parts, " / ")
}

// TestCells runs sessions of several cells, named 1, 2 and so on. What each cell must give stands behind "=>", the last
// line of the cell. The first part is the table of what the interpreter by itself gets wrong.
func TestCells(t *testing.T) {
	for _, c := range []struct{ name, cells string }{
		{"a func declared again is seen by those who call it", `
func f() int { return 1 }
func g() int { return f() }
g()
=> =1
func f() int { return 2 }
g()
=> =2`},
		{"a method declared again", `
type T struct{ A int }
func (t T) Get() int { return t.A }
x := T{5}
x.Get()
=> =5
func (t T) Get() int { return t.A * 10 }
=>
x.Get()
=> =50`},
		{"a method declared again is seen by a func", `
type T struct{ A int }
func (t *T) Get() int { return t.A }
func use(t *T) int { return t.Get() }
=>
func (t *T) Get() int { return -t.A }
use(&T{4})
=> =-4`},
		{"a type declared again", `
type C struct{ A int }
x := C{1}
=>
type C struct{ A, B int }
C{B: 2}.B
=> =2
x
=> =C{A: 1}
x.B
=> ! 4:1:3: x.B undefined (type C (the old one) has no field or method B)
var z C = x
=> ! 5:1:11: cannot use x (variable of struct type C (the old one)) as C value in variable declaration
x := C{3, 4}
x.B
=> =4`},
		{"a type declared again under its methods and what is built on it", `
type C struct{ A int }
func (c C) Get() int { return c.A }
type L []C
l := L{{1}}
func first(l L) int { return l[0].Get() }
first(l)
=> =1
type C struct{ A, B int }
first(L{{2, 3}})
=> =2
first(l)
=> ! 3:1:7: cannot use l (variable of slice type L (the old one)) as L value in argument to first
l[0].Get()
=> =1`},
		{"closures over the loop variable", `
var fs []func() int
for i := 0; i < 3; i++ { fs = append(fs, func() int { return i }) }
for _, v := range []int{7, 8} { fs = append(fs, func() int { return v }) }
for _, f := range fs { fmt.Print(f(), " ") }
=> 0 1 2 7 8`},
		{"range over a number, min, max", `
n := 0
for i := range 4 { n += i }
[]int{n, min(3, 2), max(3, 2)}
=> =[6, 2, 3]`},
		{"range over a func", `
seq := func(yield func(int) bool) {
	for i := 0; i < 5; i++ {
		if !yield(i) { return }
	}
}
for x := range seq {
	if x == 3 { break }
	fmt.Print(x, " ")
}
=> 0 1 2`},
		{"generic functions of the library", `
x := []int{3, 1, 2}
slices.Sort(x)
slices.SortFunc(x, func(a, b int) int { return b - a })
y := slices.Sorted(maps.Keys(map[string]int{"b": 1, "a": 2}))
fmt.Println(x, y, slices.Contains(x, 2), slices.Index(x, 1))
=> [3 2 1] [a b] true 2`},
		{"a generic func of the script", `
func Map[T, U any](xs []T, f func(T) U) []U {
	var out []U
	for _, x := range xs { out = append(out, f(x)) }
	return out
}
Map([]int{1, 2}, func(i int) string { return fmt.Sprint("n", i) })
=> =["n1", "n2"]`},
		{"import and statement in one cell", `
import "math"
math.Sqrt(4)
=> =2
import "math"
=>
// a comment first
import (
	"math"
	"sort"
)
func neg(x float64) float64 { return -x }
sort.SearchInts([]int{1, 2}, 2) + int(neg(math.Abs(-1)))
=> =0`},
		{"an undefined name is found before anything runs", `
p := 1
q := undefinedX
=> ! 1:2:6: undefined: undefinedX
p
=> ! 2:1:1: undefined: p`},
		{"the error of a last expression", `
strconv.Atoi("x")
=> ! 1:1:1: strconv.Atoi: parsing "x": invalid syntax
strconv.Atoi("12")
=> =12
_, err := strconv.Atoi("x")
=>
err.Error()
=> ="strconv.Atoi: parsing \"x\": invalid syntax"`},
		{"a compiled function panics", `
a := 1

data.New("s", nil).Row(a)
=> ! 1:3:1: data.Row: s: row 1; there are 0, from 0`},
		{"a callback of a compiled function panics", `
set := data.New("s", []data.Example{{Prompt: "p"}})
set.Where(func(e data.Example) bool {
	var m map[string]int
	m["x"] = 1
	return true
})
=> ! 1:4:2: panic: assignment to entry in nil map`},
		{"a goroutine panics", `
done := make(chan bool)
go func() {
	defer close(done)
	panic("x")
}()
<-done
time.Sleep(time.Second)
=> ! 1:4:2: panic in a goroutine: x
1
=> =1`},
		{"a type switch at the top, with a script's own types", `
type E struct{ N int }
func (e *E) Error() string { return fmt.Sprint("E", e.N) }
var v any = error(&E{3})
switch x := v.(type) {
case string: fmt.Println("string", x)
case *E: fmt.Println("*E", x.N)
case error: fmt.Println("error", x)
}
=> *E 3`},
		{"errors.As and wrapping with a script's type", `
type E struct{ N int }
func (e *E) Error() string { return fmt.Sprint("E", e.N) }
err := fmt.Errorf("outer: %w", &E{3})
var e *E
fmt.Println(errors.As(err, &e), e.N, err)
=> true 3 outer: E3`},
		{"print of a type that prints itself", `
type C int
func (c C) String() string { return "C!" }
fmt.Println(C(1), []C{1}[0])
C(2)
=> C! C! / =C!`},
		{"comma ok, assertion, shadowing at the top", `
m := map[string]int{"a": 1}
v, ok := m["a"]
w, no := m["b"]
fmt.Println(v, ok, w, no)
i := 7
for i := 0; i < 3; i++ {}
for i := range 2 { for i := range 2 { _ = i }; i := i; _ = i }
i
=> 1 true 0 false / =7`},
		{"defer takes its arguments now", `
func f() (s string) {
	x := 1
	defer func(n int) { s = fmt.Sprint(n) }(x)
	x = 2
	return "no"
}
f()
=> ="1"`},
		{"break out of a select by label", `
c := make(chan int, 1)
c <- 1
n := 0
loop:
for {
	select {
	case <-c: n++
	default: break loop
	}
}
n
=> =1`},

		{"a failing statement defines nothing, those before it do", `
a := 1
b := []int{}[a]
c := 2
=> ! 1:2:1: panic: index out of range
a
=> =1
b
=> ! 3:1:1: undefined: b`},
		{"a variable of another type under the same name", `
x := 1
func f() int { return x }
=>
x := "now text"
x
=> ="now text"
f()
=> =1 / note: f no longer fits (cannot use x (variable of type string) as int value in return statement) and stays as it was`},
		{"an error inside a func names its line and who called", `
func inner(xs []int) int {
	return xs[3]
}
func outer() int {
	return inner(nil)
}
=>
outer()
=> ! 1:2:2: panic: index out of range [3] with length 0`},
		{"a value of the engine in a variable", `
set := data.New("s", []data.Example{{Prompt: "p", Answer: "a"}})
rows := set.Rows()
first := rows[0]
ms := first.Refs
for _, r := range rows { fmt.Println(r.Prompt, len(ms)) }
first.Answer
=> p 0 / ="a"`},
		{"too deep", `
func f(n int) int { return f(n+1) + 1 }
f(0)
=> ! 1:2:1: panic: stack overflow: the calls are too deep; does a function call itself without end?
"alive"
=> ="alive"`},
		{"thirty cells with errors in them", `
x := 1
=>
x + y
=> ! 2:1:5: undefined: y
y := x + 1
y
=> =2
type P struct { Name string; Age int }
=>
ps := []P{{"Ann", 30}, {"Bob", 25}}
len(ps)
=> =2
ps[5].Name
=> ! 6:1:1: panic: index out of range [5] with length 2
func older(p P) P { p.Age++; return p }
older(ps[0])
=> =P{Name: "Ann", Age: 31}
ps[0].Age
=> =30
func (p *P) Birthday() { p.Age++ }
ps[1].Birthday()
ps[1]
=> =P{Name: "Bob", Age: 26}
func (p P) String() string { return p.Name + "!" }
ps[0]
=> =Ann!
var s fmt.Stringer = ps[0]
s.String()
=> ="Ann!"
func (p P) String() string { return "<" + p.Name + ">" }
fmt.Println(s, ps)
=> <Ann> [<Ann> <Bob>]
total := 0
for _, p := range ps { total += p.Age }
total
=> =56
m := map[string]int{}
m["a"]++
m["b"] = strconv.Itoa(3)
=> ! 14:3:10: cannot use strconv.Itoa(3) (value of type string) as int value in assignment
len(m)
=> ! 15:1:5: undefined: m
m := map[string]int{"a": 1}
delete(m, "a")
len(m)
=> =0
n, err := strconv.Atoi("12x")
err != nil
=> =true
strconv.Atoi("12x")
=> ! 18:1:1: strconv.Atoi: parsing "12x": invalid syntax
func safe(f func()) (err error) {
	defer func() { if r := recover(); r != nil { err = fmt.Errorf("caught %v", r) } }()
	f()
	return nil
}
safe(func() { panic("x") })
=> ! 19:6:1: caught x
safe(func() {})
=>
c := make(chan int)
go func() { for i := range 3 { c <- i }; close(c) }()
got := []int{}
for v := range c { got = append(got, v) }
got
=> =[0, 1, 2]
fs := []func() int{}
for i := range 3 { fs = append(fs, func() int { total += i; return total }) }
=>
fs[2](), fs[1]()
=> ! 23:1:1: expected 1 expression
fs[2]() + fs[1]()
=> =117
x := "text"
x
=> ="text"
y + 1
=> =3
type P struct { Name string; Tags []string }
P{"New", nil}
=> =<New> / note: older no longer fits (p.Age undefined (type P has no field or method Age)) and is gone / note: P.Birthday no longer fits (p.Age undefined (type *P has no field or method Age)) and is gone
ps[0].Tags
=> ! 28:1:7: ps[0].Tags undefined (type P (the old one) has no field or method Tags)
slices.Max([]int{3, 9, 2})
=> =9
func gen[T any](n int, v T) []T { return slices.Repeat([]T{v}, n) }
gen(2, P{Name: "g"})
=> =[<g>, <g>]
for i := range 3 { if i == 2 { break }; fmt.Print(i, " ") }
=> 0 1
older(P{"Q", nil})
=> ! 32:1:1: undefined: older
var e error = fmt.Errorf("wrap: %w", os.ErrNotExist)
errors.Is(e, os.ErrNotExist)
=> =true
panic(P{"boom", nil})
=> ! 34:1:1: panic: <boom>
x + "!"
=> ="text!"`},
		{"flags", `
import "flag"
fs := flag.NewFlagSet("s", flag.ExitOnError)
n := fs.Int("n", 1, "")
if err := fs.Parse([]string{"-n", "4"}); err != nil { panic(err) }
*n
=> =4
fs.Parse([]string{"-x"})
=> flag provided but not defined: -x
Usage of s:
  -n int
    	 (default 1) / ! 2:1:1: flag provided but not defined: -x`},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := newTestSession(t)
			n, src, want := 0, "", ""
			inWant := false
			flush := func() {
				if !inWant {
					return
				}
				n++
				ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
				defer cancel()
				got := result(s.Eval(ctx, fmt.Sprint(n), src))
				if want = strings.TrimRight(want, "\n"); got != want {
					t.Errorf("cell %d\n%s\ngot  %s\nwant %s", n, src, got, want)
				}
				src, want, inWant = "", "", false
			}
			lines := strings.Split(strings.TrimPrefix(c.cells, "\n"), "\n")
			for i, l := range lines {
				if w, ok := strings.CutPrefix(l, "=>"); ok {
					want, inWant = strings.TrimPrefix(w, " ")+"\n", true
				} else if inWant && strings.HasPrefix(lines[i-1], "=> flag") || inWant && strings.HasPrefix(l, " ") || inWant && strings.HasPrefix(l, "Usage") {
					want += l + "\n"
				} else {
					flush()
					src += l + "\n"
				}
			}
			flush()
			if n == 0 {
				t.Fatal("no cells")
			}
		})
	}
}
