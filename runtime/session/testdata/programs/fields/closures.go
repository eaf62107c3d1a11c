package main

import (
	"fmt"
	"strings"
)

type Button struct {
	Label   string
	OnClick func(string) int
	hooks   []func()
}
type Plugin struct {
	Name string
	Init func(*Ctx) error
	Run  func(ctx *Ctx, args ...string) (string, error)
}
type Ctx struct {
	vals map[string]any
	log  []string
}

func (c *Ctx) Log(f string, a ...any) { c.log = append(c.log, fmt.Sprintf(f, a...)) }
func main() {
	n := 0
	b := Button{Label: "ok", OnClick: func(s string) int { n += len(s); return n }}
	b.hooks = append(b.hooks, func() { n *= 2 }, func() { n++ })
	fmt.Println(b.OnClick("abc"), b.OnClick("d"))
	for _, h := range b.hooks {
		h()
	}
	fmt.Println(n, b.OnClick != nil)
	ctx := &Ctx{vals: map[string]any{}}
	ps := []Plugin{
		{Name: "a", Init: func(c *Ctx) error { c.vals["a"] = 1; return nil }, Run: func(c *Ctx, args ...string) (string, error) {
			c.Log("a ran %d %v", len(args), c.vals["a"])
			return strings.Join(args, "+"), nil
		}},
		{Name: "b", Run: func(c *Ctx, args ...string) (string, error) { return "", fmt.Errorf("b failed with %q", args) }},
	}
	for _, p := range ps {
		if p.Init != nil {
			if err := p.Init(ctx); err != nil {
				fmt.Println(err)
			}
		}
		out, err := p.Run(ctx, "x", p.Name)
		fmt.Println(p.Name, out, err)
	}
	fmt.Println(ctx.log)
	m := map[string]struct{ f func(...int) int }{"sum": {func(xs ...int) (t int) {
		for _, x := range xs {
			t += x
		}
		return
	}}}
	fmt.Println(m["sum"].f(1, 2, 3), m["sum"].f())

}

// Output:
// 3 4
// 9 true
// a x+a <nil>
// b  b failed with ["x" "b"]
// [a ran 2 1]
// 6 0
