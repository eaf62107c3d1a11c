package main

import (
	"encoding/json"
	"fmt"
)

func main() {
	p := struct {
		Name string
		Addr struct {
			City string
			Zip  [2]int
		}
	}{Name: "x"}
	p.Addr.City = "c"
	p.Addr.Zip[1] = 5
	q := p
	q.Addr.Zip[0] = 1
	fmt.Println(p, q, p == q)
	fmt.Printf("%+v %T\n", p.Addr, p.Addr)
	list := []struct {
		k string
		v any
	}{{"a", 1}, {"b", []int{2}}, {k: "c"}}
	for _, e := range list {
		fmt.Printf("%s=%v ", e.k, e.v)
	}
	fmt.Println()
	m := map[string]struct{ x, y int }{"o": {}, "p": {1, 2}}
	fmt.Println(m["p"].y, m["o"], len(m))
	f := func(o struct{ n int }) struct{ n int } { o.n *= 2; return o }
	fmt.Println(f(struct{ n int }{4}).n)
	b, _ := json.Marshal(struct {
		A int `json:"a"`
		B []string
	}{1, nil})
	fmt.Println(string(b))
	var e struct{}
	set := map[int]struct{}{1: e, 2: {}}
	_, ok := set[2]
	fmt.Println(len(set), ok)

}

// Output:
// {x {c [0 5]}} {x {c [1 5]}} false
// {City:c Zip:[0 5]} struct { City string; Zip [2]int }
// a=1 b=[2] c=<nil>
// 2 {0 0} 2
// 8
// {"a":1,"B":null}
// 2 true
