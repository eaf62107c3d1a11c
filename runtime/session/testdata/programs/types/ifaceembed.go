package main

import (
	"fmt"
	"strings"
)

type Reader interface{ Read() string }
type Writer interface{ Write(string) }
type RW interface {
	Reader
	Writer
}
type Closer interface{ Close() error }
type RWC interface {
	RW
	Closer
}
type file struct{ buf []string }

func (f *file) Read() string {
	if len(f.buf) == 0 {
		return ""
	}
	s := f.buf[0]
	f.buf = f.buf[1:]
	return s
}
func (f *file) Write(s string) { f.buf = append(f.buf, s) }
func (f *file) Close() error   { f.buf = nil; return nil }
func pump(r Reader, w Writer) {
	for s := r.Read(); s != ""; s = r.Read() {
		w.Write(strings.ToUpper(s))
	}
}
func main() {
	a, b := &file{}, &file{}
	var rwc RWC = a
	rwc.Write("x")
	rwc.Write("y")
	pump(rwc, b)
	fmt.Println(b.buf, len(a.buf))
	var r Reader = b
	if c, ok := r.(Closer); ok {
		fmt.Println(c.Close(), b.buf == nil)
	}
	if w, ok := r.(RW); ok {
		w.Write("again")
		fmt.Println(r.Read())
	}
	_, ok := r.(interface{ Seek() })
	fmt.Println(ok)

}

// Output:
// [X Y] 0
// <nil> true
// again
// false
