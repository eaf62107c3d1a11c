package main

import (
	"fmt"
	"strings"
)

func proc(names []string) (log []string) {
	defer func() { log = append(log, "end") }()
	for _, n := range names {
		func() { defer func() { log = append(log, "close "+n) }(); log = append(log, "open "+n) }()
	}
	return
}
func main() {
	fmt.Println(strings.Join(proc([]string{"x", "y"}), ";"))

}

// Output:
// open x;close x;open y;close y;end
