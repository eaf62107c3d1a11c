package main

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

type P struct {
	Name string
	Age  int
}

func main() {
	ps := []P{{"Al", 30}, {"Bo", 25}, {"Cy", 30}, {"Di", 25}}
	slices.SortStableFunc(ps, func(a, b P) int { return cmp.Compare(a.Age, b.Age) })
	fmt.Println(ps)
	slices.SortFunc(ps, func(a, b P) int { return cmp.Or(-cmp.Compare(a.Age, b.Age), strings.Compare(a.Name, b.Name)) })
	fmt.Println(ps)
	fmt.Println(slices.IndexFunc(ps, func(p P) bool { return p.Name == "Bo" }), slices.ContainsFunc(ps, func(p P) bool { return p.Age > 40 }))
	i, ok := slices.BinarySearchFunc(ps, "Cy", func(p P, n string) int { return strings.Compare(p.Name, n) })
	_ = i
	_ = ok
	fmt.Println(slices.MaxFunc(ps, func(a, b P) int { return cmp.Compare(a.Name, b.Name) }))
	for c := range slices.Chunk([]int{1, 2, 3, 4, 5}, 2) {
		fmt.Print(c)
	}
	fmt.Println()
	for i, v := range slices.Backward([]string{"a", "b"}) {
		fmt.Print(i, v, " ")
	}
	fmt.Println()

}

// Output:
// [{Bo 25} {Di 25} {Al 30} {Cy 30}]
// [{Al 30} {Cy 30} {Bo 25} {Di 25}]
// 2 false
// {Di 25}
// [1 2][3 4][5]
// 1b 0a
