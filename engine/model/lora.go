package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/internal/parts"
	"tunebook/engine/tensor"
)

// LoRA describes low-rank adapters in PEFT's terms. The added weight is (Alpha/Rank)·B·A.
// Source: Hu et al. 2021, arXiv:2106.09685.
type LoRA struct {
	Rank    int      // R; 0 for no adapter
	Alpha   float64  // 0 means 2·Rank
	Targets []string // names of linear modules ("q_proj", "self_attn.q_proj") as PEFT matches them; empty means all of the layers
	RSLoRA  bool     `json:",omitzero"` // (Alpha/sqrt(Rank))·B·A instead. Source: Kalajdzievski 2023, arXiv:2312.03732
	DoRA    bool     `json:",omitzero"` // rows of the sum are scaled to trained lengths. Source: Liu et al. 2024, arXiv:2402.09353
}

// Targets are the linear layers of a Llama decoder layer that an adapter can sit on; other families have names of their
// own (Model.Targets).
var Targets = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

// Targets returns the names of the linear modules that an adapter can sit on, those of a layer in the order of the forward
// pass. The head is none of them: where it is tied to the embedding, an adapter on it would change one and not the other.
func (m *Model) Targets() []string {
	var out []string
	for _, p := range m.linears() {
		base := strings.TrimSuffix(p.Name, ".weight")
		if name := base[strings.LastIndexByte(base, '.')+1:]; !slices.Contains(out, name) {
			out = append(out, name)
		}
	}
	return out
}

// linears returns the weights of all linear modules of the layers, in the order of the forward pass.
func (m *Model) linears() []*grad.Param {
	var out []*grad.Param
	for i := range m.layers {
		l := &m.layers[i]
		for _, p := range []module{l.qkv, l.q, l.k, l.v, l.o, l.gate, l.up, l.down} {
			if p.w != nil {
				out = append(out, p.w)
			}
		}
	}
	return out
}

// Products returns the number of weights that every token is multiplied with in the layers, adapters not counted, and
// those of the head.
func (m *Model) Products() (layers, head int) {
	for _, p := range m.linears() {
		layers += p.Len()
	}
	return layers, m.Config.VocabSize * m.Config.HiddenSize
}

// sides returns the output and input sizes of a linear module.
func (m *Model) sides(w *grad.Param) (n, k int) {
	if m.plan.transposed {
		return w.Shape[1], w.Shape[0]
	}
	return w.Shape[0], w.Shape[1]
}

// matches tells whether a target names a module, as PEFT decides it: the whole name or its last parts.
func matches(target, name string) bool {
	return name == target || strings.HasSuffix(name, "."+target)
}

// Adapter is a set of low-rank additions to a model's linear layers.
type Adapter struct {
	LoRA
	params []*grad.Param
	of     map[string]adapted // by the weight's name
	held   *memory
}

// adapted is what an adapter adds to one weight: A (R, K), B (N, R), and with DoRA the lengths M (N) of the sum's rows.
type adapted struct{ a, b, m *grad.Param }

