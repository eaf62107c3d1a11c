package main

import (
	"fmt"
)

func main() {
	pt := struct{ X, Y int }{1, 2}
	fmt.Printf("%v %+v %T\n", pt, pt, pt)
	tests := []struct {
		in   string
		want int
	}{{"a", 1}, {"bb", 2}}
	for _, tc := range tests {
		fmt.Println(tc.in, len(tc.in) == tc.want)
	}
	m := map[struct{ a, b int }]string{{1, 2}: "x"}
	fmt.Println(m[struct{ a, b int }{1, 2}], m)
	var cfg struct {
		Host string
		Opts struct{ TLS bool }
	}
	cfg.Opts.TLS = true
	fmt.Printf("%+v\n", cfg)
	type P struct{ X, Y int }
	p := P(pt)
	fmt.Println(p == P{1, 2})

}

// Output:
// {1 2} {X:1 Y:2} struct { X int; Y int }
// a true
// bb true
// x map[{1 2}:x]
// {Host: Opts:{TLS:true}}
// true
