package main

import (
	"fmt"
	"io"
	"os"
	"text/template"
)

type User struct {
	Name  string
	Age   int
	Langs map[string]int
}

func main() {
	const tpl = `{{define "row"}}<{{.}}>{{end}}{{range .Users}}{{.Name | printf "%-5s"}}|{{if ge .Age 18}}adult{{else}}minor{{end}}{{with .Langs}}{{range $k, $v := .}} {{$k}}={{$v}}{{end}}{{end}}
{{end}}{{template "row" .Title}}{{len .Users}} {{index .Nums 1}} {{eq .Title "T"}} {{and true .Title}} {{not false}}
`
	t, err := template.New("t").Parse(tpl)
	if err != nil {
		fmt.Println(err)
		return
	}
	data := map[string]any{"Title": "T", "Nums": []int{4, 5}, "Users": []User{{"Ann", 30, map[string]int{"go": 5}}, {"Bo", 9, nil}}}
	if err := t.Execute(os.Stdout, data); err != nil {
		fmt.Println(err)
	}
	err = template.Must(template.New("e").Parse("{{.Missing.X}}")).Execute(io.Discard, struct{ A int }{1})
	fmt.Println(err != nil)

}

// Output:
// Ann  |adult go=5
// Bo   |minor
// <T>2 5 true T true
// true
