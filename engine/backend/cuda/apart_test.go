package cuda

import (
	"fmt"
	"slices"

	"tunebook/engine/backend"
	"tunebook/engine/tensor"
)

// apart is a backend that gives every slice of a buffer an allocation of its own, so that the simulator sees an access beside
// an operand which the suite cuts out of a larger buffer.
type apart struct{ *Backend }

// pieces is a buffer of apart: what was uploaded, and the slices that have been taken since.
type pieces struct {
	in     apart
	dt     tensor.DType
	f      []float32
	i      []int32
	at     []int
	slices []*buffer
}

func (p *pieces) DType() tensor.DType { return p.dt }
func (p *pieces) Len() int            { return len(p.f) + len(p.i) }

func (p *pieces) Slice(from, to int) backend.Buffer {
	x := p.in.Backend.AllocUninit(p.dt, to-from)
	if p.dt == tensor.I32 {
		p.in.Backend.UploadInts(x, p.i[from:to])
	} else {
		p.in.Backend.Upload(x, p.f[from:to])
	}
	p.at, p.slices = append(p.at, from), append(p.slices, x.(*buffer))
	return x
}

func (a apart) AllocUninit(dt tensor.DType, n int) backend.Buffer {
	p := &pieces{in: a, dt: dt}
	if dt == tensor.I32 {
		p.i = make([]int32, n)
	} else {
		p.f = make([]float32, n)
	}
	return p
}

func (a apart) Free(b backend.Buffer) {
	for _, x := range b.(*pieces).slices {
		a.Backend.Free(x)
	}
}

func (a apart) Upload(b backend.Buffer, src []float32)   { copy(b.(*pieces).f, src) }
func (a apart) UploadInts(b backend.Buffer, src []int32) { copy(b.(*pieces).i, src) }

func (a apart) Download(dst []float32, b backend.Buffer) error {
	p := b.(*pieces)
	all := slices.Clone(p.f)
	for j, x := range p.slices {
		if err := a.Backend.Download(all[p.at[j]:p.at[j]+x.n], x); err != nil {
			return fmt.Errorf("slice %d: %w", j, err)
		}
	}
	copy(dst, all)
	return nil
}

func (a apart) DownloadInts(dst []int32, b backend.Buffer) error {
	p := b.(*pieces)
	all := slices.Clone(p.i)
	for j, x := range p.slices {
		if err := a.Backend.DownloadInts(all[p.at[j]:p.at[j]+x.n], x); err != nil {
			return fmt.Errorf("slice %d: %w", j, err)
		}
	}
	copy(dst, all)
	return nil
}
