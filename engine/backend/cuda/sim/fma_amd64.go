package sim

import "golang.org/x/sys/cpu"

// fmaAVX2 writes d = a·b + c for 32 lanes.
//
//go:noescape
func fmaAVX2(d, a, b, c *[32]uint32)

var fmaLanes = func() func(d, a, b, c *[32]uint32) {
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		return fmaAVX2
	}
	return fmaGeneric
}()
