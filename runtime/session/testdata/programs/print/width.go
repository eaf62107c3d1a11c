package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"
)

func main() {
	rows := []struct {
		n string
		v float64
	}{{"alpha", 1.5}, {"be", 22.25}}
	for _, r := range rows {
		fmt.Printf("%-8s|%8.2f|\n", r.n, r.v)
	}
	fmt.Println(strings.Repeat("-", 10))
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "a\tb\tc")
	fmt.Fprintf(w, "%d\t%s\t%v\n", 1, "xx", true)
	w.Flush()

}

// Output:
// alpha   |    1.50|
// be      |   22.25|
// ----------
// a  b   c
// 1  xx  true
