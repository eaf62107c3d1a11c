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
// run that is set up has not touched their memory. Offloaded, they lie in host memory, and each parameter's are brought to
// the device for its update alone, large ones in pieces.
type adamW struct {
	cfg     Config
	dev     backend.Backend
	params  []*grad.Param
	form    backend.MomentForm
	tensors []backend.AdamWTensor
	made    bool // whether the moments hold numbers

	away  [][]*backend.Offloaded // of each parameter, in the order of Moments.Buffers; nil where they are on the device
	stage [2]backend.Moments     // the device's memory for a piece's: of parameters in the form, and of those in float32
}

// offloadPiece is how many elements are brought to the device at a time: enough that copies run at full speed, and several times
// backend.MomentMinimum, so that no piece is short of it.
var offloadPiece = 4 << 20

// offloads tells whether moments lie in other memory than the device's.
func (c *Config) offloads(dev backend.Backend) bool {
	_, adamw := momentForms[c.Optimizer]
	return c.OffloadOptimizer && adamw && !backend.OnHost(dev)
}

func newAdamW(cfg Config, dev backend.Backend, params []*grad.Param, rates []rates, dry bool) *adamW {
	o := &adamW{cfg: cfg, dev: dev, params: params, form: momentForms[cfg.Optimizer]}
	if dry {
		return o
	}
	for i, p := range params {
		t := backend.AdamWTensor{Rate: rates[i].lr, WeightDecay: rates[i].decay}
		if !cfg.offloads(dev) {
			t.Moments = backend.NewMoments(dev, o.form, p.Len())
		} else {
			dt, words, tops := o.form.Sizes(p.Len())
			away := []*backend.Offloaded{backend.Offload(dev, dt, words), backend.Offload(dev, dt, words)}
			if tops > 0 {
				away = append(away, backend.Offload(dev, tensor.F32, tops), backend.Offload(dev, tensor.F32, tops))
			}
			o.away = append(o.away, away)
		}
		o.tensors = append(o.tensors, t)
	}
	for i, n := range o.staged() {
		if n > 0 && o.away != nil {
			o.stage[i] = backend.NewMoments(dev, [...]backend.MomentForm{o.form, backend.MomentsF32}[i], n)
		}
	}
	return o
}

// pieceOf returns how many elements of a parameter of n are updated at a time: equal parts of whole blocks, so that none has
// another form than the whole.
func pieceOf(n int) int {
	parts := max(1, (n+offloadPiece-1)/offloadPiece)
	return min(n, ((n+parts-1)/parts+backend.MomentBlock-1)/backend.MomentBlock*backend.MomentBlock)
}

// staged returns the elements of the largest piece in the optimizer's form, and of the largest that is kept in float32
// instead.
func (o *adamW) staged() (n [2]int) {
	for _, p := range o.params {
		kind := 0
		if o.form.Of(p.Len()) != o.form {
			kind = 1
		}
		n[kind] = max(n[kind], pieceOf(p.Len()))
	}
	return n
}

