package model

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// LoRA describes low-rank adapters in PEFT's terms. The added weight is (Alpha/Rank)·B·A.
// Source: Hu et al. 2021, arXiv:2106.09685.
type LoRA struct {
	Rank    int      // R; 0 for no adapter
	Alpha   float64  // 0 means 2·Rank
	Targets []string // names of linear modules ("q_proj", "self_attn.q_proj") as PEFT matches them; empty means all of the layers
	RSLoRA  bool     `json:",omitzero"` // (Alpha/sqrt(Rank))·B·A instead. Source: Kalajdzievski 2023, arXiv:2312.03732
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
	of     map[string][2]*grad.Param // weight name → A (R, K), B (N, R)
}

// AddAdapter puts new adapters on the model: A uniform in ±1/sqrt(K) (PEFT's default, Kaiming with a = sqrt 5), B zero,
// so that the model's outputs stay as they are until training.
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
	for i := 0; i < len(ad.params); i += 2 {
		a := ad.params[i]
		k := a.Shape[1]
		r := tensor.NewRNG(seed, "init/"+a.Name)
		x := make([]float32, l.Rank*k)
		bound := 1 / math.Sqrt(float64(k))
		for i := range x {
			x[i] = float32(bound * (2*r.Float64() - 1))
		}
		m.dev.Upload(a.Value, x)
	}
	m.Adapter = ad
	return nil
}

// newAdapter makes zeros for every module that l targets. A target that names no module is an error.
func (m *Model) newAdapter(l LoRA) (*Adapter, error) {
	if len(l.Targets) == 0 {
		l.Targets = m.Targets()
	}
	ad := &Adapter{LoRA: l, of: map[string][2]*grad.Param{}}
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
		ad.params = append(ad.params, a, b)
		ad.of[w.Name] = [2]*grad.Param{a, b}
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

// Params returns A and B of every adapted layer, in the order of the forward pass.
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
	return &grad.Adapter{A: t.Param(p[0]), B: t.Param(p[1]), Scale: a.Scale()}
}

func (a *Adapter) clone(dev backend.Backend) *Adapter {
	if a == nil {
		return nil
	}
	c := &Adapter{LoRA: a.LoRA, of: map[string][2]*grad.Param{}}
	twin := map[*grad.Param]*grad.Param{}
	for _, p := range a.params {
		q := &grad.Param{Name: p.Name, Shape: p.Shape, Value: dev.AllocUninit(tensor.F32, p.Len())}
		dev.Copy(q.Value, p.Value)
		c.params = append(c.params, q)
		twin[p] = q
	}
	for name, ab := range a.of {
		c.of[name] = [2]*grad.Param{twin[ab[0]], twin[ab[1]]}
	}
	return c
}

// Merge returns a model without adapters whose weights are W + Scale·B·A, summed in float32.
func (m *Model) Merge() *Model {
	n := m.Clone()
	n.Adapter = nil
	if m.Adapter == nil {
		return n
	}
	for name, ab := range m.Adapter.of {
		w := n.byName[name]
		R := m.Adapter.Rank
		if !m.plan.transposed {
			m.dev.MatMul(w.Value, ab[1].Value, ab[0].Value, w.Shape[0], w.Shape[1], R, backend.NN, m.Adapter.Scale(), 1)
			continue
		}
		// W (K, N) grows by Aᵀ·Bᵀ = Aᵀ·(B·I)ᵀ; B is turned as a product with the identity, which changes no bit.
		eye := make([]float32, R*R)
		for i := range R {
			eye[i*R+i] = 1
		}
		id, bt := m.dev.AllocUninit(tensor.F32, R*R), m.dev.AllocUninit(tensor.F32, R*w.Shape[1])
		m.dev.Upload(id, eye)
		m.dev.MatMul(bt, id, ab[1].Value, R, w.Shape[1], R, backend.NT, 1, 0)
		m.dev.MatMul(w.Value, ab[0].Value, bt, w.Shape[0], w.Shape[1], R, backend.TN, m.Adapter.Scale(), 1)
		m.dev.Free(id)
		m.dev.Free(bt)
	}
	return n
}
