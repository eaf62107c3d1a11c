package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

type Shape struct {
	Kind string    `json:"kind"`
	Dims []float64 `json:"dims,omitempty"`
}
type T struct {
	ID    int64           `json:"id,string"`
	S     *Shape          `json:"s"`
	Raw   json.RawMessage `json:"raw"`
	M     map[string]Shape
	When  time.Time `json:"when"`
	Any   any
	Iface []any
	B     []byte
	priv  int
	E     struct{} `json:"e"`
	Arr   [2]bool
	F     float64 `json:",omitempty"`
}

func main() {
	t := T{ID: 5, S: &Shape{"sq", []float64{1}}, Raw: json.RawMessage(`{"a":1}`), M: map[string]Shape{"z": {"c", nil}}, When: time.Date(2020, 1, 2, 3, 4, 5, 0, time.UTC), Any: Shape{"any", nil}, Iface: []any{1, "x", nil, Shape{}}, B: []byte("hi")}
	b, err := json.Marshal(t)
	fmt.Println(string(b), err)
	var u T
	fmt.Println(json.Unmarshal(b, &u))
	fmt.Println(u.ID, u.S.Kind, u.S.Dims, string(u.Raw), u.M, u.When.Year(), u.Any, u.Iface, string(u.B))
	var ps []*Shape
	fmt.Println(json.Unmarshal([]byte(`[{"kind":"a"},null]`), &ps), len(ps), ps[0].Kind, ps[1] == nil)
	dec := json.NewDecoder(strings.NewReader(`{"kind":"1"} {"kind":"2"}`))
	for {
		var s Shape
		if err := dec.Decode(&s); err == io.EOF {
			break
		} else if err != nil {
			fmt.Println(err)
			break
		}
		fmt.Println(s.Kind)
	}
	enc := json.NewEncoder(os.Stdout)
	enc.SetIndent("", " ")
	enc.Encode(Shape{"k", []float64{1, 2}})
	dec = json.NewDecoder(strings.NewReader(`{"nope":1}`))
	dec.DisallowUnknownFields()
	var s Shape
	fmt.Println(dec.Decode(&s))
	var m map[string]any
	json.Unmarshal([]byte(`{"a":[1,{"b":null}],"c":1.5e3}`), &m)
	fmt.Println(m, m["a"].([]any)[0].(float64))
	_, err = json.Marshal(map[string]any{"f": func() {}})
	fmt.Println(err)
	_, err = json.Marshal(make(chan int))
	fmt.Println(err)
	var se *json.SyntaxError
	fmt.Println(errors.As(json.Unmarshal([]byte(`{x`), &m), &se), se.Offset)

}

// Output:
// {"id":"5","s":{"kind":"sq","dims":[1]},"raw":{"a":1},"M":{"z":{"kind":"c"}},"when":"2020-01-02T03:04:05Z","Any":{"kind":"any"},"Iface":[1,"x",null,{"kind":""}],"B":"aGk=","e":{},"Arr":[false,false]} <nil>
// <nil>
// 5 sq [1] {"a":1} map[z:{c []}] 2020 map[kind:any] [1 x <nil> map[kind:]] hi
// <nil> 2 a true
// 1
// 2
// {
//  "kind": "k",
//  "dims": [
//   1,
//   2
//  ]
// }
// json: unknown field "nope"
// map[a:[1 map[b:<nil>]] c:1500] 1
// json: unsupported type: func()
// json: unsupported type: chan int
// true 2
