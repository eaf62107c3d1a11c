package main

import (
	"encoding/json"
	"fmt"
	"reflect"
)

type T struct {
	A int    `json:"a" xml:"x"`
	B string `json:"-"`
	C *int   `json:"c,omitempty"`
	D bool
}

func main() {
	b, _ := json.Marshal(T{A: 1, B: "hidden"})
	fmt.Println(string(b))
	f, ok := reflect.TypeOf(T{}).FieldByName("A")
	fmt.Println(f.Tag.Get("xml"), ok, f.Tag)

}

// Output:
// {"a":1,"D":false}
// x true json:"a" xml:"x"
