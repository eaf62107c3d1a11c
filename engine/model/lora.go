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
	Targets []string // names of linear layers ("q_proj"); empty means all seven of a decoder layer
}

// Targets are the linear layers of a decoder layer that an adapter can sit on.
var Targets = []string{"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}

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
	if len(l.Targets) == 0 {
		l.Targets = Targets
	}
	for _, t := range l.Targets {
		if !slices.Contains(Targets, t) {
			return fmt.Errorf("model.AddAdapter: no linear layer is called %q; there are %s", t, strings.Join(Targets, ", "))
		}
	}
	ad := &Adapter{LoRA: l, of: map[string][2]*grad.Param{}}
	for _, w := range m.params {
		base := strings.TrimSuffix(w.Name, ".weight")
		if i := strings.LastIndexByte(base, '.'); !slices.Contains(l.Targets, base[i+1:]) {
			continue
		}
		n, k := w.Shape[0], w.Shape[1]
		a := &grad.Param{Name: base + ".lora_A.weight", Shape: []int{l.Rank, k}, Value: m.dev.AllocUninit(tensor.F32, l.Rank*k)}
		b := &grad.Param{Name: base + ".lora_B.weight", Shape: []int{n, l.Rank}, Value: m.dev.Alloc(tensor.F32, n*l.Rank)}
		r := tensor.NewRNG(seed, "init/"+a.Name)
		x := make([]float32, l.Rank*k)
		bound := 1 / math.Sqrt(float64(k))
		for i := range x {
			x[i] = float32(bound * (2*r.Float64() - 1))
		}
		m.dev.Upload(a.Value, x)
		ad.params = append(ad.params, a, b)
		ad.of[w.Name] = [2]*grad.Param{a, b}
	}
	m.Adapter = ad
	return nil
}

// Params returns A and B of every adapted layer, in the order of the forward pass.
func (a *Adapter) Params() []*grad.Param {
	if a == nil {
		return nil
	}
	return a.params
}

// Scale returns Alpha/Rank.
func (a *Adapter) Scale() float32 { return float32(a.Alpha / float64(a.Rank)) }

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
		m.dev.MatMul(w.Value, ab[1].Value, ab[0].Value, w.Shape[0], w.Shape[1], m.Adapter.Rank, backend.NN, m.Adapter.Scale(), 1)
	}
	return n
}
