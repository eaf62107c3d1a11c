package cuda

import "strings"

// Limits are what a card can do at most by its own account, per second: bytes read and written, and floating-point operations of
// float32 units and, with bf16 operands, float32 sums and no sparsity, of tensor cores. 0 where that is not known.
type Limits struct{ Bytes, F32, BF16 float64 }

// Limits follow from the compute capability (operations a multiprocessor starts in a clock), the number of multiprocessors, the
// clocks and the width of the memory's bus. Source: CUDA C++ Programming Guide, "Arithmetic Instructions"; NVIDIA's data sheets.
func (c Card) Limits() Limits {
	lanes := map[[2]int]float64{{8, 0}: 64, {8, 6}: 128, {8, 7}: 128, {8, 9}: 128, {9, 0}: 128, {10, 0}: 128, {10, 3}: 128, {12, 0}: 128, {12, 1}: 128}[[2]int{c.Major, c.Minor}]
	tensor := map[[2]int]float64{{8, 0}: 2048, {8, 6}: 1024, {8, 7}: 1024, {8, 9}: 1024, {9, 0}: 4096, {10, 0}: 8192, {10, 3}: 8192, {12, 0}: 1024, {12, 1}: 1024}[[2]int{c.Major, c.Minor}]
	if strings.Contains(c.Name, "GeForce") {
		tensor /= 2 // with float32 sums
	}
	clock := float64(c.ClockMHz)
	rated := clock
	for name, mhz := range ratedMHz {
		if strings.HasPrefix(c.Name, name) {
			rated = min(mhz, clock)
		}
	}
	return Limits{
		Bytes: 2 * 1e6 * float64(c.MemoryMHz) * float64(c.BusBits) / 8, // two transfers in a clock
		F32:   2 * lanes * float64(c.Processors) * clock * 1e6,
		BF16:  tensor * float64(c.Processors) * rated * 1e6,
	}
}

// ratedMHz are the clocks that data sheets count with for tensor cores, where the driver names a higher one that they do not keep
// under such work: 989 TFLOP/s of an H100 SXM are 132 multiprocessors at 1,830 MHz.
var ratedMHz = map[string]float64{"NVIDIA H100 80GB HBM3": 1830, "NVIDIA H200": 1830, "NVIDIA H100 PCIe": 1620}
