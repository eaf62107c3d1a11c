package main

import (
	"bytes"
	"fmt"
	"io"
	"log"
	"os"
)

type upper struct{ w io.Writer }

func (u upper) Write(p []byte) (int, error) { return u.w.Write(bytes.ToUpper(p)) }

type multi []io.Writer

func (m multi) Write(p []byte) (n int, err error) {
	for _, w := range m {
		if n, err = w.Write(p); err != nil {
			return
		}
	}
	return len(p), nil
}
func main() {
	var a, b bytes.Buffer
	w := multi{&a, upper{&b}}
	fmt.Fprintf(w, "hi %d", 5)
	fmt.Println(a.String(), b.String())
	l := log.New(upper{os.Stdout}, "pre: ", 0)
	l.Println("message", 1)

}

// Output:
// hi 5 HI 5
// PRE: MESSAGE 1
