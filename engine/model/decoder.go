package model

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
	"tunebook/engine/token"
)

// Model is a decoder with its weights on a device, its tokenizer and its template.
type Model struct {
	Name      string
	Config    Config
	Tokenizer *token.Tokenizer
	Template  *token.Template
	Adapter   *Adapter // nil without LoRA

	dev    backend.Backend
	params []*grad.Param // in the order of Config.tensors
	byName map[string]*grad.Param
	layers []layer
	freqs  backend.Buffer
}

type layer struct {
	norm1, q, k, v, o, norm2, gate, up, down *grad.Param
}

// New makes a model of random weights: normal with the config's initializer_range, norms 1, the two projections that
// write to the residual stream smaller by sqrt(2·L) (Radford et al. 2019, GPT-2). The weights depend on seed and
// tensor names alone.
func New(dev backend.Backend, c Config, seed int64) (*Model, error) {
	c.fill()
	return build(dev, c, func(name string, shape []int) ([]float32, error) {
		x := make([]float32, tensor.Size(shape...))
		if len(shape) == 1 {
			for i := range x {
				x[i] = 1
			}
			return x, nil
		}
		std := c.InitializerRange
		if hasSuffix(name, "o_proj.weight", "down_proj.weight") {
			std /= math.Sqrt(2 * float64(c.NumHiddenLayers))
		}
		r := tensor.NewRNG(seed, "init/"+name)
		for i := range x {
			x[i] = float32(std * r.Norm())
		}
		return x, nil
	})
}

// build puts a model on a device from a source of tensors by name.
func build(dev backend.Backend, c Config, read func(name string, shape []int) ([]float32, error)) (*Model, error) {
	if err := c.Check(); err != nil {
		return nil, err
	}
	m := &Model{Config: c, dev: dev, byName: map[string]*grad.Param{}}
	for _, s := range c.tensors() {
		data, err := read(s.name, s.shape)
		if err != nil {
			return nil, err
		}
		if want := tensor.Size(s.shape...); len(data) != want {
			return nil, fmt.Errorf("model: tensor %s: %d elements; shape %v has %d", s.name, len(data), s.shape, want)
		}
		p := &grad.Param{Name: s.name, Shape: s.shape, Value: dev.AllocUninit(tensor.F32, len(data))}
		dev.Upload(p.Value, data)
		m.params = append(m.params, p)
		m.byName[s.name] = p
	}
	m.link()
	return m, dev.Sync()
}

// link sets the fields that are derived from the parameters.
func (m *Model) link() {
	c := &m.Config
	m.layers = make([]layer, c.NumHiddenLayers)
	for l := range m.layers {
		p := fmt.Sprintf("model.layers.%d.", l)
		m.layers[l] = layer{
			norm1: m.byName[p+"input_layernorm.weight"],
			q:     m.byName[p+"self_attn.q_proj.weight"],
			k:     m.byName[p+"self_attn.k_proj.weight"],
			v:     m.byName[p+"self_attn.v_proj.weight"],
			o:     m.byName[p+"self_attn.o_proj.weight"],
			norm2: m.byName[p+"post_attention_layernorm.weight"],
			gate:  m.byName[p+"mlp.gate_proj.weight"],
			up:    m.byName[p+"mlp.up_proj.weight"],
			down:  m.byName[p+"mlp.down_proj.weight"],
		}
	}
	if m.freqs == nil {
		f := make([]float32, c.HeadDim/2)
		for i := range f {
			f[i] = float32(1 / math.Pow(c.RopeTheta, float64(2*i)/float64(c.HeadDim)))
		}
		m.freqs = m.dev.AllocUninit(tensor.F32, len(f))
		m.dev.Upload(m.freqs, f)
	}
}

// Device returns the backend that holds the weights.
func (m *Model) Device() backend.Backend { return m.dev }

// Params returns the model's own parameters, adapters not included, in the order of the forward pass.
func (m *Model) Params() []*grad.Param { return m.params }

// Param returns a parameter by its name, nil when there is none.
func (m *Model) Param(name string) *grad.Param { return m.byName[name] }

// head returns the output projection: lm_head, or the embedding where the two are tied.
func (m *Model) head() *grad.Param {
	if p := m.byName["lm_head.weight"]; p != nil {
		return p
	}
	return m.byName["model.embed_tokens.weight"]
}

// Input is a packed batch on its way through the decoder.
type Input struct {
	IDs       []int32           // (T)
	Positions []int32           // (T), from 0 in every segment
	Segments  *backend.Segments // documents of the batch; with a cache, rows of the cache
	Cache     *KVCache          // nil without
	CacheRows []int32           // (T): the row of the cache that each new key and value goes to
}

