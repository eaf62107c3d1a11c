package main

import (
	"fmt"
	"time"
)

type Num interface{ Value() float64 }
type I int
type F float64

func (i I) Value() float64  { return float64(i) }
func (f *F) Value() float64 { return float64(*f) }
func sum(ns ...Num) (t float64) {
	for _, n := range ns {
		t += n.Value()
	}
	return
}
func asAny(n Num) any { return n }
func main() {
	f := F(2.5)
	ns := []Num{I(1), &f}
	fmt.Println(sum(ns...), sum(I(2)), sum())
	a := asAny(I(7))
	n, ok := a.(Num)
	fmt.Println(n.Value(), ok)
	_, ok = a.(interface{ Missing() })
	fmt.Println(ok)
	i, ok := a.(I)
	fmt.Println(i+1, ok)
	_, ok = a.(int)
	fmt.Println(ok)
	m := map[string]any{"n": Num(I(3)), "s": fmt.Stringer(time.Second)}
	fmt.Println(m["n"].(Num).Value(), m["s"])
	var e any = ns
	fmt.Println(len(e.([]Num)))
	fn := any(sum)
	fmt.Println(fn.(func(...Num) float64)(I(4)))
	func() { defer func() { fmt.Println(recover()) }(); _ = a.(fmt.Stringer) }()
	func() { defer func() { fmt.Println(recover()) }(); _ = a.(F) }()
	func() { defer func() { fmt.Println(recover()) }(); var x Num; _ = x.(I) }()

}

// Output:
// 3.5 2 0
// 7 true
// false
// 8 true
// false
// 3 1s
// 2
// 4
// interface conversion: main.I is not fmt.Stringer: missing method String
// interface conversion: interface {} is main.I, not main.F
// interface conversion: main.Num is nil, not main.I
