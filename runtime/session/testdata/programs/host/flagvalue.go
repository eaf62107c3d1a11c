package main

import (
	"flag"
	"fmt"
	"strings"
)

type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }
func main() {
	fl := flag.NewFlagSet("x", flag.ContinueOnError)
	var l list
	fl.Var(&l, "v", "values")
	n := fl.Int("n", 3, "number")
	fmt.Println(fl.Parse([]string{"-v", "a", "-v=b", "-n", "7", "rest"}), l, *n, fl.Args(), l.String())

}

// Output:
// <nil> [a b] 7 [rest] a,b
