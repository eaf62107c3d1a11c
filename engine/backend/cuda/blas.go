package cuda

import (
	"fmt"
	"unsafe"

	"tunebook/engine/backend"
)

// blasTable is the part of cuBLASLt that products use: the library's functions, or a test's. Each returns 0 or a status.
// Source: cuBLAS library documentation, "Using the cuBLASLt API".
type blasTable struct {
	Create              func(handle *uintptr) int32
	GetVersion          func() uint64
	StatusString        func(status int32) string
	DescCreate          func(desc *uintptr, compute, scale int32) int32
	DescSet             func(desc uintptr, attribute int32, value unsafe.Pointer, bytes uint64) int32
	LayoutCreate        func(layout *uintptr, dataType int32, rows, cols uint64, ld int64) int32
	PreferenceCreate    func(pref *uintptr) int32
	PreferenceSet       func(pref uintptr, attribute int32, value unsafe.Pointer, bytes uint64) int32
	PreferenceDestroy   func(pref uintptr) int32
	DescDestroy         func(desc uintptr) int32
	LayoutDestroy       func(layout uintptr) int32
	AlgorithmHeuristics func(handle, desc, a, b, c, d, pref uintptr, wanted int32, results *blasAlgorithm, found *int32) int32
	Multiply            func(handle, desc uintptr, alpha *float32, a uint64, aLayout uintptr, b uint64, bLayout uintptr, beta *float32, c uint64, cLayout uintptr,
		d uint64, dLayout uintptr, algorithm *blasAlgorithm, workspace uint64, workspaceBytes uint64, stream uintptr) int32
}

func (t *blasTable) symbols() map[string]any {
	return map[string]any{
		"cublasLtCreate": &t.Create, "cublasLtGetVersion": &t.GetVersion, "cublasLtGetStatusString": &t.StatusString,
		"cublasLtMatmulDescCreate": &t.DescCreate, "cublasLtMatmulDescSetAttribute": &t.DescSet, "cublasLtMatmulDescDestroy": &t.DescDestroy,
		"cublasLtMatrixLayoutCreate": &t.LayoutCreate, "cublasLtMatrixLayoutDestroy": &t.LayoutDestroy,
		"cublasLtMatmulPreferenceCreate": &t.PreferenceCreate, "cublasLtMatmulPreferenceSetAttribute": &t.PreferenceSet,
		"cublasLtMatmulPreferenceDestroy": &t.PreferenceDestroy, "cublasLtMatmulAlgoGetHeuristic": &t.AlgorithmHeuristics, "cublasLtMatmul": &t.Multiply,
	}
}

// blasAlgorithm is cublasLtMatmulHeuristicResult_t, which begins with the algorithm itself.
type blasAlgorithm struct {
	algorithm [8]uint64
	workspace uint64
	status    int32
	waves     float32
	_         [4]int32
}

// Numbers of cuBLASLt.
const (
	blasFloat32 = 0  // CUDA_R_32F
	blasBF16    = 14 // CUDA_R_16BF
	blasCompute = 68 // CUBLAS_COMPUTE_32F: sums in float32, and for float32 operands no TF32

	blasTransposeA = 3 // CUBLASLT_MATMUL_DESC_TRANSA
	blasTransposeB = 4

	blasPreferWorkspace = 1 // CUBLASLT_MATMUL_PREF_MAX_WORKSPACE_BYTES
	blasPreferAlignment = 5 // …_MIN_ALIGNMENT_A_BYTES, then of B, C and D

	blasWorkspace = 64 << 20
)

// matrix is an operand of a product as it lies in memory: rows of ld elements.
type matrix struct {
	addr uint64
	ld   int
}

// multiplication is C = alpha·op(A, B) + beta·C of float32, with operands of float32 or bf16.
type multiplication struct {
	c           uint64
	a, b        matrix
	m, n, k     int
	op          backend.MatOp
	bf16        bool
	alpha, beta float32
}

// blas is cuBLASLt for one card.
type blas struct {
	t         *blasTable
	handle    uintptr
	workspace uint64
	plans     map[blasShape]*blasPlan
}

// blasShape is what a plan depends on.
type blasShape struct {
	m, n, k, lda, ldb int
	op                backend.MatOp
	bf16              bool
	aligned           [3]uint32 // bytes, of A, B and C
}

// blasPlan is what the library was told of a shape and the algorithm that it chose; none where it has none.
type blasPlan struct {
	desc, first, second, out uintptr
	algorithm                blasAlgorithm
	none                     bool
}

