package main

import (
	"cmp"
	"fmt"
	"math"
)

func main() {
	fmt.Println(cmp.Compare(1, 2), cmp.Compare("b", "a"), cmp.Less(1.0, math.NaN()), cmp.Or("", "x", "y"), cmp.Or(0, 0))

}

// Output:
// -1 1 false x 0
