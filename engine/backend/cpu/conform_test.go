package cpu

import (
	"strings"
	"testing"

	"tunebook/engine/backend/conform"
)

// TestConform holds every set of kernels to what all backends must do, on more threads than most
// machines of a test have cores.
func TestConform(t *testing.T) {
	for i, k := range available() {
		if i > 0 && testing.Short() {
			continue
		}
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			conform.Run(t, newBackend(3, k))
		})
	}
}

// TestConformBF16 is the same for devices that round operands of products: the kernels that run here, and of the other sets
// what differs.
func TestConformBF16(t *testing.T) {
	for _, k := range availableBF16() {
		t.Run(k.name, func(t *testing.T) {
			t.Parallel()
			b := newBF16(3, k)
			if k == best() {
				conform.Run(t, b)
				return
			}
			for _, c := range conform.Checks() {
				if strings.HasPrefix(c.Name, "LinearCrossEntropy/") && (k != &generic || !testing.Short()) {
					c.Run(t, b)
				}
			}
		})
	}
}
