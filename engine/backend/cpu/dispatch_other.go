//go:build !amd64

package cpu

// best returns the fastest kernels that this processor runs.
func best() *kernels { return &generic }

// available returns all kernels that this processor runs.
func available() []*kernels { return []*kernels{&generic} }

// availableBF16 is available: no other way to multiply bf16 is known here.
func availableBF16() []*kernels { return available() }

func caches() (l2, l3 int) { return 0, 0 }
