package cpu

import (
	"fmt"
	"runtime"
	"sync"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// Backend is the device that computes on this machine's processor. It finishes each call before it returns. Calls from
// several goroutines run one after another.
type Backend struct {
	backend.HostMemory
	k    *kernels
	bf16 *kernels // of large products on "cpu-bf16", else nil
	pool *pool

	blockM, blockN int // see blocks

	mu sync.Mutex // one operation at a time: the fields below are its scratch

	packedB  []float32   // the packed right operand of a product
	packedB2 []float32   // likewise, of what is added to it
	packedA  [][]float32 // per thread: the packed left operand
	apart    []float32   // multiplyApart: the sums of each step
	partials []float32   // per chunk sums of a reduction
	doubles  []float64
	scratch  [][]float32 // per thread: attention, RoPE, LayerNorm, GeGLU
	logits   []float32   // LinearCrossEntropy
	rows     []float32   // LinearCrossEntropy: scaled rows of x
	work     []attnItem
	angles   angleTables
	ones     []float32 // LayerNorm
	unpacked []float32 // MatMulPacked: a small weight's numbers
	rounded  []float32 // MatMulPacked: what A is rounded to

	// The tasks that operations hand to the pool. They live here because a task made for each call would be garbage
	// after it.
	tasks struct {
		packB         packBTask
		product       productTask
		apart         apartTask
		addApart      addApartTask
		dotRows       dotRowsTask
		few           fewTask
		rows          rowsTask
		norm          normTask
		normGrad      normGradTask
		embed         embedTask
		rope          ropeTask
		vector        vectorTask
		adamw         adamwTask
		sample        sampleTask
		entropy       entropyTask
		attention     attentionTask
		attnGrad      attentionGradTask
		logits        logitsTask
		sumSquares    sumSquaresTask
		layerNorm     layerNormTask
		layerNormGrad layerNormGradTask
		bias          biasTask
		sumRows       sumRowsTask
		geglu         gegluTask
		rowNorms      rowNormsTask
		scaleColumns  scaleColumnsTask
		dequant       dequantTask
		round         roundTask
		embedPacked   embedPackedTask
		records       recordsTask
		int8          int8Task
		int8Row       int8RowTask
	}
}

// New returns a device that works on up to threads threads, with the fastest kernels that this processor runs; 0 stands
// for GOMAXPROCS. Results have the same bits for every number of threads.
func New(threads int) *Backend { return newBackend(threads, best()) }

// NewBF16 is New for a device whose large products round their operands to bf16, to nearest with ties to even, while they
// pack them: those with at least 64 rows and columns over at least 32 elements, LinearCrossEntropy's included. Sums,
// results and everything else stay in float32. On processors that multiply pairs of bf16 faster than float32 numbers
// (Zen 4 and later; not measured there) such products run on pairs; elsewhere on the float32 kernels, and save nothing.
func NewBF16(threads int) *Backend { return newBF16(threads, best()) }

func newBF16(threads int, k *kernels) *Backend {
	b := newBackend(threads, k)
	b.bf16 = k.withBF16()
	return b
}

func newBackend(threads int, k *kernels) *Backend {
	if threads <= 0 {
		threads = runtime.GOMAXPROCS(0)
	}
	b := &Backend{
		k:       k,
		pool:    newPool(threads),
		packedA: make([][]float32, threads),
		scratch: make([][]float32, threads),
	}
	b.blockM, b.blockN = blocks(caches())
	return b
}

func init() {
	register := func(name string, made func(threads int, k *kernels) *Backend) {
		backend.Register(name, func() (backend.Backend, error) {
			k, err := chosen()
			if err != nil {
				return nil, err
			}
			return made(0, k), nil
		})
	}
	register("cpu", newBackend)
	register("cpu-bf16", newBF16)
}

// Name returns "cpu", or "cpu-bf16" where large products round their operands.
func (b *Backend) Name() string {
	if b.bf16 != nil {
		return "cpu-bf16"
	}
	return "cpu"
}

// Info returns the number of threads and the instruction set: "2 threads, AVX-512".
func (b *Backend) Info() string {
	s := "s"
	if b.pool.threads == 1 {
		s = ""
	}
	return fmt.Sprintf("%d thread%s, %s", b.pool.threads, s, b.k.name)
}

// floats returns the first n elements of an F32 buffer. It panics when there are fewer.
func floats(op, name string, b backend.Buffer, n int) []float32 {
	h, ok := b.(*backend.HostBuffer)
	if !ok {
		panic(fmt.Sprintf("%s: %s is a %T; cpu wants its own *backend.HostBuffer", op, name, b))
	}
	if h.DType() != tensor.F32 {
		panic(fmt.Sprintf("%s: %s holds %s; wanted %s", op, name, h.DType(), tensor.F32))
	}
	if n < 0 || len(h.F) < n {
		panic(fmt.Sprintf("%s: %s holds %d elements; wanted %d", op, name, len(h.F), n))
	}
	return h.F[:n]
}

// ints is floats for an I32 buffer. An empty buffer has no type to check.
func ints(op, name string, b backend.Buffer, n int) []int32 {
	h, ok := b.(*backend.HostBuffer)
	if !ok {
		panic(fmt.Sprintf("%s: %s is a %T; cpu wants its own *backend.HostBuffer", op, name, b))
	}
	if h.DType() != tensor.I32 && h.Len() > 0 {
		panic(fmt.Sprintf("%s: %s holds %s; wanted %s", op, name, h.DType(), tensor.I32))
	}
	if n < 0 || len(h.I) < n {
		panic(fmt.Sprintf("%s: %s holds %d elements; wanted %d", op, name, len(h.I), n))
	}
	return h.I[:n]
}

// optional is floats, with nil for a buffer that is nil.
func optional(op, name string, b backend.Buffer, n int) []float32 {
	if b == nil {
		return nil
	}
	return floats(op, name, b, n)
}

// checkIndices panics unless every element of ids lies in [0, n).
func checkIndices(op, name string, ids []int32, n int) {
	for i, id := range ids {
		if id < 0 || int(id) >= n {
			panic(fmt.Sprintf("%s: %s[%d] is %d; wanted 0 … %d", op, name, i, id, n-1))
		}
	}
}

// grow returns s with n elements of any value, from the same memory when it is large enough.
func grow(s []float32, n int) []float32 {
	if cap(s) < n {
		return make([]float32, n+n/8)[:n]
	}
	return s[:n]
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }
