package train

import (
	"fmt"
	"math"
	"runtime"
	"sync"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/tensor"
)

// Optimizers are the names that Config.Optimizer knows.
var Optimizers = []string{"adamw", "adamw8bit", "lion", "sgd", "adafactor"}

// update holds the numbers of one step for one parameter. n counts from 1.
type update struct {
	lr, decay float64
	scale     float64 // multiplies the gradient first: clipping and division without another pass
	n         int
}

// optimizer changes parameters by their gradients and keeps what it needs from one step to the next.
type optimizer interface {
	// step changes value, which is parameter i's or its float32 master's, by the gradient g.
	step(i int, value, g backend.Buffer, u update) error
	// save hands add all state, by names that begin with a prefix and end in the parameter's. shape is nil for a vector.
	save(add func(name string, shape []int, data []float32)) error
	// load reads what save wrote. Nothing is changed until the function that it returns is called.
	load(get func(name string, n int) ([]float32, error)) (apply func(), err error)
	// bytes returns the size of the state of one parameter.
	bytes(p *grad.Param) int64
	free()
}

// newOptimizer makes the state of cfg.Optimizer for params. With dry nothing is allocated: only bytes may be called.
func newOptimizer(cfg Config, dev backend.Backend, params []*grad.Param, dry bool) optimizer {
	var r rule
	switch cfg.Optimizer {
	case "adamw":
		o := &adamW{cfg: cfg, dev: dev, params: params, made: make([]bool, len(params))}
		if !dry {
			for _, p := range params {
				o.m = append(o.m, dev.AllocUninit(tensor.F32, p.Len()))
				o.v = append(o.v, dev.AllocUninit(tensor.F32, p.Len()))
			}
		}
		return o
	case "adamw8bit":
		r = adamW8{cfg}
	case "lion":
		r = lion{cfg}
	case "sgd":
		r = sgd{cfg}
	case "adafactor":
		r = adafactor{cfg}
	}
	o := &onHost{rule: r, dev: dev, params: params}
	if !dry {
		for _, p := range params {
			o.slots = append(o.slots, r.slot(p))
		}
	}
	return o
}

// adamW is backend.AdamW on every parameter, its moments on the device. A parameter's are cleared where they are first wanted:
// they are near then when the update reads them, and a run that is set up has not touched their memory.
type adamW struct {
	cfg    Config
	dev    backend.Backend
	params []*grad.Param
	m, v   []backend.Buffer
	made   []bool // whether parameter i's hold numbers
}

// moments sees to it that parameter i's hold numbers.
func (o *adamW) moments(i int) {
	if !o.made[i] {
		o.dev.Fill(o.m[i], 0)
		o.dev.Fill(o.v[i], 0)
		o.made[i] = true
	}
}

func (o *adamW) step(i int, value, g backend.Buffer, u update) error {
	o.moments(i)
	o.dev.AdamW(value, o.m[i], o.v[i], g, backend.AdamWStep{LR: float32(u.lr), Beta1: float32(o.cfg.Beta1), Beta2: float32(o.cfg.Beta2),
		Eps: float32(o.cfg.Eps), WeightDecay: float32(u.decay), GradScale: float32(u.scale), Step: u.n})
	return nil
}

func (o *adamW) save(add func(name string, shape []int, data []float32)) error {
	for i, p := range o.params {
		o.moments(i)
		for prefix, b := range map[string]backend.Buffer{"m/": o.m[i], "v/": o.v[i]} {
			x, err := view(o.dev, b)
			if err != nil {
				return err
			}
			add(prefix+p.Name, p.Shape, x)
		}
	}
	return nil
}

func (o *adamW) load(get func(name string, n int) ([]float32, error)) (func(), error) {
	var m, v [][]float32
	for _, p := range o.params {
		x, err := get("m/"+p.Name, p.Len())
		if err != nil {
			return nil, err
		}
		y, err := get("v/"+p.Name, p.Len())
		if err != nil {
			return nil, err
		}
		m, v = append(m, x), append(v, y)
	}
	return func() {
		for i := range o.params {
			o.moments(i)
			o.dev.Upload(o.m[i], m[i])
			o.dev.Upload(o.v[i], v[i])
		}
	}, nil
}

func (o *adamW) bytes(p *grad.Param) int64 { return 8 * int64(p.Len()) }

