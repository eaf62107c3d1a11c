package main

import (
	"fmt"
)

type Animal interface{ Sound() string }
type Dog struct{}
type Cat struct{ name string }

func (Dog) Sound() string    { return "woof" }
func (c *Cat) Sound() string { return c.name + " meow" }
func main() {
	as := []Animal{Dog{}, &Cat{"tom"}, &Dog{}}
	for i, a := range as {
		fmt.Print(i, a.Sound(), " ")
	}
	m := map[string]Animal{"d": as[0]}
	_, isCat := m["d"].(*Cat)
	fmt.Println(isCat, m["none"] == nil, len(as))
	fmt.Printf("%T %T\n", as[0], as[1])

}

// Output:
// 0woof 1tom meow 2woof false true 3
// main.Dog *main.Cat
