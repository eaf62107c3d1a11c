package main

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

type rot struct{ r io.Reader }

func (x rot) Read(p []byte) (int, error) {
	n, err := x.r.Read(p)
	for i := range p[:n] {
		c := p[i]
		switch {
		case c >= 'a' && c <= 'z':
			p[i] = 'a' + (c-'a'+13)%26
		case c >= 'A' && c <= 'Z':
			p[i] = 'A' + (c-'A'+13)%26
		}
	}
	return n, err
}

type counter struct{ n int }

func (c *counter) Write(p []byte) (int, error) { c.n += len(p); return len(p), nil }
func main() {
	b, err := io.ReadAll(rot{strings.NewReader("Hello, World")})
	fmt.Println(string(b), err)
	c := &counter{}
	n, _ := io.Copy(c, rot{strings.NewReader("abc")})
	fmt.Fprintf(c, "12345")
	fmt.Println(c.n, n)
	mw := io.MultiWriter(c, io.Discard)
	io.WriteString(mw, "xy")
	fmt.Println(c.n)
	sc := bufio.NewScanner(rot{strings.NewReader("nop\nqrs")})
	for sc.Scan() {
		fmt.Println(sc.Text())
	}

}

// Output:
// Uryyb, Jbeyq <nil>
// 8 3
// 10
// abc
// def
