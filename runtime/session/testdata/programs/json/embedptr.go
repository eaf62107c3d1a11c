package main

import (
	"encoding/json"
	"fmt"
)

type Base struct {
	ID   int    `json:"id"`
	Kind string `json:"kind,omitempty"`
}
type Item struct {
	*Base
	Name   string          `json:"name"`
	Next   *Item           `json:"next,omitempty"`
	Opts   map[string]*Opt `json:"opts,omitempty"`
	hidden int
}
type Opt struct {
	On bool `json:"on"`
	V  any  `json:"v"`
}

func main() {
	it := Item{Base: &Base{ID: 1}, Name: "a", Next: &Item{Base: &Base{2, "k"}, Name: "b"}, Opts: map[string]*Opt{"o": {true, []int{1}}}}
	b, err := json.Marshal(it)
	fmt.Println(string(b), err)
	var back Item
	err = json.Unmarshal(b, &back)
	fmt.Println(err, back.Name, back.Opts["o"].On, back.Opts["o"].V)
	type L struct {
		V    int
		Next *L
	}
	l := &L{1, &L{2, nil}}
	b, _ = json.Marshal(l)
	fmt.Println(string(b))
	var lb L
	fmt.Println(json.Unmarshal([]byte(`{"V":5,"Next":{"V":6,"Next":{"V":7}}}`), &lb), lb.V, lb.Next.V, lb.Next.Next.V, lb.Next.Next.Next == nil)
	var arr [2]Opt
	fmt.Println(json.Unmarshal([]byte(`[{"on":true},{"v":"x"},{"on":true}]`), &arr), arr)
	var ms map[string][]Opt
	fmt.Println(json.Unmarshal([]byte(`{"a":[{"on":true}],"b":null}`), &ms), ms)

}

// Output:
// {"id":1,"name":"a","next":{"id":2,"kind":"k","name":"b"},"opts":{"o":{"on":true,"v":[1]}}} <nil>
// <nil> a true [1]
// {"V":1,"Next":{"V":2,"Next":null}}
// <nil> 5 6 7 true
// <nil> [{true <nil>} {false x}]
// <nil> map[a:[{true <nil>}] b:[]]
