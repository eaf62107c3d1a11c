package main

import (
	"fmt"
)

func sum(base int, xs ...int) int {
	for _, x := range xs {
		base += x
	}
	return base
}
func show(args ...any) string           { return fmt.Sprint(len(args), args) }
func wrap(f string, args ...any) string { return "<" + fmt.Sprintf(f, args...) + ">" }

type L struct{ pre string }

func (l L) Logf(f string, a ...any) { fmt.Printf(l.pre+f+"\n", a...) }
func opts(os ...func(*L)) L {
	l := L{}
	for _, o := range os {
		o(&l)
	}
	return l
}
func mod(xs ...int) {
	if len(xs) > 0 {
		xs[0] = 100
	}
}
func main() {
	fmt.Println(sum(1), sum(1, 2, 3), sum(0, []int{4, 5}...))
	fmt.Println(show(), show(nil), show(1, "a", nil), show([]any{1, 2}...), show([]int{1}))
	fmt.Println(wrap("%d-%s", 1, "x"), wrap("none"))
	L{"> "}.Logf("%v %v", 1, []string{"a"})
	fmt.Println(opts(func(l *L) { l.pre = "A" }, func(l *L) { l.pre += "B" }))
	s := []int{1, 2}
	mod(s...)
	fmt.Println(s)
	f := sum
	fmt.Println(f(1, 2), func(a ...string) int { return len(a) }("x", "y"))
	pf := fmt.Sprintf
	fmt.Println(pf("%03d", 7))
	m := L{"m "}.Logf
	m("%d", 5)
	defer L{"deferred "}.Logf("%d %d", 1, 2)

}

// Output:
// 1 6 9
// 0 [] 1 [<nil>] 3 [1 a <nil>] 2 [1 2] 1 [[1]]
// <1-x> <none>
// > 1 [a]
// {AB}
// [100 2]
// 3 2
// 007
// m 5
// deferred 1 2
