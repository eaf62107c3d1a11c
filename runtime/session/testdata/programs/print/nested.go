package main

import (
	"errors"
	"fmt"
)

type Inner struct {
	A []int
	M map[string]bool
}
type Outer struct {
	Inner
	P *Inner
	I any
	E error
	F func()
}

func main() {
	o := Outer{Inner: Inner{[]int{1}, map[string]bool{"x": true}}, I: Inner{}, E: errors.New("e")}
	fmt.Printf("%v\n%+v\n", o, o)
	fmt.Printf("%v %+v\n", []any{Inner{}, 1, "s", nil, []string{"a"}}, map[string]any{"k": Inner{A: []int{2}}})
	fmt.Printf("%q %v %x %X\n", []string{"a b", "c"}, [3]bool{true}, "hi", []byte("hi"))
	fmt.Printf("%08b %o %#x %#o %+.2e %6.3g|%-6d|%06d|%x\n", 37, 8, 255, 8, 12345.678, 3.14159, 42, -42, -255)
	fmt.Printf("%s %d %v\n", 42, "str", struct{}{})
	fmt.Printf("%d %s\n", 1)
	fmt.Printf("%d\n", 1, 2)
	fmt.Printf("%z %!\n", 3)
	fmt.Println(fmt.Sprintf("%[3]*.[2]*[1]f|", 12.0, 2, 6), fmt.Sprintf("%v %v", 1e6, 1e-7), fmt.Sprintf("%5t|%-7t|", true, false))
	fmt.Printf("%c %U %#U %q\n", 0x4E16, '⌘', '⌘', 'x')
	fmt.Printf("%6.2f%%|%+v|%v\n", 99.5, -0.0, []float64{1, 2.5, 1e21})

}

// Output:
// {{[1] map[x:true]} <nil> {[] map[]} e <nil>}
// {Inner:{A:[1] M:map[x:true]} P:<nil> I:{A:[] M:map[]} E:e F:<nil>}
// [{[] map[]} 1 s <nil> [a]] map[k:{A:[2] M:map[]}]
// ["a b" "c"] [true false false] 6869 6869
// 00100101 10 0xff 010 +1.23e+04   3.14|42    |-00042|-ff
// %!s(int=42) %!d(string=str) {}
// 1 %!s(MISSING)
// 1
// %!(EXTRA int=2)%!z(int=3) %!!(MISSING)
//  12.00| 1e+06 1e-07  true|false  |
// 世 U+2318 U+2318 '⌘' 'x'
//  99.50%|0|[1 2.5 1e+21]
