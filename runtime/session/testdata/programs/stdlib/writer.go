package main

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"
)

type countW struct{ n, calls int }

func (c *countW) Write(p []byte) (int, error) { c.n += len(p); c.calls++; return len(p), nil }

type failW struct{}

func (failW) Write(p []byte) (int, error) { return 0, errors.New("disk full") }
func main() {
	c := &countW{}
	bw := bufio.NewWriterSize(c, 16)
	for range 10 {
		bw.WriteString("abc")
	}
	fmt.Println(c.calls > 0, bw.Buffered())
	bw.Flush()
	fmt.Println(c.n)
	_, err := fmt.Fprintln(failW{}, "x")
	fmt.Println(err)
	var buf bytes.Buffer
	tee := io.TeeReader(strings.NewReader("tee"), &buf)
	b, _ := io.ReadAll(tee)
	fmt.Println(string(b), buf.String())
	lr := io.LimitReader(strings.NewReader("0123456789"), 4)
	b, _ = io.ReadAll(lr)
	fmt.Println(string(b))
	pr, pw := io.Pipe()
	go func() { fmt.Fprint(pw, "piped"); pw.Close() }()
	b, _ = io.ReadAll(pr)
	fmt.Println(string(b))
	b2 := make([]byte, 3)
	n, err := io.ReadFull(strings.NewReader("ab"), b2)
	fmt.Println(n, err)
	sr := io.NewSectionReader(strings.NewReader("abcdef"), 2, 3)
	b, _ = io.ReadAll(sr)
	fmt.Println(string(b))
	mr := io.MultiReader(strings.NewReader("a"), strings.NewReader("b"))
	b, _ = io.ReadAll(mr)
	fmt.Println(string(b))

}

// Output:
// true 14
// 30
// disk full
// tee tee
// 0123
// piped
// 2 unexpected EOF
// cde
// ab
