package main

import (
	"fmt"
	"slices"
)

func main() {
	s := []int{3, 1, 4, 1, 5, 9, 2, 6}
	t := slices.Clone(s)
	slices.Sort(t)
	fmt.Println(s, t, slices.IsSorted(t), slices.Max(s), slices.Min(s))
	i, ok := slices.BinarySearch(t, 5)
	fmt.Println(i, ok, slices.Index(s, 4), slices.Contains(s, 7))
	t = slices.Compact(t)
	fmt.Println(t, len(t))
	slices.Reverse(t)
	fmt.Println(t, slices.Equal(s, t))
	t = slices.Insert(t, 1, 100, 200)
	t = slices.Delete(t, 3, 5)
	fmt.Println(t)
	fmt.Println(slices.Compare([]int{1, 2}, []int{1, 3}), slices.Repeat([]string{"ab"}, 2), slices.Concat([]int{1}, []int{2, 3}))

}

// Output:
// [3 1 4 1 5 9 2 6] [1 1 2 3 4 5 6 9] true 9 1
// 5 true 2 false
// [1 2 3 4 5 6 9] 7
// [9 6 5 4 3 2 1] false
// [9 100 200 4 3 2 1]
// -1 [ab ab] [1 2 3]
