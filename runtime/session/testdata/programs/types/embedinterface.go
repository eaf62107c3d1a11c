package main

import (
	"fmt"
)

type Reader interface{ Read() string }
type Logger struct {
	Reader
	n int
}

func (l *Logger) Read() string { l.n++; return "[" + l.Reader.Read() + "]" }

type src string

func (s src) Read() string { return string(s) }
func main() {
	l := &Logger{Reader: src("data")}
	fmt.Println(l.Read(), l.n)
	var r Reader = l
	fmt.Println(r.Read(), l.n)
	ll := &Logger{Reader: l}
	fmt.Println(ll.Read())

}

// Output:
// [data] 1
// [data] 2
// [[data]]
