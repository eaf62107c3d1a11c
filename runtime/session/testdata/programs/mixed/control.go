package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"time"
)

func classify(n int) string {
	switch {
	case n < 0:
		return "neg"
	case n == 0:
		return "zero"
	case n < 10:
		fallthrough
	case n < 100:
		return "small"
	default:
		return "big"
	}
}

func find(grid [][]int, want int) (int, int, bool) {
outer:
	for i, row := range grid {
		for j, v := range row {
			if v < 0 {
				continue outer
			}
			if v == want {
				return i, j, true
			}
			if v > 100 {
				break outer
			}
		}
	}
	return -1, -1, false
}

func safe(f func()) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("recovered: %v", r)
		}
	}()
	f()
	return nil
}

func order() {
	for i := 0; i < 3; i++ {
		defer fmt.Println("defer", i)
	}
	x := 1
	defer fmt.Println("x at defer", x)
	x = 2
	defer func() { fmt.Println("x at end", x) }()
	x = 3
}

func named() (n int, err error) {
	defer func() {
		n *= 2
		if n > 5 {
			err = errors.New("too big")
		}
	}()
	n = 3
	return n, nil
}

func worker(in <-chan int, out chan<- string, quit chan struct{}) {
loop:
	for {
		select {
		case v, ok := <-in:
			if !ok {
				break loop
			}
			if v == 13 {
				continue loop
			}
			out <- fmt.Sprint("got ", v)
		case <-quit:
			break loop
		}
	}
	close(out)
}

func firstEven(xs []int) int {
	for _, x := range xs {
		switch {
		case x%2 == 1:
			continue
		}
		return x
	}
	return -1
}

func main() {
	for _, n := range []int{-5, 0, 7, 50, 500} {
		fmt.Print(classify(n), " ")
	}
	fmt.Println()
	fmt.Println(find([][]int{{1, 2}, {-1, 3}, {4, 3}}, 3))
	fmt.Println(find([][]int{{1, 200}, {3}}, 3))
	fmt.Println(safe(func() { panic("oops") }))
	fmt.Println(safe(func() {}))
	fmt.Println(safe(func() { panic(fmt.Errorf("wrapped %d", 3)) }))
	order()
	fmt.Println(named())
	in, out, quit := make(chan int, 5), make(chan string, 5), make(chan struct{})
	for _, v := range []int{1, 13, 2} {
		in <- v
	}
	close(in)
	worker(in, out, quit)
	for s := range out {
		fmt.Println(s)
	}
	fmt.Println(firstEven([]int{1, 3, 4, 5}), firstEven(nil))

	select {
	case <-time.After(time.Millisecond):
		fmt.Println("timeout")
	}
	tick := make(chan int)
	done := make(chan bool)
	go func() {
		for v := range tick {
			fmt.Print(v, " ")
		}
		done <- true
	}()
	for i := range 4 {
		tick <- i
	}
	close(tick)
	<-done
	fmt.Println()

	sum := 0
	for i := 10; i > 0; i -= 3 {
		sum += i
	}
	fmt.Println(sum)
	for i, j := 0, 10; i < j; i, j = i+1, j-2 {
		fmt.Print(i, j, " ")
	}
	fmt.Println()
	n := 0
	for n < 5 {
		n++
		if n == 3 {
			continue
		}
		if n == 5 {
			break
		}
		fmt.Print(n, " ")
	}
	fmt.Println()
	for i, r := range "héλ" {
		fmt.Print(i, ":", string(r), " ")
	}
	fmt.Println()
	for range 2 {
		fmt.Print("x")
	}
	fmt.Println()
	var arr [3]int
	for i := range arr {
		arr[i] = i * i
	}
	fmt.Println(arr, len(arr))
	for i, v := range &arr {
		fmt.Print(i, v, " ")
	}
	fmt.Println()
	switch x := any(3.5).(type) {
	case int:
		fmt.Println("int", x)
	case float64, float32:
		fmt.Printf("float %v\n", x)
	}
	switch s := strings.ToUpper("b"); s {
	case "A", "B":
		fmt.Println("A or B")
	default:
		fmt.Println("other")
	}
	if _, err := os.Open("/no/such/file"); err != nil {
		var pe *os.PathError
		fmt.Println(errors.As(err, &pe), errors.Is(err, os.ErrNotExist), pe.Op)
	}
	func() {
		defer func() {
			fmt.Println("recover:", recover())
		}()
		var m map[string]int
		m["a"] = 1
	}()
	var once func(int) int
	once = func(n int) int {
		if n <= 1 {
			return 1
		}
		return n * once(n-1)
	}
	fmt.Println(once(10))
}

// Output:
// neg zero small small big
// 2 1 true
// -1 -1 false
// recovered: oops
// <nil>
// recovered: wrapped 3
// x at end 3
// x at defer 1
// defer 2
// defer 1
// defer 0
// 6 too big
// got 1
// got 2
// 4 -1
// timeout
// 0 1 2 3
// 22
// 0 10 1 8 2 6 3 4
// 1 2 4
// 0:h 1:é 3:λ
// xx
// [0 1 4] 3
// 0 0 1 1 2 4
// float 3.5
// A or B
// true true open
// recover: assignment to entry in nil map
// 3628800
