package main

import (
	"fmt"
)

type P struct {
	X int
	Y *int
	z []string
	m map[string]int
}

func main() {
	p := P{1, nil, []string{"a"}, map[string]int{"k": 2}}
	fmt.Printf("%v|%+v|%#v\n", p, p, p)
	fmt.Printf("%v|%+v|%#v\n", &p, &p, &p)
	fmt.Println(p, &p, []P{p}, []*P{nil}, map[string]P{"a": p})
	fmt.Printf("%5d|%-5d|%05d|%x|%X|%o|%b|%c|%q|%U|%e|%8.3f|%+d|%t|%s|%10s|%-10s|%q|%v|%p\n", 42, 42, 42, 255, 255, 8, 5, 'A', 'A', 'A', 1234.5, 3.14159, 5, true, "s", "right", "left", "quo\"te", nil, nil)
	fmt.Printf("%v %d %s\n", []byte("hi"), []byte("hi"), []byte("hi"))
	fmt.Printf("%6.2f|%-8v|%08.3f|%x|% x|%#x\n", 3.14159, "ab", -3.5, "hello", "hello", "hello")
	fmt.Printf("%!|%d %s\n", "str", 5)
	fmt.Printf("%[2]d %[1]d %d\n", 1, 2)
	fmt.Printf("%*d|%-*d|\n", 5, 1, 5, 2)

}

// Output:
// {1 <nil> [a] map[k:2]}|{X:1 Y:<nil> z:[a] m:map[k:2]}|main.P{X:1, Y:(*int)(nil), z:[]string{"a"}, m:map[string]int{"k":2}}
// &{1 <nil> [a] map[k:2]}|&{X:1 Y:<nil> z:[a] m:map[k:2]}|&main.P{X:1, Y:(*int)(nil), z:[]string{"a"}, m:map[string]int{"k":2}}
// {1 <nil> [a] map[k:2]} &{1 <nil> [a] map[k:2]} [{1 <nil> [a] map[k:2]}] [<nil>] map[a:{1 <nil> [a] map[k:2]}]
//    42|42   |00042|ff|FF|10|101|A|'A'|U+0041|1.234500e+03|   3.142|+5|true|s|     right|left      |"quo\"te"|<nil>|%!p(<nil>)
// [104 105] [104 105] hi
//   3.14|ab      |-003.500|68656c6c6f|68 65 6c 6c 6f|0x68656c6c6f
// %!!(string=str)|5 %!s(MISSING)
// 2 1 2
//     1|2    |
