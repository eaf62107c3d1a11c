package cuda

import (
	"slices"
	"sync"
	"testing"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// TestUpdatesSideBySide: two runs on one card do not read each other's lists of tensors.
func TestUpdatesSideBySide(t *testing.T) {
	b, err := NewSim()
	if err != nil {
		t.Fatal(err)
	}
	run := func(seed int64) []float32 {
		const n, tensors = 40, 5
		r := tensor.NewRNG(seed, "side by side")
		up := func() backend.Buffer {
			x := make([]float32, n)
			for i := range x {
				x[i] = float32(r.Norm())
			}
			buf := b.AllocUninit(tensor.F32, n)
			b.Upload(buf, x)
			return buf
		}
		var list []backend.AdamWTensor
		var grads []backend.Buffer
		for range tensors {
			g := up()
			m := backend.NewMoments(b, backend.MomentsF32, n)
			m.Clear(b)
			grads, list = append(grads, g), append(list, backend.AdamWTensor{P: up(), G: g, Moments: m, Rate: 1})
		}
		norms := b.Alloc(tensor.F32, tensors)
		for step := 1; step <= 20; step++ {
			b.SumSquares(norms, grads)
			b.AdamW(list, backend.AdamWStep{LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, GradScale: 1, Step: step})
		}
		all := make([]float32, tensors, tensors+n*tensors)
		if err := b.Download(all, norms); err != nil {
			t.Error(err)
		}
		for i := range list {
			x := make([]float32, n)
			if err := b.Download(x, list[i].P); err != nil {
				t.Error(err)
			}
			all = append(all, x...)
		}
		return all
	}
	want := [2][]float32{run(1), run(2)}
	var got [2][]float32
	var wg sync.WaitGroup
	for i := range got {
		wg.Go(func() { got[i] = run(int64(i + 1)) })
	}
	wg.Wait()
	for i := range got {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("run %d is another one beside the other", i)
		}
	}
}

// TestTableIsKept: a list of tensors goes to the card once.
func TestTableIsKept(t *testing.T) {
	b, err := NewSim()
	if err != nil {
		t.Fatal(err)
	}
	d := &uploads{device: b.dev}
	b.dev = d
	var list []backend.AdamWTensor
	for range 3 {
		m := backend.NewMoments(b, backend.MomentsBF16, 10)
		m.Clear(b)
		list = append(list, backend.AdamWTensor{P: b.Alloc(tensor.F32, 10), G: b.Alloc(tensor.F32, 10), Moments: m, Rate: 1})
	}
	d.n = 0
	for step := 1; step <= 3; step++ {
		b.AdamW(list, backend.AdamWStep{LR: 0.1 / float64(step), Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, GradScale: 1, Step: step})
	}
	if d.n != 1 {
		t.Errorf("%d copies to the card in three updates; wanted 1", d.n)
	}
	list[1].G = b.Alloc(tensor.F32, 10)
	b.AdamW(list, backend.AdamWStep{LR: 0.1, Beta1: 0.9, Beta2: 0.99, Eps: 1e-8, GradScale: 1, Step: 4})
	if err := b.Sync(); err != nil || d.n != 2 {
		t.Errorf("%d copies after another gradient, %v; wanted 2", d.n, err)
	}
}

// uploads counts copies to a device.
type uploads struct {
	device
	n int
}

func (d *uploads) upload(addr uint64, b []byte) error {
	d.n++
	return d.device.upload(addr, b)
}
