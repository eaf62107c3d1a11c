package main

import (
	"fmt"
)

type Acc struct{ t int }

func (a *Acc) Add(n int) *Acc { a.t += n; return a }
func (a Acc) Total() int      { return a.t }
func main() {
	a := &Acc{}
	add, total := a.Add, a.Total
	add(1)
	add(2)
	fmt.Println(a.Total(), total(), (*Acc).Total(a), Acc.Total(*a))
	for _, f := range []func(int) *Acc{a.Add, (&Acc{100}).Add} {
		fmt.Print(f(5).t, " ")
	}
	fmt.Println()

}

// Output:
// 3 0 3 3
// 8 105
