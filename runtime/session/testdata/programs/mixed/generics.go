package main

import (
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"sort"
	"strings"
	"sync/atomic"
)

type Number interface {
	~int | ~int64 | ~float32 | ~float64
}

func Sum[T Number](xs ...T) T {
	var s T
	for _, x := range xs {
		s += x
	}
	return s
}

func Map[T, U any](xs []T, f func(T) U) []U {
	out := make([]U, 0, len(xs))
	for _, x := range xs {
		out = append(out, f(x))
	}
	return out
}

func Filter[S ~[]E, E any](s S, keep func(E) bool) S {
	var out S
	for _, e := range s {
		if keep(e) {
			out = append(out, e)
		}
	}
	return out
}

func Reduce[T, A any](xs []T, init A, f func(A, T) A) A {
	for _, x := range xs {
		init = f(init, x)
	}
	return init
}

func Keys[K cmp.Ordered, V any](m map[K]V) []K {
	ks := make([]K, 0, len(m))
	for k := range m {
		ks = append(ks, k)
	}
	slices.Sort(ks)
	return ks
}

type Stack[T any] struct{ items []T }

func (s *Stack[T]) Push(x T) { s.items = append(s.items, x) }
func (s *Stack[T]) Pop() (T, bool) {
	var zero T
	if len(s.items) == 0 {
		return zero, false
	}
	x := s.items[len(s.items)-1]
	s.items = s.items[:len(s.items)-1]
	return x, true
}
func (s Stack[T]) Len() int { return len(s.items) }
func (s *Stack[T]) All() iter.Seq2[int, T] {
	return func(yield func(int, T) bool) {
		for i, x := range s.items {
			if !yield(i, x) {
				return
			}
		}
	}
}

type Pair[K comparable, V any] struct {
	Key K
	Val V
}

func MakePair[K comparable, V any](k K, v V) Pair[K, V] { return Pair[K, V]{k, v} }

type Tree[T cmp.Ordered] struct {
	left, right *Tree[T]
	val         T
}

func (t *Tree[T]) Insert(v T) *Tree[T] {
	if t == nil {
		return &Tree[T]{val: v}
	}
	switch {
	case v < t.val:
		t.left = t.left.Insert(v)
	case v > t.val:
		t.right = t.right.Insert(v)
	}
	return t
}

func (t *Tree[T]) Walk(yield func(T) bool) bool {
	if t == nil {
		return true
	}
	return t.left.Walk(yield) && yield(t.val) && t.right.Walk(yield)
}

func (t *Tree[T]) All() iter.Seq[T] {
	return func(yield func(T) bool) { t.Walk(yield) }
}

type List[T any] struct {
	head *node[T]
	n    int
}

type node[T any] struct {
	v    T
	next *node[T]
}

func (l *List[T]) Add(v T) {
	l.head = &node[T]{v, l.head}
	l.n++
}

type Celsius float64

type Shape interface{ Area() float64 }
type Sq struct{ s float64 }

func (q Sq) Area() float64 { return q.s * q.s }

func Largest[T Shape](xs []T) T {
	best := xs[0]
	for _, x := range xs[1:] {
		if x.Area() > best.Area() {
			best = x
		}
	}
	return best
}

func Ptr[T any](v T) *T { return &v }

func count(n int) iter.Seq[int] {
	return func(yield func(int) bool) {
		for i := 0; i < n; i++ {
			if !yield(i) {
				fmt.Print("(stopped)")
				return
			}
		}
	}
}

func search(n, want int) (int, error) {
	for i := range count(n) {
		if i == want {
			return i * 100, nil
		}
	}
	return 0, errors.New("not found")
}

func nested() string {
	var b strings.Builder
outer:
	for i := range count(4) {
		for j := range count(4) {
			if j == 2 {
				continue outer
			}
			if i == 2 {
				break outer
			}
			fmt.Fprint(&b, i, j, " ")
		}
	}
	return b.String()
}

