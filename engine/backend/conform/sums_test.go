package conform

import (
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
)

// summing is a device whose sums of two products are wrong.
type summing struct {
	backend.Backend
	sum func(c backend.Buffer, first, second backend.Term, m, n int, beta float32)
}

func (s summing) MatMulSum(c backend.Buffer, first, second backend.Term, m, n int, beta float32) {
	s.sum(c, first, second, m, n, beta)
}

func TestSummingMutants(t *testing.T) {
	r := ref.New()
	right := func(c backend.Buffer, first, second backend.Term, m, n int, beta float32) {
		first.Into(r, c, m, n, beta)
		second.Into(r, c, m, n, 1)
	}
	if failed, _ := caught(summing{r, right}, "MatMul/sums", "", "MatMulSum"); failed != nil {
		t.Errorf("right sums fail: %v", failed)
	}
	for name, sum := range map[string]func(c backend.Buffer, first, second backend.Term, m, n int, beta float32){
		"the second's factor left out": func(c backend.Buffer, first, second backend.Term, m, n int, beta float32) {
			second.Alpha = 1
			right(c, first, second, m, n, beta)
		},
		"the second overwrites": func(c backend.Buffer, first, second backend.Term, m, n int, beta float32) {
			first.Into(r, c, m, n, beta)
			second.Into(r, c, m, n, 0)
		},
		"the second comes first": func(c backend.Buffer, first, second backend.Term, m, n int, beta float32) {
			second.Into(r, c, m, n, beta)
			first.Into(r, c, m, n, 1)
		},
	} {
		if failed, ok := caught(summing{r, sum}, "MatMul/sums", "", "MatMulSum"); !ok {
			t.Errorf("%s: not caught; failures %v", name, failed)
		}
	}
}
