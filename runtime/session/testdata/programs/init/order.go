package main

import (
	"fmt"
)

var a = b + 1
var b = f()
var c, d = g()
var list = []string{"x", name}
var name = "n" + suffix

const suffix = "!"

func f() int           { fmt.Println("f runs"); return 10 }
func g() (int, string) { return a * 2, "d" }
func init()            { fmt.Println("init 1", a, b, c, d, list) }
func init()            { registry["late"] = func() string { return "late" } }

var registry = map[string]func() string{"early": func() string { return "early" }}

func main() {
	fmt.Println(len(registry), registry["late"](), registry["early"]())

}

// Output:
// f runs
// init 1 11 10 22 d [x n!]
// 2 late early
