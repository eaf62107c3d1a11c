package main

import (
	"fmt"
	"strings"
)

type T struct{ n int }

func (t T) Val() int  { return t.n }
func (t *T) Ptr() int { t.n++; return t.n }

type I interface{ Val() int }

func main() {
	t := T{1}
	ms := map[string]func() int{"val": t.Val, "ptr": t.Ptr}
	t.n = 10
	fmt.Println(ms["val"](), ms["ptr"](), t.n)
	var i I = t
	f := i.Val
	i = T{99}
	fmt.Println(f(), i.Val())
	fs := []func(T) int{T.Val}
	fmt.Println(fs[0](T{7}))
	g := (*T).Ptr
	fmt.Println(g(&t), t.n)
	apply := func(f func() int) int { return f() + 1000 }
	fmt.Println(apply(t.Val), apply(T{5}.Val))
	defer fmt.Println("end", t.n)
	h := I.Val
	fmt.Println(h(T{3}))
	up := strings.NewReplacer("a", "b").Replace
	fmt.Println(up("banana"))

}

// Output:
// 1 11 11
// 11 99
// 7
// 12 12
// 1012 1005
// 3
// bbnbnb
// end 12
