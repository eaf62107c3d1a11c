package main

import (
	"encoding/json"
	"fmt"
)

type P struct {
	X, Y int
	Name string `json:"name"`
}

func main() {
	b, err := json.Marshal(map[string]P{"p": {1, 2, "n"}})
	fmt.Println(string(b), err)
	var m map[string]P
	fmt.Println(json.Unmarshal(b, &m), m["p"].Name, m)

}

// Output:
// {"p":{"X":1,"Y":2,"name":"n"}} <nil>
// <nil> n map[p:{1 2 n}]