// alignment is the largest power of two up to 16 that divides an address and the bytes of a row.
func alignment(addr uint64, row int) uint32 {
	for a := uint32(16); a > 1; a /= 2 {
		if addr%uint64(a) == 0 && row%int(a) == 0 {
			return a
		}
	}
	return 1
}

// planned returns how a product is made; its none says that the library has no algorithm for it. The caller has made the card's
// context current.
//
// The library counts by columns: a matrix of ours with rows of ld elements is for it the transpose. So it computes Cᵀ, with B as
// its first operand.
func (l *blas) planned(x multiplication) (*blasPlan, error) {
	size := 4
	if x.bf16 {
		size = 2
	}
	s := blasShape{x.m, x.n, x.k, x.a.ld, x.b.ld, x.op, x.bf16,
		[3]uint32{alignment(x.a.addr, x.a.ld*size), alignment(x.b.addr, x.b.ld*size), alignment(x.c, x.n*4)}}
	p, ok := l.plans[s]
	if !ok {
		var err error
		if p, err = l.plan(s); err != nil {
			return nil, err
		}
		l.plans[s] = p
	}
	return p, nil
}

// start starts a product on the stream. The caller has made the card's context current.
func (l *blas) start(p *blasPlan, x multiplication, stream uintptr) error {
	code := l.t.Multiply(l.handle, p.desc, &x.alpha, x.b.addr, p.first, x.a.addr, p.second, &x.beta, x.c, p.out, x.c, p.out, &p.algorithm, l.workspace, blasWorkspace, stream)
	return l.check("a product", code)
}

func (l *blas) check(what string, status int32) error {
	if status == 0 {
		return nil
	}
	return fmt.Errorf("cuda: cuBLASLt: %s: %s (%d)", what, l.t.StatusString(status), status)
}

// plan asks the library for an algorithm.
func (l *blas) plan(s blasShape) (*blasPlan, error) {
	p := &blasPlan{}
	t := l.t
	var first error
	do := func(what string, status int32) {
		if first == nil {
			first = l.check(what, status)
		}
	}
	kind := int32(blasFloat32)
	if s.bf16 {
		kind = blasBF16
	}
	layout := func(to *uintptr, kind int32, rows, ld int, cols int) {
		do("a layout", t.LayoutCreate(to, kind, uint64(rows), uint64(cols), int64(ld)))
	}
	do("a description", t.DescCreate(&p.desc, blasCompute, blasFloat32))
	turn := func(attribute int32, yes bool) {
		var v int32
		if yes {
			v = 1
		}
		do("a transposition", t.DescSet(p.desc, attribute, unsafe.Pointer(&v), 4))
	}
	// Ours, as (rows, columns) of the library: A (M, K) is (K, M), B (N, K) is (K, N), and so on.
	turn(blasTransposeA, s.op == backend.NT)
	turn(blasTransposeB, s.op == backend.TN)
	if s.op == backend.NT {
		layout(&p.first, kind, s.k, s.ldb, s.n)
	} else {
		layout(&p.first, kind, s.n, s.ldb, s.k)
	}
	if s.op == backend.TN {
		layout(&p.second, kind, s.m, s.lda, s.k)
	} else {
		layout(&p.second, kind, s.k, s.lda, s.m)
	}
	layout(&p.out, blasFloat32, s.n, s.n, s.m)
	var pref uintptr
	do("a preference", t.PreferenceCreate(&pref))
	bytes := uint64(blasWorkspace)
	do("a workspace", t.PreferenceSet(pref, blasPreferWorkspace, unsafe.Pointer(&bytes), 8))
	for i, a := range []uint32{s.aligned[1], s.aligned[0], s.aligned[2], s.aligned[2]} {
		do("an alignment", t.PreferenceSet(pref, blasPreferAlignment+int32(i), unsafe.Pointer(&a), 4))
	}
	if first != nil {
		return nil, first
	}
	var found int32
	status := t.AlgorithmHeuristics(l.handle, p.desc, p.first, p.second, p.out, p.out, pref, 1, &p.algorithm, &found)
	do("a preference", t.PreferenceDestroy(pref))
	if p.none = status != 0 || found == 0 || p.algorithm.status != 0; p.none {
		t.DescDestroy(p.desc)
		for _, x := range []uintptr{p.first, p.second, p.out} {
			t.LayoutDestroy(x)
		}
	}
	return p, first
}

// Library says which cuBLASLt products of a card go through, in one line, or in an error's sentence why there is none.
func Library() (string, error) {
	t, path, err := loadBlas()
	if err != nil {
		return "", err
	}
	v := t.GetVersion()
	return fmt.Sprintf("cuBLASLt %d.%d.%d, %s", v/10000, v/100%100, v%100, path), nil
}
