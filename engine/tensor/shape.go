// Package tensor holds what every floor of the engine shares about numbers in memory: the letters that name
// dimensions, element types, and random streams.
//
// The letters, used in every doc comment and test:
//
//	B rows of a batch        T positions               C hidden size
//	L layers                 H query heads             K key-value heads
//	D head size              F feed-forward size       V vocabulary
//	N supervised tokens      R adapter rank            S segments (documents of a packed batch)
//
// dX is the gradient of X. Backward adds into parameter gradients and writes activation gradients.
// A batch is packed: its documents lie one after the other on a single axis of T positions, without padding.
package tensor

import "fmt"

// Size returns the number of elements of a tensor with these dimensions. It panics for a negative dimension.
func Size(shape ...int) int {
	n := 1
	for _, d := range shape {
		if d < 0 {
			panic(fmt.Sprintf("tensor: shape %v has a negative dimension", shape))
		}
		n *= d
	}
	return n
}
