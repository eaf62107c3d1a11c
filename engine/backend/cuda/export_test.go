package cuda

// NewBF16Sim is a simulated card whose products, of any size, run on tensor cores.
func NewBF16Sim() (*Backend, error) {
	b, err := NewSim()
	if err == nil {
		b.bf16, b.packAlways = true, true
	}
	return b, err
}
