// Package conform holds the checks that every backend passes. Run compares each operation with package ref over odd and
// random shapes, and each gradient with finite differences of the backend's own forward pass; it watches the memory
// around every buffer, the inputs, the rows that a call must leave alone, and the bits of a second call.
//
// Differences are measured against the magnitude of the result: an element may differ by
//
//	tolerance · (|wanted element| + root mean square of the wanted array)
//
// with the tolerances of the table below. A NaN is never close to anything. Numbers that are rounded to bfloat16 or to a byte may
// be neighbours of what is wanted, in one of 500 elements.
//
// On a device whose name ends in -bf16, the factors of products are values that bf16 holds: there MatMul has the same
// bound. The gradients of LinearCrossEntropy multiply probabilities, which are rounded within, and have a wider one.
package conform

import (
	"fmt"
	"testing"

	"tunebook/engine/backend"
)

// tolerances bound the difference from ref, by operation. Zero means the same bits.
var tolerances = map[string]float64{
	"MatMul":               4e-6, // float32 sums of up to 577 products
	"EmbeddingForward":     0,
	"EmbeddingBackward":    1e-6,
	"RMSNormForward":       2e-6,
	"RMSNormBackward":      4e-6,
	"LayerNormForward":     4e-6, // the variance of a centred row, whose mean is a float32 sum
	"LayerNormBackward":    6e-6,
	"AddBias":              0,
	"SumRows":              2e-6,
	"RoPE":                 1e-6,
	"RowNorms":             2e-6,
	"ScaleColumnsForward":  1e-6,
	"ScaleColumnsBackward": 2e-6,
	"Dequantize":           0, // one product
	"MatMulPacked":         4e-6,
	"EmbeddingPacked":      0,
	"SwiGLUForward":        1e-6,
	"SwiGLUBackward":       2e-6,
	"GeGLUForward":         1e-6,
	"GeGLUBackward":        2e-6,
	"AttentionForward":     1e-5, // the exponential of a float32 sum: its rounding is the size of the logit
	"AttentionBackward":    2e-5,
	"LinearCrossEntropy":   2e-5,
	"Gather":               0,
	"Scatter":              0,
	"Fill":                 0,
	"Copy":                 0,
	"AddScaled":            2e-7,
	"Sample":               0,
	"CrossEntropy":         2e-6,
	"SumSquares":           2e-6,
	"AdamW":                2e-6,
}

// bf16Tolerances stand in place of those on devices whose names end in -bf16.
var bf16Tolerances = map[string]float64{
	"LinearCrossEntropy": 4e-3,   // 2^-8: the spacing of bf16 numbers
	"MatMulPacked":       2.5e-2, // the largest of many sums whose every weight is rounded by up to 2^-9
}

// products names the factors of products, which the suite rounds for those devices.
var products = map[string][]string{"MatMul": {"a", "b"}, "MatMulPacked": {"a"}, "LinearCrossEntropy": {"x", "w"}}

// gradientTolerance bounds the difference between a gradient and finite differences of a float32 forward pass.
const gradientTolerance = 1e-3

// T is what a check needs of *testing.T, so that the suite's own tests can watch it fail.
type T interface {
	Helper()
	Errorf(format string, args ...any)
}

// Skipper is a T that leaves out calls, by operation and shape, for devices on which each call takes long.
type Skipper interface {
	T
	Skip(call string) bool
}

// Check is one part of the suite. Name is "operation/what".
type Check struct {
	Name string
	Run  func(t T, b backend.Backend)
}

// Checks returns the whole suite.
func Checks() []Check {
	var all []Check
	for _, group := range [][]Check{
		memoryChecks, matmulChecks, rowChecks, rmsnormChecks, layernormChecks, biasChecks, scaleChecks, packedChecks, ropeChecks, swigluChecks, gegluChecks, attentionChecks,
		crossEntropyChecks, sampleChecks, vectorChecks, adamwChecks, gradientChecks, shapeChecks,
	} {
		all = append(all, group...)
	}
	return all
}

// Run fails t for everything that b does not hold.
func Run(t *testing.T, b backend.Backend) {
	for _, c := range Checks() {
		t.Run(c.Name, func(t *testing.T) { guarded(t, c, b) })
	}
}

// guarded runs a check and turns a panic of the backend into a failure of that check alone.
func guarded(t T, c Check, b backend.Backend) {
	defer func() {
		if r := recover(); r != nil {
			t.Errorf("%s: panic: %v", c.Name, r)
		}
	}()
	c.Run(t, b)
}

// Recorder is a T that keeps what was reported.
type Recorder struct{ Failures []string }

// Helper does nothing.
func (*Recorder) Helper() {}

// Errorf keeps a failure.
func (r *Recorder) Errorf(format string, args ...any) {
	r.Failures = append(r.Failures, fmt.Sprintf(format, args...))
}
