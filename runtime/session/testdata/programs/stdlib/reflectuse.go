package main

import (
	"fmt"
	"reflect"
)

type T struct {
	A int `k:"v"`
	B string
	C []float64
	d bool
}

func (T) M() {}
func main() {
	t := T{1, "b", nil, true}
	v := reflect.ValueOf(t)
	for i := range v.NumField() {
		f := v.Type().Field(i)
		if f.IsExported() {
			fmt.Println(f.Name, f.Type, v.Field(i).Interface())
		}
	}
	fmt.Println(reflect.TypeOf(t).Kind(), reflect.TypeOf(&t).Elem().Name(), reflect.DeepEqual([]int{1}, []int{1}), reflect.DeepEqual(t, T{1, "b", nil, true}))
	p := reflect.ValueOf(&t).Elem()
	p.Field(0).SetInt(42)
	p.FieldByName("B").SetString("set")
	fmt.Println(t.A, t.B, reflect.TypeOf(3.5), reflect.TypeOf("s").Kind() == reflect.String, reflect.ValueOf([]int{1, 2}).Len())
	fmt.Println(reflect.TypeOf(map[string][]int{}), reflect.TypeFor[error](), reflect.Zero(reflect.TypeOf(1)).Int())

}

// Output:
// A int 1
// B string b
// C []float64 []
// struct T true true
// 42 set float64 true 2
// map[string][]int error 0
