package main

import (
	"fmt"
)

func inner() {
	defer func() {
		if r := recover(); r != nil {
			fmt.Println("inner", r)
			panic(fmt.Sprint("re-", r))
		}
	}()
	panic("a")
}
func outer() (s string) { defer func() { s = fmt.Sprint("outer ", recover()) }(); inner(); return "no" }
func noPanic()          { defer func() { fmt.Println("nil?", recover() == nil) }() }
func handle() {
	if r := recover(); r != nil {
		fmt.Println("handled", r)
	}
}
func named() { defer handle(); panic("by name") }

type R struct{}

func (R) rescue() { fmt.Println("method", recover()) }
func method()     { var r R; defer r.rescue(); panic("m") }
func main() {
	fmt.Println(outer())
	noPanic()
	named()
	method()
	func() { defer func() { recover() }(); var m map[string]int; m["x"] = 1 }()
	fmt.Println("alive")

}

// Output:
// inner a
// outer re-a
// nil? true
// handled by name
// method m
// alive