func (o *adamW) free() {
	for i := range o.m {
		o.dev.Free(o.m[i])
		o.dev.Free(o.v[i])
	}
	o.m, o.v = nil, nil
}

// rule is an update rule that is computed in plain Go, in float64 for each element, on any device: the parameter and its
// gradient are brought to the host and the parameter back, which costs a copy on cpu and a transfer on a GPU.
type rule interface {
	slot(p *grad.Param) *slot
	apply(p *grad.Param, s *slot, x, g []float32, u update)
}

// slot is a rule's state of one parameter.
type slot struct {
	names []string    // a prefix for each of floats
	data  [][]float32 // float32 state
	codes [2][]uint8  // 8-bit state; nil without
}

type onHost struct {
	rule   rule
	dev    backend.Backend
	params []*grad.Param
	slots  []*slot
	x, g   []float32
}

func (o *onHost) step(i int, value, g backend.Buffer, u update) error {
	n := value.Len()
	if len(o.x) < n {
		o.x, o.g = make([]float32, n), make([]float32, n)
	}
	x, d := o.x[:n], o.g[:n]
	if err := o.dev.Download(x, value); err != nil {
		return err
	}
	if err := o.dev.Download(d, g); err != nil {
		return err
	}
	o.rule.apply(o.params[i], o.slots[i], x, d, u)
	o.dev.Upload(value, x)
	return nil
}

func (o *onHost) save(add func(name string, shape []int, data []float32)) error {
	for i, p := range o.params {
		s := o.slots[i]
		for j, name := range s.names {
			add(name+p.Name, nil, s.data[j])
		}
		for j, c := range s.codes {
			if c != nil {
				add(codePrefix[j]+p.Name, nil, pack(c))
			}
		}
	}
	return nil
}

var codePrefix = [2]string{"m8/", "v8/"}

func (o *onHost) load(get func(name string, n int) ([]float32, error)) (func(), error) {
	var loaded []*slot
	for _, p := range o.params {
		s := o.rule.slot(p)
		for j, name := range s.names {
			x, err := get(name+p.Name, len(s.data[j]))
			if err != nil {
				return nil, err
			}
			s.data[j] = x
		}
		for j, c := range s.codes {
			if c == nil {
				continue
			}
			x, err := get(codePrefix[j]+p.Name, (len(c)+2)/3)
			if err != nil {
				return nil, err
			}
			if err := unpack(c, x); err != nil {
				return nil, fmt.Errorf("tensor %s: %w", codePrefix[j]+p.Name, err)
			}
		}
		loaded = append(loaded, s)
	}
	return func() { o.slots = loaded }, nil
}

func (o *onHost) bytes(p *grad.Param) int64 {
	s := o.rule.slot(p)
	n := int64(len(s.codes[0]) + len(s.codes[1]))
	for _, d := range s.data {
		n += 4 * int64(len(d))
	}
	return n
}

func (o *onHost) free() { o.slots, o.x, o.g = nil, nil, nil }

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

// parallel calls f for parts of 0 … n, each a multiple of grain long but the last. What f computes of an element must
// not depend on the part that it lies in.
func parallel(n, grain int, f func(from, to int)) {
	workers := min(runtime.GOMAXPROCS(0), (n+grain-1)/grain)
	if workers < 2 || n < 1<<14 {
		f(0, n)
		return
	}
	size := ((n+workers-1)/workers + grain - 1) / grain * grain
	var wg sync.WaitGroup
	for from := 0; from < n; from += size {
		wg.Go(func() { f(from, min(n, from+size)) })
	}
	wg.Wait()
}

// sgd is torch.optim.SGD: the decay is added to the gradient, the momentum's first value is the first gradient.
type sgd struct{ cfg Config }

func (r sgd) slot(p *grad.Param) *slot {
	if r.cfg.Momentum == 0 {
		return &slot{}
	}
	return &slot{names: []string{"momentum/"}, data: [][]float32{make([]float32, p.Len())}}
}

func (r sgd) apply(_ *grad.Param, s *slot, x, g []float32, u update) {
	mu := r.cfg.Momentum
	parallel(len(x), 1, func(from, to int) {
		for i := from; i < to; i++ {
			d := u.scale*float64(g[i]) + u.decay*float64(x[i])
			if mu != 0 {
				b := d
				if u.n > 1 {
					b += mu * float64(s.data[0][i])
				}
				s.data[0][i] = float32(b)
				if r.cfg.Nesterov {
					d += mu * b
				} else {
					d = b
				}
			}
			x[i] = float32(float64(x[i]) - u.lr*d)
		}
	})
}

