package cuda

import (
	"testing"

	"tunebook/engine/backend"
)

// sim90 is a simulated card of compute capability 9.0 whose products and attention run on tensor cores.
func sim90(t testing.TB, kernels *simulated) *Backend {
	t.Helper()
	kernels.hopper = true
	return bf16Sim(t, kernels)
}

// flash90Cases have segments longer and shorter than a tile, masks whose edges lie within and at the end of one, several heads,
// and every size of kernel.
func flash90Cases() []flashCase {
	list := func(lengths ...int) (l []backend.Segment) {
		at := 1 // a row that no segment names
		for _, n := range lengths {
			l = append(l, backend.Segment{QStart: at, QLen: n, KStart: at, KLen: n})
			at += n
		}
		return l
	}
	return []flashCase{
		{backend.Segments{List: list(70, 1, 0, 33)}, 4, 2, 40},
		{backend.Segments{List: list(300)}, 2, 1, 64},
		{backend.Segments{List: list(290), Window: 20}, 1, 1, 128},
		{backend.Segments{List: list(129, 128)}, 1, 1, 100},
		{backend.Segments{List: list(40, 275), Full: true}, 1, 1, 33},
		{backend.Segments{List: list(190), Full: true, Window: 9}, 1, 1, 64},
		{backend.Segments{List: []backend.Segment{{QStart: 2, QLen: 5, KStart: 0, KLen: 180}, {QStart: 7, QLen: 130, KStart: 180, KLen: 400}}}, 2, 2, 64},
	}
}

// TestFlash90: the kernels for compute capability 9.0 are as right as those for all.
func TestFlash90(t *testing.T) {
	dev, err := newSimulated()
	if err != nil {
		t.Fatal(err)
	}
	if err := attentions(sim90(t, dev), flash90Cases()); err != nil {
		t.Error(err)
	}
}
