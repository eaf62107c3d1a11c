package main

import (
	"encoding/json"
	"fmt"
)

type Addr struct {
	Street string `json:"street"`
	Zip    *int   `json:"zip,omitempty"`
}
type Person struct {
	Name   string   `json:"name"`
	Age    int      `json:"age"`
	Tags   []string `json:"tags"`
	Addr   `json:"addr"`
	secret string
	Extra  map[string]any `json:"extra,omitempty"`
	Skip   int            `json:"-"`
}

func main() {
	p := Person{Name: "Ann", Age: 30, Addr: Addr{Street: "Main"}, secret: "x", Skip: 3}
	b, err := json.Marshal(p)
	fmt.Println(string(b), err)
	var q Person
	err = json.Unmarshal([]byte(`{"name":"Bob","tags":["a","b"],"addr":{"street":"S","zip":9},"extra":{"k":1.5,"l":[1,"x",null]}}`), &q)
	fmt.Println(q.Name, q.Tags, q.Street, *q.Zip, q.Extra, err)
	b, _ = json.MarshalIndent(map[string]any{"b": 1, "a": []int{1, 2}}, "", "  ")
	fmt.Println(string(b))
	fmt.Println(json.Unmarshal([]byte(`{"age":"x"}`), &q))

}

// Output:
// {"name":"Ann","age":30,"tags":null,"addr":{"street":"Main"}} <nil>
// Bob [a b] S 9 map[k:1.5 l:[1 x <nil>]] <nil>
// {
//   "a": [
//     1,
//     2
//   ],
//   "b": 1
// }
// json: cannot unmarshal string into Go struct field Person.age of type int