// lion moves every element by the learning rate, in the direction of the sign of a mean of gradients.
// Source: Chen et al. 2023, arXiv:2302.06675, algorithm 2.
type lion struct{ cfg Config }

func (r lion) slot(p *grad.Param) *slot {
	return &slot{names: []string{"m/"}, data: [][]float32{make([]float32, p.Len())}}
}

func (r lion) apply(_ *grad.Param, s *slot, x, g []float32, u update) {
	b1, b2, m := r.cfg.Beta1, r.cfg.Beta2, s.data[0]
	parallel(len(x), 1, func(from, to int) {
		for i := from; i < to; i++ {
			d, old := u.scale*float64(g[i]), float64(m[i])
			c := b1*old + (1-b1)*d
			sign := 0.0
			switch {
			case c > 0:
				sign = 1
			case c < 0:
				sign = -1
			}
			x[i] = float32(float64(x[i])*(1-u.lr*u.decay) - u.lr*sign)
			m[i] = float32(b2*old + (1-b2)*d)
		}
	})
}

// adafactor keeps, of a matrix's squared gradients, the means of the rows and of the columns alone, and bounds the size of
// an update to one. It is transformers' Adafactor with the learning rate given (scale_parameter and relative_step off) and
// its defaults eps 1e-30, clip_threshold 1 and decay_rate -0.8; with Beta1 it keeps a mean of the updates.
// Source: Shazeer & Stern 2018, arXiv:1804.04235, algorithms 4 and 5.
type adafactor struct{ cfg Config }

func (r adafactor) slot(p *grad.Param) *slot {
	s := &slot{}
	add := func(name string, n int) {
		s.names, s.data = append(s.names, name), append(s.data, make([]float32, n))
	}
	if len(p.Shape) > 1 {
		cols := p.Shape[len(p.Shape)-1]
		add("rows/", p.Len()/cols)
		add("columns/", cols)
	} else {
		add("v/", p.Len())
	}
	if r.cfg.Beta1 > 0 {
		add("m/", p.Len())
	}
	return s
}

func (r adafactor) apply(p *grad.Param, s *slot, x, g []float32, u update) {
	const eps = 1e-30
	beta := 1 - math.Pow(float64(u.n), -0.8)
	size := make([]float64, len(x)) // the update before it is bounded
	if len(p.Shape) > 1 {
		cols := p.Shape[len(p.Shape)-1]
		rows := len(x) / cols
		row, col := s.data[0], s.data[1]
		sums, all := make([]float64, cols), 0.0
		for i := range rows {
			sum := 0.0
			for j := range cols {
				d := u.scale * float64(g[i*cols+j])
				sum += d*d + eps
				sums[j] += d*d + eps
			}
			row[i] = float32(beta*float64(row[i]) + (1-beta)*sum/float64(cols))
			all += float64(row[i])
		}
		for j := range cols {
			col[j] = float32(beta*float64(col[j]) + (1-beta)*sums[j]/float64(rows))
		}
		mean := all / float64(rows)
		parallel(rows, 1, func(from, to int) {
			for i := from; i < to; i++ {
				f := 1 / math.Sqrt(float64(row[i])/mean)
				for j := range cols {
					size[i*cols+j] = u.scale * float64(g[i*cols+j]) * f / math.Sqrt(float64(col[j]))
				}
			}
		})
	} else {
		v := s.data[0]
		for i := range x {
			d := u.scale * float64(g[i])
			v[i] = float32(beta*float64(v[i]) + (1-beta)*(d*d+eps))
			size[i] = d / math.Sqrt(float64(v[i]))
		}
	}
	sum := 0.0
	for _, d := range size {
		sum += d * d
	}
	bound := max(1, math.Sqrt(sum/float64(len(size))))
	for i := range x {
		d := u.lr * size[i] / bound
		if r.cfg.Beta1 > 0 {
			m := s.data[len(s.data)-1]
			d = r.cfg.Beta1*float64(m[i]) + (1-r.cfg.Beta1)*d
			m[i] = float32(d)
		}
		x[i] = float32(float64(x[i])*(1-u.lr*u.decay) - d)
	}
}
