package model

import (
	"fmt"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
	"tunebook/engine/weights"
)

// Quantize returns a model whose matrices are held in fewer bits: for adapters to be trained on (QLoRA: Dettmers et al. 2023,
// arXiv:2305.14314), and to generate faster, which the reading of weights bounds. A decoder's embedding and head are held so
// too, with q4_0 and nf4 in q8_0, with int4 in int8; an encoder's embedding, norms and biases stay as they are, on memory that the two models
// share: neither may train it. The model must have no adapter.
//
// Products are those of the numbers that the codes stand for, but for int8 and int4, which round the activations that enter a layer to 8
// bits in blocks of 32 as well (on the way forward; gradients flow through unrounded). With AVX-512 VNNI that runs
// in whole numbers: on two cores SmolLM2-135M reads prompts at 2,000 tokens a second in int8, where forms that do not round do 650.
//
// Measured on SmolLM2-135M-Instruct (a Q4_1 file widened) over 2047 tokens of this repository's README and licence, loss per
// token 3.9639: bf16 3.9650, q8_0 3.9652, int8 3.9664, int4 4.1951, q4_0 4.1956, nf4 4.2066 (TestQuantLossOnSmolLM2).
// A single answer may differ by more than these means say: of a block of activations with one that is far larger than the others, rounding
// leaves little. Asked for the capital of France, this model answers right in all forms but int8; llama.cpp, which rounds likewise,
// gives int8's answer.
func (m *Model) Quantize(q backend.Quant) (*Model, error) {
	if m.Adapter != nil {
		return nil, fmt.Errorf("model.Quantize: the model has an adapter of rank %d; quantise the model below it", m.Adapter.Rank)
	}
	if old, ok := m.Quant(); ok {
		return nil, fmt.Errorf("model.Quantize: the model is held in %s already", old)
	}
	packed := map[*grad.Param]*grad.Param{}
	for name, form := range m.Config.forms(q) {
		p := m.byName[name]
		if p == nil {
			continue
		}
		x, err := m.read(p)
		if err != nil {
			return nil, err
		}
		k, err := pack(m.dev, x, form)
		if err != nil {
			return nil, fmt.Errorf("model.Quantize: %s: %w", p.Name, err)
		}
		packed[p] = &grad.Param{Name: p.Name, Shape: p.Shape, Packed: k}
	}
	n := *m
	n.params, n.held, n.byName, n.angled = nil, nil, map[string]*grad.Param{}, m.angled.share()
	for i, p := range m.params {
		if c, ok := packed[p]; ok {
			n.add(c, hold(c))
		} else {
			n.add(p, m.held[i].share())
		}
	}
	n.link()
	return &n, m.dev.Sync()
}

// forms returns the form in which each tensor is held, by name, in a model that is held in q; the others stay as they are.
func (c *Config) forms(q backend.Quant) map[string]backend.Quant {
	forms := map[string]backend.Quant{}
	for name := range c.linears() {
		forms[name] = q
	}
	p := families[c.ModelType].plan(c)
	if p.encoder {
		return forms
	}
	switch q {
	case backend.Q4_0, backend.NF4:
		q = backend.Q8_0
	case backend.Int4:
		q = backend.Int8
	}
	for _, module := range []string{p.embed, p.head} {
		if module != "" {
			forms[module+".weight"] = q
		}
	}
	return forms
}

// pack puts a weight on the device in a form of quantisation.
func pack(dev backend.Backend, x []float32, q backend.Quant) (*backend.Packed, error) {
	codes, scales, err := weights.Pack(x, q)
	if err != nil {
		return nil, err
	}
	return packedOf(dev, codes, scales, q), nil
}

// packedOf puts codes and scales that nothing else uses on a device, without a copy where they lie in its memory already.
func packedOf(dev backend.Backend, codes []int32, scales []float32, q backend.Quant) *backend.Packed {
	p := &backend.Packed{Quant: q, Scales: bufferOf(dev, scales)}
	if a, ok := dev.(backend.Adopter); ok {
		p.Codes = a.AdoptInts(codes)
		return p
	}
	p.Codes = dev.AllocUninit(tensor.I32, len(codes))
	dev.UploadInts(p.Codes, codes)
	return p
}

// Quant returns the form in which linear weights are held; ok is false where they are numbers.
func (m *Model) Quant() (q backend.Quant, ok bool) {
	for _, p := range m.linears() {
		if p.Packed != nil {
			return p.Packed.Quant, true
		}
	}
	return 0, false
}

// numbers hands f a parameter's numbers; those of a packed one exist for as long as f runs.
func (m *Model) numbers(p *grad.Param, f func(x backend.Buffer)) {
	if p.Packed == nil {
		f(p.Value)
		return
	}
	x := grad.Unpack(m.dev, p.Packed, p.Len())
	f(x)
	m.dev.Free(x)
}

// read returns a parameter's numbers.
func (m *Model) read(p *grad.Param) (x []float32, err error) {
	x = make([]float32, p.Len())
	m.numbers(p, func(b backend.Buffer) { err = m.dev.Download(x, b) })
	return x, err
}

// widen gives packed parameters, which are the model's own, numbers again.
func (m *Model) widen() {
	for i, p := range m.params {
		if p.Packed != nil {
			p.Value, p.Packed = grad.Unpack(m.dev, p.Packed, p.Len()), nil
			m.held[i].release(m.dev)
			m.held[i] = hold(p)
		}
	}
}
