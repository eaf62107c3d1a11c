package main

import (
	"fmt"
)

type T struct{ n int }

func (t T) String() string { return fmt.Sprintf("T<%d>", t.n) }

type PT struct{ n int }

func (t *PT) String() string { return "PT!" }

type W struct {
	A T
	B *T
	C []T
	D map[string]T
	e T
}

func main() {
	t := T{3}
	fmt.Println(t, &t, []T{{1}, {2}}, map[string]T{"a": {1}}, [1]T{{4}}, struct{ X T }{t})
	fmt.Println(PT{1}, &PT{1}, []PT{{1}}, []*PT{{2}}[0])
	fmt.Println(W{A: t, B: &t, C: []T{t}, D: map[string]T{"k": t}, e: t}.A)
	fmt.Printf("%v %+v %s %d %q %x\n", t, t, t, t, t, t)
	w := W{A: t, C: []T{t}, D: map[string]T{"k": t}, e: t}
	fmt.Printf("%v\n%+v\n", w, w)
	var s fmt.Stringer = t
	fmt.Println(s, s.String())
	fmt.Println(fmt.Sprint(t, t), fmt.Sprint("a", t, "b", 1, 2, "c"))
	var nilT *T
	fmt.Println(nilT == nil)

}

// Output:
// T<3> T<3> [T<1> T<2>] map[a:T<1>] [T<4>] {T<3>}
// {1} PT! [{1}] PT!
// T<3>
// T<3> T<3> T<3> {3} "T<3>" 543c333e
// {T<3> <nil> [T<3>] map[k:T<3>] {3}}
// {A:T<3> B:<nil> C:[T<3>] D:map[k:T<3>] e:{n:3}}
// T<3> T<3>
// T<3> T<3> aT<3>b1 2c
// true
