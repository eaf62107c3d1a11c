package cpu

import "golang.org/x/sys/cpu"

var avx2 = kernels{
	name: "AVX2", lanes: 8, rows: 6,
	heights: []int{6, 4, 2, 1},
	tiles: [][2]tileFunc{
		{tile6x1vAVX2, tile6x2vAVX2},
		{tile4x1vAVX2, tile4x2vAVX2},
		{tile2x1vAVX2, tile2x2vAVX2},
		{tile1x1vAVX2, tile1x2vAVX2},
	},
	dots: []tileFunc{dot1x4AVX2, dot2x4AVX2},

	transpose:      transposeAVX2,
	copyLanes:      copyLanesAVX2,
	expands:        [5]expandFunc{expandQ8AVX2, expandQ4AVX2, expandNF4AVX2, expandBF16AVX2, expandQ8AVX2},
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

var avx512 = kernels{
	name: "AVX-512", lanes: 16, rows: 14,
	heights: []int{14, 8, 4, 2, 1},
	tiles: [][2]tileFunc{
		{tile14x1vAVX512, tile14x2vAVX512},
		{tile8x1vAVX512, tile8x2vAVX512},
		{tile4x1vAVX512, tile4x2vAVX512},
		{tile2x1vAVX512, tile2x2vAVX512},
		{tile1x1vAVX512, tile1x2vAVX512},
	},
	dots: []tileFunc{dot1x4AVX512, dot2x4AVX512, dot3x4AVX512, dot4x4AVX512},

	transpose:      transposeAVX512,
	copyLanes:      copyLanesAVX512,
	expands:        [5]expandFunc{expandQ8AVX512, expandQ4AVX512, expandNF4AVX512, expandBF16AVX512, expandQ8AVX512},
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

// best returns the fastest kernels that this processor, and the operating system that saves its registers, run.
func best() *kernels { return available()[0] }

// available returns all kernels that run here, the fastest first.
func available() []*kernels {
	ks := []*kernels{&generic}
	x := &cpu.X86
	if x.HasAVX2 && x.HasFMA {
		ks = append([]*kernels{&avx2}, ks...)
		if x.HasAVX512F && x.HasAVX512DQ && x.HasAVX512BW && x.HasAVX512VL {
			ks = append([]*kernels{&avx512}, ks...)
		}
	}
	return ks
}
