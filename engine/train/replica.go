package train

import (
	"fmt"
	"runtime"
	"slices"
	"sync"

	"tunebook/engine/backend"
	"tunebook/engine/data"
	"tunebook/engine/grad"
	"tunebook/engine/model"
)

// replica is the model on one of the devices that train it. The first is the model itself, whose device makes the updates; the others
// are copies that take its parameters over at the start of every update.
type replica struct {
	model  *model.Model
	dev    backend.Backend
	params []*grad.Param // the trained ones, in the trainer's order
	losses []LossFunc    // of the objective's parts
	free   []func()      // gives back what they hold
}

// close gives a copy back.
func (r *replica) close() {
	r.forget()
	for _, f := range r.free {
		f()
	}
	r.model.Close()
}

// forget gives the gradients back.
func (r *replica) forget() {
	for _, p := range r.params {
		if p.Grad != nil {
			r.dev.Free(p.Grad)
			p.Grad = nil
		}
	}
}

// devices returns those that train a model, its own first. An error names those that do not go together.
func (c *Config) devices(m *model.Model) ([]backend.Backend, error) {
	own := m.Device()
	if len(c.Devices) == 0 {
		return []backend.Backend{own}, nil
	}
	if !slices.Contains(c.Devices, own) {
		var names []string
		for _, d := range c.Devices {
			names = append(names, d.Name())
		}
		return nil, fmt.Errorf("train.Config: Devices: the model lies on %s, which is none of %q", own.Name(), names)
	}
	all := []backend.Backend{own}
	for i, d := range c.Devices {
		if slices.Contains(c.Devices[:i], d) {
			return nil, fmt.Errorf("train.Config: Devices: %s is named twice", d.Name())
		}
		if a, b := own.Name(), d.Name(); backend.Kind(a) != backend.Kind(b) {
			return nil, fmt.Errorf("train.Config: Devices: %s and %s are of unlike kinds; wanted all of one", a, b)
		}
		if d != own {
			all = append(all, d)
		}
	}
	n := len(all)
	if batch := c.fill().BatchSize; batch < n {
		return nil, fmt.Errorf("train.Config: BatchSize: is %d; wanted at least one example for each of %d devices", batch, n)
	}
	if n > 1 && c.Objective != nil {
		for _, p := range c.Objective.Parts {
			if p.Whole || p.On == nil {
				return nil, fmt.Errorf("train.Config: Devices: the loss %q of objective %s is computed on one device; there are %d", p.Name, c.Objective.Name, n)
			}
		}
	}
	return all, nil
}

// shares cuts the named sequences of an update into one run for each device, of about as many tokens each, and packs these into
// passes. Groups stay together.
func (t *Trainer) shares(which []int) [][]data.Batch {
	n, g := len(t.devices), t.cfg.group()
	length := func(group []int) (sum int) {
		for _, i := range group {
			sum += len(t.seqs[i].IDs)
		}
		return sum
	}
	parts, total, before := make([][]int, n), length(which), 0
	for len(which) > 0 {
		group := which[:min(g, len(which))]
		size := length(group)
		of := n * (2*before + size) / (2 * total) // the device in whose part of all tokens the group's middle lies
		parts[of] = append(parts[of], group...)
		before, which = before+size, which[len(group):]
	}
	out := make([][]data.Batch, n)
	for i, p := range parts {
		out[i] = t.micro(t.seqs, p)
	}
	return out
}

// replicate puts copies of the model on the further devices, where each has room for one and its passes.
func (t *Trainer) replicate() error {
	for _, dev := range t.devices[1:] {
		if free, ok := backend.Available(dev); ok && t.model.Bytes() > free {
			return fmt.Errorf("train.New: a copy of the model takes %.2f GB; device %s has %.2f GB left", float64(t.model.Bytes())/1e9, dev.Name(), float64(free)/1e9)
		}
		m, err := t.model.On(dev)
		if err != nil {
			return fmt.Errorf("train.New: the model's copy on %s: %w", dev.Name(), err)
		}
		r := &replica{model: m, dev: dev}
		t.replicas = append(t.replicas, r)
		of := map[string]*grad.Param{}
		for _, p := range slices.Concat(m.Params(), m.Adapter.Params()) {
			of[p.Name] = p
		}
		for _, p := range t.params {
			r.params = append(r.params, of[p.Name])
		}
		if t.cfg.Objective != nil {
			for _, p := range t.cfg.Objective.Parts {
				loss, free, err := p.On(dev)
				if err != nil {
					return fmt.Errorf("train.New: the loss %q on %s: %w", p.Name, dev.Name(), err)
				}
				r.losses, r.free = append(r.losses, loss), append(r.free, free)
			}
		}
		if err := t.fits(r, t.cfg.MemoryLimit); err != nil {
			return err
		}
	}
	return nil
}

// each calls f for every replica, side by side, each on a thread of its own, and returns the first device's error.
func (t *Trainer) each(f func(i int, r *replica) error) error {
	if len(t.replicas) == 1 {
		return f(0, t.replicas[0])
	}
	errs, panics := make([]error, len(t.replicas)), make([]any, len(t.replicas))
	var wg sync.WaitGroup
	for i, r := range t.replicas {
		wg.Go(func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			defer func() { panics[i] = recover() }()
			errs[i] = f(i, r)
		})
	}
	wg.Wait()
	for i, r := range t.replicas {
		if panics[i] != nil {
			panic(panics[i])
		}
		if errs[i] != nil {
			return fmt.Errorf("train: device %s: %w", r.dev.Name(), errs[i])
		}
	}
	return nil
}

// buffers returns one of each trained parameter of every replica.
func (t *Trainer) buffers(of func(p *grad.Param) backend.Buffer) [][]backend.Buffer {
	out := make([][]backend.Buffer, len(t.replicas))
	for i, r := range t.replicas {
		for _, p := range r.params {
			out[i] = append(out[i], of(p))
		}
	}
	return out
}

// spread gives the other devices the first one's parameters.
func (t *Trainer) spread() error {
	if t.link == nil {
		return nil
	}
	return t.link.Broadcast(t.buffers(func(p *grad.Param) backend.Buffer { return p.Value }))
}

// gather adds the other devices' gradients to the first one's. Losses that do not depend on a parameter have left it without one, which is zeros.
func (t *Trainer) gather() error {
	for _, r := range t.replicas {
		for _, p := range r.params {
			if p.Grad == nil {
				p.Grad = zeros(r.dev, p.Len())
			}
		}
	}
	if t.link == nil {
		return nil
	}
	err := t.link.Reduce(t.buffers(func(p *grad.Param) backend.Buffer { return p.Grad }))
	for _, r := range t.replicas[1:] {
		r.forget()
	}
	return err
}

// Link says how several devices add their gradients: "by NCCL 2.27.3, …", "through the machine's memory; …". It is empty for one device.
func (t *Trainer) Link() string { return t.way }
