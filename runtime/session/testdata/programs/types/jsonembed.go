package main

import (
	"encoding/json"
	"fmt"
)

type Base struct {
	ID int `json:"id"`
}
type Doc struct {
	Base
	Title string `json:"title"`
	Meta  struct {
		Lang string `json:"lang"`
	} `json:"meta"`
}

func main() {
	d := Doc{Base: Base{7}, Title: "T"}
	d.Meta.Lang = "en"
	b, _ := json.Marshal([]Doc{d})
	fmt.Println(string(b))
	var ds []Doc
	fmt.Println(json.Unmarshal(b, &ds), ds[0].ID, ds[0].Meta.Lang)

}

// Output:
// [{"id":7,"title":"T","meta":{"lang":"en"}}]
// <nil> 7 en
