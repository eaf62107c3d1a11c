package train

import (
	"fmt"
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// momentForms are the optimizers that are AdamW, by how they keep its moments.
var momentForms = map[string]backend.MomentForm{"adamw": backend.MomentsF32, "adamw-bf16": backend.MomentsBF16, "adamw8bit": backend.Moments8}

// adamW is backend.AdamW on all parameters at once, its moments on the device. They are cleared where they are first wanted: a
// run that is set up has not touched their memory.
type adamW struct {
	cfg     Config
	dev     backend.Backend
	params  []*grad.Param
	form    backend.MomentForm
	tensors []backend.AdamWTensor
	made    bool // whether the moments hold numbers
}

func newAdamW(cfg Config, dev backend.Backend, params []*grad.Param, rates []rates, dry bool) *adamW {
	o := &adamW{cfg: cfg, dev: dev, params: params, form: momentForms[cfg.Optimizer]}
	if dry {
		return o
	}
	for i, p := range params {
		o.tensors = append(o.tensors, backend.AdamWTensor{Moments: backend.NewMoments(dev, o.form, p.Len()), Rate: rates[i].lr, WeightDecay: rates[i].decay})
	}
	return o
}

// moments sees to it that they hold numbers.
func (o *adamW) moments() {
	if o.made {
		return
	}
	for i := range o.tensors {
		o.tensors[i].Moments.Clear(o.dev)
	}
	o.made = true
}

func (o *adamW) step(masters []backend.Buffer, u update) error {
	o.moments()
	for i, p := range o.params {
		t := &o.tensors[i]
		t.P, t.G = p.Value, p.Grad
		if masters != nil {
			t.P, t.Rounded = masters[i], p.Value
		}
	}
	o.dev.AdamW(o.tensors, backend.AdamWStep{LR: u.lr, Beta1: o.cfg.Beta1, Beta2: o.cfg.Beta2, Eps: o.cfg.Eps, GradScale: u.scale, Step: u.n})
	return nil
}

// The names of a checkpoint's tensors begin with these: moments as float32 numbers, 8-bit codes and the largest magnitudes of
// their blocks.
var (
	momentPrefix = [2]string{"m/", "v/"}
	codePrefix   = [2]string{"m8/", "v8/"}
	topPrefix    = [2]string{"mmax/", "vmax/"}
)

func (o *adamW) save(add func(name string, shape []int, data []float32)) error {
	o.moments()
	for i, p := range o.params {
		m := &o.tensors[i].Moments
		for j, b := range []backend.Buffer{m.M, m.V} {
			if b.DType() == tensor.F32 {
				x, err := view(o.dev, b)
				if err != nil {
					return err
				}
				add(momentPrefix[j]+p.Name, p.Shape, x)
				continue
			}
			words, err := viewInts(o.dev, b)
			if err != nil {
				return err
			}
			if o.form == backend.MomentsBF16 {
				add(momentPrefix[j]+p.Name, p.Shape, fromBF16(words, p.Len()))
				continue
			}
			top, err := view(o.dev, m.Buffers()[2+j])
			if err != nil {
				return err
			}
			add(codePrefix[j]+p.Name, nil, pack(bytesOf(words, p.Len())))
			add(topPrefix[j]+p.Name, nil, top)
		}
	}
	return nil
}

func (o *adamW) load(get func(name string, n int) ([]float32, error)) (func(), error) {
	var apply []func()
	for i, p := range o.params {
		m := &o.tensors[i].Moments
		n := p.Len()
		for j, b := range []backend.Buffer{m.M, m.V} {
			if o.form.Of(n) != backend.Moments8 {
				x, err := get(momentPrefix[j]+p.Name, n)
				if err != nil {
					return nil, err
				}
				if o.form.Of(n) == backend.MomentsF32 {
					apply = append(apply, func() { o.dev.Upload(b, x) })
					continue
				}
				words, err := toBF16(x)
				if err != nil {
					return nil, fmt.Errorf("tensor %s: %w", momentPrefix[j]+p.Name, err)
				}
				apply = append(apply, func() { o.dev.UploadInts(b, words) })
				continue
			}
			packed, err := get(codePrefix[j]+p.Name, (n+2)/3)
			if err != nil {
				return nil, err
			}
			codes := make([]uint8, n)
			if err := unpack(codes, packed); err != nil {
				return nil, fmt.Errorf("tensor %s: %w", codePrefix[j]+p.Name, err)
			}
			top := m.Buffers()[2+j]
			tops, err := get(topPrefix[j]+p.Name, top.Len())
			if err != nil {
				return nil, err
			}
			apply = append(apply, func() { o.dev.UploadInts(b, wordsOf(codes)); o.dev.Upload(top, tops) })
		}
	}
	return func() {
		for _, f := range apply {
			f()
		}
		o.made = true
	}, nil
}

func (o *adamW) bytes(p *grad.Param) int64 { return o.form.Bytes(p.Len()) }

func (o *adamW) free() {
	for i := range o.tensors {
		for _, b := range o.tensors[i].Moments.Buffers() {
			o.dev.Free(b)
		}
	}
	o.tensors = nil
}

// fromBF16 returns the n numbers of words that hold two each, toBF16 the words.
func fromBF16(words []int32, n int) []float32 {
	x := make([]float32, n)
	for i := range x {
		x[i] = math.Float32frombits(uint32(words[i/2]) >> (16 * (i % 2)) << 16)
	}
	return x
}

func toBF16(x []float32) ([]int32, error) {
	words := make([]int32, (len(x)+1)/2)
	for i, v := range x {
		u := math.Float32bits(v)
		if u&0xffff != 0 {
			return nil, fmt.Errorf("element %d is %g; wanted a number that bfloat16 holds", i, v)
		}
		words[i/2] |= int32(u >> 16 << (16 * (i % 2)))
	}
	return words, nil
}

// bytesOf returns the n bytes of words, the first in the lowest bits, wordsOf the words.
func bytesOf(words []int32, n int) []uint8 {
	c := make([]uint8, n)
	for i := range c {
		c[i] = uint8(words[i/4] >> (8 * (i % 4)))
	}
	return c
}

func wordsOf(c []uint8) []int32 {
	words := make([]int32, (len(c)+3)/4)
	for i, b := range c {
		words[i/4] |= int32(uint32(b) << (8 * (i % 4)))
	}
	return words
}

// pack puts three codes into each float32, which holds whole numbers below 2^24 exactly.
func pack(c []uint8) []float32 {
	out := make([]float32, (len(c)+2)/3)
	for i, b := range c {
		out[i/3] += float32(uint32(b) << (8 * (i % 3)))
	}
	return out
}

func unpack(c []uint8, x []float32) error {
	for i := range c {
		v := x[i/3]
		if !(v >= 0 && v < 1<<24) || v != float32(uint32(v)) {
			return fmt.Errorf("element %d is %g; wanted three packed bytes", i/3, v)
		}
		c[i] = uint8(uint32(v) >> (8 * (i % 3)))
	}
	return nil
}
