package main

import (
	"fmt"
	"reflect"
)

type T struct {
	A int    `json:"a,omitempty" db:"col_a"`
	B string `json:"b"`
	c bool
}

func main() {
	t := reflect.TypeOf(T{})
	for i := range t.NumField() {
		f := t.Field(i)
		fmt.Println(f.Name, f.Type, f.Tag.Get("json"), f.Tag.Get("db"))
	}
	fmt.Println(t.Name(), t.Kind(), t.NumField(), t)

}

// Output:
// A int a,omitempty col_a
// B string b
// c bool
// T struct 3 main.T
