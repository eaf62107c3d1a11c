package main

import (
	"fmt"
	"sync"
)

type counter struct{ n int }

func (c *counter) inc() int { c.n++; return c.n }

func adder() func(int) int {
	sum := 0
	return func(x int) int { sum += x; return sum }
}

func apply(xs []int, f func(int) int) []int {
	var out []int
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}

func compose(fs ...func(int) int) func(int) int {
	return func(x int) int {
		for _, f := range fs {
			x = f(x)
		}
		return x
	}
}

func main() {
	a, b := adder(), adder()
	fmt.Println(a(1), a(2), b(10), a(3), b(1))

	var fs []func() int
	for i := 0; i < 3; i++ {
		fs = append(fs, func() int { return i })
	}
	for _, f := range fs {
		fmt.Print(f(), " ")
	}
	fmt.Println()

	fs = nil
	for i, s := range []string{"a", "bb", "ccc"} {
		fs = append(fs, func() int { return i*10 + len(s) })
	}
	for _, f := range fs {
		fmt.Print(f(), " ")
	}
	fmt.Println()

	fs = nil
	for i := range 3 {
		for j := range 2 {
			fs = append(fs, func() int { return i*10 + j })
		}
	}
	for _, f := range fs {
		fmt.Print(f(), " ")
	}
	fmt.Println()

	// the body changes the loop variable, and a closure sees it
	fs = nil
	for i := 0; i < 6; i++ {
		i++
		fs = append(fs, func() int { i += 100; return i })
	}
	for _, f := range fs {
		fmt.Print(f(), " ", f(), " ")
	}
	fmt.Println()

	// continue with a captured variable
	fs = nil
	for i := 0; i < 5; i++ {
		if i%2 == 1 {
			continue
		}
		fs = append(fs, func() int { return i })
	}
	for _, f := range fs {
		fmt.Print(f(), " ")
	}
	fmt.Println()

	// pointers to loop variables
	var ps []*int
	for i := 0; i < 3; i++ {
		ps = append(ps, &i)
	}
	for _, p := range ps {
		fmt.Print(*p, " ")
	}
	fmt.Println()

	// variables of the body, defined in every way
	m := map[string]int{"x": 1, "y": 2}
	fs = nil
	for _, k := range []string{"x", "y", "z"} {
		v, ok := m[k]
		w := struct{ n int }{v * 2}
		var u int
		if ok {
			u = v + 100
		}
		fs = append(fs, func() int { return v + w.n + u })
	}
	for _, f := range fs {
		fmt.Print(f(), " ")
	}
	fmt.Println()

	ch := make(chan int, 3)
	for i := range 3 {
		ch <- i * i
	}
	close(ch)
	fs = nil
	for range 3 {
		v := <-ch
		fs = append(fs, func() int { return v })
	}
	for _, f := range fs {
		fmt.Print(f(), " ")
	}
	fmt.Println()

	c := &counter{}
	inc := c.inc
	inc()
	inc()
	fmt.Println(c.n, apply([]int{1, 2, 3}, func(x int) int { return x * x }))
	fmt.Println(compose(func(x int) int { return x + 1 }, func(x int) int { return x * 10 })(4))

	var wg sync.WaitGroup
	var mu sync.Mutex
	total := 0
	for i := 1; i <= 10; i++ {
		wg.Add(1)
		go func(k int) {
			defer wg.Done()
			mu.Lock()
			total += k * i
			mu.Unlock()
		}(i)
	}
	wg.Wait()
	fmt.Println(total)

	got := make([]int, 5)
	for i := range got {
		wg.Add(1)
		go func() {
			defer wg.Done()
			got[i] = i * i
		}()
	}
	wg.Wait()
	fmt.Println(got)

	x := 1
	{
		x := x + 1
		x++
		fmt.Println(x)
	}
	if x := x * 10; x > 5 {
		fmt.Println(x)
	}
	fmt.Println(x)

	rec := func() func(int) int {
		var fib func(int) int
		fib = func(n int) int {
			if n < 2 {
				return n
			}
			return fib(n-1) + fib(n-2)
		}
		return fib
	}()
	fmt.Println(rec(15))

	funcs := map[string]func(float64, float64) float64{
		"add": func(a, b float64) float64 { return a + b },
		"mul": func(a, b float64) float64 { return a * b },
	}
	fmt.Println(funcs["add"](2, 3), funcs["mul"](2, 3))

	type op struct {
		name string
		f    func(int) int
	}
	var ops []op
	for i := 1; i <= 3; i++ {
		ops = append(ops, op{fmt.Sprint("times", i), func(x int) int { return x * i }})
	}
	for _, o := range ops {
		fmt.Print(o.name, " ", o.f(7), "; ")
	}
	fmt.Println()
}

// Output:
// 1 3 10 6 11
// 0 1 2
// 1 12 23
// 0 1 10 11 20 21
// 101 201 103 203 105 205
// 0 2 4
// 0 1 2
// 104 108 0
// 0 1 4
// 2 [1 4 9]
// 50
// 385
// [0 1 4 9 16]
// 3
// 10
// 1
// 610
// 5 6
// times1 7; times2 14; times3 21;
