package main

import (
	"encoding/hex"
	"fmt"
	"strconv"
)

type F struct{ v float64 }

func (f F) Format(s fmt.State, verb rune) {
	w, ok := s.Width()
	fmt.Fprintf(s, "F[%c %d %t %g]", verb, w, ok, f.v)
}

type G int

func (g G) GoString() string { return "G#" + strconv.Itoa(int(g)) }

type H []byte

func (h H) String() string { return hex.EncodeToString(h) }
func main() {
	fmt.Printf("%v %8.2f %+d\n", F{1.5}, F{2}, F{3})
	fmt.Println(F{4}, []F{{5}})
	fmt.Printf("%#v %v %d %#v\n", G(3), G(3), G(3), []G{1})
	fmt.Println(H("ab"), H{1, 2})
	fmt.Printf("%s %v %x %d\n", H("z"), H("z"), H("z"), H("z"))

}

// Output:
// F[v 0 false 1.5] F[f 8 true 2] F[d 0 false 3]
// F[v 0 false 4] [F[v 0 false 5]]
// G#3 3 3 []main.G{G#1}
// 6162 0102
// 7a 7a 3761 [122]