// AddAdapter puts new adapters on the model: A uniform in ±1/sqrt(K) (PEFT's default, Kaiming with a = sqrt 5), B zero,
// and DoRA's lengths those that the weight's rows have, so that the model's outputs stay as they are until training.
func (m *Model) AddAdapter(l LoRA, seed int64) error {
	if m.Adapter != nil {
		return fmt.Errorf("model.AddAdapter: the model has an adapter of rank %d already", m.Adapter.Rank)
	}
	if l.Rank <= 0 {
		return fmt.Errorf("model.AddAdapter: rank is %d; wanted at least 1", l.Rank)
	}
	if l.Alpha == 0 {
		l.Alpha = 2 * float64(l.Rank)
	}
	if !(l.Alpha > 0) || math.IsInf(l.Alpha, 0) {
		return fmt.Errorf("model.AddAdapter: alpha is %g; wanted a positive number", l.Alpha)
	}
	ad, err := m.newAdapter(l)
	if err != nil {
		return fmt.Errorf("model.AddAdapter: %w", err)
	}
	var on []*grad.Param // the weights that have one
	for _, w := range m.linears() {
		if _, ok := ad.of[w.Name]; ok {
			on = append(on, w)
		}
	}
	drawn := make([][]float32, len(on))
	parts.Each(len(on), 1, func(i, _ int) { // each has a stream of its own
		a := ad.of[on[i].Name].a
		k := a.Shape[1]
		r := tensor.NewRNG(seed, "init/"+a.Name)
		x := make([]float32, l.Rank*k)
		bound := 1 / math.Sqrt(float64(k))
		for i := range x {
			x[i] = float32(bound * (2*r.Float64() - 1))
		}
		drawn[i] = x
	})
	for i, w := range on {
		p := ad.of[w.Name]
		m.dev.Upload(p.a.Value, drawn[i])
		if p.m != nil { // B is 0
			n, k := m.sides(w)
			m.sum(w, p, 0, func(v backend.Buffer) { m.dev.RowNorms(p.m.Value, v, n, k) })
		}
	}
	m.Adapter = ad
	return nil
}

// sum hands f W + scale·B·A as (N, K), whichever way W lies.
func (m *Model) sum(w *grad.Param, p adapted, scale float32, f func(v backend.Buffer)) {
	n, k := m.sides(w)
	m.numbers(w, func(W backend.Buffer) {
		v := grad.AdaptedWeight(m.dev, W, p.a.Value, p.b.Value, n, k, p.a.Shape[0], scale, m.plan.transposed)
		f(v)
		m.dev.Free(v)
	})
}

// newAdapter makes zeros for every module that l targets. A target that names no module is an error.
func (m *Model) newAdapter(l LoRA) (*Adapter, error) {
	if len(l.Targets) == 0 {
		l.Targets = m.Targets()
	}
	ad := &Adapter{LoRA: l, of: map[string]adapted{}, held: newMemory()}
	met := make([]bool, len(l.Targets))
	for _, w := range m.linears() {
		base, hit := strings.TrimSuffix(w.Name, ".weight"), false
		for i, t := range l.Targets {
			if matches(t, base) {
				met[i], hit = true, true
			}
		}
		if !hit {
			continue
		}
		n, k := m.sides(w)
		a := &grad.Param{Name: base + ".lora_A.weight", Shape: []int{l.Rank, k}, Value: m.dev.Alloc(tensor.F32, l.Rank*k)}
		b := &grad.Param{Name: base + ".lora_B.weight", Shape: []int{n, l.Rank}, Value: m.dev.Alloc(tensor.F32, n*l.Rank)}
		p := adapted{a: a, b: b}
		ad.params = append(ad.params, a, b)
		if l.DoRA {
			p.m = &grad.Param{Name: base + ".lora_magnitude_vector", Shape: []int{n}, Value: m.dev.Alloc(tensor.F32, n)}
			ad.params = append(ad.params, p.m)
		}
		ad.of[w.Name] = p
	}
	for _, p := range ad.params {
		ad.held.buffers = append(ad.held.buffers, p.Value)
	}
	for i, ok := range met {
		if !ok && (l.Targets[i] == m.plan.head || matches(l.Targets[i], m.plan.embed)) {
			return nil, fmt.Errorf("%s is the head or the embedding, tied %v; adapters sit on %s", l.Targets[i], m.Config.TieWordEmbeddings, strings.Join(m.Targets(), ", "))
		}
		if !ok {
			return nil, fmt.Errorf("no linear layer is called %q; there are %s", l.Targets[i], strings.Join(m.Targets(), ", "))
		}
	}
	return ad, nil
}

// Params returns A, B and, with DoRA, M of every adapted layer, in the order of the forward pass.
func (a *Adapter) Params() []*grad.Param {
	if a == nil {
		return nil
	}
	return a.params
}

