package main

import (
	"fmt"
	"io"
	"strings"
)

type Named interface {
	fmt.Stringer
	Name() string
}
type W struct{ n string }

func (w W) String() string { return "W(" + w.n + ")" }
func (w W) Name() string   { return w.n }

type RC struct {
	io.Reader
	closed *bool
}

func (r RC) Close() error         { *r.closed = true; return nil }
func use(rc io.ReadCloser) string { defer rc.Close(); b, _ := io.ReadAll(rc); return string(b) }
func main() {
	var n Named = W{"x"}
	var s fmt.Stringer = n
	fmt.Println(n, s, n.Name(), s.(Named).Name())
	closed := false
	fmt.Println(use(RC{strings.NewReader("body"), &closed}), closed)

}

// Output:
// W(x) W(x) x x
// body true
