//go:build !amd64

package cpu

// best returns the fastest kernels that this processor runs.
func best() *kernels { return &generic }

// available returns all kernels that this processor runs.
func available() []*kernels { return []*kernels{&generic} }
