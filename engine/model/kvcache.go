package model

import (
	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// KVCache holds the keys and values of sequences that are being generated: slots of equal length, one row a position.
type KVCache struct {
	dev     backend.Backend
	k, v    []backend.Buffer // by layer, (Slots·SlotLen, K·D)
	width   int
	Slots   int
	SlotLen int
}

// NewKVCache makes a cache of so many slots of so many positions each.
func (m *Model) NewKVCache(slots, slotLen int) *KVCache {
	c := &KVCache{dev: m.dev, width: m.Config.NumKeyValueHeads * m.Config.HeadDim, Slots: slots, SlotLen: slotLen}
	for range m.layers {
		c.k = append(c.k, m.dev.Alloc(tensor.F32, slots*slotLen*c.width))
		c.v = append(c.v, m.dev.Alloc(tensor.F32, slots*slotLen*c.width))
	}
	return c
}

// Free gives the cache's memory back.
func (c *KVCache) Free() {
	for l := range c.k {
		c.dev.Free(c.k[l])
		c.dev.Free(c.v[l])
	}
	c.k, c.v = nil, nil
}

// store writes new keys and values to their rows and returns the layer's whole cache.
func (c *KVCache) store(l int, k, v *grad.Var, rows backend.Buffer, n int) (backend.Buffer, backend.Buffer) {
	c.dev.Scatter(c.k[l], k.Value, rows, n, c.width)
	c.dev.Scatter(c.v[l], v.Value, rows, n, c.width)
	return c.k[l], c.v[l]
}
