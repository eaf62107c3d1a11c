package train

import (
	"math"

	"tunebook/engine/backend"
	"tunebook/engine/grad"
	"tunebook/engine/internal/parts"
)

// Optimizers are the names that Config.Optimizer knows.
var Optimizers = []string{"adamw", "adamw-bf16", "adamw8bit", "lion", "sgd", "adafactor"}

// update holds the numbers of one step. n counts from 1.
type update struct {
	lr    float64
	scale float64 // multiplies the gradient first: clipping and division without another pass
	n     int
}

// optimizer changes parameters by their gradients and keeps what it needs from one step to the next.
type optimizer interface {
	// step changes the parameters. Where there are masters, those in float32 are changed and the parameters become what they are
	// rounded to bfloat16.
	step(masters []backend.Buffer, u update) error
	// save hands add all state, by names that begin with a prefix and end in the parameter's. shape is nil for a vector.
	save(add func(name string, shape []int, data []float32)) error
	// load reads what save wrote. Nothing is changed until the function that it returns is called.
	load(get func(name string, n int) ([]float32, error)) (apply func(), err error)
	// size returns the bytes of state and working memory, on the device and in other memory of the host.
	size() (device, host int64)
	free()
}

// newOptimizer makes the state of cfg.Optimizer for params. With dry nothing is allocated: only size may be called.
func newOptimizer(cfg Config, dev backend.Backend, params []*grad.Param, rates []rates, dry bool) optimizer {
	var r rule
	switch cfg.Optimizer {
	case "lion":
		r = lion{cfg}
	case "sgd":
		r = sgd{cfg}
	case "adafactor":
		r = adafactor{cfg}
	default:
		return newAdamW(cfg, dev, params, rates, dry)
	}
	o := &onHost{rule: r, dev: dev, params: params, rates: rates}
	if !dry {
		for _, p := range params {
			o.slots = append(o.slots, r.slot(p))
		}
	}
	return o
}

// rule is an update rule that is computed in plain Go, in float64 for each element, on any device: the parameter and its
// gradient are brought to the host and the parameter back, which costs a copy on cpu and a transfer on a GPU. lr and decay are
// the parameter's own.
type rule interface {
	slot(p *grad.Param) *slot
	apply(p *grad.Param, s *slot, x, g []float32, u update, decay float64)
}

// slot is a rule's state of one parameter.
type slot struct {
	names []string // a prefix for each of data
	data  [][]float32
}

type onHost struct {
	rule   rule
	dev    backend.Backend
	params []*grad.Param
	rates  []rates
	slots  []*slot
	x, g   []float32
}

func (o *onHost) step(masters []backend.Buffer, u update) error {
	for i, p := range o.params {
		n := p.Len()
		if len(o.x) < n {
			o.x, o.g = make([]float32, n), make([]float32, n)
		}
		value, x, g := p.Value, o.x[:n], o.g[:n]
		if masters != nil {
			value = masters[i]
		}
		if err := o.dev.Download(x, value); err != nil {
			return err
		}
		if err := o.dev.Download(g, p.Grad); err != nil {
			return err
		}
		own := u
		own.lr *= o.rates[i].lr
		o.rule.apply(p, o.slots[i], x, g, own, o.rates[i].decay)
		o.dev.Upload(value, x)
		if masters != nil {
			roundTo16(x)
			o.dev.Upload(p.Value, x)
		}
	}
	return nil
}

func (o *onHost) save(add func(name string, shape []int, data []float32)) error {
	for i, p := range o.params {
		s := o.slots[i]
		for j, name := range s.names {
			add(name+p.Name, nil, s.data[j])
		}
	}
	return nil
}

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
		loaded = append(loaded, s)
	}
	return func() { o.slots = loaded }, nil
}

func (o *onHost) size() (device, host int64) {
	longest := int64(0)
	for _, p := range o.params {
		for _, d := range o.rule.slot(p).data {
			host += 4 * int64(len(d))
		}
		longest = max(longest, 4*int64(p.Len()))
	}
	host += 2 * longest // the copies that it works on
	if backend.OnHost(o.dev) {
		return host, 0
	}
	return 0, host
}

func (o *onHost) free() { o.slots, o.x, o.g = nil, nil, nil }

// grain is how many elements a thread works on at a time.
const grain = 1 << 14

// sgd is torch.optim.SGD: the decay is added to the gradient, the momentum's first value is the first gradient.
type sgd struct{ cfg Config }

func (r sgd) slot(p *grad.Param) *slot {
	if r.cfg.Momentum == 0 {
		return &slot{}
	}
	return &slot{names: []string{"momentum/"}, data: [][]float32{make([]float32, p.Len())}}
}

func (r sgd) apply(_ *grad.Param, s *slot, x, g []float32, u update, decay float64) {
	mu := r.cfg.Momentum
	parts.Each(len(x), grain, func(from, to int) {
		for i := from; i < to; i++ {
			d := u.scale*float64(g[i]) + decay*float64(x[i])
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

func (r lion) apply(_ *grad.Param, s *slot, x, g []float32, u update, decay float64) {
	b1, b2, m := r.cfg.Beta1, r.cfg.Beta2, s.data[0]
	parts.Each(len(x), grain, func(from, to int) {
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
			x[i] = float32(float64(x[i])*(1-u.lr*decay) - u.lr*sign)
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

func (r adafactor) apply(p *grad.Param, s *slot, x, g []float32, u update, decay float64) {
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
		parts.Each(rows, grain, func(from, to int) {
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
		x[i] = float32(float64(x[i])*(1-u.lr*decay) - d)
	}
}
