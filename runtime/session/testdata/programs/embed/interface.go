package main

import (
	"fmt"
)

type Store interface {
	Get(string) (string, bool)
	Set(string, string)
}
type mem map[string]string

func (m mem) Get(k string) (string, bool) { v, ok := m[k]; return v, ok }
func (m mem) Set(k, v string)             { m[k] = v }

type logged struct {
	Store
	log []string
}

func (l *logged) Get(k string) (string, bool) { l.log = append(l.log, "get "+k); return l.Store.Get(k) }

type prefixed struct {
	Store
	p string
}

func (p prefixed) Set(k, v string) { p.Store.Set(p.p+k, v) }
func main() {
	l := &logged{Store: mem{}}
	var s Store = prefixed{l, "x/"}
	s.Set("a", "1")
	fmt.Println(s.Get("x/a"))
	fmt.Println(s.Get("a"))
	fmt.Println(l.log, l.Store)

}

// Output:
// 1 true
//  false
// [get x/a get a] map[x/a:1]
