package main

import (
	"fmt"
)

type Bus struct{ subs map[string][]func(any) }

func (b *Bus) On(t string, f func(any)) func() {
	if b.subs == nil {
		b.subs = map[string][]func(any){}
	}
	b.subs[t] = append(b.subs[t], f)
	i := len(b.subs[t]) - 1
	return func() { b.subs[t][i] = nil }
}
func (b *Bus) Emit(t string, v any) {
	for _, f := range b.subs[t] {
		if f != nil {
			f(v)
		}
	}
}
func main() {
	b := &Bus{}
	total := 0
	off := b.On("n", func(v any) { total += v.(int) })
	b.On("n", func(v any) { fmt.Println("got", v) })
	b.Emit("n", 5)
	off()
	b.Emit("n", 7)
	b.Emit("none", nil)
	fmt.Println(total)

}

// Output:
// got 5
// got 7
// 5
