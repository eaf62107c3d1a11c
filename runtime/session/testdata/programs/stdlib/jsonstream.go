package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strings"
)

type Msg struct {
	Type string          `json:"type"`
	Data json.RawMessage `json:"data"`
}
type Point struct{ X, Y int }
type Text struct {
	S string `json:"s"`
}

func main() {
	in := `{"type":"point","data":{"X":1,"Y":2}}
{"type":"text","data":{"s":"hi"}}
{"type":"other","data":null}`
	dec := json.NewDecoder(strings.NewReader(in))
	for dec.More() {
		var m Msg
		if err := dec.Decode(&m); err != nil {
			fmt.Println(err)
			break
		}
		switch m.Type {
		case "point":
			var p Point
			json.Unmarshal(m.Data, &p)
			fmt.Println("point", p)
		case "text":
			t := new(Text)
			json.Unmarshal(m.Data, t)
			fmt.Println("text", *t)
		default:
			fmt.Println("unknown", m.Type, string(m.Data))
		}
	}
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	enc.Encode(map[string]any{"html": "<b>", "n": 1.0, "p": Point{3, 4}, "l": []Text{{"a"}}})
	fmt.Print(out.String())
	var anyv any
	json.Unmarshal([]byte(`[1,"a",{"k":[true,null]}]`), &anyv)
	for _, e := range anyv.([]any) {
		switch e := e.(type) {
		case float64:
			fmt.Println("num", e)
		case string:
			fmt.Println("str", e)
		case map[string]any:
			fmt.Println("obj", len(e), e["k"])
		}
	}

}

// Output:
// point {1 2}
// text {hi}
// unknown other null
// {"html":"<b>","l":[{"s":"a"}],"n":1,"p":{"X":3,"Y":4}}
// num 1
// str a
// obj 1 [true <nil>]