func main() {
	fmt.Println(Sum(1, 2, 3), Sum(1.5, 2.5), Sum[Celsius](1, 2.5))
	fmt.Println(Map([]int{1, 2, 3}, func(x int) string { return strings.Repeat("x", x) }))
	fmt.Println(Filter([]int{1, 2, 3, 4}, func(x int) bool { return x%2 == 0 }))
	fmt.Println(Reduce([]string{"a", "b"}, 0, func(n int, s string) int { return n + len(s) }))
	fmt.Println(Keys(map[string]bool{"z": true, "a": false}))
	s := &Stack[string]{}
	s.Push("a")
	s.Push("b")
	for i, v := range s.All() {
		fmt.Print(i, "=", v, " ")
	}
	fmt.Println(s.Len())
	fmt.Println(s.Pop())
	fmt.Println(s.Pop())
	fmt.Println(s.Pop())
	si := Stack[int]{}
	si.Push(4)
	fmt.Println(si.Len(), si)
	p := MakePair("k", 3)
	fmt.Println(p, p.Key, p.Val, Pair[int, bool]{1, true})
	var t *Tree[int]
	for _, v := range []int{5, 2, 8, 1, 9, 2} {
		t = t.Insert(v)
	}
	for v := range t.All() {
		if v > 8 {
			break
		}
		fmt.Print(v, " ")
	}
	fmt.Println()
	var l List[float64]
	l.Add(1.5)
	l.Add(2.5)
	for n := l.head; n != nil; n = n.next {
		fmt.Print(n.v, " ")
	}
	fmt.Println(l.n)
	fmt.Println(Largest([]Sq{{1}, {3}, {2}}))
	fmt.Println(*Ptr(42), *Ptr("s"))
	fmt.Println(search(10, 3))
	fmt.Println(search(2, 3))
	fmt.Println(nested())

	xs := []int{3, 1, 2}
	slices.Sort(xs)
	fmt.Println(xs, slices.Contains(xs, 2), slices.Index(xs, 3), slices.Max(xs), slices.Min(xs))
	slices.SortFunc(xs, func(a, b int) int { return cmp.Compare(b, a) })
	slices.Reverse(xs)
	fmt.Println(xs, len(slices.Clone(xs)))
	fmt.Println(slices.Sorted(maps.Keys(map[string]int{"b": 1, "a": 2})))
	fmt.Println(slices.Collect(maps.Values(map[string]int{"b": 1})))
	i, ok := slices.BinarySearch([]int{1, 3, 5}, 3)
	fmt.Println(i, ok)
	fmt.Println(slices.Insert([]int{1, 4}, 1, 2, 3), slices.Delete([]int{1, 2, 3, 4}, 1, 3))
	fmt.Println(slices.Equal([]int{1}, []int{1}), slices.Compact([]int{1, 1, 2, 2, 1}))
	fmt.Println(slices.IndexFunc([]string{"a", "bb"}, func(s string) bool { return len(s) == 2 }))
	m := maps.Clone(map[string]int{"a": 1})
	m["b"] = 2
	fmt.Println(m, min(3, 1, 2), max(2.5, 1), min("b", "a"))
	clear(m)
	fmt.Println(len(m))
	var n atomic.Int64
	n.Add(5)
	var ap atomic.Pointer[string]
	ap.Store(Ptr("hello"))
	fmt.Println(n.Load(), *ap.Load())
	words := strings.Fields("the cat the dog the end")
	counts := map[string]int{}
	for _, w := range words {
		counts[w]++
	}
	type kv struct {
		k string
		v int
	}
	var kvs []kv
	for k, v := range counts {
		kvs = append(kvs, kv{k, v})
	}
	sort.Slice(kvs, func(i, j int) bool {
		if kvs[i].v != kvs[j].v {
			return kvs[i].v > kvs[j].v
		}
		return kvs[i].k < kvs[j].k
	})
	fmt.Println(kvs)
	slices.SortFunc(kvs, func(a, b kv) int { return cmp.Or(cmp.Compare(a.v, b.v), strings.Compare(a.k, b.k)) })
	fmt.Println(kvs)
	for i, v := range slices.Backward([]string{"x", "y"}) {
		fmt.Print(i, v, " ")
	}
	for c := range slices.Chunk([]int{1, 2, 3, 4, 5}, 2) {
		fmt.Print(c, " ")
	}
	fmt.Println()
}

// Output:
// 6 4 3.5
// [x xx xxx]
// [2 4]
// 2
// [a z]
// 0=a 1=b 2
// b true
// a true
//  false
// 1 {[4]}
// {k 3} k 3 {1 true}
// 1 2 5 8
// 2.5 1.5 2
// {3}
// 42 s
// (stopped)300 <nil>
// 0 not found
// (stopped)(stopped)(stopped)(stopped)0 0 0 1 1 0 1 1
// [1 2 3] true 2 3 1
// [1 2 3] 3
// [a b]
// [1]
// 1 true
// [1 2 3 4] [1 4]
// true [1 2 1]
// 1
// map[a:1 b:2] 1 2.5 a
// 0
// 5 hello
// [{the 3} {cat 1} {dog 1} {end 1}]
// [{cat 1} {dog 1} {end 1} {the 3}]
// 1y 0x [1 2] [3 4] [5]
