package main

import (
	"fmt"
	"strings"
)

type Grid [][]bool

func (g Grid) at(r, c int) bool { return r >= 0 && r < len(g) && c >= 0 && c < len(g[0]) && g[r][c] }
func (g Grid) next() Grid {
	n := make(Grid, len(g))
	for r := range g {
		n[r] = make([]bool, len(g[r]))
		for c := range g[r] {
			k := 0
			for dr := -1; dr <= 1; dr++ {
				for dc := -1; dc <= 1; dc++ {
					if (dr != 0 || dc != 0) && g.at(r+dr, c+dc) {
						k++
					}
				}
			}
			n[r][c] = k == 3 || k == 2 && g[r][c]
		}
	}
	return n
}
func (g Grid) String() string {
	var b strings.Builder
	for _, r := range g {
		for _, c := range r {
			if c {
				b.WriteByte('#')
			} else {
				b.WriteByte('.')
			}
		}
		b.WriteByte('\n')
	}
	return b.String()
}
func main() {
	g := Grid{{false, true, false}, {false, true, false}, {false, true, false}}
	for range 2 {
		fmt.Print(g, "\n")
		g = g.next()
	}

}

// Output:
// .#.
// .#.
// .#.
//
// ...
// ###
// ...
