package cuda

// NewFake is a card whose driver is a stand-in for libcuda and whose kernels the simulator runs, with graphs or without. count tells
// how many operations were started one by one, and how many graphs.
func NewFake(graphs bool) (b *Backend, count func() (direct, replayed int), err error) {
	f := newFake()
	c, err := openCard(f.table(), 0)
	if err != nil {
		return nil, nil, err
	}
	if graphs {
		c.graphs = newGraphs(c)
	}
	b, err = newBackend("cuda", c)
	return b, func() (int, int) { return f.direct, f.replayed }, err
}

// SetGraphs has a card start what repeats as graphs, or no longer. It returns how many graphs were started until then.
func SetGraphs(b *Backend, on bool) (replays int) {
	c := b.dev.(*card)
	if c.graphs != nil {
		replays = c.graphs.replays
	}
	b.Sync()
	if c.graphs = nil; on {
		c.graphs = newGraphs(c)
	}
	return replays
}

// NewBF16Sim is a simulated card whose products, of any size, run on tensor cores.
func NewBF16Sim() (*Backend, error) {
	b, err := NewSim()
	if err == nil {
		b.bf16, b.packAlways = true, true
	}
	return b, err
}
