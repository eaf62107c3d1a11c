package main

import (
	"fmt"
)

func main() {
	p := struct{ X, Y int }{3, 4}
	q := &struct{ p struct{ X, Y int } }{p}
	q.p.X++
	fmt.Printf("%v %+v %v\n", p, *q, []struct{ a any }{{1}, {"s"}})

}

// Output:
// {3 4} {p:{X:4 Y:4}} [{1} {s}]
