package cpu

import (
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
