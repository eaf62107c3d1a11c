package main

import (
	"fmt"
	"strconv"
	"strings"
)

func main() {
	in := "b 2\na 1\nc x"
	tot := 0
	for i, l := range strings.Split(in, "\n") {
		f := strings.Fields(l)
		if n, err := strconv.Atoi(f[1]); err != nil {
			fmt.Println("line", i+1, err)
		} else {
			tot += n
		}
	}
	fmt.Println(tot, strings.ToUpper(in[:1]), strings.Count(in, "\n"))

}

// Output:
// line 3 strconv.Atoi: parsing "x": invalid syntax
// 3 B 2
