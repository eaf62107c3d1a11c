package main

import (
	"fmt"
)

type Op int

const (
	Add Op = iota + 1
	Sub
	Mul
)

func (o Op) Apply(a, b int) (r int, err error) {
	switch o {
	case Add:
		r = a + b
	case Sub:
		r = a - b
	case Mul:
		r = a * b
	default:
		err = fmt.Errorf("unknown op %d", o)
	}
	return
}
func main() {
	for _, o := range []Op{Add, Sub, Mul, 9} {
		fmt.Println(o.Apply(6, 3))
	}
	fmt.Printf("%v %T %d\n", Add, Sub, []Op{Mul})

}

// Output:
// 9 <nil>
// 3 <nil>
// 18 <nil>
// 0 unknown op 9
// 1 main.Op [3]
