package main

import (
	"fmt"
)

type P struct {
	X int
	N *P
	M map[string]*int
}

func (p *P) String() string {
	if p == nil {
		return "nil P"
	}
	return fmt.Sprintf("P(%d)", p.X)
}

type Q struct {
	*P
	Name string
}

func main() {
	var np *P
	fmt.Println(np, &P{X: 1}, []*P{{X: 2}, nil})
	fmt.Printf("%v %s %+v\n", np, &P{X: 3}, Q{&P{X: 4}, "q"})
	fmt.Println(Q{&P{X: 5}, "embedded"})
	fmt.Printf("%t %v %p\n", np == nil, nil, nil)
	type R struct {
		A int
		B *int
	}
	fmt.Printf("%v %+v\n", R{A: 1}, &R{A: 2})

}

// Output:
// nil P P(1) [P(2) nil P]
// nil P P(3) P(4)
// P(5)
// true <nil> %!p(<nil>)
// {1 <nil>} &{A:2 B:<nil>}
