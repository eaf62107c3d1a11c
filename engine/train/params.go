package train

import (
	"fmt"
	"io"

	"tunebook/engine/weights"
)

// Save writes the trained parameters as safetensors in float32: what Load turns the starting model into the tuned one by.
func (t *Trainer) Save(w io.Writer) error {
	var list []weights.Tensor
	for _, p := range t.params {
		x, err := view(t.dev, p.Value)
		if err != nil {
			return err
		}
		list = append(list, weights.Tensor{Name: p.Name, Shape: p.Shape, Data: x})
	}
	return weights.WriteSafetensors(w, list, map[string]string{"format": "tunebook trained parameters 1"}, "F32")
}

// Load reads what Save wrote into the model, in place of training it, which is then no longer possible. A file that does not have exactly the trained
// parameters is an error, and the model is then as it was.
func (t *Trainer) Load(path string) error {
	f, err := weights.OpenSafetensors(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if n := len(f.Names()); n != len(t.params) {
		return fmt.Errorf("train.Load: %s: %d tensors; %d parameters are trained", path, n, len(t.params))
	}
	data := make([][]float32, len(t.params))
	for i, p := range t.params {
		if data[i], err = tensorOf(f, p.Name, p.Len()); err != nil {
			return fmt.Errorf("train.Load: %s: %w", path, err)
		}
	}
	for i, p := range t.params {
		t.dev.Upload(p.Value, data[i])
	}
	t.Close()
	return t.dev.Sync()
}

// tensorOf reads a tensor of n elements.
func tensorOf(f *weights.Safetensors, name string, n int) ([]float32, error) {
	x, err := f.Tensor(name)
	if err != nil {
		return nil, err
	}
	if len(x.Data) != n {
		return nil, fmt.Errorf("tensor %s: %d elements; wanted %d", name, len(x.Data), n)
	}
	return x.Data, nil
}
