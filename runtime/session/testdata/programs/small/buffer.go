package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
)

func main() {
	var b bytes.Buffer
	w := io.Writer(&b)
	fmt.Fprintf(w, "%s-%d", "a", 1)
	b.WriteString("!")
	fmt.Println(b.String(), b.Len())
	r := bufio.NewReader(&b)
	s, err := r.ReadString('-')
	fmt.Println(s, err)

}

// Output:
// a-1! 4
// a- <nil>
