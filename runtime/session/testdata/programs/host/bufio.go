package main

import (
	"bufio"
	"bytes"
	"fmt"
	"strings"
)

func main() {
	sc := bufio.NewScanner(strings.NewReader("the quick\nbrown fox\n\nlast"))
	for n := 1; sc.Scan(); n++ {
		fmt.Printf("%d:%s\n", n, sc.Text())
	}
	sc = bufio.NewScanner(strings.NewReader("a b  c"))
	sc.Split(bufio.ScanWords)
	n := 0
	for sc.Scan() {
		n++
	}
	fmt.Println(n, sc.Err())
	r := bufio.NewReader(strings.NewReader("line1\nline2"))
	l, err := r.ReadString('\n')
	fmt.Printf("%q %v\n", l, err)
	l, err = r.ReadString('\n')
	fmt.Printf("%q %v\n", l, err)
	var buf bytes.Buffer
	w := bufio.NewWriter(&buf)
	fmt.Fprintf(w, "x=%d", 5)
	fmt.Println(buf.Len())
	w.Flush()
	fmt.Println(buf.String())

}

// Output:
// 1:the quick
// 2:brown fox
// 3:
// 4:last
// 3 <nil>
// "line1\n" <nil>
// "line2" EOF
// 0
// x=5