// Scale returns Alpha/Rank, or Alpha/sqrt(Rank) with RSLoRA.
func (a *Adapter) Scale() float32 {
	if a.RSLoRA {
		return float32(a.Alpha / math.Sqrt(float64(a.Rank)))
	}
	return float32(a.Alpha / float64(a.Rank))
}

func (a *Adapter) on(t *grad.Tape, w *grad.Param) *grad.Adapter {
	if a == nil {
		return nil
	}
	p, ok := a.of[w.Name]
	if !ok {
		return nil
	}
	g := &grad.Adapter{A: t.Param(p.a), B: t.Param(p.b), Scale: a.Scale()}
	if p.m != nil {
		g.M = t.Param(p.m)
	}
	return g
}

// clone returns an adapter whose values copy makes.
func (a *Adapter) clone(copy func(p *grad.Param) backend.Buffer) *Adapter {
	if a == nil {
		return nil
	}
	c := &Adapter{LoRA: a.LoRA, of: map[string]adapted{}, held: newMemory()}
	twin := map[*grad.Param]*grad.Param{}
	for _, p := range a.params {
		q := &grad.Param{Name: p.Name, Shape: p.Shape, Value: copy(p)}
		c.params, c.held.buffers = append(c.params, q), append(c.held.buffers, q.Value)
		twin[p] = q
	}
	for name, p := range a.of {
		c.of[name] = adapted{twin[p.a], twin[p.b], twin[p.m]}
	}
	return c
}

// Merge returns a model without adapters whose weights are W + Scale·B·A, with DoRA's rows scaled to their lengths, summed in
// float32. The model itself stays as it is: going back to it is un-merging.
func (m *Model) Merge() (*Model, error) { return m.merged(1) }

// Unmerge returns a model whose weights are W - Scale·B·A: where m holds merged weights and the adapter that was merged, the
// weights from before, but for the rounding of two float32 sums. DoRA cannot be taken out: the rows' first lengths are
// gone, which is an error.
func (m *Model) Unmerge() (*Model, error) {
	switch {
	case m.Adapter == nil:
		return nil, fmt.Errorf("model.Unmerge: the model has no adapter to take out")
	case m.Adapter.DoRA:
		return nil, fmt.Errorf("model.Unmerge: the adapter is DoRA, whose merging forgets the lengths of the weights' rows; keep the base model")
	}
	return m.merged(-1)
}

func (m *Model) merged(sign float32) (n *Model, err error) {
	n = m.Clone()
	n.dropAdapter()
	n.widen()
	if m.Adapter == nil {
		return n, nil
	}
	scale := sign * m.Adapter.Scale()
	for name, p := range m.Adapter.of {
		w := n.byName[name]
		N, K := m.sides(w)
		n.sum(w, p, scale, func(v backend.Buffer) {
			if p.m != nil {
				if e := m.scaleRows(v, p.m.Value, N, K); e != nil {
					err = e
					return
				}
			}
			if m.plan.transposed {
				grad.Transpose(m.dev, w.Value, v, N, K)
			} else {
				m.dev.Copy(w.Value, v)
			}
		})
	}
	return n, err
}

// scaleRows gives the rows of v (N, K) the lengths that lie in m, on the host: merging is done once.
func (m *Model) scaleRows(v, lengths backend.Buffer, N, K int) error {
	x, want := make([]float32, N*K), make([]float32, N)
	if err := m.dev.Download(x, v); err != nil {
		return err
	}
	if err := m.dev.Download(want, lengths); err != nil {
		return err
	}
	for i := range N {
		row, sum := x[i*K:(i+1)*K], 0.0
		for _, e := range row {
			sum += float64(e) * float64(e)
		}
		f := float64(want[i]) / math.Sqrt(sum)
		for j, e := range row {
			row[j] = float32(float64(e) * f)
		}
	}
	m.dev.Upload(v, x)
	return nil
}
