package main

import (
	"fmt"
)

type Bit uint

const (
	A Bit = 1 << iota
	B
	C
	All = A | B | C
)

type Temp float32

const Freezing, Boiling Temp = 0, 100
const (
	_ = iota
	one
	two = iota * 10
	three
	s = "x"
	t
	six = iota
)
const huge = 1 << 200 >> 198

type Name string

const Anon Name = "anon"

func (n Name) Hi() string    { return "hi " + string(n) }
func (b Bit) Has(o Bit) bool { return b&o == o }
func main() {
	fmt.Println(A, B, C, All, All.Has(B), A.Has(C), one, two, three, s, t, six, huge)
	fmt.Printf("%T %T %T %v\n", All, Boiling, Anon, Anon.Hi())
	const local = len("four") + 1
	var arr [local]int
	fmt.Println(len(arr), Boiling-Freezing/2, Temp(37.5) > Freezing)
	x := 5
	fmt.Println(x<<A, float64(x)/2, x/2, 1/2.0, 7.0/2, -x%3, uint8(x)<<7, x&^1, x^3)

}

// Output:
// 1 2 4 7 true false 1 20 30 x x 6 4
// main.Bit main.Temp main.Name hi anon
// 5 100 true
// 10 2.5 2 0.5 3.5 -2 128 4 6
