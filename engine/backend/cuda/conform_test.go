package cuda

import (
	"testing"

	"tunebook/engine/backend/conform"
)

// TestConform holds the kernels to what all backends must do, on the simulator: the PTX that ships, every access checked.
func TestConform(t *testing.T) {
	for _, c := range conform.Checks() {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			b, err := NewSim()
			if err != nil {
				t.Fatal(err)
			}
			b.logitBytes = 256 << 10 // several chunks at the suite's shapes
			defer func() {
				if r := recover(); r != nil {
					t.Errorf("panic: %v", r)
				}
			}()
			c.Run(t, b)
			t.Logf("%d million lane instructions", b.dev.(*simulated).d.Instructions/1e6)
		})
	}
}
