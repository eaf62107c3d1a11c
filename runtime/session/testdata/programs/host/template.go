package main

import (
	"fmt"
	"os"
	"strings"
	"text/template"
)

type Item struct {
	Name  string
	Price float64
	Tags  []string
}

func main() {
	t := template.Must(template.New("x").Funcs(template.FuncMap{"up": strings.ToUpper, "add": func(a, b int) int { return a + b }}).Parse("{{range $i, $e := .Items}}{{add $i 1}}. {{$e.Name | up}} {{printf \"%.2f\" $e.Price}}{{if $e.Tags}} [{{range $e.Tags}}{{.}},{{end}}]{{end}}\n{{else}}none{{end}}{{.Total}}\n"))
	err := t.Execute(os.Stdout, map[string]any{"Items": []Item{{"tea", 1.5, nil}, {"jam", 2, []string{"a", "b"}}}, "Total": 3})
	fmt.Println(err)
	err = t.Execute(os.Stdout, struct {
		Items []Item
		Total string
	}{nil, "zero"})
	fmt.Println(err)

}

// Output:
// 1. TEA 1.50
// 2. JAM 2.00 [a,b,]
// 3
// <nil>
// nonezero
// <nil>
