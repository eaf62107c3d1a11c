package main

import (
	"fmt"
)

type Row []string
type Table []Row
type Grid [2][2]int

func main() {
	t := Table{{"a", "b"}, Row{"c"}}
	t = append(t, []string{"d"})
	var raw [][]string
	for _, r := range t {
		raw = append(raw, r)
	}
	fmt.Println(t, raw, len(t[0]), cap(Row(nil)))
	g := Grid{{1, 2}, {3, 4}}
	h := [2][2]int(g)
	h[0][0] = 9
	fmt.Println(g, h, g == Grid(h))
	bs := []byte("xyz")
	str := string(bs)
	bs[0] = 'X'
	fmt.Println(str, string(bs), []byte(str)[0] == 'x')
	arr := [4]int{1, 2, 3, 4}
	sl := arr[1:3]
	sl[0] = 20
	p := (*[2]int)(sl)
	p[1] = 30
	fmt.Println(arr, sl, *p, [2]int(sl))
	var ifs []any
	for _, v := range []int{1, 2} {
		ifs = append(ifs, v)
	}
	fmt.Println(ifs...)
	fmt.Println(append([]any{"x"}, ifs...))

}

// Output:
// [[a b] [c] [d]] [[a b] [c] [d]] 2 0
// [[1 2] [3 4]] [[9 2] [3 4]] false
// xyz Xyz true
// [1 20 30 4] [20 30] [20 30] [20 30]
// 1 2
// [x 1 2]
