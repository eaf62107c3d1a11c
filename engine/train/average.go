package train

import (
	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/internal/parts"
	"tunebook/engine/weights"
)

// average is the exponential moving average of the trained parameters, kept on the host in float32: after the first update
// it is their copy, after each further one average += (1-decay)·(parameter - average).
type average struct {
	decay float64
	x     [][]float32 // nil before the first update
}

// add takes the parameters in after an update.
func (a *average) add(dev backend.Backend, params []*grad.Param) error {
	now, err := download(dev, params)
	if err != nil {
		return err
	}
	if a.x == nil {
		a.x = now
		return nil
	}
	for i := range now {
		parts.Each(len(now[i]), grain, func(from, to int) {
			for j := from; j < to; j++ {
				e := float64(a.x[i][j])
				a.x[i][j] = float32(e + (1-a.decay)*(float64(now[i][j])-e))
			}
		})
	}
	return nil
}

// view returns the elements of a buffer to read while no operation runs: those themselves where they lie in Go memory, a copy
// from other devices.
func view(dev backend.Backend, b backend.Buffer) ([]float32, error) {
	if h, ok := b.(*backend.HostBuffer); ok {
		return h.F, nil
	}
	x := make([]float32, b.Len())
	return x, dev.Download(x, b)
}

// viewInts is view for integers.
func viewInts(dev backend.Backend, b backend.Buffer) ([]int32, error) {
	if h, ok := b.(*backend.HostBuffer); ok {
		return h.I, nil
	}
	x := make([]int32, b.Len())
	return x, dev.DownloadInts(x, b)
}

// download returns the values of parameters.
func download(dev backend.Backend, params []*grad.Param) ([][]float32, error) {
	out := make([][]float32, len(params))
	for i, p := range params {
		out[i] = make([]float32, p.Len())
		if err := dev.Download(out[i], p.Value); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// upload sets the values of parameters.
func upload(dev backend.Backend, params []*grad.Param, x [][]float32) error {
	for i, p := range params {
		dev.Upload(p.Value, x[i])
	}
	return dev.Sync()
}

// measured calls f with the parameters that the run is judged by: the average where there is one. Afterwards they are the
// trained ones again.
func (t *Trainer) measured(f func() error) error {
	if t.average == nil || t.average.x == nil {
		return f()
	}
	now, err := download(t.dev, t.params)
	if err != nil {
		return err
	}
	if err := upload(t.dev, t.params, t.average.x); err != nil {
		return err
	}
	err = f()
	if e := upload(t.dev, t.params, now); err == nil {
		err = e
	}
	return err
}

// roundTo16 rounds values to the nearest bfloat16, ties to even.
func roundTo16(x []float32) {
	for i, v := range x {
		x[i] = weights.BFloat16(weights.ToBFloat16(v))
	}
}

// rounded writes the parameters from their float32 masters, rounded to bfloat16.
func (t *Trainer) rounded() error {
	for i, p := range t.params {
		x := make([]float32, p.Len())
		if err := t.dev.Download(x, t.masters[i]); err != nil {
			return err
		}
		roundTo16(x)
		t.dev.Upload(p.Value, x)
	}
	return nil
}
