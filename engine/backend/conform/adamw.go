package conform

import (
	"fmt"
	"math"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/backend/ref"
	"tunebook/engine/tensor"
)

var adamwChecks = []Check{
	{"AdamW/values", lengths(func(r random, n int) *call { return adamw(r, 3, update{n: n}) })},
	{"AdamW/first step", lengths(func(r random, n int) *call { return adamw(r, 1, update{n: n}) })},
	{"AdamW/late step", lengths(func(r random, n int) *call { return adamw(r, 100000, update{n: n}) })},
	{"AdamW/bf16", func(t T, b backend.Backend) {
		r := newRandom("AdamW/bf16")
		for i, n := range []int{0, 1, 2, 31, 33, 577, 9001} {
			adamw(r, []int{3, 1, 100000}[i%3], update{n: n, form: backend.MomentsBF16, from: i * 1001, rounded: i%2 == 1}).verify(t, b)
		}
	}},
	{"AdamW/8 bits", func(t T, b backend.Backend) {
		r := newRandom("AdamW/8 bits")
		for i, n := range []int{0, 1, 255, 4095, 4096, 4097, 4101, 9001} {
			adamw(r, []int{3, 1, 100000}[i%3], update{n: n, form: backend.Moments8, rounded: i%2 == 1}).verify(t, b)
		}
	}},
	{"AdamW/many", func(t T, b backend.Backend) {
		r := newRandom("AdamW/many")
		adamw(r, 3, update{n: 577, rate: 0.5}, update{n: 0}, update{n: 4200, form: backend.Moments8}, update{n: 9, form: backend.Moments8},
			update{n: 33, form: backend.MomentsBF16, rate: 2}, update{n: 8300, rounded: true}, update{n: 0, form: backend.MomentsBF16}).verify(t, b)
		var small []update
		for i := range 37 {
			small = append(small, update{n: 1 + i%5, form: backend.MomentForm(i % 3), rounded: i%7 == 0})
		}
		adamw(r, 2, small...).verify(t, b)
		adamw(r, 2).verify(t, b)
	}},
	{"AdamW/again", adamwAgain},
}

// update is one tensor of a call.
type update struct {
	n       int
	form    backend.MomentForm
	rounded bool
	rate    float64 // 0 for 1
	from    int
}

// adamw updates tensors whose moments are those of a run: zero at first and where there was no gradient.
func adamw(r random, step int, tensors ...update) *call {
	c := &call{op: "AdamW"}
	var what []string
	for i, u := range tensors {
		p, g := r.floats(u.n, 1), r.floats(u.n, 1)
		m, v := r.floats(u.n, 0.1), r.floats(u.n, 0.1)
		for i := range v {
			v[i] *= v[i]
			switch {
			case i%5 == 1, i > 4000 && i/600%2 == 1: // a parameter that never had a gradient, and whole blocks of them
				m[i], v[i], g[i] = 0, 0, 0
			case i%7 == 3: // one whose first is small
				m[i], v[i], g[i] = 0, 0, g[i]*1e-6
			case step == 1:
				m[i], v[i] = 0, 0
			}
		}
		name := func(s string) string { return fmt.Sprint(s, i) }
		c.x = append(c.x, adds(name("p"), p), input(name("g"), g))
		c.x = append(c.x, momentOperands(u.form, name, m, v)...)
		if u.rounded {
			o := output(name("rounded"), u.n)
			o.order = orderRounded
			c.x = append(c.x, o)
		}
		s := fmt.Sprintf("%d in %s", u.n, u.form)
		if u.rounded {
			s += " rounded"
		}
		what = append(what, s)
	}
	c.what = fmt.Sprintf("step %d, %s", step, strings.Join(what, ", "))
	s := backend.AdamWStep{LR: 0.01, Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, GradScale: 0.25, Step: step}
	c.do = func(b backend.Backend, x map[string]backend.Buffer) {
		var list []backend.AdamWTensor
		for i, u := range tensors {
			at := func(s string) backend.Buffer { return x[fmt.Sprint(s, i)] }
			t := backend.AdamWTensor{P: at("p"), G: at("g"), Rounded: at("rounded"), Rate: u.rate, WeightDecay: 0.5 * float64(1-i%2), From: u.from,
				Moments: backend.Moments{Form: u.form, M: at("m"), V: at("v"), MTop: at("mtop"), VTop: at("vtop")}}
			if t.Rate == 0 {
				t.Rate = 1
			}
			list = append(list, t)
		}
		b.AdamW(list, s)
	}
	return c
}