// moments sees to it that they hold numbers.
func (o *adamW) moments() {
	if o.made || o.away != nil { // host memory is made of zeros
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
	s := backend.AdamWStep{LR: u.lr, Beta1: o.cfg.Beta1, Beta2: o.cfg.Beta2, Eps: o.cfg.Eps, GradScale: u.scale, Step: u.n}
	if o.away == nil {
		o.dev.AdamW(o.tensors, s)
		return nil
	}
	for i, p := range o.params {
		for from, each := 0, pieceOf(p.Len()); from < p.Len(); from += each {
			if err := o.piece(i, from, min(from+each, p.Len()), s); err != nil {
				return err
			}
		}
	}
	return nil
}

// piece updates elements [from, to) of parameter i, whose moments are brought to the device and back.
func (o *adamW) piece(i, from, to int, s backend.AdamWStep) error {
	t := o.tensors[i]
	t.P, t.G, t.From = t.P.Slice(from, to), t.G.Slice(from, to), from
	if t.Rounded != nil {
		t.Rounded = t.Rounded.Slice(from, to)
	}
	whole := o.form.Of(o.params[i].Len())
	stage := &o.stage[0]
	if whole != o.form {
		stage = &o.stage[1]
	}
	_, words, tops := whole.Sizes(to - from)
	at, top := from/whole.PerWord(), from/backend.MomentBlock
	t.Moments = backend.Moments{Form: o.form, M: stage.M.Slice(0, words), V: stage.V.Slice(0, words)}
	if tops > 0 {
		t.Moments.MTop, t.Moments.VTop = stage.MTop.Slice(0, tops), stage.VTop.Slice(0, tops)
	}
	places := []int{at, at, top, top}
	here := t.Moments.Buffers()
	for j, b := range here {
		o.away[i][j].Fetch(b, places[j])
	}
	o.dev.AdamW([]backend.AdamWTensor{t}, s)
	for j, b := range here {
		if err := o.away[i][j].Store(b, places[j]); err != nil {
			return err
		}
	}
	return nil
}

// held returns parameter i's moments, which may be read after a Sync.
func (o *adamW) held(i int) []backend.Buffer {
	if o.away == nil {
		return o.tensors[i].Moments.Buffers()
	}
	var l []backend.Buffer
	for _, x := range o.away[i] {
		l = append(l, x.HostBuffer)
	}
	return l
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
	if err := o.dev.Sync(); err != nil {
		return err
	}
	for i, p := range o.params {
		held := o.held(i)
		for j, b := range held[:2] {
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
			top, err := view(o.dev, held[2+j])
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
		held := o.held(i)
		n := p.Len()
		for j, b := range held[:2] {
			if o.form.Of(n) != backend.Moments8 {
				x, err := get(momentPrefix[j]+p.Name, n)
				if err != nil {
					return nil, err
				}
				if o.form.Of(n) == backend.MomentsF32 {
					apply = append(apply, func() { o.put(b, x, nil) })
					continue
				}
				words, err := toBF16(x)
				if err != nil {
					return nil, fmt.Errorf("tensor %s: %w", momentPrefix[j]+p.Name, err)
				}
				apply = append(apply, func() { o.put(b, nil, words) })
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
			top := held[2+j]
			tops, err := get(topPrefix[j]+p.Name, top.Len())
			if err != nil {
				return nil, err
			}
			apply = append(apply, func() { o.put(b, nil, wordsOf(codes)); o.put(top, tops, nil) })
		}
	}
	return func() {
		for _, f := range apply {
			f()
		}
		o.made = true
	}, nil
}

// put sets moments that are held; the device has nothing to do.
func (o *adamW) put(b backend.Buffer, floats []float32, ints []int32) {
	if h, ok := b.(*backend.HostBuffer); ok {
		copy(h.F, floats)
		copy(h.I, ints)
	} else if ints != nil {
		o.dev.UploadInts(b, ints)
	} else {
		o.dev.Upload(b, floats)
	}
}

func (o *adamW) size() (device, host int64) {
	for _, p := range o.params {
		device += o.form.Bytes(p.Len())
	}
	if !o.cfg.offloads(o.dev) {
		return device, 0
	}
	n := o.staged()
	return o.form.Bytes(n[0]) + backend.MomentsF32.Bytes(n[1]), device
}

func (o *adamW) free() {
	if o.away == nil {
		for i := range o.tensors {
			for _, b := range o.tensors[i].Moments.Buffers() {
				o.dev.Free(b)
			}
		}
	}
	for _, l := range o.away {
		for _, x := range l {
			x.Free()
		}
	}
	for i := range o.stage {
		if o.stage[i].M != nil {
			for _, b := range o.stage[i].Buffers() {
				o.dev.Free(b)
			}
		}
	}
	*o = adamW{}
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
