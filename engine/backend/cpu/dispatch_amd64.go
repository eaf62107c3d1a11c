package cpu

import (
	"github.com/klauspost/cpuid/v2"
	"golang.org/x/sys/cpu"

	"tunebook/engine/backend"
)

var tilesAVX2 = [][2]tileFunc{
	{tile6x1vAVX2, tile6x2vAVX2},
	{tile4x1vAVX2, tile4x2vAVX2},
	{tile2x1vAVX2, tile2x2vAVX2},
	{tile1x1vAVX2, tile1x2vAVX2},
}

var avx2 = kernels{
	name: "AVX2", lanes: 8, rows: 6,
	heights: []int{6, 4, 2, 1},
	columns: 4,
	dots:    []dotFunc{dot1x4AVX2, dot2x4AVX2},
	panels:  panels{1, tilesAVX2, transposeAVX2, copyLanesAVX2, element},
	bf16:    &panels{1, tilesAVX2, transposeRoundedAVX2, copyLanesRoundedAVX2, rounded},
	int8:    &int8Kernels{round: roundInt8AVX2, dots: [2]int8Dot{dotInt8x4AVX2, dotInt4x4AVX2}},

	expands:        [backend.Layouts]expandFunc{expandQ8AVX2, expandQ4AVX2, expandNF4AVX2, expandBF16AVX2},
	packedDots:     [backend.Layouts]packedDotFunc{dotQ8x4AVX2, dotQ4x4AVX2, dotNF4x4AVX2, dotBF16x4AVX2},
	axpy:           axpyAVX2,
	add:            addAVX2,
	scale:          scaleAVX2,
	dot:            dotAVX2,
	dot3:           dot3AVX2,
	sumSquares:     sumSquaresAVX2,
	normScale:      normScaleAVX2,
	normGrad:       normGradAVX2,
	normWeightGrad: normWeightGradAVX2,
	rotate:         rotateAVX2,
	rotatePairs:    rotatePairsAVX2,
	siluMul:        siluMulAVX2,
	siluMulGrad:    siluMulGradAVX2,
	adamw:          adamwAVX2,
	maxRow:         maxRowAVX2,
	expRow:         expRowAVX2,
	maxColumns:     maxColumnsAVX2,
	expColumns:     expColumnsAVX2,
	softmaxGrad:    softmaxGradAVX2,
}

var tilesAVX512 = [][2]tileFunc{
	{tile14x1vAVX512, tile14x2vAVX512},
	{tile8x1vAVX512, tile8x2vAVX512},
	{tile4x1vAVX512, tile4x2vAVX512},
	{tile2x1vAVX512, tile2x2vAVX512},
	{tile1x1vAVX512, tile1x2vAVX512},
}

// pairs512 multiply pairs of bf16 with float32 sums.
var pairs512 = panels{2, [][2]tileFunc{
	{pairTile14x1vAVX512, pairTile14x2vAVX512},
	{pairTile8x1vAVX512, pairTile8x2vAVX512},
	{pairTile4x1vAVX512, pairTile4x2vAVX512},
	{pairTile2x1vAVX512, pairTile2x2vAVX512},
	{pairTile1x1vAVX512, pairTile1x2vAVX512},
}, transposePairsAVX512, copyPairsAVX512, roundedPair}

// avx512Pairs is avx512 for processors on which products of pairs of bf16 are faster than those of float32.
var avx512Pairs = func() kernels {
	k := avx512
	k.name, k.bf16 = "AVX-512 with bf16", &pairs512
	return k
}()

var avx512 = kernels{
	name: "AVX-512", lanes: 16, rows: 14,
	heights: []int{14, 8, 4, 2, 1},
	columns: 8,
	dots:    []dotFunc{dot1x8AVX512, dot2x8AVX512, dot3x8AVX512},
	panels:  panels{1, tilesAVX512, transposeAVX512, copyLanesAVX512, element},
	bf16:    &panels{1, tilesAVX512, transposeRoundedAVX512, copyLanesRoundedAVX512, rounded},
	int8:    vnni(),

	expands:        [backend.Layouts]expandFunc{expandQ8AVX512, expandQ4AVX512, expandNF4AVX512, expandBF16AVX512},
	packedDots:     [backend.Layouts]packedDotFunc{dotQ8x4AVX512, dotQ4x4AVX512, dotNF4x4AVX512, dotBF16x4AVX512},
	axpy:           axpyAVX512,
	add:            addAVX512,
	scale:          scaleAVX512,
	dot:            dotAVX512,
	dot3:           dot3AVX512,
	sumSquares:     sumSquaresAVX512,
	normScale:      normScaleAVX512,
	normGrad:       normGradAVX512,
	normWeightGrad: normWeightGradAVX512,
	rotate:         rotateAVX512,
	rotatePairs:    rotatePairsAVX512,
	siluMul:        siluMulAVX512,
	siluMulGrad:    siluMulGradAVX512,
	adamw:          adamwAVX512,
	maxRow:         maxRowAVX512,
	expRow:         expRowAVX512,
	maxColumns:     maxColumnsAVX512,
	expColumns:     expColumnsAVX512,
	softmaxGrad:    softmaxGradAVX512,
}

// vnni returns kernels for processors that add four products of bytes at once, else AVX2's.
func vnni() *int8Kernels {
	if !cpu.X86.HasAVX512VNNI {
		return avx2.int8
	}
	return &int8Kernels{
		round: roundInt8AVX512,
		sums:  sumInt8AVX512,
		tiles: []int8Tile{{7, int8Tile7AVX512}, {4, int8Tile4AVX512}, {2, int8Tile2AVX512}, {1, int8Tile1AVX512}},
		dots:  [2]int8Dot{dotInt8x4AVX512, dotInt4x4AVX512},
		pairs: pairInt4AVX512,
		bytes: bytesInt4AVX512,
	}
}

// best returns the fastest kernels that this processor, and the operating system that saves its registers, run. Products
// of bf16 pairs do two elements in the time of one on AMD's processors (Zen 4: 470 GFLOP/s against 235) and one in the time
// of two on Intel's (Sapphire Rapids: 80 against 170), where the float32 kernels are the better choice for bf16, too.
func best() *kernels {
	if hasAVX512() && cpu.X86.HasAVX512BF16 && cpuid.CPU.VendorID == cpuid.AMD {
		return &avx512Pairs
	}
	return available()[0]
}

// available returns all kernels that run here, the fastest first.
func available() []*kernels {
	ks := []*kernels{&generic}
	if cpu.X86.HasAVX2 && cpu.X86.HasFMA {
		ks = append([]*kernels{&avx2}, ks...)
		if hasAVX512() {
			ks = append([]*kernels{&avx512}, ks...)
		}
	}
	return ks
}

// availableBF16 is available with another set where the processor knows products of pairs of bf16.
func availableBF16() []*kernels {
	if hasAVX512() && cpu.X86.HasAVX512BF16 {
		return append([]*kernels{&avx512Pairs}, available()...)
	}
	return available()
}

func hasAVX512() bool {
	x := &cpu.X86
	return x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL
}

// caches returns the sizes in bytes of a core's second cache and of the last one, 0 or less where they are not known.
func caches() (l2, l3 int) { return cpuid.CPU.Cache.L2, cpuid.CPU.Cache.L3 }