// momentOperands are moments in a form, near to m and v.
func momentOperands(form backend.MomentForm, name func(string) string, m, v []float32) []operand {
	n := len(m)
	_, words, tops := form.Sizes(n)
	codes := func(s string) operand {
		o := operand{name: name(s), role: inout, i: make([]int32, words), order: order8}
		if form == backend.MomentsBF16 {
			o.order = orderBF16
		}
		return o
	}
	switch form.Of(n) {
	case backend.MomentsF32:
		return []operand{adds(name("m"), m), adds(name("v"), v)}
	case backend.MomentsBF16:
		a, b := codes("m"), codes("v")
		for i := range n {
			a.i[i/2] |= int32(math.Float32bits(m[i]) >> 16 << (16 * (i % 2)))
			b.i[i/2] |= int32(math.Float32bits(v[i]) >> 16 << (16 * (i % 2)))
		}
		return []operand{a, b}
	}
	a, b, atop, btop := codes("m"), codes("v"), make([]float32, tops), make([]float32, tops)
	for i := range n {
		block := i / backend.MomentBlock
		atop[block], btop[block] = max(atop[block], m[i], -m[i]), max(btop[block], v[i])
	}
	for i := range n {
		block := i / backend.MomentBlock
		a.i[i/4] |= int32(uint32(backend.Signed8.Nearest(float64(m[i]), float64(atop[block]))) << (8 * (i % 4)))
		b.i[i/4] |= int32(uint32(backend.NearestSecond(float64(v[i]), float64(btop[block]))) << (8 * (i % 4)))
	}
	return []operand{a, b, adds(name("mtop"), atop), adds(name("vtop"), btop)}
}

// order8 is the codes of a word, orderBF16 the places of its two numbers among all.
func order8(w int32) []int {
	return []int{int(uint8(w)), int(uint8(w >> 8)), int(uint8(w >> 16)), int(uint8(w >> 24))}
}

func orderBF16(w int32) []int { return []int{place(uint32(w) & 0xffff), place(uint32(w) >> 16)} }

// orderRounded is the place of a float32 number that bf16 holds; its lower half may not differ.
func orderRounded(w int32) []int { return []int{place(uint32(w) >> 16), int(2 * (w & 0xffff))} }

func place(bf16 uint32) int {
	if bf16&0x8000 != 0 {
		return -int(bf16 & 0x7fff)
	}
	return int(bf16)
}

// adamwAgain makes several updates of the same tensors: with other gradients in other buffers, other steps and another tensor
// among them, as a device that keeps a list of them must notice.
func adamwAgain(t T, b backend.Backend) {
	results := func(b backend.Backend) (out [][]float32) {
		r := newRandom("AdamW/again")
		const n = 300
		type block struct{ whole, all backend.Buffer }
		up := func(x []float32) block {
			whole := b.AllocUninit(tensor.F32, len(x))
			b.Upload(whole, x)
			return block{whole, whole.Slice(0, len(x))}
		}
		keep := func(x block, n int) {
			v := make([]float32, n)
			if err := b.Download(v, x.whole); err != nil {
				t.Errorf("AdamW again: %v", err)
			}
			out = append(out, v)
		}
		var list []backend.AdamWTensor
		var blocks []block
		for range 3 {
			p, m, v := up(r.floats(n, 1)), up(make([]float32, n)), up(make([]float32, n))
			blocks = append(blocks, p, m, v)
			list = append(list, backend.AdamWTensor{P: p.all, Moments: backend.Moments{M: m.all, V: v.all}, Rate: 1})
		}
		norms := up(make([]float32, 3))
		for step := 1; step <= 4; step++ {
			some := list[:3-step%2]
			var grads []block
			var xs []backend.Buffer
			for i := range some {
				g := up(r.floats(n, 1))
				grads, xs, some[i].G = append(grads, g), append(xs, g.all), g.all
			}
			b.SumSquares(norms.all, xs)
			b.AdamW(some, backend.AdamWStep{LR: 0.1 / float64(step), Beta1: 0.9, Beta2: 0.99, Eps: 1e-3, GradScale: 1, Step: step})
			keep(norms, len(xs))
			for i := range grads { // given back in another order than they were made in
				b.Free(grads[len(grads)-1-i].whole)
			}
		}
		for i, x := range blocks {
			if i%3 == 0 {
				keep(x, n)
			}
			b.Free(x.whole)
		}
		b.Free(norms.whole)
		return out
	}
	got, want := results(b), results(ref.New())
	for i := range want {
		for j := range want[i] {
			if d := math.Abs(float64(got[i][j] - want[i][j])); !(d <= 1e-5*(1+math.Abs(float64(want[i][j])))) {
				t.Errorf("AdamW again: result %d, element %d is %v; wanted %v", i, j, got[i][j], want[i][j])
				return
			}
		}
	}
}
