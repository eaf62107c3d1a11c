package model

import (
	"sync/atomic"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// memory is what models hold of a device, given back when the last of those that share it is closed.
type memory struct {
	users   atomic.Int32
	buffers []backend.Buffer
}

func newMemory(b ...backend.Buffer) *memory {
	m := &memory{buffers: b}
	m.users.Store(1)
	return m
}

// hold returns the memory of a parameter.
func hold(p *grad.Param) *memory {
	if p.Packed != nil {
		return newMemory(p.Packed.Codes, p.Packed.Scales)
	}
	return newMemory(p.Value)
}

// share counts one more model.
func (m *memory) share() *memory {
	m.users.Add(1)
	return m
}

// release counts one model less.
func (m *memory) release(dev backend.Backend) {
	if m.users.Add(-1) == 0 {
		for _, b := range m.buffers {
			dev.Free(b)
		}
	}
}

// Close gives the memory of the weights and the adapter back, but for what other models share, which goes back with the last of
// them; a device with memory of its own has no other way to get it back. The model is not used afterwards, and a second Close
// does nothing.
func (m *Model) Close() {
	for _, h := range m.held {
		h.release(m.dev)
	}
	m.dropAdapter()
	if m.angled != nil {
		m.angled.release(m.dev)
	}
	m.held, m.angled, m.freqs, m.local, m.params, m.byName, m.layers = nil, nil, nil, nil, nil, nil, nil
}

// dropAdapter takes the adapter off.
func (m *Model) dropAdapter() {
	if m.Adapter != nil {
		m.Adapter.held.release(m.dev)
		m.Adapter = nil
	}
}

// blank returns a model without parameters that is like m otherwise.
func (m *Model) blank(dev backend.Backend) *Model {
	return &Model{Name: m.Name, Config: m.Config, Tokenizer: m.Tokenizer, Template: m.Template, chat: m.chat, Pooling: m.Pooling, dev: dev,
		byName: map[string]*grad.Param{}}
}

// Clone returns a model of the same weights in memory of its own, with no gradients: training one leaves the other as
// it is. An adapter is cloned too.
func (m *Model) Clone() *Model {
	n := m.blank(m.dev)
	n.freqs, n.local, n.angled = m.freqs, m.local, m.angled.share()
	for i, p := range m.params {
		q := &grad.Param{Name: p.Name, Shape: p.Shape, Packed: p.Packed}
		if p.Packed != nil { // never changed
			n.add(q, m.held[i].share())
			continue
		}
		q.Value = m.dev.AllocUninit(tensor.F32, p.Len())
		m.dev.Copy(q.Value, p.Value)
		n.add(q, hold(q))
	}
	n.link()
	n.Adapter = m.Adapter.clone(func(p *grad.Param) backend.Buffer {
		b := m.dev.AllocUninit(tensor.F32, p.Len())
		m.dev.Copy(b, p.Value)
		return b
	})
	return n
}

// Share returns a model on the same weights without an adapter: what LoRA training starts from. Neither model may train
// the shared weights.
func (m *Model) Share() *Model {
	n := m.Again()
	n.dropAdapter()
	return n
}

// Again returns the model once more, on the same weights and adapter, to be given another name or template. Neither may train them.
func (m *Model) Again() *Model {
	n := *m
	n.held, n.angled = nil, m.angled.share()
	for _, h := range m.held {
		n.held = append(n.held, h.share())
	}
	if m.Adapter != nil {
		m.Adapter.held.share()
	}
	return &n
}

// On returns a clone on another device, which goes through the machine's memory one tensor at a time.
func (m *Model) On(dev backend.Backend) (*Model, error) {
	n := m.blank(dev)
	var failed error
	floats := func(b backend.Buffer) []float32 {
		x := make([]float32, b.Len())
		if err := m.dev.Download(x, b); err != nil && failed == nil {
			failed = err
		}
		return x
	}
	for _, p := range m.params {
		q := &grad.Param{Name: p.Name, Shape: p.Shape}
		if k := p.Packed; k != nil {
			codes := make([]int32, k.Codes.Len())
			if err := m.dev.DownloadInts(codes, k.Codes); err != nil && failed == nil {
				failed = err
			}
			q.Packed = packedOf(dev, codes, floats(k.Scales), k.Quant)
		} else {
			q.Value = bufferOf(dev, floats(p.Value))
		}
		n.add(q, hold(q))
	}
	n.link()
	n.Adapter = m.Adapter.clone(func(p *grad.Param) backend.Buffer { return bufferOf(dev, floats(p.Value)) })
	if err := dev.Sync(); failed == nil {
		failed = err
	}
	if failed != nil {
		n.Close()
		return nil, failed
	}
	return n, nil
}

// Bytes returns what the model's weights and adapter take of its device, but for what its memory is rounded up by.
func (m *Model) Bytes() (n int64) {
	held := m.held
	if m.Adapter != nil {
		held = append(held[:len(held):len(held)], m.Adapter.held)
	}
	for _, h := range held {
		for _, b := range h.buffers {
			n += 4 * int64(b.Len())
		}
	}
	return n
}