// Forward returns the hidden states after the last norm, (T, C). This is the model's one forward pass: training runs it
// on a tape that records, evaluation and generation on one that does not.
func (m *Model) Forward(t *grad.Tape, in Input) *grad.Var {
	c := &m.Config
	H, K, D, eps := c.NumAttentionHeads, c.NumKeyValueHeads, c.HeadDim, float32(c.RMSNormEps)
	pos := t.Ints(in.Positions)
	var rows backend.Buffer
	if in.Cache != nil {
		rows = t.Ints(in.CacheRows)
	}
	x := t.Embedding(t.Param(m.byName["model.embed_tokens.weight"]), t.Ints(in.IDs), len(in.IDs))
	var branch *grad.Var // what the layer before adds to the residual stream x
	for l := range m.layers {
		ly := &m.layers[l]
		n, s := t.RMSNorm(x, branch, t.Param(ly.norm1), eps)
		release(t, s, x, branch)
		x = s
		q, k, v := m.linear(t, n, ly.q), m.linear(t, n, ly.k), m.linear(t, n, ly.v)
		t.Release(n)
		t.RoPE(q, pos, m.freqs, H, D, c.Pairing())
		t.RoPE(k, pos, m.freqs, K, D, c.Pairing())
		var o *grad.Var
		if in.Cache != nil {
			kc, vc := in.Cache.store(l, k, v, rows, len(in.IDs))
			o = t.AttentionOver(q, kc, vc, in.Segments, H, K, D)
		} else {
			o = t.Attention(q, k, v, in.Segments, H, K, D)
		}
		t.Release(q, k, v)
		a := m.linear(t, o, ly.o)
		t.Release(o)
		n, s = t.RMSNorm(x, a, t.Param(ly.norm2), eps)
		release(t, s, x, a)
		x = s
		gate, up := m.linear(t, n, ly.gate), m.linear(t, n, ly.up)
		t.Release(n)
		h := t.SwiGLU(gate, up)
		t.Release(gate, up)
		branch = m.linear(t, h, ly.down)
		t.Release(h)
	}
	y, s := t.RMSNorm(x, branch, t.Param(m.byName["model.norm.weight"]), eps)
	release(t, s, x, branch)
	t.Release(s)
	return y
}

// release gives back the two terms of a sum, unless one of them is the sum itself (RMSNorm without a residual).
func release(t *grad.Tape, sum, a, b *grad.Var) {
	if a != sum {
		t.Release(a)
	}
	if b != nil {
		t.Release(b)
	}
}

func (m *Model) linear(t *grad.Tape, x *grad.Var, w *grad.Param) *grad.Var {
	return t.Linear(x, t.Param(w), m.Adapter.on(t, w))
}

// Loss returns the negative log-likelihood of every supervised position of a packed batch, in order, and on a tape that
// records makes Backward add the gradient of scale·Σ weight·nll.
//
// targets (T) holds the next token of each position, or backend.IgnoreIndex; weights is nil or holds (T) shares.
// Only supervised positions pass through the head.
func (m *Model) Loss(t *grad.Tape, in Input, targets []int32, weights []float32, scale float32) (nll backend.Buffer, n int) {
	h := m.Forward(t, in)
	var rows, tg []int32
	var w []float32
	for i, id := range targets {
		if id != backend.IgnoreIndex {
			rows, tg = append(rows, int32(i)), append(tg, id)
			if weights != nil {
				w = append(w, weights[i])
			}
		}
	}
	if len(rows) == 0 {
		return nil, 0
	}
	if len(rows) < h.Rows {
		g := t.Gather(h, t.Ints(rows), len(rows))
		t.Release(h)
		h = g
	}
	var wb backend.Buffer
	if weights != nil {
		wb = t.Floats(w)
	}
	return t.LinearCrossEntropy(h, t.Param(m.head()), t.Ints(tg), wb, scale), len(rows)
}

// Logits returns the logits of the named rows of a packed batch, (len(rows), V), in memory of the tape.
func (m *Model) Logits(t *grad.Tape, in Input, rows []int32) *grad.Var {
	h := m.Forward(t, in)
	g := t.Gather(h, t.Ints(rows), len(rows))
	t.Release(h)
	return t.Linear(g, t.Param(m.head()), nil)
}

// Clone returns a model of the same weights in memory of its own, with no gradients: training one leaves the other as
// it is. An adapter is cloned too.
func (m *Model) Clone() *Model {
	n := &Model{Name: m.Name, Config: m.Config, Tokenizer: m.Tokenizer, Template: m.Template, dev: m.dev, freqs: m.freqs,
		byName: map[string]*grad.Param{}}
	for _, p := range m.params {
		q := &grad.Param{Name: p.Name, Shape: p.Shape, Value: m.dev.AllocUninit(tensor.F32, p.Len())}
		m.dev.Copy(q.Value, p.Value)
		n.params = append(n.params, q)
		n.byName[q.Name] = q
	}
	n.link()
	n.Adapter = m.Adapter.clone(m.dev)
	return n
}

// Share returns a model on the same weights without an adapter: what LoRA training starts from. Neither model may train
// the shared weights.
func (m *Model) Share() *Model {
	n := *m
	n.Adapter = nil
	return &n
}

func hasSuffix(s string, ends ...string) bool {
	for _, e := range ends {
		if len(s) >= len(e) && s[len(s)-len(e):] == e {
			return true
		}
	}
	return false
}
